#include "signetd/parent/reload.h"

#include "base/fault.h"
#include "base/log.h"
#include "base/unit.h"
#include "signetd/parent/crew.h"

#include <stdlib.h>
#include <string.h>

/* What is read anew, played. */
static struct {
	const char *text;
	bool token;
	const char *broken; /* why it cannot be read */
	unsigned told;
} disk;

int
gather_read(struct gather *g, const char *conf_path, struct fault *f)
{
	assert_string_equal(conf_path, "the settings");
	memset(g, 0, sizeof(*g));
	g->token[0] = disk.token;
	if (disk.broken != NULL)
		return fault_set(f, FAULT_CONFIG, "%s", disk.broken);
	return conf_read(&signetd_schema, &g->conf, disk.text,
	    strlen(disk.text), f);
}

void
gather_forget_once(struct gather *g)
{
	(void)g;
}

void
gather_clear(struct gather *g)
{
	g->count = 0;
}

void
crew_reload(struct daemon *d)
{
	(void)d;
	disk.told++;
}

static void
settings_that_walls_are_built_around_are_fixed(void **state)
{
	static const struct {
		const char *line;
		const char *fixed; /* NULL: it may change */
	} changes[] = {
		{ "pin-from terminal\n", NULL },
		{ "token-timeout 20\n", NULL },
		{ "token-hook /x\n", NULL },
		{ "crl-hook /x\n", NULL },
		{ "hook-timeout 5\n", NULL },
		{ "user-hook mail\n", NULL },
		{ "issue-from myproxy\n", NULL },
		{ "max-connections 5\n", NULL },
		{ "user-token x\n", "user-token" },
		{ "user-intake x\n", "user-intake" },
		{ "token-preset pcsc\n", "token-preset" },
		{ "token-path /x\n", "token-path" },
		{ "issue-socket /x\n", "issue-socket" },
		{ "issue-directory /x\n", "issue-directory" },
		{ "ledger /x/y\n", "ledger" },
		{ "listen 1\n", "listen" },
		{ "ca /x\n", "ca" },
		{ "logins no\n", "logins" },
		{ "auth-timeout 5\n", "auth-timeout" },
		{ "pam-workers 5\n", "a number of workers" },
	};
	struct signetd_conf *a = calloc(1, sizeof(*a));
	struct signetd_conf *b = calloc(1, sizeof(*b));
	struct fault f = { 0 };

	(void)state;
	assert_non_null(a);
	assert_non_null(b);
	assert_int_equal(conf_read(&signetd_schema, a, "", 0, &f), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const char *line = changes[i].line;

		memset(b, 0, sizeof(*b));
		assert_int_equal(conf_read(&signetd_schema, b, line,
				     strlen(line), &f),
		    0);
		if (changes[i].fixed == NULL)
			assert_null(reload_fixed(a, b));
		else
			assert_string_equal(reload_fixed(a, b),
			    changes[i].fixed);
	}
	free(a);
	free(b);
}

static struct daemon *
new_daemon(void)
{
	static const struct daemon_wish wish = { .conf_path = "the settings" };
	struct daemon *d = calloc(1, sizeof(*d));
	struct fault f = { 0 };

	assert_non_null(d);
	memset(&disk, 0, sizeof(disk));
	disk.text = "";
	d->wish = &wish;
	assert_non_null(d->gather = calloc(1, sizeof(*d->gather)));
	assert_int_equal(gather_read(d->gather, wish.conf_path, &f), 0);
	d->generation = 1;
	d->started = true;
	return d;
}

static void
free_daemon(struct daemon *d)
{
	free(d->gather);
	free(d);
}

static void
what_is_new_is_told_to_all(void **state)
{
	struct daemon *d = new_daemon();

	(void)state;
	disk.text = "hook-timeout 5\n";
	reload_all(d);
	assert_int_equal(disk.told, 1);
	assert_int_equal(d->generation, 2);
	assert_int_equal(d->gather->conf.hook_timeout, 5);
	free_daemon(d);
}

static void
what_is_wrong_or_fixed_changes_nothing(void **state)
{
	struct daemon *d = new_daemon();

	(void)state;
	disk.broken = "line 7";
	reload_all(d);
	disk.broken = NULL;
	disk.text = "hook-timeout 5\nuser-token other\n";
	reload_all(d);
	disk.text = "hook-timeout 5\n";
	disk.token = true; /* the key has gone into a token */
	reload_all(d);
	assert_int_equal(disk.told, 0);
	assert_int_equal(d->generation, 1);
	assert_int_equal(d->gather->conf.hook_timeout, 60);
	free_daemon(d);
}

static void
a_daemon_that_starts_or_ends_is_not_reloaded(void **state)
{
	struct daemon *d = new_daemon();

	(void)state;
	d->started = false;
	reload_all(d);
	d->started = true;
	d->draining = true;
	reload_all(d);
	d->draining = false;
	d->ending = true;
	reload_all(d);
	assert_int_equal(disk.told, 0);
	free_daemon(d);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    settings_that_walls_are_built_around_are_fixed),
		cmocka_unit_test(what_is_new_is_told_to_all),
		cmocka_unit_test(what_is_wrong_or_fixed_changes_nothing),
		cmocka_unit_test(a_daemon_that_starts_or_ends_is_not_reloaded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
