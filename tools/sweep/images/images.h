/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Disk image files on a mounted host filesystem: which there are, what their headers say, which
 * file belongs to which, and how QEMU is told to open one without following a single name that a
 * header gives. All of it only reads, and starts no program. What stands in a file is read by the
 * reader (reader.h), which has no rights.
 *
 *   imageset_find()   find -> read headers -> resolve what they name -> refuse what must be refused
 *   image_graph()     one image and all that lies below it, as QEMU's explicit block graph
 *   imageset_free()
 *
 * An image's format is what the configuration says; else what the header of the image above it
 * says; else what the ending of its name says (.qcow2 .vmdk .vdi .vhdx; all others are raw). Never
 * what its content looks like: a guest writes the content of a raw disk. The content must agree.
 */
#ifndef GS_IMAGES_H
#define GS_IMAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "attrs.h"
#include "err.h"
#include "settings.h"

#define IMAGES_MAX 10000            /* images in a set */
#define IMAGES_MAX_ENTRIES 10000000 /* files and folders looked at */
#define IMAGES_MAX_DEPTH 64         /* folders inside one another */
#define IMAGES_MAX_CHAIN 64         /* backing files below one image */
#define IMAGES_MAX_SKIPPED 1000     /* files whose story is kept */
#define IMAGES_SMALLEST_DISK (1u << 20) /* bytes; a smaller raw file is none */

enum image_format { IMAGE_RAW, IMAGE_QCOW2, IMAGE_VMDK, IMAGE_VDI, IMAGE_VHDX };

enum image_extent_kind { EXTENT_FLAT, EXTENT_SPARSE };

/* One line of a vmdk's descriptor: a file that holds a piece of the disk. */
struct image_extent {
	enum image_extent_kind kind; /* VMFS is FLAT at offset 0 */
	char *name;                  /* as written */
	uint64_t bytes;              /* of the disk */
	uint64_t offset;             /* bytes into the file, FLAT only */
};

/* What an image's own header says. Names are as written, bytes a guest's host chose: escape them
 * before you show them. */
struct image_facts {
	uint64_t bytes;          /* of the disk that the guest sees */
	char *backing_name;      /* qcow2's backing file, vmdk's parentFileNameHint; NULL: none */
	char backing_format[16]; /* qcow2's name for its format, vmdk: "vmdk", "": not said */
	char *data_name;         /* qcow2's external data file; NULL: none */
	bool has_data_file;      /* qcow2: the data is in another file, whether or not it is named */
	bool data_is_raw;        /* that file is a raw disk by itself */

	bool is_encrypted;       /* qcow2 AES or LUKS, vmdk with encryption keys */
	bool is_dirty;           /* qcow2: refcounts may be wrong; opened for writing QEMU repairs it */
	bool is_corrupt;         /* qcow2: marked so by QEMU, which opens it only to read or repair */
	bool is_log_dirty;       /* vhdx: a log to replay; QEMU opens it only for writing */
	bool is_differencing;    /* vdi or vhdx with a parent, which QEMU can't do */
	bool is_read_only;       /* QEMU can't write to it: streamOptimized, vmdk with block tracking */
	bool is_extent;          /* a vmdk without a descriptor of its own: a piece of another */
	bool changes_on_open;    /* qcow2: merely opened for writing, QEMU changes its header */
	bool has_vm_state;       /* qcow2: a snapshot with the memory of a running guest */
	unsigned snapshots;      /* qcow2: internal snapshots */
	bool needs_zstd;         /* qcow2: compressed with zstd */
	char unsupported[256];   /* features that we don't know, by name, escaped; "": none */

	char create_type[32];         /* vmdk: "monolithicSparse", ... */
	uint32_t cid, parent_cid;     /* vmdk: content IDs; parent_cid VMDK_NO_PARENT: no parent */
	struct image_extent *extents; /* vmdk: of a descriptor that is a file of its own */
	size_t n_extents;             /* IMAGE_MAX_EXTENTS at most */

	const char *no_disk;          /* raw: why it is surely none, a text that stays; NULL: it may be one */
};

#define IMAGE_MAX_EXTENTS 2048
#define VMDK_NO_PARENT 0xffffffffu

enum image_format_from { FORMAT_FROM_NAME, FORMAT_FROM_IMAGE_ABOVE, FORMAT_FROM_WISH };

