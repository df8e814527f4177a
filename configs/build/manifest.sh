# shellcheck shell=bash
# out/manifest.json: every component with its sources and licence, every file of the image, and the proof that it is static.

# component NAME: one JSON object
component() {
	(	load_recipe "$1"
		printf '%s\n' "${sources[@]}" | jq -R 'split(" ") | {file: .[0], sha256: .[1]}' |
			jq -s --arg name "$1" --arg version "$version" --arg licence "$licence" --arg package "${deb:-$debian}" \
				--arg patches "$(cd "$recipes/patches/$1" 2> /dev/null && ls)" \
				'{name: $name, version: $version, licence: $licence, debian: $package, sources: .,
				  patches: ($patches | split("\n") | map(select(. != "")))}')
}

# own_kernel: the component entry for a kernel given by --kernel
own_kernel() {
	jq -n --arg version "$kernel_release" --arg sha256 "$(sha256sum < "$kernel_image" | cut -d' ' -f1)" \
		'{name: "linux", version: $version, licence: "GPL-2.0-only", sources: [{file: "vmlinuz", sha256: $sha256}], patches: []}'
}

components() {
	local name
	for name in $(package_list); do
		if [[ $name == linux && ${kernel_dir:-} ]]; then own_kernel; else component "$name"; fi
	done
	jq -n --arg name "$project" --arg version "$project_version" '{name: $name, version: $version, licence: "GPL-2.0-or-later", sources: [], patches: []}'
}

# hashes ROOT FILE...: one JSON object per file
file_entries() {
	local root=$1
	shift
	(cd "$root" && sha256sum -- "$@") | jq -R 'capture("^(?<sha256>[0-9a-f]+)  (?<path>.*)$") | {path: ("/" + .path), sha256}'
}

output_entries() {
	(cd "$out" && sha256sum -- "${outputs[@]/#manifest.json/vmlinuz}" | sort -u) |
		jq -R 'capture("^(?<sha256>[0-9a-f]+)  (?<file>.*)$") | {file, sha256}'
}

write_manifest() {
	local root=$image_work/root
	jq -n --arg name "$project" --arg version "$project_version" --arg kernel "$kernel_release" \
		--slurpfile outputs <(output_entries) \
		--slurpfile components <(components) \
		--slurpfile programs <(file_entries "$root" "${elf_files[@]#"$root"/}") \
		--rawfile modules "$image_work/modules-image.list" \
		'{name: $name, version: $version, kernel: $kernel,
		  outputs: $outputs,
		  components: $components,
		  programs: ($programs | map(. + {linkage: "static"})),
		  modules: ($modules | split("\n") | map(select(. != "")))}'
}
