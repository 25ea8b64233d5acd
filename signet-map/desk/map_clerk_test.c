#include "map_clerk.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "map/map_book.h"

#include <jansson.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANN "/DC=org/OU=People/CN=ann"
#define CA "/DC=org/CN=CA"

struct place {
	char dir[64];
	char log[96];
	struct map_conf conf;
	char account[256]; /* of somebody who is not root */
	uid_t uid;
};

/* Any account of this host will do, but root's. */
static int
find_account(struct place *p)
{
	const struct passwd *pw;

	setpwent();
	while ((pw = getpwent()) != NULL)
		if (pw->pw_uid > 0 && pw->pw_uid < 65534 &&
		    map_request_account_good(pw->pw_name)) {
			p->uid = pw->pw_uid;
			return text_copy(p->account, sizeof(p->account),
			    pw->pw_name);
		}
	endpwent();
	return -1;
}

static int
setup(void **state)
{
	static const char text[] = "request-uid 1\n"
				   "request-rate 4\nrequest-waiting 2\n"
				   "request-accept ca " CA "\n"
				   "request-accept name /DC=org/OU=People\n";
	static struct place p;
	struct fault f = { 0 };

	memset(&p, 0, sizeof(p));
	if (text_copy(p.dir, sizeof(p.dir), "/tmp/map_clerk.XXXXXX") < 0 ||
	    mkdtemp(p.dir) == NULL ||
	    text_fmt(p.log, sizeof(p.log), "%s/requests.log", p.dir) < 0 ||
	    conf_read(&map_conf_schema, &p.conf, text, sizeof(text) - 1, &f) <
		0 ||
	    text_copy(p.conf.state, sizeof(p.conf.state), p.dir) < 0)
		return -1;
	*state = &p;
	return find_account(&p);
}

static int
teardown(void **state)
{
	struct place *p = *state;

	(void)unlink(p->log);
	return rmdir(p->dir);
}

static struct clerk_asker
person(const struct place *p)
{
	struct clerk_asker who = { .uid = p->uid };

	assert_int_equal(text_copy(who.account, sizeof(who.account),
			     p->account),
	    0);
	return who;
}

static const char *
add(struct clerk *c, const struct clerk_asker *who, const char *name,
    const char *ca, struct clerk_outcome *out)
{
	const struct clerk_wish wish = { .account = who->account,
		.name = name,
		.ca = ca,
		.proof = "certificate 01",
		.reason = "" };
	struct fault f = { 0 };

	if (clerk_add(c, who, &wish, 1795000000, out, &f) < 0)
		return fault_name(f.code);
	return out->state;
}

static void
rules_decide_what_waits(void **state)
{
	static const struct {
		const char *name, *ca, *state;
	} cases[] = {
		{ "/DC=org/OU=People/CN=a", "/CN=other", "added" },
		{ "/dc=ORG/ou=people/CN=b", "/CN=other", "added" },
		{ "/O=x/CN=c", CA, "added" },
		{ "/O=x/CN=c", "/CN=other", "added" }, /* it is already */
		{ "/DC=org/OU=PeopleX/CN=d", "/CN=other", "waiting" },
		{ "/DC=org/OU=People\\/x/CN=e", "/CN=other", "waiting" },
		{ "/DC=org/OU=People\\/x/CN=e", "/CN=other", "waiting" },
		{ "/O=x/CN=f", "/CN=other", "DENIED" }, /* two wait */
	};
	struct place *p = *state;
	struct fault f = { 0 };
	OWN_STRUCT(clerk) c = clerk_new(&p->conf, &f);
	struct clerk_asker who = person(p);
	struct clerk_outcome out;

	assert_non_null(c);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(add(c, &who, cases[i].name, cases[i].ca,
					&out),
		    cases[i].state);
}

static void
decide(struct clerk *c, const struct clerk_asker *who, const char *id,
    enum map_say_verb verb, const char *wanted)
{
	struct map_ask ask = { .verb = verb };
	struct clerk_outcome out;
	struct fault f = { 0 };

