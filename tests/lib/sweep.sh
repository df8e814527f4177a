# shellcheck shell=bash
# shellcheck disable=SC2154 # names of common.sh
# One sweep of a scenario's disks by the image, and what comes out of it.

# setting SCENARIO KEY DEFAULT: from the scenario's `machine` file: memory=MiB, processors=N (1), limit=SECONDS, report-size=SIZE,
# report-disk=full|tight|read-only|broken, failing-writes=DISK, read-only=DISK, log-writes=DISK (for `replay`), waits=yes (long, but without
# work), qemu=WORDS (more of the machine; qemu.N of its Nth sweep, as cmdline.N is that one's command line), late=DISK (its person plugs it
# in), second-console=yes (a third serial port, for its person), reports=N (so many sweeps in one boot), fresh-report=yes (an empty one each
# time), programs=NAMES (of the fixture's, in usr/bin), installed=yes (guestsweep is installed in the overlay, as on a host); more in faults.sh
# and cuts.sh
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
	if [[ -d $scenarios/$name/overlay || -f $scenarios/$name/hangs || -f $scenarios/$name/probes ]]; then
		mkdir -p "$dir/overlay"
		[[ ! -d $scenarios/$name/overlay ]] || cp -r "$scenarios/$name/overlay/." "$dir/overlay/"
		[[ ! -d $scenarios/$name/next ]] || next_kernel "$scenarios/$name/next" "$dir/overlay/next"
		for part in $(cd "$dir/overlay" && find usr/bin -type f 2> /dev/null); do
			image_file "$part" > "$dir/overlay/$part.real"
		done
		[[ ! -f $scenarios/$name/hangs ]] || stand_ins "$scenarios/$name/hangs" "$dir"
		[[ ! -f $scenarios/$name/probes ]] || probes "$scenarios/$name/probes" "$dir/overlay"
		seed_of "$name" > "$dir/overlay/seed"
		for part in $(setting "$name" programs ''); do
			cp "$image_work/extras/usr/bin/$part" "$dir/overlay/usr/bin/"
		done
		[[ $(setting "$name" installed no) == no ]] || installed_host "$dir/overlay"
		find "$dir/overlay" -type f -exec chmod 755 {} +
		archive "$dir/overlay" > "$dir/overlay.cpio"
		parts+=("$dir/overlay.cpio")
	fi
	join_images "${parts[@]}" > "$2"
}

# stand_ins FILE DIR: puts programs into DIR/overlay that go wrong at some filesystems, as the lines "PROGRAM LABEL:WHAT..." of FILE say
# (tests/lib/stand-in/; WHAT is hangs if not given): what checks a guest's bytes can run nothing else, no script either
stand_ins() {
	local cc=$work/toolchain/bin/musl-cc from=$here/stand-in program cases
	"$cc" -O2 -Wall -Wextra -Werror -o "$2/join" "$from/join.c"
	"$cc" -O1 -Wall -Wextra -Werror -ffreestanding -fpie -fno-jump-tables -fno-stack-protector -fno-asynchronous-unwind-tables \
		-c -o "$2/hang.o" "$from/hang.c"
	ld -N -Ttext=0 --build-id=none --no-warn-rwx-segments -o "$2/hang.elf" "$2/hang.o"
	objcopy -O binary -j .text "$2/hang.elf" "$2/hang"
	while read -r program cases; do
		read -ra cases <<< "$cases"
		[[ ${cases[0]} == *:* ]] || cases=("${cases[0]}:hangs")
		mkdir -p "$2/overlay/$(dirname "$program")"
		image_file "$program" > "$2/program"
		cp "$2/program" "$2/overlay/$program.real"
		"$2/join" "$2/program" "$2/hang" "${cases[@]}" > "$2/overlay/$program"
	done < "$1"
	rm "$2"/{join,hang.o,hang.elf,hang,program}
}

