#!/bin/bash
# host.sh list | CASE: the host's command, built with sanitizers, on a pretended host below a folder of its own: its programs are
# tests/lib/host/programs, its devices are files. What needs a kernel is the scenarios' to prove.
set -euo pipefail
shopt -s inherit_errexit
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
. "$here/hostbed.sh"
command=${GUESTSWEEP_TEST_COMMAND:-$work/native/unit/guestsweep}

list() {
	local case
	for case in words init init-twice show collect collect-fates preflight preflight-faults arm-grub arm-next arm-refused arm-at arm-efi arm-guests-on \
		kexec-here forged-image disarm going-down going-down-silent armed-unit install; do
		say "host:$case $0 $case"
	done
}

case_words() {
	bed
	gs 0 --help
	has said 'preflight'
	gs 0 --version
	gs 0 arm --help
	gs 64
	gs 64 nonsense
	gs 64 show nonsense
	gs 64 show ../../etc
	gs 64 arm --grub --kexec
	gs 64 arm --now --at 03:00
	gs 64 collect --keep 0
	gs 64 disarm --nonsense
	gs 64 key
}

case_init() {
	bed
	rm etc/guestsweep/*.conf
	printf 'LUKS\xba\xbe' | dd of=dev/vg/web conv=notrunc status=none
	say 'data /dev/vg/srv /root/srv.key luks,discard,x-systemd.automount' > etc/crypttab
	guest odd 'shut off' /dev/vg/gone
	# a guest's disk as libvirt has it where the host encrypts it: the open volume
	truncate -s 1M dev/dm-1 dev/dm-2 dev/dm-3
	mkdir -p dev/mapper sys/block/dm-{2,3}/dm sys/block/dm-2/slaves/dm-1
	ln -s ../dm-1 dev/vg/mail
	ln -s ../dm-2 dev/mapper/mail
	ln -s ../dm-3 dev/mapper/multipath
	say CRYPT-LUKS2-0123-mail > sys/block/dm-2/dm/uuid
	say mpath-0123 > sys/block/dm-3/dm/uuid
	sed -i 's/"lv":\[/&{"vg_name":"vg","lv_name":"mail","lv_attr":"-wi-ao----"},/' lvs.json
	guest mail running /dev/mapper/mail /dev/mapper/multipath
	gs 0 init
	has etc/guestsweep/sweep.conf '^disk      = vg/mail$'
	has etc/guestsweep/sweep.conf '^; to do: guest mail, disk vdb: /dev/mapper/multipath is a mapping of the host'
	has etc/guestsweep/sweep.conf '^disk      = vg/web$'
	has etc/guestsweep/sweep.conf '^disk      = vg/srv:/db.qcow2 qcow2$'
	has etc/guestsweep/sweep.conf '^\[guest db\] ; not started with the host$'
	has etc/guestsweep/sweep.conf '^\[guest web\]$'
	has etc/guestsweep/sweep.conf '^; to do: guest odd, disk vda: /dev/vg/gone is not there$'
	lacks etc/guestsweep/sweep.conf 'not/this|not this'
	has etc/guestsweep/crypttab '^data /dev/vg/srv /root/srv.key luks,discard$'
	has etc/guestsweep/crypttab '^web vg/web keys/web luks,nofail$'
	has said '^to do: vg/web is encrypted: put its key into /etc/guestsweep/keys/web'
	[[ $(stat -c %a etc/guestsweep/keys) == 700 ]]
	# what it wrote, it takes itself
	gs 1 preflight --grub --json
	jq -e 'all(.items[]; .item != "configuration" or .state == "ok")' said > /dev/null || fault "$(cat said)"
}

case_init-twice() {
	bed
	cp etc/guestsweep/sweep.conf before
	gs 4 init
	cmp before etc/guestsweep/sweep.conf
	gs 0 init --force
	lacks etc/guestsweep/sweep.conf '^mode = check$'
}

case_show() {
	bed
	gs 4 show
	has said 'no report yet'
	report 20260101T000000Z clean
	report 20260202T000000Z attention
	gs 1 show
	has said '^guestsweep 0.1.0: attention$'
	lacks said $'\e'
	gs 0 show 20260101T000000Z
	gs 1 show --json
	jq -e '.verdict == "attention"' said > /dev/null
	gs 4 show 20250101T000000Z
	# whoever can write to the report filesystem can't write to the terminal
	jq '.nodes[0].name = "\u001b]0;evil\u0007"' report/20260202T000000Z/report.json > new
	mv new report/20260202T000000Z/report.json
	gs 1 show
	lacks said $'\e'
	has said '\\x1b\]0;evil'
	script -qec "'$command' show 20260101T000000Z" /dev/null > said
	has said $'\e\\[32mclean'
	say '{' > report/20260202T000000Z/report.json
	gs 4 show
	gs 4 status
}

with_journal() {
	"$here/host/listen" "$root/run/systemd/journal/socket" "$root/journal" &
	until [[ -S $root/run/systemd/journal/socket ]]; do sleep 0.02; done
	"$@"
	python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.sendto(b"END", sys.argv[1])' \
		"$root/run/systemd/journal/socket"
	wait
	rm "$root/run/systemd/journal/socket"
}

case_collect() {
	local i
	bed
	gs 0 collect
	has said 'no new report'
	report 20260101T000000Z uncorrected
	say 'shut off' > guests/web
	mkdir -p var/lib/guestsweep
	say web > var/lib/guestsweep/guests
	with_journal gs 2 collect
	[[ $(<guests/web) == running ]] || fault "web was not started again"
	[[ ! -e var/lib/guestsweep/guests ]]
	jq -e -s 'length == 2 and .[0].GUESTSWEEP_VERDICT == "uncorrected" and .[0].GUESTSWEEP_REPAIRED == "1" and .[0].PRIORITY == "3"
		and .[0].SYSLOG_IDENTIFIER == "guestsweep" and .[0].GUESTSWEEP_RUN == "20260101T000000Z" and (.[0].MESSAGE_ID | length == 32)
		and .[1].GUESTSWEEP_CODE == "no-key"' journal > /dev/null || fault "$(cat journal)"
	has mail '^Subject: guestsweep on .*: uncorrected$'
	has mail '^To: root$'
	has mail 'lvg2/hd0'
	has var/lib/prometheus/node-exporter/guestsweep.prom '^guestsweep_verdict 2$'
	has var/lib/prometheus/node-exporter/guestsweep.prom '^guestsweep_filesystems\{verdict="repaired"\} 1$'
	rm mail
	gs 0 collect
	[[ ! -e mail ]] || fault "the same report was sent twice"
	for i in 1 2 3 4 5; do report "2026020${i}T000000Z" clean; done
	gs 0 collect --keep 2 --mail admin@example.org
	has mail '^To: admin@example.org$'
	[[ $(cd report && echo 2*) == "20260204T000000Z 20260205T000000Z" ]] || fault "kept: $(ls report)"
	# a clock that went wrong: the newest report has the oldest name, and is news, shown, and not thinned out
	report 20000101T000000Z attention
	gs 1 collect --keep 2
	has said 'sweep 20000101T000000Z: attention'
	gs 0 collect --keep 2
	has said 'no new report'
	[[ $(cd report && echo 2*) == "20000101T000000Z 20260205T000000Z" ]] || fault "kept: $(ls report)"
	gs 1 show
	has said '^guestsweep 0.1.0: attention$'
	report 20260301T000000Z clean
	gs 0 collect --keep 1
	# one that can't be started again is news, and stays in the list
	say 'shut off' > guests/web
	say web > var/lib/guestsweep/guests
	sed -i 's/"start -- ".*/"start -- "*) return 1 ;;/; s/^virsh)  *virsh "$@"/virsh) virsh "$@" || exit 1/' usr/bin/virsh
	gs 1 collect
	has var/lib/guestsweep/guests '^web$'
	# nor is one forgotten while libvirt does not answer
	touch broken/virsh
	gs 1 collect
	has var/lib/guestsweep/guests '^web$'
}

