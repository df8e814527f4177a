# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# The virtual machine. Its channels: `console` (first serial port), `results` (second), `events` and `orders` (QEMU's own, QMP), `qemu.log`.

# The emulated processor lacks what makes it slow: copies that count as quick byte by byte, a fifth level of page tables, checks of user access.
processor=max,erms=off,la57=off,smap=off,smep=off
# The kernel's tests of its own ciphers take an emulated processor a quarter of all that a start takes. And it waits some milliseconds for its timer,
# and panics without it: on a loaded machine that comes later. (KVM's guests go without that check by themselves.)
kernel_words='console=ttyS0 panic=-1 quiet cryptomgr.notests no_timer_check'

# accelerator: kvm where a trial boot proves it, else emulation. /dev/kvm may open and then hang or crash the guest.
accelerator() {
	local cache=$beds/accelerator boot_id how=tcg,thread=multi dir
	boot_id=$(</proc/sys/kernel/random/boot_id)
	if ! stamped "$cache.stamp" "$boot_id"; then
		mkdir -p "$beds"
		dir=$(mktemp -d "$beds/trial.XXXXXX")
		if [[ -w /dev/kvm && $(boot_with kvm "$dir" 15 rdinit=/fixture/trial "$fixture_image") == reboot ]]; then
			how=kvm
		fi
		rm -rf "$dir"
		replace "$cache" <<< "$how"
		replace "$cache.stamp" <<< "$boot_id"
	fi
	cat "$cache"
}

# machine DIR SECONDS WORDS IMAGE [QEMU WORD...]: boots, waits for the end, prints how it ended:
# reboot, poweroff, watchdog, cut (by an order to QEMU), timeout, accident, or qemu (see DIR/qemu.log). $memory, $processors, $console, $person
# (the script of person.sh) and $second_console may be set by the caller. One processor is the rule: emulated ones wait for one another by
# spinning, which costs a third more time where the machine has no more of its own than it runs machines.
machine() { boot_with "$(accelerator)" "$@"; }

# accident DIR ACCELERATOR: did the emulator break the kernel? Emulated processors side by side now and then run an int3 that the kernel
# has already patched away (jump labels): the kernel dies of "Oops: int3". On a loaded machine the timer comes so late at the start that a
# kernel without no_timer_check (the image's, where a boot loader starts it) finds none. No fault of ours can look so; the caller boots again.
accident_words="Oops: int3:|IO-APIC \\+ timer doesn't work"
accident() { [[ $2 != kvm && -f $1/console ]] && grep -aqE "$accident_words" "$1/console"; }

# take_orders DIR: what is written to DIR/orders from now on goes to QEMU; leaves it open as $orders
take_orders() {
	rm -f "$1/orders"
	mkfifo "$1/orders"
	exec {orders}<> "$1/orders"
	say '{"execute":"qmp_capabilities"}' >&"$orders"
}

# to_its_end DIR ACCELERATOR SECONDS QEMU-WORD...: a machine that has taken orders; prints how it ended
to_its_end() {
	local dir=$1 accel=$2 limit=$3 status=0
	shift 3
	timeout -k 5 "$limit" qemu-system-x86_64 -accel "$accel" -cpu "$processor" -nodefaults -no-user-config -no-reboot -display none \
		-qmp stdio "$@" <&"$orders" > "$dir/events" 2> "$dir/qemu.log" || status=$?
	exec {orders}>&-
	if [[ $status == 0 ]] && accident "$dir" "$accel"; then say accident; else how_it_ended "$status" "$dir/events"; fi
}

boot_with() {
	local accel=$1 dir=$2 limit=$3 words=$4 initrd=$5 screen=file:$2/console acting=
	shift 5
	: > "$dir/results"
	take_orders "$dir"
	if [[ ${person:-} ]]; then
		screen=pipe:$dir/console
		person_sits "$dir" console
		if [[ ${second_console:-} == yes ]]; then
			person_sits "$dir" console2
			set -- "$@" -serial "pipe:$dir/console2"
			words+=' console=ttyS2'
		fi
		person_acts "$dir" "$person" > /dev/null &
		acting=$!
	fi
	to_its_end "$dir" "$accel" "$limit" -smp "${processors:-1}" -m "${memory:-512}" -serial "${console:-$screen}" -serial "file:$dir/results" \
		-kernel "$kernel" -initrd "$initrd" -append "$kernel_words $words" "$@"
	if [[ $acting ]]; then
		kill "$acting" 2> /dev/null || true
		wait "$acting" || true
	fi
}

how_it_ended() {
	case $1 in
	0) ;;
	124 | 137) say timeout; return ;;
	*) say qemu; return ;;
	esac
	jq -rs '[.[] | select(.event)] as $e |
		if   any($e[]; .event == "WATCHDOG") then "watchdog"
		elif any($e[]; .event == "SHUTDOWN" and .data.reason == "guest-reset") then "reboot"
		elif any($e[]; .event == "SHUTDOWN" and .data.reason == "guest-shutdown") then "poweroff"
		elif any($e[]; .event == "SHUTDOWN" and .data.reason == "host-qmp-quit") then "cut"
		else "qemu" end' "$2"
}

# drive ID FILE FORMAT: the words for a disk's content; a device names it by drive=ID
drive() { printf -- '-drive\nif=none,id=%s,file=%s,format=%s,cache=unsafe,discard=unmap,detect-zeroes=unmap\n' "$1" "$2" "$3"; }
