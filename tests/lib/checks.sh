#!/bin/bash
# checks.sh list | CHECK: what must hold of the sources and of what was built, looked at in out/ itself.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
# shellcheck source=../../configs/build/packages.sh
. "$top/configs/build/packages.sh"

list() {
	local check
	for check in shell-files static size manifest kernel nothing-to-do same-bytes; do
		say "build:$check $0 $check"
	done
}

# Every shell file, by its name or its first line.
shell_files() {
	find "$top" \( -name .git -o -name .build -o -name out -o -name .downloads \) -prune -o -type f -print | sort | while read -r file; do
		case $file in
		*.sh) say "$file"; continue ;;
		esac
		if head -n 1 "$file" | grep -aqE '^#!.*\b(ba|da|)sh\b|^# shellcheck shell='; then say "$file"; fi
	done
}

check_shell-files() {
	local files
	mapfile -t files < <(shell_files)
	say "${#files[@]} files"
	(cd "$here" && shellcheck -f gcc -x -P SCRIPTDIR "${files[@]}")
}

# unpacked: the image in a folder of its own
unpacked() {
	local dir
	dir=$(mktemp -d "$beds/unpacked.XXXXXX")
	# shellcheck disable=SC2064 # the folder as it is now
	trap "rm -rf $dir" EXIT
	zstd -dcq "$image" | (cd "$dir" && cpio --quiet -idm; cat > /dev/null)
	unpacked_root=$dir
}

check_static() {
	unpacked
	prove_static "$unpacked_root"
	say "${#elf_files[@]} programs, all static"
}

check_size() {
	local all
	all=$(stat -c %s "$image")
	say "image $all of $image_limit bytes"
	(( all <= image_limit ))
}

# Every component with all its facts, every package that has a recipe, every program of the image with its sum.
check_manifest() {
	local name file missing=0
	jq -e '.components | length > 5 and all(.[]; (.name, .version, .licence | type == "string" and . != "")
		and (.name == "guestsweep" or (.sources | length > 0 and all(.[]; .file != "" and (.sha256 | test("^[0-9a-f]{64}$"))))))' \
		"$out/manifest.json" > /dev/null
	for name in $(package_list); do
		jq -e --arg name "$name" 'any(.components[]; .name == $name)' "$out/manifest.json" > /dev/null || { say "not named: $name"; missing=1; }
	done
	unpacked
	prove_static "$unpacked_root"
	for file in "${elf_files[@]}"; do
		jq -e --arg path "/${file#"$unpacked_root"/}" --arg sum "$(sha256sum < "$file" | cut -d ' ' -f 1)" \
			'any(.programs[]; .path == $path and .sha256 == $sum and .linkage == "static")' "$out/manifest.json" > /dev/null ||
			{ say "not named: ${file#"$unpacked_root"}"; missing=1; }
	done
	jq -e --arg sum "$(sha256sum < "$image" | cut -d ' ' -f 1)" 'any(.outputs[]; .file == "initramfs.img" and .sha256 == $sum)' \
		"$out/manifest.json" > /dev/null || { say "the image's own sum is wrong"; missing=1; }
	return $missing
}

# The kernel is the distribution's, byte for byte.
check_kernel() {
	local found
	found=$(find "$work/pkg/linux/boot" -maxdepth 1 -name 'vmlinuz-*' 2> /dev/null | sort -V | tail -n 1)
	[[ $found ]] || { say "built with a kernel of the user's own"; exit 77; }
	cmp "$found" "$kernel"
}

# A second build finds nothing to do, in under two seconds.
check_nothing-to-do() {
	local begin end
	"$top/build.sh" image
	begin=$(date +%s%N)
	"$top/build.sh" image
	end=$(date +%s%N)
	say "$(((end - begin) / 1000000)) ms"
	(( end - begin < 2000000000 ))
}

# Our own programs and the packing of the image come out the same in another folder; ./build.sh verify does that with all.
check_same-bytes() { "$top/configs/build/verify-quick"; }

if [[ $1 == list ]]; then list; else "check_$1"; fi
