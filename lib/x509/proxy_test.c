#include "x509/proxy.h"

#include "base/fault.h"
#include "trust/pki_probe.h"
#include "x509/der.h"

/*
 * The end entity of pki_probe.h and what it makes; OpenSSL's verifier is the
 * judge of it.
 */
struct bench {
	struct pki pki;
	struct credential eec;
};

static struct key *
read_key(EVP_PKEY *pkey)
{
	OWN(BIO) text = BIO_new(BIO_s_mem());
	struct fault f = { 0 };
	char *data = NULL;
	struct key *key;
	long len;

	assert_int_equal(PEM_write_bio_PKCS8PrivateKey(text, pkey, NULL, NULL,
			     0, NULL, NULL),
	    1);
	len = BIO_get_mem_data(text, &data);
	assert_non_null(key = key_read_pem(data, (size_t)len, NULL, &f));
	return key;
}

static void
set_up(struct bench *b)
{
	pki_make(&b->pki);
	assert_true(pki_chain(&b->pki, EEC, &b->eec.chain));
	b->eec.key = read_key(b->pki.key[EEC]);
}

static void
tear_down(struct bench *b)
{
	credential_clear(&b->eec);
	pki_free(&b->pki);
}

static const struct proxy_wish plain = { .kind = CERT_PROXY_IMPERSONATION,
	.path_length = -1 };

static int
make(const struct credential *from, const struct proxy_wish *wish,
    const char *kind, struct credential *out, struct fault *f)
{
	struct key *key = key_make(kind, f);

	assert_non_null(key);
	memset(out, 0, sizeof(*out));
	return proxy_make(from, key, wish, PKI_NOW, out, f);
}

static X509 *
to_x509(const struct cert *cert)
{
	const unsigned char *at = cert->der;
	X509 *x = d2i_X509(NULL, &at, (long)cert->len);

	assert_non_null(x);
	return x;
}

static int
openssl_says(const struct pki *p, const struct credential *c)
{
	OWN(X509_STORE) store = X509_STORE_new();
	OWN(X509_STORE_CTX) ctx = X509_STORE_CTX_new();
	OWN(x509_stack) chain = sk_X509_new_null();
	OWN(X509) leaf = to_x509(c->chain.cert[0]);

	for (size_t i = 1; i < c->chain.count; i++)
		assert_true(sk_X509_push(chain, to_x509(c->chain.cert[i])) > 0);
	assert_int_equal(X509_STORE_add_cert(store, p->cert[ROOT]), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, chain), 1);
	X509_STORE_CTX_set_flags(ctx,
	    X509_V_FLAG_ALLOW_PROXY_CERTS | X509_V_FLAG_X509_STRICT);
	X509_STORE_CTX_set_time(ctx, 0, PKI_NOW);
	(void)X509_verify_cert(ctx);
	return X509_STORE_CTX_get_error(ctx);
}

static void
each_kind_of_rfc_3820_is_what_openssl_expects(void **state)
{
	static const enum cert_kind kinds[] = { CERT_PROXY_IMPERSONATION,
		CERT_PROXY_INDEPENDENT, CERT_PROXY_LIMITED };
	static const char *const keys[] = { "ec:P-256", "rsa:2048",
		"ec:P-384" };
	struct bench b = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	for (size_t i = 0; i < 3; i++) {
		struct proxy_wish wish = plain;
		struct credential one, two;
		struct fault f = { 0 };

		wish.kind = kinds[i];
		assert_int_equal(make(&b.eec, &wish, keys[i], &one, &f), 0);
		assert_int_equal(one.chain.cert[0]->kind, kinds[i]);
		assert_int_equal(one.chain.count, 3);
		assert_int_equal(openssl_says(&b.pki, &one), X509_V_OK);
		assert_int_equal(make(&one, &wish, "ec:P-256", &two, &f), 0);
		assert_int_equal(two.chain.count, 4);
		assert_int_equal(openssl_says(&b.pki, &two), X509_V_OK);
		credential_clear(&one);
		credential_clear(&two);
	}
	tear_down(&b);
}

