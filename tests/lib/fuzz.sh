#!/bin/bash
# fuzz.sh SECONDS [TARGET...]: replays the corpus of each target (tests/fuzz/fuzz_TARGET.c; all, if none is named), then
#                              goes on with new inputs for so many seconds; the targets one after another.
# fuzz.sh keep [TARGET...]      takes into the corpus what earlier runs have found that reaches more code than it does.
# fuzz.sh build
# What is found lies in .build/native/found/TARGET; an input that makes a target fail, in .build/native/failed/TARGET.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
# shellcheck source=../../configs/build/packages.sh
. "$top/configs/build/packages.sh"
# shellcheck source=../../configs/build/fetch.sh
. "$top/configs/build/fetch.sh"
natives=$work/native
blkid=$natives/blkid
fuzzed=$top/tests/fuzz
# per input: what a worker of the smallest machine could still bear; libFuzzer's own 77 for a failure means "skipped" here
limits=(-timeout=20 -rss_limit_mb=1024 -malloc_limit_mb=128 -error_exitcode=1)
export ASAN_OPTIONS=detect_leaks=1
blkid_flags="-O1 -g -w -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address -include $fuzzed/blkidheap.h"

# libblkid as the image has it, but such that the fuzzer sees which way an input goes in it.
make_blkid() {
	local want file sha path patches=("$recipes"/patches/util-linux/*.patch)
	want=$(hash_text "$(hash_of "$recipes/util-linux" "$fuzzed/blkidheap.h" "${patches[@]}")" "${blkid_flags//"$top"/}" "$(clang --version)")
	if stamped "$blkid/stamp" "$want"; then return; fi
	load_recipe util-linux
	fetch util-linux
	read -r file sha <<< "${sources[0]}"
	path=$(cached "$file" "$sha")
	rm -rf "$blkid"
	mkdir -p "$blkid/src" "$blkid/include/blkid"
	tar -xf "$path" -C "$blkid/src" --strip-components=1 --no-same-owner
	(
		cd "$blkid/src"
		cat "${patches[@]}" | patch -p1 -s -f
		CC=clang ./configure --quiet --disable-shared --disable-nls --disable-asciidoc --disable-poman --disable-all-programs \
			--enable-libblkid --without-python --without-systemd --without-udev --without-econf > /dev/null
		make -s V=0 -j "$(nproc)" libblkid.la CFLAGS="$blkid_flags" > /dev/null
	)
	mv "$blkid/src/libblkid/src/blkid.h" "$blkid/include/blkid/"
	mv "$blkid/src/.libs/libblkid.a" "$blkid/"
	rm -rf "$blkid/src"
	replace "$blkid/stamp" <<< "$want"
}

build() {
	make_blkid
	make -s -C "$top/tools" -j "$(nproc)" OUT="$natives" fuzz
}

targets() { (cd "$fuzzed" && printf '%s\n' fuzz_*.c | sed 's/^fuzz_//; s/\.c$//'); }

# corpora_of TARGET: its folders of inputs, its own first; a whole disk has use for all that is made for a part of it
corpora_of() {
	local corpora=("$fuzzed/corpus/$1")
	[[ $1 != disk ]] || corpora+=("$fuzzed"/corpus/{content,partitions,extsuper})
	printf '%s\n' "${corpora[@]}"
}

# fuzz TARGET SECONDS. The replay goes first, so that a fault that is known already says so at once.
fuzz() {
	local found=$natives/found/$1 failed=$natives/failed/$1 words=() corpora
	mapfile -t corpora < <(corpora_of "$1")
	[[ ! -f $fuzzed/dictionaries/$1 ]] || words=(-dict="$fuzzed/dictionaries/$1")
	mkdir -p "$found" "$failed"
	timeout 300 "$natives/fuzz/fuzz_$1" "${limits[@]}" -runs=0 -artifact_prefix="$failed/" "${corpora[@]}"
	(( $2 )) || return 0
	timeout $(( $2 + 300 )) "$natives/fuzz/fuzz_$1" "${limits[@]}" "${words[@]}" -max_total_time="$2" -print_final_stats=1 \
		-artifact_prefix="$failed/" "$found" "${corpora[@]}"
}

# keep TARGET: a few of those up to 1 KiB, by their hashes; the corpus has to stay small
keep() {
	local small
	small=$(mktemp -d "$natives/small.XXXXXX")
	find "$natives/found/$1" -type f -size -3 -exec cp -t "$small" {} +
	"$natives/fuzz/fuzz_$1" "${limits[@]}" -set_cover_merge=1 -use_counters=0 "$fuzzed/corpus/$1" "$small"
	rm -rf "$small"
}

command=$1
shift
(( $# )) || mapfile -t all < <(targets)
case $command in
build) build ;;
keep)
	build
	for target in "${@:-${all[@]}}"; do keep "$target"; done
	;;
*)
	build
	for target in "${@:-${all[@]}}"; do fuzz "$target" "$command"; done
	;;
esac