# restarted: the host as it is after a boot
restarted() { say another-boot > "$root/proc/sys/kernel/random/boot_id"; }

case_collect-fates() {
	bed
	gs 0 arm --grub
	gs 0 collect
	has said 'no new report'
	gs 0 status
	has said '^armed: +for the next boot'
	restarted
	gs 3 collect
	has said 'restarted without a sweep; the boot entry was not taken'
	[[ ! -e report/guestsweep.plan && ! -e boot/guestsweep/armed.cpio ]] || fault "still armed"
	gs 0 status
	has said '^armed: +nothing'
	gs 0 arm --grub
	say 'the plan is forged' > report/guestsweep.plan.refused
	say third-boot > proc/sys/kernel/random/boot_id
	gs 3 collect
	has said 'without a sweep: the plan is forged'
	gs 0 arm --grub
	mv report/guestsweep.plan report/guestsweep.plan.used
	gs 3 collect
	has said 'began and left no report'
	gs 0 arm --grub
	mv report/guestsweep.plan report/guestsweep.plan.used
	report 20260101T000000Z repaired
	gs 0 collect
	[[ ! -e report/guestsweep.plan.used && ! -e var/lib/guestsweep/armed ]] || fault "the plan was left"
	gs 0 arm --grub
	rm report/guestsweep.plan
	gs 3 collect
	has said 'plan is gone'
}

