#include "maprule/maprule_part.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"
#include "maprule/maprule_accounts.h"
#include "roster/roster.h"

#include <stdlib.h>
#include <string.h>

#define SLCS "/DC=org/DC=ligo/CN="
#define NOW 1795000000 /* 2026-11-18 */
#define RULES                                                                \
	"source ligo ldap\n\tserver ldaps://a\n\tbase dc=x\n\tsubject " SLCS \
	"{principal}\n"                                                      \
	"source old file /old\n"                                             \
	"service ftp\n\tfile /ftp\n"                                         \
	"service ssh\n\tfile /ssh\n\thosts *.cit\n\taccounts all\n"

static const char passwd[] =
    "root:x:0:0:::\ntoor:x:0:0:::\nscott:x:1001:1:::\nanna:x:1002:1:::\n"
    "bob:x:1003:1:::\nligo:x:2000:1:::\nlow:x:99:1:::\nskoranda:x:1004:1:::"
    "\n";

struct scene {
	struct maprule *rules;
	struct roster *roster;
	struct maprule_accounts *accounts;
	struct maprule_part *part;
	uint32_t ligo, old;
	struct buf heard;
	struct fault f;
};

static uint32_t
source(struct scene *s, const char *name, const char *subject)
{
	uint32_t id = roster_source_add(s->roster, name, subject, "", &s->f);

	if (id == ROSTER_NONE)
		fail_msg("%s", s->f.text);
	return id;
}

static int
setup(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return -1;
	s->heard = BUF(1 << 20);
	s->roster = roster_new(&s->f);
	s->accounts = maprule_accounts_read(passwd, strlen(passwd), &s->f);
	if (s->roster == NULL || s->accounts == NULL)
		return -1;
	s->ligo = source(s, "ligo", SLCS "{principal}");
	s->old = source(s, "old", "");
	*state = s;
	return 0;
}

static int
teardown(void **state)
{
	struct scene *s = *state;

	maprule_part_free(s->part);
	maprule_free(s->rules);
	maprule_accounts_free(s->accounts);
	roster_free(s->roster);
	buf_free(&s->heard);
	free(s);
	return 0;
}

/* A person of the directory: ${groups} and ${names} with ';' between. */
static size_t
split(char *text, const char *words[8])
{
	size_t n = 0;
	char *rest = text;

	while (*rest != '\0' && n < 8) {
		words[n++] = rest;
		rest += strcspn(rest, ";");
		if (*rest != '\0')
			*rest++ = '\0';
	}
	return n;
}

static void
put(struct scene *s, uint32_t from, const char *principal, const char *account,
    const char *groups, const char *names)
{
	char g[512], n[1024], a[256], where[64];
	const char *group[8], *name[8], *accounts[8];
	struct roster_put p = { .principal = principal,
		.groups = group,
		.names = name,
		.accounts = accounts,
		.where = where };

	if (text_copy(g, sizeof(g), groups) < 0 ||
	    text_copy(n, sizeof(n), names) < 0 ||
	    text_copy(a, sizeof(a), account) < 0 ||
	    text_fmt(where, sizeof(where), "entry-%s",
		*principal != '\0' ? principal : names) < 0)
		fail_msg("too long");
	p.group_count = split(g, group);
	p.name_count = split(n, name);
	p.account_count = split(a, accounts);
	(void)memcpy(p.uuid, where + 6,
	    strlen(where + 6) < 16 ? strlen(where + 6) : 16);
	if (roster_put(s->roster, from, &p, &s->f) < 0)
		fail_msg("%s", s->f.text);
}

static int
hear_line(void *arg, const struct maprule_line *line)
{
	buf_fmt(arg, "%s=%s(%s) ", line->name, line->accounts, line->rule);
	return 0;
}

static void
hear_gone(void *arg, const char *name)
{
	buf_fmt(arg, "%s gone ", name);
}

static void
hear_conflict(void *arg, const struct maprule_conflict *c)
{
	buf_fmt(arg, "[%s not %s] ", c->won->entry, c->other->entry);
}

