# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# Disks that fail, and disks whose writes are recorded: both are served by faultdisk (tests/lib/faultdisk/), an NBD server
# outside of the machine, so that nothing in the image has to know of it.
#
# `faults` in a scenario's folder, a line each, is for the first sweep only; in the next one the disks are well again:
#   PLACE OPS WHAT [after=N] [times=N] [seconds=N]   see faultdisk/rules.c; PLACE: one that its `disks` named, or a disk: all of it
# In its `machine`: record=yes records all writes to all disks.

seeds=$top/tests/torture/seeds

# seed_of SCENARIO: where its random choices come from: $SEED, or the first of the list; each test prints it
seed_of() { say "${SEED:-$(grep -m 1 -v '^#' "$seeds")}"; }

# faultdisk WORD...: runs it, built for this machine if need be
faultdisk() { faultdisk_built && "$work/native/faultdisk" "$@"; }
faultdisk_built() {
	local program=$work/native/faultdisk source=$top/tests/lib/faultdisk key
	key=$(hash_of "$source"/*)
	stamped "$program.key" "$key" && return
	mkdir -p "$work/native"
	"$work/toolchain/bin/musl-cc" -O2 -Wall -Wextra -Werror -o "$program.$$" "$source"/*.c
	mv "$program.$$" "$program"
	replace "$program.key" <<< "$key"
}

# is_served SCENARIO RUN: are this sweep's disks faultdisk's?
is_served() { [[ $2 == 1 ]] && { [[ -f $scenarios/$1/faults ]] || is_recorded "$1"; }; }
is_recorded() { [[ $(setting "$1" record no) == yes ]]; }

# place SCENARIO NAME: prints "DISK FIRST LAST", in sectors
place() {
	local from found
	from=$(disks_of "$1")
	found=$(awk -v name="$2" '$1 == name { print $2, $3, $4; exit }' "$beds/disks/$from/places" 2> /dev/null || true)
	if [[ ! $found && -f $(disk_file "$from" "$2") ]]; then
		found="$2 0 $(($(stat -c %s "$(disk_file "$from" "$2")") / 512 - 1))"
	fi
	[[ $found ]] || die "$1: there is no place $2"
	say "$found"
}

# raw_disks SCENARIO DIR: copies of the disks in DIR, as files of their own
raw_disks() {
	local from disk fate
	from=$(disks_of "$1")
	while read -r disk _ _ fate; do
		[[ $fate != there ]] || cp --sparse=always --reflink=auto "$(disk_file "$from" "$disk")" "$2/$disk.raw"
	done < <(disk_lines "$from")
}

# disk_names SCENARIO: those that a sweep has, in their order
disk_names() { disk_lines "$(disks_of "$1")" | awk '$4 == "there" { print $1 }'; }

# rules_for SCENARIO DIR: the fault's lines as faultdisk's rules, DIR/DISK.rules
rules_for() {
	local where how disk first last ops
	while read -r where ops how; do
		[[ $where && $where != '#'* ]] || continue
		read -r disk first last <<< "$(place "$1" "$where")"
		say "$ops $first $last $how" >> "$2/$disk.rules"
	done < <(cat "$scenarios/$1/faults" 2> /dev/null || true)
}

# serve_disks SCENARIO DIR: starts the server, sets $server; the disks, and the report's, are then connected over DIR/socket
serve_disks() {
	local disk log=- words=()
	raw_disks "$1" "$2"
	rules_for "$1" "$2"
	for disk in $(disk_names "$1"); do
		words+=("$disk=$2/$disk.raw$([[ ! -f $2/$disk.rules ]] || say "=$2/$disk.rules")")
	done
	if is_recorded "$1"; then
		log=$2/log
		cp --sparse=always "$2/report.img" "$2/report.base"
		words+=("report=$2/report.img")
	fi
	faultdisk_built
	# the path of a socket must be short
	mktemp -u /tmp/faultdisk.XXXXXX > "$2/socket"
	"$work/native/faultdisk" serve "$(<"$2/socket")" "$log" "$(seed_of "$1")" "${words[@]}" > "$2/discards" &
	server=$!
	until [[ -S $(<"$2/socket") ]]; do
		kill -0 "$server" || die "faultdisk did not start"
		sleep 0.05
	done
}

# end_server DIR: it ends with its last client, or now
end_server() {
	kill "$server" 2> /dev/null || true
	wait "$server" || true
	rm -f "$(<"$1/socket")" "$1/socket"
}

# discarded DIR: prints the disks that were sent a discard: none ever is, as no filesystem is mounted, and no image opened, with them
discarded() { [[ ! -s $1/discards ]] || sort -u "$1/discards"; }

# raw_drive DIR ID FILE: the words for a disk that is a file of its own, by way of the server where there is one
raw_drive() {
	if [[ -f $1/socket ]]; then
		printf -- '-drive\nif=none,id=%s,driver=nbd,server.type=unix,server.path=%s,export=%s,cache=writeback,discard=unmap\n' \
			"$2" "$(<"$1/socket")" "$2"
	else
		drive "$2" "$3" raw
	fi
}

# known_files FILE SECTOR [NAME...]: prints what the fixture's tree in the ext filesystem there should hold and doesn't, but for these
known_files() {
	local file=$1 at=$(($2 * 512)) name want found
	shift 2
	while read -r name want; do
		[[ " $* " != *" $name "* ]] || continue
		found=$(debugfs -R "cat /$name" "$file?offset=$at" 2> /dev/null | sha256sum)
		[[ ${found%% *} == "$want" ]] || say "$name isn't what it was"
	done < <(known_tree)
}

# known_tree: the fixture's tree (content() in tests/fixture/rootfs/fixture/filesystems.sh), "NAME SHA256" each
known_tree() {
	local number
	for number in 1 2 3 4 5 6 7 8; do
		say "srv/mail/$number $(seq 1 $((number * 700)) | sha256sum | cut -d ' ' -f 1)"
	done
	say "etc/hostname $(say guest | sha256sum | cut -d ' ' -f 1)"
	say "etc/services $(seq 1 5000 | sha256sum | cut -d ' ' -f 1)"
}

# kept SCENARIO DIR RUN: prints what breaks the expectation's `files` and `left alone`
kept() {
	local line disk first last words file
	while read -r line; do
		read -ra words <<< "${line/ but / }"
		read -r disk first last <<< "$(place "$1" "${words[0]}")"
		for file in "$2/$disk.raw" "$2"/cuts/*-"$disk.raw"; do
			[[ ! -f $file ]] || known_files "$file" "$first" "${words[@]:1}" | sed "s|^|$(basename "$file") ${words[0]}: |"
		done
	done < <(sed -n 's/^files //p' "$3/expect.words")
	while read -r line; do
		read -r disk first last <<< "$(place "$1" "$line")"
		cmp -s -i $((first * 512)) -n $(((last - first + 1) * 512)) "$2/$disk.raw" "$(disk_file "$(disks_of "$1")" "$disk")" ||
			say "$line was written to"
	done < <(sed -n 's/^left alone //p' "$3/expect.words")
}
