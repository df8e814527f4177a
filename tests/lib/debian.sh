#!/bin/bash
# debian.sh list | torture | CASE [SUITE]: guestsweep on a real host: Debian (bookworm if not said) with systemd, libvirt, GRUB, its root on LUKS,
# started by BIOS or UEFI. It gets there by its own `build.sh install`; all that follows is what an admin does. `list` names what
# ./build.sh test runs, `torture` the rest.
set -euo pipefail
shopt -s inherit_errexit
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
. "$top/configs/build/apt.sh"
host_suite=${2:-bookworm}
. "$here/debiandisk.sh"
. "$here/debianbed.sh"
. "$here/debianinstall.sh"

# writes FILE: standard input becomes the host's FILE
writes() { must "base64 -d <<< $(base64 -w 0) > $1"; }

# placed: init finds every guest's disk, and preflight has nothing against it
placed() {
	must 'guestsweep init'
	says '; 0 things to do;'
	must 'cat /etc/guestsweep/sweep.conf /etc/guestsweep/crypttab'
	says '^disk      = host/web$'
	says '^disk      = host/images:/db.qcow2 qcow2$'
	says '^\[guest vm1\] ; not started with the host$'
	says '^web_hd0 /dev/host/web /etc/keys/web.key luks,nofail$'
	must 'guestsweep preflight --json'
	jq -e '.way == "kexec" and .state != "fail" and any(.items[]; .item == "web_hd0" and .text == "/etc/keys/web.key opens it")' \
		"$dir/said" > /dev/null || fault "$(cat "$dir/said")"
}

grub_cannot="/boot/grub/grubenv lies on LVM, where GRUB can't take a choice back: the host would boot the image for ever; use --kexec or --efi"
# grub_on_lvm: GRUB can't write into a logical volume
grub_on_lvm() {
	must 'mkfs.ext4 -q /dev/host/boot && mount /dev/host/boot /boot && mkdir /boot/grub && touch /boot/grub/grubenv'
	ends 1 'guestsweep arm --grub --now'
	says "$grub_cannot"
	must 'umount /boot && guestsweep status'
	says '^armed: +nothing'
}

# keys_from_stick: a configuration without key files on the host: for the ways that would leave them on a disk in the clear
keys_from_stick() {
	must 'test -e /etc/guestsweep/sweep.conf || guestsweep init'
	must "sed -i 's/^after .*/after = reboot/; /^report/a ignore = host/root host/boot' /etc/guestsweep/sweep.conf"
	writes /etc/guestsweep/crypttab <<-'C'
		images  host/images  /images:LABEL=STICK  luks
		web     host/web     /web:LABEL=STICK     luks
	C
}

# night: the timer without its random delay, and a night that begins in ten seconds
night() {
	must 'mkdir -p /etc/systemd/system/guestsweep.timer.d'
	writes /etc/systemd/system/guestsweep.timer.d/test.conf <<-'C'
		[Timer]
		RandomizedDelaySec=0
		AccuracySec=1s
	C
	# that has systemd read its units anew
	must 'systemctl enable --now guestsweep.timer && date -s "2026-12-06 01:59:50"'
}

has_runs() { (( $(runs | wc -l) >= $1 )); }
begun() { report_has /guestsweep.plan.used; }
refused() { report_has /guestsweep.plan.refused; }

# collected VERDICT [TEXT]: what the host's journal has of the sweep, and that the guests are as they were before
collected() {
	must 'journalctl -b -o json -t guestsweep'
	jq -s -e --arg verdict "$1" --arg text "${2:-}" 'any(.[]; .GUESTSWEEP_VERDICT == $verdict and (.MESSAGE | contains($text)))' \
		"$dir/said" > /dev/null || fault "the journal does not say $1 $2: $(jq -c '[.GUESTSWEEP_VERDICT, .MESSAGE]' "$dir/said")"
	must 'virsh list --name --state-running'
	[[ $(grep . "$dir/said") == web ]] || fault "not just web is on: $(cat "$dir/said")"
	must 'guestsweep status'
	says '^armed: +nothing'
}

# swept VERDICT VM1: what the report has to say of the guests, whoever sent the host there
swept() {
	report
	holds ".verdict == \"$1\" and .mode == \"preen\" and .counts.errors == 0 and .counts.uncorrected == 0"
	holds "any(.nodes[]; .stack == \"host/vm1 > mbr:1 > ext4\" and .verdict == \"$2\" and .guest == \"vm1\")"
	holds 'any(.nodes[]; .stack == "host/web > luks > mbr:1 > ext4" and .verdict == "clean" and .guest == "web")'
	holds 'any(.nodes[]; .stack == "host/images > luks > file:db.qcow2 > mbr:1 > ext4" and .verdict == "clean" and .guest == "db")'
}

