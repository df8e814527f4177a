# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# What a scenario expects, and the comparison with what came.
#
# `expect` in a scenario's folder, a line each; # starts a comment:
#   STACK  VERDICT[ CODE]   a node (two spaces or a tab between); every node that nodes.jq prints must be named, and no other
#   verdict=WORD            the sweep's verdict, always given; none: no sweep ends, so there is no summary
#   mode=WORD               the mode the report names
#   ends reboot|poweroff|watchdog|cut  how the machine ended; reboot if not given
#   told LINE               what the machine wrote to its second serial port: where one line is named, all are, in turn
#   problem CODE            a problem of the sweep itself; all of them must be named, and no other
#   problem-text REGEX      the text of one of the problems
#   summary REGEX           the promised last line on the console
#   holds JQ                a jq expression that is true of the report
#   seconds-below N         the whole sweep, by its own report
#   unchanged [DISK...]     not a byte of these disks (of all) was written
#   restored DISK           this disk was written to, and yet holds what it held before, byte for byte
#   nowhere TEXT            nothing that was written to any disk, the report's too, has TEXT in it
#   unwritten DISK          of the second sweep: it has not written to this disk
#   no-report               no report filesystem is there
#   report-folder PATH      where on the report filesystem the reports lie; / if not given
#   report none             there is a report filesystem, and no report must be on it
#   nodes any               the nodes and the sweep's own problems are not compared; verdict=any: nor is its verdict
#   every JQ                a jq expression that is true of each report of a machine that sweeps many times (reports= in `machine`)
#   files PLACE [but NAME...]  the files of the fixture's tree on this filesystem hold what they should, but for these
#   left alone PLACE        not a byte of this place was written
#   again                   sweep the same disks once more; the lines behind it are the next sweep's. Without nodes there:
#                           those of the first sweep, where "repaired" is now "clean"; without a verdict: clean.

node_line='^(.*[^[:space:]])([[:space:]]{2,}|	+)((clean|repaired|uncorrected|skipped|error|ok)( [a-z-]+)?)$'
word_line='^(verdict=[a-z]+|mode=[a-z]+|ends (reboot|poweroff|watchdog|cut)|told .+|problem [a-z-]+|problem-text .+|summary .+|holds .+|seconds-below [0-9]+|unchanged( [a-z ]+)?|restored [a-z]+|unwritten [a-z]+|nowhere .+|no-report|report-folder /.*|report none|nodes any|every .+|files .+|left alone .+)$'

