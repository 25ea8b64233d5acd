#include "callout/drop.h"

#include "callout/drop_probe.h"

static void
a_request_is_taken_and_answered_once(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client c;
	OWN_BUF(answer, 64);
	OWN_BUF(got, 64);
	struct pollfd seen = { .events = POLLIN };

	assert_int_equal(take(s), DROP_NONE);
	come(s, &c, "please");
	seen.fd = s->drop.watch;
	drop_quiet(&s->drop);
	assert_int_equal(poll(&seen, 1, 0), 0);
	assert_int_equal(drop_client_announce(&c, &f), 1);
	assert_int_equal(poll(&seen, 1, 0), 1);
	assert_int_equal(drop_client_answer(&c, &got, &f), 0);
	assert_int_equal(take(s), DROP_TAKEN);
	assert_string_equal(s->taken.id, c.id);
	assert_int_equal(s->taken.owner, getuid());
	assert_memory_equal(s->taken.data, "please", s->taken.len);
	assert_int_equal(take(s), DROP_NONE);
	buf_text(&answer, "granted");
	drop_client_quiet(&c);
	assert_int_equal(drop_answer(&s->drop, c.id, &answer, &f), 0);
	seen.fd = c.watch;
	assert_int_equal(poll(&seen, 1, 0), 1);
	assert_int_equal(drop_client_answer(&c, &got, &f), 1);
	assert_memory_equal(got.data, "granted", 7);
	drop_client_close(&c);
	for (const char *kind = "qtna"; *kind != '\0'; kind++)
		assert_false(is_kind(s, *kind, s->taken.id));
}

