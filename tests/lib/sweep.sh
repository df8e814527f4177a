# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# One sweep of a scenario's disks by the image, and what comes out of it.

# setting SCENARIO KEY DEFAULT: from the scenario's `machine` file: memory=MiB, limit=SECONDS, report-size=SIZE,
# report-disk=full|broken, failing-writes=DISK, waits=yes (long, but without work), qemu=WORDS (more of the machine),
# late=DISK (its person plugs it in), installed=yes (guestsweep is installed in the overlay, as on a host)
setting() {
	local found=
	[[ ! -f $scenarios/$1/machine ]] || found=$(sed -n "s/^$2=//p" "$scenarios/$1/machine")
	say "${found:-$3}"
}

# make_image SCENARIO FILE: the image, this host's packed configuration, and the scenario's overlay
make_image() {
	local name=$1 dir part parts=("$image")
	dir=$(dirname "$2")
	mkdir -p "$dir/config"
	for part in sweep.conf crypttab; do
		[[ ! -f $scenarios/$name/$part ]] || cp "$scenarios/$name/$part" "$dir/config/"
	done
	[[ ! -f $scenarios/$name/crypttab ]] || cp -r "$(keys_of "$name")" "$dir/config/keys"
	if [[ -n $(ls "$dir/config") ]]; then
		"$top/build.sh" pack "$dir/config" "$dir/config.cpio" > "$dir/pack.log" 2>&1
		parts+=("$dir/config.cpio")
	fi
	if [[ -d $scenarios/$name/overlay ]]; then
		cp -r "$scenarios/$name/overlay" "$dir/overlay"
		[[ ! -d $scenarios/$name/next ]] || next_kernel "$scenarios/$name/next" "$dir/overlay/next"
		for part in $(cd "$dir/overlay" && find usr/bin -type f 2> /dev/null); do
			image_file "$part" > "$dir/overlay/$part.real"
		done
		[[ $(setting "$name" installed no) == no ]] || installed_host "$dir/overlay"
		find "$dir/overlay" -type f -exec chmod 755 {} +
		archive "$dir/overlay" > "$dir/overlay.cpio"
		parts+=("$dir/overlay.cpio")
	fi
	join_images "${parts[@]}" > "$2"
}

# next_kernel ROOT DIR: a kernel for the machine to load, with an initramfs of its own: BusyBox and what is in ROOT
next_kernel() {
	cp -r "$1" "$2"
	mkdir "$2/bin"
	image_file usr/bin/busybox > "$2/bin/busybox"
	chmod 755 "$2/bin/busybox" "$2/init"
	archive "$2" > "$2.cpio"
	rm -rf "$2"
	mkdir "$2"
	mv "$2.cpio" "$2/initrd"
	cp "$kernel" "$2/kernel"
	cp "$image_work/extras/usr/bin/load-kernel" "$2/"
}

# installed_host ROOT: what ./build.sh install leaves on a host
installed_host() {
	mkdir -p "$1/etc"
	say 0123456789abcdef0123456789abcdef > "$1/etc/machine-id"
	GUESTSWEEP_ROOT=$1 "$top/build.sh" install > "$1.log" 2>&1
}

# image_file PATH: a file as the image holds it
image_file() { zstd -dcq "$image" | cpio --quiet -i --to-stdout "$1"; }

# attach_disks SCENARIO DIR: prints QEMU words for the disks, each a throw-away overlay in DIR over the base disk
attach_disks() {
	local name=$1 dir=$2 from disk bus fate late ports=0
	from=$(disks_of "$name")
	late=$(setting "$name" late -)
	disk_lines "$from" | awk '!seen[$3]++ { print $3 }' | while read -r bus; do
		case $bus in
		scsi) printf -- '-device\nvirtio-scsi-pci,id=scsi\n' ;;
		ahci) printf -- '-device\nahci,id=ahci\n' ;;
		usb) printf -- '-device\nqemu-xhci,id=usb\n' ;;
		esac
	done
	while read -r disk _ bus fate; do
		[[ $fate == there || $disk == "$late" ]] || continue
		[[ -f $dir/$disk.qcow2 ]] ||
			qemu-img create -q -f qcow2 -F raw -b "$(disk_file "$from" "$disk")" "$dir/$disk.qcow2"
		if [[ $(setting "$name" failing-writes -) == "$disk" ]]; then
			printf -- '-drive\nif=none,id=%s,driver=blkdebug,image.driver=qcow2,image.file.driver=file,image.file.filename=%s,%s\n' \
				"$disk" "$dir/$disk.qcow2" 'inject-error.0.event=none,inject-error.0.iotype=write,inject-error.0.errno=5'
		else
			drive "$disk" "$dir/$disk.qcow2" qcow2
		fi
		[[ $disk != "$late" ]] || continue
		case $bus in
		virtio) printf -- '-device\nvirtio-blk-pci,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		scsi) printf -- '-device\nscsi-hd,bus=scsi.0,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		ahci) printf -- '-device\nide-hd,bus=ahci.%s,drive=%s,serial=%s\n' $((ports++)) "$disk" "$disk" ;;
		nvme) printf -- '-device\nnvme,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		usb) printf -- '-device\nusb-storage,bus=usb.0,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		esac
	done < <(disk_lines "$from")
}

# report_disk SCENARIO FILE: the report filesystem; `report-disk=full` leaves no free block, `broken` no superblock
report_disk() {
	local free
	truncate -s "$(setting "$1" report-size 32M)" "$2"
	mke2fs -q -F -t ext4 -b 1024 -m 0 -L GSREPORT "$2"
	case $(setting "$1" report-disk good) in
	full)
		free=$(dumpe2fs -h "$2" 2> /dev/null | sed -n 's/^Free blocks: *//p')
		head -c $((free * 1024)) /dev/urandom > "$2.filler"
		debugfs -w -R "write $2.filler filler" "$2" > /dev/null 2>&1
		rm "$2.filler"
		;;
	broken) dd if=/dev/zero of="$2" bs=1024 seek=2 count=40 conv=notrunc status=none ;;
	esac
}

