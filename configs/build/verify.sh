# shellcheck shell=bash
# Two builds of the same sources in different folders must be the same byte for byte.

project_files=(build.sh configs rootfs init tools)

# copy_project DIR: what the image is made from, elsewhere
copy_project() {
	mkdir -p "$1"
	tar -C "$top" -cf - "${project_files[@]}" | tar -C "$1" -xf -
}

# same_files DIR DIR: is what the build made there the same?
same_files() {
	local file differ=0
	for file in "${outputs[@]}"; do
		if cmp -s "$1/$file" "$2/$file"; then
			say "same  $file  $(sha256sum < "$1/$file" | cut -d' ' -f1)"
		else
			say "DIFFERENT  $file: compare $1/$file with $2/$file"
			differ=1
		fi
	done
	return "$differ"
}

# verify_all: everything twice from nothing; sources are shared, nothing else
verify_all() {
	local one=$work/verify/one two=$work/verify/the-second-folder folder options=()
	lock_build
	[[ ! $kernel_dir ]] || options+=(--kernel "$kernel_dir")
	[[ ! $offline ]] || options+=(--offline)
	for folder in "$one" "$two"; do
		rm -rf "$folder"
		copy_project "$folder"
		note "building in $folder"
		"$folder/build.sh" "${options[@]}" image || die "verify: the build in $folder failed"
	done
	same_files "$one/out" "$two/out" || die "verify: two builds of the same sources differ"
	rm -rf "$work/verify"
	note "verify: both builds are identical"
}

# verify_quick: our own programs and the packing again in another folder, from the same packages, against out/
verify_quick() {
	local folder lists
	folder=$(mktemp -d "${TMPDIR:-/tmp}/$project-verify.XXXXXX")
	# shellcheck disable=SC2064 # the name as it is now
	trap "rm -rf $(printf %q "$folder")" EXIT
	copy_project "$folder/sources"
	mapfile -t lists < <(module_lists)
	package_keys
	kernel_locate
	image_work=$folder/image
	modules image "${lists[@]}"
	build_own "$folder/sources" "$folder/own"
	userland_tree "$image_work/root" "$folder/own"
	pack_image "$image_work/root" "$image_work/modules-image" "$folder/initramfs.img"
	cmp "$folder/initramfs.img" "$out/initramfs.img" || die "the image packed again in $folder isn't the same as out/initramfs.img"
	build_efi "$folder/guestsweep.efi"
	cmp "$folder/guestsweep.efi" "$out/guestsweep.efi" || die "the EFI program made again in $folder isn't the same as out/guestsweep.efi"
	build_iso "$folder/guestsweep.iso"
	cmp "$folder/guestsweep.iso" "$out/guestsweep.iso" || die "the ISO made again in $folder isn't the same as out/guestsweep.iso"
	note "packed again in another folder: the same bytes"
}
