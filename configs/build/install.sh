# shellcheck shell=bash
# install and uninstall: the image, its boot entries, the timer and the host's command, on this host. What was put where is noted
# in installed_list, and taken off again by it. GUESTSWEEP_ROOT=DIR pretends that DIR is the host's root: for tests.

root=${GUESTSWEEP_ROOT:-}
boot_folder=/boot/guestsweep
lib_folder=/usr/local/lib/guestsweep
installed_list=$root$lib_folder/installed
installed_command=/usr/local/sbin/guestsweep

# on_host NAME WORD...: runs a program of the host, where it has it
on_host() {
	local program
	for program in "$root"/usr/{sbin,bin}/"$1"; do
		[[ -x $program ]] || continue
		"$program" "${@:2}"
		return
	done
	return 127
}

# put MODE FROM TO: one file, noted
put() {
	make_folder "${3%/*}"
	note_path "$3"
	install -m "$1" "$2" "$root$3.new"
	mv -f "$root$3.new" "$root$3"
}

note_path() { grep -qsxF -- "$1" "$installed_list" || say "$1" >> "$installed_list"; }

# make_folder PATH: with its parents, each noted (as PATH/) that was not there
make_folder() {
	[[ ! -d $root$1 ]] || return 0
	make_folder "${1%/*}"
	mkdir "$root$1"
	# the list itself lies in one of them
	new_folders+=("$1/")
	[[ ! -d $root$lib_folder ]] || note_folders
}

new_folders=()
note_folders() {
	local folder
	for folder in "${new_folders[@]}"; do note_path "$folder"; done
	new_folders=()
}

