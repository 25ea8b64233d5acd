#include "anchor/judge.h"

#include "anchor/anchor_body.h"
#include "anchor/anchor_probe.h"

struct site {
	struct pki pki;
	struct cert *root, *sub;
	struct anchor_want *want;
	struct want_list said;
	struct fault f;
};

static void
setup(struct site *s)
{
	memset(s, 0, sizeof(*s));
	pki_init(&s->pki);
	pki_make(&s->pki);
	assert_non_null(s->root = pki_read(s->pki.cert[ROOT]));
	assert_non_null(s->sub = pki_read(s->pki.cert[SUB]));
	s->want = probe_want(s->root);
}

static void
teardown(struct site *s)
{
	want_list_clear(&s->said);
	want_free(s->want);
	cert_free(s->root);
	cert_free(s->sub);
	pki_free(&s->pki);
}

static void
change(struct site *s, char **to, const char *text)
{
	assert_int_equal(want_set(to, text, &s->f), 0);
}

/* That the root is refused in these words. */
static void
refused(struct site *s, enum fault_code code, const char *words)
{
	want_list_clear(&s->said);
	assert_int_equal(judge_cert(s->want, &probe_rules, s->root, &s->said,
			     &s->f),
	    -1);
	assert_int_equal(s->f.code, code);
	assert_int_equal(s->said.count, 1);
	if (strstr(s->said.item[0], words) == NULL)
		fail_msg("%s", s->said.item[0]);
}

static void
the_one_that_is_described_is_good(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	assert_int_equal(judge_cert(s.want, &probe_rules, s.root, &s.said,
			     &s.f),
	    0);
	change(&s, &s.want->issuer, "");
	assert_int_equal(judge_cert(s.want, &probe_rules, s.root, &s.said,
			     &s.f),
	    0);
	assert_int_equal(s.said.count, 0);
	teardown(&s);
}

static void
each_mismatch_is_said_in_its_words(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	memcpy(s.want->hash, "deadbeef", 9);
	refused(&s, FAULT_UNTRUSTED,
	    "Mismatched hash, expected deadbeef, got ");
	assert_int_equal(dn_hash(&s.root->subject, s.want->hash, &s.f), 0);
	change(&s, &s.want->issuer, "/C=US/CN=Other");
	refused(&s, FAULT_UNTRUSTED,
	    "Mismatched issuer, expected \"/C=US/CN=Other\", got \"" PKI_BASE
	    "/CN=Root\"");
	change(&s, &s.want->issuer, "");
	change(&s, &s.want->subject, "/C=US/CN=Other");
	refused(&s, FAULT_UNTRUSTED,
	    "Mismatched subject, expected \"/C=US/CN=Other\", got \"" PKI_BASE
	    "/CN=Root\"");
	change(&s, &s.want->subject, PKI_BASE "/CN=Root");
	for (size_t i = 0; i < WANT_PINS; i++) {
		static const char *const words[] = { "md5", "sha1", "sha256",
			"sha384" };
		char expected[64], right[ANCHOR_PRINT_SIZE];

		memcpy(right, s.want->pin[i], strlen(s.want->pin[i]) + 1);
		(void)snprintf(expected, sizeof(expected),
		    "Mismatched %s fingerprint, expected \"00\", got \"",
		    words[i]);
		change(&s, &s.want->pin[i], "00");
		refused(&s, FAULT_UNTRUSTED, expected);
		change(&s, &s.want->pin[i], right);
	}
	teardown(&s);
}

static void
all_mismatches_are_said_at_once(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	/* Another CA's certificate: hash, subject, issuer and four pins. */
	change(&s, &s.want->issuer, PKI_BASE "/CN=Nobody");
	assert_int_equal(judge_cert(s.want, &probe_rules, s.sub, &s.said, &s.f),
	    -1);
	assert_int_equal(s.said.count, 3 + WANT_PINS);
	teardown(&s);
}

static void
who_did_not_sign_itself_needs_signed_by(void **state)
{
	struct site s;
	struct anchor_want *want;

	(void)state;
	setup(&s);
	want = probe_want(s.sub);
	assert_int_equal(judge_cert(want, &probe_rules, s.sub, &s.said, &s.f),
	    -1);
	assert_string_equal(s.said.item[0],
	    "Certificate is not self-signed, but no SIGNED_BY attribute was "
	    "specified in x.cadesc");
	want_list_clear(&s.said);
	change(&s, &want->issuer, PKI_BASE "/CN=Root");
	assert_int_equal(judge_cert(want, &probe_rules, s.sub, &s.said, &s.f),
	    0);
	want_free(want);
	teardown(&s);
}

