/*
 * signer: the only holder of the CAs' keys.  No network, no files, one mouth
 * to listen to.  It signs what it has read and understood to the last byte,
 * and nothing else.  Where a key is in a token, it has the digest of that
 * signed by the process that has the token, and believes what it has verified.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/role.h"
#include "signetd/signer/gate_list.h"
#include "signetd/signer/tokens.h"
#include "x509/ossl.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECURE_HEAP 131072
#define SECURE_LEAST 32
#define SIGNATURE_MAX 1024
#define SLICE_MS 2 /* of work on a list, and then a pause for others */
#define PAUSE_MS 1

struct signer {
	struct role *role;
	struct gate *gate;
	struct tokens *tokens;
	struct channel *issuer;
	struct loop_timer *work;
	/* The revocation list that is being read; NULL: none. */
	struct gate_list *list;
	bool asked; /* its digest is with a token */
	char ca[64];
	uint64_t number;
};

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	(void)role;
	if (ossl_start_alone(f) < 0)
		return -1;
	/*
	 * Private numbers live in memory that is locked, outside core dumps
	 * and between guard pages.  It is made before the walls, which limit
	 * what may be locked.
	 */
	if (CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_LEAST) == 0)
		return fault_set(f, FAULT_SYSTEM, "no secure heap for keys");
	box->promises = SANDBOX_PROMISE(STDIO);
	box->no_processes = true;
	return 0;
}

static struct wire_bytes
text_of(const struct role *role, size_t n, const char *part)
{
	char name[64];

	if (text_fmt(name, sizeof(name), "ca.%zu.%s", n, part) < 0)
		return (struct wire_bytes){ NULL, 0 };
	return role_text(role, name);
}

static void
forget_keys(struct role *role)
{
	char name[64];

	for (size_t i = 0; i < GATE_CAS_MAX; i++)
		if (text_fmt(name, sizeof(name), "ca.%zu.key", i) == 0)
			role_forget(role, name);
	for (size_t i = 0; i < GATE_CAS_MAX; i++)
		if (text_fmt(name, sizeof(name), "ca.%zu.phrase", i) == 0)
			role_forget(role, name);
}

