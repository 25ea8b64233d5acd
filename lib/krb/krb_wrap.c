#include "krb/krb_wrap.h"

#include "base/text.h"
#include "krb/krb_gss_part.h"

#include <gssapi/gssapi_ext.h>

#include <string.h>

#define STEPS_MAX 8
#define FLAGS                                                     \
	(GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | \
	    GSS_C_SEQUENCE_FLAG | GSS_C_REPLAY_FLAG)

struct krb_keys {
	unsigned users; /* conversations, and who opened them */
	gss_cred_id_t cred;
};

struct krb_wrap {
	struct krb_keys *keys; /* NULL on the initiating end */
	const char *const *services;
	gss_cred_id_t own; /* of the initiating end */
	gss_name_t target;
	gss_ctx_id_t context;
	unsigned steps;
	bool stands;
	bool over;
	char principal[KRB_NAME_SIZE];
};

struct krb_keys *
krb_keys_open(const char *keytab, struct fault *f)
{
	gss_key_value_element_desc elements[2] = {
		{ "rcache", "none:" },
		{ "keytab", keytab },
	};
	gss_key_value_set_desc store = { 2, elements };
	gss_OID_set_desc mechs = { 1, (gss_OID)gss_mech_krb5 };
	struct krb_keys *keys = calloc(1, sizeof(*keys));
	OM_uint32 major, minor;

	if (keys == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "keytab");
		return NULL;
	}
	keys->users = 1;
	/* No name is asked for: the library would ask the name service. */
	major = gss_acquire_cred_from(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
	    &mechs, GSS_C_ACCEPT, &store, &keys->cred, NULL, NULL);
	if (GSS_ERROR(major)) {
		(void)krb_gss_fault(f, FAULT_CONFIG, major, minor, keytab);
		free(keys);
		return NULL;
	}
	return keys;
}

void
krb_keys_free(struct krb_keys *keys)
{
	OM_uint32 minor;

	if (keys == NULL || --keys->users > 0)
		return;
	(void)gss_release_cred(&minor, &keys->cred);
	free(keys);
}

static struct krb_wrap *
new_end(struct fault *f)
{
	struct krb_wrap *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a Kerberos conversation");
		return NULL;
	}
	w->own = GSS_C_NO_CREDENTIAL;
	w->target = GSS_C_NO_NAME;
	w->context = GSS_C_NO_CONTEXT;
	return w;
}

struct krb_wrap *
krb_wrap_accept(struct krb_keys *keys, const char *const *services,
    struct fault *f)
{
	struct krb_wrap *w = new_end(f);

	if (w == NULL)
		return NULL;
	w->keys = keys;
	w->services = services;
	keys->users++;
	return w;
}

struct krb_wrap *
krb_wrap_initiate(const char *service, const char *host, struct fault *f)
{
	gss_OID_set_desc mechs = { 1, (gss_OID)gss_mech_krb5 };
	OWN_STRUCT(krb_wrap) w = new_end(f);
	char text[2 * KRB_NAME_SIZE];
	gss_buffer_desc name = { 0, text };
	OM_uint32 major, minor;

	if (w == NULL)
		return NULL;
	if (text_fmt(text, sizeof(text), "%s@%s", service, host) < 0) {
		(void)fault_set(f, FAULT_INPUT, "host name too long");
		return NULL;
	}
	name.length = strlen(text);
	major = gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE,
	    &w->target);
	if (!GSS_ERROR(major))
		major =
		    gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
			&mechs, GSS_C_INITIATE, &w->own, NULL, NULL);
	if (GSS_ERROR(major)) {
		(void)krb_gss_fault(f, krb_gss_code(major, minor), major, minor,
		    "Kerberos ticket");
		return NULL;
	}
	return TAKE(w);
}

/* Whether the ticket was for a service that we are: "office/HOST@..." */
static int
check_target(const struct krb_wrap *w, gss_name_t target, struct fault *f)
{
	char name[KRB_NAME_SIZE];

	if (krb_gss_name(target, name, sizeof(name), f) < 0)
		return -1;
	for (size_t i = 0; w->services[i] != NULL; i++) {
		size_t len = strlen(w->services[i]);

		if (strncmp(name, w->services[i], len) == 0 && name[len] == '/')
			return 0;
	}
	return fault_set(f, FAULT_LOGIN, "the ticket is for %s, not for %s/...",
	    name, w->services[0]);
}

/* The context stands: is it one that we can rely on, and who is it? */
static int
check_context(struct krb_wrap *w, OM_uint32 flags, struct fault *f)
{
	const OM_uint32 needed =
	    GSS_C_MUTUAL_FLAG | GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG;
	OWN_GSS_NAME(source);
	OWN_GSS_NAME(target);
	OM_uint32 major, minor;

	if ((flags & needed) != needed || (flags & GSS_C_ANON_FLAG) != 0)
		return fault_set(f,
		    w->keys != NULL ? FAULT_LOGIN : FAULT_UNTRUSTED,
		    "mutual authentication and confidentiality are required");
	if (w->keys == NULL)
		return 0;
	major = gss_inquire_context(&minor, w->context, &source, &target, NULL,
	    NULL, NULL, NULL, NULL);
	if (GSS_ERROR(major))
		return krb_gss_fault(f, FAULT_LOGIN, major, minor, "context");
	if (check_target(w, target, f) < 0)
		return -1;
	return krb_gss_name(source, w->principal, sizeof(w->principal), f);
}

