/* Many clients at once, some of whom are killed. */
#include "callout/drop.h"
#include "callout/drop_probe.h"

#define CROWD 8
#define ROUNDS 25

/* A client's life; it is ended anywhere. */
static void
live(const struct stage *s)
{
	struct fault f = { 0 };

	for (int i = 0; i < ROUNDS; i++) {
		struct drop_client c;
		OWN_BUF(got, 64);
		int step = 0;

		come(s, &c, "again");
		while ((step = drop_client_announce(&c, &f)) == 0) {
			struct pollfd p = { .fd = c.watch, .events = POLLIN };

			(void)poll(&p, 1, 1000);
			drop_client_quiet(&c);
		}
		while (step == 1 &&
		    (step = drop_client_answer(&c, &got, &f)) == 0) {
			struct pollfd p = { .fd = c.watch, .events = POLLIN };

			(void)poll(&p, 1, 1000);
			drop_client_quiet(&c);
			step = 1;
		}
		if (step != 1 || got.len != DROP_ID_SIZE - 1 ||
		    memcmp(got.data, c.id, got.len) != 0)
			_exit(1);
		drop_client_close(&c);
	}
	_exit(0);
}

static pid_t
start_one(const struct stage *s)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		live(s);
	return pid;
}

/* Serve until all of ${pid} have ended; kill those of odd number on the way,
 * each at another of its steps. */
static void
serve(struct stage *s, pid_t pid[CROWD], int status[CROWD])
{
	int left = CROWD, served = 0;

	while (left > 0) {
		struct pollfd p = { .fd = s->drop.watch, .events = POLLIN };
		enum drop_found found;

		(void)poll(&p, 1, 20);
		drop_quiet(&s->drop);
		while ((found = take(s)) != DROP_NONE) {
			struct fault f = { 0 };
			OWN_BUF(answer, 64);

			buf_text(&answer, s->taken.id);
			assert_int_not_equal(found, DROP_BAD);
			if (found == DROP_TAKEN)
				assert_int_equal(drop_answer(&s->drop,
						     s->taken.id, &answer, &f),
				    0);
			served++;
			if (served % 7 == 0 && served / 7 < CROWD &&
			    served / 7 % 2 == 1)
				(void)kill(pid[served / 7], SIGKILL);
		}
		for (int i = 0; i < CROWD; i++)
			if (pid[i] > 0 &&
			    waitpid(pid[i], &status[i], WNOHANG) == pid[i]) {
				pid[i] = 0;
				left--;
			}
	}
}

static void
of_a_crowd_the_living_are_all_served(void **state)
{
	struct stage *s = *state;
	pid_t pid[CROWD];
	int status[CROWD] = { 0 };

	for (int i = 0; i < CROWD; i++)
		pid[i] = start_one(s);
	serve(s, pid, status);
	for (int i = 0; i < CROWD; i += 2)
		assert_true(WIFEXITED(status[i]) &&
		    WEXITSTATUS(status[i]) == 0);
	sweep(s, time(NULL) + 2 * DROP_GRACE_S);
	sweep(s, time(NULL) + 2 * DROP_GRACE_S);
	/* "intake" alone is left. */
	assert_int_equal(s->lost, 0);
	drop_close(&s->drop);
	{
		char path[128];

		path_in(s, DROP_SERVED, path);
		assert_int_equal(unlink(path), 0);
		path_in(s, DROP_LINK, path);
		(void)unlink(path);
		assert_int_equal(rmdir(s->dir), 0);
		assert_int_equal(mkdir(s->dir, 0700), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DROP_UNIT(of_a_crowd_the_living_are_all_served),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
