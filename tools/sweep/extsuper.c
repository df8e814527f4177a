/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "extsuper.h"

#include <e2p/e2p.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/types.h>
#include <ext2fs/ext2_fs.h>
#include <ext2fs/ext2fs.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <uuid/uuid.h>

#include "blockdev.h"
#include "cleanup.h"

#define MAX_LOG_BLOCK_SIZE 6    /* 64 KiB */
/* the library's header leaves out what its own configuration decides, and ours has it */
#define KNOWN_INCOMPAT (EXT2_LIB_FEATURE_INCOMPAT_SUPP | EXT4_FEATURE_INCOMPAT_MMP)

static uint64_t blocks_of(const struct ext2_super_block *sb)
{
	uint64_t high = sb->s_feature_incompat & EXT4_FEATURE_INCOMPAT_64BIT ? sb->s_blocks_count_hi : 0;

	return high << 32 | sb->s_blocks_count;
}

/* A forged count may say more than 64 bits hold: all of them then, never a few. */
static uint64_t bytes_of(const struct ext2_super_block *sb, unsigned block_size)
{
	uint64_t blocks = blocks_of(sb);

	return blocks > UINT64_MAX / block_size ? UINT64_MAX : blocks * block_size;
}

/* Names the bits that are set and not known; e2p knows newer names than e2fsck
 * has code for. */
static void add_unknown(char *dst, size_t size, int compat, uint32_t bits)
{
	unsigned i;

	for (i = 0; i < 32; i++) {
		const char *name;
		size_t used = strlen(dst);

		if (!(bits & 1u << i))
			continue;
		name = e2p_feature2string(compat, 1u << i);
		snprintf(dst + used, size - used, "%s%s", used ? " " : "", name);
	}
}

static void find_unsupported(const struct ext2_super_block *sb, struct extsuper *s)
{
	add_unknown(s->unsupported, sizeof(s->unsupported), E2P_FEATURE_COMPAT,
		    sb->s_feature_compat & ~(uint32_t)EXT2_LIB_FEATURE_COMPAT_SUPP);
	add_unknown(s->unsupported, sizeof(s->unsupported), E2P_FEATURE_INCOMPAT,
		    sb->s_feature_incompat & ~(uint32_t)KNOWN_INCOMPAT);
	add_unknown(s->unsupported, sizeof(s->unsupported), E2P_FEATURE_RO_INCOMPAT,
		    sb->s_feature_ro_compat & ~(uint32_t)EXT2_LIB_FEATURE_RO_COMPAT_SUPP);
}

static void take_facts(const struct ext2_super_block *sb, struct ext_facts *f)
{
	f->known = true;
	f->mount_count = sb->s_mnt_count;
	f->max_mount_count = (int16_t)sb->s_max_mnt_count;
	f->last_check = (int64_t)((uint64_t)sb->s_lastcheck_hi << 32 | sb->s_lastcheck);
	f->check_interval = sb->s_checkinterval;
	snprintf(f->state, sizeof(f->state), "%s%s",
		 sb->s_state & EXT2_VALID_FS ? "clean" : "not clean",
		 sb->s_state & EXT2_ERROR_FS ? " with errors" : "");
}

/* Inode tables, bitmaps, descriptors and the journal. */
static uint64_t metadata_bytes(const struct ext2_super_block *sb, unsigned block_size)
{
	uint64_t per_group = sb->s_blocks_per_group ? sb->s_blocks_per_group : 1;
	uint64_t groups = blocks_of(sb) / per_group + 1;
	uint64_t inode_size = sb->s_rev_level ? sb->s_inode_size : EXT2_GOOD_OLD_INODE_SIZE;
	uint64_t journal = (uint64_t)sb->s_jnl_blocks[15] << 32 | sb->s_jnl_blocks[16];

	return sb->s_inodes_count * inode_size + groups * (2 * block_size + 64) + journal;
}

static const char *type_of(const struct ext2_super_block *sb)
{
	if (sb->s_feature_incompat & (EXT3_FEATURE_INCOMPAT_EXTENTS | EXT4_FEATURE_INCOMPAT_64BIT |
				      EXT4_FEATURE_INCOMPAT_FLEX_BG | EXT4_FEATURE_INCOMPAT_MMP))
		return "ext4";
	return sb->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL ? "ext3" : "ext2";
}

static bool has_sane_geometry(const struct ext2_super_block *sb)
{
	return sb->s_magic == EXT2_SUPER_MAGIC && sb->s_log_block_size <= MAX_LOG_BLOCK_SIZE &&
	       blocks_of(sb) > 0;
}

static void take(const struct ext2_super_block *sb, struct extsuper *s)
{
	memset(s, 0, sizeof(*s));
	take_facts(sb, &s->facts);
	snprintf(s->type, sizeof(s->type), "%s", type_of(sb));
	find_unsupported(sb, s);
	s->is_pending = (sb->s_feature_incompat & EXT3_FEATURE_INCOMPAT_RECOVER) ||
			sb->s_last_orphan || (sb->s_state & EXT2_ERROR_FS) ||
			(sb->s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_ORPHAN_PRESENT);
	if ((sb->s_feature_compat & EXT3_FEATURE_COMPAT_HAS_JOURNAL) && !sb->s_journal_inum &&
	    !uuid_is_null(sb->s_journal_uuid))
		uuid_unparse_lower(sb->s_journal_uuid, s->journal_uuid);
	if (!has_sane_geometry(sb))
		return;
	s->block_size = 1024u << sb->s_log_block_size;
	s->bytes = bytes_of(sb, s->block_size);
	s->undo_room = metadata_bytes(sb, s->block_size);
}