# probes FILE DIR: puts what tries to get out of a sandbox into DIR in the place of programs, as the lines "PROGRAM [PROBE]" of FILE say;
# the probes are of tests/fixture/programs/
probes() {
	local program probe
	while read -r program probe; do
		install -D "$image_work/extras/usr/bin/${probe:-sandbox-probe}" "$2/$program"
	done < "$1"
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

# image_file PATH: a file as the image holds it. cpio reads no further than its trailer, which would end zstd by a signal.
image_file() { zstd -dcq "$image" | { cpio --quiet -i --to-stdout "$1"; cat > /dev/null; }; }

# installed_host ROOT: what ./build.sh install leaves on a host
installed_host() {
	mkdir -p "$1/etc"
	say 0123456789abcdef0123456789abcdef > "$1/etc/machine-id"
	GUESTSWEEP_ROOT=$1 "$top/build.sh" install > "$1.log" 2>&1
}

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
		[[ -f $dir/$disk.qcow2 || -f $dir/$disk.raw ]] ||
			qemu-img create -q -f qcow2 -F raw -b "$(disk_file "$from" "$disk")" "$dir/$disk.qcow2"
		if [[ -f $dir/$disk.raw ]]; then
			raw_drive "$dir" "$disk" "$dir/$disk.raw"
		elif [[ $(setting "$name" failing-writes -) == "$disk" ]]; then
			printf -- '-drive\nif=none,id=%s,driver=blkdebug,image.driver=qcow2,image.file.driver=file,image.file.filename=%s,%s\n' \
				"$disk" "$dir/$disk.qcow2" 'inject-error.0.event=none,inject-error.0.iotype=write,inject-error.0.errno=5'
		elif [[ $(setting "$name" log-writes -) == "$disk" ]]; then
			: > "$dir/$disk.writes"
			printf -- '-drive\nif=none,id=%s,driver=blklogwrites,file.driver=qcow2,file.file.driver=file,file.file.filename=%s,%s\n' \
				"$disk" "$dir/$disk.qcow2" "log.driver=file,log.filename=$dir/$disk.writes,log-sector-size=512"
		else
			drive "$disk" "$dir/$disk.qcow2" qcow2 | sed "$([[ $(setting "$name" read-only -) != "$disk" ]] || say '2s/$/,readonly=on/')"
		fi
		[[ $disk != "$late" ]] || continue
		case $bus in
		virtio) printf -- '-device\nvirtio-blk-pci,id=disk-%s,drive=%s,serial=%s\n' "$disk" "$disk" "$disk" ;;
		scsi) printf -- '-device\nscsi-hd,bus=scsi.0,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		ahci) printf -- '-device\nide-hd,bus=ahci.%s,drive=%s,serial=%s\n' $((ports++)) "$disk" "$disk" ;;
		nvme) printf -- '-device\nnvme,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		usb) printf -- '-device\nusb-storage,bus=usb.0,drive=%s,serial=%s\n' "$disk" "$disk" ;;
		esac
	done < <(disk_lines "$from")
}

# report_disk SCENARIO FILE: the report filesystem; `report-disk=full` leaves no free block, `tight` enough for the folders of a report
# and not for the report, `broken` no superblock
report_disk() {
	local free
	truncate -s "$(setting "$1" report-size 32M)" "$2"
	mke2fs -q -F -t ext4 -b 1024 -m 0 -L GSREPORT "$2"
	case $(setting "$1" report-disk good) in
	full | tight)
		free=$(dumpe2fs -h "$2" 2> /dev/null | sed -n 's/^Free blocks: *//p')
		[[ $(setting "$1" report-disk good) == full ]] || free=$((free - 200))
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
	for line in "$scenarios/$name/cmdline.$3" "$scenarios/$name/cmdline" /dev/null; do
		[[ ! -e $line ]] || break
	done
	line=$(xargs < "$line")
	[[ $(setting "$name" fresh-report no) == no ]] || rm -f "$dir/report.img"
	expects "$run" no-report || [[ -f $dir/report.img ]] || report_disk "$name" "$dir/report.img"
	! is_served "$name" "$3" || serve_disks "$name" "$dir"
	if [[ -d $dir/cuts ]]; then
		mapfile -t words < <(attach_cuts "$dir" "$(setting "$name" cuts-beside -)")
	else
		mapfile -t words < <(attach_disks "$name" "$dir")
	fi
	if ! expects "$run" no-report; then
		if is_recorded "$name"; then
			mapfile -t -O "${#words[@]}" words < <(raw_drive "$dir" report "$dir/report.img")
		else
			mapfile -t -O "${#words[@]}" words < <(drive report "$dir/report.img" raw)
			[[ $(setting "$name" report-disk good) != read-only ]] || words[-1]+=,readonly=on
		fi
		words+=(-device 'virtio-blk-pci,drive=report,serial=report')
	fi
	read -ra more <<< "$(setting "$name" "qemu.$3" "$(setting "$name" qemu '')")"
	words+=("${more[@]}")
	for person in "$scenarios/$name/person.$3" "$scenarios/$name/person" ''; do
		[[ ! -f $person ]] || break
	done
	memory=$(setting "$name" memory 512) processors=$(setting "$name" processors 1) second_console=$(setting "$name" second-console no) \
		machine "$run" "$(setting "$name" limit 180)" "$line" "$dir/image" "${words[@]}" > "$run/end"
	! is_served "$name" "$3" || end_server "$dir"
	tr -d '\r' < "$run/console" | grep -aE '^guestsweep: verdict=[a-z]+ filesystems=[0-9]+ clean=[0-9]+ repaired=[0-9]+ uncorrected=[0-9]+ skipped=[0-9]+ errors=[0-9]+ seconds=[0-9.]+$' |
		tail -n 1 > "$run/summary" || true
	expects "$run" no-report || [[ $(setting "$name" report-disk good) == broken || $(<"$run/end") == cut ]] ||
		fetch_report "$dir/report.img" "$run" "${reports:-$(reports_expected "$name" "$dir" "$3")}"
}

