# shellcheck shell=bash
# What boots by itself: out/guestsweep.efi, kernel, image and command line in one EFI program, and out/guestsweep.iso for BIOS and
# UEFI. Both check and write nothing unless somebody says otherwise at the boot menu.

iso_tools=(grub-mkrescue=grub-common /usr/lib/grub/i386-pc/moddep.lst=grub-pc-bin /usr/lib/grub/x86_64-efi/moddep.lst=grub-efi-amd64-bin
	xorriso=xorriso mformat=mtools)
efi_words='console=tty0 console=ttyS0,115200 panic=10 init_on_free=1 guestsweep.mode=check'

# page BYTES: rounded up to whole pages
page() { say $((($1 + 4095) / 4096 * 4096)); }

# clear_date FILE: zeros the date in the header of an EFI program and the sum over it ("TimeDateStamp" and "CheckSum" of PE/COFF, which no
# firmware looks at): the same input, the same bytes
clear_date() {
	local at field
	at=$(od -An -tu4 -j60 -N4 "$1")
	for field in 8 88; do
		printf '\0\0\0\0' | dd of="$1" bs=1 seek=$((at + field)) conv=notrunc status=none
	done
}

# build_efi FILE: the sections that systemd-stub(7) looks for, behind the stub's own
build_efi() {
	local stub=$work/stage/lib/linuxx64.efi.stub dir=$image_work/efi words=() section file at
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$image_work/root/etc/os-release" "$dir/osrel"
	printf '%s' "$efi_words" > "$dir/cmdline"
	printf '%s' "$kernel_release" > "$dir/uname"
	at=$(objdump -h "$stub" | while read -r _ _ size address _; do
		[[ ! $size =~ ^[0-9a-f]{8}$ ]] || say $((16#$address + 16#$size))
	done | sort -n | tail -n 1)
	for section in osrel cmdline uname linux initrd; do
		file=$dir/$section
		case $section in
		linux) file=$out/vmlinuz ;;
		initrd) file=$out/initramfs.img ;;
		esac
		at=$(page "$at")
		words+=(--add-section ".$section=$file" --change-section-vma ".$section=$at")
		at=$((at + $(stat -c %s "$file")))
	done
	objcopy "${words[@]}" "$stub" "$dir/whole.efi"
	clear_date "$dir/whole.efi"
	if [[ ${GUESTSWEEP_SIGN_KEY:-} && ${GUESTSWEEP_SIGN_CERT:-} ]]; then
		need_tools sbsign=sbsigntool
		sbsign --key "$GUESTSWEEP_SIGN_KEY" --cert "$GUESTSWEEP_SIGN_CERT" --output "$dir/signed.efi" "$dir/whole.efi"
		mv "$dir/signed.efi" "$dir/whole.efi"
	fi
	replace "$1" < "$dir/whole.efi"
	rm -rf "$dir"
}

# build_iso FILE: GRUB's own tool; every date in it is SOURCE_DATE_EPOCH, and the serial number of its EFI filesystem is fixed
build_iso() {
	local dir=$image_work/iso date
	date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d%H%M%S00)
	rm -rf "$dir"
	mkdir -p "$dir"/{tree/boot/grub,tree/guestsweep,bin}
	cp "$out/vmlinuz" "$out/initramfs.img" "$dir/tree/guestsweep/"
	cp "$top/configs/iso/grub.cfg" "$dir/tree/boot/grub/"
	find "$dir/tree" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	printf '#!/bin/sh\nexec %s -N 1 "$@"\n' "$(command -v mformat)" > "$dir/bin/mformat"
	chmod 755 "$dir/bin/mformat"
	PATH=$dir/bin:$PATH grub-mkrescue --output="$dir/whole.iso" "$dir/tree" -- -volid GUESTSWEEP -volume_date uuid "$date" \
		-volume_date c "$date" -volume_date m "$date" -volume_date all_file_dates "$date" > "$work/log/iso.log" 2>&1 ||
		die "grub-mkrescue failed (see $work/log/iso.log)"
	replace "$1" < "$dir/whole.iso"
	rm -rf "$dir"
}
