#!/bin/bash
# natives.sh list | unit NAME | fuzz NAME: tests/unit and tests/fuzz, built for this machine with sanitizers.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
natives=$work/native
fuzz_seconds=${FUZZ_SECONDS:-5}

list() {
	local source
	say "build:units $0 make units"
	for source in "$top"/tests/unit/*.c; do
		say "unit:$(basename "$source" .c) $0 unit $(basename "$source" .c)"
	done
	say "build:fuzz $0 make fuzz"
	for source in "$top"/tests/fuzz/*.c; do
		say "fuzz:$(basename "$source" .c) $0 fuzz $(basename "$source" .c)"
	done
}

native_make() { make -s -C "$top/tools" -j "$(nproc)" OUT="$natives" "$@"; }

unit() {
	native_make "$natives/unit/$1"
	cd "$top/tests/unit"
	timeout 120 "$natives/unit/$1"
}

# The corpus is replayed, then some seconds of new inputs; what they find is kept beside the build.
fuzz() {
	local corpus=$top/tests/fuzz/corpus/${1#fuzz_} found=$natives/found/$1 seeds=()
	native_make "$natives/fuzz/$1"
	[[ ! -d $corpus ]] || seeds=("$corpus")
	[[ ! -d $corpus ]] || timeout 300 "$natives/fuzz/$1" -runs=0 "$corpus"
	mkdir -p "$found"
	timeout 300 "$natives/fuzz/$1" -max_total_time="$fuzz_seconds" -timeout=10 -print_final_stats=1 \
		-artifact_prefix="$found/" "$found" "${seeds[@]}"
}

case $1 in
list) list ;;
make) native_make "$2" ;;
unit | fuzz) "$1" "$2" ;;
esac