# reports_expected SCENARIO DIR RUN: how many reports there are after this sweep
reports_expected() {
	if [[ $(setting "$1" fresh-report no) == yes ]]; then say 1; else say $(($(setting "$1" reports 1) * $(reporting "$2" "$3"))); fi
}

# reporting DIR RUN: how many of the sweeps up to this one should have left a report
reporting() {
	local run count=0
	for (( run = 1; run <= $2; run++ )); do
		expects "$1/$run" 'report none' || count=$((count + 1))
	done
	say "$count"
}

# newest DIR: the last of the report folders that no earlier sweep has left. The clock may have been set back.
newest() { grep -vxFf <(find "$(dirname "$1")" -path "*/[1-9]/folders" ! -path "$1/folders" -exec cat {} +) "$1/folders" | tail -n 1; }

# fetch_report DISK DIR COUNT: reads the report filesystem without mounting it
fetch_report() {
	local folder last line
	mkdir -p "$2/report"
	debugfs -R "rdump / $2/report" "$1" > "$2/rdump.log" 2>&1
	if ! expects "$2" verdict=none; then
		e2fsck -f -n "$1" > "$2/report-filesystem.log" 2>&1 || say "the report filesystem itself is damaged" >> "$2/report-problems"
		dumpe2fs -h "$1" 2> /dev/null | grep -q needs_recovery && say "the report filesystem was not unmounted" >> "$2/report-problems"
	fi
	folder=$2/report$(expected "$2" 'report-folder ' || true)
	find "$folder" -mindepth 1 -maxdepth 1 -type d -regextype egrep -regex '.*/[0-9]{8}T[0-9]{6}Z' -printf '%f\n' 2> /dev/null |
		sort > "$2/folders"
	if expects "$2" 'report none'; then
		[[ ! -s $2/folders ]] || say "there is a report: $(xargs < "$2/folders")" >> "$2/report-problems"
		return 0
	fi
	[[ $3 == any || $(wc -l < "$2/folders") == "$3" ]] || say "expected $3 report folders, found: $(xargs < "$2/folders")" >> "$2/report-problems"
	last=$(cat "$folder/last" 2> /dev/null) || say "no file named last" >> "$2/report-problems"
	[[ $last == "$(newest "$2")" ]] || say "last names \"$last\", the newest is $(newest "$2")" >> "$2/report-problems"
	[[ -s $folder/$last/report.txt ]] || say "no report.txt" >> "$2/report-problems"
	if jq -e . "$folder/$last/report.json" > /dev/null 2>&1; then
		ln -sfn "$folder/$last/report.json" "$2/report.json"
		ln -sfn "$folder/$last/report.txt" "$2/report.txt"
	else
		say "no report.json that is JSON" >> "$2/report-problems"
	fi
	sed -n 's/^every //p' "$2/expect.words" | while IFS= read -r line; do
		while read -r last; do
			jq -e "$line" "$folder/$last/report.json" > /dev/null || say "in $last this does not hold: $line"
		done < "$2/folders"
	done >> "$2/report-problems"
}

