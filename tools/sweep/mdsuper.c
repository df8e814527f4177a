/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mdsuper.h"

#include <endian.h>
#include <errno.h>
#include <asm/byteorder.h>
#include <linux/types.h>
#include <linux/raid/md_p.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "blockdev.h"

#define RESERVED_090 65536 /* MD_RESERVED_BYTES: a superblock of 0.90 begins at a multiple of that */
#define SIZE_1 4096

/* Bytes 0 to 15 of a UUID as libblkid writes them. */
static void write_uuid(const unsigned char *u, char *text, size_t size)
{
	size_t i, used = 0;

	for (i = 0; i < 16; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%02x",
					 i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", u[i]);
}

static void uuid_090(const mdp_super_t *sb, unsigned char u[16])
{
	const uint32_t words[4] = { sb->set_uuid0, sb->set_uuid1, sb->set_uuid2, sb->set_uuid3 };

	memcpy(u, words, 16);
}

static int role_090(const mdp_super_t *sb)
{
	const mdp_disk_t *d = &sb->this_disk;

	if (d->state & (1u << MD_DISK_FAULTY))
		return MD_ROLE_FAULTY;
	if (!(d->state & (1u << MD_DISK_SYNC)) || d->raid_disk >= MD_SB_DISKS)
		return MD_ROLE_SPARE;
	return (int)d->raid_disk;
}

static void look_around_090(const mdp_super_t *sb, struct mdsuper *s)
{
	size_t i;

	for (i = 0; i < MD_SB_DISKS; i++) {
		const mdp_disk_t *d = &sb->disks[i];

		if ((d->state & (1u << MD_DISK_SYNC)) && !(d->state & (1u << MD_DISK_FAULTY)) &&
		    d->raid_disk < MD_SB_DISKS)
			s->sees[d->raid_disk] = true;
	}
}

/* The kernel's md_csum_fold(), drivers/md/md.c: older kernels summed up in another way, and only what is folded
 * is the same. */
static uint32_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* The kernel's calc_sb_csum(): words in the order of the machine that wrote them. */
static bool has_checksum_090(const mdp_super_t *sb)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < MD_SB_BYTES; i += 4) {
		uint32_t word;

		memcpy(&word, (const unsigned char *)sb + i, 4);
		if (i != offsetof(mdp_super_t, sb_csum))
			sum += word;
	}
	return fold((uint32_t)((sum & 0xffffffff) + (sum >> 32))) == fold(sb->sb_csum);
}

static int take_090(const mdp_super_t *sb, struct mdsuper *s, struct err *e)
{
	unsigned char u[16];

	if (sb->md_magic != MD_SB_MAGIC || sb->major_version != 0 || !has_checksum_090(sb))
		return err_set_word(e, EINVAL, "bad-header", "its md superblock is damaged");
	uuid_090(sb, u);
	write_uuid(u, s->uuid, sizeof(s->uuid));
	s->preferred_minor = (int)sb->md_minor;
	s->level = (int)sb->level;
	s->raid_disks = sb->raid_disks;
	s->role = role_090(sb);
	s->events = (uint64_t)sb->events_hi << 32 | sb->events_lo;
	s->is_reshaping = sb->minor_version >= 91;
	s->is_dirty = !(sb->state & (1u << MD_SB_CLEAN));
	look_around_090(sb, s);
	return 0;
}

/* The kernel's calc_sb_1_csum(), drivers/md/md.c. */
static uint32_t checksum_1(const unsigned char *bytes, size_t size)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i + 4 <= size; i += 4) {
		uint32_t word;

		memcpy(&word, bytes + i, 4);
		if (i != offsetof(struct mdp_superblock_1, sb_csum))
			sum += le32toh(word);
	}
	if (size & 2) {
		uint16_t half;

		memcpy(&half, bytes + i, 2);
		sum += le16toh(half);
	}
	return (uint32_t)((sum & 0xffffffff) + (sum >> 32));
}

