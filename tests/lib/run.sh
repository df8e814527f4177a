#!/bin/bash
# run.sh [PATTERN]: every test, or those whose names match (a shell pattern, or a part of the name). ./build.sh test calls it.
# One line for each test as it ends; the last line says how many passed, failed, were skipped.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
. "$here/tally.sh"

pattern=${1:-}

# Each prints "NAME COMMAND..." for the tests it knows, when asked with `list`.
test_lists=("$here/natives.sh" "$here/host.sh" "$here/checks.sh" "$here/selftest.sh" "$here/boots.sh" "$here/grubmenu.sh")

mkdir -p "$work/log" "$beds/run" "$beds/disks"
need_tools "${bed_tools[@]}" shellcheck=shellcheck make=make readelf=binutils
tally_begin

# What builds goes alone, the others run side by side.
for list in "${test_lists[@]}"; do
	while read -r name words; do
		matching "$pattern" "$name" || continue
		read -ra command <<< "$words"
		if [[ $name == build:* ]]; then
			wait
			tally "$name" "${command[@]}"
		else
			beside tally "$name" "${command[@]}"
		fi
	done < <("$list" list)
done
wait

# On a real host, long: beside all others.
while read -r name words; do
	matching "$pattern" "$name" || continue
	read -ra command <<< "$words"
	tally "$name" "${command[@]}" &
	waiting+=($!)
done < <("$here/debian.sh" list)

# Scenarios: their disks first, then the sweeps, so many side by side.
wanted=()
for folder in "$scenarios"/*/; do
	name=$(basename "$folder")
	! matching "$pattern" "$name" || wanted+=("$name")
done
if (( ${#wanted[@]} )); then
	accelerator > "$beds/accelerator.log"
	say "accelerator: $(<"$beds/accelerator.log")"
	mapfile -t sources < <(for name in "${wanted[@]}"; do disks_of "$name"; done | sort -u)
	make_fixtures "${sources[@]}"
	for name in "${wanted[@]}"; do
		[[ $(setting "$name" waits no) == yes ]] || continue
		tally "$name" "$here/scenario.sh" "$name" &
		waiting+=($!)
	done
	for name in "${wanted[@]}"; do
		[[ $(setting "$name" waits no) == no ]] || continue
		beside tally "$name" "$here/scenario.sh" "$name"
	done
fi
wait
tally_end
