#!/bin/bash
# bench.sh [ROUNDS]: forty small guests swept by the image, and by hand with the same tools in the same machine; in turns, medians.
# ./build.sh bench calls it.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"

rounds=${1:-3}
scenarios=$here/bench
name=forty-guests
dir=$beds/bench
need_tools "${bed_tools[@]}"
rm -rf "$dir"
mkdir -p "$dir"

median() { sort -n | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
now() { date +%s.%N; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f\n", a - b }'; }
over() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a / b }'; }

# fresh DIR: an empty folder for a run, with the expectation that its sweep must meet
fresh() {
	rm -rf "$1"
	mkdir -p "$1"
	read_expectation "$scenarios/$name/expect" "$1"
}

# sweep_by_image DIR [PART...]: one sweep; PART is appended to the image. Again after an accident of the emulator.
sweep_by_image() {
	local at=$1 begin
	shift
	while fresh "$at"; do
		make_image "$name" "$at/image"
		join_images "$at/image" "$@" > "$at/image.all" && mv "$at/image.all" "$at/image"
		begin=$(now)
		sweep "$name" "$at" 1
		minus "$(now)" "$begin" > "$at/wall"
		[[ $(<"$at/1/end") == accident ]] || break
	done
	[[ -z $(compare "$at/1") ]] || { compare "$at/1"; die "the sweep of $name isn't what it should be; see $at/1"; }
}

# sweep_by_hand DIR: the same disks, the same kind of machine, the admin's script as PID 1
sweep_by_hand() {
	local at=$1 words begin end=accident
	while [[ $end == accident ]]; do
		fresh "$at"
		mkdir -p "$at/root/fixture/input"
		cp -r "$(keys_of "$name")" "$at/root/fixture/input/keys"
		archive "$at/root" > "$at/keys.cpio"
		join_images "$fixture_image" "$at/keys.cpio" > "$at/image"
		mapfile -t words < <(attach_disks "$name" "$at")
		begin=$(now)
		end=$(processors=2 machine "$at/1" 900 rdinit=/fixture/by-hand "$at/image" "${words[@]}")
		minus "$(now)" "$begin" > "$at/wall"
	done
	grep -q '^by-hand [0-9.]* 64$' "$at/1/results" || die "by hand, 64 filesystems should have been checked; see $at/1/results"
}

# The longest way from a disk to a checked filesystem, in seconds.
longest_chain() {
	jq '(.nodes | map({key: (.id | tostring), value: .}) | from_entries) as $by
		| def chain: .seconds + ([.parents[] | $by[tostring] | chain] | max // 0);
		[.nodes[] | select(.kind == "filesystem") | chain] | max * 100 | round / 100' "$1"
}

# figures NAME JQ: a figure of every round's report
figures() { jq -r "$2" "$dir"/image[0-9]*/1/report.json > "$dir/$1"; }

row() { printf '  %-44s%10s%12s%9s   %s\n' "$@"; }

say "Making forty guests ..."
make_fixtures "$name"
[[ ! -f $beds/disks/$name.failed ]] || { cat "$beds/disks/$name.failed"; die "the disks could not be made"; }
say "accelerator: $(accelerator)"
for (( round = 1; round <= rounds; round++ )); do
	sweep_by_image "$dir/image$round"
	sweep_by_hand "$dir/hand$round"
	say "round $round: image $(jq .seconds "$dir/image$round/1/report.json") s, by hand $(sed -n 's/^by-hand \([0-9.]*\) .*/\1/p' "$dir/hand$round/1/results") s"
done

# When the first check begins needs a sweep of its own, with somebody beside it.
mkdir -p "$dir/overlay"
cp -r "$here/bench/first-check/." "$dir/overlay/"
image_file usr/bin/sweep > "$dir/overlay/usr/bin/sweep.real"
chmod 755 "$dir/overlay/usr/bin"/*
archive "$dir/overlay" > "$dir/overlay.cpio"
sweep_by_image "$dir/first" "$dir/overlay.cpio"

figures seconds .seconds
figures cpu '.work.cpu_seconds / .work.cpus'
figures memory .work.memory_peak_mib
for (( round = 1; round <= rounds; round++ )); do
	longest_chain "$dir/image$round/1/report.json" >> "$dir/chain"
	sed -n 's/^by-hand \([0-9.]*\) .*/\1/p' "$dir/hand$round/1/results" >> "$dir/by-hand"
	sed -n 's/^start //p' "$dir/hand$round/1/results" >> "$dir/start"
	cat "$dir/image$round/wall" >> "$dir/image-wall"
	cat "$dir/hand$round/wall" >> "$dir/hand-wall"
done
image_s=$(median < "$dir/seconds") hand_s=$(median < "$dir/by-hand")
cpu=$(median < "$dir/cpu") chain=$(median < "$dir/chain")
bound=$(printf '%s\n' "$cpu" "$chain" | sort -n | tail -n 1)
start=$(median < "$dir/start") first=$(head -n 1 "$dir/first/1/results")

say
say "Forty guests, 64 filesystems, $rounds rounds, medians; $(accelerator), 2 CPUs, 512 MiB"
row '' image by-hand ratio target
row 'sweep, s' "$image_s" "$hand_s" "$(over "$hand_s" "$image_s")" '>= 4'
row 'whole machine, from power to end, s' "$(median < "$dir/image-wall")" "$(median < "$dir/hand-wall")" \
	"$(over "$(median < "$dir/hand-wall")" "$(median < "$dir/image-wall")")" ''
row '' image bound ratio target
row "longest chain $chain s, CPU work $cpu s" "$image_s" "$bound" "$(over "$image_s" "$bound")" '<= 1.3'
row '' image bare more target
row 'kernel start to first check, s' "$first" "$start" "$(minus "$first" "$start")" '<= 3'
row '' image limit '' ''
row 'peak memory, MiB' "$(median < "$dir/memory")" 256 '' ''
row 'image, bytes' "$(stat -c %s "$image")" $((14 * 1024 * 1024)) '' ''
row 'kernel, bytes' "$(stat -c %s "$kernel")" '' '' ''
