#include "maprule/maprule.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SOURCE                                                        \
	"source ligo ldap\n\tserver ldaps://a.example\n\tbase dc=x\n" \
	"source static file /s\n"
#define SERVICE "service gridftp\n\tfile /g\n"

static struct maprule *
read_text(const char *text)
{
	struct fault f = { 0 };
	struct maprule *r = maprule_read("r", text, strlen(text), &f);

	if (r == NULL)
		fail_msg("%s", f.text);
	return r;
}

static const char all[] =
    "# people\n" SOURCE "service gridftp\n"
    "\tfile /etc/grid-security/grid-mapfile\n"
    "\tformat gct lcmaps\n"
    "\taccounts all\n"
    "\tuid 500-60000\n"
    "\texist no\n"
    "\tshrink-limit 5%\n"
    "service gsissh\n\tfile /h # another\n"
    "map cit-users\n"
    "\thosts ldas-*.ligo.caltech.edu 131.215.0.0/16\n"
    "\thosts !ldas-x.ligo.caltech.edu\n"
    "\tservices gridftp gsi*\n"
    "\tfrom ligo\n"
    "\tgroups \"Services:LDG:All Users\" Communities:LVC\n"
    "\taccount personal\n"
    "\taccount group ligo\n"
    "\taccount pool grid\n"
    "splice old\n\tfrom static\n\tpriority before\n\tuntil 2027-01-31\n"
    "ban person scott@LIGO.ORG until 2026-12-01T10:00:00Z because \"lost "
    "\\\"it\\\"\"\n"
    "bans /etc/signet/map.bans\n";

static void
all_of_it_is_understood(void **state)
{
	struct maprule *r = read_text(all);
	const struct maprule_rule *splice = maprule_rule(r, 0);
	const struct maprule_rule *map = maprule_rule(r, 1);
	const struct maprule_ban *ban = maprule_ban(r, 0);

	(void)state;
	assert_int_equal(maprule_source_count(r), 2);
	assert_string_equal(maprule_source(r, 0)->kind, "ldap");
	assert_int_equal(maprule_rule_count(r), 2);
	assert_true(splice->splice && splice->before);
	assert_int_equal(splice->until, 1801440000); /* 2027-02-01 */
	assert_string_equal(map->label, "cit-users");
	assert_int_equal(map->hosts.count, 3);
	assert_int_equal(map->groups.count, 2);
	assert_string_equal(map->groups.word[0], "Services:LDG:All Users");
	assert_int_equal(map->accounts.count, 3);
	assert_string_equal(map->accounts.word[0], "personal");
	assert_string_equal(map->accounts.word[1], "=ligo");
	assert_string_equal(map->accounts.word[2], ".grid");
	assert_int_equal(ban->kind, MAPRULE_BAN_PERSON);
	assert_string_equal(ban->because, "lost \"it\"");
	assert_int_equal(ban->until, 1796119200);
	assert_int_equal(ban->line, 28);
	assert_int_equal(maprule_bans_paths(r).count, 1);
	maprule_free(r);
}

static int
keep_service(void *arg, const struct maprule_service *s)
{
	const struct maprule_service **kept = arg;

	*kept = s;
	return 1;
}

static void
a_service_has_what_it_says_and_safe_defaults(void **state)
{
	struct maprule *r = read_text(all);
	const struct maprule_service *s = NULL;
	const struct maprule_host host = { 0 };

	(void)state;
	assert_int_equal(maprule_services(r, &host, keep_service, &s), 1);
	assert_string_equal(s->file, "/etc/grid-security/grid-mapfile");
	assert_int_equal(s->format.count, 2);
	assert_int_equal(s->accounts, MAPRULE_ACCOUNTS_ALL);
	assert_int_equal(s->uid_least, 500);
	assert_int_equal(s->uid_most, 60000);
	assert_false(s->exist);
	assert_int_equal(s->shrink_limit, 5);
	maprule_free(r);

	r = read_text(SERVICE);
	assert_int_equal(maprule_services(r, &host, keep_service, &s), 1);
	assert_int_equal(s->uid_least, 1000);
	assert_true(s->exist);
	assert_int_equal(s->format.count, 3);
	assert_int_equal(s->shrink_limit, 20);
	maprule_free(r);
}