static void
hear_loss(void *arg, enum maprule_loss loss, const struct maprule_line *line,
    const char *account)
{
	(void)line;
	buf_fmt(arg, "{%s %s} ", account, maprule_loss_text(loss));
}

static struct maprule_hear
hear_to(struct scene *s)
{
	return (struct maprule_hear){ hear_line, hear_gone, hear_conflict,
		hear_loss, &s->heard };
}

static void
make_part(struct scene *s, const char *rules, const char *service,
    const char *host)
{
	const char *const names[] = { host },
			  *const addresses[] = { "10.1.2.3" };
	const struct maprule_host h = { { 1, names }, { 1, addresses } };
	OWN_BUF(text, 65536);

	buf_text(&text, RULES);
	buf_text(&text, rules);
	maprule_part_free(s->part);
	maprule_free(s->rules);
	s->part = NULL;
	s->rules = maprule_read("r", (const char *)text.data, text.len, &s->f);
	if (s->rules != NULL)
		s->part = maprule_for(s->rules, s->roster, &h, service,
		    s->accounts, NOW, &s->f);
	if (s->part == NULL)
		fail_msg("%s", s->f.text);
}

static const char *
built(struct scene *s, const char *rules, const char *service, const char *host)
{
	const struct maprule_hear hear = hear_to(s);

	make_part(s, rules, service, host);
	buf_clear(&s->heard);
	if (maprule_build(s->part, &hear, NULL, &s->f) < 0)
		fail_msg("%s", s->f.text);
	return s->heard.len == 0 ? "" : buf_cstr(&s->heard);
}

#define EVERYBODY "map all\n"

static void
a_person_has_the_subject_and_the_names_of_his_entry(void **state)
{
	struct scene *s = *state;

	put(s, s->ligo, "scott@X", "scott", "", "/O=G/CN=Scott;/O=H/CN=S");
	assert_string_equal(built(s, EVERYBODY, "ftp", "a.cit"),
	    SLCS "scott@X=scott(all) /O=G/CN=Scott=scott(all) "
		 "/O=H/CN=S=scott(all) ");
}

static void
groups_in_the_order_of_the_rules(void **state)
{
	static const char rules[] =
	    "map admins\n\tgroups Admins\n\taccount group ligo\n"
	    "map users\n\tgroups Users Others\n\tnot-groups Gone\n";
	struct scene *s = *state;

	put(s, s->ligo, "scott@X", "scott", "Users;Admins", "");
	put(s, s->ligo, "anna@X", "anna", "Others", "");
	put(s, s->ligo, "bob@X", "bob", "Users;Gone", "");
	assert_string_equal(built(s, rules, "ftp", "a.cit"),
	    SLCS "scott@X=ligo(admins) " SLCS "anna@X=anna(users) ");
	/* And where all accounts count, those of the later rules behind. */
	assert_string_equal(built(s, rules, "ssh", "a.cit"),
	    SLCS "scott@X=ligo,scott(admins) " SLCS "anna@X=anna(users) ");
}

static void
hosts_services_people_and_names_choose(void **state)
{
	struct scene *s = *state;

	put(s, s->ligo, "scott@X", "scott", "", "/O=G/CN=S");
	put(s, s->ligo, "anna@X", "anna", "", "");
	assert_string_equal(built(s, "map a\n\thosts *.uwm\n", "ftp", "a.cit"),
	    "");
	assert_string_equal(built(s,
				"map a\n\thosts 10.1.0.0/16\n\tpeople "
				"ANNA@x\n",
				"ftp", "a.cit"),
	    SLCS "anna@X=anna(a) ");
	assert_string_equal(built(s, "map a\n\tservices ssh\n", "ftp", "a.cit"),
	    "");
	assert_string_equal(built(s, "map a\n\tnames /o=g/*\n", "ftp", "a.cit"),
	    "/O=G/CN=S=scott(a) ");
	assert_string_equal(built(s, "map a\n\tnot-names *cn=s*\n", "ftp",
				"a.cit"),
	    SLCS "anna@X=anna(a) ");
}

