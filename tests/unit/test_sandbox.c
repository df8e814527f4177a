/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sandboxes and the reader in one, as far as they can be tried without a machine of their own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/fs.h>

#include "boxtask.h"
#include "reader.h"
#include "sandbox.h"
#include "sandbox_profiles.h"
#include "tempdisk.h"

#define IN_MEMORY "/dev/shm/test_sandbox" /* every filesystem can't show another owner */

static const char *file; /* what the child is asked about */
static int fd_of_report;

static void report(const char *what, long rc)
{
	dprintf(fd_of_report, "%s %s\n", what, rc < 0 ? "no" : "yes");
}

static void look_around(void *arg)
{
	(void)arg;
	fd_of_report = 1;
	report("read", open(file, O_RDONLY));
	report("write", open(file, O_WRONLY));
	report("other", open("/etc/passwd", O_RDONLY));
	report("folder", open("/", O_RDONLY | O_DIRECTORY));
	report("new", open("/new", O_WRONLY | O_CREAT, 0600));
	report("socket", socket(AF_UNIX, SOCK_STREAM, 0));
	report("root", getuid() == 0 || geteuid() == 0 ? 0 : -1);
	report("first", getpid() == 1 ? 0 : -1);
}

/* Runs code with what it writes to descriptor 1 in text. Returns its wait status. */
static int run(const struct sandbox *s, void (*code)(void *arg), char *text, size_t size)
{
	struct err e;
	int p[2];
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(p), 0);
	pid = sandbox_fork(s, (int[]){ p[0], p[1], p[1] }, 3, code, NULL, &e);
	if (pid < 0)
		fail_msg("%s", e.text);
	close(p[1]);
	n = read(p[0], text, size - 1);
	while (n > 0 && (size_t)n < size - 1) {
		ssize_t more = read(p[0], text + n, size - 1 - (size_t)n);

		if (more <= 0)
			break;
		n += more;
	}
	text[n > 0 ? n : 0] = 0;
	close(p[0]);
	return sandbox_wait(pid);
}

static bool may_not_make_one(void)
{
	return geteuid() != 0;
}

static void make_file(mode_t mode)
{
	int fd = open(IN_MEMORY, O_WRONLY | O_CREAT | O_TRUNC, mode);

	assert_true(fd >= 0);
	assert_int_equal(fchown(fd, 1234, 1235), 0);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
	file = IN_MEMORY;
}

static void what_is_in_it(void **state)
{
	struct sandbox_path path = { IN_MEMORY, false };
	struct sandbox s = { .profile = &sandbox_btrfs, .files = &path, .n_files = 1 };
	char text[1000];
	struct stat st;

	(void)state;
	if (may_not_make_one())
		skip();
	make_file(0600);
	assert_int_equal(run(&s, look_around, text, sizeof(text)), 0);
	assert_string_equal(text, "read yes\nwrite no\nother no\nfolder no\nnew no\nsocket no\nroot no\nfirst yes\n");
	path.writable = true;
	assert_int_equal(run(&s, look_around, text, sizeof(text)), 0);
	assert_string_equal(text, "read yes\nwrite yes\nother no\nfolder no\nnew no\nsocket no\nroot no\nfirst yes\n");
	assert_int_equal(stat(IN_MEMORY, &st), 0);
	assert_int_equal(st.st_uid, 1234);
	assert_int_equal(st.st_gid, 1235);
	unlink(IN_MEMORY);
}

static void write_much(void *arg)
{
	int fd = open(file, O_WRONLY);

	(void)arg;
	fd_of_report = 1;
	report("inside", pwrite(fd, "x", 1, 99));
	report("behind", pwrite(fd, "x", 1, 100));
}

static void files_have_a_limit(void **state)
{
	struct sandbox_path path = { IN_MEMORY, true };
	struct sandbox s = { .profile = &sandbox_btrfs, .files = &path, .n_files = 1, .file_bytes = 100 };
	char text[100];

	(void)state;
	if (may_not_make_one())
		skip();
	make_file(0600);
	/* the kernel spares it the signal */
	assert_int_equal(run(&s, write_much, text, sizeof(text)), 0);
	assert_string_equal(text, "inside yes\nbehind no\n");
	unlink(IN_MEMORY);
}

static void what_can_not_be_in_it(void **state)
{
	struct sandbox_path path = { "/nowhere", false };
	struct sandbox s = { .profile = &sandbox_btrfs, .files = &path, .n_files = 1 };
	struct err e;

	(void)state;
	if (may_not_make_one())
		skip();
	assert_int_equal(sandbox_fork(&s, (int[]){ 0 }, 1, look_around, NULL, &e), -ENOENT);
	path.path = "/tmp";
	assert_int_equal(sandbox_fork(&s, (int[]){ 0 }, 1, look_around, NULL, &e), -EINVAL);
	s = (struct sandbox){ .profile = &sandbox_btrfs, .devices = &path, .n_devices = 1 };
	assert_int_equal(sandbox_fork(&s, (int[]){ 0 }, 1, look_around, NULL, &e), -ENOTBLK);
	assert_non_null(strstr(e.text, "/tmp"));
}

