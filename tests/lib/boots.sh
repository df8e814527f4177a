#!/bin/bash
# boots.sh list | WAY: out/guestsweep.efi and out/guestsweep.iso come up by firmware alone, sweep a disk in mode check, write the report
# and give the machine back. ISO's menu waits for nobody: its first entry is taken after its time.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"

list() {
	local way
	for way in efi iso iso-efi; do
		say "boots:$way $0 $way"
	done
}

firmware=/usr/share/OVMF/OVMF_CODE_4M.fd
variables=/usr/share/OVMF/OVMF_VARS_4M.fd

# efi_disk FILE PROGRAM: a disk that firmware starts PROGRAM from
efi_disk() {
	truncate -s 64M "$1"
	mformat -i "$1" -F ::
	mmd -i "$1" ::/EFI ::/EFI/BOOT
	mcopy -i "$1" "$2" ::/EFI/BOOT/BOOTX64.EFI
}

uefi_words() {
	cp "$variables" "$1/variables"
	printf '%s\n' -drive "if=pflash,format=raw,readonly=on,file=$firmware" -drive "if=pflash,format=raw,file=$1/variables"
}

# The words that make QEMU boot that way, a line each.
words_for() {
	case $1 in
	efi)
		efi_disk "$2/esp" "$out/guestsweep.efi"
		uefi_words "$2"
		drive esp "$2/esp" raw
		printf '%s\n' -device virtio-blk-pci,drive=esp,bootindex=1
		;;
	iso*)
		[[ $1 == iso ]] || uefi_words "$2"
		printf '%s\n' -cdrom "$out/guestsweep.iso" -boot d
		;;
	esac
}

boots() {
	local dir=$beds/run/boots-$1 words end=accident
	need_tools mformat=mtools "$firmware=ovmf"
	rm -rf "$dir"
	mkdir -p "$dir/1"
	printf 'verdict=clean\nmode=check\n' > "$dir/expect"
	read_expectation "$dir/expect" "$dir"
	report_disk small-host "$dir/report.img"
	mapfile -t words < <(words_for "$1" "$dir"; drive report "$dir/report.img" raw; printf '%s\n' -device virtio-blk-pci,drive=report)
	while [[ $end == accident ]]; do
		end=$(take_orders "$dir/1"; to_its_end "$dir/1" "$(accelerator)" 240 -smp 2 -m 768 -serial "file:$dir/1/console" "${words[@]}")
	done
	fetch_report "$dir/report.img" "$dir/1" 1
	cat "$dir/1/report-problems" 2> /dev/null || true
	[[ $end == reboot ]] || { say "the machine ended by $end; see $dir/1"; return 1; }
	[[ ! -s $dir/1/report-problems ]] || return 1
	jq -e '.mode == "check" and .verdict != "failed"' "$dir/1/report.json" > /dev/null || { say "no sweep in mode check; see $dir/1"; return 1; }
	rm -f "$dir"/{esp,report.img,variables}
}

case $1 in
list) list ;;
*) boots "$1" ;;
esac
