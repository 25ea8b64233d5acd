#include "x509/crl.h"

#include "x509/mint_probe.h"
#include "x509/own_ssl.h"

static const struct crl_entry some[] = {
	{ { 0x7f, 0xff, 0xff }, 3, 1, MINT_NOW - 100 },
	{ { 0x05 }, 1, 0, MINT_NOW - 200 },
	{ { 0x80 }, 1, 4, MINT_NOW - 300 },
};

struct signed_crl {
	struct made ca;
	struct authority *a;
	struct made list;
};

static void
make_crl(struct signed_crl *s, size_t count)
{
	struct crl_entry entries[3];
	struct fault f = { 0 };

	memcpy(entries, some, sizeof(some));
	s->ca =
	    probe_make("root", "ec:P-256", PROBE_ROOT, NULL, NULL, NULL, NULL);
	s->a = probe_authority(&s->ca, PROBE_ROOT_CONF);
	s->list = (struct made){ NULL, BUF(CERT_MAX), BUF(CERT_MAX) };
	assert_int_equal(crl_tbs(s->a, entries, count, 7, MINT_NOW,
			     &s->list.tbs, &f),
	    0);
	if (tbs_check_crl((struct wire_bytes){ s->list.tbs.data,
			      s->list.tbs.len },
		s->a, MINT_NOW, &f) < 0)
		fail_msg("%s", f.text);
	probe_sign(&s->list, NULL, s->ca.key);
}

static void
free_crl(struct signed_crl *s)
{
	authority_clear(s->a);
	free(s->a);
	made_free(&s->ca);
	made_free(&s->list);
}

static struct wire_bytes
der_of(const struct signed_crl *s)
{
	return (struct wire_bytes){ s->list.der.data, s->list.der.len };
}

static void
what_is_written_is_read_back(void **state)
{
	struct signed_crl s;
	struct crl_entry entry;
	struct crl crl;
	struct fault f = { 0 };

	(void)state;
	make_crl(&s, 3);
	assert_int_equal(crl_read(&crl, der_of(&s), &f), 0);
	assert_int_equal(crl.number, 7);
	assert_int_equal(crl.this_update, MINT_NOW - 300);
	assert_int_equal(crl.next_update, MINT_NOW + 30 * 86400);
	assert_memory_equal(crl.authority_id.data, s.a->key_id, KEY_ID_SIZE);
	assert_int_equal(crl_check_signature(&crl, s.a->cert, &f), 0);
	for (size_t i = 0; i < 3; i++) {
		struct wire_bytes serial = { some[i].serial,
			some[i].serial_len };

		assert_int_equal(crl_find(&crl, serial, &entry), 1);
		assert_int_equal(entry.reason, some[i].reason);
		assert_int_equal(entry.when, some[i].when);
	}
	assert_int_equal(crl_find(&crl,
			     (struct wire_bytes){ (const uint8_t *)"\x06", 1 },
			     &entry),
	    0);
	free_crl(&s);
}

static void
openssl_reads_the_same_list(void **state)
{
	struct signed_crl s;
	const uint8_t *at;
	X509_CRL *crl;

	(void)state;
	make_crl(&s, 3);
	at = s.list.der.data;
	crl = d2i_X509_CRL(NULL, &at, (long)s.list.der.len);
	assert_non_null(crl);
	assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(crl)), 3);
	at = s.ca.der.data;
	OWN(X509) ca = d2i_X509(NULL, &at, (long)s.ca.der.len);
	assert_int_equal(X509_CRL_verify(crl, X509_get0_pubkey(ca)), 1);
	X509_CRL_free(crl);
	free_crl(&s);
}

static void
an_empty_list_leaves_the_field_out(void **state)
{
	struct signed_crl s;
	struct crl crl;
	struct crl_entry entry;
	struct fault f = { 0 };

	(void)state;
	make_crl(&s, 0);
	assert_int_equal(crl_read(&crl, der_of(&s), &f), 0);
	assert_int_equal(crl.revoked.len, 0);
	assert_int_equal(crl_find(&crl,
			     (struct wire_bytes){ (const uint8_t *)"\x05", 1 },
			     &entry),
	    0);
	free_crl(&s);
}

