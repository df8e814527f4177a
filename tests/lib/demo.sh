#!/bin/bash
# demo.sh: a KVM host with six guests, swept by the image in a virtual machine, live on the terminal; then the report.
# ./build.sh demo calls it. The host is that of tests/scenarios/demo-host.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"

name=demo-host
dir=$beds/demo
need_tools "${bed_tools[@]}"
rm -rf "$dir"
mkdir -p "$dir"

say "Making a host: RAID 10, two volume groups, six guests on encrypted volumes and in image files, one of them badly damaged ..."
make_fixtures "$name"
[[ ! -f $beds/disks/$name.failed ]] || { cat "$beds/disks/$name.failed"; die "the demo host could not be made"; }

read_expectation "$scenarios/$name/expect" "$dir"
make_image "$name" "$dir/image"
say "Booting the image on it (accelerator: $(accelerator)) ..."
say

# What the machine writes on its console goes through a pipe, to the terminal and into a file.
mkfifo "$dir/live"
tee "$dir/1/console" < "$dir/live" &
live=$!
console=file:$dir/live sweep "$name" "$dir" 1
wait "$live"

say
say "The machine ended: $(<"$dir/1/end")."
[[ -f $dir/1/report.txt ]] || die "there is no report; the console's text is in $dir/1/console"
say "Its report, from the report filesystem:"
say
cat "$dir/1/report.txt"
say
say "report.txt, report.json and log/ lie in $(dirname "$(readlink "$dir/1/report.txt")")"