# sweep SCENARIO DIR RUN: boots the image over the overlays in DIR; into DIR/RUN: console, end, summary, report.json, report/
sweep() {
	local name=$1 dir=$2 run=$2/$3 words=() more=() line='' person=''
	[[ ! -f $scenarios/$name/cmdline ]] || line=$(xargs < "$scenarios/$name/cmdline")
	mapfile -t words < <(attach_disks "$name" "$dir")
	if ! expects "$run" no-report; then
		[[ -f $dir/report.img ]] || report_disk "$name" "$dir/report.img"
		mapfile -t -O "${#words[@]}" words < <(drive report "$dir/report.img" raw)
		words+=(-device 'virtio-blk-pci,drive=report,serial=report')
	fi
	read -ra more <<< "$(setting "$name" qemu '')"
	words+=("${more[@]}")
	[[ ! -f $scenarios/$name/person ]] || person=$scenarios/$name/person
	memory=$(setting "$name" memory 512) \
		machine "$run" "$(setting "$name" limit 180)" "$line" "$dir/image" "${words[@]}" > "$run/end"
	tr -d '\r' < "$run/console" | grep -aE '^guestsweep: verdict=[a-z]+ filesystems=[0-9]+ clean=[0-9]+ repaired=[0-9]+ uncorrected=[0-9]+ skipped=[0-9]+ errors=[0-9]+ seconds=[0-9.]+$' |
		tail -n 1 > "$run/summary" || true
	expects "$run" no-report || [[ $(setting "$name" report-disk good) == broken ]] || fetch_report "$dir/report.img" "$run" "$3"
}

# fetch_report DISK DIR RUN: reads the report filesystem without mounting it
fetch_report() {
	local folder last
	mkdir -p "$2/report"
	debugfs -R "rdump / $2/report" "$1" > "$2/rdump.log" 2>&1
	e2fsck -f -n "$1" > "$2/report-filesystem.log" 2>&1 || say "the report filesystem itself is damaged" >> "$2/report-problems"
	dumpe2fs -h "$1" 2> /dev/null | grep -q needs_recovery && say "the report filesystem was not unmounted" >> "$2/report-problems"
	folder=$2/report$(expected "$2" 'report-folder ' || true)
	find "$folder" -mindepth 1 -maxdepth 1 -type d -regextype egrep -regex '.*/[0-9]{8}T[0-9]{6}Z' -printf '%f\n' 2> /dev/null |
		sort > "$2/folders"
	if expects "$2" 'report none'; then
		[[ ! -s $2/folders ]] || say "there is a report: $(xargs < "$2/folders")" >> "$2/report-problems"
		return 0
	fi
	[[ $(wc -l < "$2/folders") == "$3" ]] || say "expected $3 report folders, found: $(xargs < "$2/folders")" >> "$2/report-problems"
	last=$(cat "$folder/last" 2> /dev/null) || say "no file named last" >> "$2/report-problems"
	[[ $last == "$(tail -n 1 "$2/folders")" ]] || say "last names \"$last\", the newest is $(tail -n 1 "$2/folders")" >> "$2/report-problems"
	[[ -s $folder/$last/report.txt ]] || say "no report.txt" >> "$2/report-problems"
	if jq -e . "$folder/$last/report.json" > /dev/null 2>&1; then
		ln -sfn "$folder/$last/report.json" "$2/report.json"
		ln -sfn "$folder/$last/report.txt" "$2/report.txt"
	else
		say "no report.json that is JSON" >> "$2/report-problems"
	fi
}

# contract DIR: prints the breaches of the contract in DIR/report.json
contract() {
	[[ -s $1/report.json ]] || return 0
	local folder files summary
	folder=$(dirname "$(readlink -f "$1/report.json")")
	files=$(cd "$folder" && find . -type f -printf '%P\n' | jq -R . | jq -s .)
	summary=$(sed -E 's/^guestsweep: //; s/ seconds=.*//' "$1/summary" |
		jq -R 'split(" ") | map(split("=") | {key: .[0], value: (.[1] | tonumber? // .)}) | from_entries')
	jq -r --argjson files "$files" --argjson summary "${summary:-null}" -f "$top/tests/lib/contract.jq" "$1/report.json" 2>&1
}

# written DIR: the overlays in DIR that were written to, by name: those where a cluster is their own
written() {
	local overlay
	for overlay in "$1"/*.qcow2; do
		[[ -f $overlay ]] || continue
		[[ $(qemu-img map --output=json "$overlay" | jq 'any(.[]; .depth == 0 and .present != false)') == false ]] || basename "$overlay" .qcow2
	done
}

# restored DIR RUN SCENARIO: prints the disk that should again hold what it held before, and doesn't, or was never written to
restored() {
	local disk
	disk=$(expected "$2" 'restored ') || return 0
	written "$1" | grep -qx "$disk" || say "disk $disk was never written to"
	qemu-img compare -q -f qcow2 -F raw "$1/$disk.qcow2" "$(disk_file "$(disks_of "$3")" "$disk")" || say "disk $disk isn't what it was before"
}

# untouched DIR RUN: prints the disks that were written to and should not have been
untouched() {
	local wanted disk
	expects "$2" unchanged || return 0
	wanted=" $(expected "$2" 'unchanged ' || true) "
	for disk in $(written "$1"); do
		[[ $wanted == '  ' || $wanted == *" $disk "* ]] && say "disk $disk was written to"
	done
	return 0
}
