#include "map/map_index.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"
#include "map/gridmap.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LIMIT ((size_t)1 << 28)

/* A map file's path in a directory of its own. */
struct place {
	char dir[64];
	char text[80];
	char index[96];
	char delta[96];
};

static void
place_make(struct place *p)
{
	assert_int_equal(text_copy(p->dir, sizeof(p->dir),
			     "/tmp/map_index-XXXXXX"),
	    0);
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(text_fmt(p->text, sizeof(p->text), "%s/map", p->dir),
	    0);
	assert_int_equal(text_fmt(p->index, sizeof(p->index), "%s.index",
			     p->text),
	    0);
	assert_int_equal(text_fmt(p->delta, sizeof(p->delta), "%s.delta",
			     p->text),
	    0);
}

static void
place_end(const struct place *p)
{
	(void)unlink(p->text);
	(void)unlink(p->index);
	(void)unlink(p->delta);
	assert_int_equal(rmdir(p->dir), 0);
}

static int
add(struct map_build *b, const char *name, const char *accounts)
{
	OWN_MAP_ACCOUNTS(list);
	struct fault f = { 0 };

	map_accounts_split(&list,
	    (struct wire_bytes){ (const uint8_t *)accounts, strlen(accounts) });
	return map_build_add(b, name, &list, &f);
}

static void
write_index(const struct place *p, uint64_t seq, const char *const lines[][2])
{
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, &f);
	const struct map_index_head head = {
		.seq = seq, .made = 1000, .fresh = 900
	};

	assert_non_null(b);
	for (size_t i = 0; lines[i][0] != NULL; i++)
		assert_int_equal(add(b, lines[i][0], lines[i][1]), 1);
	assert_int_equal(map_build_write(b, p->text, &head, &f), 0);
}

/* Accounts that are NULL: the name is gone. */
static void
write_delta(const struct place *p, uint64_t base, const char *const lines[][2])
{
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, &f);
	const struct map_index_head head = { .seq = 1, .base = base };

	assert_non_null(b);
	for (size_t i = 0; lines[i][0] != NULL; i++) {
		if (lines[i][1] != NULL)
			assert_int_equal(add(b, lines[i][0], lines[i][1]), 1);
		else
			assert_int_equal(map_build_remove(b, lines[i][0], &f),
			    1);
	}
	assert_int_equal(map_delta_write(b, p->text, &head, &f), 0);
}

/* "-": not there; "!": a fault; else its accounts. */
static void
expect(struct map_index *ix, const char *dn, const char *accounts)
{
	OWN_MAP_ACCOUNTS(found);
	OWN_BUF(said, 1 << 20);
	struct fault f = { 0 };
	int got = map_index_find(ix, dn, strlen(dn), &found, &f);

	if (got == 1)
		map_accounts_join(&found, &said);
	else
		buf_text(&said, got == 0 ? "-" : "!");
	assert_string_equal(buf_cstr(&said), accounts);
}

static int
join_name(void *arg, const char *dn, bool first)
{
	buf_fmt(arg, "%s%s ", dn, first ? "*" : "");
	return 0;
}

static void
expect_of(struct map_index *ix, const char *account, const char *names)
{
	OWN_BUF(said, 1 << 20);
	struct fault f = { 0 };

	assert_int_equal(map_index_each_of(ix, account, join_name, &said, &f),
	    0);
	assert_string_equal(buf_cstr(&said), names);
}

static const char *const people[][2] = {
	{ "/O=G/CN=Alice", "alice" },
	{ "/O=G/CN=Bob", "bob,shared" },
	{ "/O=G/CN=Carol", "shared,carol,shared" },
	{ "/O=G/CN=host\\/a.org", ".pool" },
	{ "/O=G/UID=eve", "eve" },
	{ "/O=G/CN=Nobody", "" },
	{ NULL, NULL },
};

