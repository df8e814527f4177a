# shellcheck shell=bash
# What is stale as a whole: with nothing changed the answer comes from one hash, in well under a second.

# inputs_key PATH...: over contents and permissions of all files there, the compiler, and a kernel of the user's own
inputs_key() {
	local files
	mapfile -t files < <(files_below "$@")
	hash_text "$(gcc -dumpfullversion 2> /dev/null)" "$(ld --version 2> /dev/null | head -n 1)" "$(hash_of "${files[@]}")" \
		"$(stat -c '%A %n' -- "${files[@]}" | sed "s|$top/||" | sha256sum)" "$([[ ! $kernel_dir ]] || kernel_key)"
}

# lock_build: one build at a time in this folder
lock_build() {
	mkdir -p "$work"/{log,stamp,pkg}
	exec {lock}> "$work/lock"
	flock -n "$lock" || { note "another build is running in this folder; waiting for it"; flock "$lock"; }
}

unlock_build() { exec {lock}>&-; }

# have_outputs: is everything there that a build makes?
have_outputs() {
	local file
	for file in "${outputs[@]}"; do
		[[ -s $out/$file ]] || return 1
	done
}

# update_image: everything in out/ that users take away; sets image_key
update_image() {
	local inputs=("$top/build.sh" "$top/configs" "$top/rootfs" "$top/init" "$top/tools")
	image_key=$(inputs_key "${inputs[@]}")
	if have_outputs && stamped "$work/stamp/image-done" "$image_key"; then
		note "out/ is up to date"
		return
	fi
	rm -f "$work/stamp/image-done"
	need_tools "${image_tools[@]}" "${iso_tools[@]}"
	image_key=$(inputs_key "${inputs[@]}")
	package_keys
	build_packages
	build_image
	replace "$work/stamp/image-done" <<< "$image_key"
}

# update_test_image: out/test/initramfs-test.img
update_test_image() {
	local want
	want=$(hash_text "$image_key" "$(inputs_key "$top/tests/fixture")")
	if [[ -s $out/test/initramfs-test.img ]] && stamped "$work/stamp/test-done" "$want"; then
		return
	fi
	rm -f "$work/stamp/test-done"
	package_keys
	build_test_image
	replace "$work/stamp/test-done" <<< "$want"
}

# bring_up_to_date FLAVOUR: image; or test: the image, its test flavour, and the tools that tests need
bring_up_to_date() {
	lock_build
	update_image
	if [[ $1 == test ]]; then
		update_test_image
		need_tools "${test_tools[@]}"
	fi
	unlock_build
}
