# shellcheck shell=bash
# apt for Debian's release that the pinned sources come from, on a machine of whatever release: its own entries with the
# suite replaced, in folders of ours. The machine's package lists and configuration stay as they are.

suite=trixie

# the names of Debian's own suites; "main" is asked for beside them, because others borrow the code names
debian_suite='^(bookworm|trixie|stable|oldstable|testing)(-updates|-security)?/?$'

# private_apt: makes the folders once, and sets apt_options
private_apt() {
	local dir=$work/apt
	apt_options=(-q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/sources"
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root
		-o APT::Architecture=amd64 -o Acquire::Languages=none)
	[[ -z $(find "$dir/ready" -mmin -720 2> /dev/null) ]] || return 0
	command -v apt-get > /dev/null || return 0
	rm -rf "$dir"
	mkdir -p "$dir/sources" "$dir/lists/partial" "$dir/cache/archives/partial"
	apt_entries | as_deb822 > "$dir/sources/$suite.sources"
	[[ -s $dir/sources/$suite.sources ]] || warn "no Debian entry in this machine's apt sources to derive $suite's from"
	apt-get "${apt_options[@]}" update >> "$work/log/fetch.log" 2>&1 || warn "apt-get update for $suite wasn't complete (see $work/log/fetch.log)"
	touch "$dir/ready"
}

# apt_entries: this machine's Debian entries of both file formats, as lines URI, SUITE, KEY, separated by tabs
apt_entries() {
	local f
	for f in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
		[[ -f $f ]] || continue
		case $f in
		*.list)    one_line_entries "$f" ;;
		*.sources) deb822_entries "$f" ;;
		esac
	done
}

# `deb [signed-by=KEY] URI SUITE COMPONENT...`
one_line_entries() {
	awk -v pattern="$debian_suite" -v OFS='\t' '
		$1 != "deb" && $1 != "deb-src" { next }
		{
			line = $0; key = ""; options = ""
			if (match(line, /\[[^]]*\]/)) {
				options = substr(line, RSTART + 1, RLENGTH - 2)
				line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
			}
			if (match(options, /signed-by=[^ ]+/)) key = substr(options, RSTART + 10, RLENGTH - 10)
			split(line, w, " ")
			if (w[3] ~ pattern && (line " ") ~ / main /) print w[2], w[3], key
		}' "$1"
}

# paragraphs of `Field: value` lines; a key may be a block of lines, kept on one with \001 between them
deb822_entries() {
	awk -v pattern="$debian_suite" -v OFS='\t' '
		function emit(   u, s, i, j, n, m) {
			n = split(value["uris"], u, " "); m = split(value["suites"], s, " ")
			if ((" " value["components"] " ") ~ / main / && value["types"] ~ /deb/ && value["enabled"] !~ /no/)
				for (i = 1; i <= n; i++) for (j = 1; j <= m; j++)
					if (s[j] ~ pattern) print u[i], s[j], value["signed-by"]
			split("", value)
		}
		/^#/       { next }
		/^[ \t]*$/ { emit(); next }
		/^[ \t]/   { value[field] = value[field] "\001" $0; next }
		{
			field = tolower($1); sub(/:.*/, "", field)
			text = $0; sub(/^[^:]*:[ \t]*/, "", text); value[field] = text
		}
		END { emit() }' "$1"
}

# as_deb822: those lines with the suite replaced, each URI and suite once, with the key if any line names one. A machine
# set up by debootstrap has no line for the security archive: by Debian's layout it lies beside the main one.
as_deb822() {
	awk -F '\t' -v suite="$suite" '
		function add(uri, name, by) {
			sub(/\/+$/, "", uri)
			if (!((uri, name) in key)) order[++n] = uri SUBSEP name
			if (key[uri, name] == "") key[uri, name] = by
		}
		{
			tail = match($2, /-(updates|security)/) ? substr($2, RSTART, RLENGTH) : ""
			if (tail == "-security") security = 1
			else if (match($1, /\/debian\/*$/)) { beside = substr($1, 1, RSTART) "debian-security"; beside_key = $3 }
			add($1, suite tail, $3)
		}
		END {
			if (!security && beside != "") add(beside, suite "-security", beside_key)
			for (i = 1; i <= n; i++) {
				split(order[i], part, SUBSEP); by = key[part[1], part[2]]; gsub(/\001/, "\n", by)
				printf "Types: deb deb-src\nURIs: %s\nSuites: %s\nComponents: main\n%s\n", part[1], part[2], by == "" ? "" : "Signed-By: " by "\n"
			}
		}'
}