static void
accounts_are_checked(void **state)
{
	static const char pool[] = "map a\n\taccount pool grid\n\taccount "
				   "personal\n";
	struct scene *s = *state;

	put(s, s->ligo, "a@X", "root", "", "");
	put(s, s->ligo, "b@X", "toor", "", "");
	put(s, s->ligo, "c@X", "low", "", "");
	put(s, s->ligo, "d@X", "absent", "", "");
	put(s, s->ligo, "e@X", "scott", "", "");
	put(s, s->ligo, "f@X", "00", "", "");
	assert_string_equal(built(s, EVERYBODY, "ftp", "a.cit"),
	    "{root nobody is mapped to root} "
	    "{toor nobody is mapped to root} "
	    "{low its uid is outside the service's range} "
	    "{absent there is no such account here} " SLCS "e@X=scott(all) "
	    "{00 nobody is mapped to root} ");
	assert_non_null(strstr(built(s, pool, "ftp", "a.cit"),
	    SLCS "e@X=.grid,scott(a) "));
}

static void
splices_stand_before_or_behind(void **state)
{
	struct scene *s = *state;

	put(s, s->ligo, "scott@X", "scott", "", "/O=G/CN=S");
	put(s, s->old, "", "skoranda;bob", "", "/O=G/CN=s");
	put(s, s->old, "", ".pool", "", "/O=G/CN=P");
	assert_string_equal(built(s, EVERYBODY "splice o\n\tfrom old\n", "ftp",
				"a.cit"),
	    SLCS "scott@X=scott(all) "
		 "[entry-scott@X not entry-/O=G/CN=s] "
		 "/O=G/CN=S=scott(all) /O=G/CN=P=.pool(o) ");
	assert_string_equal(built(s,
				EVERYBODY "splice o\n\tfrom old\n"
					  "\tpriority before\n",
				"ftp", "a.cit"),
	    SLCS "scott@X=scott(all) "
		 "[entry-/O=G/CN=s not entry-scott@X] "
		 "/O=G/CN=S=skoranda,bob(o) /O=G/CN=P=.pool(o) ");
	assert_string_equal(built(s,
				EVERYBODY "splice o\n\tfrom old\n"
					  "\tpriority before\n",
				"ssh", "a.cit"),
	    SLCS "scott@X=scott(all) /O=G/CN=S=skoranda,bob,scott(o) "
		 "/O=G/CN=P=.pool(o) ");
	/* Retired: the last day of the splice is over. */
	assert_string_equal(built(s,
				EVERYBODY "splice o\n\tfrom old\n"
					  "\tuntil 2026-01-01\n",
				"ftp", "a.cit"),
	    SLCS "scott@X=scott(all) /O=G/CN=S=scott(all) ");
}

static void
nobody_takes_a_subject_by_listing_it(void **state)
{
	struct scene *s = *state;

	put(s, s->ligo, "anna@X", "anna", "", SLCS "scott@X");
	put(s, s->ligo, "scott@X", "scott", "", "");
	assert_string_equal(built(s, EVERYBODY, "ftp", "a.cit"),
	    SLCS "anna@X=anna(all) "
		 "[entry-scott@X not entry-anna@X] " SLCS
		 "scott@X=scott(all) ");
	/* Whoever came first. */
	put(s, s->ligo, "bob@X", "bob", "", SLCS "Zed@X");
	put(s, s->ligo, "Zed@X", "absent", "", "");
	assert_null(strstr(built(s, EVERYBODY, "ftp", "a.cit"), "Zed@X=bob"));
}