# read_expectation FILE DIR: into DIR/1/expect.{nodes,words}, and DIR/2/..., DIR/3/... where the sweep is to be repeated
read_expectation() {
	local line run=1
	expectation_begins "$2/1"
	while IFS= read -r line || [[ $line ]]; do
		[[ $line =~ ^[[:space:]]*(#.*)?$ ]] && continue
		if [[ $line == again ]]; then
			run=$((run + 1))
			expectation_begins "$2/$run"
		elif [[ $line =~ $node_line ]]; then
			printf '%s\t%s\n' "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}" >> "$2/$run/expect.nodes"
		elif [[ $line =~ $word_line ]]; then
			say "$line" >> "$2/$run/expect.words"
		else
			die "$1: can't make sense of this line: $line"
		fi
	done < "$1"
	grep -q ^verdict= "$2/1/expect.words" || die "$1: no verdict="
	for (( ; run > 1; run-- )); do
		complete_again "$2/1" "$2/$run"
	done
}

expectation_begins() {
	mkdir -p "$1"
	: > "$1/expect.nodes"
	: > "$1/expect.words"
}

# complete_again FIRST LATER: what a later sweep's expectation does not say
complete_again() {
	[[ -s $2/expect.nodes ]] || sed 's/\trepaired$/\tclean/' "$1/expect.nodes" > "$2/expect.nodes"
	grep -q ^verdict= "$2/expect.words" || say verdict=clean >> "$2/expect.words"
	grep -E '^(no-report|report-folder|mode=)' "$1/expect.words" >> "$2/expect.words" || true
	grep -q '^ends ' "$2/expect.words" || grep '^ends [^c]' "$1/expect.words" >> "$2/expect.words" || true
}

# expected DIR WORD: what stands behind the word (`mode=`, `ends `), the last one; fails where there is none
expected() {
	local found
	found=$(sed -n "s/^$2//p" "$1/expect.words" | tail -n 1)
	[[ $found ]] && say "$found"
}
expects() { grep -q "^$2" "$1/expect.words"; }

# compare DIR: prints a line for each difference between DIR/expect.* and DIR/report.json, DIR/summary, DIR/end
compare() {
	local dir=$1 want pattern
	want=$(expected "$dir" 'ends ' || say reboot)
	[[ $(<"$dir/end") == "$want" ]] || say "the machine ended by $(<"$dir/end"), not by $want"
	! expects "$dir" 'told ' || diff <(sed -n 's/^told //p' "$dir/expect.words") <(told "$dir") |
		sed -n 's/^< /expected to be told  /p; s/^> /was told             /p' || true
	if expects "$dir" verdict=none; then
		[[ ! -s $dir/summary ]] || say "there is a summary: $(<"$dir/summary")"
		return
	fi
	if [[ ! -s $dir/summary ]]; then
		[[ $want == cut ]] || say "no summary line on the console"
		return
	fi
	want=$(expected "$dir" verdict=)
	[[ $want == any || $(<"$dir/summary") == "guestsweep: verdict=$want "* ]] || say "expected verdict=$want, found: $(<"$dir/summary")"
	pattern=$(expected "$dir" 'summary ') && ! grep -qE -- "$pattern" "$dir/summary" && say "the summary line isn't like /$pattern/"
	[[ ! -s $dir/report.json ]] || compare_report "$dir"
}

compare_report() {
	local dir=$1 want pattern
	expects "$dir" 'nodes any' || diff <(sort "$dir/expect.nodes") <(jq -r -f "$top/tests/lib/nodes.jq" "$dir/report.json" | sort) |
		sed -n 's/^< /expected  /p; s/^> /found     /p' || true
	expects "$dir" 'nodes any' || diff <(sed -n 's/^problem //p' "$dir/expect.words" | sort) \
		<(jq -r '.problems[] | select(.node == null) | .code' "$dir/report.json" | sort) |
		sed -n 's/^< /expected problem  /p; s/^> /found problem     /p' || true
	want=$(expected "$dir" mode=) && [[ $(jq -r .mode "$dir/report.json") != "$want" ]] &&
		say "expected mode=$want, found $(jq -r .mode "$dir/report.json")"
	want=$(expected "$dir" 'seconds-below ') && ! jq -e --argjson limit "$want" '.seconds < $limit' "$dir/report.json" > /dev/null &&
		say "it took $(jq .seconds "$dir/report.json") s, not below $want"
	while IFS= read -r pattern; do
		jq -e "$pattern" "$dir/report.json" > /dev/null || say "this does not hold: $pattern"
	done < <(sed -n 's/^holds //p' "$dir/expect.words")
	while IFS= read -r pattern; do
		jq -r '.problems[].text' "$dir/report.json" | grep -E -- "$pattern" > /dev/null || say "no problem's text is like /$pattern/"
	done < <(sed -n 's/^problem-text //p' "$dir/expect.words")
}

# update_expectation FILE DIR: writes the node lines (and the verdict) of the first sweep anew, where the old ones stood
update_expectation() {
	local width nodes
	nodes=$(jq -r -f "$top/tests/lib/nodes.jq" "$2/report.json")
	width=$(cut -f 1 <<< "$nodes" | awk '{ if (length > w) w = length } END { print w + 3 }')
	awk -v nodes="$nodes" -v width="$width" -v verdict="$(jq -r .verdict "$2/report.json")" '
		function put(   n, line, i, part) {
			if (!done++) for (i = 1; i <= split(nodes, line, "\n"); i++) {
				split(line[i], part, "\t")
				if (part[1] != "") printf "%-" width "s%s\n", part[1], part[2]
			}
		}
		/^again$/ { put(); second = 1 }
		!second && /^verdict=/ { print "verdict=" verdict; next }
		!second && /(  +|\t)(clean|repaired|uncorrected|skipped|error|ok)( [a-z-]+)?$/ { put(); next }
		{ print }
		END { put() }' "$1" > "$1.new"
	mv "$1.new" "$1"
}
