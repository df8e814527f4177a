# shellcheck shell=bash
# A person beside the machine, at its console, its power and its cables (QMP).
#
# `person` in a scenario's folder, a line each, done in turn; # starts a comment:
#   shown TEXT    waits until the console shows TEXT, after what was typed last
#   type LINE     waits for the shell's prompt there, then types LINE
#   told LINE     waits until the machine has written LINE to its second serial port
#   order JSON    gives QEMU a command

patience=150                            # seconds for each wait
prompt='guestsweep:~# '                 # by rootfs/etc/profile

# person_sits DIR: makes the console one that can be typed at
person_sits() {
	rm -f "$1"/console.{in,out}
	mkfifo "$1/console.in"
	ln -s console "$1/console.out"
	: > "$1/console"
}

# person_acts DIR SCRIPT: does what it says. When it can't, the machine ends, and DIR/person-problems says why.
person_acts() {
	local dir=$1 seen=0 word rest
	while read -r word rest; do
		case $word in
		'' | '#'*) ;;
		shown) await shown "$rest" ;;
		told) await told "$rest" ;;
		order) say "$rest" > "$dir/orders" ;;
		type)
			await shown "$prompt"
			seen=$(stat -c %s "$dir/console")
			printf '%s\r' "$rest" > "$dir/console.in"
			;;
		*) give_up "the person can't make sense of this line: $word $rest" ;;
		esac
	done < "$2"
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
is_told() { told "$dir" | grep -qxF -- "$1"; }

# told DIR: the lines that the machine wrote to its second serial port
told() { tr -d '\r' < "$1/results"; }
