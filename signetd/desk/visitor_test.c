#include "base/file.h"
#include "signetd/desk/desk_probe.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define PROFILE "# host\nusage digitalSignature\n"
#define NOBODY COUNTER_OTHERS
#define SOMEBODY COUNTER_ME "role me auditor\n" COUNTER_OTHERS
#define KEYTAB "visitor_test.keytab"
#define WHOAMI "{\"do\": \"whoami\"}\n"
#define LIST "{\"do\": \"list\"}\n"

static struct sockaddr_in
address(unsigned last)
{
	struct sockaddr_in a = { .sin_family = AF_INET };

	a.sin_addr.s_addr = htonl(0xc0000200u + last);
	return a;
}

static int
come_from(struct counter *c, unsigned last)
{
	struct sockaddr_in a = address(last);

	return counter_enter(c, &c->afar, (struct sockaddr *)&a);
}

static size_t
visitors(const struct counter *c)
{
	size_t count = 0;

	for (size_t i = 0; i < DESK_VISITORS; i++)
		count += c->desk.visitor[i] != NULL;
	return count;
}

static struct counter *
with_keytab(const char *staff)
{
	struct counter *c = counter_open(PROFILE, staff);
	struct fault f = { 0 };

	(void)setenv("KRB5_CONFIG", "/dev/null", 1);
	assert_int_equal(file_write(KEYTAB, 0600, keytab_probe,
			     sizeof(keytab_probe), &f),
	    0);
	assert_non_null(c->desk.keys = krb_keys_open(KEYTAB, &f));
	(void)unlink(KEYTAB);
	return c;
}

static void
who_has_the_uid_is_answered(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);

	(void)state;
	counter_say(c, c->fd, WHOAMI);
	counter_ends(c, NULL);
	assert_string_equal(counter_text(c, "who"), "me");
	/* In pieces, and two at once. */
	counter_say(c, c->fd, "{\"do\": ");
	counter_say(c, c->fd, "\"whoami\"}");
	assert_true(counter_is_silent(c->fd));
	counter_say(c, c->fd, "\n" WHOAMI);
	counter_ends(c, NULL);
	counter_ends(c, NULL);
	counter_close(c);
}

static void
a_stranger_hears_one_word_and_is_shown_out(void **state)
{
	struct counter *c = counter_open(PROFILE, NOBODY);

	(void)state;
	counter_refuses(c, FAULT_DENIED, "no administrator");
	assert_true(counter_has_left(c->fd));
	assert_int_equal(visitors(c), 0);
	counter_close(c);
}

static void
a_stranger_who_comes_again_and_again_is_not_heard(void **state)
{
	struct counter *c = counter_open(PROFILE, NOBODY);
	char word;

	(void)state;
	for (int i = 1; i < GUARD_TRIES; i++) {
		(void)close(c->fd);
		c->fd = counter_enter(c, &c->local, NULL);
		c->heard_len = 0;
		counter_refuses(c, FAULT_DENIED, "no administrator");
	}
	(void)close(c->fd);
	c->fd = counter_enter(c, &c->local, NULL);
	assert_int_equal(read(c->fd, &word, 1), 0);
	counter_close(c);
}

/* The file is read anew while he is here. */
static void
who_is_taken_out_of_the_staff_is_answered_no_more(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);

	(void)state;
	counter_say(c, c->fd, WHOAMI);
	counter_ends(c, NULL);
	counter_staff(c, NOBODY);
	counter_say(c, c->fd, WHOAMI);
	counter_refuses(c, FAULT_DENIED, "no administrator");
	assert_true(counter_has_left(c->fd));
	counter_close(c);
}

static void
what_is_no_line_of_ours_ends_the_visit(void **state)
{
	static const struct {
		const char *line, *says;
	} lines[] = { { "\n", "JSON" }, { "GET / HTTP/1.1\n", "JSON" },
		{ "{\"do\": \"dance\"}\n", "dance" },
		{ "{\"do\": \"whoami\", \"x\": 1}\n", "\"x\"" },
		{ "[]\n", "object" } };

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct counter *c = counter_open(PROFILE, SOMEBODY);

		counter_say(c, c->fd, lines[i].line);
		counter_refuses(c, FAULT_INPUT, lines[i].says);
		assert_true(counter_has_left(c->fd));
		counter_close(c);
	}
}

