# shellcheck shell=bash
# The image: what lies where, as one cpio, compressed.

image_limit=$((14 * 1024 * 1024))
image_work=$work/image

# copy_listed LIST ROOT: the programs that a list in configs/image names
copy_listed() {
	local from to package
	while read -r from to package; do
		[[ -z $from || $from == '#'* ]] && continue
		[[ -f $work/stage/$from ]] || die "${1#"$top/"} names $from, which no package has built ($package?)"
		install -D -m 755 "$work/stage/$from" "$2/$to"
	done < "$1"
}

# skeleton ROOT: the folders and the links that make /bin, /sbin and /usr/sbin the same folder
skeleton() {
	mkdir -p "$1"
	chmod 755 "$1"
	mkdir -p "$1"/{proc,sys,dev,run,tmp,mnt,root,etc/guestsweep,usr/bin,usr/lib}
	chmod 1777 "$1/tmp"
	chmod 700 "$1/root" "$1/etc/guestsweep"
	ln -s usr/bin "$1/bin"
	ln -s usr/bin "$1/sbin"
	ln -s usr/lib "$1/lib"
	ln -s bin "$1/usr/sbin"
}

# overlay DIR ROOT: copies a tree that may say bin/ or sbin/ where ROOT has links
overlay() { tar -C "$1" -cf - . | tar -C "$2" --no-same-owner --keep-directory-symlink -xf -; }

add_links() {
	local target name names
	while read -r target names; do
		[[ -z $target || $target == '#'* ]] && continue
		for name in $names; do
			ln -s "${target##*/}" "$1/$name"
		done
	done < "$top/configs/image/links"
	while read -r name; do
		# a real program goes before an applet of the same name
		[[ -e $1/usr/bin/$name ]] || ln -s busybox "$1/usr/bin/$name"
	done < <(sed 's|.*/||' "$work/stage/lib/busybox.links")
}

# userland_tree ROOT OWN: everything but the modules
userland_tree() {
	rm -rf "$1"
	skeleton "$1"
	copy_listed "$top/configs/image/files" "$1"
	strip -s -o "$1/init" "$2/init"
	strip -s -o "$1/usr/bin/sweep" "$2/sweep"
	overlay "$top/rootfs" "$1"
	add_links "$1"
	recipe_versions > "$1/usr/lib/guestsweep/versions"
	printf 'NAME=%s\nID=%s\nVERSION_ID=%s\nPRETTY_NAME="%s %s"\n' \
		"$project" "$project" "$project_version" "$project" "$project_version" > "$1/etc/os-release"
}

# prove_static ROOT: every ELF program there is static, or the build fails
prove_static() {
	local file dynamic
	elf_files=()
	while read -r file; do
		[[ $(head -c 4 "$file" | tr -d '\0') == $'\x7fELF' ]] && elf_files+=("$file")
	done < <(find "$1" -path '*/lib/modules' -prune -o -type f -print | sort)
	(( ${#elf_files[@]} )) || die "$1: no program at all"
	dynamic=$(readelf -ldW "${elf_files[@]}" 2> /dev/null | awk '/^File:/ { f = $2 } /INTERP|\(NEEDED\)/ { print f }' | sort -u)
	[[ -z $dynamic ]] || die "not statically linked: ${dynamic//$1\//}"
}

# archive ROOT: the tree as a cpio on standard output, the same bytes for the same tree
archive() {
	(	cd "$1"
		find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
		# the folder itself too: the kernel's own root folder could be written by anyone
		find . | sort | cpio --quiet -o -H newc -R 0:0 --reproducible)
}

# One thread: the result must not depend on how many there are. Level 12 takes half a second; 19 would take six
# for 4 % less, and every changed line of C would wait for it. Most of the image is modules, which are packed already.
compress() { zstd -q -c -12 --single-thread -; }

# compressed_size ROOT: what a tree takes up in the image
compressed_size() { archive "$1" | compress | wc -c; }

# whole_words: copies standard input, with empty zstd frames (9 bytes each) behind it until the length is a multiple
# of 4: where the next initramfs begins if a file is put behind this one with a plain cat.
whole_words() {
	local file=$image_work/whole-words i
	cat > "$file"
	cat "$file"
	for (( i = -$(stat -c %s "$file") & 3; i > 0; i-- )); do
		zstd -q -c --no-check --single-thread - < /dev/null
	done
	rm -f "$file"
}

# pack_image ROOT MODULES FILE: userland and modules as one compressed cpio
pack_image() {
	rm -rf "$image_work/all"
	cp -a "$1" "$image_work/all"
	cp -a "$2/." "$image_work/all/"
	archive "$image_work/all" | compress | whole_words | replace "$3"
	rm -rf "$image_work/all"
}

# modules FLAVOUR LIST...: the module tree for these lists, made anew when the lists or the kernel change
modules() {
	local flavour=$1 want
	shift
	want=$(hash_text "$(kernel_key)" "$(hash_of "$@" "$top/configs/build/kernel.sh")")
	stamped "$image_work/modules-$flavour.key" "$want" && return
	need_tools "${image_tools[@]}"
	mkdir -p "$image_work"
	module_tree "$image_work/modules-$flavour" "$@"
	compressed_size "$image_work/modules-$flavour" > "$image_work/modules-$flavour.size"
	replace "$image_work/modules-$flavour.key" <<< "$want"
}

module_lists() { printf '%s\n' "$top"/configs/image/modules-{hardware,layers,filesystems}; }

# build_image: everything in out/ that users take away
build_image() {
	local lists
	mapfile -t lists < <(module_lists)
	kernel_locate
	modules image "${lists[@]}"
	build_own "$top" "$work/own"
	userland_tree "$image_work/root" "$work/own"
	prove_static "$image_work/root"
	mkdir -p "$out"
	pack_image "$image_work/root" "$image_work/modules-image" "$out/initramfs.img"
	cmp -s "$kernel_image" "$out/vmlinuz" || replace "$out/vmlinuz" < "$kernel_image"
	build_efi "$out/guestsweep.efi"
	build_iso "$out/guestsweep.iso"
	write_manifest | replace "$out/manifest.json"
	size_table
}

# build_test_image: the image with the fixture tools and test modules behind it, as a second cpio
build_test_image() {
	local root=$image_work/extras union=$image_work/modules-test file lists
	mapfile -t lists < <(module_lists)
	kernel_locate
	modules test "${lists[@]}" "$top/configs/image/modules-test"
	rm -rf "$root"
	skeleton "$root"
	copy_listed "$top/configs/image/files-test" "$root"
	[[ ! -d $top/tests/fixture/rootfs ]] || overlay "$top/tests/fixture/rootfs" "$root"
	for file in "$top"/tests/fixture/programs/*.c; do
		"$work/toolchain/bin/musl-cc" -O2 -Wall -Wextra -Werror -o "$root/usr/bin/$(basename "$file" .c)" "$file"
	done
	prove_static "$root"
	# only what the image doesn't have already: the test modules, and depmod's files over all of them
	while read -r file; do
		cmp -s "$union/$file" "$image_work/modules-image/$file" || install -D -m 644 "$union/$file" "$root/$file"
	done < <(cd "$union" && find . -type f -printf '%P\n' | sort)
	mkdir -p "$out/test"
	{
		cat "$out/initramfs.img"
		head -c $((-$(stat -c %s "$out/initramfs.img") & 3)) /dev/zero
		archive "$root" | zstd -q -c -3
	} | replace "$out/test/initramfs-test.img"
}