case_preflight() {
	bed
	gs 0 preflight --grub
	lacks said '^(warn|fail)'
	has said '^ok +guests +1 are on'
	gs 0 preflight --json --grub
	jq -e '.state == "ok" and .way == "grub" and (.items | length > 6)' said > /dev/null
	touch saved/db
	gs 1 preflight --grub
	has said '^fail +db +its memory is saved'
	printf '[guest db]\ndisk = vg/srv:/db.qcow2 qcow2\nsaved = yes\n' >> etc/guestsweep/sweep.conf
	gs 0 preflight --grub
	has said '^warn +db +its memory is saved'
}

# fails WAY PATTERN: preflight must fail on just that
fails() {
	gs 1 preflight "--$1"
	[[ $(grep -c ^fail said) == 1 ]] || fault "more than one fails, or none:"$'\n'"$(cat said)"
	has said "^fail +$2"
}

case_preflight-faults() {
	bed
	say x >> boot/guestsweep/initramfs.img
	fails grub 'image +.*is not what was installed'
	say image > boot/guestsweep/initramfs.img
	mkdir -p sys/dev/block/8:2/dm
	say LVM-abc > sys/dev/block/8:2/dm/uuid
	fails grub 'GRUB +/boot/grub/grubenv lies on LVM'
	rm -r sys/dev
	mkdir -p sys/dev/block/8:2/md
	fails grub 'GRUB +.* lies on RAID'
	rm -r sys/dev
	sed -i 's/ext4 .dev.sda2/btrfs \/dev\/sda2/' proc/self/mountinfo
	fails grub 'GRUB +.* lies on btrfs'
	sed -i 's/btrfs .dev.sda2/ext4 \/dev\/sda2/' proc/self/mountinfo
	mv boot/grub/grub.cfg .
	fails grub 'GRUB +.*no entry'
	mv grub.cfg boot/grub/
	mv dev/vg/web .
	fails grub 'web +sweep.conf: vg/web is on no disk'
	mv web dev/vg/
	say 'nonsense = 1' >> etc/guestsweep/sweep.conf
	fails grub 'configuration +sweep.conf:5'
	sed -i '$d' etc/guestsweep/sweep.conf
	ln -s /etc/shadow etc/guestsweep/keys
	fails grub 'configuration +.*/etc/guestsweep/keys is neither a file nor a folder'
	rm etc/guestsweep/keys
	rm dev/disk/by-label/GSREPORT
	fails grub 'report filesystem +.*LABEL=GSREPORT is on no disk'
	ln -s ../../sdb1 dev/disk/by-label/GSREPORT
	sed -i 's/report rw/report ro/' proc/self/mountinfo
	fails grub 'report filesystem +.*read-only'
	sed -i 's/report ro/report rw/' proc/self/mountinfo
	mkdir -p sys/kernel/security
	say 'none [integrity] confidentiality' > sys/kernel/security/lockdown
	gs 0 preflight --grub
	say ID=fedora > etc/os-release
	fails grub 'Secure Boot'
	rm sys/kernel/security/lockdown
	mkdir -p sys/class/watchdog/watchdog0/device/driver sys/module/iTCO_wdt
	ln -s ../../../../../module/iTCO_wdt sys/class/watchdog/watchdog0/device/driver/module
	printf '%s\n' '' softdog i6300esb > usr/local/lib/guestsweep/modules
	fails grub 'watchdog +the image has no driver iTCO_wdt'
	say iTCO_wdt >> usr/local/lib/guestsweep/modules
	gs 0 preflight --grub
	fails efi 'EFI +this host was not booted by UEFI'
	say 1 > proc/sys/kernel/kexec_load_disabled
	fails kexec 'kexec +kernel.kexec_load_disabled'
}