static void
dates_and_kind_are_looked_at(void **state)
{
	struct judge_rules later = probe_rules, before = probe_rules;
	struct site s;
	struct cert *person;
	struct anchor_want *want;

	(void)state;
	setup(&s);
	later.now += 100 * PKI_DAY;
	assert_int_equal(judge_cert(s.want, &later, s.root, &s.said, &s.f), -1);
	assert_int_equal(s.f.code, FAULT_EXPIRED);
	assert_non_null(strstr(s.said.item[0], "Certificate expired at "));
	assert_true(judge_cert_ends_soon(&later, s.root));
	want_list_clear(&s.said);
	before.now -= 10 * PKI_DAY;
	assert_int_equal(judge_cert(s.want, &before, s.root, &s.said, &s.f),
	    -1);
	assert_int_equal(s.f.code, FAULT_UNTRUSTED);
	want_list_clear(&s.said);
	assert_non_null(person = pki_read(s.pki.cert[EEC]));
	want = probe_want(person);
	change(&s, &want->issuer, PKI_BASE "/CN=Sub");
	assert_int_equal(judge_cert(want, &probe_rules, person, &s.said, &s.f),
	    -1);
	assert_string_equal(s.said.item[0], "Certificate is not that of a CA");
	want_free(want);
	cert_free(person);
	teardown(&s);
}

static void
past_2038_is_no_end(void **state)
{
	struct site s;
	struct pki late;
	struct cert *cert;
	struct anchor_want *want;

	(void)state;
	setup(&s);
	pki_init(&late);
	late.spec[ROOT].ends = 40L * 365 * PKI_DAY;
	pki_make(&late);
	assert_non_null(cert = pki_read(late.cert[ROOT]));
	want = probe_want(cert);
	assert_int_equal(judge_cert(want, &probe_rules, cert, &s.said, &s.f),
	    0);
	want_free(want);
	cert_free(cert);
	pki_free(&late);
	teardown(&s);
}

static void
a_site_may_demand_sha256(void **state)
{
	struct judge_rules strict = probe_rules;
	struct site s;

	(void)state;
	setup(&s);
	strict.demand_sha256 = true;
	assert_int_equal(judge_cert(s.want, &strict, s.root, &s.said, &s.f), 0);
	for (int i = WANT_SHA256; i <= WANT_SHA384; i++) {
		free(s.want->pin[i]);
		s.want->pin[i] = NULL;
	}
	assert_int_equal(judge_cert(s.want, &strict, s.root, &s.said, &s.f),
	    -1);
	teardown(&s);
}

static void
of_many_certificates_only_the_right_one_is_used(void **state)
{
	struct want_list notes = { 0 };
	struct cert *cert = NULL;
	struct site s;
	OWN_BUF(body, 65536);

	(void)state;
	setup(&s);
	buf_text(&body, "Certificate:\n");
	body_cert_put(&body, s.sub);
	body_cert_put(&body, s.root);
	assert_int_equal(judge_body(s.want, &probe_rules,
			     (struct wire_bytes){ body.data, body.len },
			     &s.said, &notes, &cert, &s.f),
	    0);
	assert_int_equal(cert->len, s.root->len);
	assert_memory_equal(cert->der, s.root->der, cert->len);
	assert_int_equal(notes.count, 1);
	assert_int_equal(s.said.count, 0);
	cert_free(cert);
	cert = NULL;
	buf_clear(&body);
	buf_text(&body, "<html>not here</html>");
	assert_int_equal(judge_body(s.want, &probe_rules,
			     (struct wire_bytes){ body.data, body.len },
			     &s.said, &notes, &cert, &s.f),
	    -1);
	assert_non_null(strstr(s.said.item[0], "a page"));
	assert_null(cert);
	want_list_clear(&notes);
	teardown(&s);
}

