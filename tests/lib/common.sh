# shellcheck shell=bash
# What every part of the test bed shares. Sourced, never run.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=../../configs/build/common.sh
. "$top/configs/build/common.sh"
# shellcheck source=../../configs/build/host.sh
. "$top/configs/build/host.sh"          # need_tools
# shellcheck source=../../configs/build/image.sh
. "$top/configs/build/image.sh"         # archive, compress, prove_static
for part in machine person fixtures expect faults cuts sweep; do
	. "$top/tests/lib/$part.sh"
done

scenarios=${GUESTSWEEP_SCENARIOS:-$top/tests/scenarios}
fixture=$top/tests/fixture
beds=$out/test                          # everything the tests make lies below
kernel=${GUESTSWEEP_TEST_KERNEL:-$out/vmlinuz}
image=${GUESTSWEEP_TEST_IMAGE:-$out/initramfs.img}
fixture_image=${GUESTSWEEP_FIXTURE_IMAGE:-$out/test/initramfs-test.img}
# what a fixture and a sweep need of this machine
bed_tools=(cpio=cpio zstd=zstd jq=jq qemu-img=qemu-utils qemu-system-x86_64=qemu-system-x86 mke2fs=e2fsprogs debugfs=e2fsprogs
	e2fsck=e2fsprogs)
export PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# join_images FILE...: initramfs parts one behind the other, each padded to 4 bytes
join_images() {
	local part
	for part; do
		cat "$part"
		head -c "$(( -$(stat -c %s "$part") & 3 ))" /dev/zero
	done
}

# matching PATTERN NAME: is this test meant? A shell pattern for the whole name, or a part of it.
# shellcheck disable=SC2053 # the right side is a pattern
matching() { [[ -z $1 || $2 == $1 || $2 == *"$1"* ]]; }
