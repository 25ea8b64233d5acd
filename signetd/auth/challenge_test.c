#include "base/buf.h"
#include "base/file.h"
#include "krb/keytab_probe.h"
#include "signetd/auth/auth_probe.h"
#include "trust/pki_probe.h"

#define CERTIFICATE "realm EX.ORG\nauth certificate\n"
#define ALL                                                            \
	"realm EX.ORG\nauth certificate\nauth certificate-sha1\nauth " \
	"kerberos\n"
#define KEYTAB "challenge_test.keytab"

/* MyProxy's numbers. */
#define METHOD_PASSWORD 1
#define METHOD_SHA1 2
#define METHOD_SASL 3
#define METHOD_SHA256 4

static struct msg_auth_offer
offer(struct house *h, uint32_t connection)
{
	house_ask(h, connection, "alice", "");
	return house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_OFFER)
	    ->auth_offer;
}

static void
step(struct house *h, uint32_t connection, uint32_t method, const void *data,
    size_t len)
{
	const struct msg_auth_step m = { .connection = connection,
		.method = method,
		.token = { data, len } };

	challenge_step(talk_find(h->auth.talks, h->front, connection), &m);
}

static void
what_is_configured_is_offered(void **state)
{
	static const struct {
		const char *conf;
		uint32_t methods;
	} offers[] = { { CERTIFICATE, 1u << METHOD_SHA256 },
		{ "realm E\nauth certificate-sha1\n", 1u << METHOD_SHA1 },
		{ "realm E\nauth kerberos\nauth passwd\n", 1u << METHOD_SASL },
		{ ALL,
		    1u << METHOD_SHA256 | 1u << METHOD_SHA1 |
			1u << METHOD_SASL } };

	(void)state;
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		struct house *h = house_open(offers[i].conf);
		struct msg_auth_offer o = offer(h, 1);

		assert_int_equal(o.methods, offers[i].methods);
		talk_abandon_all(h->auth.talks, h->front);
		house_close(h);
	}
}

static void
each_challenge_is_new(void **state)
{
	struct house *h = house_open(ALL);
	struct msg_auth_offer first = offer(h, 1), second = offer(h, 2);

	(void)state;
	assert_int_equal(strlen(first.challenge_sha256), 32);
	assert_int_equal(strlen(first.challenge_sha1), 32);
	assert_string_not_equal(first.challenge_sha256, first.challenge_sha1);
	assert_string_not_equal(first.challenge_sha256,
	    second.challenge_sha256);
	assert_string_not_equal(first.challenge_sha1, second.challenge_sha1);
	talk_abandon_all(h->auth.talks, h->front);
	house_close(h);
}

static void
what_was_not_offered_is_refused(void **state)
{
	static const uint32_t methods[] = { 0, METHOD_PASSWORD, METHOD_SHA1,
		METHOD_SASL, 5, 31, 32, 33, 36, UINT32_MAX };
	struct house *h = house_open(CERTIFICATE);

	(void)state;
	for (uint32_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		(void)offer(h, i);
		step(h, i, methods[i], "x", 1);
		house_refuses(h, i, FAULT_INPUT);
	}
	house_close(h);
}

static void
a_step_while_a_password_is_tried_was_not_due(void **state)
{
	struct house *h =
	    house_open("realm EX.ORG\nauth passwd\nauth certificate\n");
	uint32_t id;

	(void)state;
	house_ask(h, 1, "ann", "secret");
	id = house_work(h, "passwd", "ann").id;
	step(h, 1, METHOD_SHA256, "x", 1);
	house_refuses(h, 1, FAULT_INPUT);
	/* The worker's yes comes too late for him. */
	house_answer(h, id, FAULT_NONE, "");
	assert_true(probe_is_silent(h->issuer_fd));
	assert_true(probe_is_silent(h->front_fd));
	house_close(h);
}

/* ---- certificates */

static void
sign_answer(const struct pki *p, enum pki_who leaf, const char *challenge,
    struct buf *out)
{
	OWN(EVP_MD_CTX) context = EVP_MD_CTX_new();
	uint8_t signature[1024], length[4];
	struct wire_out wire = { length, sizeof(length), false };
	size_t len = sizeof(signature);