# public_key_cpio: this host's public key as a cpio to lie behind the image; makes the key where there is none
public_key_cpio() {
	local key=$work/host.pub
	"$work/own/guestsweep" key "$key" || die "install: this host's key could not be made"
	newc etc $((8#040755)) 0
	newc etc/guestsweep $((8#040700)) 0
	newc etc/guestsweep/host.pub $((8#100600)) 32
	cat "$key"
	newc 'TRAILER!!!' 0 0
	rm -f "$key"
}

install_boot() {
	cat "$out/initramfs.img" <(public_key_cpio) > "$work/installed.img"
	put 644 "$out/vmlinuz" "$boot_folder/vmlinuz"
	put 644 "$work/installed.img" "$boot_folder/initramfs.img"
	rm -f "$work/installed.img"
	(cd "$root$boot_folder" && sha256sum vmlinuz initramfs.img) > "$work/sums"
	# the names as the kernel has them, between newlines
	{ say; sed 's|.*/||; s|\.ko.*||; s|-|_|g' "$image_work/modules-image.list"; } > "$work/modules"
	put 644 "$work/sums" "$lib_folder/sums"
	put 644 "$work/modules" "$lib_folder/modules"
	rm -f "$work/sums" "$work/modules"
}

# efi_partition: where the EFI system partition is mounted, if it is
efi_partition() {
	local folder
	[[ -d $root/sys/firmware/efi ]] || return 0
	for folder in /efi /boot/efi /boot; do
		if awk -v at="$folder" '$5 == at { for (i = 6; i <= NF; i++) if ($i == "-" && $(i + 1) == "vfat") found = 1 } END { exit !found }' \
			"$root/proc/self/mountinfo"; then
			say "$folder"
			return
		fi
	done
}

consoles() { tr ' ' '\n' < "$root/proc/cmdline" | grep '^console=' | xargs || true; }

# loader_entry ESP NAME TITLE WORDS: for systemd-boot
loader_entry() {
	local words
	words=$(consoles)
	sed "/^#/d; s|@TITLE@|$3|; s|@CONSOLES@|${words:-console=tty0}|; s|@WORDS@|$4|" "$top/configs/host/loader-entry.conf" > "$work/entry.conf"
	put 644 "$work/entry.conf" "$1/loader/entries/guestsweep-$2.conf"
	rm -f "$work/entry.conf"
}

install_efi() {
	local esp free needed
	esp=$(efi_partition)
	[[ $esp ]] || return 0
	free=$(df --output=avail -B1 "$root$esp" | tail -n 1)
	needed=$(cat "$root$boot_folder"/{vmlinuz,initramfs.img} | wc -c)
	if [[ ! -e $root$esp/EFI/guestsweep/initramfs.img ]] && (( free < needed + (4 << 20) )); then
		warn "$esp has too little room for the image: arm --efi and systemd-boot's entries are left out"
		return 0
	fi
	put 644 "$root$boot_folder/vmlinuz" "$esp/EFI/guestsweep/vmlinuz"
	put 644 "$root$boot_folder/initramfs.img" "$esp/EFI/guestsweep/initramfs.img"
	[[ -d $root$esp/loader/entries && -d $root$esp/EFI/systemd ]] || return 0
	loader_entry "$esp" check Check guestsweep.mode=check
	loader_entry "$esp" preen Preen guestsweep.mode=preen
	loader_entry "$esp" shell 'Rescue shell' 'guestsweep.mode=list guestsweep.after=shell'
}

# update_grub: Debian's command, else that of Fedora and openSUSE
update_grub() {
	[[ -d $root/etc/grub.d ]] || return 0
	if [[ -d $root/boot/grub2 ]]; then
		on_host grub2-mkconfig -o "$root/boot/grub2/grub.cfg" >> "$work/log/install.log" 2>&1 && return
	elif [[ -d $root/boot/grub ]]; then
		on_host grub-mkconfig -o "$root/boot/grub/grub.cfg" >> "$work/log/install.log" 2>&1 && return
	else
		return 0
	fi
	warn "GRUB's menu could not be made anew (see $work/log/install.log)"
}

install_units() {
	local unit wants=/etc/systemd/system/multi-user.target.wants
	for unit in guestsweep.service guestsweep.timer guestsweep-{collect,armed}.service; do
		put 644 "$top/configs/host/$unit" "/usr/local/lib/systemd/system/$unit"
	done
	make_folder "$wants"
	for unit in guestsweep-{collect,armed}.service; do
		ln -sfn "/usr/local/lib/systemd/system/$unit" "$root$wants/$unit"
		note_path "$wants/$unit"
	done
	[[ ! -d $root/run/systemd/system ]] || on_host systemctl daemon-reload
}

# was_built: is everything there that install takes?
was_built() {
	local file
	for file in "$out"/{vmlinuz,initramfs.img} "$work/own/guestsweep" "$image_work/modules-image.list"; do
		[[ -s $file ]] || die "install --as-built: $file is not there; run ./build.sh on a machine with a compiler, and bring all of it here"
	done
}

install_host() {
	local share=/usr/local/share
	[[ $root ]] || (( EUID == 0 )) || die "install: only root can do that"
	mkdir -p "$work/log"
	export GUESTSWEEP_ROOT=$root
	make_folder "$lib_folder"
	note_path "$lib_folder/installed"
	# a host that builds nothing has no strip
	strip -s -o "$work/guestsweep" "$work/own/guestsweep" 2> /dev/null || cp "$work/own/guestsweep" "$work/guestsweep"
	put 755 "$work/guestsweep" "$installed_command"
	rm -f "$work/guestsweep"
	put 644 "$top/configs/host/guestsweep.8" "$share/man/man8/guestsweep.8"
	put 644 "$top/configs/host/guestsweep.bash-completion" "$share/bash-completion/completions/guestsweep"
	put 644 "$top/configs/host/sweep.conf" "$share/doc/guestsweep/sweep.conf"
	put 644 "$top/configs/host/crypttab" "$share/doc/guestsweep/crypttab"
	install_boot
	install_efi
	[[ ! -d $root/etc/grub.d ]] || put 755 "$top/configs/host/42_guestsweep" /etc/grub.d/42_guestsweep
	update_grub
	install_units
	say "installed. Next: guestsweep init, guestsweep preflight; for the monthly night: systemctl enable --now guestsweep.timer"
}

# remove_folder PATH: where nothing is left in it
remove_folder() { [[ ! -d $root$1 ]] || rmdir --ignore-fail-on-non-empty -- "$root$1"; }

uninstall_host() {
	local path paths i
	[[ $root ]] || (( EUID == 0 )) || die "uninstall: only root can do that"
	[[ -f $installed_list ]] || { say "guestsweep is not installed on this host"; return; }
	export GUESTSWEEP_ROOT=$root
	"$root$installed_command" disarm > /dev/null || warn "something may still be armed, see above"
	[[ ! -d $root/run/systemd/system ]] || on_host systemctl disable --now guestsweep.timer 2> /dev/null || true
	[[ ! -d $root/run/systemd/system ]] || on_host systemctl stop guestsweep-armed.service 2> /dev/null || true
	mapfile -t paths < "$installed_list"
	for path in "${paths[@]}"; do [[ $path == */ ]] || rm -f -- "$root$path"; done
	for (( i = ${#paths[@]}; i-- > 0; )); do [[ ${paths[i]} != */ ]] || remove_folder "${paths[i]%/}"; done
	rm -rf "$root/var/lib/guestsweep"
	rm -f "$root/etc/guestsweep/host.key"
	remove_folder /etc/guestsweep/keys
	remove_folder /etc/guestsweep
	[[ ! -d $root/run/systemd/system ]] || on_host systemctl daemon-reload
	update_grub
	if [[ -d $root/etc/guestsweep ]]; then
		say "uninstalled; your configuration is still in $root/etc/guestsweep, with the keys: rm -r it if you don't need it"
	else
		say "uninstalled"
	fi
}
