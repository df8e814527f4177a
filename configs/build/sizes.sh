# shellcheck shell=bash
# How much of the image each package takes, and of the limit.

# group_size NAME FILE...: compressed bytes of these files of the image, remembered by content
group_size() {
	local root=$image_work/root sum
	shift
	sum=$(cd "$root" && hash_text "$(declare -f compress)" "$(sha256sum -- "$@")")
	mkdir -p "$image_work/sizes"
	[[ -f $image_work/sizes/$sum ]] || (cd "$root" && cat -- "$@" | compress | wc -c) > "$image_work/sizes/$sum"
	cat "$image_work/sizes/$sum"
}

size_row() { printf '  %-22s %6s %9s %9s\n' "$1" "$2" "$3" "$4"; }

# limit_row NAME BYTES LIMIT: how much of a limit is used; over it is an error
limit_row() {
	printf '  %-22s %d of %d bytes, %d %%\n' "$1" "$2" "$3" $(($2 * 100 / $3))
	if (( $2 > $3 )); then
		[[ ${kernel_dir:-} ]] || die "$1 takes $2 bytes, more than its limit of $3"
		warn "$1 takes $2 bytes, more than $3; with a kernel of your own that is up to you"
	fi
}

# size_table: printed after each packing
size_table() {
	local name files root=$image_work/root total modules
	total=$(stat -c %s "$out/initramfs.img")
	modules=$(<"$image_work/modules-image.size")
	size_row 'in the image' files bytes packed
	while read -r name; do
		mapfile -t files < <(awk -v p="$name" '!/^#/ && $3 == p { print $2 }' "$top/configs/image/files")
		size_row "$name" "${#files[@]}" "$(cd "$root" && cat -- "${files[@]}" | wc -c)" "$(group_size "$name" "${files[@]}")"
	done < <(awk '!/^#/ && $3 { print $3 }' "$top/configs/image/files" | sort -u)
	files=(init usr/bin/sweep)
	size_row "$project's own" "${#files[@]}" "$(cd "$root" && cat -- "${files[@]}" | wc -c)" "$(group_size own "${files[@]}")"
	size_row "modules" "$(wc -l < "$image_work/modules-image.list")" "$(du -sb --apparent-size "$image_work/modules-image" | cut -f1)" "$modules"
	limit_row image "$total" "$image_limit"
}