static void
who_is_banned_has_nothing_by_any_name(void **state)
{
	static const struct {
		const char *ban, *left;
	} cases[] = {
		{ "ban person SCOTT@x\n", "/O=H/CN=A=anna(all) " },
		{ "ban person scott\n", "/O=H/CN=A=anna(all) " },
		{ "ban group Users\n", "/O=H/CN=A=anna(all) " },
		{ "ban account scott\n", "/O=H/CN=A=anna(all) " },
		{ "ban dn /o=g/cn=host/s\n",
		    SLCS "scott@X=scott(all) /O=H/CN=A=anna(all) "
			 "/O=H/CN=O=scott(o) " },
		{ "ban ca /O=h\n",
		    SLCS "scott@X=scott(all) "
			 "/O=G/CN=host\\/S=scott(all) " },
		{ "ban ca /O=\n",
		    SLCS "scott@X=scott(all) "
			 "/O=G/CN=host\\/S=scott(all) "
			 "/O=H/CN=A=anna(all) "
			 "/O=H/CN=O=scott(o) " },
		{ "ban pattern /o=?/*\n", SLCS "scott@X=scott(all) " },
		{ "ban person scott@X until 2026-11-01\n",
		    SLCS "scott@X=scott(all) /O=G/CN=host\\/S=scott(all) "
			 "/O=H/CN=A=anna(all) /O=H/CN=O=scott(o) " },
	};
	struct scene *s = *state;
	char *brace;

	put(s, s->ligo, "scott@X", "scott", "Users", "/O=G/CN=host/S");
	put(s, s->ligo, "", "anna", "", "/O=H/CN=A");
	put(s, s->old, "", "scott", "", "/O=H/CN=O");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		OWN_BUF(rules, 4096);
		OWN(char) heard = NULL;

		buf_text(&rules, EVERYBODY "splice o\n\tfrom old\n");
		buf_text(&rules, cases[i].ban);
		heard = strdup(built(s, buf_cstr(&rules), "ftp", "a.cit"));
		assert_non_null(heard);
		/* What is said of accounts that are banned is not compared. */
		while ((brace = strchr(heard, '{')) != NULL) {
			char *end = strstr(brace, "} ");

			memmove(brace, end + 2, strlen(end + 2) + 1);
		}
		if (strcmp(heard, cases[i].left) != 0)
			fail_msg("%s: %s", cases[i].ban, heard);
	}
}

static void
the_part_says_when_it_ends(void **state)
{
	struct scene *s = *state;

	make_part(s, EVERYBODY, "ftp", "a.cit");
	assert_int_equal(maprule_part_until(s->part), 0);
	make_part(s,
	    EVERYBODY "\tuntil 2027-01-01\nban dn /O=x until "
		      "2026-12-01T00:00:00Z\nban dn /O=y until "
		      "2026-01-01\n",
	    "ftp", "a.cit");
	assert_int_equal(maprule_part_until(s->part), 1796083200);
}

static void
a_host_without_the_service_has_no_part(void **state)
{
	struct scene *s = *state;
	const char *const names[] = { "a.uwm" };
	const struct maprule_host h = { { 1, names }, { 0 } };
	struct fault f = { 0 };

	make_part(s, EVERYBODY, "ssh", "a.cit");
	assert_null(maprule_for(s->rules, s->roster, &h, "ssh", s->accounts,
	    NOW, &f));
	assert_int_equal(f.code, FAULT_ABSENT);
}

static void
watch(void *arg, const struct roster_person *before,
    const struct roster_person *after)
{
	struct scene *s = arg;
	const struct maprule_hear hear = hear_to(s);
	int result = maprule_change(s->part, before, after, &hear, &s->f);

	if (result < 0)
		fail_msg("%s", s->f.text);
	if (result > 0)
		buf_text(&s->heard, "anew ");
}

static const char *
changed(struct scene *s)
{
	return s->heard.len == 0 ? "" : buf_cstr(&s->heard);
}

