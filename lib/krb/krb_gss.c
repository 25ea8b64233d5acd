#include "krb/krb_gss.h"

#include "base/fault.h"
#include "base/text.h"
#include "krb/krb_gss_part.h"

#include <gssapi/gssapi_ext.h>

#include <string.h>

/* RFC 4752 3.3: the bit for "no security layer"; no other is offered. */
#define LAYER_NONE 1
#define LAYER_SIZE 4
#define STEPS_MAX 8

enum stage {
	STAGE_CONTEXT, /* tokens of the GSS context go back and forth */
	STAGE_OFFER,   /* the context stands; the accepting end offers layers */
	STAGE_CHOICE,  /* the initiating end chooses one, and says who it is */
	STAGE_OVER
};

/* What conversations prove themselves with, until the last one ends. */
struct shared {
	unsigned users;
	gss_cred_id_t cred;
};

struct krb_gss {
	bool accepting;
	enum stage stage;
	unsigned steps;
	gss_ctx_id_t context;
	struct shared *shared;
	gss_name_t target;
	char host[KRB_NAME_SIZE];
	char principal[KRB_NAME_SIZE];
	char authzid[KRB_NAME_SIZE];
};

static struct krb_gss *
new_end(bool accepting, const char *host, struct fault *f)
{
	struct krb_gss *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a Kerberos conversation");
		return NULL;
	}
	g->accepting = accepting;
	g->context = GSS_C_NO_CONTEXT;
	g->target = GSS_C_NO_NAME;
	if ((g->shared = calloc(1, sizeof(*g->shared))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a Kerberos conversation");
		krb_gss_free(g);
		return NULL;
	}
	g->shared->users = 1;
	g->shared->cred = GSS_C_NO_CREDENTIAL;
	if (text_copy(g->host, sizeof(g->host), host == NULL ? "" : host) < 0) {
		(void)fault_set(f, FAULT_INPUT, "host name too long");
		krb_gss_free(g);
		return NULL;
	}
	return g;
}

struct krb_gss *
krb_gss_accept(const char *keytab, const char *host, struct fault *f)
{
	gss_key_value_element_desc elements[2] = {
		{ "rcache", "none:" },
		{ "keytab", keytab },
	};
	gss_key_value_set_desc store = { keytab == NULL ? 1 : 2, elements };
	gss_OID_set_desc mechs = { 1, (gss_OID)gss_mech_krb5 };
	OWN_STRUCT(krb_gss) g = new_end(true, host, f);
	OM_uint32 major, minor;

	if (g == NULL)
		return NULL;
	/*
	 * No name is asked for: the library would ask the name service for
	 * the canonical form of a host.  The ticket's name is compared when
	 * the context stands.
	 */
	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
	    &mechs, GSS_C_ACCEPT, &store, &g->shared->cred, NULL, NULL);
	if (GSS_ERROR(major)) {
		(void)krb_gss_fault(f, FAULT_CONFIG, major, minor,
		    keytab == NULL ? "keytab" : keytab);
		return NULL;
	}
	return TAKE(g);
}

struct krb_gss *
krb_gss_again(const struct krb_gss *g, struct fault *f)
{
	struct krb_gss *another = calloc(1, sizeof(*another));

	if (another == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a Kerberos conversation");
		return NULL;
	}
	another->accepting = true;
	another->context = GSS_C_NO_CONTEXT;
	another->target = GSS_C_NO_NAME;
	memcpy(another->host, g->host, sizeof(another->host));
	another->shared = g->shared;
	another->shared->users++;
	return another;
}

static int
import_target(struct krb_gss *g, struct fault *f)
{
	char text[KRB_NAME_SIZE + sizeof("myproxy@")];
	gss_buffer_desc name = { 0, text };
	OM_uint32 major, minor;

	if (text_fmt(text, sizeof(text), "myproxy@%s", g->host) < 0)
		return fault_set(f, FAULT_INPUT, "host name too long");
	name.length = strlen(text);
	major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE,
	    &g->target);
	if (GSS_ERROR(major))
		return krb_gss_fault(f, FAULT_INPUT, major, minor, text);
	return 0;
}

struct krb_gss *
krb_gss_initiate(const char *host, const char *authzid, struct fault *f)
{
	gss_OID_set_desc mechs = { 1, (gss_OID)gss_mech_krb5 };
	OWN_STRUCT(krb_gss) g = new_end(false, host, f);
	OM_uint32 major, minor;

	if (g == NULL || import_target(g, f) < 0)
		return NULL;
	if (text_copy(g->authzid, sizeof(g->authzid), authzid) < 0) {
		(void)fault_set(f, FAULT_INPUT, "user name too long");
		return NULL;
	}
	major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
	    &mechs, GSS_C_INITIATE, &g->shared->cred, NULL, NULL);
	if (GSS_ERROR(major)) {
		(void)krb_gss_fault(f, krb_gss_code(major, minor), major, minor,
		    "Kerberos ticket");
		return NULL;
	}
	return TAKE(g);
}

