#include "signetd/front/proof.h"

#include "base/text.h"
#include "myproxy/myproxy_text.h"
#include "x509/csr.h"

#include <stdlib.h>
#include <string.h>

#define PREFIX 4 /* the method as a little-endian int */
#define MECHANISM "GSSAPI"
#define SASL_PROMPT "SASL authorization negotiation server"
#define PROOF_MAX 49152u     /* of AUTH_STEP */
#define SASL_TEXT_MAX 61440u /* less than what a visit reads ahead */
#define OFFER_MAX 81920u

/* How the data of one method are taken out of what has come. */
typedef bool take_fn(struct visit *v, const uint8_t *data, size_t len);

static bool
broken(struct visit *v)
{
	visit_refuse(v, FAULT_INPUT);
	return true;
}

static void
eat(struct visit *v, size_t len)
{
	buf_eat(&v->in, PREFIX + len);
}

static void
offer_sasl(struct visit *v, const void *data, size_t len)
{
	struct buf out = BUF(OFFER_MAX);
	size_t size = TEXT_BASE64_SIZE(len);
	char *base64 = malloc(size);

	if (base64 == NULL) {
		visit_refuse(v, FAULT_MEMORY);
		return;
	}
	text_base64(data, len, base64);
	myproxy_write_offer_begin(&out);
	myproxy_write_offer(&out, MYPROXY_METHOD_SASL, base64);
	myproxy_write_offer_end(&out);
	free(base64);
	visit_put(v, &out);
}

void
proof_offer(struct visit *v, const struct msg_auth_offer *offer)
{
	struct buf out = BUF(OFFER_MAX);

	/* A pass phrase rides in the request or nowhere. */
	v->offered = offer->methods &
	    (1u << MYPROXY_METHOD_X509_SHA1 | 1u << MYPROXY_METHOD_SASL |
		1u << MYPROXY_METHOD_X509_SHA256);
	if (v->offered == 0) {
		visit_refuse(v, FAULT_LOGIN);
		return;
	}
	myproxy_write_offer_begin(&out);
	if ((v->offered & 1u << MYPROXY_METHOD_X509_SHA1) != 0)
		myproxy_write_offer(&out, MYPROXY_METHOD_X509_SHA1,
		    offer->challenge_sha1);
	if ((v->offered & 1u << MYPROXY_METHOD_X509_SHA256) != 0)
		myproxy_write_offer(&out, MYPROXY_METHOD_X509_SHA256,
		    offer->challenge_sha256);
	if ((v->offered & 1u << MYPROXY_METHOD_SASL) != 0)
		myproxy_write_offer(&out, MYPROXY_METHOD_SASL, SASL_PROMPT);
	myproxy_write_offer_end(&out);
	visit_put(v, &out);
	v->state = VISIT_CHOICE;
}

static void
give_auth(struct visit *v, const void *token, size_t len)
{
	struct msg m = { .type = MSG_AUTH_STEP };

	m.auth_step.connection = v->id;
	m.auth_step.method = v->method;
	m.auth_step.token = (struct wire_bytes){ token, len };
	v->state = VISIT_PROVING;
	if (visit_say(v, &m) < 0)
		return;
}

/* "GSSAPI", or "GSSAPI" NUL and the first token (RFC 4422 section 4). */
static void
sasl_choose(struct visit *v, const uint8_t *data, size_t len)
{
	const size_t name_len = sizeof(MECHANISM) - 1;

	if (len < name_len || memcmp(data, MECHANISM, name_len) != 0 ||
	    (len > name_len && data[name_len] != '\0')) {
		(void)broken(v);
		return;
	}
	v->sasl_chosen = true;
	if (len == name_len)
		offer_sasl(v, "", 0);
	else
		give_auth(v, data + name_len + 1, len - name_len - 1);
}

/* base64 and a NUL; the first one says no more than that SASL is meant. */
static bool
take_sasl(struct visit *v, const uint8_t *data, size_t len)
{
	const uint8_t *nul = memchr(data, '\0', len);
	size_t text_len = nul != NULL ? (size_t)(nul - data) : 0;
	uint8_t *token;
	int got;

	if (nul == NULL)
		return len > SASL_TEXT_MAX ? broken(v) : false;
	if (!v->sasl_begun) {
		v->sasl_begun = true;
		eat(v, text_len + 1);
		offer_sasl(v, MECHANISM, sizeof(MECHANISM) - 1);
		return true;
	}
	if ((token = malloc(PROOF_MAX)) == NULL) {
		visit_refuse(v, FAULT_MEMORY);
		return true;
	}
	got = text_unbase64((const char *)data, text_len, token, PROOF_MAX);
	eat(v, text_len + 1);
	if (got < 0)
		(void)broken(v);
	else if (!v->sasl_chosen)
		sasl_choose(v, token, (size_t)got);
	else
		give_auth(v, token, (size_t)got);
	free(token);
	return true;
}

/*
 * The length of u32 signature length, signature, count byte and certificates
 * at ${data}: 0 if more must come, -1 if it cannot be.
 */
static long
x509_length(const uint8_t *data, size_t len)
{
	struct wire_in in = { data, len, false };
	struct wire_in ahead = in;
	uint8_t count;

	if (wire_get_u32(&ahead) > PROOF_MAX)
		return -1;
	(void)wire_get_bytes(&in, PROOF_MAX);
	count = wire_get_u8(&in);
	if (in.failed)
		return 0;
	for (; count > 0; count--) {
		long n = csr_length(in.at, in.left, PROOF_MAX);

		if (n <= 0)
			return n;
		if ((size_t)n > in.left)
			return 0;
		in.at += n;
		in.left -= (size_t)n;
	}
	return (long)(len - in.left);
}

static bool
take_x509(struct visit *v, const uint8_t *data, size_t len)
{
	long proof_len = x509_length(data, len);

	if (proof_len < 0 || (proof_len == 0 && len > PROOF_MAX) ||
	    proof_len > (long)PROOF_MAX)
		return broken(v);
	if (proof_len == 0)
		return false;
	give_auth(v, data, (size_t)proof_len);
	eat(v, (size_t)proof_len);
	return true;
}

bool
proof_step(struct visit *v)
{
	static take_fn *const takers[] = {
		[MYPROXY_METHOD_X509_SHA1] = take_x509,
		[MYPROXY_METHOD_SASL] = take_sasl,
		[MYPROXY_METHOD_X509_SHA256] = take_x509,
	};
	unsigned method;

	/* The stock client puts a second NUL after its first SASL answer. */
	while (v->in.len > 0 && v->in.data[0] == 0)
		buf_eat(&v->in, 1);
	if (v->in.len < PREFIX)
		return false;
	method = v->in.data[0];
	if (method >= sizeof(takers) / sizeof(takers[0]) ||
	    (v->offered & 1u << method) == 0 ||
	    (v->method != 0 && v->method != method))
		return broken(v);
	v->method = method;
	return takers[method](v, v->in.data + PREFIX, v->in.len - PREFIX);
}

void
proof_more(struct visit *v, struct wire_bytes token)
{
	if (v->method != MYPROXY_METHOD_SASL) {
		visit_refuse(v, FAULT_INTERNAL);
		return;
	}
	v->state = VISIT_CHOICE;
	offer_sasl(v, token.data, token.len);
}
