# shellcheck shell=bash
# Our own programs, by tools/Makefile, which knows itself what is stale.

# build_own SOURCES OUT: init and sweep of the project in SOURCES, into OUT
build_own() {
	local log=$work/log/own.log
	if ! make -C "$1/tools" -j "$(nproc)" --no-print-directory OUT="$2" STAGE="$work/stage" VERSION="$project_version" \
		CC="$work/toolchain/bin/musl-cc" > "$log" 2>&1 < /dev/null; then
		{ tail -n 20 "$log"; note "building our own programs failed; the whole log is $log"; } >&2
		exit 1
	fi
}
