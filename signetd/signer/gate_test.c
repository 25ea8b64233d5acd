#include "signetd/signer/gate_list.h"
#include "sys/sealed.h"
#include "x509/crl.h"
#include "x509/mint_probe.h"

#include <stdio.h>
#include <unistd.h>

/* A CA of its own, and the texts that the parent would send. */
struct house {
	struct made ca;
	struct buf cert;
	struct buf key;
	struct gate *gate;
};

static const struct wire_bytes no_phrase = { NULL, 0 };

static struct wire_bytes
bytes(const struct buf *b)
{
	return (struct wire_bytes){ b->data, b->len };
}

static const struct wire_bytes conf = { (const uint8_t *)PROBE_SUB_CONF,
	sizeof(PROBE_SUB_CONF) - 1 };
static const struct wire_bytes none = { NULL, 0 };

static void
write_texts(struct house *h)
{
	struct fault f = { 0 };

	h->cert = BUF(65536);
	h->key = BUF(65536);
	pem_put(&h->cert, "CERTIFICATE", bytes(&h->ca.der));
	assert_int_equal(key_write_pem(h->ca.key, NULL, &h->key, &f), 0);
}

static int
open_house(void **state)
{
	struct house *h = calloc(1, sizeof(*h));
	struct fault f = { 0 };

	assert_non_null(h);
	*state = h;
	h->ca =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	write_texts(h);
	assert_non_null(h->gate = gate_new(&f));
	if (gate_add(h->gate, conf, bytes(&h->cert), bytes(&h->key), no_phrase,
		NULL, &f) < 0)
		fail_msg("%s", f.text);
	return 0;
}

static int
close_house(void **state)
{
	struct house *h = *state;

	gate_free(h->gate);
	made_free(&h->ca);
	buf_free(&h->cert);
	buf_free(&h->key);
	free(h);
	return 0;
}

/* The TBSCertificate of a person under ${subject} by ${profile}. */
static struct made
person(const struct house *h, const char *profile, const char *subject)
{
	struct authority *a = probe_authority(&h->ca, PROBE_SUB_CONF);
	struct profile *p = probe_profile(profile);
	struct made m = { NULL, BUF(CERT_MAX), BUF(CERT_MAX) };
	struct mint *mint = calloc(1, sizeof(*mint));
	static const uint8_t serial[] = { 5 };
	struct fault f = { 0 };

	assert_non_null(mint);
	assert_non_null(m.key = key_make("ec:P-256", &f));
	mint->profile = p;
	mint->issuer = a;
	mint->serial = serial;
	mint->serial_len = 1;
	mint->spki = *key_spki(m.key);
	mint->signer_kind = KEY_P256;
	if (dn_read_slash(&mint->subject, subject, &f) < 0 ||
	    mint_times(p, a, MINT_NOW, 0, &mint->not_before, &mint->not_after,
		&f) < 0 ||
	    mint_tbs(mint, &m.tbs, &f) < 0)
		fail_msg("%s", f.text);
	free(mint);
	free(p);
	authority_clear(a);
	free(a);
	return m;
}

#define PERSON "/DC=org/O=Ex/OU=People/CN=a"

static int
sign(const struct house *h, const char *ca, const struct made *m,
    struct fault *f)
{
	OWN_BUF(signature, 1024);
	int result =
	    gate_sign(h->gate, ca, bytes(&m->tbs), MINT_NOW, &signature, f);

	if (result == 0)
		assert_int_equal(spki_verify(key_spki(h->ca.key),
				     key_signature_algorithm(KEY_P256),
				     bytes(&m->tbs), bytes(&signature), f),
		    0);
	if (result < 0)
		assert_int_equal(signature.len, 0);
	return result;
}

static void
what_the_ca_may_sign_is_signed(void **state)
{
	const struct house *h = *state;
	struct made m = person(h, "slcs-user", PERSON);
	struct fault f = { 0 };

	if (sign(h, "sub", &m, &f) < 0)
		fail_msg("%s", f.text);
	made_free(&m);
}

