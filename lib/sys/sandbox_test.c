#include "sys/sandbox.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"
#include "sys/landlock.h"
#include "sys/loop.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/*
 * Each test forks a child which raises its walls and then does what it may or
 * may not.  A child ends with 0, or with the line that went wrong.
 */

#define NOBODY 65534
#define FINE 0
#define NO_WALLS 250

/* Within a child: what must hold. */
#define HOLDS(what)                                \
	do {                                       \
		if (!(what))                       \
			_exit(__LINE__ % 240 + 1); \
	} while (0)

/* Asked for before the walls stand, behind which it cannot be. */
static int abi;

typedef void act_fn(const char *dir);

/* A directory that whoever the child becomes may use: DIR/open holds "file",
 * and DIR/closed "file". */
struct place {
	char dir[64];
	char open[80];
	char closed[80];
};

static void
make_file(const char *dir, mode_t mode)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void
make_place(struct place *p)
{
	memcpy(p->dir, "/tmp/sandbox_test.XXXXXX", 25);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(chmod(p->dir, 0755), 0);
	(void)snprintf(p->open, sizeof(p->open), "%s/open", p->dir);
	(void)snprintf(p->closed, sizeof(p->closed), "%s/closed", p->dir);
	make_file(p->open, 0666);
	make_file(p->closed, 0666);
}

static void
remove_in(const char *dir, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}

static void
remove_place(const struct place *p)
{
	const char *const dirs[] = { p->open, p->closed };

	for (size_t i = 0; i < 2; i++) {
		remove_in(dirs[i], "file");
		remove_in(dirs[i], "db");
		assert_int_equal(rmdir(dirs[i]), 0);
	}
	assert_int_equal(rmdir(p->dir), 0);
}

/* How a child ended that entered ${box} and then did ${act}. */
static int
status_of(const struct sandbox *box, act_fn *act, const char *dir)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		struct fault f = { 0 };

		if (sandbox_enter(box, &f) < 0) {
			fprintf(stderr, "%s\n", f.text);
			_exit(NO_WALLS);
		}
		act(dir);
		_exit(FINE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
passes(const struct sandbox *box, act_fn *act, const char *dir)
{
	int status = status_of(box, act, dir);

	if (WIFSIGNALED(status))
		fail_msg("killed by signal %d", WTERMSIG(status));
	if (WEXITSTATUS(status) != FINE)
		fail_msg("HOLDS failed in line %% 240 + 1 = %d",
		    WEXITSTATUS(status));
}

/* Everything a role has, for tests of one wall among them. */
#define ALL_PROMISES                                                \
	(SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(ACCEPT) |         \
	    SANDBOX_PROMISE(RPATH) | SANDBOX_PROMISE(WPATH) |       \
	    SANDBOX_PROMISE(CONNECT) | SANDBOX_PROMISE(LIBRARIES) | \
	    SANDBOX_PROMISE(PROCESS))

static struct sandbox
a_box(uint64_t promises)
{
	struct sandbox box = { .promises = promises };

	box.uid = NOBODY;
	box.gid = NOBODY;
	return box;
}

static void
is_nobody_for_good(const char *dir)
{
	uid_t ru, eu, su;
	uid_t expected = *dir == 'r' ? NOBODY : (uid_t)strtol(dir, NULL, 10);

	HOLDS(getresuid(&ru, &eu, &su) == 0);
	HOLDS(ru == expected && eu == expected && su == expected);
	HOLDS(*dir != 'r' || getgroups(0, NULL) == 0);
	HOLDS(*dir != 'r' || (getgid() == NOBODY && getegid() == NOBODY));
	HOLDS(setuid(0) < 0 && errno == EPERM);
	HOLDS(setreuid(0, 0) < 0 && errno == EPERM);
	HOLDS(chown("/", 0, 0) < 0);
}

/* The last of these calls would be killed by a filter, so: without one. */
static void
root_becomes_another_user_and_cannot_come_back(void **state)
{
	struct sandbox box = a_box(0);
	char who[16] = "root";

	(void)state;
	box.may_gain = true;
	if (geteuid() != 0)
		(void)snprintf(who, sizeof(who), "%u", geteuid());
	passes(&box, is_nobody_for_good, who);
}

static void
has_no_capability(const char *dir)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct have[_LINUX_CAPABILITY_U32S_3];

	(void)dir;
	memset(have, 0xff, sizeof(have));
	HOLDS(syscall(SYS_capget, &header, have) == 0);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		HOLDS(have[i].effective == 0 && have[i].permitted == 0 &&
		    have[i].inheritable == 0);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
}

