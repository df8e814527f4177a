# shellcheck shell=bash
# Sources: every file is pinned by its sha256, so it may come from anywhere that has those bytes:
# the download cache, a folder of files that you name, or the system's own apt with the suite replaced.

# of the machine, not of the checkout: a fresh clone finds what an earlier one fetched
downloads=${GUESTSWEEP_DOWNLOADS:-${XDG_CACHE_HOME:-${HOME:-$top}/.cache}/$project/downloads}
downloads=$(realpath -m -- "$downloads")
source_folder=${GUESTSWEEP_SOURCES:+$(realpath -m -- "$GUESTSWEEP_SOURCES")}

# cached FILE SHA256: where the file lies, with the right bytes
cached() {
	local place
	for place in "$downloads" "$top/.downloads" ${source_folder:+"$source_folder"}; do
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
			cached "$file" "$sha" > /dev/null 2>&1 || lost+=("$file (sha256 $sha), for $name")
		done < <(load_recipe "$name"; printf '%s\n' "${sources[@]}")
	done
	(( ${#lost[@]} )) || return 0
	note "missing sources:"
	printf '  %s\n' "${lost[@]}" >&2
	if [[ ${offline:-} ]]; then
		die "put these files into $downloads, or into a folder named by GUESTSWEEP_SOURCES=DIR, or leave out --offline"
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
