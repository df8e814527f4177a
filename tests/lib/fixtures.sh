# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# The scenarios' disks, made in fixture machines and kept in out/test/disks/SCENARIO/ until their recipe changes.

# disks_of SCENARIO: the scenario whose disks it uses: its own, or those of another one (`like OTHER` alone in `disks`)
disks_of() {
	local other
	other=$(sed -n 's/^like  *//p' "$scenarios/$1/disks")
	say "${other:-$1}"
}

# disk_lines SCENARIO: its `disk NAME SIZE [BUS] [lost]` lines, as "NAME SIZE BUS FATE"
disk_lines() {
	awk '$1 == "disk" {
		bus = "virtio"; fate = "there"
		for (i = 4; i <= NF && $i !~ /^#/; i++) if ($i == "lost") fate = $i; else bus = $i
		print $2, $3, bus, fate
	}' "$scenarios/$1/disks"
}

disk_file() { say "$beds/disks/$1/$2.img"; }

# keys_of SCENARIO: the folder with its key files; most use the common ones
keys_of() { if [[ -d $scenarios/$1/keys ]]; then say "$scenarios/$1/keys"; else say "$fixture/keys"; fi; }

# fixture_key SCENARIO: a hash over everything that its disks come from
fixture_key() {
	local files
	mapfile -t files < <(files_below "$fixture/rootfs/fixture/init" "$fixture"/rootfs/fixture/*.sh "$(keys_of "$1")")
	hash_text "$tools_key" "$(hash_of "$scenarios/$1/disks" "${files[@]}")"
}

# fixture_load SCENARIO: about how long its disks take to make, to spread them evenly
fixture_load() { awk '/real_cost/ { n += 60 } /^lvm_kinds/ { n += 25 } /^[^#]/ { n++ } END { print n }' "$scenarios/$1/disks"; }

# make_fixtures SCENARIO...: makes what is stale, in three machines side by side. A scenario whose disks could not be
# made has no key file; the reason is in disks/SCENARIO.failed.
make_fixtures() {
	local name turn i wanted=() batches=('' '' '') load=(0 0 0) machines=()
	local tools_key
	tools_key=$(hash_of "$kernel" "$recipes"/{btrfs-progs,busybox,cryptsetup,dosfstools,e2fsprogs,exfatprogs,f2fs-tools,lvm2,ntfs-3g,util-linux,xfsprogs})
	mkdir -p "$beds/disks"
	for name; do
		[[ -n $(disk_lines "$name") ]] || continue
		stamped "$beds/disks/$name/key" "$(fixture_key "$name")" && continue
		turn=0
		for i in "${!load[@]}"; do (( load[i] >= load[turn] )) || turn=$i; done
		batches[turn]+="$name "
		load[turn]=$(( load[turn] + $(fixture_load "$name") ))
		wanted+=("$name")
	done
	(( ${#wanted[@]} )) || return 0
	accelerator > /dev/null
	for turn in "${!batches[@]}"; do
		[[ ${batches[turn]} ]] || continue
		read -ra wanted <<< "${batches[turn]}"
		fixture_machine "$turn" "${wanted[@]}" &
		machines+=($!)
	done
	wait "${machines[@]}" || true # what could not be made, its scenario says
}

# fixture_machine NUMBER SCENARIO...: one machine makes the disks of these scenarios
fixture_machine() {
	local dir=$beds/fixture$1 name disk size lun=0 end words=()
	shift
	rm -rf "$dir"
	mkdir -p "$dir/root/fixture/input"
	for name; do
		rm -rf "$beds/disks/$name" "$beds/disks/$name.failed"
		mkdir -p "$beds/disks/$name" "$dir/root/fixture/input/$name"
		cp "$scenarios/$name/disks" "$dir/root/fixture/input/$name/"
		cp -r "$(keys_of "$name")" "$dir/root/fixture/input/$name/keys"
		while read -r disk size _; do
			truncate -s "$size" "$(disk_file "$name" "$disk")"
			say "$name $disk $lun" >> "$dir/root/fixture/jobs"
			mapfile -t -O "${#words[@]}" words < <(drive "lun$lun" "$(disk_file "$name" "$disk")" raw)
			words+=(-device "scsi-hd,drive=lun$lun,lun=$lun")
			lun=$((lun + 1))
		done < <(disk_lines "$name")
	done
	archive "$dir/root" > "$dir/work.cpio"
	join_images "$fixture_image" "$dir/work.cpio" > "$dir/image"
	end=accident
	while [[ $end == accident ]]; do
		end=$(memory=1536 machine "$dir" 900 rdinit=/fixture/init "$dir/image" -device virtio-scsi-pci "${words[@]}")
	done
	for name; do
		fixture_result "$dir" "$name" "$end"
	done
	rm -f "$dir/image"
}

# fixture_result DIR SCENARIO END: what the machine said of it, on its own channel
fixture_result() {
	if grep -q "^done $2 0 " "$1/results"; then
		tr -d '\r' < "$1/results" | sed -n "s/^place $2 //p" > "$beds/disks/$2/places"
		fixture_key "$2" > "$beds/disks/$2/key"
	elif grep -q "^done $2 " "$1/results"; then
		awk -v name="$2" '/^done / { if ($2 == name) exit; text = ""; next } { text = text $0 "\n" } END { printf "%s", text }' \
			"$1/results" > "$beds/disks/$2.failed"
	else
		say "the fixture machine ended ($3) before it came to these disks; see $1/console" > "$beds/disks/$2.failed"
	fi
}