/* log_only, since the filter forbids to ask. */
static void
who_stays_root_keeps_no_capability(void **state)
{
	struct sandbox box = a_box(ALL_PROMISES);

	(void)state;
	box.log_only = true;
	passes(&box, has_no_capability, "");
	box.uid = box.gid = 0;
	passes(&box, has_no_capability, "");
}

static void
is_hidden(const char *dir)
{
	struct rlimit limit = { 1, 1 };

	(void)dir;
	HOLDS(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	HOLDS(getrlimit(RLIMIT_CORE, &limit) == 0);
	HOLDS(limit.rlim_cur == 0 && limit.rlim_max == 0);
	HOLDS(getrlimit(RLIMIT_NOFILE, &limit) == 0);
	HOLDS(limit.rlim_cur == 20 && limit.rlim_max == 20);
	HOLDS(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
}

static void
no_core_is_dumped_and_limits_are_set(void **state)
{
	struct sandbox box = a_box(0);

	(void)state;
	box.may_gain = true;
	box.files = 20;
	passes(&box, is_hidden, "");
}

static void
cannot_fork(const char *dir)
{
	pid_t pid = fork();

	(void)dir;
	if (pid == 0)
		_exit(0);
	HOLDS(pid < 0 && errno == EAGAIN);
}

/* Root's processes are not counted, so whoever stays root needs the filter. */
static void
processes_can_be_forbidden(void **state)
{
	struct sandbox box = a_box(0);

	(void)state;
	box.may_gain = true;
	box.no_processes = true;
	passes(&box, cannot_fork, "");
}

/* What the kernel says of ${path} opened for ${flags}: 0 or errno. */
static int
try_open(const char *dir, const char *name, int flags)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

static int
refused(void)
{
	return abi > 0 ? EACCES : 0;
}

static void
reads_one_place(const char *dir)
{
	char path[128];
	char text[8] = "";
	int fd;

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	HOLDS((fd = open(path, O_RDONLY | O_CLOEXEC)) >= 0);
	HOLDS(read(fd, text, sizeof(text)) == 4);
	HOLDS(try_open(dir, "../closed/file", O_RDONLY) == refused());
	HOLDS(try_open("/etc", "passwd", O_RDONLY) == refused());
	HOLDS(try_open("/proc/self", "environ", O_RDONLY) == EACCES);
}

static void
nothing_is_read_but_the_named_paths(void **state)
{
	struct sandbox box =
	    a_box(SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(RPATH));
	struct place p;

	(void)state;
	make_place(&p);
	box.paths[0].path = "/no/such/path";
	box.paths[1].path = p.open;
	passes(&box, reads_one_place, p.open);
	remove_place(&p);
}

/* With all promises: it is the paths that hold, not the filter. */
static void
writes_nothing(const char *dir)
{
	char path[128];

	HOLDS(try_open(dir, "file", O_RDONLY) == 0);
	HOLDS(try_open(dir, "file", O_WRONLY) == refused());
	HOLDS(try_open(dir, "db", O_WRONLY | O_CREAT) == refused());
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	HOLDS(abi == 0 || (unlink(path) < 0 && errno == EACCES));
	HOLDS(abi < 3 || (truncate(path, 0) < 0 && errno == EACCES));
}

static void
a_path_to_read_is_not_written(void **state)
{
	struct sandbox box = a_box(ALL_PROMISES);
	struct place p;

	(void)state;
	make_place(&p);
	box.paths[0].path = p.open;
	passes(&box, writes_nothing, p.open);
	remove_place(&p);
}

/* What SQLite does to a database with a write-ahead log. */
static void
keeps_a_ledger(const char *dir)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[128], renamed[128];
	struct fault f = { 0 };
	struct stat st;
	void *map;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/db", dir);
	(void)snprintf(renamed, sizeof(renamed), "%s/db2", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	HOLDS(fd >= 0 && fstat(fd, &st) == 0 && stat(path, &st) == 0);
	HOLDS(fcntl(fd, F_SETLK, &lock) == 0);
	HOLDS(ftruncate(fd, 32768) == 0);
	HOLDS(pwrite(fd, "x", 1, 100) == 1 && fdatasync(fd) == 0);
	map = mmap(NULL, 32768, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	HOLDS(map != MAP_FAILED && ((char *)map)[100] == 'x');
	HOLDS(munmap(map, 32768) == 0 && close(fd) == 0);
	HOLDS(rename(path, renamed) == 0 && unlink(renamed) == 0);
	HOLDS(file_write(path, 0600, "crl", 3, &f) == 0);
	HOLDS(symlink("/etc", renamed) < 0 || abi == 0);
}

static void
a_path_to_write_takes_a_ledger_and_no_links(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO) |
	    SANDBOX_PROMISE(RPATH) | SANDBOX_PROMISE(WPATH));
	struct place p;

	(void)state;
	make_place(&p);
	box.log_only = true; /* for symlink() to reach Landlock */
	box.paths[0].path = p.open;
	box.paths[0].write = true;
	passes(&box, keeps_a_ledger, p.open);
	remove_place(&p);
}

/* The program's output, through a pipe; its status, or -1. */
static int
run_program(char *out, size_t size)
{
	int pipes[2];
	int status = -1;
	ssize_t got;
	pid_t pid;

	if (pipe(pipes) < 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		(void)dup2(pipes[1], STDOUT_FILENO);
		execl("/bin/sh", "sh", "-c", "echo out; exit 7", (char *)NULL);
		_exit(99);
	}
	(void)close(pipes[1]);
	got = read(pipes[0], out, size - 1);
	out[got < 0 ? 0 : got] = '\0';
	(void)close(pipes[0]);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void
runs_a_program(const char *dir)
{
	char out[16];

	(void)dir;
	HOLDS(run_program(out, sizeof(out)) == 7);
	HOLDS(strcmp(out, "out\n") == 0);
}

static void
a_program_runs_within_the_walls_of_who_promised(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO) |
	    SANDBOX_PROMISE(RPATH) | SANDBOX_PROMISE(PROCESS));
	static const char *const paths[] = { "/bin", "/usr", "/lib", "/lib64",
		"/etc", "/dev/null" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		box.paths[i].path = paths[i];
	passes(&box, runs_a_program, "");
}

static void
runs_nothing_writable(const char *dir)
{
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	HOLDS(chmod(path, 0755) == 0 || errno == EPERM);
	execl(path, path, (char *)NULL);
	HOLDS(errno == EACCES);
}

static void
what_is_written_is_not_run(void **state)
{
	struct sandbox box = a_box(ALL_PROMISES);
	struct place p;

	(void)state;
	make_place(&p);
	box.log_only = true;
	box.paths[0].path = p.open;
	box.paths[0].write = true;
	passes(&box, runs_nothing_writable, p.open);
	remove_place(&p);
}

static void
binds_and_connects(const char *dir)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	int error;

	HOLDS(fd >= 0);
	error = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
	HOLDS(error == (abi >= 4 ? EACCES : 0));
	a.sin_port = htons(1);
	error = connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? errno : 0;
	HOLDS(error == (abi >= 4 && *dir == 'n' ? EACCES : ECONNREFUSED));
}