/* Whether the ticket was for us: "myproxy/HOST@..." */
static int
check_target(const struct krb_gss *g, gss_name_t target, struct fault *f)
{
	char name[KRB_NAME_SIZE], want[KRB_NAME_SIZE + sizeof("myproxy/@")];

	if (g->host[0] == '\0')
		return 0;
	if (krb_gss_name(target, name, sizeof(name), f) < 0)
		return -1;
	if (text_fmt(want, sizeof(want), "myproxy/%s@", g->host) < 0 ||
	    strncasecmp(name, want, strlen(want)) != 0)
		return fault_set(f, FAULT_LOGIN,
		    "the ticket is for %s, not for myproxy/%s", name, g->host);
	return 0;
}

/* The context stands: is it one that we can rely on, and who is it? */
static int
check_context(struct krb_gss *g, OM_uint32 flags, struct fault *f)
{
	OWN_GSS_NAME(source);
	OWN_GSS_NAME(target);
	OM_uint32 major, minor;

	/* Without it there is no key of the accepting end: see krb_gss.h. */
	if ((flags & GSS_C_MUTUAL_FLAG) == 0)
		return fault_set(f, FAULT_LOGIN,
		    "mutual authentication is required");
	if ((flags & GSS_C_ANON_FLAG) != 0)
		return fault_set(f, FAULT_LOGIN, "anonymous ticket");
	if (!g->accepting)
		return 0;
	major = gss_inquire_context(&minor, g->context, &source, &target, NULL,
	    NULL, NULL, NULL, NULL);
	if (GSS_ERROR(major))
		return krb_gss_fault(f, FAULT_LOGIN, major, minor, "context");
	if (check_target(g, target, f) < 0)
		return -1;
	return krb_gss_name(source, g->principal, sizeof(g->principal), f);
}

static int
wrap(struct krb_gss *g, const void *data, size_t len, struct buf *out,
    struct fault *f)
{
	uint8_t copy[LAYER_SIZE + KRB_NAME_SIZE];
	gss_buffer_desc in = { len, copy };
	OWN_GSS_BUFFER(b);
	OM_uint32 major, minor;

	memcpy(copy, data, len);
	major =
	    gss_wrap(&minor, g->context, 0, GSS_C_QOP_DEFAULT, &in, NULL, &b);
	if (GSS_ERROR(major))
		return krb_gss_fault(f, FAULT_LOGIN, major, minor, "wrap");
	buf_put(out, b.value, b.length);
	return 0;
}

/* Unwrap ${token}, which must hold ${least} to ${size} bytes; their count. */
static int
unwrap(struct krb_gss *g, struct wire_bytes token, void *data, size_t least,
    size_t size, struct fault *f)
{
	gss_buffer_desc in = { token.len, (void *)(uintptr_t)token.data };
	OWN_GSS_BUFFER(b);
	OM_uint32 major, minor;

	major = gss_unwrap(&minor, g->context, &in, &b, NULL, NULL);
	/* Old and repeated tokens are supplementary bits, not errors. */
	if (major != GSS_S_COMPLETE)
		return krb_gss_fault(f, FAULT_LOGIN, major, minor, "unwrap");
	if (b.length < least || b.length > size)
		return fault_set(f, FAULT_LOGIN,
		    "RFC 4752 3: %zu bytes where the layer is chosen",
		    b.length);
	memcpy(data, b.value, b.length);
	return (int)b.length;
}

static int
make_offer(struct krb_gss *g, struct buf *out, struct fault *f)
{
	const uint8_t offer[LAYER_SIZE] = { LAYER_NONE, 0, 0, 0 };

	g->stage = STAGE_CHOICE;
	return wrap(g, offer, sizeof(offer), out, f);
}

static OM_uint32
accept_token(struct krb_gss *g, gss_buffer_t in, gss_buffer_t made,
    OM_uint32 *flags, OM_uint32 *minor)
{
	return gss_accept_sec_context(minor, &g->context, g->shared->cred, in,
	    GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, made, flags, NULL, NULL);
}

static OM_uint32
initiate_token(struct krb_gss *g, gss_buffer_t in, gss_buffer_t made,
    OM_uint32 *flags, OM_uint32 *minor)
{
	return gss_init_sec_context(minor, g->shared->cred, &g->context,
	    g->target, (gss_OID)gss_mech_krb5,
	    GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_SEQUENCE_FLAG |
		GSS_C_REPLAY_FLAG,
	    0, GSS_C_NO_CHANNEL_BINDINGS, in, NULL, made, flags, NULL);
}