static void stay(void *arg)
{
	(void)arg;
	for (;;)
		pause();
}

/* It has no handler, and the kernel spares the first process of a namespace. */
static void ending_it(void **state)
{
	struct sandbox s = { .profile = &sandbox_btrfs };
	struct err e;
	pid_t pid;
	int status;

	(void)state;
	if (may_not_make_one())
		skip();
	pid = sandbox_fork(&s, (int[]){ 0, 1, 2 }, 3, stay, NULL, &e);
	assert_true(pid > 0);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, WNOHANG), 0);
	sandbox_terminate(pid);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}

/* ---- descriptors ---- */

#define MANY 1010 /* more than the numbers that a sandbox has for its own */

static void make_many_files(struct sandbox_path *paths)
{
	size_t i;

	for (i = 0; i < SANDBOX_FILES_MAX; i++) {
		char *path;
		int fd;

		assert_true(asprintf(&path, IN_MEMORY "%zu", i) > 0);
		fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_true(fd >= 0);
		assert_int_equal(write(fd, &i, sizeof(i)), sizeof(i));
		close(fd);
		paths[i] = (struct sandbox_path){ path, false };
	}
}

static void drop_many_files(const struct sandbox_path *paths)
{
	size_t i;

	for (i = 0; i < SANDBOX_FILES_MAX; i++) {
		unlink(paths[i].path);
		free((char *)(uintptr_t)paths[i].path);
	}
}

static void tell_descriptors(void *arg)
{
	const struct sandbox_path *paths = arg;
	size_t i, number, wrong = 0;
	char mark;
	int fd;

	for (fd = 0; fd < 2 * MANY; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			dprintf(1, "%d ", fd);
	for (fd = 2; fd < 6; fd++)
		dprintf(1, "%c", pread(fd, &mark, 1, 0) == 1 ? mark : '?');
	for (i = 0; i < SANDBOX_FILES_MAX; i++) {
		fd = open(paths[i].path, O_RDONLY);
		wrong += read(fd, &number, sizeof(number)) != sizeof(number) || number != i;
		close(fd);
	}
	dprintf(1, " %zu", wrong);
}

/* A process that has all numbers below MANY in use; what it gives is where something else is to go. */
static void __attribute__((noreturn)) give_some_of_many(const struct sandbox *s, int out)
{
	static const int marks[] = { 999, 3, 2, 1000 };
	struct rlimit limit = { 2 * MANY, 2 * MANY };
	int fds[] = { 600, out, 999, 3, 2, 1000 }, nothing = open("/dev/null", O_RDWR), fd;
	struct err e;
	pid_t pid;
	size_t i;

	setrlimit(RLIMIT_NOFILE, &limit);
	do
		fd = dup(nothing);
	while (fd >= 0 && fd < MANY - 1);
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		fd = memfd_create("mark", 0);
		dup2(fd, marks[i]);
		if (write(fd, &"abcd"[i], 1) != 1 || close(fd) < 0)
			_exit(1);
	}
	pid = sandbox_fork(s, fds, ARRAY_SIZE(fds), tell_descriptors, (void *)(uintptr_t)s->files, &e);
	if (pid < 0)
		dprintf(out, "%s", e.text);
	_exit(pid < 0 || sandbox_wait(pid) != 0);
}

