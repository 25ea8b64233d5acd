/*
 * signer: the only holder of the CAs' keys.  No network, no files, one mouth
 * to listen to.  It signs what it has read and understood to the last byte,
 * and nothing else.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/role.h"
#include "signetd/signer/gate.h"
#include "x509/ossl.h"

#include <openssl/crypto.h>

#include <stdlib.h>

#define SECURE_HEAP 131072
#define SECURE_LEAST 32
#define SIGNATURE_MAX 1024

struct signer {
	struct gate *gate;
	struct channel *issuer;
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

static int
start(struct role *role, struct fault *f)
{
	struct signer *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "signer");
	role->state = s;
	s->gate = read_cas(role, NULL, f);
	forget_keys(role);
	return s->gate != NULL ? 0 : -1;
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
	gate_take_over(fresh, s->gate);
	gate_free(s->gate);
	s->gate = fresh;
	return 0;
}

static void
sign(struct role *role, struct channel *ch, const struct msg_tbs_ask *ask)
{
	struct signer *s = role->state;
	struct msg answer = { .type = MSG_TBS_DONE };
	OWN_BUF(signature, SIGNATURE_MAX);
	struct fault f = { 0 };

	answer.tbs_done.id = ask->id;
	if (gate_sign(s->gate, ask->ca, ask->crl != 0, ask->tbs, clock_wall(),
		&signature, &f) < 0) {
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
	(void)fd;
	if (m->type == MSG_TBS_ASK)
		sign(arg, ch, &m->tbs_ask);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct signer *s = role->state;

	if (s->issuer != NULL)
		return fault_set(f, FAULT_INTERNAL, "a second issuer");
	s->issuer = role_channel(role, name, fd, heard, NULL, role, f);
	return s->issuer != NULL ? 0 : -1;
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
