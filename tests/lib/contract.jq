# SPDX-License-Identifier: GPL-2.0-or-later
# What section 5 of the contract promises of every report.json. Prints a sentence for each breach.
# Input: the report. $files: the names of all files in the report's folder. $summary: the console's last line, as an object.
# $teardown: whether something may be left over.

def kinds: ["disk", "md", "pv", "vg", "lv", "luks", "table", "partition", "hostfs", "image", "filesystem", "swap", "unknown"];
def codes: {
	uncorrected: ["would-preen", "needs-repair", "not-converging"],
	skipped: ["ignored", "swap", "hibernated", "in-use", "saved-state", "backing-file", "guest-encrypted", "dirty-log", "quarantined",
		"unsupported", "mode-list"] };
# Skipped because the configuration says so: no problem of anybody's.
def as_configured: ["ignored", "swap", "mode-list"];
def worth: {clean: 0, repaired: 1, attention: 2, uncorrected: 3, failed: 4};

def is_time: type == "string" and test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]+)?Z$");
def is_line: type == "string" and length > 0 and (test("[\u0000-\u001f\u007f]") | not);
def is_filesystem: .kind == "filesystem" or .kind == "hostfs";
def is_one_of($list): . as $x | any($list[]; . == $x);
# Fine, and yet there is something to tell of it.
def is_noted: .code != "" and (.verdict | is_one_of(["ok", "clean", "repaired"]));
def where: "node \(.id // "?") (\(.stack // "no stack"))";
def must(condition; sentence): if condition then empty else sentence end;

def head:
	must(.schema == 1; "schema is \(.schema), not 1"),
	must(.version | is_line; "no version"),
	must(.started | is_time; "started is no UTC time: \(.started)"),
	must(.finished | is_time; "finished is no UTC time: \(.finished)"),
	must((.seconds | type) == "number" and .seconds >= 0; "seconds is no number: \(.seconds)"),
	must(.mode | is_one_of(["list", "check", "preen", "repair"]); "unknown mode \(.mode)"),
	must(.verdict | is_one_of(worth | keys); "unknown verdict \(.verdict)"),
	must((.nodes | type) == "array" and (.problems | type) == "array"; "nodes and problems must be lists");

def node($ids):
	must((.id | type) == "number"; "\(where): id is no number"),
	must((.parents | type) == "array" and all(.parents[]; is_one_of($ids)); "\(where): a parent is missing: \(.parents)"),
	must(.kind | is_one_of(kinds); "\(where): unknown kind \(.kind)"),
	must(.stack | is_line; "\(where): no stack"),
	must((.type, .name, .guest, .uuid, .label, .code, .reason | type) == "string"; "\(where): a text is no string"),
	must((.bytes | type) == "number"; "\(where): bytes is no number"),
	must((.seconds | type) == "number" and .seconds >= 0; "\(where): seconds is no number");

def verdict_of:
	if is_filesystem
	then must(.verdict | is_one_of(["clean", "repaired", "uncorrected", "skipped", "error"]); "\(where): verdict \(.verdict) is none of a filesystem's")
	else must(.verdict | is_one_of(["ok", "skipped", "error"]); "\(where): verdict \(.verdict) is none of a \(.kind)'s") end,
	if codes[.verdict] then (.verdict as $v | must(.code | is_one_of(codes[$v]); "\(where): \(.verdict) with code \"\(.code)\""))
	elif .verdict == "error" then must(.code | is_line; "\(where): an error without a code")
	else must(.code == "" or (.reason | is_line); "\(where): \(.verdict) with code \"\(.code)\", and no reason") end,
	must(.verdict != "error" and .verdict != "uncorrected" or (.reason | is_line); "\(where): \(.verdict) without a reason");

def check_of($mode):
	(is_filesystem and (.verdict == "clean" or .verdict == "repaired" or .verdict == "uncorrected")) as $checked
	| must(($checked | not) or .check != null; "\(where): \(.verdict) without a check"),
	if .check == null then empty else (.check as $check | where as $where |
		must($check.tool | is_line; "\($where): check without a tool"),
		must($check.version | is_line and . != "unknown"; "\($where): check without the tool's version"),
		must(($check.argv | type) == "array" and ($check.argv | length) > 1; "\($where): check without argv"),
		must(($check.exit | type) == "number"; "\($where): check without an exit status"),
		must($check.log | is_line and is_one_of($files); "\($where): the log \($check.log) is not there"),
		must(($check.undo // "") == "" or ($check.undo | is_one_of($files)); "\($where): the undo file \($check.undo) is not there")) end,
	must((($checked and (.type | test("^ext[234]$"))) | not) or
		(.ext | type == "object" and (.mount_count, .max_mount_count, .check_interval | type) == "number" and (.last_check | is_time)
			and (.state | is_line)); "\(where): the superblock's facts are missing");

def problem($nodes):
	. as $problem
	| "problem \(.code)" as $what
	| must((.code | is_line) and (.code != "teardown" or $teardown); "\($what): \(.text)"),
	must(.text | is_line and length < 1000; "\($what): its text is no plain sentence: \(.text)"),
	if .node == null then empty
	else must(any($nodes[]; .id == $problem.node and .code == $problem.code); "\($what): no node \(.node) has that code") end;

def problems_complete:
	[.problems[] | select(.node != null) | .node] as $told
	| .nodes[]
	| (.verdict == "error" or .verdict == "uncorrected" or is_noted or (.verdict == "skipped" and (.code | is_one_of(as_configured) | not))) as $due
	| .id as $id
	| ([$told[] | select(. == $id)] | length) as $n
	| must(($due | not) or $n > 0; "\(where): \(.verdict) \(.code), but no problem tells of it"),
	must($due or $n == 0; "\(where): \(.verdict), but a problem tells of it");

def counted: {
	filesystems: [.nodes[] | select(is_filesystem)] | length,
	clean: [.nodes[] | select(is_filesystem and .verdict == "clean")] | length,
	repaired: [.nodes[] | select(is_filesystem and .verdict == "repaired")] | length,
	uncorrected: [.nodes[] | select(is_filesystem and .verdict == "uncorrected")] | length,
	skipped: [.nodes[] | select(is_filesystem and .verdict == "skipped")] | length,
	errors: [.nodes[] | select(.verdict == "error")] | length };

def counts_agree:
	counted as $nodes
	| must(.counts == $nodes; "counts say \(.counts | tojson), the nodes \($nodes | tojson)"),
	must($summary == ($nodes + {verdict: .verdict}); "the console says \($summary | tojson), the nodes \($nodes + {verdict: .verdict} | tojson)");

def verdict_fits:
	(if any(.nodes[]; .verdict == "uncorrected") then 3
	 elif any(.nodes[]; .verdict == "error" or is_noted) then 2
	 elif any(.nodes[]; .verdict == "repaired") then 1
	 else 0 end) as $least
	| must(worth[.verdict] >= $least; "verdict \(.verdict) is better than the worst node");

def unique($what; list): [list] | group_by(.) | .[] | select(length > 1) | "\($what) \(.[0]) is there \(length) times";

head,
([.nodes[].id] as $ids | .mode as $mode | .nodes[] | node($ids), verdict_of, check_of($mode)),
(.nodes as $nodes | .problems[] | problem($nodes)),
problems_complete, counts_agree, verdict_fits,
unique("id"; .nodes[].id),
unique("stack"; .nodes[] | select(is_filesystem) | .stack),
unique("problem of node"; .problems[] | select(.node != null) | .node),
must("report.txt" | is_one_of($files); "no report.txt")
