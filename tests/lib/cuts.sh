# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# Power cuts. The first sweep's writes to all disks are recorded (record=yes); from that the disks are brought to what they may hold
# when the power goes at a moment: what was flushed, and of the rest whatever the seed leaves. In `machine`:
#   cuts=N           so many moments: one at each flush as far as they reach (half of N at most), the others by chance
#   cuts=flushes     at every flush of the disk that cuts-beside names, and at the end
#   cuts-beside=DISK all states of this one disk side by side in one machine, the report on a new disk; else a machine for each state,
#                    its report's disk in the state of the same moment
# The expectation's second and third block (`again`) count for each state.

# cut_moments SCENARIO LOG: the moments, by the seed
cut_moments() {
	local count half total random
	count=$(setting "$1" cuts 0)
	faultdisk moments "$2" > "$2.moments"
	total=$(sed -n 's/^records //p' "$2.moments")
	if [[ $count == flushes ]]; then
		disk_names "$1" | grep -nx "$(setting "$1" cuts-beside -)" | awk -F : -v total="$total" '
			NR == FNR { number = $1 - 1; next }
			{ split($0, word, " ") }
			word[1] == "flush" && word[3] == number { print word[2] }
			END { print total }' - "$2.moments" | sort -nu
		return
	fi
	half=$((count / 2))
	random=$(seed_of "$1")
	{
		# what no flush ended is the last moment
		say "$total"
		awk -v n="$half" -v seed="$random" 'BEGIN { srand(seed) } $1 == "flush" { at[++k] = $2 }
			END { while (n-- > 1 && k > 0) { i = 1 + int(rand() * k); print at[i]; at[i] = at[k--] } }' "$2.moments"
		awk -v n=$((count - half)) -v seed="$random" -v total="$total" 'BEGIN { srand(seed + 1); while (n-- > 0) print 1 + int(rand() * total) }'
	} | sort -nu
}

# cut_sweeps SCENARIO DIR: everything behind the first sweep; prints how many states there were
cut_sweeps() {
	local moment number=0 beside
	beside=$(setting "$1" cuts-beside -)
	cut_moments "$1" "$2/log" > "$2/moments"
	mkdir -p "$2/cuts"
	while read -r moment; do
		number=$((number + 1))
		if [[ $beside != - ]]; then
			cut_disks "$1" "$2" "$moment" "$2/cuts/$(printf %03d "$number")-"
			find "$2/cuts" -name "$(printf %03d "$number")-*" ! -name "*-$beside.raw" -delete
		else
			cut_alone "$1" "$2" "$moment" "$number"
		fi
	done < "$2/moments"
	[[ $beside == - ]] || cut_beside "$1" "$2"
	say "$number states, seed $(seed_of "$1")"
}

# cut_disks SCENARIO DIR MOMENT PREFIX: the disks at that moment, PREFIXDISK.raw
cut_disks() {
	local disk words=()
	for disk in $(disk_names "$1"); do
		cp --sparse=always --reflink=auto "$(disk_file "$(disks_of "$1")" "$disk")" "$4$disk.raw"
		words+=("$disk=$4$disk.raw")
	done
	cp --sparse=always "$2/report.base" "$4report.raw"
	faultdisk cut "$2/log" "$3" "$(($(seed_of "$1") + $3))" "${words[@]}" "report=$4report.raw"
}

cut_beside() {
	local run
	rm -f "$2/report.img" "$2"/*.raw
	for run in 2 3; do
		reports=$((run - 1)) sweep "$1" "$2" "$run"
		[[ $(<"$2/$run/end") != accident ]] || return 0
		differences "$2" "$2/$run" > "$2/$run/differences"
	done
}

# cut_alone SCENARIO DIR MOMENT NUMBER
cut_alone() {
	local dir=$2/cuts/$4 run
	until cut_swept "$1" "$2" "$3" "$dir"; do
		say "an accident of the emulator; once more"
	done
	for run in 2 3; do
		sed "s|^|cut at $3: |" "$dir/$run/differences" >> "$2/$run/differences"
	done
	[[ -s $dir/2/differences || -s $dir/3/differences ]] || rm -r "$dir"
}

# cut_swept SCENARIO DIR MOMENT FOLDER: the disks of that moment, and both sweeps of them; fails where the emulator had an accident,
# which is one cut more
cut_swept() {
	local run
	rm -rf "$4"
	mkdir -p "$4"
	cut_disks "$1" "$2" "$3" "$4/"
	mv "$4/report.raw" "$4/report.img"
	ln -s "$2/image" "$4/image"
	for run in 2 3; do
		cp -r "$2/$run" "$4/$run"
		rm -f "$4/$run/differences"
		reports=any sweep "$1" "$4" "$run"
		[[ $(<"$4/$run/end") != accident ]] || return 1
		differences "$4" "$4/$run" > "$4/$run/differences"
	done
}

# attach_cuts DIR DISK: the words for the states of a disk side by side
attach_cuts() {
	local file number=0
	printf -- '-device\nvirtio-scsi-pci,id=scsi\n'
	for file in "$1"/cuts/*-"$2.raw"; do
		drive "cut$number" "$file" raw
		printf -- '-device\nscsi-hd,bus=scsi.0,drive=cut%s,lun=%s,serial=cut%s\n' "$number" "$number" "$number"
		number=$((number + 1))
	done
}