# All of it on one host with UEFI: the installation; the timer's night, by kexec there and back; BootNext; GRUB, a GRUB that can't take its
# choice back; and the power going before, in and after a sweep.
case_ways() {
	put_on_host efi
	placed
	grub_on_lvm
	must 'sed -i "s/^after .*/after = kexec/" /etc/guestsweep/sweep.conf'
	night
	wait_for 600 "the report of the night" has_runs 1
	host_up 600
	(( $(events RESET) == 0 )) || fault "the machine was reset, where kexec leads back"
	collected repaired
	swept repaired repaired
	# others look while somebody writes
	# shellcheck disable=SC2016 # it is for the host's shell
	must 'for i in 1 2 3; do guestsweep disarm > /dev/null || exit; done & for i in 1 2 3; do guestsweep status > /dev/null || exit; done; wait $!'

	keys_from_stick
	must 'cp /sys/firmware/efi/efivars/BootOrder-* /root/order && guestsweep arm --efi --now'
	wait_for 600 "the report of BootNext" has_runs 2
	power_cut                            # before the return
	power_on
	host_up 600
	collected clean
	swept clean clean
	firmware_as_before

	# a GRUB that does not take its choice back: the image has to
	must 'sed -i "/save_env next_entry/d" /boot/grub/grub.cfg && guestsweep arm --grub'
	power_cut                            # between arm and boot
	power_on
	wait_for 600 "the sweep by GRUB has begun" begun
	# where GRUB's choice still stands, the image comes up once more, refuses the used token, and takes the choice back
	power_cut                            # in the sweep
	has_runs 3 && fault "the sweep was over before the power went"
	power_on
	host_up 600
	must 'grub-editenv list'
	silent 'next_entry=.'
	collected failed 'a sweep began and left no report'
	power_off
	disks_are_sound
}

firmware_as_before() {
	must 'cmp /sys/firmware/efi/efivars/BootOrder-* /root/order && ! ls /sys/firmware/efi/efivars/BootNext-*'
	# shellcheck disable=SC2016 # it is for the host's shell
	must 'for one in /sys/firmware/efi/efivars/Boot0*; do ! tr -d "\0" < $one | grep -aq guestsweep || exit; done'
	must '! ls /boot/efi/EFI/guestsweep/armed.cpio'
}

# The same ways on a host with BIOS, and with two processors, of which only one comes through a kexec.
case_bios() {
	processors=2
	begin bios
	placed
	night
	wait_for 600 "the report of the night" has_runs 1
	host_up 600
	# SeaBIOS makes up to three of one
	(( $(events RESET) > 0 )) || fault "a full restart leads back, by default"
	collected repaired
	swept repaired repaired
	keys_from_stick
	must 'guestsweep arm --grub --now'
	wait_for 600 "the sweep by GRUB has begun" begun
	power_cut
	has_runs 2 && fault "the sweep was over before the power went"
	power_on
	host_up 600
	collected failed 'a sweep began and left no report'
	must 'guestsweep arm --grub --now'
	wait_for 600 "the report by GRUB" has_runs 2
	host_up 600
	collected clean
	swept clean clean
	power_off
	disks_are_sound
}

# The power goes after arm --kexec: what was loaded is gone, and so is the sweep. Then plans that are not to be taken: one put back after
# its use, one with another configuration.
case_plans() {
	begin bios
	must 'guestsweep init && guestsweep arm --kexec'
	power_cut
	power_on
	host_up 600
	collected failed 'restarted without a sweep'
	keys_from_stick
	# with a guest on, a restart that is not arm's own takes the arming back (debian:saved)
	must 'virsh destroy web && guestsweep arm --grub && cp -a /boot/guestsweep/armed.cpio /root/ && systemctl --no-block reboot'
	wait_for 600 "the report" has_runs 1
	host_up 600
	collected repaired
	must 'virsh destroy web && cp -a /root/armed.cpio /boot/guestsweep/ && grub-reboot "guestsweep>guestsweep-armed" && systemctl --no-block reboot'
	wait_for 600 "the refusal of a used plan" refused
	host_up 600
	! has_runs 2 || fault "a plan was good for two sweeps"
	must 'guestsweep disarm && guestsweep arm --grub && sed -i "s/^mode      = preen/mode      = check/" /boot/guestsweep/armed.cpio'
	must 'virsh destroy web && systemctl --no-block reboot'
	wait_for 600 "the refusal of a forged plan" refused
	host_up 600
	! has_runs 2 || fault "a forged plan was swept by"
	collected failed 'the configuration is not the one that this host signed'
	power_off
	disks_are_sound
}