case_arm-grub() {
	local plan=report/guestsweep.plan
	bed
	printf 'LUKS' > etc/guestsweep/not-a-key
	gs 0 arm --grub --now
	[[ $(<guests/web) == "shut off" ]] || fault "web is still on"
	has var/lib/guestsweep/guests '^web$'
	has boot/grub/grubenv '^next_entry=guestsweep>guestsweep-armed'
	has calls '^systemctl --no-block reboot$'
	has $plan '^host = 0123456789abcdef0123456789abcdef$'
	has $plan '^way = grub$'
	has $plan '^grubenv = UUID=1234-ABCD:/grub/grubenv$'
	has $plan "^image = $(sha256sum < boot/guestsweep/initramfs.img | cut -d ' ' -f 1)\$"
	has $plan '^signature = [0-9a-f]{128}$'
	mkdir handed
	(cd handed && cpio --quiet -idm < ../boot/guestsweep/armed.cpio)
	cmp handed/etc/guestsweep/plan $plan
	cmp handed/etc/guestsweep/sweep.conf etc/guestsweep/sweep.conf
	cmp handed/etc/guestsweep/not-a-key etc/guestsweep/not-a-key
	[[ ! -e handed/etc/guestsweep/host.key ]] || fault "the host's key was handed over"
	[[ $(stat -c %s handed/etc/guestsweep/plan.salt) == 32 ]]
	[[ $(stat -c %a boot/guestsweep/armed.cpio) == 600 ]]
	has $plan '^next = $'
	# no two plans alike
	cp $plan first
	gs 0 arm --grub
	! cmp -s first $plan || fault "the same token twice"
}

# after = kexec: the plan names the host's own kernel, with the words of this boot.
case_arm-next() {
	bed
	sed -i 's/^mode = check/after = kexec/' etc/guestsweep/sweep.conf
	say 'BOOT_IMAGE=/vmlinuz-x root=/dev/vg/root ro console=tty0' > proc/cmdline
	gs 0 arm --grub
	has said 'after = kexec: there is no kernel'
	has report/guestsweep.plan '^next = $'
	touch "boot/vmlinuz-$(uname -r)" "boot/initrd-$(uname -r)"
	gs 0 arm --grub
	grep -qxF "next = UUID=1234-ABCD:/vmlinuz-$(uname -r) /initrd-$(uname -r) root=/dev/vg/root ro console=tty0" report/guestsweep.plan ||
		fault "$(cat report/guestsweep.plan)"
}

# Nothing is armed, and nothing was done to a guest.
unarmed() {
	[[ ! -e report/guestsweep.plan && ! -e boot/guestsweep/armed.cpio && ! -e var/lib/guestsweep/armed ]] || fault "something is armed"
	has boot/grub/grubenv '^next_entry=#*$|^#*$'
	[[ $(<guests/web) == running ]] || fault "web is off"
	lacks calls '^systemctl --no-block'
}

case_arm-refused() {
	bed
	mv dev/vg/web .
	gs 1 arm --grub --now
	has said 'fail: web: sweep.conf: vg/web is on no disk'
	unarmed
	mv web dev/vg/
	touch broken/grub-reboot
	gs 4 arm --grub --now
	has said 'grub-reboot is broken here'
	unarmed
	rm broken/grub-reboot
	touch broken/systemctl
	gs 4 arm --grub --now
	sed -i /^systemctl/d calls
	unarmed
}

case_arm-at() {
	bed
	gs 0 arm --grub --at 'Sat 03:00'
	has calls '^systemd-run --unit=guestsweep-arm --collect --on-calendar=Sat 03:00 .*/usr/bin/guestsweep arm --grub --now$'
	unarmed
}

