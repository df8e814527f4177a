# shellcheck shell=bash
# The kernel and the part of its modules that the image carries.

# kernel_locate: sets kernel_image, kernel_release, kernel_modules, kernel_config
kernel_locate() {
	local root=${kernel_dir:-$work/pkg/linux} base
	kernel_image=$(find "$root/boot" -maxdepth 1 -name 'vmlinuz-*' 2> /dev/null | sort -V | tail -n 1)
	[[ $kernel_image ]] || die "$root: there is no boot/vmlinuz-* in it"
	kernel_release=${kernel_image##*/vmlinuz-}
	kernel_config=$root/boot/config-$kernel_release
	for base in usr/lib lib; do
		kernel_modules=$root/$base/modules/$kernel_release
		[[ ! -d $kernel_modules ]] || return 0
	done
	die "$root: there is no lib/modules/$kernel_release in it, the modules of $kernel_image"
}

# kernel_key: what stands for the kernel in stamps: the recipe's key, or a foreign kernel's file names, sizes and dates
kernel_key() {
	if [[ ${kernel_dir:-} ]]; then
		find "$kernel_dir"/boot/vmlinuz-* "$kernel_dir"/lib/modules/ "$kernel_dir"/usr/lib/modules/ -type f -printf '%p %s %T@\n' 2> /dev/null |
			sort | sha256sum | cut -d' ' -f1
	else
		say "${key[linux]}"
	fi
}

# module_index: "name path" of every module in the tree, dashes as underscores, for lookups by name
module_index() {
	(cd "$kernel_modules" && find kernel -name '*.ko' -o -name '*.ko.xz' -o -name '*.ko.zst' -o -name '*.ko.gz') | sort |
		awk '{ n = $0; sub(/.*\//, "", n); sub(/\.ko.*/, "", n); gsub(/-/, "_", n); print n, $0 }'
}

# select_modules LIST...: paths of the listed modules and of all that they depend on
select_modules() {
	local name path
	local -A path_of=() seen=()
	local wanted=() found=()
	while read -r name path; do path_of[$name]=$path; done < <(module_index)
	mapfile -t wanted < <(sed 's/#.*//' "$@" | tr -s ' \t' '\n' | tr - _ | sed '/^$/d')
	while (( ${#wanted[@]} )); do
		found=()
		for name in "${wanted[@]}"; do
			[[ ${seen[$name]:-} ]] && continue
			seen[$name]=1
			if [[ ${path_of[$name]:-} ]]; then
				found+=("${path_of[$name]}")
			elif ! grep -qE "/${name//_/[-_]}\.ko$" "$kernel_modules/modules.builtin"; then
				warn "the kernel $kernel_release has no module $name"
			fi
		done
		(( ${#found[@]} )) || break
		printf '%s\n' "${found[@]}"
		mapfile -t wanted < <(cd "$kernel_modules" && modinfo -F depends "${found[@]}" | tr ',-' '\n_' | sed '/^$/d' | sort -u)
	done
}

# can_unpack: does the kernel itself load .ko.xz? Then they stay packed: a small image, unpacked as needed.
can_unpack() {
	[[ -f $kernel_config ]] && grep -qx CONFIG_MODULE_DECOMPRESS=y "$kernel_config" && grep -qx CONFIG_MODULE_COMPRESS_XZ=y "$kernel_config"
}

# module_tree DIR LIST...: DIR/usr/lib/modules/RELEASE with the listed modules and depmod's files
module_tree() {
	local tree=$1 to=$1/usr/lib/modules/$kernel_release path
	shift
	rm -rf "$tree"
	mkdir -p "$to"
	ln -s usr/lib "$tree/lib"
	select_modules "$@" | sort -u > "$tree.list"
	while read -r path; do
		mkdir -p "$to/${path%/*}"
		case $path in
		*.xz)
			if can_unpack; then cp "$kernel_modules/$path" "$to/$path"
			else xz -dc "$kernel_modules/$path" > "$to/${path%.xz}"; fi ;;
		*.zst) zstd -qdc "$kernel_modules/$path" > "$to/${path%.zst}" ;;
		*.gz)  gzip -dc "$kernel_modules/$path" > "$to/${path%.gz}" ;;
		*)     cp "$kernel_modules/$path" "$to/$path" ;;
		esac
	done < "$tree.list"
	cp "$kernel_modules"/modules.{builtin,builtin.modinfo,order} "$to/" 2> /dev/null || cp "$kernel_modules"/modules.{builtin,order} "$to/"
	depmod -b "$tree" "$kernel_release"
	rm "$tree/lib"
}