static void
its_name_is_its_issuers_and_its_serial(void **state)
{
	struct bench b = { 0 };
	struct credential c;
	struct fault f = { 0 };
	const struct cert *leaf;
	struct dn parent;
	char cn[32], hex[CERT_SERIAL_TEXT];
	unsigned long number;

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	assert_int_equal(make(&b.eec, &plain, "ec:P-256", &c, &f), 0);
	leaf = c.chain.cert[0];
	assert_true(dn_parent(&leaf->subject, &parent));
	assert_true(dn_equal(&parent, &b.eec.chain.cert[0]->subject));
	assert_true(dn_equal(&leaf->issuer, &b.eec.chain.cert[0]->subject));
	assert_int_equal(dn_cn(&leaf->subject, cn, sizeof(cn)), 0);
	number = strtoul(cn, NULL, 10);
	assert_in_range(number, 1, 0x7fffffff);
	cert_serial_text(leaf, hex);
	assert_int_equal(strtoul(hex, NULL, 16), number);
	credential_clear(&c);
	tear_down(&b);
}

static void
it_never_outlives_anything_above_it(void **state)
{
	struct bench b = { 0 };
	struct proxy_wish wish = plain;
	struct credential c;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	b.pki.spec[SUB].ends = 5000;
	set_up(&b);
	wish.lifetime = 3600;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), 0);
	assert_int_equal(c.chain.cert[0]->not_after, PKI_NOW + 3600);
	assert_int_equal(c.chain.cert[0]->not_before, PKI_NOW - 300);
	credential_clear(&c);
	wish.lifetime = INT64_MAX;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), 0);
	assert_int_equal(c.chain.cert[0]->not_after, PKI_NOW + 5000);
	assert_int_equal(credential_end(&c), PKI_NOW + 5000);
	credential_clear(&c);
	wish.lifetime = 0;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), 0);
	assert_int_equal(c.chain.cert[0]->not_after, PKI_NOW + 5000);
	credential_clear(&c);
	wish.lifetime = -1;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	assert_int_equal(proxy_make(&b.eec, key_make("ec:P-256", &f), &plain,
			     PKI_NOW + 5000, &c, &f),
	    -1);
	assert_int_equal(f.code, FAULT_EXPIRED);
	tear_down(&b);
}

static void
its_key_may_do_no_more_than_its_issuers(void **state)
{
	struct bench b = { 0 };
	struct credential c;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	pki_set(&b.pki, EEC, "keyUsage",
	    "critical,digitalSignature,keyEncipherment,nonRepudiation");
	set_up(&b);
	assert_int_equal(make(&b.eec, &plain, "rsa:2048", &c, &f), 0);
	assert_true(c.chain.cert[0]->has_key_usage);
	assert_int_equal(c.chain.cert[0]->key_usage,
	    CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT);
	credential_clear(&c);
	assert_int_equal(make(&b.eec, &plain, "ec:P-256", &c, &f), 0);
	assert_int_equal(c.chain.cert[0]->key_usage, CERT_KU_DIGITAL_SIGNATURE);
	credential_clear(&c);
	tear_down(&b);

	memset(&b, 0, sizeof(b));
	pki_init(&b.pki);
	set_up(&b);
	assert_int_equal(make(&b.eec, &plain, "rsa:2048", &c, &f), 0);
	assert_int_equal(c.chain.cert[0]->key_usage, CERT_KU_DIGITAL_SIGNATURE);
	credential_clear(&c);
	tear_down(&b);

	memset(&b, 0, sizeof(b));
	pki_init(&b.pki);
	pki_set(&b.pki, EEC, "keyUsage", "critical,keyEncipherment");
	set_up(&b);
	assert_int_equal(make(&b.eec, &plain, "ec:P-256", &c, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	tear_down(&b);
}

static void
limited_stays_limited(void **state)
{
	struct bench b = { 0 };
	struct proxy_wish wish = plain;
	struct credential one, two;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	wish.kind = CERT_PROXY_LIMITED;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &one, &f), 0);
	assert_int_equal(make(&one, &plain, "ec:P-256", &two, &f), 0);
	assert_int_equal(two.chain.cert[0]->kind, CERT_PROXY_LIMITED);
	credential_clear(&one);
	credential_clear(&two);
	tear_down(&b);
}