	assert_int_equal(text_copy(ask.request, sizeof(ask.request), id), 0);
	if (clerk_decide(c, who, &ask, 1795000001, &out, &f) < 0)
		out.state = fault_name(f.code);
	assert_string_equal(out.state, wanted);
}

static void
what_was_decided_is_known_after_a_restart(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	struct clerk *c = clerk_new(&p->conf, &f);
	struct clerk_asker who = person(p), boss = { .uid = 0, .admin = true };
	struct clerk_outcome one, two;
	struct map_ask gone = { .verb = MAP_SAY_REMOVE };
	json_t *shown;

	assert_non_null(c);
	(void)unlink(p->log);
	clerk_free(c);
	assert_non_null(c = clerk_new(&p->conf, &f));
	assert_string_equal(add(c, &who, "/O=x/CN=a", "", &one), "waiting");
	assert_string_equal(add(c, &who, "/O=x/CN=b", "", &two), "waiting");
	decide(c, &who, one.id, MAP_SAY_APPROVE, "DENIED");
	decide(c, &boss, one.id, MAP_SAY_APPROVE, "added");
	decide(c, &boss, one.id, MAP_SAY_REFUSE, "DENIED");
	decide(c, &boss, two.id, MAP_SAY_REFUSE, "refused");
	decide(c, &boss, "0000000000000000", MAP_SAY_REFUSE, "ABSENT");
	clerk_free(c);
	assert_non_null(c = clerk_new(&p->conf, &f));
	assert_string_equal(add(c, &who, "/O=X/CN=A", "", &two), "added");
	assert_string_equal(two.id, one.id);
	assert_int_equal(text_copy(gone.name, sizeof(gone.name), "/O=x/CN=a"),
	    0);
	assert_int_equal(clerk_remove(c, &who, &gone, 1795000002, &two, &f), 0);
	assert_int_equal(clerk_remove(c, &who, &gone, 1795000002, &two, &f),
	    -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_non_null(shown = clerk_show(c, &who, one.id, &f));
	assert_string_equal(json_string_value(json_object_get(shown, "state")),
	    "removed");
	json_decref(shown);
	clerk_free(c);
}

static void
accounts_are_ones_own_and_never_the_systems(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	OWN_STRUCT(clerk) c = clerk_new(&p->conf, &f);
	struct clerk_asker who = person(p), boss = { .uid = 0, .admin = true };
	struct clerk_asker nobody = { .uid = 4000000000u };
	char account[MAP_REQUEST_ACCOUNT_SIZE];

	assert_non_null(c);
	assert_int_equal(clerk_account(c, &who, "", account, &f), 0);
	assert_string_equal(account, p->account);
	assert_int_equal(clerk_account(c, &who, "root", account, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(clerk_account(c, &boss, "root", account, &f), -1);
	assert_int_equal(clerk_account(c, &boss, "", account, &f), -1);
	assert_int_equal(clerk_account(c, &boss, p->account, account, &f), 0);
	assert_int_equal(clerk_account(c, &boss, "no-such-one", account, &f),
	    -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(clerk_account(c, &nobody, "", account, &f), -1);
	p->conf.request_uid = (int64_t)p->uid + 1;
	assert_int_equal(clerk_account(c, &who, "", account, &f), -1);
	assert_int_equal(clerk_account(c, &boss, p->account, account, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	p->conf.request_uid = 1;
}

static void
who_asks_too_often_is_slowed(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	OWN_STRUCT(clerk) c = clerk_new(&p->conf, &f);
	struct clerk_asker who = person(p), other = { .uid = 77777 };

	assert_non_null(c);
	for (int i = 0; i < 4; i++)
		assert_int_equal(clerk_count(c, &who, 1000, &f), 0);
	assert_int_equal(clerk_count(c, &who, 3600000, &f), -1);
	assert_int_equal(f.code, FAULT_SLOWED);
	assert_int_equal(clerk_count(c, &other, 3600000, &f), 0);
	assert_int_equal(clerk_count(c, &who, 3601000, &f), 0);
}

/* Another name that is the same to the Toolkit is not put before somebody
 * else's by a rule alone. */
static void
a_name_spelt_otherwise_waits(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	struct clerk *c;
	struct clerk_asker who = person(p), boss = { .uid = 0, .admin = true };
	struct clerk_wish old = { .account = "other",
		.name = "/DC=org/OU=People/CN=Ann",
		.ca = "",
		.proof = "",
		.reason = "known" };
	struct clerk_outcome out;

	(void)unlink(p->log);
	assert_non_null(c = clerk_new(&p->conf, &f));
	assert_int_equal(clerk_add(c, &boss, &old, 1795000000, &out, &f), 0);
	assert_string_equal(add(c, &who, "/DC=org/OU=People/CN=ANN", CA, &out),
	    "waiting");
	assert_string_equal(add(c, &who, "/DC=org/OU=People/CN=Ann", CA, &out),
	    "added");
	clerk_free(c);
}

/* Who asked had the account; it is another's when it is approved. */
static void
an_account_that_is_anothers_now_is_not_given(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	struct clerk *c;
	struct clerk_asker who = person(p), boss = { .uid = 0, .admin = true };
	struct clerk_asker before = who;
	struct clerk_outcome mine, his;

	before.uid = who.uid + 4000000;
	(void)unlink(p->log);
	assert_non_null(c = clerk_new(&p->conf, &f));
	assert_string_equal(add(c, &before, "/O=x/CN=his", "", &his),
	    "waiting");
	assert_string_equal(add(c, &who, "/O=x/CN=mine", "", &mine), "waiting");
	decide(c, &boss, his.id, MAP_SAY_APPROVE, "DENIED");
	decide(c, &boss, mine.id, MAP_SAY_APPROVE, "added");
	decide(c, &boss, his.id, MAP_SAY_REFUSE, "refused");
	clerk_free(c);
}

static void
write_many(const char *path, const char *name, int count)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_book) book = map_book_open(path, &f);
	char account[16];
	struct map_request r = { .verb = MAP_REQUEST_ADD,
		.when = 1795000000,
		.id = "0123456789abcdef",
		.account = account,
		.name = name,
		.by = "0 root",
		.reason = "many" };
	struct map_book_entry e;

	assert_non_null(book);
	for (int i = 0; i < count; i++) {
		assert_int_equal(text_fmt(account, sizeof(account), "a%d", i),
		    0);
		map_request_entry(&r, &e);
		assert_int_equal(map_book_add(book, &e, &f), 0);
	}
	assert_int_equal(map_book_sync(book, &f), 0);
}

/* What would be too much is not written, or the log could not be read again. */
static void
a_name_on_too_many_accounts_is_not_written(void **state)
{
	struct place *p = *state;
	struct fault f = { 0 };
	struct clerk *c;
	struct clerk_asker boss = { .uid = 0, .admin = true };
	struct clerk_outcome out;
	struct clerk_wish wish = { .account = "onemore",
		.name = "/O=x/CN=robot",
		.ca = "",
		.proof = "",
		.reason = "many" };

	(void)unlink(p->log);
	assert_non_null(c = clerk_new(&p->conf, &f));
	clerk_free(c);
	write_many(p->log, wish.name, 1024);
	assert_non_null(c = clerk_new(&p->conf, &f));
	assert_int_equal(clerk_add(c, &boss, &wish, 1795000000, &out, &f), -1);
	clerk_free(c);
	assert_non_null(c = clerk_new(&p->conf, &f));
	clerk_free(c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_decide_what_waits),
		cmocka_unit_test(what_was_decided_is_known_after_a_restart),
		cmocka_unit_test(accounts_are_ones_own_and_never_the_systems),
		cmocka_unit_test(who_asks_too_often_is_slowed),
		cmocka_unit_test(a_name_spelt_otherwise_waits),
		cmocka_unit_test(an_account_that_is_anothers_now_is_not_given),
		cmocka_unit_test(a_name_on_too_many_accounts_is_not_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
