#include "fetch/fetch.h"

#include "fetch/fetch_probe.h"

/* Impatient, so that a test of many failures waits for none. */
static const struct fetch_options quick = { .connect_ms = 2000,
	.total_ms = 20000,
	.low_speed_s = 1,
	.proxy = "",
	.impatient = true };

#define DATE "Tue, 01 Sep 2026 10:00:00 GMT"

/* What each path does; hostile ones are in fetch_hostile_test.c. */
static bool
answer(struct server *s, int fd, const char *path, const char *text)
{
	(void)s;
	if (strcmp(path, "/plain") == 0)
		reply(fd, "200 OK", "", "plain body");
	else if (strcmp(path, "/tagged") == 0 &&
	    strstr(text, "If-None-Match: \"v1\"") != NULL &&
	    strstr(text, "If-Modified-Since: " DATE) != NULL)
		say(fd, "HTTP/1.1 304 Not Modified\r\n\r\n");
	else if (strcmp(path, "/tagged") == 0)
		reply(fd, "200 OK",
		    "ETag: \"v1\"\r\nLast-Modified: " DATE "\r\n", "tagged");
	else if (strcmp(path, "/html") == 0)
		reply(fd, "200 OK", "", "<html>not it</html>");
	else if (strcmp(path, "/moved") == 0)
		reply(fd, "302 Found", "Location: /plain\r\n", "moved");
	else if (strcmp(path, "/busy") == 0)
		reply(fd, "503 Busy", "Retry-After: 5000\r\n", "busy");
	else if (strcmp(path, "/slowish") == 0) {
		(void)usleep(30000);
		reply(fd, "200 OK", "", path);
	} else
		reply(fd, "404 Not Found", "", "none");
	return true;
}

static void
a_file_is_fetched_and_judged(void **state)
{
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	asked_at(&a, NULL, &s, "/plain");
	asked_ends(&a, &quick, FETCH_FETCHED);
	assert_string_equal(a.body, "plain body");
	assert_string_equal(a.from, a.url[0]);
	assert_int_equal(a.judged, 1);
	assert_int_equal(a.fault.code, FAULT_NONE);
	server_stop(&s);
}

static void
mirrors_are_tried_in_order_also_after_a_bad_body(void **state)
{
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	asked_init(&a, NULL);
	a.refuse = "<html>";
	asked_add(&a, "http://127.0.0.1", s.port, "/nothing");
	asked_add(&a, "http://127.0.0.1", s.port, "/html");
	asked_add(&a, "http://127.0.0.1", s.port, "/plain");
	asked_ends(&a, &quick, FETCH_FETCHED);
	assert_string_equal(a.body, "plain body");
	assert_string_equal(a.from, a.url[2]);
	assert_non_null(strstr(a.fault.text, "/nothing: answers 404; "));
	assert_non_null(strstr(a.fault.text, "/html: refused"));
	assert_int_equal(atomic_load(&s.requests), 3);
	server_stop(&s);
}

static void
what_did_not_change_is_asked_for_once_and_not_sent(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	server_start(&s, answer);
	asked_at(&a, "key", &s, "/tagged");
	asked_ends(&a, &o, FETCH_FETCHED);
	asked_ends(&a, &o, FETCH_UNCHANGED);
	assert_string_equal(a.body, "tagged");
	assert_int_equal(a.judged, 2);
	assert_int_equal(atomic_load(&s.requests), 2);
	/* Under words of its own a yes is remembered. */
	a.job.verdict = "pins 1";
	asked_run(&a, &o);
	asked_ends(&a, &o, FETCH_UNCHANGED);
	assert_int_equal(a.judged, 3);
	a.job.verdict = "pins 2";
	a.refuse = "tag";
	asked_run(&a, &o);
	assert_int_equal(a.judged, 4);
	assert_int_equal(a.state, FETCH_FAILED);
	assert_int_equal(a.len, 0);
	server_stop(&s);
	place_drop(dir);
}

static void
the_same_bytes_again_are_unchanged(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	server_start(&s, answer);
	asked_init(&a, "key");
	a.job.verdict = "v";
	asked_add(&a, "http://127.0.0.1", s.port, "/plain");
	asked_ends(&a, &o, FETCH_FETCHED);
	asked_ends(&a, &o, FETCH_UNCHANGED);
	assert_int_equal(a.judged, 1);
	server_stop(&s);
	place_drop(dir);
}

/* A clock that each test may set: it is read through a pointer. */
static _Atomic time_t clock_at;

static time_t
test_now(void)
{
	return atomic_load(&clock_at);
}