static void
what_was_added_is_found_in_every_spelling(void **state)
{
	struct place p;
	struct fault f = { 0 };
	struct map_index_head head;

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	assert_non_null(ix);
	for (size_t i = 0; people[i][0] != NULL; i++)
		expect(ix, people[i][0], people[i][1]);
	expect(ix, "/o=g/cn=ALICE", "alice");
	expect(ix, "/O=G/CN=host/a.org", ".pool");
	expect(ix, "/O=G/USERID=Eve", "eve");
	expect(ix, "/O=G/CN=Alic", "-");
	expect(ix, "", "-");
	expect_of(ix, "shared", "/O=G/CN=Bob /O=G/CN=Carol* ");
	expect_of(ix, "alice", "/O=G/CN=Alice* ");
	expect_of(ix, "nobody", "");
	map_index_head(ix, &head);
	assert_int_equal(head.seq, 7);
	assert_int_equal(head.made, 1000);
	assert_int_equal(head.fresh, 900);
	assert_int_equal(head.entries, 6);
	assert_false(map_index_delta_head(ix, &head));
	place_end(&p);
}

static void
the_first_of_a_name_counts(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, &f);

	(void)state;
	assert_int_equal(add(b, "/CN=a/E=x", "one"), 1);
	assert_int_equal(add(b, "/cn=A/emailAddress=x", "two"), 0);
	assert_int_equal(map_build_remove(b, "/CN=A/email=X", &f), 0);
	assert_int_equal(map_build_count(b), 1);
}

static void
memory_has_an_end(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(40000, &f);
	char name[32];
	int got = 1;

	(void)state;
	for (int i = 0; got == 1 && i < 10000; i++) {
		OWN_MAP_ACCOUNTS(accounts);

		assert_int_equal(text_fmt(name, sizeof(name), "/CN=%d", i), 0);
		got = map_build_add(b, name, &accounts, &f);
	}
	assert_int_equal(got, -1);
	assert_int_equal(f.code, FAULT_MEMORY);
}

static void
a_delta_replaces_and_removes(void **state)
{
	static const char *const changes[][2] = {
		{ "/O=G/CN=ALICE", NULL },
		{ "/O=G/CN=Bob", "robert" },
		{ "/O=G/CN=Dave", "dave,shared" },
		{ "/O=G/CN=Zed", NULL },
		{ NULL, NULL },
	};
	struct place p;
	struct fault f = { 0 };
	struct map_index_head head;

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	write_delta(&p, 7, changes);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	assert_non_null(ix);
	expect(ix, "/O=G/CN=Alice", "-");
	expect(ix, "/O=G/CN=Bob", "robert");
	expect(ix, "/O=G/CN=Carol", "shared,carol,shared");
	expect(ix, "/O=G/CN=Dave", "dave,shared");
	expect(ix, "/O=G/CN=Zed", "-");
	expect_of(ix, "alice", "");
	expect_of(ix, "bob", "");
	expect_of(ix, "shared", "/O=G/CN=Carol* /O=G/CN=Dave ");
	assert_true(map_index_delta_head(ix, &head));
	assert_int_equal(head.base, 7);
	assert_int_equal(head.entries, 4);
	place_end(&p);
}

static int
count_entry(void *arg, const char *dn, const struct map_accounts *accounts)
{
	buf_fmt(arg, "%s:%zu ", dn, accounts->count);
	return 0;
}

static void
every_entry_is_told_once(void **state)
{
	static const char *const changes[][2] = {
		{ "/O=G/CN=Alice", NULL },
		{ "/O=G/CN=Bob", "x,y,z" },
		{ NULL, NULL },
	};
	struct place p;
	struct fault f = { 0 };
	OWN_BUF(said, 4096);

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	write_delta(&p, 7, changes);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	assert_int_equal(map_index_each(ix, count_entry, &said, &f), 0);
	assert_string_equal(buf_cstr(&said),
	    "/O=G/CN=Carol:3 /O=G/CN=host\\/a.org:1 /O=G/UID=eve:1 "
	    "/O=G/CN=Nobody:0 /O=G/CN=Bob:3 ");
	place_end(&p);
}