static void
a_change_says_what_each_name_is_now(void **state)
{
	struct scene *s = *state;

	put(s, s->ligo, "scott@X", "scott", "Users", "/O=G/CN=S");
	put(s, s->ligo, "anna@X", "anna", "Users", "/O=G/CN=S");
	(void)built(s, "map users\n\tgroups Users New\n", "ftp", "a.cit");
	roster_watch(s->roster, watch, s);

	/* The better claim goes, and the other one holds. */
	buf_clear(&s->heard);
	put(s, s->ligo, "anna@X", "anna", "Users", "/O=G/CN=T");
	assert_string_equal(changed(s),
	    SLCS "anna@X=anna(users) /O=G/CN=S=scott(users) "
		 "/O=G/CN=T=anna(users) ");
	/* Leaves the group. */
	buf_clear(&s->heard);
	put(s, s->ligo, "anna@X", "anna", "", "/O=G/CN=T");
	assert_string_equal(changed(s), SLCS "anna@X gone /O=G/CN=T gone ");
	/* A group that nobody was in before. */
	buf_clear(&s->heard);
	put(s, s->ligo, "anna@X", "anna", "New", "");
	assert_string_equal(changed(s),
	    SLCS "anna@X=anna(users) /O=G/CN=T gone ");
	/* New, and gone. */
	buf_clear(&s->heard);
	put(s, s->ligo, "bob@X", "bob", "Users", "");
	assert_string_equal(changed(s), SLCS "bob@X=bob(users) ");
	buf_clear(&s->heard);
	assert_int_equal(roster_drop(s->roster, s->ligo,
			     (const uint8_t *)"bob@X\0\0\0\0\0\0\0\0\0\0\0",
			     &s->f),
	    0);
	assert_string_equal(changed(s), SLCS "bob@X gone ");
}

static void
a_change_of_somebody_banned_asks_for_all_anew(void **state)
{
	struct scene *s = *state;

	put(s, s->ligo, "scott@X", "scott", "", "");
	(void)built(s, EVERYBODY "ban person scott@X\n", "ftp", "a.cit");
	roster_watch(s->roster, watch, s);
	buf_clear(&s->heard);
	put(s, s->ligo, "scott@X", "skoranda", "", "");
	assert_string_equal(changed(s), "anew ");
}

/* Whatever is changed one by one is what a build from the beginning says. */
static void
changes_come_to_what_a_build_does(void **state)
{
	static const char rules[] =
	    "map a\n\tgroups A\n\taccount group ligo\nmap b\n\tgroups B C\n"
	    "splice o\n\tfrom old\n\tpriority before\n";
	static const char *const groups[] = { "", "A", "B", "C", "A;B" };
	static const char *const names[] = { "", "/O=G/CN=1", "/O=G/CN=2",
		"/O=G/CN=1;/O=g/CN=1", "/O=G/CN=2;" SLCS "p1@X" };
	static const char *const accounts[] = { "scott", "anna", "root" };
	const struct maprule_hear nothing = { 0 };
	struct scene *s = *state;
	uint32_t r = 12345;

	make_part(s, rules, "ftp", "a.cit");
	assert_int_equal(maprule_build(s->part, &nothing, NULL, &s->f), 0);
	roster_watch(s->roster, watch, s);
	for (int i = 0; i < 400; i++) {
		char principal[16], name[64];
		OWN_BUF(one, 65536);
		OWN_BUF(other, 65536);
		struct maprule_part *kept;
		struct maprule_hear hear = {
			.line = hear_line, .gone = hear_gone, .arg = &one
		};

		r = r * 1103515245 + 12345;
		(void)snprintf(principal, sizeof(principal), "p%u@X",
		    r >> 16 & 3);
		put(s, (r >> 18 & 7) == 0 ? s->old : s->ligo,
		    (r >> 18 & 7) == 0 ? "" : principal,
		    accounts[(r >> 21) % 3],
		    (r >> 18 & 7) == 0 ? "" : groups[(r >> 23) % 5],
		    (r >> 18 & 7) == 0 ? "/O=G/CN=1" : names[(r >> 26) % 5]);
		(void)snprintf(name, sizeof(name), "/O=G/CN=%u",
		    1 + (r >> 10 & 1));
		assert_int_equal(maprule_name(s->part, name, &hear, &s->f), 0);
		kept = s->part;
		s->part = NULL;
		{
			const char *const h[] = { "a.cit" };
			const struct maprule_host host = { { 1, h }, { 0 } };
			struct maprule_part *fresh = maprule_for(s->rules,
			    s->roster, &host, "ftp", s->accounts, NOW, &s->f);

			assert_non_null(fresh);
			hear.arg = &other;
			assert_int_equal(maprule_name(fresh, name, &hear,
					     &s->f),
			    0);
			maprule_part_free(fresh);
		}
		s->part = kept;
		assert_string_equal(buf_cstr(&one), buf_cstr(&other));
	}
}

