#include "sys/sandbox.h"

#include "sys/loop.h"
#include "sys/sandbox_probe.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    root_becomes_another_user_and_cannot_come_back),
		cmocka_unit_test(who_stays_root_keeps_no_capability),
		cmocka_unit_test(no_core_is_dumped_and_limits_are_set),
		cmocka_unit_test(processes_can_be_forbidden),
		cmocka_unit_test(the_event_loop_needs_no_more_than_stdio),
	};

	return cmocka_run_group_tests_name("sys/sandbox", tests, NULL, NULL);
}
