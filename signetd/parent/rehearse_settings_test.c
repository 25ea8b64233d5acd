#include "base/buf.h"
#include "base/fault.h"
#include "base/unit.h"
#include "signetd/parent/rehearse.h"

#include <stdlib.h>
#include <string.h>

/* One more line in the settings of a small site. */
static int
judge(const char *line, struct fault *f)
{
	static const char *const site[] = { "realm LIGO.ORG\n",
		"ledger /var/l/ledger.db\n", "user-front 61301\n",
		"user-auth 61302\n", "user-issuer 61304\n",
		"user-signer 61305\n", "user-keeper 61306\n" };
	struct signetd_conf *conf = calloc(1, sizeof(*conf));
	OWN_BUF(text, 1024);
	int result;

	assert_non_null(conf);
	buf_text(&text, line);
	/* A keyword may stand once. */
	for (size_t i = 0; i < sizeof(site) / sizeof(site[0]); i++)
		if (strncmp(site[i], line, strcspn(site[i], " ")) != 0)
			buf_text(&text, site[i]);
	assert_false(text.failed);
	if (conf_read(&signetd_schema, conf, (const char *)text.data, text.len,
		f) < 0)
		fail_msg("%s", f->text);
	result = rehearse_settings(conf, f);
	free(conf);
	return result;
}

static void
sound_settings_are_taken(void **state)
{
	static const char *const good[] = { "", "listen 7512\n",
		"listen 127.0.0.1:0\n", "listen [::1]:7512\n",
		"listen slcs.example.org:7512\n",
		"map-realm OLD.ORG LIGO.ORG\n", "key-passphrase fd:3\n",
		"key-passphrase credential:ca-phrase\n",
		"ledger /srv/ledger/l.db\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct fault f = { 0 };

		if (judge(good[i], &f) < 0)
			fail_msg("%s: %s", good[i], f.text);
	}
}

static void
settings_that_make_no_sense_are_named(void **state)
{
	static const char *const bad[] = { "listen 127.0.0.1\n",
		"listen [::1]\n", "listen host:99999\n", "listen :\n",
		"listen host:\n", "realm A@B\n", "realm A B\n", "realm A/B\n",
		"map-realm OLD.ORG\n", "map-realm OLD.ORG A B\n",
		"map-realm OLD.ORG A/B\n", "key-passphrase fd:-1\n",
		"key-passphrase fd:x\n", "key-passphrase credential:../x\n",
		"key-passphrase credential:\n", "key-passphrase secret\n",
		"ledger ledger.db\n", "ledger /ledger.db\n",
		"ledger /srv/ledger/\n", "pam-service ../login\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };
		size_t keyword = strcspn(bad[i], " ");

		if (judge(bad[i], &f) == 0)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(f.code, FAULT_CONFIG);
		assert_memory_equal(f.text, bad[i], keyword);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sound_settings_are_taken),
		cmocka_unit_test(settings_that_make_no_sense_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
