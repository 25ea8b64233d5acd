#include "signetd/keeper/renewal.h"

#include "base/clock.h"
#include "signetd/keeper/keeper_probe.h"

#define ANN "/DC=org/O=Ex/OU=People/CN=ann@EX.ORG"
#define JOANN "/DC=org/O=Ex/OU=People/CN=ann@EX.ORG.UK"
#define NOW 1790000000
#define HOLD 6

static char dir[] = "/tmp/renewal_test.XXXXXX";
static char path[64];

static int
set_up(void **state)
{
	struct fault f = { 0 };

	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/ledger.db", dir);
	*state = ledger_open(path, NULL, &f);
	return *state == NULL ? -1 : 0;
}

static int
tear_down(void **state)
{
	static const char *const ends[] = { "", "-wal", "-shm", ".lock" };
	char name[80];

	ledger_free(*state);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		snprintf(name, sizeof(name), "%s%s", path, ends[i]);
		(void)unlink(name);
	}
	return rmdir(dir);
}

/* Issue one for ${subject} that ends at ${not_after}, and revoke it. */
static struct wire_bytes
issue_and_revoke(struct ledger *l, const char *subject, time_t not_after,
    int reason, uint8_t serial[20])
{
	const struct ledger_intent intent = { .ca = "slcs",
		.ref = "ref",
		.peer = "peer",
		.username = "ann",
		.principal = "ann@EX.ORG",
		.method = "passwd",
		.subject = subject,
		.profile = "slcs-user",
		.not_before = NOW - 100,
		.not_after = not_after };
	const struct ledger_numbering numbering = { .random = true };
	struct wire_bytes number = { serial, 0 };
	struct fault f = { 0 };
	OWN_BUF(der, 256);

	assert_int_equal(ledger_begin(l, &f), 0);
	assert_int_equal(ledger_reserve(l, &intent, &numbering, serial,
			     &number.len, NULL, &f),
	    0);
	keeper_put_der(&der, number);
	assert_int_equal(ledger_commit(l, "slcs", number,
			     (struct wire_bytes){ der.data, der.len }, &f),
	    0);
	assert_int_equal(ledger_revoke(l, "slcs", number, reason, "root", NOW,
			     &f),
	    0);
	assert_int_equal(ledger_end(l, &f), 0);
	return number;
}

static int
try(struct ledger *l, const char *subject, const char *method)
{
	const struct ledger_intent intent = { .subject = subject,
		.method = method };
	struct fault f = { 0 };
	int result = renewal_allowed(l, &intent, NOW, &f);

	if (result < 0)
		assert_int_equal(f.code, FAULT_DENIED);
	return result;
}

static void
who_has_nothing_revoked_renews(void **state)
{
	uint8_t serial[20];

	assert_int_equal(try(*state, ANN, "certificate"), 0);
	/* What has ended proves nothing anyway. */
	issue_and_revoke(*state, ANN, NOW - 1, 1, serial);
	/* A name that holds hers is another's. */
	issue_and_revoke(*state, JOANN, NOW + 1, 1, serial);
	assert_int_equal(try(*state, ANN, "certificate"), 0);
	assert_int_equal(try(*state, JOANN, "certificate"), -1);
}

static void
what_is_held_renews_again_when_it_is_released(void **state)
{
	struct fault f = { 0 };
	uint8_t serial[20];
	struct wire_bytes number =
	    issue_and_revoke(*state, ANN, NOW + 1, HOLD, serial);

	assert_int_equal(try(*state, ANN, "certificate"), -1);
	assert_int_equal(ledger_begin(*state, &f), 0);
	assert_int_equal(ledger_release(*state, "slcs", number, "root", &f), 0);
	assert_int_equal(ledger_end(*state, &f), 0);
	assert_int_equal(try(*state, ANN, "certificate"), 0);
}

static void
a_revoked_certificate_stops_renewal_and_nothing_else(void **state)
{
	uint8_t serial[20];

	issue_and_revoke(*state, ANN, NOW, 1, serial);
	assert_int_equal(try(*state, ANN, "certificate"), -1);
	assert_int_equal(try(*state, ANN, "certificate-sha1"), -1);
	assert_int_equal(try(*state, ANN, "passwd"), 0);
	assert_int_equal(try(*state, ANN, "kerberos"), 0);
}

/* A login, or a renewal of ${login}, at the moment that the clock has; its
 * serial goes to ${hex}. */
