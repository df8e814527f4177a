#!/bin/bash
# torture.sh [PATTERN]: the long tests with faults, or those whose names match. ./build.sh torture calls it.
#
# tests/torture/ holds folders like those of tests/scenarios/, which may use each other's disks (`like OTHER`). In `machine`, seeds=N:
# once for each of the first N of tests/torture/seeds (1 if not said); SEED=N in the environment: for that one only.
# The fuzzers run as well, each for FUZZ_SECONDS (120).
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
export FUZZ_SECONDS=${FUZZ_SECONDS:-120}
. "$here/common.sh"
. "$here/tally.sh"

# begin WAITS NAME SEED: those that only wait are not counted among those side by side
begin() {
	local words=(tally "$2, seed $3" "$here/scenario.sh" "$2")
	if [[ $1 == no ]]; then
		SEED=$3 beside "${words[@]}"
	else
		SEED=$3 "${words[@]}" &
		waiting+=($!)
	fi
}

pattern=${1:-}
mkdir -p "$work/log" "$beds/run" "$beds/disks"
need_tools "${bed_tools[@]}"
tally_begin

# one folder with both kinds, for all that looks a scenario up by its name
rm -rf "$beds/torture"
mkdir -p "$beds/torture"
ln -s "$top"/tests/scenarios/* "$top"/tests/torture/*/ "$beds/torture/"
export GUESTSWEEP_SCENARIOS=$beds/torture
scenarios=$GUESTSWEEP_SCENARIOS

wanted=()
for folder in "$top"/tests/torture/*/; do
	name=$(basename "$folder")
	! matching "$pattern" "$name" || wanted+=("$name")
done
if (( ${#wanted[@]} )); then
	say "accelerator: $(accelerator)"
	mapfile -t sources < <(for name in "${wanted[@]}"; do disks_of "$name"; done | sort -u)
	make_fixtures "${sources[@]}"
	for waits in yes no; do
		for name in "${wanted[@]}"; do
			[[ $(setting "$name" waits no) == "$waits" ]] || continue
			while read -r seed; do
				begin "$waits" "$name" "$seed"
			done < <(if [[ ${SEED:-} ]]; then say "$SEED"; else grep -v '^#' "$seeds" | head -n "$(setting "$name" seeds 1)"; fi)
		done
	done
	wait
fi

while read -r name words; do
	matching "$pattern" "$name" || continue
	read -ra command <<< "$words"
	if [[ $name == build:* ]]; then tally "$name" "${command[@]}"; else beside tally "$name" "${command[@]}"; fi
done < <("$here/debian.sh" torture; "$here/natives.sh" list | grep fuzz)
wait
tally_end
