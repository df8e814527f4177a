# shellcheck shell=bash
# Sources: every file is pinned by its sha256, so it may come from anywhere that has those bytes:
# the download cache, a folder of files that you name, or the system's own apt with the suite replaced.

suite=trixie

if [[ ${GUESTSWEEP_DOWNLOADS:-} ]]; then
	downloads=$GUESTSWEEP_DOWNLOADS
else	# of the machine, not of the checkout: a fresh clone finds what an earlier one fetched
	downloads=${XDG_CACHE_HOME:-${HOME:-$top}/.cache}/$project/downloads
fi

# cached FILE SHA256: where the file lies, with the right bytes
cached() {
	local place
	for place in "$downloads" "$top/.downloads" ${GUESTSWEEP_SOURCES:+"$GUESTSWEEP_SOURCES"}; do
		[[ -f $place/$1 ]] || continue
		if sha256sum --status -c <<< "$2  $place/$1"; then
			say "$place/$1"
			return 0
		fi
		warn "$place/$1 isn't the pinned file (its sha256 isn't $2); ignored"
	done
	return 1
}

# fetch NAME...: get the sources of these packages into the cache, or say what is missing
fetch() {
	local name line file sha lost=()
	for name; do
		(	# a recipe's variables stay in here
			load_recipe "$name"
			for line in "${sources[@]}"; do
				read -r file sha <<< "$line"
				cached "$file" "$sha" > /dev/null && continue
				[[ ${offline:-} ]] || fetch_with_apt "$name"
				break
			done
		)
		while read -r file sha; do
			cached "$file" "$sha" > /dev/null || lost+=("$file (sha256 $sha), for $name")
		done < <(load_recipe "$name"; printf '%s\n' "${sources[@]}")
	done
	(( ${#lost[@]} )) || return 0
	note "missing sources:"
	printf '  %s\n' "${lost[@]}" >&2
	if [[ ${offline:-} ]]; then
		die "with --offline only the cache counts; put these files into $downloads, or leave out --offline"
	fi
	die "apt doesn't offer them (any more); put them into a folder and name it: GUESTSWEEP_SOURCES=DIR ./build.sh"
}

# fetch_with_apt NAME: download the recipe's source package ($debian) or binary package ($deb).
# The pinned version first; then whatever version there is, whose upstream tarball is often the same.
fetch_with_apt() {
	local tmp spec file sha line
	private_apt
	tmp=$(mktemp -d "$work/fetch.XXXXXX")
	note "fetching $1"
	for spec in ${debian:+"$debian" "${debian%%=*}"}; do
		(cd "$tmp" && apt-get "${apt_options[@]}" source --download-only "$spec") >> "$work/log/fetch.log" 2>&1 && break
	done
	for spec in ${deb:+"$deb"}; do
		(cd "$tmp" && apt-get "${apt_options[@]}" download "$spec") >> "$work/log/fetch.log" 2>&1 || true
	done
	mkdir -p "$downloads"
	for line in "${sources[@]}"; do
		read -r file sha <<< "$line"
		[[ -f $tmp/$file ]] || continue
		sha256sum --status -c <<< "$sha  $tmp/$file" ||
			die "$1: apt gave a $file whose sha256 isn't $sha; refused"
		mv -f "$tmp/$file" "$downloads/$file"
	done
	rm -rf "$tmp"
}

# private_apt: the machine's own apt sources with the suite replaced, in folders of ours; sets apt_options.
# The machine's package lists and configuration stay as they are.
private_apt() {
	local dir=$work/apt
	apt_options=(-q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$dir/sources"
		-o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root
		-o APT::Architecture=amd64 -o Acquire::Languages=none)
	[[ -e $dir/ready ]] && return
	command -v apt-get > /dev/null || return 0
	rm -rf "$dir"
	mkdir -p "$dir/sources" "$dir/lists/partial" "$dir/cache/archives/partial"
	apt_sources > "$dir/sources/$suite.sources"
	[[ -s $dir/sources/$suite.sources ]] || warn "no Debian entry in this machine's apt sources to derive $suite's from"
	apt-get "${apt_options[@]}" update >> "$work/log/fetch.log" 2>&1 || warn "apt-get update for $suite wasn't complete (see $work/log/fetch.log)"
	touch "$dir/ready"
}

# apt_sources: this machine's Debian entries, both file formats, as deb822 with the suite replaced
apt_sources() {
	local etc=/etc/apt f
	[[ -f $etc/sources.list ]] && one_line_sources "$etc/sources.list"
	for f in "$etc"/sources.list.d/*; do
		case $f in
		*.list)    one_line_sources "$f" ;;
		*.sources) deb822_sources "$f" ;;
		esac
	done
}

# Debian's own suites, whatever the release; "main" is asked for beside it, because others borrow the code names
debian_suite='^(bookworm|trixie|stable|oldstable|testing)(-updates|-security)?/?$'

# `deb [signed-by=KEY] URI SUITE COMPONENT...`
one_line_sources() {
	awk -v pattern="$debian_suite" -v suite="$suite" '
		$1 != "deb" && $1 != "deb-src" { next }
		{
			line = $0; key = ""; options = ""
			if (match(line, /\[[^]]*\]/)) {
				options = substr(line, RSTART + 1, RLENGTH - 2)
				line = substr(line, 1, RSTART - 1) substr(line, RSTART + RLENGTH)
			}
			if (match(options, /signed-by=[^ ]+/)) key = substr(options, RSTART + 10, RLENGTH - 10)
			n = split(line, w, " ")
			if (w[3] !~ pattern || (" " line " ") !~ / main /) next
			tail = match(w[3], /-(updates|security)/) ? substr(w[3], RSTART, RLENGTH) : ""
			entry = "Types: deb deb-src\nURIs: " w[2] "\nSuites: " suite tail "\nComponents: main\n"
			if (key != "") entry = entry "Signed-By: " key "\n"
			if (!seen[entry]++) print entry
		}' "$1"
}

# paragraphs of `Field: value` lines
deb822_sources() {
	awk -v pattern="$debian_suite" -v suite="$suite" '
		function emit(   n, w, i, s, tail, list) {
			n = split(suites, w, " ")
			for (i = 1; i <= n; i++) if (w[i] ~ pattern) {
				tail = match(w[i], /-(updates|security)/) ? substr(w[i], RSTART, RLENGTH) : ""
				if (!index(" " list " ", " " suite tail " ")) list = list " " suite tail
			}
			if (list != "" && (" " components " ") ~ / main / && types ~ /deb/ && enabled !~ /no/)
				print "Types: deb deb-src\nURIs: " uris "\nSuites:" list "\nComponents: main" (key != "" ? "\nSigned-By:" key : "") "\n"
			suites = components = types = uris = key = enabled = ""
		}
		/^#/           { next }
		/^[ \t]*$/     { emit(); next }
		/^[ \t]/       { if (field == "signed-by") key = key "\n" $0; next }
		{
			field = tolower($1); sub(/:$/, "", field); value = $0; sub(/^[^:]*:[ \t]*/, "", value)
			if (field == "suites") suites = value
			if (field == "components") components = value
			if (field == "types") types = value
			if (field == "uris") uris = value
			if (field == "enabled") enabled = value
			if (field == "signed-by") key = " " value
		}
		END { emit() }' "$1"
}
