#!/bin/bash
# guestsweep's one entry point: builds the image, tests it, shows it. ./build.sh --help says what it can do;
# configs/build/ holds how, configs/packages/ a recipe per package, configs/image/ what goes into the image.
set -euo pipefail
shopt -s inherit_errexit

top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for part in common host apt fetch packages kernel own image bootable sizes manifest state hostconfig install verify; do
	. "$top/configs/build/$part.sh"
done

usage() {
	cat <<-'E'
	usage: ./build.sh [--kernel DIR] [--offline] [COMMAND]

	  image            out/vmlinuz, out/initramfs.img, guestsweep.efi, guestsweep.iso and manifest.json, brought up to date (the default)
	  demo             makes a demo host with encrypted guests, boots the image on it in QEMU, shows the sweep and its report
	  test [PATTERN]   runs every test, or those whose names match
	  torture [PATTERN]  the long tests with faults, for every seed of tests/torture/seeds; hours
	  bench            the benchmarks, as ratios to the work by hand
	  pack DIR FILE    packs a host's configuration folder into FILE, to be appended to the image
	  install          puts image, boot entries, timer and the command guestsweep on this host
	  uninstall        takes them off
	  verify           builds everything twice in two folders and compares byte for byte
	  clean            removes what was built, keeps downloaded sources

	  --kernel DIR     kernel and modules from DIR (boot/vmlinuz-*, lib/modules/*) instead of the pinned Debian one
	  --offline        only sources that are in the download cache
	  --as-built       install: what was built before, perhaps on another machine; needs no compiler
	E
}

wrong() { printf '%s: %s\n' "$project" "$1" >&2; usage >&2; exit 2; }

offline='' kernel_dir='' as_built='' words=()
while (( $# )); do
	case $1 in
	-h | --help) usage; exit 0 ;;
	--offline)   offline=yes ;;
	--as-built)  as_built=yes ;;
	--kernel)    (( $# > 1 )) || wrong "--kernel needs a folder"
	             kernel_dir=$(realpath -e -- "$2" 2> /dev/null) || die "--kernel $2: there is no such folder"
	             shift ;;
	--kernel=*)  kernel_dir=$(realpath -e -- "${1#*=}" 2> /dev/null) || die "$1: there is no such folder" ;;
	-*)          wrong "unknown option $1" ;;
	*)           words+=("$1") ;;
	esac
	shift
done

[[ ! $kernel_dir ]] || kernel_locate
(( ${#words[@]} )) || words=(image)
command=${words[0]}

# arguments LEAST MOST TEXT: how many words may follow the command
arguments() { (( ${#words[@]} > $1 && ${#words[@]} <= $2 + 1 )) || wrong "$command takes $3"; }

case $command in
image)  arguments 0 0 "no further word"; bring_up_to_date image ;;
demo)   arguments 0 0 "no further word"; bring_up_to_date test; exec "$top/tests/lib/demo.sh" ;;
test)   arguments 0 1 "one pattern at most"; bring_up_to_date test; exec "$top/tests/lib/run.sh" "${words[@]:1}" ;;
torture) arguments 0 1 "one pattern at most"; bring_up_to_date test; exec "$top/tests/lib/torture.sh" "${words[@]:1}" ;;
bench)  arguments 0 0 "no further word"; bring_up_to_date test; exec "$top/tests/lib/bench.sh" ;;
pack)   arguments 2 2 "a folder and a file"; pack_config "${words[1]}" "${words[2]}" ;;
install) arguments 0 0 "no further word"; if [[ $as_built ]]; then was_built; else bring_up_to_date image; fi; install_host ;;
uninstall) arguments 0 0 "no further word"; uninstall_host ;;
verify) arguments 0 0 "no further word"; verify_all ;;
clean)  arguments 0 0 "no further word"; rm -rf "$out" "$work" ;;
*)      wrong "unknown word $command" ;;
esac