static void
a_path_length_of_0_signs_no_further(void **state)
{
	struct bench b = { 0 };
	struct proxy_wish wish = plain;
	struct credential one, two, three;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	wish.path_length = 1;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &one, &f), 0);
	assert_int_equal(one.chain.cert[0]->path_length, 1);
	assert_int_equal(make(&one, &plain, "ec:P-256", &two, &f), 0);
	assert_int_equal(openssl_says(&b.pki, &two), X509_V_OK);
	/* The first one's length of 1 is used up, whatever the second says. */
	assert_int_equal(make(&two, &plain, "ec:P-256", &three, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "RFC 3820 3.8.1"));
	credential_clear(&one);
	credential_clear(&two);
	tear_down(&b);
}

static void
generations_do_not_mix(void **state)
{
	static const enum cert_kind kinds[] = { CERT_PROXY_DRAFT,
		CERT_PROXY_DRAFT_LIMITED, CERT_PROXY_DRAFT_INDEPENDENT,
		CERT_PROXY_LEGACY, CERT_PROXY_LEGACY_LIMITED };
	static const enum cert_kind below[] = { CERT_PROXY_DRAFT,
		CERT_PROXY_DRAFT_LIMITED, CERT_PROXY_DRAFT, CERT_PROXY_LEGACY,
		CERT_PROXY_LEGACY_LIMITED };
	struct bench b = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	for (size_t i = 0; i < 5; i++) {
		struct proxy_wish wish = plain;
		struct credential one, two;
		struct fault f = { 0 };

		wish.kind = kinds[i];
		assert_int_equal(make(&b.eec, &wish, "ec:P-256", &one, &f), 0);
		assert_int_equal(one.chain.cert[0]->kind, kinds[i]);
		assert_int_equal(make(&one, &plain, "ec:P-256", &two, &f), 0);
		assert_int_equal(two.chain.cert[0]->kind, below[i]);
		credential_clear(&two);
		wish.kind = CERT_PROXY_INDEPENDENT;
		if (kinds[i] == CERT_PROXY_LEGACY)
			assert_int_equal(make(&one, &wish, "ec:P-256", &two,
					     &f),
			    -1);
		credential_clear(&one);
	}
	tear_down(&b);
}

static void
a_restricted_proxy_carries_its_policy(void **state)
{
	struct bench b = { 0 };
	struct proxy_wish wish = plain;
	struct credential c;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	wish.policy = (struct wire_bytes){ (const uint8_t *)"read only", 9 };
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	wish.kind = CERT_PROXY_RESTRICTED;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	wish.policy_language = "1.2.3.4";
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), 0);
	assert_int_equal(c.chain.cert[0]->kind, CERT_PROXY_RESTRICTED);
	assert_non_null(memmem(c.chain.cert[0]->der, c.chain.cert[0]->len,
	    "read only", 9));
	credential_clear(&c);
	tear_down(&b);
}

static void
who_may_have_no_proxy_gets_none(void **state)
{
	struct bench b = { 0 };
	struct credential ca = { 0 }, none = { 0 }, c;
	struct proxy_wish wish = plain;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	ca.chain.cert[ca.chain.count++] = pki_read(b.pki.cert[SUB]);
	ca.key = read_key(b.pki.key[SUB]);
	assert_int_equal(make(&ca, &plain, "ec:P-256", &c, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(make(&none, &plain, "ec:P-256", &c, &f), -1);
	assert_int_equal(f.code, FAULT_ABSENT);
	wish.kind = CERT_EEC;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), -1);
	wish.kind = CERT_PROXY_LEGACY;
	wish.path_length = 1;
	assert_int_equal(make(&b.eec, &wish, "ec:P-256", &c, &f), -1);
	credential_clear(&ca);
	tear_down(&b);
}

