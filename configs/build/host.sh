# shellcheck shell=bash
# What the building machine must have, and getting it.

# What is looked for = the Debian package that has it: a command, or a file (a pattern, if its folder has a version in it).
image_tools=(gcc=gcc make=make ar=binutils patch=patch bzip2=bzip2 xz=xz-utils zstd=zstd tar=tar
	autoreconf=autoconf automake=automake libtoolize=libtool autopoint=autopoint pkg-config=pkg-config
	cmake=cmake ninja=ninja-build python3=python3 bison=bison flex=flex cpio=cpio depmod=kmod modinfo=kmod jq=jq /usr/include/stdio.h=libc6-dev)
# for the tests: the machine, and native builds with sanitizers
test_tools=(qemu-system-x86_64=qemu-system-x86 clang=clang llvm-symbolizer=llvm sfdisk=fdisk
	'/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a=libclang-rt-dev'
	/usr/include/cmocka.h=libcmocka-dev /usr/include/json-c/json.h=libjson-c-dev
	/usr/include/blkid/blkid.h=libblkid-dev /usr/include/uuid/uuid.h=uuid-dev /usr/include/libdevmapper.h=libdevmapper-dev
	/usr/include/libcryptsetup.h=libcryptsetup-dev /usr/include/ext2fs/ext2fs.h=libext2fs-dev /usr/include/libkmod.h=libkmod-dev
	/usr/include/nettle/eddsa.h=nettle-dev /usr/include/expat.h=libexpat1-dev)

# lacking WANTED...: the packages behind those commands and files that aren't there
lacking() {
	local want
	for want; do
		case $want in
		/*) compgen -G "${want%%=*}" > /dev/null || say "${want#*=}" ;;
		*)  command -v "${want%%=*}" > /dev/null || say "${want#*=}" ;;
		esac
	done | sort -u
}

# need_tools WANTED...: install what is missing, or name it
need_tools() {
	local missing
	export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
	missing=$(lacking "$@" | xargs)
	[[ -n $missing ]] || return 0
	[[ ${offline:-} ]] && die "missing on this machine: $missing; install them, or leave out --offline"
	command -v apt-get > /dev/null || die "missing on this machine, and there is no apt-get to install them: $missing"
	note "installing: $missing"
	local -a as_root=() packages
	read -ra packages <<< "$missing"
	(( EUID == 0 )) || as_root=(sudo -n)
	{
		"${as_root[@]}" apt-get -q update || true
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${packages[@]}" || true
	} < /dev/null > "$work/log/host-tools.log" 2>&1
	missing=$(lacking "$@" | xargs)
	[[ -z $missing ]] || die "couldn't install: $missing (see $work/log/host-tools.log); install them by hand: apt-get install $missing"
}