static void
the_next_has_his_turn_as_soon_as_one_is_taken(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client a, b;

	come(s, &a, "a");
	come(s, &b, "b");
	assert_int_equal(drop_client_announce(&a, &f), 1);
	assert_int_equal(drop_client_announce(&b, &f), 0);
	drop_client_quiet(&b);
	assert_int_equal(take(s), DROP_TAKEN);
	assert_int_equal(poll(&(struct pollfd){ .fd = b.watch,
				  .events = POLLIN },
			     1, 0),
	    1);
	assert_int_equal(drop_client_announce(&b, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	assert_string_equal(s->taken.id, b.id);
	drop_client_close(&a);
	drop_client_close(&b);
}

static void
the_link_of_a_dead_client_keeps_nobody_waiting(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client dead, live;

	come(s, &dead, "dead");
	come(s, &live, "live");
	assert_int_equal(drop_client_announce(&dead, &f), 1);
	die(&dead);
	assert_int_equal(drop_client_announce(&live, &f), 0);
	assert_int_equal(take(s), DROP_GONE);
	assert_false(is_kind(s, 'q', dead.id));
	assert_false(is_kind(s, 't', dead.id));
	assert_int_equal(drop_client_announce(&live, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	assert_string_equal(s->taken.id, live.id);
	drop_client_close(&live);
}

static void
a_client_who_gave_up_leaves_a_link_that_is_cleared(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client c;

	come(s, &c, "a");
	assert_int_equal(drop_client_announce(&c, &f), 1);
	drop_client_close(&c);
	assert_true(is_there(s, DROP_LINK));
	assert_int_equal(take(s), DROP_GONE);
	assert_false(is_there(s, DROP_LINK));
}

static void
what_was_taken_is_never_taken_again(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	char taken[DROP_NAME_SIZE], asked[DROP_NAME_SIZE];
	struct drop_client c;
	struct drop again;

	come(s, &c, "a");
	assert_int_equal(drop_client_announce(&c, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	/* Another file of the same name does not replace it. */
	drop_name(taken, 't', c.id);
	drop_name(asked, 'q', c.id);
	(void)close(openat(c.dir, asked, O_WRONLY | O_CREAT | O_EXCL, 0644));
	assert_int_equal(drop_client_announce(&c, &f), 1);
	assert_int_equal(take(s), DROP_GONE);
	assert_true(is_there(s, taken));
	/* The next intake says that nothing comes of it, and not twice. */
	drop_close(&s->drop);
	assert_int_equal(drop_open(&again, s->dir, getuid(), getgid(), &f), 0);
	assert_int_equal(drop_claim(&again, &f), 0);
	s->drop = again;
	assert_int_equal(take(s), DROP_NONE);
	sweep(s, NOW);
	sweep(s, NOW);
	assert_int_equal(s->lost, 1);
	drop_client_close(&c);
}

/* Another of the group gives it another name, while its client lives. */
static void
what_was_seen_is_not_taken_by_another_name(void **state)
{
	static const char other[] = "0123456789abcdef01234567";
	struct stage *s = *state;
	struct fault f = { 0 };
	char taken[DROP_NAME_SIZE], asked[DROP_NAME_SIZE];
	struct drop_client c, next;

	come(s, &c, "a");
	drop_name(taken, 't', c.id);
	drop_name(asked, 'q', other);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(drop_client_announce(&c, &f), 1);
		assert_int_equal(take(s), DROP_TAKEN);
		if (i > 0)
			break;
		/* Of one who may not ask nothing is kept. */
		assert_int_equal(renameat(c.dir, taken, c.dir, asked), 0);
		memcpy(c.id, other, sizeof(other));
		drop_name(taken, 't', other);
	}
	drop_seen(&s->drop, &s->taken);
	drop_name(asked, 'q', "76543210fedcba9876543210");
	assert_int_equal(renameat(c.dir, taken, c.dir, asked), 0);
	assert_int_equal(symlinkat(asked, c.dir, DROP_LINK), 0);
	assert_int_equal(drop_take(&s->drop, &s->taken, &f), DROP_GONE);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_false(is_there(s, asked));
	/* The next is another file, be its inode the same. */
	drop_client_close(&c);
	come(s, &next, "a");
	assert_int_equal(drop_client_announce(&next, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	drop_client_close(&next);
}

/* An intake that died between two steps of taking. */
static void
a_link_to_what_was_taken_is_cleared(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	char taken[DROP_NAME_SIZE], asked[DROP_NAME_SIZE];
	struct drop_client c;

	come(s, &c, "a");
	drop_name(taken, 't', c.id);
	drop_name(asked, 'q', c.id);
	assert_int_equal(drop_client_announce(&c, &f), 1);
	assert_int_equal(renameat(c.dir, asked, c.dir, taken), 0);
	assert_int_equal(take(s), DROP_GONE);
	assert_false(is_there(s, DROP_LINK));
	sweep(s, NOW);
	assert_int_equal(s->lost, 1);
	drop_client_close(&c);
}

static void
what_the_dead_left_is_swept_and_what_the_living_have_is_not(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client unsaid, taken, answered, live, working;
	OWN_BUF(answer, 64);

	buf_text(&answer, "x");
	come(s, &taken, "taken");
	assert_int_equal(drop_client_announce(&taken, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	come(s, &answered, "answered");
	assert_int_equal(drop_client_announce(&answered, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	assert_int_equal(drop_answer(&s->drop, answered.id, &answer, &f), 0);
	come(s, &live, "live");
	assert_int_equal(drop_client_announce(&live, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	assert_int_equal(drop_answer(&s->drop, live.id, &answer, &f), 0);
	come(s, &working, "working");
	assert_int_equal(drop_client_announce(&working, &f), 1);
	assert_int_equal(take(s), DROP_TAKEN);
	die(&working);
	s->busy = working.id;
	come(s, &unsaid, "unsaid");
	die(&unsaid);
	die(&taken);
	die(&answered);
	sweep(s, time(NULL));
	assert_false(is_kind(s, 't', taken.id));
	assert_false(is_kind(s, 't', answered.id));
	assert_false(is_kind(s, 'a', answered.id));
	assert_true(is_kind(s, 'a', live.id));
	assert_true(is_kind(s, 't', live.id));
	assert_true(is_kind(s, 't', working.id));
	/* It may have been begun a moment ago. */
	assert_true(is_kind(s, 'q', unsaid.id));
	sweep(s, time(NULL) + 2 * DROP_GRACE_S);
	assert_false(is_kind(s, 'q', unsaid.id));
	assert_true(is_there(s, DROP_SERVED));
	assert_int_equal(s->lost, 0);
	drop_client_close(&live);
}

/* ---- what is no request */

static void
put_link(const struct stage *s, const char *target)
{
	char path[128];

	path_in(s, DROP_LINK, path);
	assert_int_equal(symlink(target, path), 0);
}

static void
a_link_that_leads_elsewhere_is_taken_away_unfollowed(void **state)
{
	const char *const targets[] = { "/etc/passwd", "../x", "q.", "intake",
		"t.000000000000000000000000", "q.00000000000000000000000g",
		"q.000000000000000000000000/x", "q.0000000000000000000000000" };
	struct stage *s = *state;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		put_link(s, targets[i]);
		assert_int_equal(take(s), DROP_GONE);
		assert_false(is_there(s, DROP_LINK));
	}
	assert_true(is_there(s, DROP_SERVED));
}

static void
what_is_no_link_is_taken_away(void **state)
{
	struct stage *s = *state;
	char path[128];

	path_in(s, DROP_LINK, path);
	(void)close(open(path, O_WRONLY | O_CREAT, 0600));
	assert_int_equal(take(s), DROP_GONE);
	assert_false(is_there(s, DROP_LINK));
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(take(s), DROP_GONE);
	assert_false(is_there(s, DROP_LINK));
}

/* Things that are announced as q.ID and are no file of a client. */
enum thing {
	A_LINK,
	A_FOLDER,
	A_PIPE,
	TWO_NAMES,
	TOO_LONG,
	THINGS
};

static void
make_thing(const struct stage *s, enum thing thing, const char *path, int *fd)
{
	char other[128];

	*fd = -1;
	path_in(s, "other", other);
	if (thing == A_LINK)
		assert_int_equal(symlink("/etc/passwd", path), 0);
	if (thing == A_FOLDER)
		assert_int_equal(mkdir(path, 0700), 0);
	if (thing == A_PIPE)
		assert_int_equal(mkfifo(path, 0644), 0);
	if (thing == TWO_NAMES || thing == TOO_LONG) {
		*fd = open(path, O_RDWR | O_CREAT, 0644);
		assert_true(drop_lock(*fd));
	}
	if (thing == TWO_NAMES)
		assert_int_equal(link(path, other), 0);
	if (thing == TOO_LONG)
		assert_int_equal(ftruncate(*fd, CALLOUT_REQUEST_MAX + 1), 0);
}

static void
only_a_regular_file_of_one_name_is_read(void **state)
{
	struct stage *s = *state;
	char name[DROP_NAME_SIZE], path[128];

	for (int thing = 0; thing < THINGS; thing++) {
		enum drop_found found;
		int fd;

		drop_name(name, 'q', "00000000000000000000000f");
		path_in(s, name, path);
		make_thing(s, (enum thing)thing, path, &fd);
		put_link(s, name);
		found = take(s);
		assert_true(found == DROP_BAD || found == DROP_GONE);
		assert_false(is_there(s, DROP_LINK));
		if (fd >= 0)
			(void)close(fd);
		sweep(s, NOW);
		assert_false(is_kind(s, 'q', "00000000000000000000000f"));
		assert_false(is_kind(s, 't', "00000000000000000000000f"));
	}
}

static void
a_directory_that_strangers_may_enter_is_refused(void **state)
{
	struct stage *s = *state;
	struct drop_client c;
	struct fault f = { 0 };

	assert_int_equal(chmod(s->dir, 02771), 0);
	assert_int_equal(drop_client_open(&c, s->dir, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(drop_claim(&s->drop, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(chmod(s->dir, 0770), 0);
	assert_int_equal(drop_claim(&s->drop, &f), -1);
	assert_non_null(strstr(f.text, "set-group-ID"));
}

static void
a_client_sees_whether_an_intake_is_there(void **state)
{
	struct stage *s = *state;
	struct drop_client c;
	struct drop second;
	struct fault f = { 0 };

	assert_int_equal(drop_client_open(&c, s->dir, &f), 0);
	assert_true(drop_client_served(&c));
	assert_int_equal(drop_open(&second, s->dir, 0, 0, &f), 0);
	assert_int_equal(drop_claim(&second, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	drop_close(&second);
	drop_close(&s->drop);
	assert_false(drop_client_served(&c));
	drop_client_close(&c);
}

/* A directory ${name} with a file in it. */
static void
put_in_the_way(const struct stage *s, const char *name)
{
	char path[128], file[160];
	int fd;

	path_in(s, name, path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_true(snprintf(file, sizeof(file), "%s/file", path) <
	    (int)sizeof(file));
	assert_return_code(fd = open(file, O_WRONLY | O_CREAT, 0600), 0);
	assert_int_equal(close(fd), 0);
}

static void
a_full_directory_in_the_place_of_the_link_is_moved_aside(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client c;

	put_in_the_way(s, DROP_LINK);
	assert_int_equal(drop_take(&s->drop, &s->taken, &f), DROP_GONE);
	assert_false(is_there(s, DROP_LINK));
	assert_int_equal(drop_take(&s->drop, &s->taken, &f), DROP_NONE);
	come(s, &c, "a");
	assert_int_equal(drop_client_announce(&c, &f), 1);
	assert_int_equal(drop_take(&s->drop, &s->taken, &f), DROP_TAKEN);
	drop_client_close(&c);
}

static void
a_full_directory_in_the_place_of_our_lock_keeps_nobody_out(void **state)
{
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client c;
	char path[128];

	assert_int_equal(close(s->drop.served), 0);
	path_in(s, DROP_SERVED, path);
	assert_int_equal(unlink(path), 0);
	put_in_the_way(s, DROP_SERVED);
	assert_int_equal(drop_claim(&s->drop, &f), 0);
	assert_int_equal(drop_client_open(&c, s->dir, &f), 0);
	assert_true(drop_client_served(&c));
	drop_client_close(&c);
}

/* Whoever is of the group may read a request, and rename it. */
static void
a_reader_of_a_dead_clients_request_cannot_have_it_answered(void **state)
{
	struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct stage *s = *state;
	struct fault f = { 0 };
	struct drop_client c;
	char name[DROP_NAME_SIZE], path[128];
	int fd;

	come(s, &c, "a");
	drop_name(name, 'q', c.id);
	assert_int_equal(drop_client_announce(&c, &f), 1);
	path_in(s, name, path);
	assert_return_code(fd = open(path, O_RDONLY), 0);
	die(&c);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &lock), 0);
	assert_int_equal(drop_take(&s->drop, &s->taken, &f), DROP_GONE);
	assert_false(is_kind(s, 't', c.id));
	assert_int_equal(close(fd), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		DROP_UNIT(a_request_is_taken_and_answered_once),
		DROP_UNIT(the_next_has_his_turn_as_soon_as_one_is_taken),
		DROP_UNIT(the_link_of_a_dead_client_keeps_nobody_waiting),
		DROP_UNIT(a_client_who_gave_up_leaves_a_link_that_is_cleared),
		DROP_UNIT(what_was_seen_is_not_taken_by_another_name),
		DROP_UNIT(what_was_taken_is_never_taken_again),
		DROP_UNIT(a_link_to_what_was_taken_is_cleared),
		DROP_UNIT(
		    what_the_dead_left_is_swept_and_what_the_living_have_is_not),
		DROP_UNIT(a_link_that_leads_elsewhere_is_taken_away_unfollowed),
		DROP_UNIT(what_is_no_link_is_taken_away),
		DROP_UNIT(
		    a_full_directory_in_the_place_of_the_link_is_moved_aside),
		DROP_UNIT(
		    a_full_directory_in_the_place_of_our_lock_keeps_nobody_out),
		DROP_UNIT(
		    a_reader_of_a_dead_clients_request_cannot_have_it_answered),
		DROP_UNIT(only_a_regular_file_of_one_name_is_read),
		DROP_UNIT(a_directory_that_strangers_may_enter_is_refused),
		DROP_UNIT(a_client_sees_whether_an_intake_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
