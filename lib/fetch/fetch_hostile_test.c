/* What servers may do to those who ask them, and what it costs. */
#include "base/clock.h"
#include "fetch/fetch.h"
#include "fetch/fetch_probe.h"

#include <sys/resource.h>

static const struct fetch_options quick = { .connect_ms = 1000,
	.total_ms = 10000,
	.low_speed = 50,
	.low_speed_s = 1,
	.proxy = "",
	.impatient = true };

#define BIG (8u << 20)

static void
say_big(int fd)
{
	static const char piece[4096] = { [0 ... 4094] = 'b', '\0' };

	say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 8386560\r\n\r\n");
	for (int i = 0; i < 2048; i++)
		say(fd, piece);
}

/* Until who asked hangs up. */
static void
for_ever(int fd, const char *text, useconds_t pause)
{
	while (send(fd, text, strlen(text), MSG_NOSIGNAL) > 0)
		if (pause > 0)
			(void)usleep(pause);
}

struct trick {
	const char *path;
	const char *answer;
	const char *said; /* part of the fault */
};

static const struct trick tricks[] = {
	{ "/announced",
	    "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\nx",
	    "announces more than" },
	{ "/cut", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
	    "transfer closed" },
	{ "/cut-chunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
	    "transfer closed" },
	{ "/bad-chunk",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
	    "" },
	{ "/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "empty" },
	{ "/hang-up", "", "" },
	{ "/noise", "\x16\x03\x01\x02 what is this\r\n\r\n", "" },
	{ "/http0.9", "just the body", "" },
	{ "/304", "HTTP/1.1 304 Not Modified\r\n\r\n", "was not asked" },
	{ "/206", "HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx",
	    "answers 206" },
	{ "/gzip",
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
	    "Content-Length: 4\r\n\r\n\x1f\x8b\x08z",
	    "compressed" },
	{ "/gzip-chunked",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"
	    "4\r\n\x1f\x8b\x08z\r\n0\r\n\r\n",
	    "" },
	{ "/no-location", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
	    "without a good Location" },
	{ "/to-file",
	    "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
	    "Content-Length: 0\r\n\r\n",
	    "only http and https" },
	{ "/to-scp",
	    "HTTP/1.1 301 Moved\r\nLocation: scp://a/b\r\n"
	    "Content-Length: 0\r\n\r\n",
	    "neither http" },
	{ "/to-ftp",
	    "HTTP/1.1 301 Moved\r\nLocation: ftp://a:geheim@b/c\r\n"
	    "Content-Length: 0\r\n\r\n",
	    "ftp://b/c: only http" },
	{ "/loop",
	    "HTTP/1.1 302 Found\r\nLocation: /loop\r\n"
	    "Content-Length: 0\r\n\r\n",
	    "more than 5 times" },
};

static bool
answer(struct server *s, int fd, const char *path, const char *text)
{
	(void)s;
	(void)text;
	for (size_t i = 0; i < sizeof(tricks) / sizeof(*tricks); i++)
		if (strcmp(path, tricks[i].path) == 0) {
			say(fd, tricks[i].answer);
			return strcmp(path, "/loop") == 0;
		}
	if (strcmp(path, "/endless") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\n\r\n");
		for_ever(fd, "all work and no play ", 0);
	} else if (strcmp(path, "/endless-error") == 0) {
		say(fd, "HTTP/1.1 500 Oh\r\n\r\n");
		for_ever(fd, "all work and no play ", 0);
	} else if (strcmp(path, "/slow") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n");
		for_ever(fd, "x", 200000);
	} else if (strcmp(path, "/slow-header") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\n");
		for_ever(fd, "x", 200000);
	} else if (strcmp(path, "/headers") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\n");
		for_ever(fd, "X-More: and more and more and more\r\n", 0);
	} else if (strcmp(path, "/header") == 0) {
		say(fd, "HTTP/1.1 200 OK\r\nETag: ");
		for_ever(fd, "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm", 0);
	} else if (strcmp(path, "/continue") == 0) {
		for_ever(fd, "HTTP/1.1 100 Continue\r\n\r\n", 0);
	} else if (strcmp(path, "/big") == 0) {
		say_big(fd);
		return true;
	} else if (strcmp(path, "/tag-bomb") == 0) {
		reply(fd, "200 OK",
		    "ETag: \"a\x01"
		    "b\"\r\nLast-Modified: \x7f\r\n",
		    "tag");
		return true;
	}
	return false;
}

static void
refused(struct server *s, struct asked *a, const struct fetch_options *o,
    const char *path, const char *said)
{
	asked_at(a, NULL, s, path);
	asked_run(a, o);
	if (a->state != FETCH_FAILED || strstr(a->fault.text, said) == NULL)
		fail_msg("%s: %d, %s", path, (int)a->state, a->fault.text);
	assert_int_equal(a->judged, 0);
	assert_int_equal(a->len, 0);
}

static void
bad_answers_are_refused_and_say_why(void **state)
{
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	for (size_t i = 0; i < sizeof(tricks) / sizeof(*tricks); i++)
		refused(&s, &a, &quick, tricks[i].path, tricks[i].said);
	assert_null(strstr(a.fault.text, "geheim"));
	server_stop(&s);
}

static void
what_has_no_end_is_ended(void **state)
{
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	refused(&s, &a, &quick, "/endless", "larger than 1048576 bytes");
	refused(&s, &a, &quick, "/endless-error", "answers 500");
	refused(&s, &a, &quick, "/headers", "of header");
	refused(&s, &a, &quick, "/header", "line of header");
	refused(&s, &a, &quick, "/continue", "of header");
	server_stop(&s);
}

static void
who_is_too_slow_is_left(void **state)
{
	struct fetch_options o = quick;
	int64_t began = clock_mono();
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	refused(&s, &a, &o, "/slow", "Operation too slow");
	assert_int_equal(a.fault.code, FAULT_TIMEOUT);
	o.low_speed = 1;
	o.total_ms = 700;
	refused(&s, &a, &o, "/slow-header", "");
	assert_int_equal(a.fault.code, FAULT_TIMEOUT);
	assert_true(clock_mono() - began < 8000);
	server_stop(&s);
}

static void
who_does_not_take_the_call_is_left(void **state)
{
	struct fetch_options o = quick;
	int64_t began = clock_mono();
	struct asked a;
	unsigned short port;
	int fd = listen_somewhere(&port);

	(void)state;
	/* The kernel takes the connection, and nobody says anything. */
	o.total_ms = 300;
	asked_init(&a, NULL);
	asked_add(&a, "http://127.0.0.1", port, "/");
	asked_add(&a, "https://127.0.0.1", port, "/");
	asked_ends(&a, &o, FETCH_FAILED);
	assert_int_equal(a.fault.code, FAULT_TIMEOUT);
	assert_true(clock_mono() - began < 5000);
	(void)close(fd);
}

static void
a_failing_server_is_followed_by_its_mirror(void **state)
{
	struct fetch_options o = quick;
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	asked_init(&a, NULL);
	a.job.max_bytes = BIG;
	asked_add(&a, "http://127.0.0.1", s.port, "/endless-error");
	asked_add(&a, "http://127.0.0.1", s.port, "/cut");
	asked_add(&a, "http://127.0.0.1", s.port, "/big");
	asked_ends(&a, &o, FETCH_FETCHED);
	assert_int_equal(a.len, 8386560);
	server_stop(&s);
}

static void
big_bodies_are_mapped_from_the_cache(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	server_start(&s, answer);
	asked_init(&a, "big");
	a.job.max_bytes = BIG;
	asked_add(&a, "http://127.0.0.1", s.port, "/big");
	asked_ends(&a, &o, FETCH_FETCHED);
	server_stop(&s);
	o.offline = true;
	asked_ends(&a, &o, FETCH_CACHED);
	assert_int_equal(a.len, 8386560);
	assert_memory_equal(a.body, "bbbb", 4);
	place_drop(dir);
}

static void
tags_that_are_none_are_not_sent_back(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	server_start(&s, answer);
	asked_at(&a, "tag", &s, "/tag-bomb");
	asked_run(&a, &o);
	asked_ends(&a, &o, FETCH_UNCHANGED);
	assert_null(strstr(s.last, "If-"));
	server_stop(&s);
	place_drop(dir);
}

/* With no room for files small ones still come, and big ones say why not. */
static void
a_full_disk_costs_the_cache_only(void **state)
{
	struct rlimit old, small = { 16, 16 };
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	server_start(&s, answer);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	asked_at(&a, "tag", &s, "/tag-bomb");
	asked_ends(&a, &o, FETCH_FETCHED);
	assert_string_equal(a.body, "tag");
	assert_int_equal(a.fault.code, FAULT_SYSTEM);
	asked_init(&a, "big");
	a.job.max_bytes = BIG;
	asked_add(&a, "http://127.0.0.1", s.port, "/big");
	asked_ends(&a, &o, FETCH_FAILED);
	assert_int_equal(a.fault.code, FAULT_SYSTEM);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	/* Nothing is left of either. */
	o.offline = true;
	asked_ends(&a, &o, FETCH_FAILED);
	server_stop(&s);
	place_drop(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_answers_are_refused_and_say_why),
		cmocka_unit_test(what_has_no_end_is_ended),
		cmocka_unit_test(who_is_too_slow_is_left),
		cmocka_unit_test(who_does_not_take_the_call_is_left),
		cmocka_unit_test(a_failing_server_is_followed_by_its_mirror),
		cmocka_unit_test(big_bodies_are_mapped_from_the_cache),
		cmocka_unit_test(tags_that_are_none_are_not_sent_back),
		cmocka_unit_test(a_full_disk_costs_the_cache_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