static uint64_t
issue(struct ledger *l, uint64_t login, char hex[41])
{
	const struct ledger_intent intent = { .ca = "slcs",
		.ref = "ref",
		.peer = "peer",
		.username = "bea",
		.principal = "bea@EX.ORG",
		.method = login == 0 ? "passwd" : "certificate",
		.subject = "/DC=org/O=Ex/OU=People/CN=bea@EX.ORG",
		.profile = "slcs-user",
		.not_before = NOW - 100,
		.not_after = NOW + 100,
		.login = login };
	const struct ledger_numbering numbering = { .random = true };
	uint8_t serial[20];
	size_t len;
	struct fault f = { 0 };

	assert_int_equal(ledger_begin(l, &f), 0);
	assert_int_equal(ledger_reserve(l, &intent, &numbering, serial, &len,
			     NULL, &f),
	    0);
	assert_int_equal(ledger_end(l, &f), 0);
	text_hex(serial, len, hex);
	return ledger_entries(l);
}

static int
renew(struct ledger *l, const char *ca, const char *serial, int64_t limit,
    int64_t later, uint64_t *login)
{
	const struct renewal shown = { ca, serial, limit };
	struct ledger_intent intent = { .method = "certificate-sha1" };
	struct fault f = { 0 };
	int result =
	    renewal_login(l, &intent, &shown, clock_wall() + later, &f);

	if (result < 0)
		assert_int_equal(f.code, FAULT_DENIED);
	*login = intent.login;
	return result;
}

static void
what_is_renewed_names_the_login_it_comes_from(void **state)
{
	uint64_t first, second, login;
	char hex[41], again[41];

	first = issue(*state, 0, hex);
	assert_int_equal(renew(*state, "slcs", hex, 60, 0, &login), 0);
	assert_int_equal(login, first);
	second = issue(*state, login, again);
	assert_true(second > first);
	/* Not the renewal: the login at the beginning. */
	assert_int_equal(renew(*state, "slcs", again, 60, 0, &login), 0);
	assert_int_equal(login, first);
}

static void
renewal_ends_with_the_limit(void **state)
{
	uint64_t first, login;
	char hex[41], again[41];

	first = issue(*state, 0, hex);
	(void)issue(*state, first, again);
	assert_int_equal(renew(*state, "slcs", again, 3600, 3590, &login), 0);
	assert_int_equal(renew(*state, "slcs", hex, 3600, 3660, &login), -1);
	assert_int_equal(renew(*state, "slcs", again, 3600, 3660, &login), -1);
	assert_int_equal(renew(*state, "slcs", again, 0, 3660, &login), 0);
	assert_int_equal(login, first);
}

static void
what_is_not_in_the_book_renews_nothing_if_there_is_a_limit(void **state)
{
	uint64_t login;
	char hex[41];

	(void)issue(*state, 0, hex);
	assert_int_equal(renew(*state, "slcs", "0102", 60, 0, &login), -1);
	assert_int_equal(renew(*state, NULL, hex, 60, 0, &login), -1);
	assert_int_equal(renew(*state, "other", hex, 60, 0, &login), -1);
	assert_int_equal(renew(*state, NULL, hex, 0, 0, &login), 0);
	assert_int_equal(login, 0);
}

static void
who_proves_himself_otherwise_has_no_limit(void **state)
{
	const struct renewal shown = { NULL, "", 1 };
	struct ledger_intent intent = { .method = "kerberos" };
	struct fault f = { 0 };

	assert_int_equal(renewal_login(*state, &intent, &shown, NOW, &f), 0);
	assert_int_equal(intent.login, 0);
}

static void
a_renewal_of_no_login_is_found_by_the_check(void **state)
{
	uint64_t entries, first;
	char head[65], hex[41];
	struct fault f = { 0 };

	first = issue(*state, 0, hex);
	(void)issue(*state, first, hex);
	if (ledger_check(*state, head, &entries, &f) < 0)
		fail_msg("%s", f.text);
	/* Itself a renewal. */
	(void)issue(*state, first + 1, hex);
	assert_int_equal(ledger_check(*state, head, &entries, &f), -1);
	assert_non_null(strstr(f.text, "renews what was no login"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_has_nothing_revoked_renews),
		cmocka_unit_test(what_is_held_renews_again_when_it_is_released),
		cmocka_unit_test(
		    a_revoked_certificate_stops_renewal_and_nothing_else),
		cmocka_unit_test(what_is_renewed_names_the_login_it_comes_from),
		cmocka_unit_test(renewal_ends_with_the_limit),
		cmocka_unit_test(
		    what_is_not_in_the_book_renews_nothing_if_there_is_a_limit),
		cmocka_unit_test(who_proves_himself_otherwise_has_no_limit),
		cmocka_unit_test(a_renewal_of_no_login_is_found_by_the_check),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