static void
what_it_may_not_sign_is_refused(void **state)
{
	const struct house *h = *state;
	struct made stranger =
	    person(h, "slcs-user", "/DC=org/O=Else/OU=People/CN=a");
	struct made ca = person(h, "sub-ca", PERSON);
	struct made good = person(h, "slcs-user", PERSON);
	struct fault f = { 0 };

	assert_int_equal(sign(h, "sub", &stranger, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(sign(h, "sub", &ca, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(sign(h, "another", &good, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	/* Every byte is read: one more, or one less, is one too many. */
	good.tbs.len--;
	assert_int_equal(sign(h, "sub", &good, &f), -1);
	good.tbs.len++;
	buf_put_u8(&good.tbs, 0);
	assert_int_equal(sign(h, "sub", &good, &f), -1);
	made_free(&stranger);
	made_free(&ca);
	made_free(&good);
}

/* RFC 5280 appendix A.1: ub-common-name. */
static void
a_name_longer_than_its_upper_bound_is_refused(void **state)
{
	const struct house *h = *state;
	char name[128];
	struct made most, more;
	struct fault f = { 0 };

	snprintf(name, sizeof(name), "/DC=org/O=Ex/OU=People/CN=%064d", 0);
	most = person(h, "slcs-user", name);
	snprintf(name, sizeof(name), "/DC=org/O=Ex/OU=People/CN=%065d", 0);
	more = person(h, "slcs-user", name);
	if (sign(h, "sub", &most, &f) < 0)
		fail_msg("%s", f.text);
	assert_int_equal(sign(h, "sub", &more, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_non_null(strstr(f.text, "64 characters"));
	made_free(&most);
	made_free(&more);
}

/* What is in ${tbs}, in memory that is sealed as the issuer's is, or is not. */
static int
in_memory(const struct buf *tbs, bool seal)
{
	struct fault f = { 0 };
	int fd = sealed_new(&f);

	assert_true(fd >= 0);
	assert_int_equal(sealed_put(fd, bytes(tbs), &f), 0);
	if (seal)
		assert_int_equal(sealed_close(fd, &f), 0);
	return fd;
}

/* Step by step to the signature, which must be good. */
static int
sign_list(const struct house *h, const char *ca, const struct buf *tbs,
    bool seal, struct fault *f)
{
	int fd = in_memory(tbs, seal), more = 1;
	struct gate_list *list = gate_list_new(h->gate, ca, fd, MINT_NOW, f);
	OWN_BUF(signature, 1024);
	struct fault early = { 0 };

	(void)close(fd);
	if (list == NULL)
		return -1;
	assert_int_equal(gate_list_sign(list, &signature, &early), -1);
	while ((more = gate_list_step(list, f)) == 1)
		;
	if (more == 0 && (more = gate_list_sign(list, &signature, f)) == 0) {
		assert_int_equal(gate_list_number(list), 3);
		assert_int_equal(spki_verify(key_spki(h->ca.key),
				     key_signature_algorithm(KEY_P256),
				     bytes(tbs), bytes(&signature), f),
		    0);
	}
	gate_list_free(list);
	return more;
}

static void
a_list_of_the_ca_is_signed(void **state)
{
	const struct house *h = *state;
	struct authority *a = probe_authority(&h->ca, PROBE_SUB_CONF);
	struct made m = { NULL, BUF(CERT_MAX), BUF(1u << 20) };
	struct made long_one = { NULL, BUF(1u << 20), BUF(1u << 20) };
	struct crl_entry *many = calloc(5000, sizeof(*many));
	struct fault f = { 0 };

	assert_non_null(many);
	for (uint32_t i = 0; i < 5000; i++)
		many[i] = (struct crl_entry){ .serial = { 1, (uint8_t)(i >> 8),
						  (uint8_t)i },
			.serial_len = 3,
			.when = MINT_NOW };
	assert_int_equal(crl_tbs(a, NULL, 0, 3, MINT_NOW, &m.tbs, &f), 0);
	assert_int_equal(crl_tbs(a, many, 5000, 3, MINT_NOW, &long_one.tbs, &f),
	    0);
	if (sign_list(h, "sub", &m.tbs, true, &f) < 0 ||
	    sign_list(h, "sub", &long_one.tbs, true, &f) < 0)
		fail_msg("%s", f.text);
	/* Signed as what it is, or not at all. */
	assert_int_equal(sign(h, "sub", &m, &f), -1);
	free(many);
	made_free(&m);
	made_free(&long_one);
	authority_clear(a);
	free(a);
}

static void
a_list_it_may_not_sign_is_refused(void **state)
{
	const struct house *h = *state;
	struct authority *a = probe_authority(&h->ca, PROBE_SUB_CONF);
	struct made good = person(h, "slcs-user", PERSON);
	OWN_BUF(tbs, CERT_MAX);
	struct fault f = { 0 };

	assert_int_equal(crl_tbs(a, NULL, 0, 3, MINT_NOW, &tbs, &f), 0);
	assert_int_equal(sign_list(h, "sub", &good.tbs, true, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(sign_list(h, "another", &tbs, true, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	/* What could be changed after it was read. */
	assert_int_equal(sign_list(h, "sub", &tbs, false, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	tbs.len--;
	assert_int_equal(sign_list(h, "sub", &tbs, true, &f), -1);
	tbs.len++;
	buf_put_u8(&tbs, 0);
	assert_int_equal(sign_list(h, "sub", &tbs, true, &f), -1);
	made_free(&good);
	authority_clear(a);
	free(a);
}

static void
a_key_and_a_certificate_that_differ_are_refused(void **state)
{
	const struct house *h = *state;
	struct fault f = { 0 };
	OWN_STRUCT(gate) gate = gate_new(&f);
	struct key *other = key_make("ec:P-256", &f);
	OWN_BUF(pem, 8192);

	assert_non_null(gate);
	assert_non_null(other);
	assert_int_equal(key_write_pem(other, NULL, &pem, &f), 0);
	key_free(other);
	assert_int_equal(gate_add(gate, conf, bytes(&h->cert), bytes(&pem),
			     no_phrase, NULL, &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

static void
two_cas_of_one_name_are_refused(void **state)
{
	const struct house *h = *state;
	struct fault f = { 0 };

	assert_int_equal(gate_add(h->gate, conf, bytes(&h->cert),
			     bytes(&h->key), no_phrase, NULL, &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	assert_int_equal(gate_count(h->gate), 1);
}

static void
at_a_reload_keys_are_taken_over_and_new_ones_are_not(void **state)
{
	struct house *h = *state;
	struct fault f = { 0 };
	struct gate *fresh = gate_new(&f);
	struct made m = person(h, "slcs-user", PERSON);
	struct house other = { .gate = NULL };

	assert_non_null(fresh);
	assert_int_equal(gate_add(fresh, conf, bytes(&h->cert), none, no_phrase,
			     h->gate, &f),
	    0);
	gate_take_over(fresh, h->gate);
	gate_free(h->gate);
	h->gate = fresh;
	if (sign(h, "sub", &m, &f) < 0)
		fail_msg("%s", f.text);
	made_free(&m);
	/* A certificate with a key that was never read. */
	other.ca =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	write_texts(&other);
	assert_non_null(fresh = gate_new(&f));
	assert_int_equal(gate_add(fresh, conf, bytes(&other.cert), none,
			     no_phrase, h->gate, &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	gate_free(fresh);
	made_free(&other.ca);
	buf_free(&other.cert);
	buf_free(&other.key);
}

#define TOKEN_LINE "key pkcs11:token=a;object=k?module-path=/x.so\n"

static const struct wire_bytes token_conf = {
	(const uint8_t *)PROBE_SUB_CONF TOKEN_LINE,
	sizeof(PROBE_SUB_CONF TOKEN_LINE) - 1
};

/* The same CA, whose key is in a token. */
static struct gate *
token_gate(const struct house *h, const struct gate *old)
{
	struct fault f = { 0 };
	struct gate *gate = gate_new(&f);

	assert_non_null(gate);
	if (gate_add(gate, token_conf, bytes(&h->cert), none, none, old, &f) <
	    0)
		fail_msg("%s", f.text);
	return gate;
}

static void
what_a_token_is_to_sign_is_understood_first(void **state)
{
	const struct house *h = *state;
	OWN_STRUCT(gate) gate = token_gate(h, NULL);
	struct made m = person(h, "slcs-user", PERSON);
	struct made stranger =
	    person(h, "slcs-user", "/DC=org/O=Else/OU=People/CN=a");
	struct gate_digest digest;
	OWN_BUF(signature, 1024);
	struct fault f = { 0 };

	assert_int_equal(gate_find(gate, "sub"), 0);
	assert_int_equal(gate_find(gate, "other"), -1);
	assert_true(gate_in_token(gate, 0));
	assert_false(gate_in_token(gate, 1));
	assert_false(gate_in_token(h->gate, 0));
	assert_int_equal(gate_digest(gate, 0, bytes(&stranger.tbs), MINT_NOW,
			     &digest, &f),
	    -1);
	assert_int_equal(f.code, FAULT_DENIED);
	assert_int_equal(gate_digest(gate, 0, bytes(&m.tbs), MINT_NOW, &digest,
			     &f),
	    0);
	/* The token is played by the key that would be in it. */
	assert_int_equal(key_sign(h->ca.key, bytes(&m.tbs), &signature, &f), 0);
	assert_int_equal(gate_verify(gate, 0, &digest, bytes(&signature), &f),
	    0);
	signature.data[signature.len - 1] ^= 1;
	assert_int_equal(gate_verify(gate, 0, &digest, bytes(&signature), &f),
	    -1);
	assert_int_equal(gate_sign(gate, "sub", bytes(&m.tbs), MINT_NOW,
			     &signature, &f),
	    -1);
	made_free(&m);
	made_free(&stranger);
}

static void
a_list_for_a_token_is_read_to_its_end_first(void **state)
{
	const struct house *h = *state;
	OWN_STRUCT(gate) gate = token_gate(h, NULL);
	struct authority *a = probe_authority(&h->ca, PROBE_SUB_CONF);
	OWN_BUF(tbs, 1u << 20);
	struct gate_digest digest;
	OWN_BUF(signature, 1024);
	struct fault f = { 0 };
	OWN_STRUCT(gate_list) list = NULL;
	int fd, more;

	assert_int_equal(crl_tbs(a, NULL, 0, 3, MINT_NOW, &tbs, &f), 0);
	fd = in_memory(&tbs, true);
	list = gate_list_new(gate, "sub", fd, MINT_NOW, &f);
	assert_non_null(list);
	(void)close(fd);
	assert_int_equal(gate_list_digest(list, &digest, &f), -1);
	while ((more = gate_list_step(list, &f)) == 1)
		;
	assert_int_equal(more, 0);
	assert_int_equal(gate_list_sign(list, &signature, &f), -1);
	assert_int_equal(gate_list_digest(list, &digest, &f), 0);
	assert_int_equal(key_sign(h->ca.key, bytes(&tbs), &signature, &f), 0);
	assert_int_equal(gate_verify(gate, 0, &digest, bytes(&signature), &f),
	    0);
	authority_clear(a);
	free(a);
}

static void
at_a_reload_a_key_stays_in_its_token_or_its_file(void **state)
{
	struct house *h = *state;
	OWN_STRUCT(gate) first = token_gate(h, NULL);
	OWN_STRUCT(gate) again = token_gate(h, first);
	OWN_STRUCT(gate) other = NULL;
	struct fault f = { 0 };

	assert_true(gate_in_token(again, 0));
	/* From a file into a token, and back. */
	other = gate_new(&f);
	assert_int_equal(gate_add(other, token_conf, bytes(&h->cert), none,
			     none, h->gate, &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
	gate_free(other);
	other = gate_new(&f);
	assert_int_equal(gate_add(other, conf, bytes(&h->cert), none, none,
			     first, &f),
	    -1);
	assert_int_equal(f.code, FAULT_CONFIG);
}

#define IN_A_HOUSE(test) \
	cmocka_unit_test_setup_teardown(test, open_house, close_house)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_A_HOUSE(what_the_ca_may_sign_is_signed),
		IN_A_HOUSE(what_it_may_not_sign_is_refused),
		IN_A_HOUSE(a_name_longer_than_its_upper_bound_is_refused),
		IN_A_HOUSE(a_list_of_the_ca_is_signed),
		IN_A_HOUSE(a_list_it_may_not_sign_is_refused),
		IN_A_HOUSE(a_key_and_a_certificate_that_differ_are_refused),
		IN_A_HOUSE(two_cas_of_one_name_are_refused),
		IN_A_HOUSE(what_a_token_is_to_sign_is_understood_first),
		IN_A_HOUSE(a_list_for_a_token_is_read_to_its_end_first),
		IN_A_HOUSE(at_a_reload_a_key_stays_in_its_token_or_its_file),
		IN_A_HOUSE(
		    at_a_reload_keys_are_taken_over_and_new_ones_are_not),
	};

	return cmocka_run_group_tests_name("signer/gate", tests, NULL, NULL);
}
