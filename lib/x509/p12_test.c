#include "x509/p12.h"

#include "base/fault.h"
#include "base/text.h"
#include "trust/pki_probe.h"
#include "x509/der.h"

/* "openssl pkcs12 -export -legacy", RC2-40 and 3DES, pass phrase "fuzz". */
static const char legacy_text[] =
    "MIIDfAIBAzCCA0YGCSqGSIb3DQEHAaCCAzcEggMzMIIDLzCCAiYGCSqGSIb3DQEH"
    "BqCCAhcwggITAgEAMIICDAYJKoZIhvcNAQcBMBsGCiqGSIb3DQEMAQYwDQQI6nVG"
    "MOODrpACAQGAggHgYlWtUYh7KzFafR9LFez6GxmhIsQydQfCNIxSu4yXHgKp8pLZ"
    "pjU1ccwtC6U+G/pIparVazYz4qpG9XRKd6/ZuhLftT3Pu9D9RQlC7fFZp/5GPOiu"
    "5L7JJc+4GfJfcgpAYTucdohPq/oki0V1/DtF90GH0mkChwyJITsiHc1bMFUvLF6J"
    "4mNH7D1CyMwdcV6b7j2w28g4++egcrTrzqDKfsFu8uDEBknkuSFlL0Bp7uKcU+aN"
    "DRHMBBBUd/3GKJ85huIvzVM1xPeAty7XMb0ejZoaEs3pynjjesE5cj4krW3yz02I"
    "KbFyOphqphvwYQJ8cCID4wk+BGU4iJUWTxziDe4MK5X8YxVD6X7gVYT00WZ2RiAi"
    "WpjBWSooZPydKLBn0UCHu8JLFL6hFcBcqFJjWw7PYjSjg+9JEmD0L9u1N3brriRa"
    "vkZ8PPv0EGqiM1fhz22X31ig1rsYEpAAan9wfzWy69X0N6dI0PK0IqMoo/JoNdKw"
    "NjX/1F3Kfw1mwCV7mKBH8M/ABI+vWRoT4dlrfLfDkwuR67ICzE7PiAJsWxO7t+ft"
    "evdJ9oKyPkuGrYtBmHZNOjn6SB51lJ6k0zAgC7Bw72N2Hj5eorVNfXmqzNhXjyHS"
    "Uc7lfzKQaaxpbquoMIIBAQYJKoZIhvcNAQcBoIHzBIHwMIHtMIHqBgsqhkiG9w0B"
    "DAoBAqCBszCBsDAbBgoqhkiG9w0BDAEDMA0ECFZ4F0feut1GAgEBBIGQIcmed3Dg"
    "rzmzEPiMFO5pfmmHagrx+7B9iLrj0Ua5MVO36tIzHyS5UDtIqLJwmMw9U43hDIhr"
    "0GThrb8bDU4AlXSC4OI1975CirbVPT/Ka+Ztjj6MZxh2o6DqpW+MY9AZS/tS5ims"
    "/FotyYNvzGSUUB4oMWigCJBRfRv+zYVh4/dmwoc8UKjYWO1Lb403vH+rMSUwIwYJ"
    "KoZIhvcNAQkVMRYEFEzW9R3tAzd+rbskocm/88RUYh2SMC0wITAJBgUrDgMCGgUA"
    "BBTJdOE2hKS08EkU4zmipZ0Y5swBEAQI7PecPvc1jIk=";

struct bench {
	struct pki pki;
	struct secret *phrase;
	struct secret *wrong;
};

static void
set_up(struct bench *b)
{
	struct fault f = { 0 };

	pki_init(&b->pki);
	pki_make(&b->pki);
	assert_non_null(b->phrase = secret_copy("h\303\251las", 6, &f));
	assert_non_null(b->wrong = secret_copy("other", 5, &f));
}

static void
tear_down(struct bench *b)
{
	secret_free(b->phrase);
	secret_free(b->wrong);
	pki_free(&b->pki);
}

/* A bundle made by OpenSSL: the end entity's key and certificate, and both
 * CAs, the root first. */
static size_t
bundle(const struct bench *b, int iterations, int mac, uint8_t **der)
{
	OWN(x509_stack) cas = sk_X509_new_null();
	OWN(PKCS12) p12 = NULL;
	int len;

	for (int i = ROOT; i <= SUB; i++)
		assert_true(sk_X509_push(cas, X509_dup(b->pki.cert[i])) > 0);
	p12 = PKCS12_create(secret_text(b->phrase), "alice", b->pki.key[EEC],
	    b->pki.cert[EEC], cas, 0, 0, iterations, mac, 0);
	assert_non_null(p12);
	len = i2d_PKCS12(p12, der);
	assert_true(len > 0);
	return (size_t)len;
}

static void
check(const struct credential *c, const struct bench *b)
{
	struct cert *want = pki_read(b->pki.cert[EEC]);
	struct cert *ca = pki_read(b->pki.cert[SUB]);

	assert_non_null(c->key);
	assert_int_equal(c->chain.count, 2);
	assert_int_equal(c->chain.cert[0]->len, want->len);
	assert_memory_equal(c->chain.cert[0]->der, want->der, want->len);
	assert_memory_equal(c->chain.cert[1]->der, ca->der, ca->len);
	assert_true(der_bytes_equal(key_spki(c->key)->der, want->spki.der));
	cert_free(want);
	cert_free(ca);
}