static void
a_line_without_an_end_ends_the_visit(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	char *flood = malloc(DESK_LINE_MAX + 2);
	size_t sent = 0;

	(void)state;
	assert_non_null(flood);
	memset(flood, ' ', DESK_LINE_MAX + 2);
	while (visitors(c) > 0 && sent < DESK_LINE_MAX + 2) {
		ssize_t n = send(c->fd, flood + sent, DESK_LINE_MAX + 2 - sent,
		    MSG_NOSIGNAL);

		if (n > 0)
			sent += (size_t)n;
		counter_turn(c);
	}
	while (visitors(c) > 0 && !counter_has_left(c->fd))
		counter_turn(c);
	assert_int_equal(visitors(c), 0);
	free(flood);
	counter_close(c);
}

static void
one_thing_is_done_after_the_other(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	uint32_t id;

	(void)state;
	counter_say(c, c->fd, LIST WHOAMI);
	id = counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
		 ->request_list.id;
	assert_true(counter_is_silent(c->fd));
	counter_kept(c, id, FAULT_NONE);
	counter_ends(c, NULL);
	assert_string_equal(counter_text(c, "who"), "");
	counter_ends(c, NULL);
	assert_string_equal(counter_text(c, "who"), "me");
	counter_close(c);
}

static void
who_leaves_is_not_told_what_came_of_it(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	uint32_t id;

	(void)state;
	counter_say(c, c->fd, LIST);
	id = counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
		 ->request_list.id;
	(void)close(c->fd);
	counter_turn(c);
	assert_int_equal(visitors(c), 0);
	assert_non_null(c->desk.errand[id % DESK_ERRANDS]);
	counter_kept(c, id, FAULT_NONE);
	assert_null(c->desk.errand[id % DESK_ERRANDS]);
	c->fd = counter_enter(c, &c->local, NULL);
	counter_say(c, c->fd, WHOAMI);
	counter_ends(c, NULL);
	counter_close(c);
}

static void
one_source_has_so_many_places(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	int fd[15], one_more;
	char line[512];

	(void)state;
	for (size_t i = 0; i < 15; i++)
		fd[i] = counter_enter(c, &c->local, NULL);
	assert_int_equal(visitors(c), 16);
	one_more = counter_enter(c, &c->local, NULL);
	assert_int_equal(visitors(c), 16);
	memset(line, 0, sizeof(line));
	assert_true(read(one_more, line, sizeof(line) - 1) > 0);
	assert_non_null(strstr(line, "try again"));
	assert_true(counter_has_left(one_more));
	(void)close(one_more);
	for (size_t i = 0; i < 15; i++)
		(void)close(fd[i]);
	counter_turn(c);
	assert_int_equal(visitors(c), 1);
	counter_close(c);
}

static void
who_is_silent_for_long_is_shown_out(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	int64_t now = clock_mono();

	(void)state;
	visitors_tick(&c->desk, now + 590000);
	assert_int_equal(visitors(c), 1);
	/* An errand has a time of its own. */
	counter_say(c, c->fd, LIST);
	visitors_tick(&c->desk, now + 700000);
	assert_int_equal(visitors(c), 1);
	counter_kept(c,
	    counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
		->request_list.id,
	    FAULT_NONE);
	visitors_tick(&c->desk, now + 700000);
	assert_int_equal(visitors(c), 0);
	counter_close(c);
}

static void
who_does_not_read_is_not_waited_for(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	int64_t now = clock_mono();
	struct msg row = { .type = MSG_REQUEST_ROW };

	(void)state;
	counter_say(c, c->fd, LIST);
	row.request_row.id = counter_hears(c, MSG_ROLE_KEEPER, MSG_REQUEST_LIST)
				 ->request_list.id;
	memset(row.request_row.subject, 'x', 1000);
	/* Far more than the socket holds, and less than is kept for him. */
	for (int i = 0; i < 1000; i++) {
		struct fault f = { 0 };

		assert_int_equal(channel_tell(c->keeper_fd, &row, &f), 0);
		if (i % 50 == 49)
			for (int turn = 0; turn < 4; turn++)
				counter_turn(c);
	}
	counter_kept(c, row.request_row.id, FAULT_NONE);
	assert_int_equal(visitors(c), 1);
	visitors_tick(&c->desk, now + 50000);
	assert_int_equal(visitors(c), 1);
	visitors_tick(&c->desk, clock_mono() + 61000);
	assert_int_equal(visitors(c), 0);
	counter_close(c);
}

/* ---- from elsewhere */

static void
without_a_keytab_nobody_is_heard_from_elsewhere(void **state)
{
	struct counter *c = counter_open(PROFILE, SOMEBODY);
	int fd = come_from(c, 1);

	(void)state;
	assert_true(counter_has_left(fd));
	assert_int_equal(visitors(c), 1);
	(void)close(fd);
	counter_close(c);
}

