#include "roster/roster_lines.h"

#include "base/fault.h"
#include "base/unit.h"
#include "map/map_book.h"
#include "map/map_request.h"
#include "roster/roster.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct said {
	char text[512];
};

static void
write_book(const char *path, const struct map_request *requests, size_t count)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_book) book = map_book_open(path, &f);

	if (book == NULL)
		fail_msg("%s", f.text);
	for (size_t i = 0; i < count; i++) {
		struct map_book_entry e;

		map_request_entry(&requests[i], &e);
		if (map_book_add(book, &e, &f) < 0)
			fail_msg("%s", f.text);
	}
	if (map_book_sync(book, &f) < 0)
		fail_msg("%s", f.text);
}

static int
say(void *arg, const struct roster_person *p)
{
	struct said *s = arg;
	size_t len = strlen(s->text);

	(void)snprintf(s->text + len, sizeof(s->text) - len, "%s%s",
	    len > 0 ? " " : "", p->account);
	for (size_t i = 1; i < p->account_count; i++) {
		len = strlen(s->text);
		(void)snprintf(s->text + len, sizeof(s->text) - len, ",%s",
		    roster_account_at(p, i));
	}
	return 0;
}

#define SAID(verb_, account_, name_)                             \
	{                                                        \
		.verb = MAP_REQUEST_##verb_, .when = 1,          \
		.id = "0123456789abcdef", .account = (account_), \
		.name = (name_), .by = "1 a"                     \
	}

static void
requests_are_replayed(void **state)
{
	const struct map_request requests[] = {
		SAID(ADD, "a", "/O=x/CN=a"),
		SAID(ADD, "b", "/O=X/CN=A"), /* the same name */
		SAID(ADD, "c", "/O=x/CN=c"),
		SAID(ADD, "d", "/O=x/CN=c"),
		SAID(APPROVE, "c", "/O=x/CN=c"),
		SAID(ADD, "e", "/O=x/CN=e"),
		SAID(REMOVE, "e", "/O=x/CN=e"),
		SAID(ADD, "f", "/O=x/CN=f"),
		SAID(REMOVE_NAME, "", "/O=x/CN=f"),
		SAID(ADD, "h", "/O=x/CN=h"),
		SAID(REMOVE_ACCOUNT, "h", ""),
		SAID(ASK, "i", "/O=x/CN=i"),
	};
	char dir[] = "/tmp/roster_requests.XXXXXX", path[64];
	struct roster_source_conf conf = {
		.name = "r", .kind = ROSTER_REQUESTS, .path = path
	};
	struct said said = { "" };
	struct fault f = { 0 };
	OWN_STRUCT(roster) r = roster_new(&f);
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/log", dir);
	write_book(path, requests, sizeof(requests) / sizeof(requests[0]));
	if (roster_source_read(&conf, r, NULL, NULL, &f) < 0)
		fail_msg("%s", f.text);
	(void)roster_each(r, say, &said);
	assert_string_equal(said.text, "b,a c,d");
	/* A book that somebody changed says nothing at all. */
	fd = open(path, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "0", 1, 90), 1);
	(void)close(fd);
	assert_int_equal(roster_source_read(&conf, r, NULL, NULL, &f), -1);
	assert_int_equal(roster_count(r), 2);
	(void)unlink(path);
	assert_int_equal(roster_source_read(&conf, r, NULL, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	(void)rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
