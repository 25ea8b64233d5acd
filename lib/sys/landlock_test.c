#include "sys/landlock.h"

#include "base/file.h"
#include "sys/sandbox_probe.h"

#include <sys/mman.h>
#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

/* Asked for before the walls stand, behind which it cannot be. */
static int abi;

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
	/* What others put in its way. */
	(void)snprintf(path, sizeof(path), "%s/x", dir);
	HOLDS(mkdir(renamed, 0700) == 0 && rename(renamed, path) == 0 &&
	    rmdir(path) == 0);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_read_but_the_named_paths),
		cmocka_unit_test(a_path_to_read_is_not_written),
		cmocka_unit_test(a_path_to_write_takes_a_ledger_and_no_links),
		cmocka_unit_test(
		    a_program_runs_within_the_walls_of_who_promised),
		cmocka_unit_test(what_is_written_is_not_run),
		cmocka_unit_test(tcp_is_refused_to_who_did_not_promise_it),
	};

	abi = landlock_abi();
	return cmocka_run_group_tests_name("sys/landlock", tests, NULL, NULL);
}
