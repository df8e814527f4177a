# shellcheck shell=bash
# Recipes, their stamps, and building what is stale, several packages at a time.
#
# A recipe is configs/packages/NAME, sourced, with
#   version, licence   as the manifest names them
#   debian=NAME=VERSION  the source package that apt knows, or deb=NAME=VERSION for a binary package
#   sources=("FILE SHA256" ...)  upstream tarball first; a *.debian.tar.* behind it gives patches
#   depends=(NAME ...) packages whose headers, archives and programs it needs
#   build, install     functions, run in the unpacked source; install puts things below $DESTDIR/usr
# and configs/packages/patches/NAME/*.patch are ours, each with its reason on top.

package_list()  { (cd "$recipes" && find . -maxdepth 1 -type f -printf '%P\n' | sort); }

# load_recipe NAME: its variables and functions, checked
load_recipe() {
	local line
	version='' licence='' debian='' deb=''
	sources=() depends=()
	[[ -f $recipes/$1 ]] || die "there is no recipe configs/packages/$1"
	. "$recipes/$1"
	[[ $version && $licence ]] || die "configs/packages/$1: version and licence must be given"
	for line in "${sources[@]}"; do
		[[ $line =~ ^[^\ ]+\ [0-9a-f]{64}$ ]] ||
			die "configs/packages/$1: source '${line%% *}' has no sha256; refused"
	done
}

# recipe_facts: one line per package, NAME DEPENDENCY...; read once
recipe_facts() {
	local name
	for name in $(package_list); do
		(load_recipe "$name"; say "$name ${depends[*]}")
	done
}

# recipe_versions: one line per package, NAME VERSION
recipe_versions() {
	local name
	for name in $(package_list); do
		(load_recipe "$name"; say "$name $version")
	done
}

# package_keys: fills key[NAME]: a hash over everything that goes into the package, its dependencies' keys included
declare -A key dependencies
declare -a order
package_keys() {
	local name rest common facts progress=1
	common=$(hash_text "$(gcc -dumpfullversion)" "$(ld --version | head -n 1)" \
		"$SOURCE_DATE_EPOCH" "$(hash_of "$top"/configs/build/package.sh "$top"/configs/build/toolchain/*)")
	facts=$(recipe_facts)
	while read -r name rest; do
		dependencies[$name]=$rest
	done <<< "$facts"
	local -A own
	for name in "${!dependencies[@]}"; do
		mapfile -t files < <(files_below "$recipes/patches/$name")
		own[$name]=$(hash_of "$recipes/$name" "${files[@]}")
	done
	order=() key=()
	while (( progress )); do
		progress=0
		for name in $(printf '%s\n' "${!dependencies[@]}" | sort); do
			[[ ${key[$name]:-} ]] && continue
			local all=() dep
			for dep in ${dependencies[$name]}; do
				[[ ${own[$dep]:-} ]] || die "configs/packages/$name depends on $dep, which has no recipe"
				[[ ${key[$dep]:-} ]] || continue 2
				all+=("${key[$dep]}")
			done
			key[$name]=$(hash_text "$common" "${own[$name]}" "${all[@]}")
			order+=("$name")
			progress=1
		done
	done
	(( ${#order[@]} == ${#own[@]} )) || die "the recipes' dependencies go round in a circle"
}

# build_packages: everything stale
build_packages() {
	local name dep stale=()
	for name in "${order[@]}"; do
		[[ $name == linux && ${kernel_dir:-} ]] && continue
		stamped "$work/stamp/$name" "${key[$name]}" || stale+=("$name")
	done
	(( ${#stale[@]} )) || return 0
	need_tools "${image_tools[@]}"
	install_toolchain
	fetch "${stale[@]}"
	note "building packages: ${stale[*]}"
	{
		say ".PHONY: all ${stale[*]}"
		say "all: ${stale[*]}"
		for name in "${stale[@]}"; do
			say "$name:$(for dep in ${dependencies[$name]}; do
				[[ " ${stale[*]} " == *" $dep "* ]] && printf ' %s' "$dep"; done)"
			# the + shares make's job slots with the package's own make
			printf '\t+@%s %s %s\n' "$top/configs/build/package.sh" "$name" "${key[$name]}"
		done
	} > "$work/packages.mk"
	GUESTSWEEP_DOWNLOADS=$downloads GUESTSWEEP_SOURCES=$source_folder \
		make --no-print-directory -f "$work/packages.mk" -j "$(nproc)" all || exit 1
	stage_packages
}

install_toolchain() {
	install -D -m 755 "$top/configs/build/toolchain/musl-cc" "$work/toolchain/bin/musl-cc"
	install -D -m 644 "$top/configs/build/toolchain/musl.specs" "$work/toolchain/lib/musl.specs"
}

# merge FROM TO: hard links of a package's headers, archives and programs
merge() {
	local part
	for part in include lib bin; do
		[[ -d $1/$part ]] || continue
		mkdir -p "$2/$part"
		cp -al --force "$1/$part/." "$2/$part/"
	done
}

# stage_packages: the union of all packages, .build/stage/{include,lib,bin}, for our own programs and the image
stage_packages() {
	local name
	rm -rf "$work/stage.new"
	mkdir -p "$work/stage.new"
	for name in "${order[@]}"; do
		[[ $name == linux || ! -d $work/pkg/$name ]] || merge "$work/pkg/$name" "$work/stage.new"
	done
	# what our own objects depend on
	for name in "${order[@]}"; do say "$name ${key[$name]}"; done > "$work/stage.new/key"
	rm -rf "$work/stage"
	mv "$work/stage.new" "$work/stage"
}
