# shellcheck shell=bash
# pack: a host's configuration folder as a cpio to append to the image. Written here by hand, without a copy of
# any secret on the way, and without needing any tool but the shell and coreutils.

pack_inode=0

# newc NAME MODE SIZE: the header of one entry, padded; its content follows
newc() {
	pack_inode=$((pack_inode + 1))
	printf '070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s\0' \
		"$pack_inode" "$2" 0 0 1 "$SOURCE_DATE_EPOCH" "$3" 0 0 0 0 $((${#1} + 1)) 0 "$1"
	pad $((110 + ${#1} + 1))
}

# pad BYTES: zeroes up to the next multiple of 4
pad() { head -c $((-$1 & 3)) /dev/zero; }

# pack_tree DIR: the whole archive on standard output
pack_tree() {
	local path size
	newc etc $((8#040755)) 0
	newc etc/guestsweep $((8#040700)) 0
	while IFS= read -r -d '' path; do
		if [[ -d $1/$path ]]; then
			newc "etc/guestsweep/$path" $((8#040700)) 0
		else
			size=$(stat -c %s -- "$1/$path")
			newc "etc/guestsweep/$path" $((8#100600)) "$size"
			# exactly as long as the header says, also when the file is being changed
			head -c "$size" -- "$1/$path"
			pad "$size"
		fi
	done < <(cd "$1" && find . -mindepth 1 -printf '%P\0' | sort -z)
	newc 'TRAILER!!!' 0 0
}

pack_check() {
	local odd folder
	[[ -d $1 ]] || die "pack: $1 is not a folder"
	[[ -r $1 && -x $1 ]] || die "pack: $1 can't be read"
	odd=$(find "$1/" -mindepth 1 ! -type f ! -type d -print -quit)
	[[ -z $odd ]] || die "pack: $odd is neither a file nor a folder; only those can be packed"
	odd=$(find "$1/" -mindepth 1 ! -readable -print -quit)
	[[ -z $odd ]] || die "pack: $odd can't be read"
	[[ -e $1/sweep.conf || -e $1/crypttab ]] || warn "pack: $1 holds neither sweep.conf nor crypttab"
	[[ ! -d $2 ]] || die "pack: $2 is a folder; name the file to write"
	folder=$(realpath -e -- "$(dirname -- "$2")" 2> /dev/null) || die "pack: there is no folder $(dirname -- "$2") to write to"
	[[ $folder/ != "$(realpath -e -- "$1")"/* ]] || die "pack: $2 lies in $1 itself; name a file outside of it"
}

# pack_config DIR FILE
pack_config() {
	local new
	pack_check "$1" "$2"
	umask 077
	new=$(mktemp -- "$(dirname -- "$2")/.${2##*/}.XXXXXX")
	# shellcheck disable=SC2064 # the name as it is now
	trap "rm -f -- $(printf %q "$new")" EXIT
	pack_tree "$1" > "$new"
	sync -- "$new"
	mv -f -T -- "$new" "$2"
	trap - EXIT
	say "packed $1 into $2 ($(stat -c %s -- "$2") bytes, mode 0600)"
	if [[ -n $(find "$1/" -mindepth 2 -type f -print -quit) ]]; then
		say "It holds keys, so it is as secret as they are: it belongs on encrypted storage or in memory only, never on a plain /boot."
	fi
}