static struct gate *
read_cas(struct role *role, const struct gate *old, struct fault *f)
{
	OWN_STRUCT(gate) gate = gate_new(f);
	size_t count = role->conf.ca.count;

	if (gate == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (gate_add(gate, text_of(role, i, "conf"),
			text_of(role, i, "cert"), text_of(role, i, "key"),
			text_of(role, i, "phrase"), old, f) < 0)
			return NULL;
	if (gate_count(gate) == 0) {
		(void)fault_set(f, FAULT_CONFIG, "no ca is configured");
		return NULL;
	}
	return TAKE(gate);
}

static void
drop_list(struct signer *s)
{
	gate_list_free(s->list);
	s->list = NULL;
	s->asked = false;
}

/* The list's signature, or with ${why} that there is none. */
static void
say_list(struct signer *s, struct wire_bytes signature, const struct fault *why)
{
	struct msg m = { .type = MSG_CRL_SIGNED };
	struct fault f = { 0 };

	drop_list(s);
	memcpy(m.crl_signed.ca, s->ca, sizeof(m.crl_signed.ca));
	m.crl_signed.number = s->number;
	if (why != NULL) {
		m.crl_signed.fault = why->code;
		LOG(SIGN_REFUSED, LOG_TEXT("ref", s->ca),
		    LOG_TEXT("text", why->text));
	} else {
		m.crl_signed.signature = signature;
	}
	if (channel_say(s->issuer, &m, &f) < 0)
		log_fault(&f, NULL);
}

static int
ask_for_list(struct signer *s, size_t ca, struct fault *f)
{
	struct tokens_wait wait = {
		.ca = ca, .list = true, .number = s->number
	};

	if (gate_list_digest(s->list, &wait.digest, f) < 0 ||
	    tokens_ask(s->tokens, &wait, f) < 0)
		return -1;
	s->asked = true;
	return 0;
}

/* The number goes into the book as the issuer says it: it must be the list's.
 */
static int
sign_list(struct signer *s, struct buf *signature, struct fault *f)
{
	int ca = gate_find(s->gate, s->ca);

	if (gate_list_number(s->list) != s->number)
		return fault_set(f, FAULT_DENIED,
		    "the list has another number than was said");
	if (ca >= 0 && gate_in_token(s->gate, (size_t)ca))
		return ask_for_list(s, (size_t)ca, f);
	return gate_list_sign(s->list, signature, f);
}

static void
work(void *arg)
{
	struct signer *s = arg;
	int64_t until = clock_mono() + SLICE_MS;
	OWN_BUF(signature, SIGNATURE_MAX);
	struct fault f = { 0 };
	int more = 1;

	if (s->list == NULL || s->asked)
		return;
	while (more == 1 && clock_mono() < until)
		more = gate_list_step(s->list, &f);
	if (more == 1) {
		loop_timer_set(s->work, PAUSE_MS);
		return;
	}
	if (more == 0)
		more = sign_list(s, &signature, &f);
	if (!s->asked)
		say_list(s,
		    (struct wire_bytes){ signature.data, signature.len },
		    more < 0 ? &f : NULL);
}

static void
take_list(struct signer *s, const struct msg_crl_sign *ask, int fd)
{
	struct fault f = { 0 };

	/* One at a time: what we had, the issuer has given up. */
	drop_list(s);
	memcpy(s->ca, ask->ca, sizeof(s->ca));
	s->number = ask->number;
	s->list = gate_list_new(s->gate, ask->ca, fd, clock_wall(), &f);
	(void)close(fd);
	if (s->list == NULL)
		say_list(s, (struct wire_bytes){ NULL, 0 }, &f);
	else
		loop_timer_set(s->work, PAUSE_MS);
}

/* Whether the issuer can ask for signatures of CA ${ca}, which has a token. */
static void
say_ready(void *arg, size_t ca, bool ready)
{
	struct signer *s = arg;
	struct msg m = { .type = MSG_CA_READY };
	struct fault f = { 0 };

	if (s->issuer == NULL || !gate_in_token(s->gate, ca))
		return;
	memcpy(m.ca_ready.ca, gate_name(s->gate, ca), sizeof(m.ca_ready.ca));
	m.ca_ready.ready = ready;
	if (channel_say(s->issuer, &m, &f) < 0)
		log_fault(&f, NULL);
}

static void
say_certificate(struct signer *s, const struct tokens_wait *wait,
    enum fault_code fault, struct wire_bytes signature)
{
	struct msg answer = { .type = MSG_TBS_DONE };
	struct fault f = { 0 };

	answer.tbs_done.id = wait->id;
	answer.tbs_done.fault = fault;
	answer.tbs_done.signature = signature;
	s->role->served += fault == FAULT_NONE;
	if (channel_say(s->issuer, &answer, &f) < 0)
		log_fault(&f, wait->ref);
}

/* A list that is not to be published is made again later, with another number.
 */
static void
end_list(struct signer *s, const struct tokens_wait *wait,
    enum fault_code fault, struct wire_bytes signature)
{
	struct fault f = { 0 };

	if (!s->asked || wait->number != s->number ||
	    strcmp(s->ca, gate_name(s->gate, wait->ca)) != 0)
		return;
	if (fault != FAULT_NONE)
		(void)fault_set(&f, fault,
		    "the token did not sign, or may have been away");
	say_list(s, signature, fault != FAULT_NONE ? &f : NULL);
}

/*
 * What a token's process says is believed of a signature that verifies, and of
 * no other.  One that comes with a fault was made in the shadow of a removal.
 */
static void
judge(void *arg, const struct tokens_wait *wait, enum fault_code fault,
    struct wire_bytes signature)
{
	struct signer *s = arg;
	struct fault f = { 0 };

	if (signature.len > 0 &&
	    gate_verify(s->gate, wait->ca, &wait->digest, signature, &f) < 0) {
		LOG(SIGN_REFUSED, LOG_TEXT("ref", wait->ref),
		    LOG_TEXT("text", "the token's signature is wrong"));
		tokens_wrong(s->tokens, wait->ca);
		signature.len = 0;
	}
	if (signature.len > 0 ? fault != FAULT_NONE : fault == FAULT_NONE)
		fault = FAULT_SUSPENDED;
	if (wait->list)
		end_list(s, wait, fault, signature);
	else
		say_certificate(s, wait, fault, signature);
}

static int
start(struct role *role, struct fault *f)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "signer");
	role->state = s;
	s->role = role;
	s->gate = read_cas(role, NULL, f);
	forget_keys(role);
	if (s->gate == NULL)
		return -1;
	s->work = loop_timer_new(role->loop, work, s, f);
	s->tokens = tokens_new(judge, say_ready, s, f);
	return s->work != NULL && s->tokens != NULL ? 0 : -1;
}

