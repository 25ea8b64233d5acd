#include "sys/filter.h"

#include "base/fault.h"
#include "base/text.h"
#include "sys/sandbox.h"

#include <seccomp.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* More than any architecture of ours has. */
#define CALLS_MAX 1024
#define NAME_SIZE 32

struct builder {
	scmp_filter_ctx context;
	bool allowed[CALLS_MAX]; /* whatever the arguments */
};

static const char *const calls_of[SANDBOX_PROMISE_COUNT] = {
#define PROMISE(NAME, meaning, calls) [SANDBOX_##NAME] = (calls),
#include "sys/promise.def"
#undef PROMISE
};

/* Flags with which a file is written, or made. */
#define OPEN_WRITES (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND)
#define NEW_SPACES                                                     \
	(CLONE_NEWCGROUP | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWNS | \
	    CLONE_NEWPID | CLONE_NEWUSER | CLONE_NEWUTS)
/* A thread shares all that is ours, and is no process. */
#define A_THREAD \
	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

/* Argument ${arg} is ${value}; or is, of the bits in ${mask}. */
#define IS(arg, value)                         \
	{                                      \
		(arg), SCMP_CMP_EQ, (value), 0 \
	}
#define MASKED(arg, mask, value)                           \
	{                                                  \
		(arg), SCMP_CMP_MASKED_EQ, (mask), (value) \
	}

/* What one promise allows a call to do, if no other allows all of it.  Only
 * whole arguments can be judged, not what they point to. */
static const struct gate {
	uint64_t promise;
	const char *call;
	unsigned count;
	struct scmp_arg_cmp args[2];
} gates[] = {
	/* Memory is written or run, never both. */
	{ SANDBOX_PROMISE(STDIO), "mmap", 1, { MASKED(2, PROT_EXEC, 0) } },
	{ SANDBOX_PROMISE(STDIO), "mprotect", 1, { MASKED(2, PROT_EXEC, 0) } },
	/* What the C library makes of fstat(). */
	{ SANDBOX_PROMISE(STDIO), "newfstatat", 1,
	    { MASKED(3, AT_EMPTY_PATH, AT_EMPTY_PATH) } },
	{ SANDBOX_PROMISE(STDIO), "ioctl", 1, { IS(1, FIONREAD) } },
	{ SANDBOX_PROMISE(STDIO), "ioctl", 1, { IS(1, FIONBIO) } },
	{ SANDBOX_PROMISE(STDIO), "ioctl", 1, { IS(1, TCGETS) } },
	/* Limits are read, not set. */
	{ SANDBOX_PROMISE(STDIO), "prlimit64", 1, { IS(2, 0) } },
	{ SANDBOX_PROMISE(RPATH), "open", 1,
	    { MASKED(1, OPEN_WRITES, O_RDONLY) } },
	{ SANDBOX_PROMISE(RPATH), "openat", 1,
	    { MASKED(2, OPEN_WRITES, O_RDONLY) } },
	{ SANDBOX_PROMISE(PROCESS), "open", 1, { MASKED(1, O_CREAT, 0) } },
	{ SANDBOX_PROMISE(PROCESS), "openat", 1, { MASKED(2, O_CREAT, 0) } },
	{ SANDBOX_PROMISE(PROCESS), "clone", 1, { MASKED(0, NEW_SPACES, 0) } },
	/* Threads are named, and libcap looks at what there is when loaded. */
	{ SANDBOX_PROMISE(PROCESS), "prctl", 1, { IS(0, PR_SET_NAME) } },
	{ SANDBOX_PROMISE(PROCESS), "prctl", 1, { IS(0, PR_CAPBSET_READ) } },
	{ SANDBOX_PROMISE(LIBRARIES), "prctl", 1, { IS(0, PR_CAPBSET_READ) } },
	{ SANDBOX_PROMISE(THREADS), "clone", 1,
	    { MASKED(0, A_THREAD | NEW_SPACES, A_THREAD) } },
	{ SANDBOX_PROMISE(THREADS), "prctl", 1, { IS(0, PR_SET_NAME) } },
	{ SANDBOX_PROMISE(LOCAL), "socket", 1, { IS(0, AF_UNIX) } },
	{ SANDBOX_PROMISE(CONNECT), "socket", 1, { IS(0, AF_UNIX) } },
	{ SANDBOX_PROMISE(CONNECT), "socket", 1, { IS(0, AF_INET) } },
	{ SANDBOX_PROMISE(CONNECT), "socket", 1, { IS(0, AF_INET6) } },
	/* How getaddrinfo() learns which addresses we have. */
	{ SANDBOX_PROMISE(CONNECT), "socket", 2,
	    { IS(0, AF_NETLINK), IS(2, NETLINK_ROUTE) } },
};