static void only_what_it_is_given(void **state)
{
	struct sandbox_path paths[SANDBOX_FILES_MAX];
	struct sandbox s = { .profile = &sandbox_btrfs, .files = paths, .n_files = SANDBOX_FILES_MAX };
	char text[10000];
	int p[2], status;
	pid_t pid;

	(void)state;
	if (may_not_make_one())
		skip();
	make_many_files(paths);
	assert_int_equal(pipe(p), 0);
	pid = fork();
	if (pid == 0)
		give_some_of_many(&s, p[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	drop_many_files(paths);
	text[read(p[0], text, sizeof(text) - 1)] = 0;
	assert_string_equal(text, "0 1 2 3 4 5 abcd 0");
	assert_int_equal(status, 0);
	close(p[0]);
	close(p[1]);
}

/* ---- ways out ---- */

static pid_t outside; /* this process, by its number outside */
static int given = READER_FD; /* a descriptor that it has, open for reading */

static long open_other(void) { return open(file, O_RDONLY); }
static long open_parent(void) { return open("..", O_RDONLY | O_DIRECTORY); }
static long open_proc(void) { return open("/proc/1/mem", O_RDWR); }
static long make_file_there(void) { return open("/file", O_WRONLY | O_CREAT, 0600); }
static long make_folder(void) { return mkdir("/new", 0700); }
static long make_device(void) { return mknod("/disk", S_IFBLK | 0600, makedev(8, 0)); }
static long write_device(void) { return pwrite(given, "x", 1, 0); }
static long set_device(void) { return ioctl(given, BLKROSET, &(int){ 0 }); }
static long call_locally(void) { return socket(AF_UNIX, SOCK_STREAM, 0); }
static long call_host(void) { return socket(AF_INET, SOCK_STREAM, 0); }
static long call_kernel(void) { return socket(AF_NETLINK, SOCK_RAW, 0); }
static long run_program(void) { return execve("/bin/true", (char *[]){ NULL }, (char *[]){ NULL }); }
static long run_opened(void) { return syscall(SYS_execveat, given, "", NULL, NULL, 0x1000); }
static long mount_one(void) { return mount("none", "/", "tmpfs", 0, NULL); }
static long unmount(void) { return umount2("/", MNT_DETACH); }
static long change_root(void) { return chroot("/"); }
static long new_user(void) { return unshare(CLONE_NEWUSER); }
static long join_outside(void) { return setns(given, 0); }
static long trace_outside(void) { return ptrace(PTRACE_SEIZE, outside, 0, 0); }
static long kill_outside(void) { return kill(outside, 0); } /* only asks whether it could */
static long become_root(void) { return setuid(0); }
static long load_module(void) { return syscall(SYS_finit_module, given, "", 0); }
static long load_kernel(void) { return syscall(SYS_kexec_file_load, given, -1, 0UL, NULL, 0x4UL); }
static long load_program(void) { return syscall(SYS_bpf, 0, NULL, 0); }
static long watch(void) { return syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0); }
static long use_ring(void) { return syscall(SYS_io_uring_setup, 1, NULL); }
static long read_keys(void) { return syscall(SYS_keyctl, 0, -3, 0); }
static long raw_ports(void) { return syscall(SYS_iopl, 3); }

static long fork_one(void)
{
	pid_t pid = (pid_t)syscall(SYS_fork);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long clone_one(void)
{
	pid_t pid = (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0);

	if (pid == 0)
		_exit(0);
	return pid;
}

static long read_outside(void)
{
	char byte;
	struct iovec ours = { &byte, 1 }, theirs = { &outside, 1 };

	return process_vm_readv(outside, &ours, 1, &theirs, 1, 0);
}

#define WAY(name) { #name, name }
static const struct {
	const char *name;
	long (*go)(void); /* negative: refused */
} ways[] = {
	WAY(open_other), WAY(open_parent), WAY(open_proc), WAY(make_file_there), WAY(make_folder), WAY(make_device),
	WAY(write_device), WAY(set_device), WAY(call_locally), WAY(call_host), WAY(call_kernel), WAY(run_program),
	WAY(run_opened), WAY(mount_one), WAY(unmount), WAY(change_root), WAY(new_user), WAY(join_outside),
	WAY(trace_outside), WAY(kill_outside), WAY(become_root), WAY(load_module), WAY(load_kernel),
	WAY(load_program), WAY(watch), WAY(use_ring), WAY(read_keys), WAY(raw_ports), WAY(fork_one), WAY(clone_one),
	WAY(read_outside),
};

static void try_all(void *arg)
{
	size_t i;

	(void)arg;
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (ways[i].go() >= 0)
			dprintf(1, "%s ", ways[i].name);
	dprintf(1, "end");
}

static void expect_no_way(const struct sandbox_profile *profile)
{
	struct sandbox s = { .profile = profile };
	char text[2000];

	assert_int_equal(run(&s, try_all, text, sizeof(text)), 0);
	assert_string_equal(text, "end");
}

static void ways_out(void **state)
{
	struct tempdisk other;

	(void)state;
	if (may_not_make_one())
		skip();
	tempdisk_make(&other, 4096);
	file = other.path;
	outside = getpid();
	expect_no_way(&sandbox_fat);
	expect_no_way(&sandbox_lvm_report);
	expect_no_way(&sandbox_lvm);
	expect_no_way(&sandbox_luks);
	tempdisk_drop(&other);
}

/* ---- one piece of work ---- */

static int go_one_way(const void *arg, void *answer, struct err *e)
{
	const size_t *number = arg;

	(void)e;
	*(char *)answer = ways[*number].go() < 0 ? 1 : 2;
	return 0;
}

/* Each is refused, or ends who tries. */
static void no_way_out_of_undo_files(void **state)
{
	struct tempdisk d, other;
	struct boxtask t = { .profile = &sandbox_undo, .n_fds = 1, .seconds = 60, .name = "a way", .work = go_one_way };
	size_t i;

	(void)state;
	if (may_not_make_one())
		skip();
	tempdisk_make(&d, 4096);
	tempdisk_make(&other, 4096);
	file = other.path;
	outside = getpid();
	given = BOXTASK_FD;
	t.fds[0] = open(d.path, O_RDONLY | O_CLOEXEC);
	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		struct err e;
		char refused;
		int rc;

		t.arg = &i;
		rc = boxtask_run(&t, &refused, sizeof(refused), &e);
		if (rc == 0 ? refused != 1 : !strstr(e.text, "signal 31"))
			fail_msg("%s: %s", ways[i].name, rc == 0 ? "done" : e.text);
	}
	given = READER_FD;
	close(t.fds[0]);
	tempdisk_drop(&d);
	tempdisk_drop(&other);
}

/* ---- the reader ---- */

struct answer {
	char text[16];
};

static int read_start(const struct reader_question *q, void *answer, struct err *e)
{
	(void)q;
	return pread(3, answer, 5, 0) == 5 ? 0 : err_set(e, EIO, "too short");
}

static int crash(const struct reader_question *q, void *answer, struct err *e)
{
	(void)answer;
	(void)e;
	kill(getpid(), (int)q->number);
	__builtin_trap();
}

static int call_out(const struct reader_question *q, void *answer, struct err *e)
{
	(void)q;
	(void)answer;
	(void)e;
	return socket(AF_INET, SOCK_STREAM, 0);
}

static int refuse(const struct reader_question *q, void *answer, struct err *e)
{
	(void)q;
	(void)answer;
	return err_set_word(e, ENODATA, "bad-\ntable", "it says \033[2J");
}

static int try_one(const struct reader_question *q, void *answer, struct err *e)
{
	(void)e;
	*(char *)answer = ways[q->number].go() < 0 ? 1 : 2;
	return 0;
}

/* Each is refused, or ends who tries. */
static void no_way_out_of_the_reader(void)
{
	struct reader_question q = { .number = 0 };
	struct tempdisk d, other;
	struct err e;

	tempdisk_make(&d, 4096);
	tempdisk_make(&other, 4096);
	file = other.path;
	outside = getpid();
	for (; q.number < ARRAY_SIZE(ways); q.number++) {
		char refused;
		int rc = reader_ask(d.path, try_one, &q, &refused, sizeof(refused), &e);

		if (rc == 0 ? refused != 1 : !strstr(e.text, "signal 31"))
			fail_msg("%s: %s", ways[q.number].name, rc == 0 ? "done" : e.text);
	}
	tempdisk_drop(&d);
	tempdisk_drop(&other);
}

static void ask_all(void)
{
	struct reader_question q = { .bytes = 0 };
	struct answer a;
	struct tempdisk d;
	struct err e;

	tempdisk_make(&d, 4096);
	tempdisk_put(&d, 0, "hello", 5);
	assert_int_equal(reader_ask(d.path, read_start, &q, &a, sizeof(a), &e), 0);
	assert_string_equal(a.text, "hello");
	assert_int_equal(reader_ask(d.path, crash, &q, &a, sizeof(a), &e), -EIO);
	assert_string_equal(e.word, "tool-failed");
	assert_int_equal(reader_ask(d.path, call_out, &q, &a, sizeof(a), &e), -EIO);
	assert_non_null(strstr(e.text, "signal 31"));
	assert_int_equal(reader_ask(d.path, refuse, &q, &a, sizeof(a), &e), -ENODATA);
	assert_string_equal(e.text, "it says \\x1b[2J");
	assert_string_equal(e.word, "bad-\\x0atable");
	assert_int_equal(reader_ask(d.path, read_start, &q, &a, sizeof(a), &e), 0);
	assert_string_equal(a.text, "hello");
	assert_int_equal(reader_ask("/nowhere", read_start, &q, &a, sizeof(a), &e), -ENOENT);
	assert_string_equal(e.word, "io-error");
	tempdisk_drop(&d);
}

static void reading(void **state)
{
	(void)state;
	if (may_not_make_one())
		skip();
	ask_all();
	no_way_out_of_the_reader();
	reader_of_one_owner();
	ask_all();
	no_way_out_of_the_reader();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_in_it),
		cmocka_unit_test(files_have_a_limit),
		cmocka_unit_test(what_can_not_be_in_it),
		cmocka_unit_test(ending_it),
		cmocka_unit_test(only_what_it_is_given),
		cmocka_unit_test(ways_out),
		cmocka_unit_test(no_way_out_of_undo_files),
		cmocka_unit_test(reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