static void
every_changed_byte_breaks_the_list_or_its_signature(void **state)
{
	struct signed_crl s;
	struct crl crl;
	struct fault f = { 0 };

	(void)state;
	make_crl(&s, 3);
	for (size_t i = 0; i < s.list.der.len; i++) {
		s.list.der.data[i] ^= 1;
		if (crl_read(&crl, der_of(&s), &f) == 0)
			assert_int_equal(crl_check_signature(&crl, s.a->cert,
					     &f),
			    -1);
		s.list.der.data[i] ^= 1;
	}
	free_crl(&s);
}

static void
every_cut_is_refused(void **state)
{
	struct signed_crl s;
	struct crl crl;
	struct fault f = { 0 };

	(void)state;
	make_crl(&s, 3);
	for (size_t len = 0; len < s.list.der.len; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, s.list.der.data, len);
		assert_int_equal(crl_read(&crl,
				     (struct wire_bytes){ exact, len }, &f),
		    -1);
		free(exact);
	}
	free_crl(&s);
}

static void
another_cas_list_is_not_taken(void **state)
{
	struct signed_crl s;
	struct made other = probe_make("root", "ec:P-256",
	    "/DC=org/O=Ex/OU=CA/CN=Root 2", NULL, NULL, NULL, NULL);
	struct authority *b = probe_authority(&other, PROBE_ROOT_CONF);
	struct crl crl;
	struct fault f = { 0 };

	(void)state;
	make_crl(&s, 1);
	assert_int_equal(crl_read(&crl, der_of(&s), &f), 0);
	assert_int_equal(crl_check_signature(&crl, b->cert, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	/* The same name, another key. */
	b->cert->subject = s.a->cert->subject;
	assert_int_equal(crl_check_signature(&crl, b->cert, &f), -1);
	assert_int_equal(f.code, FAULT_UNTRUSTED);
	/* A CA that may sign certificates only. */
	s.a->cert->key_usage &= ~CERT_KU_CRL_SIGN;
	assert_int_equal(crl_check_signature(&crl, s.a->cert, &f), -1);
	authority_clear(b);
	free(b);
	made_free(&other);
	free_crl(&s);
}

/* A CRL with one critical extension ${oid}, unsigned. */
static int
read_with_critical(const char *oid, struct fault *f)
{
	static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
		0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	OWN_BUF(der, 4096);
	size_t whole = der_open(&der, DER_SEQUENCE);
	size_t tbs = der_open(&der, DER_SEQUENCE);
	size_t part, list;
	struct crl crl;
	struct dn dn;

	assert_int_equal(dn_read_slash(&dn, "/CN=a", f), 0);
	der_put_u64(&der, 1);
	buf_put(&der, algorithm, sizeof(algorithm));
	buf_put(&der, dn.der, dn.len);
	der_put_time(&der, MINT_NOW);
	part = der_open(&der, DER_CONTEXT_C(0));
	list = der_open(&der, DER_SEQUENCE);
	size_t extension = der_open(&der, DER_SEQUENCE);
	der_put_oid(&der, oid);
	der_put_bool(&der, true);
	der_put(&der, DER_OCTET_STRING, "\x30\x00", 2);
	der_close(&der, extension);
	der_close(&der, list);
	der_close(&der, part);
	der_close(&der, tbs);
	buf_put(&der, algorithm, sizeof(algorithm));
	der_put_bits(&der, "", 0);
	der_close(&der, whole);
	return crl_read(&crl, (struct wire_bytes){ der.data, der.len }, f);
}

static void
delta_and_partial_lists_are_not_taken_for_full_ones(void **state)
{
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(read_with_critical("2.5.29.27", &f), -1);
	assert_int_equal(f.code, FAULT_UNSUPPORTED);
	assert_int_equal(read_with_critical("2.5.29.28", &f), -1);
	assert_int_equal(f.code, FAULT_UNSUPPORTED);
}

static void
a_list_that_makes_no_sense_is_not_written(void **state)
{
	struct signed_crl s;
	struct crl_entry twice[2] = { some[1], some[1] };
	struct crl_entry zero = { .serial_len = 1, .when = MINT_NOW };
	struct crl_entry reason = some[1];
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	make_crl(&s, 0);
	reason.reason = 11;
	assert_int_equal(crl_tbs(s.a, twice, 2, 1, MINT_NOW, &tbs, &f), -1);
	assert_int_equal(crl_tbs(s.a, &zero, 1, 1, MINT_NOW, &tbs, &f), -1);
	assert_int_equal(crl_tbs(s.a, &reason, 1, 1, MINT_NOW, &tbs, &f), -1);
	assert_int_equal(crl_tbs(s.a, NULL, 0, 0, MINT_NOW, &tbs, &f), -1);
	free_crl(&s);
}

static void
a_clock_that_was_set_back_moves_no_list_back(void **state)
{
	struct signed_crl s;
	struct crl_span span = { .number = 1 };

	(void)state;
	make_crl(&s, 0);
	crl_span_set(&span, s.a, MINT_NOW, 0);
	assert_int_equal(span.this_update, MINT_NOW - 300);
	assert_int_equal(span.next_update, MINT_NOW + 30 * 86400);
	crl_span_set(&span, s.a, MINT_NOW - 86400, MINT_NOW - 300);
	assert_int_equal(span.this_update, MINT_NOW - 300);
	assert_int_equal(span.next_update, MINT_NOW + 30 * 86400);
	crl_span_set(&span, s.a, MINT_NOW, MINT_NOW - 86400);
	assert_int_equal(span.this_update, MINT_NOW - 300);
	free_crl(&s);
}

/* RFC 5280 3.3. */
static void
the_expired_go_when_they_stood_on_a_list_after_their_end(void **state)
{
	const struct crl_past none = { 0, 0 }, past = { 100, MINT_NOW };

	(void)state;
	assert_false(crl_outlived(MINT_NOW - 9, 5, &none));
	assert_true(crl_outlived(MINT_NOW - 1, 99, &past));
	/* Expired, but not before the list was issued. */
	assert_false(crl_outlived(MINT_NOW, 99, &past));
	assert_false(crl_outlived(MINT_NOW + 1, 99, &past));
	/* Expired long ago, but revoked since that list. */
	assert_false(crl_outlived(MINT_NOW - 86400, 101, &past));
}

static void
the_end_of_a_list_is_foretold(void **state)
{
	const int64_t day = 86400, month = 30 * day, week = 7 * day;

	(void)state;
	assert_int_equal(crl_days_left(MINT_NOW + month, month, MINT_NOW), -1);
	assert_int_equal(crl_days_left(MINT_NOW + 14 * day, month, MINT_NOW),
	    14);
	assert_int_equal(crl_days_left(MINT_NOW + 7 * day, month, MINT_NOW), 7);
	assert_int_equal(crl_days_left(MINT_NOW + 3 * day, month, MINT_NOW), 3);
	assert_int_equal(crl_days_left(MINT_NOW, month, MINT_NOW), 0);
	/* A list of a week is not near its end when it is new. */
	assert_int_equal(crl_days_left(MINT_NOW + week, week, MINT_NOW), -1);
	assert_int_equal(crl_days_left(MINT_NOW + 4 * day, week, MINT_NOW), -1);
	assert_int_equal(crl_days_left(MINT_NOW + 3 * day, week, MINT_NOW), 3);
	assert_int_equal(crl_days_left(MINT_NOW - 1, 3600, MINT_NOW), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_back),
		cmocka_unit_test(openssl_reads_the_same_list),
		cmocka_unit_test(an_empty_list_leaves_the_field_out),
		cmocka_unit_test(
		    every_changed_byte_breaks_the_list_or_its_signature),
		cmocka_unit_test(every_cut_is_refused),
		cmocka_unit_test(another_cas_list_is_not_taken),
		cmocka_unit_test(
		    delta_and_partial_lists_are_not_taken_for_full_ones),
		cmocka_unit_test(a_list_that_makes_no_sense_is_not_written),
		cmocka_unit_test(a_clock_that_was_set_back_moves_no_list_back),
		cmocka_unit_test(
		    the_expired_go_when_they_stood_on_a_list_after_their_end),
		cmocka_unit_test(the_end_of_a_list_is_foretold),
	};

	return cmocka_run_group_tests_name("x509/crl", tests, NULL, NULL);
}