case_arm-efi() {
	local variables=sys/firmware/efi/efivars global=8be4df61-93ca-11d2-aa0d-00e098032b8c
	bed
	mkdir -p $variables boot/efi/EFI/guestsweep sys/dev/block/8:3 dev/disk/by-partuuid
	touch boot/efi/EFI/guestsweep/initramfs.img dev/sda3
	ln -s ../../sda3 dev/disk/by-partuuid/12345678-9abc-def0-1122-334455667788
	say 3 > sys/dev/block/8:3/partition
	say 2048 > sys/dev/block/8:3/start
	say 4096 > sys/dev/block/8:3/size
	say '9 1 8:3 / /boot/efi rw,relatime shared:1 - vfat /dev/sda3 rw' >> proc/self/mountinfo
	printf '\7\0\0\0\1\0\0\0\4\0d\0\0\0' > $variables/Boot0000-$global
	gs 0 arm --efi
	printf '\7\0\0\0\1\0' | cmp - $variables/BootNext-$global
	tr -d '\0' < $variables/Boot0001-$global | grep -aqF 'initrd=\EFI\guestsweep\armed.cpio console=tty0 console=ttyS1,9600' || fault "no arguments"
	has report/guestsweep.plan '^way = efi$'
	has report/guestsweep.plan '^grubenv = $'
	cpio --quiet -it < boot/efi/EFI/guestsweep/armed.cpio | grep -qx etc/guestsweep/plan
	# once more: the same boot option, not another one
	gs 0 arm --efi
	[[ ! -e $variables/Boot0002-$global ]] || fault "a second boot option"
	gs 0 disarm
	[[ $(ls $variables) == Boot0000-$global && ! -e boot/efi/EFI/guestsweep/armed.cpio ]] || fault "left: $(ls $variables)"
	printf '\6\0\0\0\1' > $variables/SecureBoot-$global
	fails efi 'EFI +with Secure Boot'
}

# Below a test's root no kernel is loaded; all before that is done, and taken back.
case_kexec-here() {
	bed
	gs 4 arm --kexec --now
	has said 'kexec: not below GUESTSWEEP_ROOT'
	unarmed
}

case_forged-image() {
	bed
	say evil > boot/guestsweep/vmlinuz
	gs 1 arm --kexec
	has said 'is not what was installed: damaged, or somebody changed it'
	unarmed
}

case_disarm() {
	bed
	gs 0 disarm
	gs 0 arm --grub --now
	sed -i /^systemctl/d calls
	gs 0 disarm
	has calls '^systemctl stop guestsweep-arm.timer$'
	unarmed
	gs 0 status
	has said '^last sweep: never'
	# somebody else's choice stays
	grubenv next_entry=memtest
	gs 0 disarm
	has boot/grub/grubenv '^next_entry=memtest'
}

# going_down: the host as it goes down, when libvirt-guests has stopped
going_down() {
	gs 0 disarm --unless-guests-off
	lacks calls '^virsh .* (start|shutdown) '
}

# stays_armed: and the next boot is that of the image
stays_armed() {
	[[ -e report/guestsweep.plan && -e boot/guestsweep/armed.cpio && -e var/lib/guestsweep/armed && ! -e var/lib/guestsweep/disarmed ]] ||
		fault "it is not armed any more: $(cat said)"
	has boot/grub/grubenv '^next_entry=guestsweep>guestsweep-armed'
}

# taken_back REASON: nothing is armed, and after the boot everybody knows why
taken_back() {
	has said "NO SWEEP at this restart, what was armed is taken back: $1"
	[[ ! -e report/guestsweep.plan && ! -e boot/guestsweep/armed.cpio && ! -e var/lib/guestsweep/armed ]] || fault "something is armed"
	has boot/grub/grubenv '^next_entry=#*$|^#*$'
	restarted
	gs 0 status
	has said "^armed: +nothing\$"
	has said "taken back as the host went down, not collected yet: $1"
	with_journal gs 3 collect
	has said "took that back as it went down, so there was no sweep: $1"
	jq -e -s 'length == 1 and .[0].GUESTSWEEP_VERDICT == "failed" and .[0].PRIORITY == "3" and (.[0].MESSAGE | contains("no sweep"))' journal \
		> /dev/null || fault "$(cat journal)"
	gs 0 collect
	has said 'no new report'
}