static void
someone_elses_key_is_certified_without_its_private_half(void **state)
{
	OWN_STRUCT(key) theirs = NULL;
	OWN_BUF(der, CERT_MAX);
	struct bench b = { 0 };
	struct credential c = { 0 };
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	assert_non_null(theirs = key_make("rsa:2048", &f));
	assert_int_equal(proxy_sign(&b.eec, key_spki(theirs), &plain, PKI_NOW,
			     &der, &f),
	    0);
	c.chain.cert[0] =
	    cert_read((struct wire_bytes){ der.data, der.len }, &f);
	assert_non_null(c.chain.cert[0]);
	assert_true(der_bytes_equal(c.chain.cert[0]->spki.der,
	    key_spki(theirs)->der));
	assert_int_equal(cert_check_signature(c.chain.cert[0],
			     b.eec.chain.cert[0], &f),
	    0);
	cert_free(c.chain.cert[0]);
	tear_down(&b);
}

static void
the_file_is_leaf_key_chain_and_reads_back(void **state)
{
	static const char *const keys[] = { "rsa:2048", "ec:P-256" };
	static const char *const begin[] = { "-----BEGIN RSA PRIVATE KEY-----",
		"-----BEGIN PRIVATE KEY-----" };
	struct bench b = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	for (size_t i = 0; i < 2; i++) {
		OWN_BUF(text, 65536);
		struct credential c, back = { 0 };
		struct fault f = { 0 };
		const char *leaf, *key, *next;

		assert_int_equal(make(&b.eec, &plain, keys[i], &c, &f), 0);
		assert_int_equal(credential_write(&c, &text, &f), 0);
		leaf = strstr(buf_cstr(&text), "-----BEGIN CERTIFICATE-----");
		key = strstr(buf_cstr(&text), begin[i]);
		assert_ptr_equal(leaf, buf_cstr(&text));
		assert_non_null(key);
		next = strstr(leaf + 1, "-----BEGIN CERTIFICATE-----");
		assert_true(key > leaf && next > key);
		assert_int_equal(credential_read(&back, text.data, text.len,
				     NULL, &f),
		    0);
		assert_int_equal(back.chain.count, c.chain.count);
		assert_non_null(back.key);
		for (size_t n = 0; n < c.chain.count; n++)
			assert_memory_equal(back.chain.cert[n]->der,
			    c.chain.cert[n]->der, c.chain.cert[n]->len);
		credential_clear(&back);
		credential_clear(&c);
	}
	tear_down(&b);
}

static void
a_key_that_is_not_the_leafs_is_refused(void **state)
{
	OWN_BUF(text, 65536);
	OWN_STRUCT(key) other = NULL;
	struct bench b = { 0 };
	struct credential back = { 0 };
	struct key *ours;
	struct fault f = { 0 };

	(void)state;
	pki_init(&b.pki);
	set_up(&b);
	assert_non_null(other = key_make("ec:P-256", &f));
	ours = b.eec.key;
	b.eec.key = other;
	assert_int_equal(credential_write(&b.eec, &text, &f), 0);
	b.eec.key = ours;
	assert_int_equal(credential_read(&back, text.data, text.len, NULL, &f),
	    -1);
	assert_int_equal(f.code, FAULT_KEY);
	assert_null(back.key);
	buf_clear(&text);
	assert_int_equal(credential_read(&back, "", 0, NULL, &f), -1);
	b.eec.key = NULL;
	assert_int_equal(credential_write(&b.eec, &text, &f), 0);
	assert_int_equal(credential_read(&back, text.data, text.len, NULL, &f),
	    0);
	assert_null(back.key);
	b.eec.key = ours;
	credential_clear(&back);
	tear_down(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_rfc_3820_is_what_openssl_expects),
		cmocka_unit_test(its_name_is_its_issuers_and_its_serial),
		cmocka_unit_test(it_never_outlives_anything_above_it),
		cmocka_unit_test(its_key_may_do_no_more_than_its_issuers),
		cmocka_unit_test(limited_stays_limited),
		cmocka_unit_test(a_path_length_of_0_signs_no_further),
		cmocka_unit_test(generations_do_not_mix),
		cmocka_unit_test(a_restricted_proxy_carries_its_policy),
		cmocka_unit_test(who_may_have_no_proxy_gets_none),
		cmocka_unit_test(
		    someone_elses_key_is_certified_without_its_private_half),
		cmocka_unit_test(the_file_is_leaf_key_chain_and_reads_back),
		cmocka_unit_test(a_key_that_is_not_the_leafs_is_refused),
	};

	return cmocka_run_group_tests_name("x509/proxy", tests, NULL, NULL);
}