/* As ext2fs_mmp_start() of libext2fs counts it. */
static unsigned mmp_wait(unsigned update_s, unsigned check_s)
{
	unsigned most = update_s > check_s ? update_s : check_s;

	if (most < EXT4_MMP_MIN_CHECK_INTERVAL)
		most = EXT4_MMP_MIN_CHECK_INTERVAL;
	return 2 * most + 1 < most + 60 ? 2 * most + 1 : most + 60;
}

static void look_at_mmp(const char *device, const struct ext2_super_block *sb, struct extsuper *s)
{
	struct mmp_struct mmp;
	struct err e;

	if (!(sb->s_feature_incompat & EXT4_FEATURE_INCOMPAT_MMP) || !s->block_size)
		return;
	if (blockdev_read(device, sb->s_mmp_block * s->block_size, &mmp, sizeof(mmp), &e) < 0 ||
	    mmp.mmp_magic != EXT4_MMP_MAGIC)
		return;
	s->mmp_at = sb->s_mmp_block * s->block_size;
	s->mmp_seq = mmp.mmp_seq;
	s->mmp_wait_s = mmp_wait(sb->s_mmp_update_interval, mmp.mmp_check_interval);
}

int extsuper_read(const char *device, struct extsuper *s, struct err *e)
{
	struct ext2_super_block sb;
	int rc = blockdev_read(device, SUPERBLOCK_OFFSET, &sb, sizeof(sb), e);

	if (rc < 0)
		return rc;
	take(&sb, s);
	look_at_mmp(device, &sb, s);
	return 0;
}

/* The superblock of block group group, if one that knows its place stands there. */
static bool read_backup(const char *device, uint64_t bytes, unsigned block_size, unsigned group,
			struct ext2_super_block *sb, uint64_t *block)
{
	uint64_t per_group = block_size * 8, first = block_size == 1024;
	struct err e;

	*block = first + per_group * group;
	if (*block * block_size + sizeof(*sb) > bytes ||
	    blockdev_read(device, *block * block_size, sb, sizeof(*sb), &e) < 0)
		return false;
	return has_sane_geometry(sb) && sb->s_block_group_nr == group &&
	       1024u << sb->s_log_block_size == block_size && bytes_of(sb, block_size) <= bytes;
}

bool extsuper_find_backup(const char *device, uint64_t bytes, struct extsuper_backup *b,
			  struct extsuper *s)
{
	static const unsigned sizes[] = { 4096, 1024, 2048 };
	static const unsigned groups[] = { 1, 3, 5, 7, 9 }; /* sparse_super */
	struct ext2_super_block first, next;
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned found = 0;

		for (k = 0; k < ARRAY_SIZE(groups); k++) {
			uint64_t block;

			if (!read_backup(device, bytes, sizes[i], groups[k], &next, &block))
				continue;
			if (found && memcmp(first.s_uuid, next.s_uuid, sizeof(first.s_uuid)) != 0)
				break;
			if (found++) {
				uuid_unparse_lower(first.s_uuid, b->uuid);
				take(&first, s);
				return true;
			}
			first = next;
			b->block = block;
			b->block_size = sizes[i];
		}
	}
	return false;
}

int extsuper_last_mounted(const char *device, char folder[LAST_MOUNTED_SIZE], struct err *e)
{
	struct ext2_super_block sb;
	int rc = blockdev_read(device, SUPERBLOCK_OFFSET, &sb, sizeof(sb), e);

	if (rc == 0)
		snprintf(folder, LAST_MOUNTED_SIZE, "%.64s", (const char *)sb.s_last_mounted);
	return rc;
}

int extsuper_set_last_mounted(const char *device, const char *folder, struct err *e)
{
	cleanup_fd int fd = open(device, O_RDWR | O_CLOEXEC);
	struct ext2_super_block sb;

	if (fd < 0 || pread(fd, &sb, sizeof(sb), SUPERBLOCK_OFFSET) != sizeof(sb) || sb.s_magic != EXT2_SUPER_MAGIC)
		return err_set_word(e, EIO, "io-error", "the superblock on %s can't be read", device);
	memset(sb.s_last_mounted, 0, sizeof(sb.s_last_mounted));
	memcpy(sb.s_last_mounted, folder, strnlen(folder, sizeof(sb.s_last_mounted)));
	if (sb.s_feature_ro_compat & EXT4_FEATURE_RO_COMPAT_METADATA_CSUM)
		sb.s_checksum = ext2fs_crc32c_le(~0u, (unsigned char *)&sb, offsetof(struct ext2_super_block, s_checksum));
	if (pwrite(fd, &sb, sizeof(sb), SUPERBLOCK_OFFSET) != sizeof(sb) || fsync(fd) < 0)
		return err_set_word(e, EIO, "io-error", "the superblock on %s can't be written", device);
	return 0;
}