case_arm-guests-on() {
	bed
	gs 0 arm --grub
	has said '^guestsweep: 1 guest.s. are on, web: the next restart sweeps only if they are shut down by then'
	has calls '^systemctl start guestsweep-armed.service$'
	say 'shut off' > guests/web
	gs 0 arm --grub
	lacks said 'are on'
}

case_going-down() {
	bed
	going_down
	[[ ! -s said && ! -s calls ]] || fault "nothing is armed, and it does: $(cat said calls)"
	gs 0 arm --grub
	going_down
	taken_back 'guest web is on$'
	say paused > guests/web
	gs 0 arm --grub
	going_down
	taken_back 'guest web is on$'
	# what libvirt-guests does
	gs 0 arm --grub
	say 'shut off' > guests/web
	touch saved/web
	going_down
	taken_back 'guest web is saved with its memory$'
	# a save that the sweep knows of
	sed -i '/^.guest web/a saved = yes' etc/guestsweep/sweep.conf
	gs 0 arm --grub
	going_down
	stays_armed
	rm saved/web
	going_down
	stays_armed
	# what is armed anew has forgotten what was before
	say 'long ago' > var/lib/guestsweep/disarmed
	gs 0 arm --grub
	[[ ! -e var/lib/guestsweep/disarmed ]]
	# the night: arm has shut the guests down itself, and they come back
	say running > guests/web
	gs 0 arm --grub --now
	gs 0 disarm --unless-guests-off
	stays_armed
	touch saved/db
	gs 0 disarm --unless-guests-off
	taken_back 'guest db is saved with its memory$'
	[[ $(<guests/web) == running ]] || fault "web was not started again"
}

