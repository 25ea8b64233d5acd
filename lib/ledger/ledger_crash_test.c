#include "ledger/ledger_unit.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <signal.h>

/* What the ledger promises when its process is killed, when the disk is full,
 * and to readers who may not write. */

/* Issue for as long as we live, and report what is durable: 'r' with an
 * intent, 'c' with a certificate, each with the serial's last two octets. */
static void
write_until_killed(const struct place *p, int report)
{
	struct ledger_numbering wide = { false, 1000, 60000 };
	struct ledger *l = opened(p);
	struct fault f = { 0 };

	if (ledger_make_room(l, &f) < 0)
		_exit(1);
	for (unsigned n = 0;; n++) {
		unsigned batch = 1 + n % 5;
		struct serial serial[5];
		uint8_t line[3];

		begin(l);
		for (unsigned i = 0; i < batch; i++)
			serial[i] = reserve(l, "slcs", &wide);
		end(l);
		for (unsigned i = 0; i < batch; i++) {
			line[0] = 'r';
			memcpy(line + 1, serial[i].data, 2);
			if (write(report, line, 3) != 3)
				_exit(1);
		}
		begin(l);
		for (unsigned i = 0; i < batch; i++)
			if (commit(l, "slcs", &serial[i], &f) < 0)
				_exit(1);
		end(l);
		for (unsigned i = 0; i < batch; i++) {
			line[0] = 'c';
			memcpy(line + 1, serial[i].data, 2);
			if (write(report, line, 3) != 3)
				_exit(1);
		}
	}
}

static void
forget_none(struct ledger *l, const char *known)
{
	for (unsigned serial = 1000; serial < 61000; serial++) {
		struct seen seen;
		char hex[8];

		if (known[serial] == 0)
			continue;
		assert_int_equal(text_fmt(hex, sizeof(hex), "%04x", serial), 0);
		seen = list(l, (struct ledger_filter){ .serial = hex });
		assert_int_equal(seen.count, 1);
		if (known[serial] == 'c')
			assert_int_equal(seen.state, LEDGER_ISSUED);
	}
}

static void
kill_a_writer(const struct place *p, useconds_t after, char *known)
{
	uint8_t line[3];
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(fds[0]);
		write_until_killed(p, fds[1]);
	}
	(void)close(fds[1]);
	(void)usleep(after);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	while (read(fds[0], line, 3) == 3) {
		unsigned serial = (unsigned)line[1] << 8 | line[2];

		/* No serial is given out twice, in whatever life. */
		if (line[0] == 'r')
			assert_int_equal(known[serial], 0);
		known[serial] = (char)line[0];
	}
	(void)close(fds[0]);
}

static void
nothing_durable_is_lost_by_kill_minus_nine(void **state)
{
	const struct place *p = *state;
	char *known = calloc(1, 65536);
	unsigned committed = 0;
	struct ledger *l;

	assert_non_null(known);
	for (unsigned round = 0; round < 20; round++) {
		kill_a_writer(p, 4000 + 3717 * round, known);
		l = opened(p);
		assert_int_equal(list(l, (struct ledger_filter){ 0 })
				     .states[LEDGER_RESERVED],
		    0);
		(void)checked(l);
		ledger_free(l);
	}
	for (unsigned serial = 0; serial < 65536; serial++)
		committed += known[serial] == 'c';
	assert_true(committed > 20);
	l = opened(p);
	forget_none(l, known);
	ledger_free(l);
	free(known);
}

/* In a child: fill the disk up, see it refused, make room, go on. */
static int
write_on_a_full_disk(const struct place *p)
{
	struct rlimit limit = { 400000, RLIM_INFINITY };
	struct ledger *l = opened(p);
	struct fault f = { 0 };
	struct serial serial = { { 0 }, 0 };
	unsigned good = 0, bad = 0;

	(void)signal(SIGXFSZ, SIG_IGN);
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 2;
	for (unsigned i = 0; i < 400; i++) {
		struct ledger_intent intent = an_intent("slcs");
		int result = ledger_begin(l, &f);

		if (result == 0)
			result = ledger_reserve(l, &intent, &at_random,
			    serial.data, &serial.len, NULL, &f);
		if (result == 0)
			result = commit(l, "slcs", &serial, &f);
		if (result == 0)
			result = ledger_end(l, &f);
		if (result == 0) {
			good++;
			continue;
		}
		if (f.code != FAULT_LEDGER)
			return 3;
		bad++;
		ledger_cancel(l);
	}
	if (good == 0 || bad == 0)
		return 4;
	limit.rlim_cur = RLIM_INFINITY;
	if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
		return 5;
	for (unsigned i = 0; i < 10; i++, good++)
		(void)issue(l, "slcs", &at_random);
	if (checked(l) != 2 * (uint64_t)good)
		return 6;
	ledger_free(l);
	l = opened(p);
	if (list(l, (struct ledger_filter){ 0 }).states[LEDGER_ISSUED] != good)
		return 7;
	ledger_free(l);
	return 0;
}

static void
a_full_disk_is_refused_cleanly_and_writing_goes_on_after(void **state)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(write_on_a_full_disk(*state));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* In a child, as nobody if we may: read only, in a directory where nothing
 * can be written. */
static int
read_as_another(const struct place *p, unsigned want)
{
	struct fault f = { 0 };
	struct ledger *l;
	uint64_t entries;
	char head[65];

	if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
		return 2;
	if (access(p->path, W_OK) == 0 || access(p->dir, W_OK) == 0)
		return 3;
	if ((l = ledger_open_read(p->path, &f)) == NULL) {
		print_error("%s\n", f.text);
		return 4;
	}
	if (list(l, (struct ledger_filter){ 0 }).count != want)
		return 5;
	if (ledger_check(l, head, &entries, &f) < 0)
		return 6;
	if (ledger_begin(l, &f) == 0)
		return 7;
	ledger_free(l);
	return 0;
}

static void
set_modes(const struct place *p, mode_t file, mode_t dir)
{
	static const char *const suffix[] = { "", "-wal", "-shm" };
	char name[PATH_MAX];

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(text_fmt(name, sizeof(name), "%s%s", p->path,
				     suffix[i]),
		    0);
		assert_int_equal(chmod(name, file), 0);
	}
	assert_int_equal(chmod(p->dir, dir), 0);
}

static void
expect_readable(const struct place *p, unsigned want)
{
	int status;
	pid_t pid;

	set_modes(p, 0444, 0555);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(read_as_another(p, want));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	set_modes(p, 0640, 0755);
}

static void
another_user_reads_while_it_is_written_and_after(void **state)
{
	const struct place *p = *state;
	struct ledger *l = opened(p);

	(void)issue(l, "slcs", &a_range);
	expect_readable(p, 1);
	(void)issue(l, "slcs", &a_range);
	begin(l);
	(void)reserve(l, "slcs", &a_range);
	expect_readable(p, 2);
	end(l);
	expect_readable(p, 3);
	ledger_free(l);
	expect_readable(p, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_PLACE(nothing_durable_is_lost_by_kill_minus_nine),
		ON_A_PLACE(
		    a_full_disk_is_refused_cleanly_and_writing_goes_on_after),
		ON_A_PLACE(another_user_reads_while_it_is_written_and_after),
	};

	return cmocka_run_group_tests_name("ledger/ledger_crash", tests, NULL,
	    NULL);
}