static int
step_context(struct krb_gss *g, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	gss_buffer_desc in = { token.len, (void *)(uintptr_t)token.data };
	OM_uint32 major, minor = 0, flags = 0;
	OWN_GSS_BUFFER(made);

	/* RFC 4422 4.1: without an initial response an empty challenge asks
	 * for one. */
	if (g->accepting && token.len == 0 && g->steps == 1)
		return 0;
	major = g->accepting ? accept_token(g, &in, &made, &flags, &minor)
			     : initiate_token(g, &in, &made, &flags, &minor);
	if (GSS_ERROR(major))
		return krb_gss_fault(f,
		    g->accepting ? FAULT_LOGIN : krb_gss_code(major, minor),
		    major, minor, "Kerberos");
	buf_put(out, made.value, made.length);
	if ((major & GSS_S_CONTINUE_NEEDED) != 0)
		return 0;
	if (check_context(g, flags, f) < 0)
		return -1;
	g->stage = STAGE_OFFER;
	if (g->accepting && made.length == 0)
		return make_offer(g, out, f);
	return 0;
}

/* RFC 4752 3.1, at its end: choose no layer, and say who we ask to be. */
static int
answer_offer(struct krb_gss *g, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	uint8_t offer[LAYER_SIZE], choice[LAYER_SIZE + KRB_NAME_SIZE];
	size_t len = strlen(g->authzid);

	if (unwrap(g, token, offer, LAYER_SIZE, LAYER_SIZE, f) < 0)
		return -1;
	if ((offer[0] & LAYER_NONE) == 0)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the server insists on a security layer");
	if (offer[0] == LAYER_NONE && (offer[1] | offer[2] | offer[3]) != 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "RFC 4752 3.1: a size without a layer");
	memset(choice, 0, LAYER_SIZE);
	choice[0] = LAYER_NONE;
	memcpy(choice + LAYER_SIZE, g->authzid, len);
	g->stage = STAGE_OVER;
	return wrap(g, choice, LAYER_SIZE + len, out, f);
}

static int
step_offer(struct krb_gss *g, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	if (!g->accepting)
		return answer_offer(g, token, out, f);
	if (token.len != 0)
		return fault_set(f, FAULT_LOGIN,
		    "RFC 4752 3.2: a token where none was due");
	return make_offer(g, out, f);
}

/* RFC 4752 3.2, at its end: the layer that was chosen, and the name. */
static int
step_choice(struct krb_gss *g, struct wire_bytes token, struct fault *f)
{
	uint8_t choice[LAYER_SIZE + KRB_NAME_SIZE - 1];
	size_t len;
	int got;

	got = unwrap(g, token, choice, LAYER_SIZE, sizeof(choice), f);
	if (got < 0)
		return -1;
	if (choice[0] != LAYER_NONE)
		return fault_set(f, FAULT_LOGIN,
		    "RFC 4752 3.2: a layer was chosen that was not offered");
	if ((choice[1] | choice[2] | choice[3]) != 0)
		return fault_set(f, FAULT_LOGIN,
		    "RFC 4752 3.2: a size without a layer");
	len = (size_t)got - LAYER_SIZE;
	if (!text_utf8(choice + LAYER_SIZE, len))
		return fault_set(f, FAULT_LOGIN,
		    "RFC 4752 3.2: the authorization id is not UTF-8");
	memcpy(g->authzid, choice + LAYER_SIZE, len);
	g->authzid[len] = '\0';
	g->stage = STAGE_OVER;
	return 0;
}

static int
step(struct krb_gss *g, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	if (++g->steps > STEPS_MAX)
		return fault_set(f, FAULT_LOGIN, "the conversation has no end");
	switch (g->stage) {
	case STAGE_CONTEXT:
		return step_context(g, token, out, f);
	case STAGE_OFFER:
		return step_offer(g, token, out, f);
	case STAGE_CHOICE:
		return step_choice(g, token, f);
	case STAGE_OVER:
		break;
	}
	return fault_set(f, FAULT_LOGIN, "the conversation is over");
}

enum krb_step
krb_gss_step(struct krb_gss *g, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	if (step(g, token, out, f) < 0) {
		g->stage = STAGE_OVER;
		g->principal[0] = '\0';
		return KRB_FAILED;
	}
	if (out->failed) {
		g->stage = STAGE_OVER;
		g->principal[0] = '\0';
		(void)fault_set(f, FAULT_MEMORY, "Kerberos token too long");
		return KRB_FAILED;
	}
	return g->stage == STAGE_OVER ? KRB_DONE : KRB_MORE;
}

const char *
krb_gss_principal(const struct krb_gss *g)
{
	return g->stage == STAGE_OVER ? g->principal : "";
}

const char *
krb_gss_authzid(const struct krb_gss *g)
{
	return g->authzid;
}

static void
drop(struct shared *shared)
{
	OM_uint32 minor;

	if (shared == NULL || --shared->users > 0)
		return;
	(void)gss_release_cred(&minor, &shared->cred);
	free(shared);
}

void
krb_gss_free(struct krb_gss *g)
{
	OM_uint32 minor;

	if (g == NULL)
		return;
	if (g->context != GSS_C_NO_CONTEXT)
		(void)gss_delete_sec_context(&minor, &g->context, NULL);
	(void)gss_release_name(&minor, &g->target);
	drop(g->shared);
	free(g);
}