/* The verdict on a CRL of ${ca} with the key of ${key}. */
static enum fault_code
crl_verdict(struct site *s, enum pki_who ca, enum pki_who key, long begins,
    long ends, const struct crl *old)
{
	struct pki_crl what = { .begins = begins, .ends = ends };
	X509_CRL *made = pki_crl(s->pki.cert[ca], s->pki.key[key], &what);
	unsigned char *der = NULL;
	int len = i2d_X509_CRL(made, &der);
	struct crl crl;
	int result;

	assert_true(len > 0);
	s->f.code = FAULT_NONE;
	result = judge_crl(&probe_rules, s->root,
	    (struct wire_bytes){ der, (size_t)len }, old, &crl, &s->f);
	OPENSSL_free(der);
	X509_CRL_free(made);
	assert_int_equal(result, s->f.code == FAULT_NONE ? 0 : -1);
	return s->f.code;
}

static void
crls_are_of_this_ca_now(void **state)
{
	struct site s;
	struct crl old = { .this_update = PKI_NOW - 10 };

	(void)state;
	setup(&s);
	assert_int_equal(crl_verdict(&s, ROOT, ROOT, -100, PKI_DAY, NULL),
	    FAULT_NONE);
	assert_int_equal(crl_verdict(&s, ROOT, SUB, -100, PKI_DAY, NULL),
	    FAULT_UNTRUSTED);
	assert_non_null(strstr(s.f.text, "Can't verify new CRL"));
	assert_int_equal(crl_verdict(&s, SUB, SUB, -100, PKI_DAY, NULL),
	    FAULT_UNTRUSTED);
	assert_int_equal(crl_verdict(&s, ROOT, ROOT, -100, -10, NULL),
	    FAULT_EXPIRED);
	assert_non_null(strstr(s.f.text, "CRL has expired"));
	assert_int_equal(crl_verdict(&s, ROOT, ROOT, PKI_DAY, 2 * PKI_DAY,
			     NULL),
	    FAULT_UNTRUSTED);
	assert_int_equal(crl_verdict(&s, ROOT, ROOT, -100, 0, NULL),
	    FAULT_EXPIRED);
	assert_int_equal(crl_verdict(&s, ROOT, ROOT, -100, PKI_DAY, &old),
	    FAULT_DENIED);
	assert_non_null(strstr(s.f.text, "older than old CRL"));
	teardown(&s);
}

static void
an_end_that_is_near_is_seen(void **state)
{
	struct judge_rules rules = probe_rules;
	struct crl crl = { .this_update = PKI_NOW - 89,
		.next_update = PKI_NOW + 11 };

	(void)state;
	assert_false(judge_crl_ends_soon(&rules, &crl));
	crl.next_update -= 2;
	crl.this_update -= 2;
	assert_true(judge_crl_ends_soon(&rules, &crl));
	rules.warn_crl = 5;
	assert_false(judge_crl_ends_soon(&rules, &crl));
}

static void
who_is_above_must_have_signed(void **state)
{
	struct site s;

	(void)state;
	setup(&s);
	assert_int_equal(judge_parent(s.sub, s.root, &s.f), 0);
	assert_int_equal(judge_parent(s.root, s.sub, &s.f), -1);
	teardown(&s);
}

static void
other_words_are_another_verdict(void **state)
{
	char one[JUDGE_WORDS_SIZE], two[JUDGE_WORDS_SIZE];
	struct site s;

	(void)state;
	setup(&s);
	assert_int_equal(judge_words(s.want, &probe_rules, one, &s.f), 0);
	change(&s, &s.want->pin[WANT_MD5], "00");
	assert_int_equal(judge_words(s.want, &probe_rules, two, &s.f), 0);
	assert_string_not_equal(one, two);
	teardown(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_one_that_is_described_is_good),
		cmocka_unit_test(each_mismatch_is_said_in_its_words),
		cmocka_unit_test(all_mismatches_are_said_at_once),
		cmocka_unit_test(who_did_not_sign_itself_needs_signed_by),
		cmocka_unit_test(dates_and_kind_are_looked_at),
		cmocka_unit_test(past_2038_is_no_end),
		cmocka_unit_test(a_site_may_demand_sha256),
		cmocka_unit_test(
		    of_many_certificates_only_the_right_one_is_used),
		cmocka_unit_test(crls_are_of_this_ca_now),
		cmocka_unit_test(an_end_that_is_near_is_seen),
		cmocka_unit_test(who_is_above_must_have_signed),
		cmocka_unit_test(other_words_are_another_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