static void
a_bundle_is_read_leaf_first_and_without_the_root(void **state)
{
	struct bench b = { 0 };
	struct credential c = { 0 };
	struct fault f = { 0 };
	uint8_t *der = NULL;
	bool legacy = true;
	size_t len;

	(void)state;
	set_up(&b);
	len = bundle(&b, 10, 10, &der);
	if (p12_read(&c, der, len, b.phrase, &legacy, &f) < 0)
		fail_msg("%s", f.text);
	assert_false(legacy);
	check(&c, &b);
	credential_clear(&c);
	OPENSSL_free(der);
	tear_down(&b);
}

static void
a_wrong_pass_phrase_is_called_that(void **state)
{
	struct bench b = { 0 };
	struct credential c = { 0 };
	struct fault f = { 0 };
	uint8_t *der = NULL;
	size_t len;

	(void)state;
	set_up(&b);
	len = bundle(&b, 10, 10, &der);
	assert_int_equal(p12_read(&c, der, len, b.wrong, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(p12_read(&c, der, len, NULL, NULL, &f), -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_null(c.key);
	OPENSSL_free(der);
	tear_down(&b);
}

static void
an_old_bundle_is_read_by_the_legacy_provider(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(secret) phrase = secret_copy("fuzz", 4, &f);
	struct credential c = { 0 };
	bool legacy = false;
	uint8_t der[4096];
	char name[DN_TEXT_MAX];
	int len =
	    text_unbase64(legacy_text, strlen(legacy_text), der, sizeof(der));

	(void)state;
	assert_true(len > 0);
	if (p12_read(&c, der, (size_t)len, phrase, &legacy, &f) < 0)
		fail_msg("%s", f.text);
	assert_true(legacy);
	assert_int_equal(dn_show_slash(&c.chain.cert[0]->subject, name,
			     sizeof(name)),
	    0);
	assert_string_equal(name, "/O=T/CN=U");
	/* The process itself has not learnt RC2. */
	assert_null(EVP_CIPHER_fetch(NULL, "RC2-40-CBC", NULL));
	credential_clear(&c);
}

static void
what_is_written_opens_here_and_in_openssl(void **state)
{
	OWN_BUF(der, 1 << 16);
	OWN(PKCS12) p12 = NULL;
	OWN(EVP_PKEY) pkey = NULL;
	OWN(X509) leaf = NULL;
	struct bench b = { 0 };
	struct credential c = { 0 };
	struct credential back = { 0 };
	struct fault f = { 0 };
	const unsigned char *at;
	uint8_t *made = NULL;
	size_t len;

	(void)state;
	set_up(&b);
	len = bundle(&b, 10, 10, &made);
	assert_int_equal(p12_read(&c, made, len, b.phrase, NULL, &f), 0);
	if (p12_write(&c, "alice", b.phrase, &der, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(p12_read(&back, der.data, der.len, b.phrase, NULL, &f),
	    0);
	check(&back, &b);
	at = der.data;
	assert_non_null(p12 = d2i_PKCS12(NULL, &at, (long)der.len));
	assert_int_equal(PKCS12_parse(p12, secret_text(b.phrase), &pkey, &leaf,
			     NULL),
	    1);
	assert_int_equal(X509_cmp(leaf, b.pki.cert[EEC]), 0);
	assert_int_equal(EVP_PKEY_eq(pkey, b.pki.key[EEC]), 1);
	OPENSSL_free(made);
	credential_clear(&c);
	credential_clear(&back);
	tear_down(&b);
}

static void
nobody_makes_us_compute_for_hours(void **state)
{
	struct bench b = { 0 };
	struct credential c = { 0 };
	struct fault f = { 0 };
	uint8_t *der = NULL;
	size_t len;

	(void)state;
	set_up(&b);
	/* The count of iterations stands at the very end. */
	len = bundle(&b, 10, 0x10000, &der);
	assert_memory_equal(der + len - 5, "\x02\x03\x01\x00\x00", 5);
	memset(der + len - 3, 0x7f, 3);
	assert_int_equal(p12_read(&c, der, len, b.phrase, NULL, &f), -1);
	assert_non_null(strstr(f.text, "iterations"));
	OPENSSL_free(der);
	tear_down(&b);
}

static void
every_cut_and_every_flipped_bit_is_refused(void **state)
{
	struct bench b = { 0 };
	struct fault f = { 0 };
	uint8_t *der = NULL;
	size_t len;

	(void)state;
	set_up(&b);
	len = bundle(&b, 1, 1, &der);
	for (size_t cut = 0; cut < len; cut += 7) {
		struct credential c = { 0 };
		uint8_t *exact = malloc(cut > 0 ? cut : 1);

		assert_non_null(exact);
		memcpy(exact, der, cut);
		assert_int_equal(p12_read(&c, exact, cut, b.phrase, NULL, &f),
		    -1);
		free(exact);
	}
	/* Within the data that the MAC covers. */
	for (size_t at = 60; at < len - 120; at += 13) {
		struct credential c = { 0 };

		der[at] ^= 0x10;
		assert_int_equal(p12_read(&c, der, len, b.phrase, NULL, &f),
		    -1);
		der[at] ^= 0x10;
	}
	OPENSSL_free(der);
	tear_down(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_bundle_is_read_leaf_first_and_without_the_root),
		cmocka_unit_test(a_wrong_pass_phrase_is_called_that),
		cmocka_unit_test(an_old_bundle_is_read_by_the_legacy_provider),
		cmocka_unit_test(what_is_written_opens_here_and_in_openssl),
		cmocka_unit_test(nobody_makes_us_compute_for_hours),
		cmocka_unit_test(every_cut_and_every_flipped_bit_is_refused),
	};

	return cmocka_run_group_tests_name("x509/p12", tests, NULL, NULL);
}