/* CA certificates and name spaces may change; keys stay. */
static int
reload(struct role *role, struct fault *f)
{
	struct signer *s = role->state;
	struct gate *fresh = read_cas(role, s->gate, f);

	forget_keys(role);
	if (fresh == NULL)
		return -1;
	/* The keeper begins it anew. */
	drop_list(s);
	gate_take_over(fresh, s->gate);
	gate_free(s->gate);
	s->gate = fresh;
	return 0;
}

/* A token signs: it answers later, unless ${f} says that it does not. */
static int
ask_token(struct signer *s, size_t ca, const struct msg_tbs_ask *ask,
    struct fault *f)
{
	struct tokens_wait wait = { .ca = ca, .id = ask->id };

	memcpy(wait.ref, ask->ref, sizeof(wait.ref));
	if (gate_digest(s->gate, ca, ask->tbs, clock_wall(), &wait.digest, f) <
	    0)
		return -1;
	return tokens_ask(s->tokens, &wait, f);
}

static void
sign(struct role *role, struct channel *ch, const struct msg_tbs_ask *ask)
{
	struct signer *s = role->state;
	int ca = gate_find(s->gate, ask->ca);
	bool in_token = ca >= 0 && gate_in_token(s->gate, (size_t)ca);
	struct msg answer = { .type = MSG_TBS_DONE };
	OWN_BUF(signature, SIGNATURE_MAX);
	struct fault f = { 0 };

	if (in_token && ask_token(s, (size_t)ca, ask, &f) == 0)
		return;
	answer.tbs_done.id = ask->id;
	if (in_token ||
	    gate_sign(s->gate, ask->ca, ask->tbs, clock_wall(), &signature,
		&f) < 0) {
		answer.tbs_done.fault = f.code;
		LOG(SIGN_REFUSED, LOG_TEXT("ref", ask->ref),
		    LOG_TEXT("text", f.text));
	} else {
		answer.tbs_done.signature =
		    (struct wire_bytes){ signature.data, signature.len };
		role->served++;
	}
	if (channel_say(ch, &answer, &f) < 0)
		log_fault(&f, ask->ref);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct role *role = arg;

	if (m->type == MSG_TBS_ASK)
		sign(role, ch, &m->tbs_ask);
	if (m->type == MSG_CRL_SIGN)
		take_list(role->state, &m->crl_sign, fd);
}

static void
heard_token(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct signer *s = arg;

	(void)fd;
	tokens_heard(s->tokens, ch, m);
}

/* It is started anew, and comes with a new channel. */
static void
token_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct signer *s = arg;

	(void)f;
	tokens_gone(s->tokens, ch);
	channel_free(ch);
}

static int
attach_token(struct role *role, const char *name, int fd, struct fault *f)
{
	struct signer *s = role->state;
	struct channel *ch;
	int64_t n;

	if (text_number(strchr(name, '.') + 1, 0, GATE_CAS_MAX - 1, &n) < 0 ||
	    !gate_in_token(s->gate, (size_t)n)) {
		(void)close(fd);
		return fault_set(f, FAULT_INTERNAL, "%s has no CA", name);
	}
	ch = role_channel(role, name, fd, heard_token, token_gone, s, f);
	if (ch == NULL)
		return -1;
	tokens_attach(s->tokens, (size_t)n, ch);
	return 0;
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct signer *s = role->state;

	if (text_starts(name, "token."))
		return attach_token(role, name, fd, f);
	if (s->issuer != NULL)
		return fault_set(f, FAULT_INTERNAL, "a second issuer");
	s->issuer = role_channel(role, name, fd, heard, NULL, role, f);
	if (s->issuer == NULL)
		return -1;
	for (size_t i = 0; i < gate_count(s->gate); i++)
		say_ready(s, i, tokens_ready(s->tokens, i));
	return 0;
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_SIGNER,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
	};

	return role_main(argc, argv, &spec);
}
