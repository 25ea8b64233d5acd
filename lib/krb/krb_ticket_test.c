#include "krb/krb_ticket.h"

#include "base/fault.h"
#include "base/unit.h"

#include <krb5/krb5.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A cache made by hand, so that no KDC is needed: getting a ticket from a
 * real one is told in tests/stories/test_login_stock.py. */

static char dir[] = "/tmp/krb_ticket_test.XXXXXX";
static char cache[64];

static int
set_up(void **state)
{
	char conf[64];
	FILE *out;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(cache, sizeof(cache), "FILE:%s/cc", dir);
	snprintf(conf, sizeof(conf), "%s/krb5.conf", dir);
	if ((out = fopen(conf, "w")) == NULL)
		return -1;
	fputs("[libdefaults]\ndefault_realm = LIGO.TEST\n"
	      "dns_lookup_kdc = false\n[realms]\nLIGO.TEST = {\n"
	      "kdc = 127.0.0.1:9\n}\n",
	    out);
	fclose(out);
	return setenv("KRB5_CONFIG", conf, 1);
}

static int
tear_down(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/krb5.conf", dir);
	unlink(path);
	unlink(cache + strlen("FILE:"));
	return rmdir(dir);
}

/* A cache of alice's with one ticket for ${server} that ends at ${end}. */
static void
make_cache(const char *server, time_t end)
{
	krb5_context context;
	krb5_ccache cc;
	krb5_creds creds;
	krb5_principal client;

	assert_int_equal(krb5_init_context(&context), 0);
	assert_int_equal(krb5_parse_name(context, "alice", &client), 0);
	assert_int_equal(krb5_cc_resolve(context, cache, &cc), 0);
	assert_int_equal(krb5_cc_initialize(context, cc, client), 0);
	if (server != NULL) {
		memset(&creds, 0, sizeof(creds));
		creds.client = client;
		assert_int_equal(krb5_parse_name(context, server,
				     &creds.server),
		    0);
		creds.times.endtime = (krb5_timestamp)end;
		assert_int_equal(krb5_cc_store_cred(context, cc, &creds), 0);
		krb5_free_principal(context, creds.server);
	}
	krb5_cc_close(context, cc);
	krb5_free_principal(context, client);
	krb5_free_context(context);
}

static void
a_valid_ticket_is_found_with_its_owner_and_end(void **state)
{
	struct krb_ticket ticket;
	struct fault f;
	time_t end = time(NULL) + 3600;

	(void)state;
	make_cache("krbtgt/LIGO.TEST", end);
	assert_int_equal(krb_ticket_find(cache, &ticket, &f), 0);
	assert_string_equal(ticket.principal, "alice@LIGO.TEST");
	assert_int_equal(ticket.end, end);
}

static void
an_expired_ticket_is_told_from_none(void **state)
{
	struct krb_ticket ticket;
	struct fault f;

	(void)state;
	make_cache("krbtgt/LIGO.TEST", time(NULL) - 1);
	assert_int_equal(krb_ticket_find(cache, &ticket, &f), -1);
	assert_int_equal(f.code, FAULT_EXPIRED);
	make_cache("krbtgt/OTHER.TEST", time(NULL) + 3600);
	assert_int_equal(krb_ticket_find(cache, &ticket, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	make_cache("host/krbtgt", time(NULL) + 3600);
	assert_int_equal(krb_ticket_find(cache, &ticket, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	make_cache(NULL, 0);
	assert_int_equal(krb_ticket_find(cache, &ticket, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	assert_int_equal(krb_ticket_find("FILE:/nonexistent/cc", &ticket, &f),
	    -1);
	assert_int_equal(f.code, FAULT_ABSENT);
}

static void
a_name_gets_its_realm(void **state)
{
	char full[64];
	struct fault f;

	(void)state;
	assert_int_equal(krb_principal_full("alice", false, full, sizeof(full),
			     &f),
	    0);
	assert_string_equal(full, "alice@LIGO.TEST");
	assert_int_equal(krb_principal_full("alice@A.ORG", false, full,
			     sizeof(full), &f),
	    0);
	assert_string_equal(full, "alice@A.ORG");
	assert_int_equal(krb_principal_full("alice@A.ORG", true, full,
			     sizeof(full), &f),
	    0);
	assert_string_equal(full, "alice\\@A.ORG@LIGO.TEST");
	assert_int_equal(krb_principal_full("a@b@c", false, full, sizeof(full),
			     &f),
	    -1);
	assert_int_equal(f.code, FAULT_USAGE);
	assert_int_equal(krb_principal_full("", false, full, sizeof(full), &f),
	    -1);
	assert_int_equal(krb_principal_full("alice", false, full, 8, &f), -1);
}

static void
without_a_kdc_nobody_is_asked_for_a_password(void **state)
{
	struct krb_ticket_wish wish = { .principal = "alice", .cache = cache };
	struct krb_ticket ticket;
	struct fault f;

	(void)state;
	make_cache("krbtgt/LIGO.TEST", time(NULL) + 3600);
	assert_int_equal(krb_ticket_get(&wish, NULL, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_UNREACHABLE);
	assert_non_null(strstr(f.text, "alice@LIGO.TEST"));
	/* What was in the cache still is. */
	assert_int_equal(krb_ticket_find(cache, &ticket, &f), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_valid_ticket_is_found_with_its_owner_and_end),
		cmocka_unit_test(an_expired_ticket_is_told_from_none),
		cmocka_unit_test(a_name_gets_its_realm),
		cmocka_unit_test(without_a_kdc_nobody_is_asked_for_a_password),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
