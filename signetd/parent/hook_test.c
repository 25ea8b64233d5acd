#include "signetd/parent/hook.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"
#include "sys/loop.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A directory with a hook in it, which writes to "out" there. */
struct scene {
	struct signetd_conf *conf;
	struct loop *loop;
	struct loop_timer *end;
	struct loop_signal *child;
	struct hooks *hooks;
	char dir[64];
	unsigned ended;
	unsigned until;
	int status;
};

static void
reap(void *arg, int signo)
{
	struct scene *s = arg;
	siginfo_t info = { 0 };

	(void)signo;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0) {
		hooks_ending(s->hooks, info.si_pid);
		assert_int_equal(waitpid(info.si_pid, &s->status, 0),
		    info.si_pid);
		if (hooks_ended(s->hooks, info.si_pid, s->status))
			s->ended++;
		info.si_pid = 0;
	}
	if (s->ended >= s->until)
		loop_stop(s->loop);
}

static void
too_late(void *arg)
{
	(void)arg;
	fail_msg("the hooks do not end");
}

static int
sit_down(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };

	assert_non_null(s);
	assert_int_equal(text_copy(s->dir, sizeof(s->dir), "/tmp/hook.XXXXXX"),
	    0);
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(chmod(s->dir, 0777), 0);
	assert_non_null(s->conf = calloc(1, sizeof(*s->conf)));
	s->conf->hook_timeout = 30;
	assert_int_equal(text_copy(s->conf->user_hook,
			     sizeof(s->conf->user_hook), "61399"),
	    0);
	assert_non_null(s->loop = loop_new(&f));
	assert_non_null(s->end = loop_timer_new(s->loop, too_late, s, &f));
	assert_non_null(s->child =
			    loop_signal_new(s->loop, SIGCHLD, reap, s, &f));
	assert_non_null(s->hooks = hooks_new(s->loop, s->conf, &f));
	*state = s;
	return 0;
}

static void
path_of(const struct scene *s, const char *name, char path[128])
{
	assert_int_equal(text_fmt(path, 128, "%s/%s", s->dir, name), 0);
}

static int
stand_up(void **state)
{
	static const char *const names[] = { "hook", "out", "pid" };
	struct scene *s = *state;
	char path[128];

	hooks_free(s->hooks);
	loop_signal_free(s->child);
	loop_timer_free(s->end);
	loop_free(s->loop);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		path_of(s, names[i], path);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(s->dir), 0);
	free(s->conf);
	free(s);
	return 0;
}

static void
set_hook(struct scene *s, const char *script)
{
	OWN_BUF(text, 4096);
	struct fault f = { 0 };
	char path[128];

	buf_fmt(&text, "#!/bin/sh\nd=%s\n%s\n", s->dir, script);
	path_of(s, "hook", path);
	assert_int_equal(file_write(path, 0755, text.data, text.len, &f), 0);
	assert_int_equal(text_copy(s->conf->token_hook,
			     sizeof(s->conf->token_hook), path),
	    0);
}

static void
tell(struct scene *s, const char *event, const char *ca, const char *text)
{
	struct hook_event *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_int_equal(text_copy(e->event, sizeof(e->event), event), 0);
	assert_int_equal(text_copy(e->ca, sizeof(e->ca), ca), 0);
	hook_event_add(e, "SIGNET_TEXT", text);
	hooks_tell(s->hooks, HOOK_TOKEN, e);
	free(e);
}

static void
run_until(struct scene *s, unsigned ended)
{
	struct fault f = { 0 };

	s->until = ended;
	if (s->ended >= ended)
		return;
	loop_timer_set(s->end, 20000);
	assert_int_equal(loop_run(s->loop, &f), 0);
	loop_timer_stop(s->end);
}

static const char *
printed(const struct scene *s, struct buf *out)
{
	struct fault f = { 0 };
	char path[128];

	buf_clear(out);
	path_of(s, "out", path);
	if (file_read(path, out, &f) < 0)
		return "";
	return buf_cstr(out);
}

static void
a_hook_hears_what_happened_and_nothing_else(void **state)
{
	struct scene *s = *state;
	OWN_BUF(out, 8192);
	const char *text;

	assert_int_equal(setenv("SIGNET_SECRET", "ours", 1), 0);
	set_hook(s,
	    "{ env; id -u; pwd; readlink /proc/self/fd/0; "
	    "ls /proc/$$/fd | wc -l; } > $d/out");
	tell(s, "token-lost", "slcs", "pulled\nout");
	run_until(s, 1);
	assert_int_equal(s->status, 0);
	text = printed(s, &out);
	assert_non_null(strstr(text, "SIGNET_EVENT=token-lost\n"));
	assert_non_null(strstr(text, "SIGNET_CA=slcs\n"));
	assert_non_null(strstr(text, "SIGNET_TEXT=pulled?out\n"));
	assert_non_null(strstr(text, "PATH=/usr/sbin:/usr/bin:/sbin:/bin\n"));
	assert_null(strstr(text, "SIGNET_SECRET"));
	assert_non_null(strstr(text, "\n/dev/null\n"));
	if (geteuid() == 0)
		assert_non_null(strstr(text, "\n61399\n/\n"));
	assert_int_equal(unsetenv("SIGNET_SECRET"), 0);
}