static OM_uint32
take_token(struct krb_wrap *w, gss_buffer_t in, gss_buffer_t made,
    OM_uint32 *flags, OM_uint32 *minor)
{
	if (w->keys != NULL)
		return gss_accept_sec_context(minor, &w->context, w->keys->cred,
		    in, GSS_C_NO_CHANNEL_BINDINGS, NULL, NULL, made, flags,
		    NULL, NULL);
	return gss_init_sec_context(minor, w->own, &w->context, w->target,
	    (gss_OID)gss_mech_krb5, FLAGS, 0, GSS_C_NO_CHANNEL_BINDINGS, in,
	    NULL, made, flags, NULL);
}

static int
step(struct krb_wrap *w, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	gss_buffer_desc in = { token.len, (void *)(uintptr_t)token.data };
	OM_uint32 major, minor = 0, flags = 0;
	OWN_GSS_BUFFER(made);

	if (w->over || w->stands || ++w->steps > STEPS_MAX)
		return fault_set(f, FAULT_LOGIN, "the conversation is over");
	major = take_token(w, &in, &made, &flags, &minor);
	if (GSS_ERROR(major))
		return krb_gss_fault(f,
		    w->keys != NULL ? FAULT_LOGIN : krb_gss_code(major, minor),
		    major, minor, "Kerberos");
	buf_put(out, made.value, made.length);
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "Kerberos token too long");
	if ((major & GSS_S_CONTINUE_NEEDED) != 0)
		return 0;
	if (check_context(w, flags, f) < 0)
		return -1;
	w->stands = true;
	return 1;
}

enum krb_step
krb_wrap_step(struct krb_wrap *w, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	int result = step(w, token, out, f);

	if (result >= 0)
		return result > 0 ? KRB_DONE : KRB_MORE;
	w->over = true;
	w->stands = false;
	w->principal[0] = '\0';
	return KRB_FAILED;
}

const char *
krb_wrap_principal(const struct krb_wrap *w)
{
	return w->stands ? w->principal : "";
}

int
krb_wrap_seal(struct krb_wrap *w, struct wire_bytes message, struct buf *out,
    struct fault *f)
{
	gss_buffer_desc in = { message.len, (void *)(uintptr_t)message.data };
	OWN_GSS_BUFFER(made);
	OM_uint32 major, minor;
	int hidden = 0;

	if (!w->stands)
		return fault_set(f, FAULT_INTERNAL, "no Kerberos context");
	major = gss_wrap(&minor, w->context, 1, GSS_C_QOP_DEFAULT, &in, &hidden,
	    &made);
	if (GSS_ERROR(major))
		return krb_gss_fault(f, FAULT_UNTRUSTED, major, minor, "wrap");
	if (!hidden)
		return fault_set(f, FAULT_UNTRUSTED,
		    "Kerberos did not encrypt");
	buf_put(out, made.value, made.length);
	return out->failed ? fault_set(f, FAULT_MEMORY, "message too long") : 0;
}

int
krb_wrap_open(struct krb_wrap *w, struct wire_bytes token, struct buf *out,
    struct fault *f)
{
	gss_buffer_desc in = { token.len, (void *)(uintptr_t)token.data };
	OWN_GSS_BUFFER(made);
	OM_uint32 major, minor;
	int hidden = 0;

	if (!w->stands)
		return fault_set(f, FAULT_INTERNAL, "no Kerberos context");
	major = gss_unwrap(&minor, w->context, &in, &made, &hidden, NULL);
	/* Old, repeated and reordered ones are supplementary bits, no errors.
	 */
	if (major != GSS_S_COMPLETE)
		return krb_gss_fault(f, FAULT_UNTRUSTED, major, minor,
		    "unwrap");
	if (!hidden)
		return fault_set(f, FAULT_UNTRUSTED,
		    "a message that is not encrypted");
	buf_put(out, made.value, made.length);
	return out->failed ? fault_set(f, FAULT_INPUT, "message too long") : 0;
}

void
krb_wrap_free(struct krb_wrap *w)
{
	OM_uint32 minor;

	if (w == NULL)
		return;
	if (w->context != GSS_C_NO_CONTEXT)
		(void)gss_delete_sec_context(&minor, &w->context, NULL);
	(void)gss_release_name(&minor, &w->target);
	(void)gss_release_cred(&minor, &w->own);
	krb_keys_free(w->keys);
	free(w);
}

void
krb_frame_put(struct buf *out, struct wire_bytes bytes)
{
	uint8_t head[KRB_FRAME_HEAD];
	struct wire_out w = { .at = head, .left = sizeof(head) };

	if (bytes.len > KRB_FRAME_MAX) {
		out->failed = true;
		return;
	}
	wire_put_u32(&w, (uint32_t)bytes.len);
	buf_put(out, head, sizeof(head));
	buf_put(out, bytes.data, bytes.len);
}

int
krb_frame_next(const struct buf *in, size_t max, struct wire_bytes *frame,
    struct fault *f)
{
	struct wire_in w = { .at = in->data, .left = in->len };
	uint32_t len;

	if (in->len < KRB_FRAME_HEAD)
		return 0;
	len = wire_get_u32(&w);
	if (len > max)
		return fault_set(f, FAULT_INPUT,
		    "a frame of %u bytes where %zu are allowed", len, max);
	if (w.left < len)
		return 0;
	frame->data = w.at;
	frame->len = len;
	return 1;
}
