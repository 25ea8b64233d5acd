#include "roster/roster.h"

#include "base/fault.h"
#include "base/unit.h"
#include "roster/roster_part.h"
#include "roster/roster_stage.h"
#include "roster/roster_state.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUBJECT "/DC=org/CN={principal}"

struct heard {
	int added;
	int changed;
	int gone;
	uint32_t last;
};

static void
watch(void *arg, const struct roster_person *before,
    const struct roster_person *after)
{
	struct heard *h = arg;

	if (before == NULL)
		h->added++;
	else if (after == NULL)
		h->gone++;
	else
		h->changed++;
	h->last = after != NULL ? after->id : before->id;
}

static void
put(struct roster *r, uint32_t source, uint8_t number, const char *account,
    const char *name, const char *group)
{
	const char *accounts[] = { account, "second" }, *names[] = { name },
		   *groups[] = { group };
	char principal[64];
	struct fault f = { 0 };
	struct roster_put p = { .uuid = { number },
		.principal = principal,
		.accounts = accounts,
		.account_count = 2,
		.names = names,
		.name_count = name != NULL,
		.groups = groups,
		.group_count = group != NULL,
		.where = "here" };

	(void)snprintf(principal, sizeof(principal), "%s@X", account);
	if (roster_put(r, source, &p, &f) < 0)
		fail_msg("%s", f.text);
}

static struct roster *
some(void)
{
	struct fault f = { 0 };
	struct roster *r = roster_new(&f);

	assert_non_null(r);
	assert_int_equal(roster_source_add(r, "s", SUBJECT, "d", &f), 0);
	assert_int_equal(roster_source_add(r, "t", "", "d", &f), 1);
	put(r, 0, 1, "a", "/O=x/CN=a", "g");
	put(r, 0, 2, "b", NULL, "h");
	put(r, 1, 1, "c", "/O=x/CN=c", NULL);
	return r;
}

static int
remember(void *arg, const struct roster_person *p)
{
	*(uint32_t *)arg = p->id;
	return 1;
}

static void
people_are_found_by_name_and_group(void **state)
{
	OWN_STRUCT(roster) r = some();
	struct roster_person p;
	char name[ROSTER_NAME_SIZE];
	uint32_t id = 99;
	size_t at = 0;

	(void)state;
	assert_int_equal(roster_count(r), 3);
	assert_int_equal(roster_count_of(r, 0), 2);
	assert_true(roster_person(r, 0, &p));
	assert_string_equal(p.account, "a");
	assert_string_equal(roster_account_at(&p, 1), "second");
	assert_true(roster_name_next(r, &p, &at, name));
	assert_string_equal(name, "/DC=org/CN=a@X");
	assert_true(roster_name_next(r, &p, &at, name));
	assert_string_equal(name, "/O=x/CN=a");
	assert_false(roster_name_next(r, &p, &at, name));
	assert_true(roster_in(&p, roster_group_find(r, 0, "g")));
	assert_false(roster_in(&p, roster_group_find(r, 0, "h")));
	assert_false(roster_in(&p, roster_group_find(r, 1, "g")));
	assert_int_equal(roster_find_name(r, "/o=X/cn=C", remember, &id), 1);
	assert_int_equal(id, 2);
	assert_int_equal(roster_find_name(r, "/DC=org/CN=b@X", remember, &id),
	    1);
	assert_int_equal(id, 1);
	assert_int_equal(roster_find_name(r, "/O=x", remember, &id), 0);
}

static void
who_watches_is_told_once(void **state)
{
	OWN_STRUCT(roster) r = some();
	const uint8_t first[ROSTER_UUID] = { 1 };
	struct heard h = { 0 };
	struct fault f = { 0 };

	(void)state;
	roster_watch(r, watch, &h);
	put(r, 0, 1, "a", "/O=x/CN=other", "g");
	assert_int_equal(h.changed, 1);
	assert_int_equal(h.last, 0);
	assert_int_equal(roster_drop(r, 0, first, &f), 0);
	assert_int_equal(roster_drop(r, 0, first, &f), 0);
	assert_int_equal(h.gone, 1);
	put(r, 0, 1, "a", NULL, NULL);
	assert_int_equal(h.added, 1);
	/* Never two people's. */
	assert_int_equal(h.last, 3);
	assert_int_equal(roster_drop_source(r, 0, &f), 0);
	assert_int_equal(h.gone, 3);
	assert_int_equal(roster_count(r), 1);
}

static void
wrong_values_change_nothing(void **state)
{
	OWN_STRUCT(roster) r = some();
	const char *bad[] = { "a b" }, *name[] = { "/O=\n" };
	struct roster_put p = { .accounts = bad, .account_count = 1 };
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(roster_put(r, 0, &p, &f), -1);
	p = (struct roster_put){ .names = name, .name_count = 1 };
	assert_int_equal(roster_put(r, 0, &p, &f), -1);
	p = (struct roster_put){ .principal = "a b" };
	assert_int_equal(roster_put(r, 0, &p, &f), -1);
	assert_int_equal(f.code, FAULT_INPUT);
	assert_int_equal(roster_count(r), 3);
}