static void
tcp_is_refused_to_who_did_not_promise_it(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO));

	(void)state;
	box.log_only = true; /* for the calls to reach Landlock */
	passes(&box, binds_and_connects, "no");
	box.promises |= SANDBOX_PROMISE(CONNECT);
	box.log_only = false;
	passes(&box, binds_and_connects, "yes");
}

static void
on_timer(void *arg)
{
	loop_stop(arg);
}

static void
runs_a_loop(const char *dir)
{
	struct fault f = { 0 };
	struct loop *loop = loop_new(&f);
	struct loop_timer *timer;

	(void)dir;
	HOLDS(loop != NULL);
	timer = loop_timer_new(loop, on_timer, loop, &f);
	HOLDS(timer != NULL);
	loop_timer_set(timer, 1);
	HOLDS(loop_run(loop, &f) == 0);
	loop_timer_free(timer);
	loop_free(loop);
	fprintf(stderr, "%s", "");
}

static void
the_event_loop_needs_no_more_than_stdio(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO));

	(void)state;
	box.no_processes = true;
	box.files = 64;
	passes(&box, runs_a_loop, "");
}

#ifndef SIGNET_SANITIZED

/* A sanitized build has no filter (see sandbox.c), so nothing to test. */

static void
opens_to_write(const char *dir)
{
	(void)try_open(dir, "file", O_WRONLY);
}

static void
opens_to_read(const char *dir)
{
	(void)try_open(dir, "file", O_RDONLY);
}

static void
removes(const char *dir)
{
	(void)unlink(dir);
}