static void
what_is_no_ticket_counts_against_its_address(void **state)
{
	struct counter *c = with_keytab(SOMEBODY);
	int fd;

	(void)state;
	for (int i = 0; i < GUARD_TRIES; i++) {
		fd = come_from(c, 1);
		assert_int_equal(write(fd, "\0\0\0\4````", 8), 8);
		counter_turn(c);
		assert_true(counter_has_left(fd));
		(void)close(fd);
		counter_turn(c);
	}
	assert_int_equal(visitors(c), 1);
	fd = come_from(c, 1);
	assert_int_equal(visitors(c), 1);
	(void)close(fd);
	/* Nobody else pays for it. */
	fd = come_from(c, 2);
	assert_int_equal(visitors(c), 2);
	(void)close(fd);
	counter_turn(c);
	counter_close(c);
}

static void
a_line_before_the_ticket_is_no_ticket(void **state)
{
	struct counter *c = with_keytab(SOMEBODY);
	int fd = come_from(c, 1);

	(void)state;
	assert_int_equal(write(fd, WHOAMI, strlen(WHOAMI)), strlen(WHOAMI));
	counter_turn(c);
	assert_true(counter_has_left(fd));
	(void)close(fd);
	counter_turn(c);
	assert_int_equal(visitors(c), 1);
	counter_close(c);
}

/* Connections alone keep nobody out. */
static void
the_silent_make_room_for_who_comes(void **state)
{
	struct counter *c = with_keytab(SOMEBODY);
	int fd[DESK_VISITORS];
	int late;

	(void)state;
	for (unsigned i = 0; i < DESK_VISITORS - 1; i++)
		fd[i] = come_from(c, i);
	assert_int_equal(visitors(c), DESK_VISITORS);
	late = come_from(c, 200);
	assert_int_equal(visitors(c), DESK_VISITORS);
	/* The first of the strangers had been silent for longest. */
	assert_true(counter_has_left(fd[0]));
	assert_false(counter_has_left(fd[DESK_VISITORS - 2]));
	/* Who has said who he is keeps his place. */
	counter_say(c, c->fd, WHOAMI);
	counter_ends(c, NULL);
	for (unsigned i = 0; i < DESK_VISITORS - 1; i++)
		(void)close(fd[i]);
	(void)close(late);
	counter_close(c);
}

static void
a_handshake_has_its_time(void **state)
{
	struct counter *c = with_keytab(SOMEBODY);
	int fd = come_from(c, 1);
	struct sockaddr_in a = address(1);
	uint64_t source = guard_address((struct sockaddr *)&a);

	(void)state;
	visitors_tick(&c->desk, clock_mono() + 5000);
	assert_int_equal(visitors(c), 2);
	for (int i = 0; i < GUARD_TRIES; i++) {
		assert_false(guard_turns_away(c->desk.guard, source,
		    clock_mono() + 11000));
		visitors_tick(&c->desk, clock_mono() + 11000);
		assert_int_equal(visitors(c), 1);
		assert_true(counter_has_left(fd));
		(void)close(fd);
		fd = come_from(c, 1);
	}
	assert_true(guard_turns_away(c->desk.guard, source,
	    clock_mono() + 11000));
	(void)close(fd);
	counter_close(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_the_uid_is_answered),
		cmocka_unit_test(a_stranger_hears_one_word_and_is_shown_out),
		cmocka_unit_test(
		    a_stranger_who_comes_again_and_again_is_not_heard),
		cmocka_unit_test(
		    who_is_taken_out_of_the_staff_is_answered_no_more),
		cmocka_unit_test(what_is_no_line_of_ours_ends_the_visit),
		cmocka_unit_test(a_line_without_an_end_ends_the_visit),
		cmocka_unit_test(one_thing_is_done_after_the_other),
		cmocka_unit_test(who_leaves_is_not_told_what_came_of_it),
		cmocka_unit_test(one_source_has_so_many_places),
		cmocka_unit_test(who_is_silent_for_long_is_shown_out),
		cmocka_unit_test(who_does_not_read_is_not_waited_for),
		cmocka_unit_test(
		    without_a_keytab_nobody_is_heard_from_elsewhere),
		cmocka_unit_test(what_is_no_ticket_counts_against_its_address),
		cmocka_unit_test(a_line_before_the_ticket_is_no_ticket),
		cmocka_unit_test(the_silent_make_room_for_who_comes),
		cmocka_unit_test(a_handshake_has_its_time),
	};

	return cmocka_run_group_tests_name("desk/visitor", tests, NULL, NULL);
}
