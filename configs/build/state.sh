# shellcheck shell=bash
# What is stale as a whole: with nothing changed the answer is given from one hash, in well under a second.

# inputs_key FLAVOUR: over all that the flavour is made from
inputs_key() {
	local files
	mapfile -t files < <(files_below "$top/build.sh" "$top/configs" "$top/rootfs" "$top/init" "$top/tools" \
		$([[ $1 == image ]] || say "$top/tests/fixture"))
	hash_text "$1" "$(gcc -dumpfullversion 2> /dev/null)" "$(ld --version 2> /dev/null | head -n 1)" \
		"$(hash_of "${files[@]}")" "$(stat -c '%A %n' "${files[@]}" | sed "s|$top/||" | sha256sum)" "$([[ ! $kernel_dir ]] || kernel_key)"
}

outputs_there() {
	[[ -s $out/vmlinuz && -s $out/initramfs.img && -s $out/manifest.json && ( $1 == image || -s $out/test/initramfs-test.img ) ]]
}

# bring_up_to_date FLAVOUR: image, or test (the image and its test flavour)
bring_up_to_date() {
	local want
	mkdir -p "$work"/{log,stamp,pkg}
	exec {lock}> "$work/lock"
	flock -n "$lock" || { note "another build is running in this folder; waiting for it"; flock "$lock"; }
	want=$(inputs_key "$1")
	if outputs_there "$1" && stamped "$work/stamp/done-$1" "$want"; then
		note "out/ is up to date"
	else
		rm -f "$work/stamp"/done-*
		need_tools "${image_tools[@]}"
		want=$(inputs_key "$1")
		package_keys
		build_packages
		build_image
		[[ $1 == image ]] || build_test_image
		replace "$work/stamp/done-$1" <<< "$want"
	fi
	exec {lock}>&-
	if [[ $1 == test ]]; then
		need_tools "${test_tools[@]}" "${test_files[@]}"
	fi
}
