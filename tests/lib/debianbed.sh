# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh and debian.sh
# A real Debian host in a virtual machine, for debian.sh: how it is started, and how it is spoken to.

boots=0 asked=0 ups=0 machine=''
firmware=/usr/share/OVMF/OVMF_CODE_4M.fd
variables=/usr/share/OVMF/OVMF_VARS_4M.fd

fault() { say "$*"; exit 1; }

# Channels: `console` (never read by a test), `events` and `orders` (QMP), `agent` (tests/debian/rootfs/usr/local/sbin/test-agent), and the
# report filesystem, which is a disk of its own that can be looked into at any time.

# power_on [QEMU WORD...]: the host $dir/host.qcow2, started by $platform (bios, efi), on the Saturday before a first Sunday, an hour
# later each time
power_on() {
	local words=()
	boots=$((boots + 1))
	bed=$dir/$boots asked=0 ups=0 resets=0
	rm -rf "$bed"
	mkdir -p "$bed"
	mkfifo "$bed/agent.in"
	ln -s agent "$bed/agent.out"
	: > "$bed/agent"
	exec {agent}<> "$bed/agent.in"
	take_orders "$bed"
	accel=$(accelerator)
	[[ $platform == bios ]] || words+=(-drive "if=pflash,format=raw,readonly=on,file=$firmware"
		-drive "if=pflash,format=raw,file=$dir/variables")
	mapfile -t -O "${#words[@]}" words < <(
		drive host "$dir/host.qcow2" qcow2
		drive report "$dir/report.img" raw
		drive stick "$dir/stick.img" raw)
	timeout -k 5 1500 qemu-system-x86_64 -accel "$accel" -cpu "$processor" -smp "${processors:-1}" -m 1024 -nodefaults -no-user-config -display none \
		-serial "file:$bed/console" -qmp stdio "${words[@]}" -device virtio-blk-pci,drive=host,serial=host,bootindex=1 \
		-device virtio-blk-pci,drive=report,serial=report -device virtio-blk-pci,drive=stick,serial=stick \
		-device virtio-serial-pci -chardev "pipe,id=agent,path=$bed/agent" -device virtserialport,chardev=agent,name=agent \
		-rtc base="$(date -u -d "@$((1796472000 + boots * 3600))" +%FT%T)" "$@" <&"$orders" > "$bed/events" 2> "$bed/qemu.log" &
	machine=$!
	trap '[[ ! $machine ]] || kill "$machine" 2> /dev/null || true' EXIT
}

last_words() { tail -n 15 "$bed/console" | tr -d '\r' | cat -v; }
is_running() { kill -0 "$machine" 2> /dev/null; }

# wait_for SECONDS WHAT CONDITION...: until the condition holds, and no longer than that. $dir/steps has when it began, and how long it took.
wait_for() {
	local begin=$SECONDS end=$((SECONDS + $1)) what=$2 pause=0.1
	shift 2
	until "$@"; do
		(( SECONDS < end )) || fault "waited in vain for: $what; see $bed, where the console ends with"$'\n'"$(last_words)"
		! accident "$bed" "$accel" || fault "an accident of the emulator, before: $what"
		is_running || "$@" || fault "the machine ended before: $what; see $bed"
		sleep "$pause"
		# what takes long is asked for less often: the machine needs the processor
		(( SECONDS < begin + 3 )) || pause=0.5
	done
	printf '%5d %4d s  %s\n' "$begin" $((SECONDS - begin)) "$what" >> "$dir/steps"
}

# power_cut: at once, whatever the machine is doing
power_cut() {
	say '{"execute":"quit"}' >&"$orders"
	wait_for 30 "the power cut" eval '! is_running'
	ended
}

ended() {
	wait "$machine" || true
	machine=
	exec {orders}>&- {agent}>&-
}

events() { jq -c --arg name "$1" 'select(.event == $name)' "$bed/events" 2> /dev/null | wc -l; }

is_up() { (( $(grep -ac '^up ' "$bed/agent") > ups )); }
is_answered() { grep -aq "^done $asked " "$bed/agent"; }

# host_up SECONDS: the host's next boot has come to its end
host_up() {
	wait_for "$1" "the host is up" is_up
	ups=$(grep -ac '^up ' "$bed/agent")
	on_host 'systemctl is-system-running --wait; systemctl list-jobs' || true
}

# on_host COMMAND: on the host; its status, and what it says in $dir/said
on_host() {
	asked=$((asked + 1))
	say "$asked $(base64 -w 0 <<< "$1")" >&"$agent"
	wait_for 600 "an answer to: $1" is_answered
	grep -a "^done $asked " "$bed/agent" | cut -d ' ' -f 4 | base64 -d > "$dir/said"
	return "$(grep -a "^done $asked " "$bed/agent" | cut -d ' ' -f 3)"
}

# must COMMAND: it has to work there
must() { on_host "$1" || fault "on the host this ends with $?: $1"$'\n'"$(cat "$dir/said")"; }
# ends STATUS COMMAND
ends() {
	local status=0
	on_host "$2" || status=$?
	(( status == $1 )) || fault "on the host this ends with $status, not $1: $2"$'\n'"$(cat "$dir/said")"
}
says() { grep -qE -- "$1" "$dir/said" || fault "this is not said: $1"$'\n'"$(cat "$dir/said")"; }
silent() { ! grep -qE -- "$1" "$dir/said" || fault "this is said: $1"$'\n'"$(cat "$dir/said")"; }

# power_off: as an admin does it
power_off() {
	on_host 'systemctl --no-block poweroff' || true
	wait_for 120 "the host goes off" eval '! is_running'
	ended
}

# ---- the report filesystem, from outside ----

on_report() { debugfs -R "$1" "$dir/report.img" 2> /dev/null; }
report_has() { on_report "stat $1" | grep -q '^Inode:'; }
runs() { on_report 'ls -p /' | cut -d / -f 6 | grep -xE '[0-9]{8}T[0-9]{6}Z' | sort; }
# report: the newest, as JSON in $dir/report.json
report() { on_report "cat /$(runs | tail -n 1)/report.json" > "$dir/report.json"; }
holds() { jq -e "$1" "$dir/report.json" > /dev/null || fault "this does not hold of the report: $1"$'\n'"$(cat "$dir/report.json")"; }

# disks_are_sound: the host's own filesystems, looked at from another machine while it is off
disks_are_sound() {
	local look=$dir/inspect end=accident words
	rm -rf "$look"
	mkdir -p "$look/root/fixture/input/keys"
	debian_keys "$look/root/fixture/input/keys"
	install -m 755 "$debian/inspect" "$look/root/fixture/inspect"
	archive "$look/root" > "$look/work.cpio"
	join_images "$fixture_image" "$look/work.cpio" > "$look/image"
	mapfile -t words < <(drive host "$dir/host.qcow2" qcow2)
	while [[ $end == accident ]]; do
		end=$(machine "$look" 180 rdinit=/fixture/inspect "$look/image" "${words[@]}" -device virtio-blk-pci,drive=host,serial=host)
	done
	rm -rf "$look/image" "$look/root"
	grep -aqx $'inspected 0\r*' "$look/results" || fault "the host's disks are not sound ($end):"$'\n'"$(tail -n 40 "$look/results")"
	e2fsck -fn "$dir/report.img" > "$dir/report.log" 2>&1 || fault "the report filesystem is not sound:"$'\n'"$(cat "$dir/report.log")"
}
