#include "roster/roster_requests.h"

#include "base/fault.h"
#include "base/unit.h"
#include "map/map_book.h"
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
write_book(const char *path, const struct map_book_entry *entries, size_t count)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_book) book = map_book_open(path, &f);

	if (book == NULL)
		fail_msg("%s", f.text);
	for (size_t i = 0; i < count; i++)
		if (map_book_add(book, &entries[i], &f) < 0)
			fail_msg("%s", f.text);
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

#define ENTRY(sign_, account_, name_)                                \
	{                                                            \
		.when = 1, .sign = (sign_), .service = "map",        \
		.account = (account_), .name = (name_), .entry = "x" \
	}

static void
requests_are_replayed(void **state)
{
	const struct map_book_entry entries[] = {
		ENTRY('+', "a", "/O=x/CN=a"),
		ENTRY('+', "b", "/o=X/cn=A"), /* refused: not so spelled */
		ENTRY('+', "b", "/O=X/CN=A"), /* the same name */
		ENTRY('+', "c", "/O=x/CN=c"),
		ENTRY('+', "d", "/O=x/CN=c"),
		ENTRY('+', "c", "/O=x/CN=c"),
		ENTRY('+', "e", "/O=x/CN=e"),
		ENTRY('-', "e", "/O=x/CN=e"),
		ENTRY('+', "f", "/O=x/CN=f"),
		ENTRY('-', "", "/O=x/CN=f"),
		ENTRY('+', "root,evil", "/O=x/CN=g"),
		ENTRY('+', "h", "/O=x/CN=h"),
		ENTRY('-', "h", ""),
		{ .when = 1,
		    .sign = '+',
		    .service = "asked",
		    .account = "i",
		    .name = "/O=x/CN=i",
		    .entry = "x" },
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
	write_book(path, entries, sizeof(entries) / sizeof(entries[0]));
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