static void
hear_step(void *arg, const struct maprule_step *step)
{
	buf_fmt(arg, "%s%d %s: %s\n", step->decides ? "*" : "", step->line,
	    step->what, step->text);
}

static void
why_names_what_was_considered_and_what_decided(void **state)
{
	static const char rules[] =
	    "map far\n\thosts *.uwm\nmap admins\n\tgroups Admins\n"
	    "map users\n\tgroups Users\nban dn /O=Z/CN=z because bad\n"
	    "ban account low until 2026-01-01\n";
	struct scene *s = *state;
	const char *const names[] = { "a.cit" };
	const struct maprule_host h = { { 1, names }, { 0 } };

	put(s, s->ligo, "scott@X", "scott", "Users", "/O=Z/CN=z");
	make_part(s, rules, "ftp", "a.cit");
	buf_clear(&s->heard);
	assert_int_equal(maprule_why(s->rules, s->roster, &h, "ftp",
			     s->accounts, NOW, SLCS "scott@X", hear_step,
			     &s->heard, &s->f),
	    1);
	assert_string_equal(buf_cstr(&s->heard),
	    "6 service ftp: its file here is /ftp\n"
	    "18 ban dn /O=Z/CN=z: not this name\n"
	    "19 ban account low: is over since 2026-01-02T00:00:00Z\n"
	    "0 entry entry-scott@X: of source ligo, principal scott@X: the "
	    "name is made of the principal\n"
	    "12 map far: is not for this host\n"
	    "14 map admins: entry-scott@X: in none of its groups: \"Admins\"\n"
	    "*16 map users: entry-scott@X: in group Users; account scott\n"
	    "0 " SLCS "scott@X: mapped to scott by rule users, from "
	    "entry-scott@X of source ligo\n");
	buf_clear(&s->heard);
	assert_int_equal(maprule_why(s->rules, s->roster, &h, "ftp",
			     s->accounts, NOW, "/o=z/cn=Z", hear_step,
			     &s->heard, &s->f),
	    0);
	assert_non_null(strstr(buf_cstr(&s->heard),
	    "*18 ban dn /O=Z/CN=z: the name is under it: bad\n"));
	buf_clear(&s->heard);
	assert_int_equal(maprule_why(s->rules, s->roster, &h, "ftp",
			     s->accounts, NOW, "/O=none", hear_step, &s->heard,
			     &s->f),
	    0);
	assert_non_null(strstr(buf_cstr(&s->heard),
	    "*0 /O=none: not mapped: nobody in the roster has it\n"));
}

#define SCENE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		SCENE(a_person_has_the_subject_and_the_names_of_his_entry),
		SCENE(groups_in_the_order_of_the_rules),
		SCENE(hosts_services_people_and_names_choose),
		SCENE(accounts_are_checked),
		SCENE(splices_stand_before_or_behind),
		SCENE(nobody_takes_a_subject_by_listing_it),
		SCENE(who_is_banned_has_nothing_by_any_name),
		SCENE(the_part_says_when_it_ends),
		SCENE(a_host_without_the_service_has_no_part),
		SCENE(a_change_says_what_each_name_is_now),
		SCENE(a_change_of_somebody_banned_asks_for_all_anew),
		SCENE(changes_come_to_what_a_build_does),
		SCENE(why_names_what_was_considered_and_what_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