static void
what_is_dumped_reads_back_the_same(void **state)
{
	struct maprule *r = read_text(all);
	OWN_BUF(once, 65536);
	OWN_BUF(twice, 65536);

	(void)state;
	maprule_dump(r, &once);
	maprule_free(r);
	r = read_text(buf_cstr(&once));
	maprule_dump(r, &twice);
	maprule_free(r);
	assert_string_equal(buf_cstr(&once), buf_cstr(&twice));
}

static void
every_mistake_is_refused_where_it_is(void **state)
{
	static const struct {
		const char *text;
		const char *fault;
	} wrong[] = {
		{ "sorce x ldap\n",
		    "r:1: unknown keyword \"sorce\"; did you "
		    "mean \"source\"?" },
		{ "file /x\n", "r:1: \"file\" is a setting" },
		{ "\tfile /x\n", "r:1: a setting before the first block" },
		{ "service\n", "r:1: too few words" },
		{ "service a b\n", "r:1: too many words" },
		{ "service gridftp\n", "r:1: service gridftp does not say" },
		{ "service a\n\tfle /x\n",
		    "r:2: service: unknown setting "
		    "\"fle\"; did you mean \"file\"?" },
		{ "service a\n\tfile x\n", "a path begins with /" },
		{ "service a\n\tfile /x\n\tfile /y\n",
		    "r:3: file is given "
		    "twice" },
		{ "service a\n\tfile /x\n\tuid 0-10\n",
		    "nobody is mapped to "
		    "uid 0" },
		{ "service a\n\tfile /x\n\tuid 20-10\n", "uids are written" },
		{ "service a\n\tfile /x\n\tmode 0666\n", "written or run" },
		{ "service a\n\tfile /x\n\texist maybe\n", "yes or no" },
		{ "service a\n\tfile /x\n\tformat gtc\n",
		    "did you mean "
		    "\"gct\"?" },
		{ "service a\n\tfile /x\n\tshrink-limit 20\n", "20%" },
		{ "service a\n\tfile /x\n\thosts 10.1.0.0/8\n", "bits set" },
		{ "service a\n\tfile /x\n\thosts 10.0.0.0/33\n", "0 to 32" },
		{ "service a\n\tfile /x\n\thosts 1.2.3\n", "no address" },
		{ "service a\n\tfile /x\n\thosts a..b\n", "no host name" },
		{ "service a/b\n\tfile /x\n", "other characters" },
		{ "source a ldap\n", "needs a server" },
		{ "source a ldpa\n", "did you mean \"ldap\"?" },
		{ "source a file\n", "of which file?" },
		{ "source a file x\n", "a path begins with /" },
		{ "source a file /x\nsource a file /y\n",
		    "r:2: source a is "
		    "there already" },
		{ "source a file /x\n\tbase dc=x\n", "no setting of a source" },
		{ SOURCE "map a\n\tfrom lgo\n",
		    "r:5: from: unknown source "
		    "\"lgo\"; did you mean "
		    "\"ligo\"?" },
		{ SOURCE "splice a\n\tfrom ligo\n", "source ligo is no file" },
		{ SOURCE "splice a\n", "does not say from which" },
		{ SOURCE "map a\n\tpriority before\n", "unknown setting" },
		{ SOURCE SERVICE "map a\n\tservices gridfpt\n",
		    "did you mean \"gridftp\"?" },
		{ "map a\n\taccount group root\n",
		    "nobody is mapped to "
		    "root" },
		{ "map a\n\taccount group\n", "needs a name" },
		{ "map a\n\taccount personal x\n", "has no name" },
		{ "map a\n\taccount group a,b\n", "no account" },
		{ "map a\n\tnames CN=x\n", "begins with / or *" },
		{ "map a\nmap a\n", "r:2: a rule a is there already" },
		{ "map a\n\tuntil 2026-02-30\n", "a time is a day" },
		{ "ban preson x\n", "did you mean \"person\"?" },
		{ "ban person\n", "too few words" },
		{ "ban dn CN=x\n", "a name begins like" },
		{ "ban ca /DC=org/\n", "without a slash" },
		{ "ban person x until\n", "nothing after until" },
		{ "ban person x untli 2026-01-01\n", "did you mean" },
		{ "ban person x because a because b\n", "given twice" },
		{ "ban person \"x\n", "no closing quote" },
		{ "ban person a\"b\"\n", "a quote within a word" },
		{ "ban person \"\"\n", "an empty word" },
		{ "ban person \"a\"b\n", "no blank after" },
		{ "ban person a\x01\n", "control character" },
		{ "ban person \xff\n", "no UTF-8" },
		{ "bans x\n", "a path begins with /" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct fault f = { 0 };
		struct maprule *r =
		    maprule_read("r", wrong[i].text, strlen(wrong[i].text), &f);

		if (r != NULL)
			fail_msg("taken: %s", wrong[i].text);
		if (f.code != FAULT_CONFIG ||
		    strstr(f.text, wrong[i].fault) == NULL)
			fail_msg("%s\n%s\nnot: %s", wrong[i].text, f.text,
			    wrong[i].fault);
	}
}

static void
bans_of_a_file_stand_beside_the_others(void **state)
{
	static const char bans[] = "# late\n\tdn /O=G/CN=x\naccount joe "
				   "until 2026-12-31\n";
	struct maprule *r = read_text("ban ca /O=G\n");
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(maprule_bans_read(r, "b", bans, strlen(bans), &f), 0);
	assert_int_equal(maprule_ban_count(r), 3);
	assert_string_equal(maprule_ban(r, 1)->what, "/O=G/CN=x");
	assert_string_equal(maprule_ban(r, 1)->path, "b");
	assert_int_equal(maprule_ban(r, 2)->line, 3);
	assert_int_equal(maprule_bans_read(r, "b", "who x\n", 6, &f), -1);
	assert_non_null(strstr(f.text, "b:1: "));
	maprule_free(r);
}

static void
a_bans_file_may_be_missing_but_not_wrong(void **state)
{
	char dir[] = "/tmp/maprule.XXXXXX";
	char rules[64], bans[64], text[128];
	struct fault f = { 0 };
	struct maprule *r;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(text_fmt(rules, sizeof(rules), "%s/r", dir), 0);
	assert_int_equal(text_fmt(bans, sizeof(bans), "%s/b", dir), 0);
	assert_int_equal(text_fmt(text, sizeof(text), "bans %s\n", bans), 0);
	assert_int_equal(file_write(rules, 0600, text, strlen(text), &f), 0);

	assert_non_null(r = maprule_open(rules, &f));
	assert_int_equal(maprule_ban_count(r), 0);
	maprule_free(r);
	assert_int_equal(file_write(bans, 0600, "dn /O=x\n", 8, &f), 0);
	assert_non_null(r = maprule_open(rules, &f));
	assert_int_equal(maprule_ban_count(r), 1);
	maprule_free(r);
	assert_int_equal(file_write(bans, 0600, "dn\n", 3, &f), 0);
	assert_null(maprule_open(rules, &f));
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(unlink(rules) + unlink(bans) + rmdir(dir), 0);
}

/* The manual names every block and setting, by making it of the same table. */
static void
the_manual_has_every_word(void **state)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(out);
	maprule_man(out);
	assert_int_equal(fclose(out), 0);
#define BLOCK(name, keyword, words, least, most, doc) \
	assert_non_null(strstr(text, ".It Ic " keyword " "));
#define SETTING(block, keyword, words, least, most, times, doc) \
	assert_non_null(strstr(text, ".It Ic " keyword " "));
#include "maprule/maprule_setting.def"
#undef SETTING
#undef BLOCK
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_understood),
		cmocka_unit_test(a_service_has_what_it_says_and_safe_defaults),
		cmocka_unit_test(what_is_dumped_reads_back_the_same),
		cmocka_unit_test(every_mistake_is_refused_where_it_is),
		cmocka_unit_test(bans_of_a_file_stand_beside_the_others),
		cmocka_unit_test(a_bans_file_may_be_missing_but_not_wrong),
		cmocka_unit_test(the_manual_has_every_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