static void
a_draft_of(struct roster_draft *d, uint8_t number, const char *account)
{
	roster_draft_begin(d);
	d->source = 0;
	d->uuid[0] = number;
	buf_text(&d->where, "there");
	buf_put(&d->lists, account, strlen(account) + 1);
	d->accounts = 1;
}

/* Against a plain list: whatever is staged in whatever order. */
static void
a_stage_shows_all_or_nothing(void **state)
{
	struct roster_draft d = ROSTER_DRAFT;
	struct fault f = { 0 };
	OWN_STRUCT(roster) r = some();
	struct heard h = { 0 };
	const uint8_t first[ROSTER_UUID] = { 1 }, second[ROSTER_UUID] = { 2 };
	struct roster_stage *st = roster_stage_new(r, 0, true, &f);

	(void)state;
	roster_watch(r, watch, &h);
	a_draft_of(&d, 7, "new");
	assert_int_equal(roster_stage_put(st, &d, &f), 0);
	assert_int_equal(roster_stage_delete(st, first, &f), 0);
	roster_stage_free(st);
	assert_int_equal(h.added + h.changed + h.gone, 0);
	assert_int_equal(roster_count(r), 3);
	st = roster_stage_new(r, 0, true, &f);
	roster_stage_present(st, second);
	assert_int_equal(roster_stage_put(st, &d, &f), 0);
	a_draft_of(&d, 8, "gone again");
	assert_int_equal(roster_stage_put(st, &d, &f), 0);
	assert_int_equal(roster_stage_delete(st, d.uuid, &f), 0);
	assert_int_equal(roster_stage_only(st, &f), 0);
	/* It went, and came back in the delete phase's shadow. */
	a_draft_of(&d, 1, "back");
	assert_int_equal(roster_stage_put(st, &d, &f), 0);
	assert_int_equal(roster_stage_commit(st, &f), 0);
	assert_int_equal(h.added, 1);
	assert_int_equal(h.changed, 1);
	assert_int_equal(h.gone, 0);
	assert_int_equal(roster_count_of(r, 0), 3);
	assert_int_equal(roster_count_of(r, 1), 1);
	roster_stage_free(st);
	roster_draft_free(&d);
}

static void
a_stage_is_as_a_list(void **state)
{
	struct roster_draft d = ROSTER_DRAFT;
	struct fault f = { 0 };
	OWN_STRUCT(roster) r = roster_new(&f);
	bool there[256] = { false };
	unsigned seed = 7;

	(void)state;
	assert_int_equal(roster_source_add(r, "s", "", "", &f), 0);
	for (int round = 0; round < 200; round++) {
		OWN_STRUCT(roster_stage) st = roster_stage_new(r, 0, true, &f);
		bool full = round % 5 == 0, named[256] = { false };
		size_t count = 0;

		for (int i = 0; i < 60; i++) {
			uint8_t n =
			    (uint8_t)((seed = seed * 1103515245 + 12345) >> 16);

			a_draft_of(&d, n, round % 3 ? "a" : "b");
			if (seed & 0x4000) {
				assert_int_equal(roster_stage_put(st, &d, &f),
				    0);
				there[n] = named[n] = true;
			} else {
				assert_int_equal(roster_stage_delete(st, d.uuid,
						     &f),
				    0);
				there[n] = named[n] = false;
			}
		}
		if (full)
			assert_int_equal(roster_stage_only(st, &f), 0);
		assert_int_equal(roster_stage_commit(st, &f), 0);
		for (int n = 0; n < 256; n++) {
			const uint8_t uuid[ROSTER_UUID] = { (uint8_t)n };

			if (full)
				there[n] = there[n] && named[n];
			count += there[n];
			assert_int_equal(roster_table_find(&r->table, 0,
					     uuid) != ROSTER_NONE,
			    there[n]);
		}
		assert_int_equal(roster_count(r), count);
	}
	roster_draft_free(&d);
}

static int
compare_one(void *arg, const struct roster_person *p)
{
	struct roster_person other;

	assert_true(roster_person(arg, p->id, &other));
	assert_string_equal(p->account, other.account);
	assert_string_equal(p->principal, other.principal);
	assert_string_equal(p->where, other.where);
	assert_int_equal(p->name_count, other.name_count);
	assert_int_equal(p->group_count, other.group_count);
	return 0;
}

