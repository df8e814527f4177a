# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh, debian.sh and debianbed.sh
# guestsweep comes onto the Debian host, by its own install command run there, and libvirt gets its guests.

# checkout FILE: the part of this folder that install takes, as a disk
checkout() {
	local tree=$dir/checkout
	mkdir -p "$tree/out" "$tree/.build/own" "$tree/.build/image"
	cp -r "$top/build.sh" "$top/configs" "$debian/domains" "$tree/"
	cp "$out"/{vmlinuz,initramfs.img} "$tree/out/"
	cp "$work/own/guestsweep" "$tree/.build/own/"
	cp "$work/image/modules-image.list" "$tree/.build/image/"
	truncate -s 96M "$1"
	mke2fs -q -F -t ext4 -d "$tree" "$1"
	rm -rf "$tree"
}

# put_on_host PLATFORM: a new host in $dir, up, with guestsweep and its guests
put_on_host() {
	local words
	platform=$1 boots=0
	cp "$variables" "$dir/variables"
	cp --sparse=always "$debian_folder/report.img" "$debian_folder/stick.img" "$dir/"
	qemu-img create -q -f qcow2 -F raw -b "$debian_folder/base.img" "$dir/host.qcow2"
	checkout "$dir/checkout.img"
	mapfile -t words < <(drive checkout "$dir/checkout.img" raw)
	power_on "${words[@]}" -device virtio-blk-pci,drive=checkout,serial=checkout
	host_up 600
	must 'mount /dev/disk/by-id/virtio-checkout /mnt && cd /mnt && ./build.sh --as-built install'
	must 'systemd-analyze verify --man=no guestsweep.service guestsweep.timer guestsweep-collect.service guestsweep-armed.service'
	silent .
	# shellcheck disable=SC2016 # it is for the host's shell
	must 'cd /mnt/domains && for one in *.xml; do virsh define $one || exit; done; virsh autostart web && virsh start web'
	must 'umount /mnt'
}

# begin PLATFORM: the same as a copy, for the cases that come after: made anew when anything that install brings has changed
begin() {
	local want installed=$debian_folder/installed case_dir=$dir
	exec {base_lock}> "$debian_folder/lock"
	flock "$base_lock"
	want=$(hash_text "$(<"$debian_folder/base.key")" "$(hash_of "$out"/{vmlinuz,initramfs.img} "$work/own/guestsweep" \
		"$top/build.sh" "$top"/configs/build/*.sh "$top"/configs/host/* "$here/debianinstall.sh" "$debian"/domains/*)")
	if ! stamped "$installed/key" "$want"; then
		rm -rf "$installed"
		mkdir -p "$installed"
		dir=$installed
		put_on_host efi
		power_off
		dir=$case_dir
		replace "$installed/key" <<< "$want"
	fi
	exec {base_lock}>&-
	platform=$1 boots=0
	cp "$installed"/{variables,report.img,stick.img} "$dir/"
	qemu-img create -q -f qcow2 -F qcow2 -b "$installed/host.qcow2" "$dir/host.qcow2"
	power_on
	host_up 600
}
