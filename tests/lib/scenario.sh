#!/bin/bash
# scenario.sh NAME: one scenario, from its fixture's disks to the comparison. Prints what differs; exit 1 if anything does.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"

name=$1
dir=$beds/run/$name${SEED:+-seed-$SEED}

failed=$beds/disks/$(disks_of "$name").failed
if [[ -f $failed ]]; then
	say "its disks could not be made:"
	cat "$failed"
	exit 1
fi

# attempt: the sweeps and their comparisons; leaves the word "accident" in DIR/RUN/end when the emulator had one
attempt() {
	local run
	rm -rf "$dir"
	mkdir -p "$dir"
	read_expectation "$scenarios/$name/expect" "$dir"
	make_image "$name" "$dir/image"
	for run in 1 2 3 4 5 6 7 8; do
		[[ -d $dir/$run ]] || break
		sum_disks "$dir" "$dir/$run"
		sweep "$name" "$dir" "$run"
		[[ $(<"$dir/$run/end") != accident ]] || return 0
		if [[ ${EXPECT:-} == update && $run == 1 && -s $dir/1/report.json ]]; then
			update_expectation "$scenarios/$name/expect" "$dir/1"
			read_expectation "$scenarios/$name/expect" "$dir"
		fi
		differences "$dir" "$dir/$run" > "$dir/$run/differences"
		if [[ $(setting "$name" cuts 0) != 0 ]]; then
			cut_sweeps "$name" "$dir"
			break
		fi
	done
	for run in 2 3 4 5 6 7 8; do
		[[ ! -f $dir/$run/differences ]] || sed -i "s/^/sweep $run: /" "$dir/$run/differences"
	done
}

differences() {
	compare "$2"
	cat "$2"/{report,person}-problems 2> /dev/null || true
	contract "$2"
	untouched "$1" "$2" "$name"
	leaked "$1" "$2"
	restored "$1" "$2" "$name"
	unwritten "$1" "$2"
	replayed "$name" "$1"
	discarded "$1"
	kept "$name" "$1" "$2"
}

for _ in 1 2 3 4; do
	attempt
	grep -qsx accident "$dir"/[1-8]/end || break
	say "an accident of the emulator; once more"
done
rm -f "$dir/image"
if [[ -s $(find "$dir"/[1-8]/differences -size +0 -print -quit) ]]; then
	cat "$dir"/[1-8]/differences
	say "console and reports: $dir/1 and those behind it; seed $(seed_of "$name")"
	exit 1
fi
rm -rf "$dir"/*.{qcow2,raw} "$dir"/{report.img,report.base,log,cuts}