static void
makes_a_socket(const char *dir)
{
	(void)dir;
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

static void
makes_a_raw_netlink_socket(const char *dir)
{
	(void)dir;
	(void)!socket(AF_NETLINK, SOCK_RAW, 9);
}

static void
runs_another_program(const char *dir)
{
	(void)dir;
	execl("/bin/true", "true", (char *)NULL);
}

static void
forks(const char *dir)
{
	(void)dir;
	(void)!fork();
}

static void
makes_a_name_space(const char *dir)
{
	(void)dir;
	(void)syscall(SYS_clone, (long)0x10000000 | SIGCHLD, 0L, 0L, 0L, 0L);
}

static void
signals_its_parent(const char *dir)
{
	(void)dir;
	(void)kill(getppid(), 0);
}

static void
signals_a_thread_of_its_parent(const char *dir)
{
	(void)dir;
	(void)syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static void
traces_its_parent(const char *dir)
{
	(void)dir;
	(void)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static void
makes_memory_to_run(const char *dir)
{
	(void)dir;
	(void)!mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void
makes_its_memory_run(const char *dir)
{
	static char page[8192] __attribute__((aligned(4096)));

	(void)dir;
	(void)mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void
becomes_root(const char *dir)
{
	(void)dir;
	(void)!setuid(0);
}

static void
types_for_the_terminal(const char *dir)
{
	(void)dir;
	(void)syscall(SYS_ioctl, 0, 0x5412, "x"); /* TIOCSTI */
}

static void
raises_its_limit(const char *dir)
{
	const struct rlimit limit = { 0, 0 };

	(void)dir;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void
accepts(const char *dir)
{
	(void)dir;
	(void)!accept4(0, NULL, NULL, 0);
}

#ifdef __x86_64__
static void
calls_by_another_door(const char *dir)
{
	long result = 20; /* getpid() of i386 */

	(void)dir;
	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
}
#endif

static const struct {
	act_fn *act;
	uint64_t promises;
} crimes[] = {
	{ opens_to_read, SANDBOX_PROMISE(STDIO) },
	{ opens_to_write, SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(RPATH) },
	{ removes, SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(RPATH) },
	{ makes_a_socket, ALL_PROMISES & ~SANDBOX_PROMISE(CONNECT) },
	{ makes_a_raw_netlink_socket, ALL_PROMISES },
	{ accepts, ALL_PROMISES & ~SANDBOX_PROMISE(ACCEPT) },
	{ runs_another_program, ALL_PROMISES & ~SANDBOX_PROMISE(PROCESS) },
	{ forks, ALL_PROMISES & ~SANDBOX_PROMISE(PROCESS) },
	{ makes_a_name_space, ALL_PROMISES },
	{ signals_its_parent, ALL_PROMISES & ~SANDBOX_PROMISE(PROCESS) },
	{ signals_a_thread_of_its_parent,
	    ALL_PROMISES & ~SANDBOX_PROMISE(PROCESS) },
	{ traces_its_parent, ALL_PROMISES },
	{ makes_memory_to_run,
	    ALL_PROMISES &
		~(SANDBOX_PROMISE(PROCESS) | SANDBOX_PROMISE(LIBRARIES)) },
	{ makes_its_memory_run, SANDBOX_PROMISE(STDIO) },
	{ becomes_root, ALL_PROMISES },
	{ types_for_the_terminal, ALL_PROMISES & ~SANDBOX_PROMISE(PROCESS) },
	{ raises_its_limit, ALL_PROMISES & ~SANDBOX_PROMISE(PROCESS) },
#ifdef __x86_64__
	{ calls_by_another_door, ALL_PROMISES },
#endif
};

static void
each_forbidden_call_kills(void **state)
{
	struct place p;

	(void)state;
	make_place(&p);
	for (size_t i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		struct sandbox box = a_box(crimes[i].promises);
		int status;

		box.paths[0].path = p.open;
		box.paths[0].write = true;
		status = status_of(&box, crimes[i].act, p.open);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			fail_msg("crime %zu: status %#x", i, (unsigned)status);
	}
	remove_place(&p);
}

static void
for_support_a_forbidden_call_is_only_logged(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO));

	(void)state;
	box.log_only = true;
	passes(&box, makes_a_socket, "");
	passes(&box, signals_its_parent, "");
}

static void
aborts(const char *dir)
{
	(void)dir;
	abort();
}

static void
a_process_may_abort(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO));
	int status = status_of(&box, aborts, "");

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
}

#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    root_becomes_another_user_and_cannot_come_back),
		cmocka_unit_test(who_stays_root_keeps_no_capability),
		cmocka_unit_test(no_core_is_dumped_and_limits_are_set),
		cmocka_unit_test(processes_can_be_forbidden),
		cmocka_unit_test(nothing_is_read_but_the_named_paths),
		cmocka_unit_test(a_path_to_read_is_not_written),
		cmocka_unit_test(a_path_to_write_takes_a_ledger_and_no_links),
		cmocka_unit_test(
		    a_program_runs_within_the_walls_of_who_promised),
		cmocka_unit_test(what_is_written_is_not_run),
		cmocka_unit_test(tcp_is_refused_to_who_did_not_promise_it),
		cmocka_unit_test(the_event_loop_needs_no_more_than_stdio),
#ifndef SIGNET_SANITIZED
		cmocka_unit_test(each_forbidden_call_kills),
		cmocka_unit_test(for_support_a_forbidden_call_is_only_logged),
		cmocka_unit_test(a_process_may_abort),
#endif
	};

	abi = landlock_abi();
	return cmocka_run_group_tests_name("sys/sandbox", tests, NULL, NULL);
}
