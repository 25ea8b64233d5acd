#include "token/token_make.h"

#include "token/token_probe.h"
#include "token/token_public.h"
#include "x509/key_ssl.h"
#include "x509/own_ssl.h"

static int
start(void **state)
{
	*state = probe_start();
	return 0;
}

static int
end(void **state)
{
	probe_end(*state);
	return 0;
}

static void
keys_are_made_inside_and_stay_there(void **state)
{
	static const struct {
		const char *what;
		enum key_kind kind;
		unsigned size;
	} makes[] = {
		{ "rsa:2048", KEY_RSA, 2048 },
		{ "rsa:3072", KEY_RSA, 3072 },
		{ "ec:P-256", KEY_P256, 256 },
		{ "ec:P-384", KEY_P384, 384 },
	};
	struct probe *p = *state;

	for (size_t i = 0; i < sizeof(makes) / sizeof(makes[0]); i++) {
		struct token_uri uri = { 0 };
		struct fault f = { 0 };
		uint8_t der[1024];
		struct spki spki;
		OWN_STRUCT(token) token = NULL;

		probe_add_key(p, makes[i].what, makes[i].what, der, &spki);
		assert_int_equal(spki.kind, makes[i].kind);
		assert_int_equal(spki.size, makes[i].size);
		/* It is found by its id too, which others make the same way. */
		uri = probe_uri(p, NULL);
		spki_id(&spki, uri.id);
		uri.id_len = KEY_ID_SIZE;
		token = token_open(&uri, &spki, &f);
		probe_must(probe_login(token, p->pin, &f), &f);
	}
}

static void
the_private_half_does_not_come_out(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, NULL, &f);
	OWN_STRUCT(token_module) module = NULL;
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE like[] = { { CKA_CLASS, &class, sizeof(class) },
		{ CKA_LABEL, uri.object, 2 } };
	CK_ATTRIBUTE value = { CKA_VALUE, NULL, 0 };
	CK_SESSION_HANDLE session;
	CK_OBJECT_HANDLE key;
	CK_ULONG count = 0;
	struct token_info info;

	token_info(token, &info);
	token_close(TAKE(token));
	module = token_module_open(p->shim, &f);
	assert_int_equal(module->call->C_OpenSession(info.slot,
			     CKF_SERIAL_SESSION, NULL, NULL, &session),
	    CKR_OK);
	assert_int_equal(module->call->C_Login(session, CKU_USER,
			     secret_data(pin), secret_len(pin)),
	    CKR_OK);
	assert_int_equal(module->call->C_FindObjectsInit(session, like, 2),
	    CKR_OK);
	assert_int_equal(module->call->C_FindObjects(session, &key, 1, &count),
	    CKR_OK);
	assert_int_equal(count, 1);
	assert_int_equal(module->call->C_GetAttributeValue(session, key, &value,
			     1),
	    CKR_ATTRIBUTE_SENSITIVE);
}