# libvirt can't be asked.
case_going-down-silent() {
	local folder=var/lib/libvirt/qemu/save
	bed
	say 'shut off' > guests/web
	gs 0 arm --grub
	touch broken/virsh
	# it should answer
	printf 'active\ninactive\n' > libvirtd
	mkdir -p $folder run/libvirt/qemu
	going_down
	taken_back 'libvirt does not answer: virsh: '
	rearmed
	printf 'failed\ninactive\n' > libvirtd
	going_down
	taken_back 'libvirt does not answer: '
	# it has ended because nobody needed it: its folders know
	printf 'inactive\ninactive\n' > libvirtd
	rearmed
	going_down
	stays_armed
	touch run/libvirt/qemu/{driver.pid,web.pid,web.xml}
	going_down
	taken_back 'guest web is on$'
	rm run/libvirt/qemu/*
	rearmed
	touch $folder/db.save
	going_down
	taken_back 'guest db is saved with its memory$'
	# not where its folders are
	rm -r var/lib/libvirt
	rearmed
	going_down
	taken_back 'libvirt does not answer: '
	# a report filesystem that is gone: what leads into the image is taken back all the same
	rearmed
	rm dev/disk/by-label/GSREPORT
	going_down
	has said 'the plan is still on the report filesystem'
	[[ ! -e boot/guestsweep/armed.cpio ]] || fault "still armed"
	has boot/grub/grubenv '^next_entry=#*$|^#*$'
	ln -s ../../sdb1 dev/disk/by-label/GSREPORT
	# no libvirt at all
	rm usr/bin/virsh
	gs 0 arm --grub
	going_down
	stays_armed
}

rearmed() {
	mv broken/virsh .
	gs 0 arm --grub
	mv virsh broken/
}

# As systemd itself reads the unit.
case_armed-unit() {
	local unit=guestsweep-armed.service
	[[ $(type -P systemd-analyze) ]] || { say "there is no systemd-analyze here"; exit 77; }
	bed
	sed "s|/usr/local/sbin/guestsweep|$command|" "$top/configs/host/$unit" > $unit
	systemd-analyze verify --man=no ./$unit > said 2>&1 || fault "$(cat said)"
	[[ ! -s said ]] || fault "$(cat said)"
	has $unit '^Before=.*libvirt-guests.service'
	has $unit '^After=.*libvirtd.service.*virtqemud.service'
}

# files: all that is below the root, with their sums, but what the test itself makes
files() { (cd "$root" && find . -type f ! -name calls ! -name said ! -name grubenv ! -name 'files.*' -exec sha256sum {} + | sort -k 2; find . -type d -o -type l | sort); }

# What install puts there works, and uninstall leaves nothing of it.
case_install() {
	local grub=$here/host/grub-mkconfig_lib
	bed
	rm -r boot/guestsweep usr/local etc/guestsweep host.pub
	mkdir -p etc/grub.d usr/share/grub run/systemd/system boot/efi/loader/entries boot/efi/EFI/systemd sys/firmware/efi proc/self
	say '9 1 8:3 / /boot/efi rw,relatime shared:1 - vfat /dev/sda3 rw' >> proc/self/mountinfo
	ln -s "$here/host/programs" usr/bin/grub-mkconfig
	files > files.before
	"$top/build.sh" install > said 2>&1 || fault "$(cat said)"
	has calls "^grub-mkconfig -o $root/boot/grub/grub.cfg$"
	has calls '^systemctl daemon-reload$'
	[[ $(stat -c %a etc/guestsweep/host.key) == 600 && $(stat -c %s etc/guestsweep/host.key) == 32 ]] || fault "no key"
	(cd boot/guestsweep && sha256sum --status -c ../../usr/local/lib/guestsweep/sums)
	cmp boot/guestsweep/initramfs.img boot/efi/EFI/guestsweep/initramfs.img
	has usr/local/lib/guestsweep/modules '^iTCO_wdt$'
	[[ $(readlink etc/systemd/system/multi-user.target.wants/guestsweep-armed.service) == /usr/local/lib/systemd/system/guestsweep-armed.service ]]
	has boot/efi/loader/entries/guestsweep-shell.conf '^options +console=tty0 console=ttyS1,9600 panic=10 .*guestsweep.after=shell$'
	! readelf -d usr/local/sbin/guestsweep | grep -q NEEDED || fault "not static"
	# the image has the public half behind it
	tail -c +"$(($(stat -c %s "$image") + 1))" boot/guestsweep/initramfs.img | cpio --quiet -i --to-stdout etc/guestsweep/host.pub > host.pub
	"$command" key "$root/again.pub"
	cmp host.pub again.pub
	rm again.pub
	pkgdatadir=$here/host sh -c ". $grub; sed 's|/boot/guestsweep|$root/boot/guestsweep|' etc/grub.d/42_guestsweep > entry; . ./entry" > said ||
		fault "$(cat said)"
	rm entry
	has said '^.linux /guestsweep/vmlinuz console=ttyS0 panic=10 init_on_free=1 guestsweep.mode=check$|linux /guestsweep/vmlinuz console=ttyS0 .*mode=check$'
	# with GRUB's password set, only what runs unattended goes without it
	[[ $(grep -c -- ' --unrestricted --id guestsweep' said) == 2 && $(grep -c -- ' --id ' said) == 5 ]] || fault "$(cat said)"
	has said 'initrd /guestsweep/initramfs.img /guestsweep/armed.cpio; then$'
	[[ $(grep -c '{$' said) == $(grep -c '^.*}$' said) ]] || fault "$(cat said)"
	# the same key, and nothing twice, when it is installed once more
	cp etc/guestsweep/host.key key
	"$top/build.sh" install > said 2>&1
	cmp key etc/guestsweep/host.key
	rm key host.pub
	[[ -z $(sort usr/local/lib/guestsweep/installed | uniq -d) ]]
	# what was installed is what the command finds
	printf '[sweep]\nmode = check\n' > etc/guestsweep/sweep.conf
	say guestsweep-armed > boot/grub/grub.cfg
	"$root/usr/local/sbin/guestsweep" preflight --grub > said || fault "$(cat said)"
	"$root/usr/local/sbin/guestsweep" arm --grub > said
	rm etc/guestsweep/sweep.conf boot/grub/grub.cfg
	say "menuentry --id guestsweep-armed" > boot/grub/grub.cfg
	rmdir var/lib/guestsweep 2> /dev/null || true
	"$top/build.sh" uninstall > said 2>&1 || fault "$(cat said)"
	files | diff files.before - || fault "uninstall left something"
	"$top/build.sh" uninstall > said
	has said 'is not installed'
}

# made: the command, brought up to date by one at a time
made() {
	[[ ${GUESTSWEEP_TEST_COMMAND:-} ]] || flock "$work/native.lock" make -s -C "$top/tools" -j "$(nproc)" OUT="$work/native" "$command"
}

if [[ $1 == list ]]; then list; else made; "case_$1"; fi