static void
a_reader_that_is_kept_sees_each_change(void **state)
{
	static const char *const gone[][2] = { { "/O=G/CN=Alice", NULL },
		{ NULL, NULL } };
	static const char *const back[][2] = { { "/O=G/CN=Alice", "anew" },
		{ NULL, NULL } };
	struct place p;
	struct fault f = { 0 };

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	expect(ix, "/O=G/CN=Alice", "alice");
	write_delta(&p, 7, gone);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "-");
	/* The index replaced, its old delta still there: that one is ignored.
	 */
	write_index(&p, 8, people);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "alice");
	write_delta(&p, 8, back);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "anew");
	assert_int_equal(unlink(p.delta), 0);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "alice");
	/* Nothing to read is a fault, and mended when there is again. */
	assert_int_equal(unlink(p.index), 0);
	assert_int_equal(map_index_fresh(ix, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	expect(ix, "/O=G/CN=Alice", "!");
	write_index(&p, 9, people);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "alice");
	place_end(&p);
}

/* In a directory that was not touched for long, too. */
static void
a_reader_trusts_an_old_directory_until_it_changes(void **state)
{
	static const struct timespec old[2] = { { 1000, 0 }, { 1000, 0 } };
	static const char *const gone[][2] = { { "/O=G/CN=Alice", NULL },
		{ NULL, NULL } };
	struct place p;
	struct fault f = { 0 };

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	assert_int_equal(utimensat(AT_FDCWD, p.dir, old, 0), 0);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "alice");
	write_delta(&p, 7, gone);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Alice", "-");
	assert_int_equal(utimensat(AT_FDCWD, p.dir, old, 0), 0);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	/* Cut in its place, which the directory does not tell of. */
	assert_int_equal(truncate(p.index, 300), 0);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/O=G/CN=Bob", "!");
	assert_int_equal(map_index_fresh(ix, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	place_end(&p);
}

static void
a_delta_of_a_later_index_is_not_guessed_about(void **state)
{
	static const char *const gone[][2] = { { "/O=G/CN=Alice", NULL },
		{ NULL, NULL } };
	struct place p;
	struct fault f = { 0 };

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	write_delta(&p, 8, gone);
	assert_null(map_index_open(p.text, &f));
	assert_int_equal(f.code, FAULT_INPUT);
	write_index(&p, 8, people);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	assert_non_null(ix);
	expect(ix, "/O=G/CN=Alice", "-");
	place_end(&p);
}

static void
one_that_others_can_write_is_refused(void **state)
{
	struct place p;
	struct fault f = { 0 };

	(void)state;
	place_make(&p);
	assert_null(map_index_open(p.text, &f));
	assert_int_equal(f.code, FAULT_ABSENT);
	write_index(&p, 7, people);
	assert_int_equal(chmod(p.index, 0664), 0);
	assert_null(map_index_open(p.text, &f));
	assert_int_equal(f.code, FAULT_DENIED);
	place_end(&p);
}

#define EACH_GONE                                               \
	"/O=G/CN=Bob:2 /O=G/CN=Carol:3 /O=G/CN=host\\/a.org:1 " \
	"/O=G/UID=eve:1 /O=G/CN=Nobody:0 "

/* Answers, or faults, but nothing else. */
static void
ask_all(const struct place *p, const char *const delta[][2])
{
	struct fault f = { 0 };
	OWN_STRUCT(map_index) ix = map_index_open(p->text, &f);
	OWN_BUF(said, 1 << 16);

	if (ix == NULL)
		return;
	for (size_t i = 0; people[i][0] != NULL; i++) {
		OWN_MAP_ACCOUNTS(found);
		const char *want = people[i][1];
		bool gone = false;
		int got = map_index_find(ix, people[i][0], strlen(people[i][0]),
		    &found, &f);

		for (size_t k = 0; delta[k][0] != NULL; k++)
			gone = gone || strcmp(delta[k][0], people[i][0]) == 0;
		if (got < 0)
			continue;
		assert_int_equal(got, !gone);
		said.len = 0;
		map_accounts_join(&found, &said);
		assert_string_equal(buf_cstr(&said), gone ? "" : want);
	}
	said.len = 0;
	if (map_index_each_of(ix, "shared", join_name, &said, &f) == 0)
		assert_string_equal(buf_cstr(&said),
		    "/O=G/CN=Bob /O=G/CN=Carol* ");
	said.len = 0;
	if (map_index_each(ix, count_entry, &said, &f) == 0)
		assert_string_equal(buf_cstr(&said),
		    delta[0][0] != NULL ? EACH_GONE
					: "/O=G/CN=Alice:1 " EACH_GONE);
}

/* Each byte of ${path} changed, and each cut. */
static void
spoil(const struct place *p, const char *path, const char *const delta[][2])
{
	OWN_BUF(whole, 1 << 20);
	struct fault f = { 0 };

	assert_int_equal(file_read(path, &whole, &f), 0);
	for (size_t i = 0; i < whole.len; i++) {
		FILE *out = fopen(path, "r+");

		assert_non_null(out);
		assert_int_equal(fseek(out, (long)i, SEEK_SET), 0);
		assert_int_not_equal(fputc(whole.data[i] ^ (1 << i % 8), out),
		    EOF);
		assert_int_equal(fclose(out), 0);
		ask_all(p, delta);
		out = fopen(path, "r+");
		assert_non_null(out);
		assert_int_equal(fseek(out, (long)i, SEEK_SET), 0);
		assert_int_not_equal(fputc(whole.data[i], out), EOF);
		assert_int_equal(fclose(out), 0);
	}
	for (size_t i = whole.len; i-- > 0;) {
		assert_int_equal(truncate(path, (off_t)i), 0);
		ask_all(p, delta);
	}
}

static void
what_was_spoiled_is_a_fault_and_never_another_answer(void **state)
{
	static const char *const none[][2] = { { NULL, NULL } };
	static const char *const gone[][2] = { { "/O=G/CN=Alice", NULL },
		{ NULL, NULL } };
	struct place p;

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	spoil(&p, p.index, none);
	write_index(&p, 7, people);
	write_delta(&p, 7, gone);
	spoil(&p, p.delta, gone);
	place_end(&p);
}

/* An index that is cut under a reader that has it open. */
static void
a_file_cut_short_while_open_is_a_fault(void **state)
{
	struct place p;
	struct fault f = { 0 };

	(void)state;
	place_make(&p);
	write_index(&p, 7, people);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	assert_int_equal(truncate(p.index, 300), 0);
	expect(ix, "/O=G/CN=Alice", "!");
	place_end(&p);
}

static void
put_text(const struct place *p, const char *text)
{
	struct fault f = { 0 };

	assert_int_equal(file_write(p->text, 0644, text, strlen(text), &f), 0);
}

static void
an_index_of_a_text_counts_for_that_text_only(void **state)
{
	struct place p;
	struct fault f = { 0 };
	size_t skipped = 99;

	(void)state;
	place_make(&p);
	assert_int_equal(map_index_of_text(p.text, &skipped, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	put_text(&p,
	    "\"/CN=a\" x,y\n\"/CN=a\" z\n\"/CN=open\n# c\n/CN=b z z\n");
	assert_int_equal(map_index_of_text(p.text, &skipped, &f), 0);
	assert_int_equal(skipped, 2);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	expect(ix, "/CN=a", "x,y");
	expect(ix, "/CN=b", "z,z");
	expect_of(ix, "z", "/CN=b* ");
	put_text(&p, "\"/CN=a\" changed\n");
	assert_int_equal(map_index_fresh(ix, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(map_index_of_text(p.text, NULL, &f), 0);
	assert_int_equal(map_index_fresh(ix, &f), 0);
	expect(ix, "/CN=a", "changed");
	place_end(&p);
}

static void
a_service_reads_the_text_where_there_is_no_good_index(void **state)
{
	struct place p;
	struct fault f = { 0 };
	OWN_MAP_ACCOUNTS(found);

	(void)state;
	place_make(&p);
	assert_null(gridmap_open(p.text, &f));
	assert_int_equal(f.code, FAULT_ABSENT);
	put_text(&p, "\"/O=G/CN=Alice\" text\n");
	OWN_STRUCT(gridmap) g = gridmap_open(p.text, &f);
	assert_non_null(g);
	assert_int_equal(gridmap_without_index(g)->code, FAULT_ABSENT);
	assert_int_equal(gridmap_find(g, "/O=G/CN=Alice", &found, &f), 1);
	assert_string_equal(map_accounts_at(&found, 0), "text");
	write_index(&p, 7, people);
	assert_int_equal(gridmap_find(g, "/O=G/CN=Alice", &found, &f), 1);
	assert_string_equal(map_accounts_at(&found, 0), "alice");
	assert_null(gridmap_without_index(g));
	assert_int_equal(truncate(p.index, 300), 0);
	assert_int_equal(gridmap_find(g, "/O=G/CN=Alice", &found, &f), 1);
	assert_string_equal(map_accounts_at(&found, 0), "text");
	assert_int_equal(gridmap_without_index(g)->code, FAULT_INPUT);
	place_end(&p);
}

static void
names_and_accounts_of_any_length_and_many(void **state)
{
	struct place p;
	struct fault f = { 0 };
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, &f);
	const struct map_index_head head = { .seq = 1 };
	OWN(char) name = malloc(100001);
	char number[32];

	(void)state;
	place_make(&p);
	assert_non_null(name);
	memset(name, 'n', 100000);
	memcpy(name, "/CN=", 4);
	name[100000] = '\0';
	assert_int_equal(add(b, name, name), 1);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(text_fmt(number, sizeof(number), "/CN=%d", i),
		    0);
		assert_int_equal(add(b, number, "group"), 1);
	}
	assert_int_equal(map_build_write(b, p.text, &head, &f), 0);
	OWN_STRUCT(map_index) ix = map_index_open(p.text, &f);
	expect(ix, name, name);
	for (int i = 0; i < 20000; i++) {
		assert_int_equal(text_fmt(number, sizeof(number), "/CN=%d", i),
		    0);
		expect(ix, number, "group");
	}
	expect(ix, "/CN=20000", "-");
	OWN_BUF(all, 1 << 20);
	assert_int_equal(map_index_each_of(ix, "group", join_name, &all, &f),
	    0);
	assert_int_equal(memcmp(all.data, "/CN=0* /CN=1* /CN=2* ", 21), 0);
	place_end(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found_in_every_spelling),
		cmocka_unit_test(the_first_of_a_name_counts),
		cmocka_unit_test(memory_has_an_end),
		cmocka_unit_test(a_delta_replaces_and_removes),
		cmocka_unit_test(every_entry_is_told_once),
		cmocka_unit_test(a_reader_that_is_kept_sees_each_change),
		cmocka_unit_test(
		    a_reader_trusts_an_old_directory_until_it_changes),
		cmocka_unit_test(a_delta_of_a_later_index_is_not_guessed_about),
		cmocka_unit_test(one_that_others_can_write_is_refused),
		cmocka_unit_test(
		    what_was_spoiled_is_a_fault_and_never_another_answer),
		cmocka_unit_test(a_file_cut_short_while_open_is_a_fault),
		cmocka_unit_test(an_index_of_a_text_counts_for_that_text_only),
		cmocka_unit_test(
		    a_service_reads_the_text_where_there_is_no_good_index),
		cmocka_unit_test(names_and_accounts_of_any_length_and_many),
	};

	return cmocka_run_group_tests_name("map/index", tests, NULL, NULL);
}