static void
nothing_is_replaced(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "ca");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_BUF(out, 512);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, NULL, &f);

	assert_int_equal(token_make_key(token, pin, "ec:P-256", &out, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(token_make_key(token, pin, "ec:P-521", &out, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
	probe_must(token_show_key(token, pin, &out, &f), &f);
	assert_int_equal(out.len, p->ca.der.len);
	assert_memory_equal(out.data, p->ca.der.data, out.len);
}

static void
a_key_without_name_is_not_made(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, NULL);
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_BUF(out, 512);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, NULL, &f);

	assert_int_equal(token_make_key(token, pin, "ec:P-256", &out, &f), -1);
	assert_int_equal(f.code, FAULT_USAGE);
}

static void
a_wrong_pin_makes_nothing(void **state)
{
	struct probe *p = *state;
	struct token_uri uri = probe_uri(p, "unmade");
	OWN_STRUCT(secret) wrong = probe_secret("0000");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_BUF(out, 512);
	struct fault f = { 0 };
	OWN_STRUCT(token) token = token_open(&uri, NULL, &f);

	assert_int_equal(token_make_key(token, wrong, "ec:P-256", &out, &f),
	    -1);
	assert_int_equal(f.code, FAULT_LOGIN);
	assert_int_equal(token_show_key(token, pin, &out, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

/* A certificate of ${spki}; who signed it is all the same. */
static void
make_cert(const struct spki *spki, long serial, struct buf *out)
{
	struct fault f = { 0 };
	OWN_STRUCT(key) signer = key_make("ec:P-256", &f);
	OWN(EVP_PKEY) pkey = spki_pkey(spki, &f);
	OWN(X509) cert = X509_new();
	X509_NAME *name = X509_get_subject_name(cert);
	uint8_t *at;
	int len;

	assert_true(X509_set_version(cert, X509_VERSION_3) == 1 &&
	    ASN1_INTEGER_set(X509_get_serialNumber(cert), serial) == 1 &&
	    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		(const unsigned char *)"Grid CA", -1, -1, 0) == 1 &&
	    X509_set_issuer_name(cert, name) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(cert), 0) != NULL &&
	    X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL &&
	    X509_set_pubkey(cert, pkey) == 1 &&
	    X509_sign(cert, key_pkey(signer), EVP_sha256()) > 0);
	len = i2d_X509(cert, NULL);
	at = buf_room(out, (size_t)len);
	assert_non_null(at);
	out->len += (size_t)i2d_X509(cert, &at);
}

static int
put(struct probe *p, const struct buf *cert, struct fault *f)
{
	struct token_uri uri = probe_uri(p, "ca");
	OWN_STRUCT(secret) pin = probe_secret(p->pin);
	OWN_STRUCT(token) token = token_open(&uri, NULL, f);

	probe_must(token == NULL ? -1 : 0, f);
	return token_put_certificate(token, pin,
	    (struct wire_bytes){ cert->data, cert->len }, f);
}

static void
the_certificate_lies_beside_its_key_once(void **state)
{
	struct probe *p = *state;
	OWN_BUF(cert, 4096);
	OWN_BUF(newer, 4096);
	OWN_BUF(strange, 4096);
	struct fault f = { 0 };
	OWN_STRUCT(key) key = key_make("ec:P-256", &f);

	make_cert(&p->ca, 1, &cert);
	make_cert(&p->ca, 2, &newer);
	make_cert(key_spki(key), 3, &strange);
	assert_int_equal(put(p, &strange, &f), -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	probe_must(put(p, &cert, &f), &f);
	probe_must(put(p, &cert, &f), &f);
	assert_int_equal(put(p, &newer, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	token_close(probe_ready(p));
}

/* Whether the first ${len} octets at ${from} are read as a point. */
static bool
is_point(const uint8_t *from, size_t len, struct buf *out)
{
	static const uint8_t p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x03, 0x01, 0x07 };
	struct fault f = { 0 };
	uint8_t *exact = malloc(len > 0 ? len : 1);
	bool good;

	assert_non_null(exact);
	if (len > 0)
		memcpy(exact, from, len);
	good = token_public_ec(out, (struct wire_bytes){ p256, sizeof(p256) },
		   (struct wire_bytes){ exact, len }, &f) == 0;
	free(exact);
	return good;
}

static void
points_are_wrapped_or_bare_and_nothing_else(void **state)
{
	const struct probe *p = *state;
	uint8_t wrapped[67] = { 0x04, 0x41 };

	memcpy(wrapped + 2, p->ca.bits.data, 65);
	for (size_t len = 0; len <= 67; len++) {
		OWN_BUF(out, 512);
		/* What begins with 4 and has the length of a point might be
		 * one; it is not the CA's. */
		bool good = len == 67 || len == 65;

		assert_int_equal(is_point(wrapped, len, &out), good);
		if (good)
			assert_int_equal(memcmp(out.data, p->ca.der.data,
					     out.len) == 0,
			    len == 67);
	}
	for (size_t len = 0; len <= 65; len++) {
		OWN_BUF(out, 512);

		assert_int_equal(is_point(wrapped + 2, len, &out), len == 65);
		if (len == 65)
			assert_memory_equal(out.data, p->ca.der.data, out.len);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_made_inside_and_stay_there),
		cmocka_unit_test(the_private_half_does_not_come_out),
		cmocka_unit_test(nothing_is_replaced),
		cmocka_unit_test(a_key_without_name_is_not_made),
		cmocka_unit_test(a_wrong_pin_makes_nothing),
		cmocka_unit_test(the_certificate_lies_beside_its_key_once),
		cmocka_unit_test(points_are_wrapped_or_bare_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, start, end);
}