/* The number of a call: -1 on an architecture that lacks it. */
static int
number_of(const char *name, int *number, struct fault *f)
{
	int n = seccomp_syscall_resolve_name(name);

	if (n == __NR_SCMP_ERROR || n >= CALLS_MAX)
		return fault_set(f, FAULT_INTERNAL,
		    "promise.def: no system call \"%s\"", name);
	*number = n < 0 ? -1 : n;
	return 0;
}

static int
add_rule(struct builder *b, uint32_t action, int number, unsigned count,
    const struct scmp_arg_cmp *args, struct fault *f)
{
	int error =
	    seccomp_rule_add_array(b->context, action, number, count, args);

	if (error < 0)
		return fault_set(f, FAULT_SYSTEM, "seccomp rule: %s",
		    strerror(-error));
	return 0;
}

static int
allow_call(struct builder *b, const char *name, struct fault *f)
{
	int number = -1;

	if (number_of(name, &number, f) < 0)
		return -1;
	if (number < 0 || b->allowed[number])
		return 0;
	b->allowed[number] = true;
	return add_rule(b, SCMP_ACT_ALLOW, number, 0, NULL, f);
}

/* Allow each of ${calls}, names with blanks between. */
static int
allow_calls(struct builder *b, const char *calls, struct fault *f)
{
	char name[NAME_SIZE];

	while (*calls != '\0') {
		size_t len = strcspn(calls, " ");

		if (text_fmt(name, sizeof(name), "%.*s", (int)len, calls) < 0)
			return fault_set(f, FAULT_INTERNAL,
			    "promise.def: \"%.64s\"", calls);
		if (allow_call(b, name, f) < 0)
			return -1;
		calls += len;
		calls += strspn(calls, " ");
	}
	return 0;
}

static int
allow_gate(struct builder *b, const struct gate *gate, struct fault *f)
{
	int number = -1;

	if (number_of(gate->call, &number, f) < 0)
		return -1;
	if (number < 0 || b->allowed[number])
		return 0;
	return add_rule(b, SCMP_ACT_ALLOW, number, gate->count, gate->args, f);
}

/* A process may raise a signal in itself: abort() does. */
static int
allow_own_signals(struct builder *b, struct fault *f)
{
	const struct gate gate = { SANDBOX_PROMISE(STDIO), "tgkill", 1,
		{ IS(0, (uint32_t)getpid()) } };

	return allow_gate(b, &gate, f);
}

/* The arguments of clone3() are out of a filter's sight.  Told that there is
 * no such call, the C library falls back to clone(). */
static int
hide_clone3(struct builder *b, struct fault *f)
{
	int number = -1;

	if (number_of("clone3", &number, f) < 0)
		return -1;
	return add_rule(b, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL, f);
}

static int
build(struct builder *b, uint64_t promises, struct fault *f)
{
	for (size_t i = 0; i < SANDBOX_PROMISE_COUNT; i++)
		if ((promises & (uint64_t)1 << i) != 0 &&
		    allow_calls(b, calls_of[i], f) < 0)
			return -1;
	for (size_t i = 0; i < COUNT_OF(gates); i++)
		if ((promises & gates[i].promise) != 0 &&
		    allow_gate(b, &gates[i], f) < 0)
			return -1;
	if ((promises &
		(SANDBOX_PROMISE(PROCESS) | SANDBOX_PROMISE(THREADS))) != 0 &&
	    hide_clone3(b, f) < 0)
		return -1;
	return allow_own_signals(b, f);
}

/* Numbers of another architecture mean other calls: always fatal.  A binary
 * tree finds the rule in few steps; there are a hundred. */
static int
set_up(scmp_filter_ctx context, struct fault *f)
{
	if (seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH,
		SCMP_ACT_KILL_PROCESS) < 0 ||
	    seccomp_attr_set(context, SCMP_FLTATR_CTL_NNP, 0) < 0 ||
	    seccomp_attr_set(context, SCMP_FLTATR_CTL_OPTIMIZE, 2) < 0)
		return fault_set(f, FAULT_SYSTEM, "seccomp attributes");
	return 0;
}

int
filter_enter(uint64_t promises, bool log_only, struct fault *f)
{
	struct builder b = { .context = seccomp_init(log_only
				     ? SCMP_ACT_LOG
				     : SCMP_ACT_KILL_PROCESS) };
	int result = -1;

	if (b.context == NULL)
		return fault_set(f, FAULT_MEMORY, "seccomp");
	if (set_up(b.context, f) == 0 && build(&b, promises, f) == 0) {
		int error = seccomp_load(b.context);

		result = error == 0 ? 0
				    : fault_set(f, FAULT_SYSTEM, "seccomp: %s",
					  strerror(-error));
	}
	seccomp_release(b.context);
	return result;
}