static void
what_is_saved_is_loaded(void **state)
{
	char path[] = "/tmp/roster_test.XXXXXX";
	int fd = mkstemp(path);
	OWN_STRUCT(roster) r = some();
	OWN_STRUCT(roster) again = NULL;
	struct fault f = { 0 };
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	r->sources[0].fresh = 12345;
	assert_int_equal(roster_cookie_set(&r->sources[0], "ldap://x",
			     "co\0kie", 6, &f),
	    0);
	assert_int_equal(roster_save(r, path, &f), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	again = roster_load(path, &f);
	assert_non_null(again);
	assert_int_equal(roster_count(again), 3);
	assert_int_equal(roster_each(r, compare_one, again), 0);
	assert_int_equal(roster_source_fresh(again, 0), 12345);
	assert_int_equal(roster_cookie_get(&again->sources[0], "ldap://x")->len,
	    6);
	assert_null(roster_cookie_get(&again->sources[0], "ldap://y"));
	/* Other settings: what was answered to these says nothing. */
	assert_int_equal(roster_source_add(again, "s", SUBJECT, "e", &f), 0);
	assert_null(roster_cookie_get(&again->sources[0], "ldap://x"));
	assert_int_equal(roster_count_of(again, 0), 2);
	(void)close(fd);
	(void)unlink(path);
}

static void
one_who_is_loaded_alone_is_joined_by_others(void **state)
{
	char path[] = "/tmp/roster_test.XXXXXX";
	int fd = mkstemp(path);
	struct fault f = { 0 };
	OWN_STRUCT(roster) r = roster_new(&f);
	OWN_STRUCT(roster) again = NULL;

	(void)state;
	assert_non_null(r);
	assert_int_equal(roster_source_add(r, "s", SUBJECT, "d", &f), 0);
	put(r, 0, 1, "a", "/O=x/CN=a", "g");
	assert_int_equal(roster_save(r, path, &f), 0);
	assert_non_null(again = roster_load(path, &f));
	/* Its tables have just the room that one takes. */
	for (uint8_t n = 2; n < 50; n++)
		put(again, 0, n, "b", NULL, "h");
	assert_int_equal(roster_count(again), 49);
	(void)close(fd);
	(void)unlink(path);
}

static void
a_state_that_is_cut_anywhere_is_none(void **state)
{
	char path[] = "/tmp/roster_test.XXXXXX";
	int fd = mkstemp(path), in;
	OWN_STRUCT(roster) r = some();
	struct fault f = { 0 };
	uint8_t whole[4096];
	ssize_t len;

	(void)state;
	assert_int_equal(roster_save(r, path, &f), 0);
	in = open(path, O_RDONLY | O_CLOEXEC);
	len = read(in, whole, sizeof(whole));
	assert_true(len > 100);
	for (ssize_t cut = 0; cut < len; cut++) {
		uint8_t *copy = malloc((size_t)cut + 1);

		assert_non_null(copy);
		memcpy(copy, whole, (size_t)cut);
		assert_null(roster_state_read((struct wire_bytes){ copy,
						  (size_t)cut },
		    false, &f));
		assert_null(roster_state_read((struct wire_bytes){ copy,
						  (size_t)cut },
		    true, &f));
		assert_int_equal(f.code, FAULT_INPUT);
		free(copy);
	}
	for (ssize_t at = 0; at < len; at++) {
		whole[at] ^= 0x21;
		assert_null(roster_state_read((struct wire_bytes){ whole,
						  (size_t)len },
		    false, &f));
		whole[at] ^= 0x21;
	}
	assert_null(roster_load("/nowhere/at/all", &f));
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(roster_save(r, "/nowhere/at/all", &f), -1);
	(void)close(in);
	(void)close(fd);
	(void)unlink(path);
}

static void
folds(const char *dn, const char *same)
{
	OWN_BUF(a, 4096);
	OWN_BUF(b, 4096);

	roster_dn_fold(dn, strlen(dn), &a);
	roster_dn_fold(same, strlen(same), &b);
	assert_string_equal(buf_cstr(&a), buf_cstr(&b));
}

static void
spellings_of_a_dn_are_one(void **state)
{
	OWN_BUF(a, 4096);
	OWN_BUF(b, 4096);

	(void)state;
	folds("cn=A,dc=B", "CN = a , DC=b");
	folds("cn=a\\2cb,dc=x", "cn=a\\,b,dc=x");
	folds("cn=a b,dc=x", "cn=a b, dc=x");
	folds("", "");
	roster_dn_fold("cn=a,dc=x", 9, &a);
	roster_dn_fold("cn=a\\,dc=x", 10, &b);
	assert_string_not_equal(buf_cstr(&a), buf_cstr(&b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(people_are_found_by_name_and_group),
		cmocka_unit_test(who_watches_is_told_once),
		cmocka_unit_test(wrong_values_change_nothing),
		cmocka_unit_test(a_stage_shows_all_or_nothing),
		cmocka_unit_test(a_stage_is_as_a_list),
		cmocka_unit_test(what_is_saved_is_loaded),
		cmocka_unit_test(one_who_is_loaded_alone_is_joined_by_others),
		cmocka_unit_test(a_state_that_is_cut_anywhere_is_none),
		cmocka_unit_test(spellings_of_a_dn_are_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