static void
the_cache_serves_when_sources_fail_and_offline(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	o.now = test_now;
	atomic_store(&clock_at, 1000000);
	server_start(&s, answer);
	asked_at(&a, "key", &s, "/plain");
	asked_run(&a, &o);
	server_stop(&s);
	atomic_store(&clock_at, 1000060);
	asked_ends(&a, &o, FETCH_CACHED);
	assert_string_equal(a.body, "plain body");
	assert_int_equal(a.when, 1000000);
	assert_int_equal(a.fault.code, FAULT_UNREACHABLE);
	o.offline = true;
	asked_ends(&a, &o, FETCH_CACHED);
	assert_non_null(strstr(a.fault.text, "offline"));
	/* What the cache has is judged, too. */
	a.refuse = "plain";
	asked_ends(&a, &o, FETCH_FAILED);
	assert_non_null(strstr(a.fault.text, "cache: refused"));
	place_drop(dir);
}

static void
who_failed_is_left_alone_for_a_while(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	o.now = test_now;
	o.impatient = false;
	atomic_store(&clock_at, 1000000);
	server_start(&s, answer);
	asked_at(&a, "key", &s, "/nothing");
	asked_run(&a, &o);
	assert_false(a.waiting);
	atomic_store(&clock_at, 1000299);
	asked_run(&a, &o);
	assert_true(a.waiting);
	assert_int_equal(a.fault.code, FAULT_BUSY);
	assert_int_equal(atomic_load(&s.requests), 1);
	atomic_store(&clock_at, 1000300);
	asked_run(&a, &o);
	assert_int_equal(atomic_load(&s.requests), 2);
	atomic_store(&clock_at, 1000899); /* twice as long now */
	asked_run(&a, &o);
	assert_int_equal(atomic_load(&s.requests), 2);
	o.impatient = true;
	asked_run(&a, &o);
	assert_int_equal(atomic_load(&s.requests), 3);
	server_stop(&s);
	place_drop(dir);
}

static void
a_server_may_ask_for_more_patience(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct server s;
	struct asked a;

	(void)state;
	o.cache_dir = dir;
	o.now = test_now;
	o.impatient = false;
	atomic_store(&clock_at, 1000000);
	server_start(&s, answer);
	asked_at(&a, NULL, &s, "/busy");
	asked_run(&a, &o);
	atomic_store(&clock_at, 1004999);
	asked_run(&a, &o);
	assert_true(a.waiting);
	assert_int_equal(atomic_load(&s.requests), 1);
	/* A clock that was set back frees everyone. */
	atomic_store(&clock_at, 1000);
	asked_run(&a, &o);
	assert_int_equal(atomic_load(&s.requests), 2);
	server_stop(&s);
	place_drop(dir);
}

static void
redirections_are_followed(void **state)
{
	struct fetch_options o = quick;
	struct server s;
	struct asked a;

	(void)state;
	server_start(&s, answer);
	asked_at(&a, NULL, &s, "/moved");
	asked_ends(&a, &o, FETCH_FETCHED);
	assert_string_equal(a.body, "plain body");
	assert_string_equal(a.from, a.url[0]);
	o.no_redirects = true;
	asked_ends(&a, &o, FETCH_FAILED);
	server_stop(&s);
}

static void
files_are_read_where_a_job_allows_them(void **state)
{
	char *dir = place_make();
	char path[256];
	struct asked a;
	FILE *out;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/a b", dir);
	assert_non_null(out = fopen(path, "we"));
	(void)fputs("local", out);
	(void)fclose(out);
	asked_init(&a, NULL);
	a.job.url_count = 1;
	(void)snprintf(a.url[0], sizeof(a.url[0]), "file://%s/a%%20b", dir);
	a.urls[0] = a.url[0];
	asked_ends(&a, &quick, FETCH_FAILED);
	assert_int_equal(a.fault.code, FAULT_DENIED);
	a.job.allow_file = true;
	asked_ends(&a, &quick, FETCH_FETCHED);
	assert_string_equal(a.body, "local");
	place_drop(dir);
}

#define MANY 40

static void
many_run_at_once_and_few_with_one_host(void **state)
{
	struct fetch_options o = quick;
	struct fetch_job jobs[MANY];
	struct asked *a = calloc(MANY, sizeof(*a));
	struct fault f = { 0 };
	struct server s;

	(void)state;
	assert_non_null(a);
	server_start(&s, answer);
	o.per_host = 5;
	for (int i = 0; i < MANY; i++) {
		asked_init(&a[i], NULL);
		asked_add(&a[i], "http://127.0.0.1", s.port, "/slowish");
		jobs[i] = a[i].job;
	}
	assert_int_equal(fetch_run(jobs, MANY, &o, &f), 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(a[i].state, FETCH_FETCHED);
		assert_int_equal(a[i].told, 1);
	}
	assert_in_range(atomic_load(&s.most), 2, 5);
	assert_int_equal(atomic_load(&s.requests), MANY);
	server_stop(&s);
	free(a);
}

