# shellcheck shell=bash
# What the building machine must have, and getting it.

# command=Debian package, for every command that a build calls
image_tools=(gcc=gcc make=make ar=binutils patch=patch bzip2=bzip2 xz=xz-utils zstd=zstd tar=tar
	autoreconf=autoconf automake=automake libtoolize=libtool autopoint=autopoint pkg-config=pkg-config
	cmake=cmake bison=bison flex=flex perl=perl dpkg-deb=dpkg cpio=cpio depmod=kmod modinfo=kmod jq=jq)
test_tools=(qemu-system-x86_64=qemu-system-x86 clang=clang llvm-symbolizer=llvm)

# headers and archives for the native builds of unit and fuzz tests: file=package
test_files=(/usr/include/cmocka.h=libcmocka-dev /usr/include/json-c/json.h=libjson-c-dev /usr/include/ini.h=libinih-dev
	/usr/include/blkid/blkid.h=libblkid-dev /usr/include/uuid/uuid.h=uuid-dev /usr/include/libdevmapper.h=libdevmapper-dev
	/usr/include/libcryptsetup.h=libcryptsetup-dev /usr/include/ext2fs/ext2fs.h=libext2fs-dev /usr/include/libkmod.h=libkmod-dev)

# lacking WANTED...: the packages behind those commands and files that aren't there
lacking() {
	local want
	for want; do
		case $want in
		/*) [[ -e ${want%%=*} ]] || say "${want#*=}" ;;
		*)  command -v "${want%%=*}" > /dev/null || say "${want#*=}" ;;
		esac
	done | sort -u
}

# need_tools WANTED...: install what is missing, or name it
need_tools() {
	local missing
	export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	missing=$(lacking "$@")
	# gcc and make without the C library's own files can't build the tools that run while building
	[[ -e /usr/include/stdio.h ]] || missing+=" libc6-dev"
	missing=$(xargs <<< "$missing")
	[[ -n $missing ]] || return 0
	[[ ${offline:-} ]] && die "missing on this machine: $missing; install them, or leave out --offline"
	command -v apt-get > /dev/null || die "missing on this machine, and there is no apt-get to install them: $missing"
	note "installing: $missing"
	local -a as_root=() packages
	read -ra packages <<< "$missing"
	(( EUID == 0 )) || as_root=(sudo -n)
	"${as_root[@]}" apt-get -qq update < /dev/null || true
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${packages[@]}" \
		< /dev/null > "$work/log/host-tools.log" 2>&1 || true
	missing=$(lacking "$@" | xargs)
	[[ -z $missing ]] || die "couldn't install: $missing (see $work/log/host-tools.log); install them by hand: apt-get install $missing"
}