struct image {
	char *path; /* below the filesystem's root, no leading slash */
	enum image_format format;
	enum image_format_from format_from;
	struct image_facts facts;
	uint64_t file_bytes;     /* length of the file itself */
	ino_t ino;               /* 0: there is no such file */
	struct image *backing;   /* the image below it, or NULL */
	char *data_path;         /* the external data file, like path, or NULL */
	bool is_wished;          /* the configuration names it */
	bool backs_another;      /* some image lies on it: never to be written to */
	bool is_linked;          /* what it names has been looked for; for links.c alone */
	struct image *part_of;   /* it is an extent or data file of that one, no image itself */
	struct err refused;      /* code 0: fit to be opened; else why not, with the report's code */
};

/* A matching file that surely is no disk (a small boot image, an initramfs), or a folder that
 * was not entered. */
struct image_skipped {
	char *path;
	const char *why;
	bool is_folder; /* images may be in it */
};

struct imageset {
	struct image **image; /* by path; also backing files that no pattern matches */
	size_t n;
	struct image **wished; /* for each wish the image it came to, in the wishes' order */
	size_t n_wished;
	struct image_skipped *skipped; /* the first IMAGES_MAX_SKIPPED of them, by path */
	size_t n_skipped;
	size_t n_more_skipped;
};

/* An image that the configuration names. */
struct image_wish {
	const char *path;   /* from the filesystem's root; a leading slash is fine */
	const char *format; /* "raw", "qcow2", "vmdk", "vdi", "vhdx"; NULL: by the ending */
};

/* Who reads headers: the reader; or the process itself, for tests. */
struct image_reader;
extern const struct image_reader image_reader_boxed, image_reader_bare;

/*
 * Fills *set with the images on the filesystem mounted at folder root: the regular files whose
 * base name matches one of the shell patterns (letters' case does not matter), the wishes, and
 * the backing files of all those. Never enters another filesystem, never follows a symbolic link: one
 * whose name matches, to a file of this filesystem that is none of these images, is a refused image itself;
 * of several hard links to a file the first path counts.
 * mounted_at: where the host had this filesystem mounted ("/", "/var/lib/libvirt"); absolute names
 * in headers count from there. "": not known, and such names are refused.
 *
 * What is wrong with one image is told in its refused: bad-image, unsupported-feature,
 * missing-device, io-error; tool-failed for a raw one that broke the reader. Returns 0; -E2BIG where one of the limits above is reached, for half
 * a search can't tell which image backs another; for the same reason -EIO (tool-failed) where another
 * one's header broke the reader; -errno of reading a folder (io-error); -ENOMEM.
 * On failure *set is empty. Release with imageset_free().
 */
int imageset_find(struct imageset *set, const char *root, const struct words *patterns,
		  const struct image_wish *wishes, size_t n_wishes, const char *mounted_at,
		  const struct image_reader *reader, struct err *e) must_check nonnull_at(1, 2, 3, 6, 7, 8);
void imageset_free(struct imageset *set) nonnull_all;

/* The image at path (below the filesystem's root; a leading slash is fine), or NULL. */
struct image *imageset_get(const struct imageset *set, const char *path) nonnull_all;

/*
 * The block graph "json:{...}" for qemu-img and qemu-nbd (free it): every node with its driver
 * and its file below root (absolute, no trailing slash), backing files and the data file given
 * explicitly or null, all but the top read-only, and the top too if read_only. QEMU then opens no
 * name that it reads from a header, save those of vmdk extents (vmdk.c says which pass).
 * Returns NULL and sets e: EINVAL top is refused or a part; EROFS it can't be written to;
 * E2BIG longer than one argument may be; ENOMEM.
 */
char *image_graph(const struct image *top, const char *root, bool read_only, struct err *e)
	must_check nonnull_all;

/* Calls each with the absolute path of every file that image by itself consists of, as the graph
 * names them: its own, its extents and its data file; nothing of what it lies on. Returns 0; what
 * each has returned, where that is not 0; -ENOMEM. */
int image_each_file(const struct image *image, const char *root,
		    int (*each)(const char *path, void *arg, struct err *e), void *arg, struct err *e)
	must_check nonnull_at(1, 2, 3, 5);

/* Whether a file of that name and length is taken for a disk without a look into it: raw ones of
 * less than IMAGES_SMALLEST_DISK are none. */
bool image_may_be_disk(const char *name, uint64_t bytes) nonnull_all;

/* "raw", "qcow2", ... */
const char *image_format_name(enum image_format format);

#endif