struct watched {
	size_t seen;
	size_t stop_at;
	struct fetch_progress last;
};

static bool
watch(void *arg, const struct fetch_progress *p)
{
	struct watched *w = arg;

	w->seen++;
	w->last = *p;
	return w->stop_at == 0 || p->done < w->stop_at;
}

static void
progress_is_told_and_may_stop_it(void **state)
{
	struct fetch_options o = quick;
	struct watched w = { 0 };
	struct fetch_job jobs[MANY];
	struct asked *a = calloc(MANY, sizeof(*a));
	struct fault f = { 0 };
	struct server s;
	size_t stopped = 0;

	(void)state;
	assert_non_null(a);
	server_start(&s, answer);
	o.progress = watch;
	o.progress_arg = &w;
	o.per_host = 2;
	for (int i = 0; i < MANY; i++) {
		asked_init(&a[i], NULL);
		asked_add(&a[i], "http://127.0.0.1", s.port,
		    i == 0 ? "/nothing" : "/slowish");
		jobs[i] = a[i].job;
	}
	assert_int_equal(fetch_run(jobs, 4, &o, &f), 0);
	assert_int_equal(w.last.total, 4);
	assert_int_equal(w.last.done, 4);
	assert_int_equal(w.last.failed, 1);
	assert_true(w.last.bytes >= 3 * strlen("/slowish"));
	w.stop_at = 3;
	assert_int_equal(fetch_run(jobs, MANY, &o, &f), 0);
	for (int i = 0; i < MANY; i++)
		if (strstr(a[i].fault.text, "stopped") != NULL)
			stopped++;
	assert_true(stopped > MANY / 2);
	server_stop(&s);
	free(a);
}

static void
what_is_shown_of_a_url_has_no_secrets(void **state)
{
	char text[FETCH_SHOWN_SIZE];
	struct server s;
	struct asked a;

	(void)state;
	fetch_url_show("https://u:geheim@a.org/x?token=1#f", text);
	assert_string_equal(text, "https://a.org/x?...");
	fetch_url_show("u:geheim@a.org/x", text);
	assert_string_equal(text, "a.org/x");
	fetch_url_show("http://u:geh@eim@a.org", text);
	assert_string_equal(text, "http://a.org");
	fetch_url_show("ftp://a\x1b.org/@b", text);
	assert_string_equal(text, "ftp://a?.org/@b");
	server_start(&s, answer);
	asked_init(&a, NULL);
	asked_add(&a, "http://u:geheim@127.0.0.1", s.port, "/nothing?t=geheim");
	asked_ends(&a, &quick, FETCH_FAILED);
	assert_null(strstr(a.fault.text, "geheim"));
	server_stop(&s);
}

static void
bad_urls_are_said_and_passed_over(void **state)
{
	static const char *const bad[] = { "gopher://a/b", "nonsense", "",
		"http://", "http://a b/", "file:///etc/passwd",
		"scp://127.0.0.1/x", "http://[::1/" };
	struct asked a;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		asked_init(&a, NULL);
		a.urls[0] = bad[i];
		a.job.url_count = 1;
		asked_run(&a, &quick);
		assert_int_equal(a.state, FETCH_FAILED);
		assert_true(a.fault.code == FAULT_INPUT ||
		    a.fault.code == FAULT_DENIED);
	}
	asked_init(&a, NULL);
	asked_run(&a, &quick);
	assert_int_equal(a.fault.code, FAULT_ABSENT);
}

static void
a_cache_that_others_may_write_is_refused(void **state)
{
	struct fetch_options o = quick;
	char *dir = place_make();
	struct fault f = { 0 };

	(void)state;
	o.cache_dir = dir;
	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(fetch_run(NULL, 0, &o, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(fetch_run(NULL, 0, &o, &f), 0);
	place_drop(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_fetched_and_judged),
		cmocka_unit_test(
		    mirrors_are_tried_in_order_also_after_a_bad_body),
		cmocka_unit_test(
		    what_did_not_change_is_asked_for_once_and_not_sent),
		cmocka_unit_test(the_same_bytes_again_are_unchanged),
		cmocka_unit_test(
		    the_cache_serves_when_sources_fail_and_offline),
		cmocka_unit_test(who_failed_is_left_alone_for_a_while),
		cmocka_unit_test(a_server_may_ask_for_more_patience),
		cmocka_unit_test(redirections_are_followed),
		cmocka_unit_test(files_are_read_where_a_job_allows_them),
		cmocka_unit_test(many_run_at_once_and_few_with_one_host),
		cmocka_unit_test(progress_is_told_and_may_stop_it),
		cmocka_unit_test(what_is_shown_of_a_url_has_no_secrets),
		cmocka_unit_test(bad_urls_are_said_and_passed_over),
		cmocka_unit_test(a_cache_that_others_may_write_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
