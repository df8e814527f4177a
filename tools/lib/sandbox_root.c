/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The empty root. It is made over a folder that every system has, then takes the place of "/". (pivot_root(2)
 * does not work where "/" is the initramfs.)
 *
 *   /           tmpfs: read-only, no devices, nothing can be run
 *   /dev        another: null and the devices; read-only too, which does not concern what they stand for
 *   files       each a mount of its own, in which the file's owner is the sandbox's user
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cleanup.h"
#include "file.h"
#include "sandbox_start.h"
#include "sandbox_steps.h"

#define ROOT SANDBOX_ROOT
#define ROOT_OPTIONS "mode=0755,size=64k,nr_inodes=1024"
#define SAFE (MS_NOSUID | MS_NOEXEC)
#define ID_MAP_SIZE 64
#define COPY_MAX 4096
#define MAX_COPIES 4

/* Of linux/mount.h, which does not go together with sys/mount.h everywhere. */
#define TREE_CLONE 1
#define TREE_CLOEXEC O_CLOEXEC
#define ATTR_RDONLY 0x1
#define ATTR_NOSUID 0x2
#define ATTR_NODEV 0x4
#define ATTR_NOEXEC 0x8
#define ATTR_IDMAP 0x100000
#define MOVE_FROM_EMPTY_PATH 0x4

struct tree_attr {
	uint64_t set, clear, propagation, userns;
};

/* ---- files, in the parent ---- */

static int write_map(pid_t pid, const char *which, unsigned on_disk, unsigned in_box)
{
	char path[64], map[ID_MAP_SIZE];
	struct err e;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, which);
	snprintf(map, sizeof(map), "%u %u 1", on_disk, in_box);
	return file_set(path, map, &e);
}

/* A user namespace that says which user on disk stands for the sandbox's. Its one process is
 * needed only until there is a descriptor of it. Returns that or -errno. */
static int open_id_map(const struct stat *st, uid_t user)
{
	int dumpable = prctl(PR_GET_DUMPABLE);
	char path[64];
	int fd = -1, rc;
	pid_t pid;

	/* of a child that is not, only who may trace all others may open the namespace */
	prctl(PR_SET_DUMPABLE, 1);
	pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		for (;;)
			pause();
	rc = pid < 0 ? -errno : 0;
	prctl(PR_SET_DUMPABLE, dumpable);
	if (rc < 0)
		return rc;
	rc = write_map(pid, "uid_map", st->st_uid, user);
	if (rc == 0)
		rc = write_map(pid, "gid_map", st->st_gid, user);
	snprintf(path, sizeof(path), "/proc/%d/ns/user", pid);
	if (rc == 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	rc = rc == 0 && fd < 0 ? -errno : rc;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return rc < 0 ? rc : fd;
}

static bool others_may_read(const struct stat *st)
{
	return st->st_mode & S_IROTH;
}

/* The one made last serves all files of the same owner. */
struct id_map {
	int fd; /* -1: none */
	uid_t owner;
	gid_t group;
};

/* Returns its descriptor or -errno. */
static int id_map_of(struct id_map *m, const struct stat *st, uid_t user)
{
	if (m->fd >= 0 && m->owner == st->st_uid && m->group == st->st_gid)
		return m->fd;
	if (m->fd >= 0)
		close(m->fd);
	*m = (struct id_map){ open_id_map(st, user), st->st_uid, st->st_gid };
	return m->fd;
}

/* Clones path's mount, to be attached in the sandbox. Returns its descriptor or -errno. */
static int open_file(const struct sandbox_path *f, uid_t user, struct id_map *m, struct err *e)
{
	struct tree_attr attr = { .set = ATTR_NOSUID | ATTR_NODEV | ATTR_NOEXEC | ATTR_IDMAP };
	cleanup_fd int tree = -1;
	struct stat st;
	int map;

	if (lstat(f->path, &st) < 0)
		return err_set(e, errno, "%s: %s", f->path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is not a regular file", f->path);
	tree = (int)syscall(SYS_open_tree, AT_FDCWD, f->path, TREE_CLONE | TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
	if (tree < 0)
		return err_set(e, errno, "%s: %s", f->path, strerror(errno));
	map = user ? id_map_of(m, &st, user) : -1;
	if (user && map < 0)
		return err_set(e, -map, "%s: %s", f->path, strerror(-map));
	attr.set |= f->writable ? 0 : ATTR_RDONLY;
	attr.set &= user ? ~0ULL : ~(uint64_t)ATTR_IDMAP;
	attr.userns = user ? (unsigned)map : 0;
	if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0) {
		/* not every filesystem can show another owner */
		if (f->writable || !others_may_read(&st))
			return err_set(e, errno, "%s: %s", f->path, strerror(errno));
		attr.set &= ~(uint64_t)ATTR_IDMAP;
		if (syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)) < 0)
			return err_set(e, errno, "%s: %s", f->path, strerror(errno));
	}
	return steal_fd(&tree);
}

int sandbox_open_files(struct sandbox_plan *p, struct err *e)
{
	struct id_map m = { .fd = -1 };
	size_t i;

	if (p->s->n_files == 0)
		return 0;
	if (p->s->n_files > SANDBOX_FILES_MAX)
		return err_set(e, EMFILE, "%zu files, and a sandbox holds %d", p->s->n_files, SANDBOX_FILES_MAX);
	p->trees = malloc(p->s->n_files * sizeof(*p->trees));
	if (!p->trees)
		return err_set(e, ENOMEM, "no memory for a sandbox");
	for (i = 0; i < p->s->n_files; i++)
		p->trees[i] = -1;
	for (i = 0; i < p->s->n_files; i++) {
		p->trees[i] = open_file(&p->s->files[i], p->uid, &m, e);
		if (p->trees[i] < 0)
			break;
	}
	if (m.fd >= 0)
		close(m.fd);
	return i < p->s->n_files ? -e->code : 0;
}

