#include "base/buf.h"
#include "base/fault.h"
#include "base/secret.h"
#include "base/unit.h"
#include "ipc/channel.h"
#include "sys/loop.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A PIN goes from one end of a channel to the other, both in this process, and
 * then is nowhere in its memory: neither in what was sent, nor in what was
 * queued, nor in what was received.
 */

#define LEN 24
#define VEIL 0x5a
#define PIECE 65536

/* The PIN, never as it is: each byte of it behind a veil. */
static const char veiled[LEN + 1] = "7;(1?(wjklmnopqrstuvwxy9";

struct scene {
	struct loop *loop;
	struct channel *parent;
	struct channel *token;
	unsigned heard;
	unsigned wait_for;
	bool right;
};

static bool
is_it(const uint8_t *at)
{
	for (size_t i = 0; i < LEN; i++)
		if ((at[i] ^ VEIL) != (uint8_t)veiled[i])
			return false;
	return true;
}

/* How often it is in ${len} bytes. */
static unsigned
count_in(const uint8_t *data, size_t len)
{
	unsigned found = 0;

	for (size_t i = 0; i + LEN <= len; i++)
		if ((data[i] ^ VEIL) == (uint8_t)veiled[0] && is_it(data + i))
			found++;
	return found;
}

static unsigned
count_between(int mem, uint64_t from, uint64_t to)
{
	uint8_t *piece = malloc(PIECE + LEN);
	unsigned found = 0;

	assert_non_null(piece);
	for (; from < to; from += PIECE) {
		size_t want = to - from < PIECE + LEN ? to - from : PIECE + LEN;
		ssize_t got = pread(mem, piece, want, (off_t)from);

		if (got > 0)
			found += count_in(piece, (size_t)got);
		explicit_bzero(piece, PIECE + LEN);
	}
	free(piece);
	return found;
}

/* In all that this process can write to. */
static unsigned
count_everywhere(void)
{
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned found = 0;
	char line[512];

	assert_true(mem >= 0);
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		uint64_t from, to;
		char mode[8];

		/* A sanitizer's shadow is terabytes of nothing. */
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s", &from, &to,
			mode) == 3 &&
		    mode[1] == 'w' && to - from < (uint64_t)1 << 28)
			found += count_between(mem, from, to);
	}
	(void)fclose(maps);
	(void)close(mem);
	return found;
}

/* What it is, on a page that is wiped. */
static struct secret *
make_pin(void)
{
	struct fault f = { 0 };
	struct secret *pin = secret_new(LEN, &f);

	assert_non_null(pin);
	for (size_t i = 0; i < LEN; i++)
		secret_data(pin)[i] = (uint8_t)(veiled[i] ^ VEIL);
	secret_set_len(pin, LEN);
	return pin;
}

static void
on_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct scene *s = arg;

	(void)ch;
	(void)fd;
	if (m->type == MSG_TOKEN_PIN)
		s->right =
		    m->token_pin.pin.len == LEN && is_it(m->token_pin.pin.data);
	if (++s->heard >= s->wait_for)
		loop_stop(s->loop);
}

static void
on_gone(void *arg, struct channel *ch, const struct fault *f)
{
	(void)arg;
	(void)ch;
	(void)f;
}

static void
open_scene(struct scene *s)
{
	struct fault f = { 0 };
	int fds[2];

	memset(s, 0, sizeof(*s));
	assert_non_null(s->loop = loop_new(&f));
	assert_int_equal(channel_pair(fds, &f), 0);
	assert_non_null(s->parent =
			    channel_new(s->loop, fds[0], MSG_ROLE_PARENT,
				MSG_ROLE_TOKEN, on_heard, on_gone, s, &f));
	assert_non_null(s->token = channel_new(s->loop, fds[1], MSG_ROLE_TOKEN,
			    MSG_ROLE_PARENT, on_heard, on_gone, s, &f));
}

static void
close_scene(struct scene *s)
{
	channel_free(s->parent);
	channel_free(s->token);
	loop_free(s->loop);
}

static void
say_pin(struct scene *s)
{
	struct msg m = { .type = MSG_TOKEN_PIN };
	OWN_STRUCT(secret) pin = make_pin();
	struct fault f = { 0 };

	m.token_pin.pin = (struct wire_bytes){ secret_data(pin), LEN };
	assert_int_equal(channel_say(s->parent, &m, &f), 0);
	/* Who looks for it finds it. */
	assert_true(count_everywhere() > 0);
}

static void
run_until(struct scene *s, unsigned heard)
{
	struct fault f = { 0 };

	s->wait_for = heard;
	assert_int_equal(loop_run(s->loop, &f), 0);
}

static void
a_pin_that_was_heard_is_nowhere(void **state)
{
	struct scene s;

	(void)state;
	for (int gather = 0; gather < 2; gather++) {
		open_scene(&s);
		channel_gather(s.parent, gather == 1);
		say_pin(&s);
		run_until(&s, 1);
		assert_true(s.right);
		assert_int_equal(count_everywhere(), 0);
		close_scene(&s);
	}
}

/* Fill the socket, so that what comes next waits in this process. */
static unsigned
fill(struct scene *s)
{
	static const uint8_t much[60000];
	struct msg m = { .type = MSG_BOOT_TEXT };
	struct fault f = { 0 };
	unsigned said = 0;

	channel_pause(s->token, true);
	m.boot_text.data = (struct wire_bytes){ much, sizeof(much) };
	for (; said < 40; said++)
		assert_int_equal(channel_say(s->parent, &m, &f), 0);
	return said;
}

static void
a_pin_that_had_to_wait_is_nowhere(void **state)
{
	struct scene s;
	unsigned said;

	(void)state;
	open_scene(&s);
	said = fill(&s);
	say_pin(&s);
	assert_true(count_everywhere() > 0);
	channel_pause(s.token, false);
	run_until(&s, said + 1);
	assert_true(s.right);
	assert_int_equal(count_everywhere(), 0);
	close_scene(&s);
}

static void
a_pin_that_was_never_heard_is_nowhere(void **state)
{
	struct scene s;

	(void)state;
	open_scene(&s);
	(void)fill(&s);
	say_pin(&s);
	assert_true(count_everywhere() > 0);
	close_scene(&s);
	assert_int_equal(count_everywhere(), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pin_that_was_heard_is_nowhere),
		cmocka_unit_test(a_pin_that_had_to_wait_is_nowhere),
		cmocka_unit_test(a_pin_that_was_never_heard_is_nowhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
