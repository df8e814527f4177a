#!/bin/bash
# package.sh NAME KEY: unpacks, patches, builds and installs one package, in an environment that holds nothing of the
# caller's but where the sources are (GUESTSWEEP_DOWNLOADS, GUESTSWEEP_SOURCES).
set -euo pipefail
shopt -s inherit_errexit

if [[ ! ${clean_environment:-} ]]; then
	exec env -i clean_environment=1 PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/nonexistent MAKEFLAGS="${MAKEFLAGS:-}" \
		GUESTSWEEP_DOWNLOADS="$GUESTSWEEP_DOWNLOADS" GUESTSWEEP_SOURCES="$GUESTSWEEP_SOURCES" bash "$0" "$@"
fi

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/configs/build/common.sh"
. "$top/configs/build/fetch.sh"
. "$top/configs/build/packages.sh"

name=$1
log=$work/log/$name.log
src=$work/src/$name
export DESTDIR=$work/pkg/$name

unpack() {
	local line file sha path
	rm -rf "$src" "$DESTDIR"
	mkdir -p "$src" "$DESTDIR"/{include,lib,bin}
	ln -s . "$DESTDIR/usr"
	ln -s bin "$DESTDIR/sbin"
	ln -s lib "$DESTDIR/lib64"
	cd "$src"
	for line in "${sources[@]}"; do
		read -r file sha <<< "$line"
		path=$(cached "$file" "$sha") || die "$name: $file isn't in the cache"
		case $file in
		*.deb)          dpkg-deb -x "$path" . ;;
		*.debian.tar.*) tar -xf "$path"; apply_series debian/patches ;;
		*)              tar -xf "$path" --strip-components=1 --no-same-owner ;;
		esac
	done
	for file in "$recipes/patches/$name"/*.patch; do
		[[ -f $file ]] || continue
		say "patch $file"
		patch -p1 -s -f -i "$file"
	done
	# one date for all: nothing looks older than what it was generated from, so nothing is generated anew
	find . -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
}

# apply_series DIR: a Debian source package's patches
apply_series() {
	local one
	[[ -f $1/series ]] || return 0
	while read -r one _; do
		[[ -z $one || $one == '#'* ]] && continue
		say "patch $1/$one"
		patch -p1 -s -f -i "$1/$one"
	done < "$1/series"
}

# sysroot: exactly the declared dependencies and theirs, so that configure can't find anything by chance
make_sysroot() {
	local dep
	export MUSL_SYSROOT=$work/sysroot/$name SOURCE_ROOT=$src
	rm -rf "$MUSL_SYSROOT"
	mkdir -p "$MUSL_SYSROOT"/{include,lib,bin}
	for dep in $(all_dependencies "$name" | sort -u); do
		merge "$work/pkg/$dep" "$MUSL_SYSROOT"
	done
	export PATH=$work/toolchain/bin:$PATH
	export PKG_CONFIG_LIBDIR=$MUSL_SYSROOT/lib/pkgconfig PKG_CONFIG_PATH='' PKG_CONFIG_SYSROOT_DIR=''
	export CC=musl-cc
}

all_dependencies() {
	local dep
	for dep in $(load_recipe "$1"; say "${depends[@]}"); do
		say "$dep"
		all_dependencies "$dep"
	done
}

# A static program needs no libtool files, no manuals, no translations, and the image no symbols.
tidy() {
	local file
	rm -rf "${DESTDIR:?}"/{share,etc,lib/systemd,lib/udev,usr,sbin,lib64,var,run}
	find "$DESTDIR" \( -name '*.la' -o -name '*.so' -o -name '*.so.*' \) -delete
	for file in "$DESTDIR"/bin/*; do
		[[ $(head -c 4 "$file" 2>/dev/null | tail -c 3) != ELF ]] || strip -s "$file"
	done
}

run() {
	set -e
	unpack
	make_sysroot
	build
	place
	cd "$work"
	[[ $name == linux ]] || tidy
}

load_recipe "$name"
mkdir -p "$work"/{log,src,pkg,sysroot,stamp}
rm -f "$work/stamp/$name"
started=$SECONDS
# not `if run`: that would turn set -e off inside
set +e
(run) > "$log" 2>&1 < /dev/null
status=$?
set -e
if (( status )); then
	{ tail -n 20 "$log"; note "building $name failed; the whole log is $log"; } >&2
	exit 1
fi
rm -rf "$src" "$work/sysroot/$name"
replace "$work/stamp/$name" <<< "$2"
note "built $name $version ($((SECONDS - started)) s)"