/* ---- devices, in the parent ---- */

const struct sandbox_path sandbox_null = { "/dev/null", true };

static int failed(const char *what, struct err *e)
{
	return err_set(e, errno, "%s: %s", what, strerror(errno));
}

static int find_device(const char *path, struct device_id *id, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return failed(path, e);
	if (!S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))
		return err_set(e, ENOTBLK, "%s is not a device", path);
	*id = (struct device_id){ st.st_mode & S_IFMT, st.st_rdev };
	return 0;
}

int sandbox_find_devices(struct sandbox_plan *p, struct err *e)
{
	size_t n = p->s->n_devices, i;
	int rc;

	p->devices = calloc(n + 1, sizeof(*p->devices));
	if (!p->devices)
		return err_set(e, ENOMEM, "no memory for a sandbox");
	rc = find_device(sandbox_null.path, &p->devices[n], e);
	for (i = 0; i < n && rc == 0; i++)
		rc = find_device(p->s->devices[i].path, &p->devices[i], e);
	return rc;
}

/* ---- the root, in the child ---- */

/* Makes the folders above inside, a path below ROOT. */
static int make_folders(const char *inside, struct err *e)
{
	char folder[PATH_MAX];
	char *end;

	snprintf(folder, sizeof(folder), "%s", inside);
	end = strrchr(folder, '/');
	*end = 0;
	return file_mkdirs(folder, e);
}

static int make_node(const struct sandbox_plan *p, const struct sandbox_path *d, const struct device_id *id, struct err *e)
{
	mode_t mode = d->writable ? 0600 : 0400;
	char inside[PATH_MAX];
	int rc;

	snprintf(inside, sizeof(inside), ROOT "%s", d->path);
	rc = make_folders(inside, e);
	if (rc < 0)
		return rc;
	if (mknod(inside, id->type | mode, id->number) < 0 || chown(inside, p->uid, p->uid) < 0)
		return failed(inside, e);
	return 0;
}

static int make_file(const char *path, const char *text, struct err *e)
{
	char inside[PATH_MAX];
	int rc;

	snprintf(inside, sizeof(inside), ROOT "%s", path);
	rc = make_folders(inside, e);
	return rc < 0 ? rc : file_write(inside, text, strlen(text), e);
}

static int attach_file(const char *path, int tree, struct err *e)
{
	char inside[PATH_MAX];
	int rc = make_file(path, "", e);

	if (rc < 0)
		return rc;
	snprintf(inside, sizeof(inside), ROOT "%s", path);
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, inside, MOVE_FROM_EMPTY_PATH) < 0)
		return failed(path, e);
	close(tree);
	return 0;
}

static int take_place(struct err *e)
{
	if (chdir(ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return failed("its root", e);
	return 0;
}

/* copies: what is in the profile's copied files. */
static int fill(const struct sandbox_plan *p, char *const *copies, struct err *e)
{
	const struct sandbox *s = p->s;
	size_t i;
	int rc = make_node(p, &sandbox_null, &p->devices[s->n_devices], e);

	for (i = 0; i < s->n_devices && rc == 0; i++)
		rc = make_node(p, &s->devices[i], &p->devices[i], e);
	for (i = 0; s->profile->empty && s->profile->empty[i] && rc == 0; i++)
		rc = make_file(s->profile->empty[i], "", e);
	for (i = 0; copies[i] && rc == 0; i++)
		rc = make_file(s->profile->copied[i], copies[i], e);
	for (i = 0; i < s->n_files && rc == 0; i++)
		rc = attach_file(s->files[i].path, SANDBOX_FILES_FD + (int)i, e);
	return rc;
}

/* Length and place of all else stay. */
static void rename_mapped(char *devices)
{
	static const char from[] = "device-mapper", to[] = "loop         ";
	char *at = strstr(devices, from);

	_Static_assert(sizeof(from) == sizeof(to), "another length");
	if (at)
		memcpy(at, to, sizeof(to) - 1);
}

/* They are below ROOT. Whose process this is ends, or becomes another program: nothing is freed. */
static int read_copies(const struct sandbox_profile *p, char *copies[MAX_COPIES + 1], struct err *e)
{
	size_t i;

	for (i = 0; p->copied && p->copied[i] && i < MAX_COPIES; i++)
		if (file_read(p->copied[i], COPY_MAX, &copies[i], NULL, e) < 0)
			return -e->code;
	if (p->mapped_are_loops)
		rename_mapped(copies[0]);
	return 0;
}

int sandbox_make_root(const struct sandbox_plan *p, struct err *e)
{
	char *copies[MAX_COPIES + 1] = { NULL };
	int rc = read_copies(p->s->profile, copies, e);

	if (rc < 0)
		return rc;
	if (mount("sandbox", ROOT, "tmpfs", SAFE | MS_NODEV, ROOT_OPTIONS) < 0)
		return failed("its root", e);
	if (mkdir(ROOT "/dev", 0755) < 0 || mount("sandbox", ROOT "/dev", "tmpfs", SAFE, ROOT_OPTIONS) < 0)
		return failed("its /dev", e);
	rc = fill(p, copies, e);
	if (rc < 0)
		return rc;
	if (!p->s->profile->capabilities &&
	    mount(NULL, ROOT "/dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | SAFE, NULL) < 0)
		return failed("its /dev", e);
	if (mount(NULL, ROOT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NODEV | SAFE, NULL) < 0)
		return failed("its root", e);
	return take_place(e);
}