# /boot in a logical volume for good, with GRUB in it, which reads there and can't write. By GRUB the host is not to be armed; left to itself, arm
# takes the firmware's way, and that leads back.
case_lvm() {
	begin efi
	keys_from_stick
	must 'mkfs.ext4 -q -L boot -O ^orphan_file,^metadata_csum_seed /dev/host/boot && mount /dev/host/boot /mnt && cp -ax /boot/. /mnt/'
	must 'umount /mnt /boot/efi /boot && mkfs.ext4 -q -F /dev/disk/by-id/virtio-host-part3 && udevadm settle && mount /boot && mount /boot/efi'
	must 'grub-install --target=x86_64-efi --efi-directory=/boot/efi --removable --no-nvram && update-grub'
	must 'cp /sys/firmware/efi/efivars/BootOrder-* /root/order'
	ends 1 'guestsweep arm --grub --now'
	says "$grub_cannot"
	must 'virsh list --name --state-running && guestsweep status'
	says '^web$'
	says '^armed: +nothing'
	must 'guestsweep arm --now'
	says '^armed by efi'
	wait_for 600 "the report of BootNext" has_runs 1
	host_up 600
	collected repaired
	swept repaired repaired
	firmware_as_before
	must 'findmnt -n -o SOURCE /boot && grub-editenv list'
	says '^/dev/mapper/host-boot$'
	silent 'next_entry=.'
	power_off
	disks_are_sound
}

# A restart that is not arm's own, with a guest on that libvirt-guests saves on the host's encrypted root, where the image can't see it: the host
# disarms itself, by GRUB, by BootNext and by kexec. Then with all guests off, and libvirt's daemon gone to sleep over it: the sweep takes place.
case_saved() {
	begin efi
	keys_from_stick
	must 'echo ON_SHUTDOWN=suspend >> /etc/default/libvirt-guests && sha256sum /dev/host/web /dev/host/vm1 > /root/sums'
	must 'cp /sys/firmware/efi/efivars/BootOrder-* /root/order'
	must 'guestsweep arm --grub'
	says 'guestsweep: 1 guest.s. are on, web: the next restart sweeps only if they are shut down by then'
	must 'systemctl --no-block reboot'
	host_up 400
	not_swept 'guest web is saved with its memory'
	must 'guestsweep arm --efi && systemctl --no-block reboot'
	host_up 400
	not_swept 'guest web is saved with its memory'
	firmware_as_before
	must 'guestsweep arm --kexec && systemctl --no-block kexec'
	host_up 400
	not_swept 'guest web is saved with its memory'
	must 'virsh destroy web && guestsweep arm --grub'
	# shellcheck disable=SC2016 # it is for the host's shell
	must 'for i in $(seq 200); do systemctl -q is-active libvirtd.service || exit 0; sleep 1; done; exit 1'
	must 'systemctl --no-block reboot'
	wait_for 400 "the report" has_runs 1
	host_up 400
	collected repaired
	swept repaired repaired
	power_off
	disks_are_sound
}

# not_swept REASON: the host just came back, said why, and no guest's disk is another
not_swept() {
	grep -aq "NO SWEEP at this restart, what was armed is taken back: $1" "$bed/console" || fault "the console does not say it; see $bed"
	collected failed "took that back as it went down, so there was no sweep: $1"
	! has_runs 1 || fault "there was a sweep"
	must 'sha256sum -c /root/sums'
	must 'cat /sys/kernel/kexec_loaded; grub-editenv list; ls /boot/guestsweep'
	silent '^1$|next_entry=.|armed.cpio'
}

case $1 in
list) say "debian:ways $0 ways"; exit ;;
torture) printf '%s\n' "debian:bios $0 bios" "debian:plans $0 plans" "debian:lvm $0 lvm" "debian:saved $0 saved" "debian:trixie $0 ways trixie"; exit ;;
esac
dir=$beds/run/debian-$1-$host_suite
need_tools "$firmware=ovmf"
debian_base
# Again after an accident of the emulator: a processor of it now and then stands still for a minute.
for attempt in 1 2; do
	rm -rf "$dir"
	mkdir -p "$dir"
	set +e
	(set -e; "case_$1")
	status=$?
	set -e
	if (( status == 0 )) || ! grep -aqsE "$accident_words|BUG: soft lockup" "$dir"/*/console; then break; fi
	say "an accident of the emulator, attempt $attempt"
done
(( status == 0 )) || exit 1
rm -f "$dir"/{host.qcow2,*.img,variables}