	assert_non_null(context);
	assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL,
			     p->key[leaf]),
	    1);
	assert_int_equal(EVP_DigestSign(context, signature, &len,
			     (const uint8_t *)challenge, strlen(challenge)),
	    1);
	wire_put_u32(&wire, (uint32_t)len);
	buf_put(out, length, sizeof(length));
	buf_put(out, signature, len);
	buf_put_u8(out, (uint8_t)leaf); /* down to SUB, which is 1 */
	for (int i = (int)leaf; i >= (int)SUB; i--) {
		unsigned char *der = NULL;
		int n = i2d_X509(p->cert[i], &der);

		assert_true(n > 0);
		buf_put(out, der, (size_t)n);
		OPENSSL_free(der);
	}
	assert_false(out->failed);
}

/* A house that trusts ${p}'s root, and gives Alice the subject ${subject}. */
static struct house *
trusting(struct pki *p, const char *subject)
{
	struct house *h = house_open(CERTIFICATE);
	struct fault f = { 0 };

	/* Good for a few days around now. */
	for (int i = 0; i < PKI_COUNT; i++) {
		p->spec[i].begins += (long)(clock_wall() - PKI_NOW);
		p->spec[i].ends += (long)(clock_wall() - PKI_NOW);
	}
	pki_make(p);
	pki_dir(p);
	h->auth.trust = upkeep_new(p->dir, true, NULL, NULL, &f);
	assert_non_null(h->auth.trust);
	memcpy(h->auth.profile[0].subject, subject, strlen(subject) + 1);
	return h;
}

static void
answer(struct house *h, const struct pki *p, enum pki_who leaf,
    uint32_t connection, const char *challenge)
{
	OWN_BUF(out, 65536);

	sign_answer(p, leaf, challenge, &out);
	step(h, connection, METHOD_SHA256, out.data, out.len);
}

static void
who_holds_the_certificate_gets_its_subject_and_the_issuer_hears_which(void *
	*state)
{
	struct pki p;
	struct house *h;
	struct msg_auth_offer o;
	struct msg_vouch vouch;

	(void)state;
	pki_init(&p);
	h = trusting(&p, PKI_PERSON);
	o = offer(h, 1);
	answer(h, &p, EEC, 1, o.challenge_sha256);
	vouch = house_vouches(h, 1);
	assert_string_equal(vouch.subject, PKI_PERSON);
	assert_string_equal(vouch.principal, "alice@EX.ORG");
	assert_string_equal(vouch.method, "certificate");
	assert_string_equal(vouch.shown_issuer, PKI_BASE "/CN=Sub");
	assert_string_equal(vouch.shown_serial, "03ea"); /* 1002 */
	house_close(h);
	pki_free(&p);
}

static void
somebody_elses_certificate_proves_nothing(void **state)
{
	struct pki p;
	struct house *h;
	struct msg_auth_offer o;

	(void)state;
	pki_init(&p);
	h = trusting(&p, PKI_BASE "/OU=People/CN=Bob");
	o = offer(h, 1);
	answer(h, &p, EEC, 1, o.challenge_sha256);
	house_refuses(h, 1, FAULT_LOGIN);
	house_close(h);
	pki_free(&p);
}

static void
a_challenge_is_good_for_its_own_conversation_and_once(void **state)
{
	struct pki p;
	struct house *h;
	struct msg_auth_offer first, second;

	(void)state;
	pki_init(&p);
	h = trusting(&p, PKI_PERSON);
	first = offer(h, 1);
	second = offer(h, 2);
	answer(h, &p, EEC, 1, second.challenge_sha256);
	house_refuses(h, 1, FAULT_LOGIN);
	/* The digits of the other digest's method are others, too. */
	answer(h, &p, EEC, 2, second.challenge_sha1);
	house_refuses(h, 2, FAULT_LOGIN);
	(void)offer(h, 1);
	answer(h, &p, EEC, 1, first.challenge_sha256);
	house_refuses(h, 1, FAULT_LOGIN);
	house_close(h);
	pki_free(&p);
}