static int role_1(const struct mdp_superblock_1 *sb, uint32_t max_dev)
{
	uint32_t number = le32toh(sb->dev_number);
	uint16_t role = number < max_dev ? le16toh(sb->dev_roles[number]) : MD_DISK_ROLE_SPARE;

	switch (role) {
	case MD_DISK_ROLE_SPARE:
		return MD_ROLE_SPARE;
	case MD_DISK_ROLE_FAULTY:
		return MD_ROLE_FAULTY;
	case MD_DISK_ROLE_JOURNAL:
		return MD_ROLE_JOURNAL;
	default:
		return role;
	}
}

static void look_around_1(const struct mdp_superblock_1 *sb, uint32_t max_dev, struct mdsuper *s)
{
	uint32_t i;

	for (i = 0; i < max_dev; i++)
		if (le16toh(sb->dev_roles[i]) < MD_MAX_ROLES)
			s->sees[le16toh(sb->dev_roles[i])] = true;
}

static int take_1(const struct mdp_superblock_1 *sb, uint64_t offset, struct mdsuper *s,
		  struct err *e)
{
	uint32_t max_dev = le32toh(sb->max_dev), features = le32toh(sb->feature_map);
	size_t size = sizeof(*sb) + 2 * (size_t)max_dev;

	if (le32toh(sb->magic) != MD_SB_MAGIC || le32toh(sb->major_version) != 1 || size > SIZE_1 ||
	    le64toh(sb->super_offset) != offset / 512 ||
	    checksum_1((const unsigned char *)sb, size) != le32toh(sb->sb_csum))
		return err_set_word(e, EINVAL, "bad-header", "its md superblock is damaged");
	write_uuid(sb->set_uuid, s->uuid, sizeof(s->uuid));
	memcpy(s->name, sb->set_name, sizeof(sb->set_name));
	s->level = (int)le32toh(sb->level);
	s->raid_disks = le32toh(sb->raid_disks);
	s->role = role_1(sb, max_dev);
	s->events = le64toh(sb->events);
	s->is_reshaping = features & MD_FEATURE_RESHAPE_ACTIVE;
	s->has_journal = features & MD_FEATURE_JOURNAL;
	s->is_dirty = le64toh(sb->resync_offset) != UINT64_MAX &&
		      !(features & (MD_FEATURE_PPL | MD_FEATURE_MULTIPLE_PPLS));
	look_around_1(sb, max_dev, s);
	s->is_recovering = (features & MD_FEATURE_RECOVERY_OFFSET) && !s->has_journal;
	return 0;
}

/* super_1_load(), drivers/md/md.c. */
static uint64_t offset_of_1(const char *version, uint64_t bytes)
{
	if (strcmp(version, "1.0") == 0)
		return ((bytes / 512 - 16) & ~7ULL) * 512;
	return strcmp(version, "1.1") == 0 ? 0 : 4096;
}

int mdsuper_read(const char *device, uint64_t bytes, const char *version, struct mdsuper *s,
		 struct err *e)
{
	static union {
		mdp_super_t v0;
		struct mdp_superblock_1 v1;
		unsigned char bytes[SIZE_1];
	} sb;
	bool old = strncmp(version, "0.", 2) == 0;
	uint64_t offset = old ? (bytes & ~(RESERVED_090 - 1ULL)) - RESERVED_090 :
				offset_of_1(version, bytes);
	int rc;

	memset(s, 0, sizeof(*s));
	snprintf(s->version, sizeof(s->version), "%.4s", old ? "0.90" : version);
	if (bytes < 2 * RESERVED_090)
		return err_set_word(e, EINVAL, "bad-header", "it is too small for a member of an md array");
	rc = blockdev_read(device, offset, &sb, SIZE_1, e);
	if (rc < 0)
		return rc;
	return old ? take_090(&sb.v0, s, e) : take_1(&sb.v1, offset, s, e);
}
