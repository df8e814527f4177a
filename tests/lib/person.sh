# shellcheck shell=bash
# A person beside the machine, at its console, its power and its cables (QMP).
#
# `person` in a scenario's folder, a line each, done in turn; # starts a comment:
#   shown TEXT    waits until the console shows TEXT, after what was typed last
#   type LINE     waits for the shell's prompt there, then types LINE
#   told LINE     waits until the machine has written LINE to its second serial port
#   answer TEXT   types TEXT (escapes as in printf's %b) and Enter, at once; answer2: at the second console (`second-console=yes`)
#   remembers TEXT, forgot TEXT  the machine's memory has, has not, TEXT in it
#   hidden TEXT   the console must not have shown TEXT
#   happened NAME waits for the next event NAME of QEMU's
#   order JSON    gives QEMU a command; @DIR@ in it is the folder with the disks' overlays

patience=150                            # seconds for each wait
prompt='guestsweep:~# '                 # by rootfs/etc/profile

# person_sits DIR CONSOLE: makes the console one that can be typed at
person_sits() {
	rm -f "$1/$2".{in,out}
	mkfifo "$1/$2.in"
	ln -s "$2" "$1/$2.out"
	: > "$1/$2"
}

# person_acts DIR SCRIPT: does what it says. When it can't, the machine ends, and DIR/person-problems says why.
person_acts() {
	local dir=$1 seen=0 events=0 word rest
	while read -r word rest; do
		case $word in
		'' | '#'*) ;;
		shown) await shown "$rest" ;;
		told) await told "$rest" ;;
		order) say "${rest//@DIR@/${dir%/*}}" > "$dir/orders" ;;
		answer) type_at console "$rest" ;;
		answer2) type_at console2 "$rest" ;;
		hidden) ! is_on_console "$rest" || give_up "the console showed: $rest" ;;
		happened) await_event "$rest" ;;
		remembers) has_in_memory "$rest" || give_up "the memory had to have this in it: $rest" ;;
		forgot) ! has_in_memory "$rest" || give_up "the memory still has this in it: $rest" ;;
		type)
			await shown "$prompt"
			type_at console "$rest"
			;;
		*) give_up "the person can't make sense of this line: $word $rest" ;;
		esac
	done < "$2"
}

# type_at CONSOLE TEXT
type_at() {
	rm -f "$dir/memory"
	seen=$(stat -c %s "$dir/console")
	printf '%b\r' "$2" > "$dir/$1.in"
}

await() {
	local end=$((SECONDS + patience))
	until "is_$1" "$2"; do
		(( SECONDS < end )) || give_up "the person waited in vain: $1 $2"
		sleep 0.1
	done
}

give_up() {
	say "$1" > "$dir/person-problems"
	say '{"execute":"quit"}' > "$dir/orders"
	exit
}

is_shown() { tail -c "+$((seen + 1))" "$dir/console" | grep -aqF -- "$1"; }
await_event() {
	events=$((events + 1))
	await happened "$1"
}

# has_in_memory TEXT: a dump of the memory serves until something is typed
has_in_memory() {
	if [[ ! -f $dir/memory ]]; then
		say '{"execute": "dump-guest-memory", "arguments": {"paging": false, "detach": true, "protocol": "file:'"$dir"'/memory"}}' > "$dir/orders"
		await_event DUMP_COMPLETED
	fi
	LC_ALL=C grep -aqF -- "$1" "$dir/memory"
}

is_on_console() { grep -aqF -D skip -- "$1" "$dir"/console*; }
is_happened() { (( $(jq -c --arg name "$1" 'select(.event == $name)' "$dir/events" 2> /dev/null | wc -l) >= events )); }
is_told() { told "$dir" | grep -qxF -- "$1"; }

# told DIR: the lines that the machine wrote to its second serial port
told() { tr -d '\r' < "$1/results"; }