static void
without_a_hook_nothing_runs(void **state)
{
	struct scene *s = *state;

	tell(s, "token-lost", "slcs", "");
	hooks_ending(s->hooks, 1);
	assert_false(hooks_ended(s->hooks, 1, 0));
	assert_false(hooks_ended(s->hooks, 0, 0));
}

static void
one_runs_after_the_other_and_the_newest_is_told(void **state)
{
	struct scene *s = *state;
	OWN_BUF(out, 4096);

	set_hook(s,
	    "echo $SIGNET_EVENT $SIGNET_CA $SIGNET_TEXT >> $d/out; "
	    "test $SIGNET_EVENT = slow && sleep 0.2; true");
	tell(s, "slow", "a", "0");
	tell(s, "token-lost", "a", "1");
	tell(s, "token-lost", "b", "2");
	tell(s, "token-ready", "a", "3");
	tell(s, "token-lost", "a", "4");
	run_until(s, 4);
	assert_string_equal(printed(s, &out),
	    "slow a 0\ntoken-lost b 2\ntoken-ready a 3\ntoken-lost a 4\n");
}

static bool
is_alive(const struct scene *s)
{
	OWN_BUF(out, 64);
	struct fault f = { 0 };
	char path[128];

	path_of(s, "pid", path);
	assert_int_equal(file_read(path, &out, &f), 0);
	return kill((pid_t)strtol(buf_cstr(&out), NULL, 10), 0) == 0;
}

/* It has a moment in which it is dead and nobody has reaped it. */
static void
see_it_die(const struct scene *s)
{
	for (int i = 0; is_alive(s); i++) {
		OWN_BUF(stat, 512);
		struct fault f = { 0 };
		OWN_BUF(pid, 64);
		char path[128];

		path_of(s, "pid", path);
		assert_int_equal(file_read(path, &pid, &f), 0);
		assert_int_equal(text_fmt(path, sizeof(path), "/proc/%ld/stat",
				     strtol(buf_cstr(&pid), NULL, 10)),
		    0);
		if (file_read(path, &stat, &f) < 0 ||
		    strstr(buf_cstr(&stat), ") Z ") != NULL)
			return;
		assert_true(i < 500);
		(void)usleep(10000);
	}
}

static void
one_that_hangs_is_killed_with_what_it_started(void **state)
{
	struct scene *s = *state;

	s->conf->hook_timeout = 1;
	set_hook(s, "sleep 100 & echo $! > $d/pid; trap '' TERM; wait");
	tell(s, "token-lost", "slcs", "");
	run_until(s, 1);
	assert_true(WIFSIGNALED(s->status));
	assert_int_equal(WTERMSIG(s->status), SIGKILL);
	see_it_die(s);
}

static void
what_a_hook_leaves_behind_ends_with_it(void **state)
{
	struct scene *s = *state;

	set_hook(s, "sleep 100 & echo $! > $d/pid");
	tell(s, "token-lost", "slcs", "");
	run_until(s, 1);
	assert_int_equal(s->status, 0);
	see_it_die(s);
}

/* A daemon: a session of its own, and no parent that waits. */
#define DAEMON                                                                 \
	"rm -f $d/pid; export d; setsid sh -c 'sh -c \"echo \\$\\$ > $d/new; " \
	"mv $d/new $d/pid; exec sleep 100\" &' & "                             \
	"while test ! -s $d/pid; do sleep 0.01; done; "

static void
one_that_hangs_is_killed_with_what_left_its_group(void **state)
{
	struct scene *s = *state;

	s->conf->hook_timeout = 2;
	set_hook(s, DAEMON "trap '' TERM; while :; do sleep 100; done");
	tell(s, "token-lost", "slcs", "");
	run_until(s, 1);
	assert_true(WIFSIGNALED(s->status));
	assert_int_equal(WTERMSIG(s->status), SIGKILL);
	/* Its keeper has waited for each of them. */
	assert_false(is_alive(s));
}

static void
what_a_hook_leaves_in_another_session_ends_with_it(void **state)
{
	struct scene *s = *state;

	set_hook(s, DAEMON "exit 3");
	tell(s, "token-lost", "slcs", "");
	run_until(s, 1);
	assert_true(WIFEXITED(s->status));
	assert_int_equal(WEXITSTATUS(s->status), 3);
	assert_false(is_alive(s));
}

