#!/bin/bash
# selftest.sh list | CASE: the checker itself. A right report passes; each single wrong thing in it is found.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
. "$here/common.sh"
sample=$here/selftest

list() {
	say "self:right-report $0 right"
	say "self:wrong-expectations $0 expectations"
	say "self:wrong-reports $0 reports"
	say "self:machine-ends $0 ends"
}

# bed EXPECTATION REPORT: a folder as a sweep leaves it
bed() {
	dir=$(mktemp -d "$beds/self.XXXXXX")
	read_expectation "$1" "$dir"
	mkdir -p "$dir/1/report/log"
	cp "$2" "$dir/1/report/report.json"
	touch "$dir/1/report/report.txt" "$dir/1/report/log/003-e2fsck.txt"
	ln -s "$dir/1/report/report.json" "$dir/1/report.json"
	cp "$sample/summary" "$dir/1/summary"
	say reboot > "$dir/1/end"
	printf 'one\r\ntwo words\r\n' > "$dir/1/results"
}

differences() {
	compare "$dir/1"
	contract "$dir/1"
}

right() {
	bed "$sample/expect" "$sample/report.json"
	differences > "$dir/differences"
	cat "$dir/differences"
	[[ ! -s $dir/differences ]]
	rm -rf "$dir"
}

# found_wrong WHAT: there must be differences
found_wrong() {
	if [[ -z $(differences) ]]; then
		say "not found: $1"
		wrong=1
	fi
	rm -rf "$dir"
}

# Each line of `wrong-expectations` is a sed command that makes the right expectation wrong.
expectations() {
	local change
	wrong=0
	while IFS= read -r change; do
		sed -E "$change" "$sample/expect" > "$beds/self.expect"
		cmp -s "$beds/self.expect" "$sample/expect" && { say "changes nothing: $change"; wrong=1; }
		bed "$beds/self.expect" "$sample/report.json"
		found_wrong "$change"
	done < <(grep -v '^#' "$sample/wrong-expectations")
	return $wrong
}

# Each line of `wrong-reports` is a jq filter that makes the right report wrong.
reports() {
	local change
	wrong=0
	while IFS= read -r change; do
		jq "$change" "$sample/report.json" > "$beds/self.json"
		bed "$sample/expect" "$beds/self.json"
		found_wrong "$change"
	done < <(grep -v '^#' "$sample/wrong-reports")
	return $wrong
}

# How a machine ended is told by QEMU's events alone.
ends() {
	local file=$beds/self.events
	say '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}}' > "$file"
	[[ $(how_it_ended 0 "$file") == reboot && $(how_it_ended 124 "$file") == timeout && $(how_it_ended 1 "$file") == qemu ]]
	say '{"event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown"}}' > "$file"
	[[ $(how_it_ended 0 "$file") == poweroff ]]
	say '{"event": "WATCHDOG", "data": {"action": "reset"}}' >> "$file"
	[[ $(how_it_ended 0 "$file") == watchdog ]]
	say '{"event": "SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit"}}' > "$file"
	[[ $(how_it_ended 0 "$file") == cut ]]
	: > "$file"
	[[ $(how_it_ended 0 "$file") == qemu ]]
}

mkdir -p "$beds"
case $1 in
list) list ;;
*) "$1" ;;
esac
