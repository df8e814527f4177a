#!/bin/bash
# grubmenu.sh list | CASE: the entry that `arm --grub` chooses, in GRUB itself (BIOS): where it can't be started the host comes up, though GRUB's
# choice still stands. The host's own entry switches the machine off; a GRUB that waits for a person runs into the limit.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"

cases=(no-plan no-image no-kernel)

# menu FOLDER: a grub.cfg as grub-mkconfig would make it, with a choice that GRUB does not take back
menu() {
	cat <<-'E'
		set default="guestsweep>guestsweep-armed"
		set timeout=0
		menuentry 'Another' { reboot }
		menuentry 'The host' --id host { halt }
	E
	(
		GRUB_DEFAULT=host pkgdatadir=$here/host
		. <(sed "s|^folder=.*|folder=$1|" "$top/configs/host/42_guestsweep")
	)
}

grubmenu() {
	local dir=$beds/run/grub-$1 files=$beds/run/grub-$1/tree/guestsweep end
	rm -rf "$dir"
	mkdir -p "$dir/tree/boot/grub" "$files"
	cp "$out/vmlinuz" "$files/"
	touch "$files"/{initramfs.img,armed.cpio}
	menu "$files" > "$dir/tree/boot/grub/grub.cfg"
	case $1 in
	no-plan) rm "$files/armed.cpio" ;;
	no-image) rm "$files/initramfs.img" ;;
	no-kernel) rm "$files/vmlinuz" ;;
	esac
	grub-mkrescue --output="$dir/iso" "$dir/tree" > "$dir/mkrescue.log" 2>&1 || { say "no ISO; see $dir/mkrescue.log"; return 1; }
	take_orders "$dir"
	end=$(to_its_end "$dir" "$(accelerator)" 90 -m 256 -vga std -cdrom "$dir/iso")
	[[ $end == poweroff ]] || { say "not the host came up: the machine ended by $end; see $dir"; return 1; }
	rm -rf "$dir"/{iso,tree}
}

case $1 in
list) for one in "${cases[@]}"; do say "grub:$one $0 $one"; done ;;
*) grubmenu "$1" ;;
esac