# contract DIR: prints the breaches of the contract in DIR/report.json
contract() {
	[[ -s $1/report.json ]] || return 0
	local folder files summary teardown=false
	! expects "$1" 'problem teardown' || teardown=true
	folder=$(dirname "$(readlink -f "$1/report.json")")
	files=$(cd "$folder" && find . -type f -printf '%P\n' | jq -R . | jq -s .)
	summary=$(sed -E 's/^guestsweep: //; s/ seconds=.*//' "$1/summary" |
		jq -R 'split(" ") | map(split("=") | {key: .[0], value: (.[1] | tonumber? // .)}) | from_entries')
	jq -r --argjson files "$files" --argjson teardown $teardown --argjson summary "${summary:-null}" -f "$top/tests/lib/contract.jq" "$1/report.json" 2>&1
}

# written DIR SCENARIO: the disks in DIR that were written to, by name: the overlays where a cluster is their own, the copies that differ
written() {
	local overlay
	for overlay in "$1"/*.raw; do
		[[ ! -f $overlay ]] || cmp -s "$overlay" "$(disk_file "$(disks_of "$2")" "$(basename "$overlay" .raw)")" || basename "$overlay" .raw
	done
	for overlay in "$1"/*.qcow2; do
		[[ -f $overlay ]] || continue
		[[ $(qemu-img map --output=json "$overlay" | jq 'any(.[]; .depth == 0 and .present != false)') == false ]] || basename "$overlay" .qcow2
	done
}

# leaked DIR RUN: prints what must not have been written anywhere, and was
leaked() {
	local text
	while read -r text; do
		! grep -qaF -- "$text" "$1"/*.qcow2 "$1/report.img" || say "this was written to a disk: $text"
	done < <(sed -n 's/^nowhere //p' "$2/expect.words")
}

# restored DIR RUN SCENARIO: prints the disk that should again hold what it held before, and doesn't, or was never written to
restored() {
	local disk
	disk=$(expected "$2" 'restored ') || return 0
	written "$1" "$3" | grep -x "$disk" > /dev/null || say "disk $disk was never written to"
	qemu-img compare -q -f qcow2 -F raw "$1/$disk.qcow2" "$(disk_file "$(disks_of "$3")" "$disk")" || say "disk $disk isn't what it was before"
}

# replayed SCENARIO DIR: where the scenario has `replay`, which names parts of the disk whose writes were logged: prints what a power cut
# between them would have left without a way back
replayed() {
	local disk
	[[ -f $scenarios/$1/replay ]] || return 0
	disk=$(setting "$1" log-writes -)
	"$here/natives.sh" make "$work/native/replay/undo_order" > /dev/null
	"$work/native/replay/undo_order" "$(disk_file "$(disks_of "$1")" "$disk")" "$2/$disk.writes" "$scenarios/$1/replay" > "$2/replay.log" 2>&1 ||
		cat "$2/replay.log"
	rm -f "$2/$disk.writes"
}

# sum_disks DIR RUN: notes what the overlays are, where a disk is not to be written to by this sweep
sum_disks() {
	local disk
	while read -r disk; do
		(cd "$1" && sha256sum "$disk.qcow2") >> "$2/sums"
	done < <(sed -n 's/^unwritten //p' "$2/expect.words")
}

# unwritten DIR RUN: prints the disks that this sweep should not have written to
unwritten() {
	[[ ! -f $2/sums ]] || (cd "$1" && sha256sum --quiet -c "$2/sums" 2> /dev/null) || say "a disk was written to by this sweep"
}

# untouched DIR RUN SCENARIO: prints the disks that were written to and should not have been
untouched() {
	local wanted disk
	expects "$2" unchanged || return 0
	wanted=" $(expected "$2" 'unchanged ' || true) "
	for disk in $(written "$1" "$3"); do
		[[ $wanted == '  ' || $wanted == *" $disk "* ]] && say "disk $disk was written to"
	done
	return 0
}
