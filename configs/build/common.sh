# shellcheck shell=bash
# Names, places and small helpers that every part of the build shares. Sourced, never run.

project=guestsweep
project_version=0.1.0
export project project_version

# out/ is what users take away; .build/ is ours and may be deleted at any time.
top=${top:?set by build.sh}
out=$top/out
outputs=(vmlinuz initramfs.img guestsweep.efi guestsweep.iso manifest.json)
work=$top/.build
recipes=$top/configs/packages

# One date for every file we make, so that two builds are the same byte for byte.
# It is the project's, not the commit's: a new commit alone must not rebuild every package.
export SOURCE_DATE_EPOCH=1767225600
export TZ=UTC LC_ALL=C
umask 022

say()  { printf '%s\n' "$*"; }
note() { printf '%s: %s\n' "$project" "$*" >&2; }
warn() { printf '%s: warning: %s\n' "$project" "$*" >&2; }
die()  { printf '%s: %s\n' "$project" "$*" >&2; exit 1; }

# hash_of FILE...: one hash over names (below the project) and contents.
# Sorted by the caller's order; a folder is given as its list of files.
hash_of() {
	sha256sum -- "$@" | sed "s|  $top/|  |" | sha256sum | cut -d' ' -f1
}

# hash_text TEXT...: one hash over strings
hash_text() { printf '%s\n' "$@" | sha256sum | cut -d' ' -f1; }

# files_below DIR...: all files there, sorted, as absolute names; a missing folder is empty
files_below() {
	local d
	for d; do
		[[ -e $d ]] && find "$d" \( -type f -o -type l \) -print
	done | sort
}

# replace FILE: standard input becomes FILE, whole or not at all
replace() {
	local tmp=$1.new.$$
	cat > "$tmp" && mv -f -- "$tmp" "$1"
}

# stamped STAMP KEY: is the thing that STAMP stands for there, and made from KEY?
stamped() { [[ -f $1 && $(<"$1") == "$2" ]]; }
