# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh and host.sh
# A pretended host for host.sh: a folder with its files, its programs and its guests.

fault() { say "$*"; exit 1; }
has() { grep -qE -- "$2" "$1" || fault "$1 lacks: $2"$'\n'"$(cat "$1")"; }
lacks() { ! grep -qE -- "$2" "$1" || fault "$1 has: $2"; }

# gs STATUS WORD...: runs the command, which must end so; what it says is in `said`
gs() {
	local want=$1 status=0
	shift
	"$command" "$@" > "$root/said" 2>&1 || status=$?
	(( status == want )) || fault "guestsweep $* ended with $status, not $want:"$'\n'"$(cat "$root/said")"
}

grubenv() {
	local text
	text=$(printf '# GRUB Environment Block\n%s\n#' "$1")
	printf '%s%*s' "$text" $((1024 - ${#text})) '' | sed '$ s/ /#/g' > "$root/boot/grub/grubenv"
}

# guest NAME STATE SOURCE...: a guest with its disks, a volume or an image file each
guest() {
	local name=$1 target=a source
	say "$2" > "$root/guests/$name"
	shift 2
	{
		say "<domain type='kvm'><name>$name</name><metadata><name>not this</name></metadata><devices>"
		for source; do
			case $source in
			/dev/*) say "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='$source'/>" ;;
			*)      say "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='$source'/>"
			        say "<backingStore type='file'><format type='raw'/><source file='/not/this'/></backingStore>" ;;
			esac
			say "<target dev='vd$target' bus='virtio'/></disk>"
			target=b
		done
		say "<disk type='file' device='cdrom'><target dev='sda'/><readonly/></disk></devices></domain>"
	} > "$root/xml/$name"
}

# bed: a host with two guests, one of them on an image file, GRUB on a plain filesystem, installed and configured
bed() {
	local name
	root=$(mktemp -d)
	# shellcheck disable=SC2064 # the folder as it is now
	trap "rm -rf $root" EXIT
	export GUESTSWEEP_ROOT=$root
	cd "$root"
	mkdir -p etc/guestsweep dev/disk/by-{label,uuid} dev/vg proc/self proc/sys/kernel/random sys/kernel usr/{bin,local/lib/guestsweep} \
		boot/{grub,guestsweep} report srv guests xml saved autostart stubborn broken run/systemd/journal var/lib/prometheus/node-exporter
	for name in virsh lvm grub-reboot systemctl sendmail systemd-run guestsweep; do
		ln -s "$here/host/programs" "usr/bin/$name"
		cp --remove-destination "$here/host/programs" "usr/bin/$name"
	done
	truncate -s 1M dev/sda2 dev/sdb1 dev/vg/web dev/vg/srv srv/db.qcow2
	ln -s ../../sdb1 dev/disk/by-label/GSREPORT
	ln -s ../../sda2 dev/disk/by-uuid/1234-ABCD
	say 0123456789abcdef0123456789abcdef > etc/machine-id
	say ID=debian > etc/os-release
	say first-boot > proc/sys/kernel/random/boot_id
	say 'ro quiet console=tty0 console=ttyS1,9600' > proc/cmdline
	printf 'MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n' > proc/meminfo
	say 0 > sys/kernel/kexec_loaded
	printf '%s\n' '1 0 8:1 / / rw - ext4 /dev/sda1 rw' '2 1 8:2 / /boot rw - ext4 /dev/sda2 rw' \
		'3 1 8:17 / /report rw - ext4 /dev/sdb1 rw' '4 1 253:1 / /srv rw - ext4 /dev/vg/srv rw' > proc/self/mountinfo
	say '{"report":[{"lv":[{"vg_name":"vg","lv_name":"web","lv_attr":"-wi-a-----"},
		{"vg_name":"vg","lv_name":"srv","lv_attr":"-wi-ao----"},{"vg_name":"vg","lv_name":"pool","lv_attr":"twi-a-tz--"}]}]}' > lvs.json
	grubenv next_entry=
	say "menuentry --id guestsweep-armed" > boot/grub/grub.cfg
	say kernel > boot/guestsweep/vmlinuz
	say image > boot/guestsweep/initramfs.img
	(cd boot/guestsweep && sha256sum vmlinuz initramfs.img) > usr/local/lib/guestsweep/sums
	guest web running /dev/vg/web
	guest db 'shut off' /srv/db.qcow2
	touch autostart/web
	printf '[sweep]\nmode = check\n[guest web]\ndisk = vg/web\n' > etc/guestsweep/sweep.conf
	"$command" key "$root/host.pub"
	: > calls
}

# report NAME VERDICT: a run on the report filesystem
report() {
	mkdir -p "$root/report/$1"
	jq --arg verdict "$2" '.verdict = $verdict' "$here/selftest/report.json" > "$root/report/$1/report.json"
	say "$1" > "$root/report/last"
}
