#include "sys/filter.h"

#include "sys/sandbox_probe.h"

#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <pthread.h>
#include <signal.h>

static void
makes_a_socket(const char *dir)
{
	(void)dir;
	(void)!socket(AF_INET, SOCK_STREAM, 0);
}

#ifdef SIGNET_SANITIZED

/* See sandbox.c: the run time of a sanitizer could not live behind it. */
static void
a_sanitized_build_has_no_filter(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO));

	(void)state;
	passes(&box, makes_a_socket, "");
}

#else

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

static void *
does_nothing(void *arg)
{
	return arg;
}

static void
makes_a_thread(const char *dir)
{
	pthread_t thread;

	(void)dir;
	HOLDS(pthread_create(&thread, NULL, does_nothing, NULL) == 0);
	HOLDS(pthread_join(thread, NULL) == 0);
}

static void
makes_a_local_socket(const char *dir)
{
	(void)dir;
	HOLDS(socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
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
	{ makes_a_thread,
	    ALL_PROMISES &
		~(SANDBOX_PROMISE(PROCESS) | SANDBOX_PROMISE(THREADS)) },
	{ makes_a_local_socket,
	    ALL_PROMISES &
		~(SANDBOX_PROMISE(CONNECT) | SANDBOX_PROMISE(LOCAL)) },
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
who_makes_threads_makes_nothing_more(void **state)
{
	struct sandbox box = a_box(SANDBOX_PROMISE(STDIO) |
	    SANDBOX_PROMISE(THREADS) | SANDBOX_PROMISE(LOCAL));
	static act_fn *const crimes_too[] = { forks, runs_another_program,
		makes_a_socket };

	(void)state;
	passes(&box, makes_a_thread, "");
	passes(&box, makes_a_local_socket, "");
	for (size_t i = 0; i < 3; i++) {
		int status = status_of(&box, crimes_too[i], "");

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
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
#ifdef SIGNET_SANITIZED
		cmocka_unit_test(a_sanitized_build_has_no_filter),
#else
		cmocka_unit_test(each_forbidden_call_kills),
		cmocka_unit_test(for_support_a_forbidden_call_is_only_logged),
		cmocka_unit_test(who_makes_threads_makes_nothing_more),
		cmocka_unit_test(a_process_may_abort),
#endif
	};

	return cmocka_run_group_tests_name("sys/filter", tests, NULL, NULL);
}
