#!/bin/bash
# natives.sh list | make TARGET | unit NAME: tests/unit and tests/fuzz, built for this machine with sanitizers.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
natives=$work/native

list() {
	local source
	say "build:units $0 make units"
	for source in "$top"/tests/unit/*.c; do
		say "unit:$(basename "$source" .c) $0 unit $(basename "$source" .c)"
	done
	say "build:fuzz $here/fuzz.sh build"
	for source in "$top"/tests/fuzz/*.c; do
		source=$(basename "$source" .c)
		say "fuzz:$source $here/fuzz.sh ${FUZZ_SECONDS:-3} ${source#fuzz_}"
	done
}

native_make() { make -s -C "$top/tools" -j "$(nproc)" OUT="$natives" "$@"; }

unit() {
	native_make "$natives/unit/$1"
	cd "$top/tests/unit"
	timeout 120 "$natives/unit/$1"
}

case $1 in
list) list ;;
make) native_make "$2" ;;
unit) unit "$2" ;;
esac