static void
limited_expired_and_untrusted_are_told_apart(void **state)
{
	static const struct {
		enum pki_who leaf;
		enum fault_code code;
	} cases[] = { { PROXY, FAULT_DENIED }, { EEC, FAULT_EXPIRED },
		{ EEC, FAULT_UNTRUSTED } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pki p;
		struct house *h;
		struct msg_auth_offer o;

		pki_init(&p);
		if (cases[i].code == FAULT_DENIED)
			pki_set(&p, PROXY, "proxyCertInfo", PKI_LIMITED);
		if (cases[i].code == FAULT_EXPIRED)
			p.spec[EEC].ends = -1;
		p.spec[SUB].forged = cases[i].code == FAULT_UNTRUSTED;
		h = trusting(&p, PKI_PERSON);
		o = offer(h, 1);
		answer(h, &p, cases[i].leaf, 1, o.challenge_sha256);
		house_refuses(h, 1, cases[i].code);
		house_close(h);
		pki_free(&p);
	}
}

static void
what_is_no_answer_is_refused(void **state)
{
	struct pki p;
	struct house *h;

	(void)state;
	pki_init(&p);
	h = trusting(&p, PKI_PERSON);
	(void)offer(h, 1);
	step(h, 1, METHOD_SHA256, NULL, 0);
	house_refuses(h, 1, FAULT_LOGIN);
	(void)offer(h, 2);
	step(h, 2, METHOD_SHA256, "\0\0\0\1s\1\x30\0", 8);
	house_refuses(h, 2, FAULT_LOGIN);
	house_close(h);
	pki_free(&p);
}

static void
without_trust_anchors_the_fault_is_ours(void **state)
{
	struct house *h = house_open(CERTIFICATE);

	(void)state;
	(void)offer(h, 1);
	step(h, 1, METHOD_SHA256, "x", 1);
	house_refuses(h, 1, FAULT_FAILED);
	house_close(h);
}

/* ---- Kerberos */

static struct house *
with_keytab(void)
{
	struct house *h = house_open(ALL);
	struct fault f = { 0 };

	(void)setenv("KRB5_CONFIG", "/dev/null", 1);
	assert_int_equal(file_write(KEYTAB, 0600, keytab_probe,
			     sizeof(keytab_probe), &f),
	    0);
	h->auth.keys = krb_gss_accept(KEYTAB, NULL, &f);
	assert_non_null(h->auth.keys);
	return h;
}

static void
close_keytab(struct house *h)
{
	house_close(h);
	(void)unlink(KEYTAB);
}

static void
garbage_for_a_token_is_refused(void **state)
{
	struct house *h = with_keytab();

	(void)state;
	(void)offer(h, 1);
	/* An empty first token is asked for again. */
	step(h, 1, METHOD_SASL, NULL, 0);
	(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_MORE);
	assert_int_equal(h->heard.auth_more.connection, 1);
	step(h, 1, METHOD_SASL, "``````````", 10);
	house_refuses(h, 1, FAULT_LOGIN);
	close_keytab(h);
}

static void
who_has_begun_with_kerberos_goes_on_with_it(void **state)
{
	static const uint32_t others[] = { METHOD_SHA1, METHOD_SHA256,
		METHOD_PASSWORD, 0, 32 };
	struct house *h = with_keytab();

	(void)state;
	for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		(void)offer(h, i);
		step(h, i, METHOD_SASL, NULL, 0);
		(void)house_hear(h, h->front_fd, MSG_ROLE_FRONT, MSG_AUTH_MORE);
		step(h, i, others[i], "x", 1);
		house_refuses(h, i, FAULT_INPUT);
	}
	close_keytab(h);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_configured_is_offered),
		cmocka_unit_test(each_challenge_is_new),
		cmocka_unit_test(what_was_not_offered_is_refused),
		cmocka_unit_test(a_step_while_a_password_is_tried_was_not_due),
		cmocka_unit_test(
		    who_holds_the_certificate_gets_its_subject_and_the_issuer_hears_which),
		cmocka_unit_test(somebody_elses_certificate_proves_nothing),
		cmocka_unit_test(
		    a_challenge_is_good_for_its_own_conversation_and_once),
		cmocka_unit_test(limited_expired_and_untrusted_are_told_apart),
		cmocka_unit_test(what_is_no_answer_is_refused),
		cmocka_unit_test(without_trust_anchors_the_fault_is_ours),
		cmocka_unit_test(garbage_for_a_token_is_refused),
		cmocka_unit_test(who_has_begun_with_kerberos_goes_on_with_it),
	};

	return cmocka_run_group_tests_name("auth/challenge", tests, NULL, NULL);
}