/* The log, which is standard error, into "out" for ${events} hooks. */
static const char *
logged(struct scene *s, unsigned events, struct buf *out)
{
	char path[128];
	int kept = dup(STDERR_FILENO), fd;

	path_of(s, "out", path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(kept >= 0 && fd >= 0);
	assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
	(void)close(fd);
	run_until(s, events);
	assert_int_equal(dup2(kept, STDERR_FILENO), STDERR_FILENO);
	(void)close(kept);
	return printed(s, out);
}

static void
what_it_prints_without_end_is_bounded(void **state)
{
	struct scene *s = *state;
	OWN_BUF(out, 65536);
	unsigned lines = 0;
	const char *text;

	set_hook(s,
	    "printf 'a\\033[31mb\\n' >&2; "
	    "yes a line of some length | head -n 20000; printf end");
	tell(s, "token-lost", "slcs", "");
	text = logged(s, 1, &out);
	assert_int_equal(s->status, 0);
	for (const char *at = text; (at = strstr(at, "hook-said")) != NULL;
	     at++)
		lines++;
	assert_int_equal(lines, 51);
	assert_non_null(strstr(text, "a?[31mb"));
	assert_non_null(strstr(text, "more than the log takes"));
	assert_non_null(strstr(text, "hook-done"));
}

/* What is read on standard input is the keeper's own file, and no other's. */
static void
a_hook_reads_the_list_and_nothing_instead(void **state)
{
	struct scene *s = *state;
	struct hook_event *e = calloc(1, sizeof(*e));
	OWN_BUF(out, 4096);
	struct fault f = { 0 };
	char link_path[128];

	assert_non_null(e);
	assert_int_equal(text_copy(e->event, sizeof(e->event), "crl"), 0);
	e->owner = geteuid();
	path_of(s, "pid", e->input);
	path_of(s, "hook-link", link_path);
	assert_int_equal(file_write(e->input, 0600, "the list\n", 9, &f), 0);
	set_hook(s, "cat > $d/out");
	hooks_tell(s->hooks, HOOK_TOKEN, e);
	run_until(s, 1);
	assert_string_equal(printed(s, &out), "the list\n");
	/* A second name of it; a link; another's. */
	assert_int_equal(link(e->input, link_path), 0);
	hooks_tell(s->hooks, HOOK_TOKEN, e);
	run_until(s, 2);
	assert_string_equal(printed(s, &out), "");
	assert_int_equal(unlink(link_path), 0);
	assert_int_equal(symlink(e->input, link_path), 0);
	assert_int_equal(text_copy(e->input, sizeof(e->input), link_path), 0);
	hooks_tell(s->hooks, HOOK_TOKEN, e);
	run_until(s, 3);
	assert_string_equal(printed(s, &out), "");
	assert_int_equal(unlink(link_path), 0);
	path_of(s, "pid", e->input);
	e->owner = geteuid() + 1;
	hooks_tell(s->hooks, HOOK_TOKEN, e);
	run_until(s, 4);
	assert_string_equal(printed(s, &out), "");
	free(e);
}

static void
one_that_cannot_be_run_is_no_end(void **state)
{
	struct scene *s = *state;

	assert_int_equal(text_copy(s->conf->token_hook,
			     sizeof(s->conf->token_hook), "/nowhere/hook"),
	    0);
	tell(s, "token-lost", "slcs", "");
	run_until(s, 1);
	assert_int_equal(WEXITSTATUS(s->status), 126);
	if (geteuid() == 0) {
		/* Root runs none. */
		assert_int_equal(text_copy(s->conf->user_hook,
				     sizeof(s->conf->user_hook), "root"),
		    0);
		tell(s, "token-lost", "slcs", "");
		assert_int_equal(s->ended, 1);
	}
	set_hook(s, "exit 0");
	assert_int_equal(text_copy(s->conf->user_hook,
			     sizeof(s->conf->user_hook), "61399"),
	    0);
	tell(s, "token-lost", "slcs", "");
	run_until(s, 2);
	assert_int_equal(s->status, 0);
}

int
main(void)
{
#define BESIDE(test) cmocka_unit_test_setup_teardown(test, sit_down, stand_up)
	const struct CMUnitTest tests[] = {
		BESIDE(a_hook_hears_what_happened_and_nothing_else),
		BESIDE(without_a_hook_nothing_runs),
		BESIDE(one_runs_after_the_other_and_the_newest_is_told),
		BESIDE(one_that_hangs_is_killed_with_what_it_started),
		BESIDE(what_a_hook_leaves_behind_ends_with_it),
		BESIDE(one_that_hangs_is_killed_with_what_left_its_group),
		BESIDE(what_a_hook_leaves_in_another_session_ends_with_it),
		BESIDE(what_it_prints_without_end_is_bounded),
		BESIDE(a_hook_reads_the_list_and_nothing_instead),
		BESIDE(one_that_cannot_be_run_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
