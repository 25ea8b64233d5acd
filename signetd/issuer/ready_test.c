#include "signetd/issuer/ready.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct authority *
a_ca(const char *name, const char *key, const char *module)
{
	struct authority *a = calloc(1, sizeof(*a));

	assert_non_null(a);
	if (text_copy(a->conf.name, sizeof(a->conf.name), name) < 0 ||
	    text_copy(a->conf.key, sizeof(a->conf.key), key) < 0 ||
	    text_copy(a->conf.key_module, sizeof(a->conf.key_module), module) <
		0)
		fail();
	return a;
}

static void
hear(struct ready *r, const char *ca, bool ready)
{
	struct msg_ca_ready m = { .ready = ready };

	assert_int_equal(text_copy(m.ca, sizeof(m.ca), ca), 0);
	ready_hear(r, &m);
}

static bool
can(const struct ready *r, const struct authority *a)
{
	struct fault f = { 0 };
	const bool can = ready_check(r, a, &f) == 0;

	assert_int_equal(f.code, can ? FAULT_NONE : FAULT_SUSPENDED);
	return can;
}

static void
a_key_in_a_token_waits_for_word(void **state)
{
	struct ready r = { 0 };
	struct authority *file = a_ca("file", "ca.key", "");
	struct authority *token = a_ca("token", "pkcs11:token=a", "");
	struct authority *slot = a_ca("slot", "0:45", "/usr/lib/x.so");

	(void)state;
	assert_true(can(&r, file));
	assert_false(can(&r, token));
	assert_false(can(&r, slot));
	hear(&r, "token", true);
	assert_true(can(&r, token));
	assert_false(can(&r, slot));
	hear(&r, "slot", true);
	hear(&r, "token", false);
	assert_false(can(&r, token));
	assert_true(can(&r, slot));
	assert_true(can(&r, file));
	free(file);
	free(token);
	free(slot);
}

static void
no_more_are_remembered_than_there_can_be(void **state)
{
	struct ready r = { 0 };
	char name[16];

	(void)state;
	for (int i = 0; i < CONF_LIST_MAX + 3; i++) {
		(void)snprintf(name, sizeof(name), "ca%d", i);
		hear(&r, name, true);
	}
	assert_int_equal(r.count, CONF_LIST_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_in_a_token_waits_for_word),
		cmocka_unit_test(no_more_are_remembered_than_there_can_be),
	};

	return cmocka_run_group_tests_name("issuer/ready", tests, NULL, NULL);
}
