# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh and debian.sh
# How a Debian host's disk is made, for debian.sh. Once: Debian's packages into a tree by mmdebstrap, in a chroot on this machine;
# partitions, LUKS, LVM, boot loaders by tests/debian/compose in a fixture machine. It lies in out/test/debian-SUITE/ until the recipe changes;
# tests start from overlays of it.

debian=$top/tests/debian
debian_folder=$beds/debian-$host_suite

# debian_tree: the packages, as a tar. From where this machine gets its own, and in the versions of the day: what is proven is
# that guestsweep gets along with Debian as it is.
debian_tree() {
	local want packages files
	packages=$(awk -v suite="$host_suite" '!/^#/ && (NF == 1 || $2 == suite) { print $1 }' "$debian/packages" | paste -s -d ,)
	mapfile -t files < <(files_below "$debian"/rootfs/etc/{initramfs-tools,cryptsetup-initramfs})
	want=$(hash_text "$host_suite $packages" "$(hash_of "$debian/left-out" "${files[@]}")")
	stamped "$debian_folder/tree.key" "$want" && return
	[[ ! ${offline:-} ]] || { say "--offline, and no Debian was fetched before"; exit 77; }
	need_tools mmdebstrap=mmdebstrap
	suite=$host_suite
	apt_entries | as_deb822 > "$debian_folder/apt.sources"
	sed 's/^/path-exclude=/' "$debian/left-out" > "$debian_folder/dpkg"
	printf '%s\n' force-unsafe-io force-confold >> "$debian_folder/dpkg"
	# the host's own initramfs is made once, as its kernel is installed: what it goes by is there before
	rm -rf "$debian_folder/before"
	mkdir -p "$debian_folder/before/etc/dpkg/dpkg.cfg.d"
	mv "$debian_folder/dpkg" "$debian_folder/before/etc/dpkg/dpkg.cfg.d/test"
	cp -r "$debian"/rootfs/etc/{initramfs-tools,cryptsetup-initramfs} "$debian_folder/before/etc/"
	mmdebstrap --quiet --mode=root --variant=minbase --format=tar --aptopt='Acquire::Languages "none"' \
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr --setup-hook="cp -r '$debian_folder/before/etc' \"\$1/\"" \
		--include="$packages" \
		"$host_suite" "$debian_folder/tree.new.tar" "$debian_folder/apt.sources" > "$debian_folder/tree.log" 2>&1 ||
		fault "Debian's packages could not be had: $(tail -n 5 "$debian_folder/tree.log")"
	mv "$debian_folder/tree.new.tar" "$debian_folder/tree.tar"
	replace "$debian_folder/tree.key" <<< "$want"
}

# debian_disk: base.img, report.img and stick.img
debian_disk() {
	local want dir=$debian_folder/compose files end=accident words=() disk
	mapfile -t files < <(files_below "$debian/rootfs" "$debian/compose" "$fixture/rootfs/fixture")
	want=$(hash_text "$(hash_of "${files[@]}" "$here/debiandisk.sh")" "$(<"$debian_folder/tree.key")")
	stamped "$debian_folder/base.key" "$want" && return
	rm -rf "$dir" "$debian_folder"/{base.key,installed}
	mkdir -p "$dir/root/fixture/input/keys"
	rm -f "$debian_folder"/{base,report,stick}.img
	truncate -s 1680M "$debian_folder/base.img"
	truncate -s 64M "$debian_folder/report.img"
	truncate -s 2M "$debian_folder/stick.img"
	printf '%s\n' 'label: gpt' 'size=1MiB, type=21686148-6449-6E6F-744E-656564454649' 'size=80MiB, type=uefi' 'size=128MiB, type=linux' \
		'type=lvm' | sfdisk -q "$debian_folder/base.img"
	debian_keys "$dir/root/fixture/input/keys"
	cp -a "$debian/rootfs" "$dir/root/fixture/input/"
	debian_initramfs "$dir/root/fixture/input"
	install -m 755 "$debian/compose" "$dir/root/fixture/compose"
	archive "$dir/root" > "$dir/work.cpio"
	join_images "$fixture_image" "$dir/work.cpio" > "$dir/image"
	for disk in base=host report=report stick=stick; do
		mapfile -t -O "${#words[@]}" words < <(drive "${disk#*=}" "$debian_folder/${disk%=*}.img" raw)
		words+=(-device "virtio-blk-pci,drive=${disk#*=},serial=${disk#*=}")
	done
	# shellcheck disable=SC2054 # QEMU's commas
	words+=(-drive "if=none,id=tree,file=$debian_folder/tree.tar,format=raw,readonly=on" -device virtio-blk-pci,drive=tree,serial=tree)
	while [[ $end == accident ]]; do
		end=$(memory=1024 machine "$dir" 600 rdinit=/fixture/compose "$dir/image" "${words[@]}")
	done
	grep -aqx $'composed 0\r*' "$dir/results" || fault "the host's disk could not be made ($end):"$'\n'"$(tail -n 30 "$dir/results")"
	rm -rf "$dir/image" "$dir/root"
	replace "$debian_folder/base.key" <<< "$want"
}

# debian_keys FOLDER
debian_keys() {
	local name
	for name in root images web; do say "the key of $name on a host of a test" > "$1/$name.key"; done
}

# debian_initramfs WORK: the host's own, with what its cryptsetup hook would add if it found the root. Here, because a shell takes minutes for
# all that the hooks do where every instruction is emulated.
debian_initramfs() {
	local part=$1/part/cryptroot made
	mkdir -p "$part/keyfiles" "$1/rootfs/boot"
	cp "$1/keys/root.key" "$part/keyfiles/cryptroot.key"
	say 'cryptroot /dev/mapper/host-root /cryptroot/keyfiles/cryptroot.key luks,discard' > "$part/crypttab"
	archive "$1/part" > "$1/part.cpio"
	tar -C "$1" --wildcards -xf "$debian_folder/tree.tar" './boot/initrd.img-*'
	for made in "$1"/boot/initrd.img-*; do
		join_images "$made" "$1/part.cpio" > "$1/rootfs/boot/${made##*/}"
		chmod 600 "$1/rootfs/boot/${made##*/}"
	done
	rm -rf "${1:?}"/{boot,part,part.cpio}
}

# debian_base: all that, by one test at a time
debian_base() {
	mkdir -p "$debian_folder"
	exec {base_lock}> "$debian_folder/lock"
	flock "$base_lock"
	debian_tree
	debian_disk
	exec {base_lock}>&-
}
