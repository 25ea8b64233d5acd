/*
 * Both ends of lib/krb/krb_gss in one process, and an initiating end that does
 * not keep to the rules, for test_krb_gss.py.
 *
 *   krb_gss_probe KEYTAB ACCEPT-HOST TARGET-HOST AUTHZID MODE
 *
 * Modes: plain; late (no initial response); replay (what was overheard is
 * shown to a second accepting end); flip (one bit of the last token turned);
 * choice:HEX and bare:HEX (a choice of one's own, with and without mutual
 * authentication).  Prints "PRINCIPAL AUTHZID" and ends with 0, or prints the
 * fault and ends with its exit status.  Mode client is the initiating end
 * alone: tokens go to standard output and come from standard input, a line of
 * hexadecimal digits each.
 */
#include "base/fault.h"
#include "base/text.h"
#include "krb/krb_gss.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>

#include <stdio.h>
#include <string.h>

#define TOKEN_MAX 65536
#define TOKENS 8

static const struct wire_bytes nothing;

struct talk {
	const char *keytab, *host, *target, *authzid;
	struct buf heard[TOKENS]; /* what the accepting end was told */
	size_t count;
	bool flip;
};

static struct wire_bytes
bytes_of(const struct buf *b)
{
	return (struct wire_bytes){ b->data, b->len };
}

/* Remember ${token}, and let the accepting end hear it. */
static enum krb_step
tell(struct talk *t, struct krb_gss *accept, const struct buf *token, bool last,
    struct buf *reply, struct fault *f)
{
	struct buf *copy = &t->heard[t->count];

	if (++t->count == TOKENS)
		return KRB_FAILED;
	*copy = BUF(TOKEN_MAX);
	buf_put(copy, token->data, token->len);
	if (last && t->flip)
		copy->data[copy->len - 1] ^= 1;
	buf_clear(reply);
	return krb_gss_step(accept, bytes_of(copy), reply, f);
}

static enum krb_step
converse(struct talk *t, struct krb_gss *accept, struct fault *f)
{
	OWN_STRUCT(krb_gss) us = krb_gss_initiate(t->target, t->authzid, f);
	OWN_BUF(mine, TOKEN_MAX);
	OWN_BUF(theirs, TOKEN_MAX);
	enum krb_step here, there = KRB_MORE;

	if (us == NULL)
		return KRB_FAILED;
	while (there == KRB_MORE) {
		buf_clear(&mine);
		here = krb_gss_step(us, bytes_of(&theirs), &mine, f);
		if (here == KRB_FAILED)
			return here;
		there = tell(t, accept, &mine, here == KRB_DONE, &theirs, f);
	}
	return there;
}

/* Show another accepting end all that the first one was told. */
static enum krb_step
replay(struct talk *t, struct krb_gss *accept, struct fault *f)
{
	OWN_BUF(reply, TOKEN_MAX);
	enum krb_step there = KRB_MORE;

	for (size_t i = 0; i < t->count && there == KRB_MORE; i++) {
		buf_clear(&reply);
		there = krb_gss_step(accept, bytes_of(&t->heard[i]), &reply, f);
	}
	return there;
}

/* One token of a context of our own; false when it cannot go on. */
static bool
rogue_context(gss_ctx_id_t *context, gss_name_t target, OM_uint32 flags,
    const struct buf *in, struct buf *out, bool *more)
{
	gss_buffer_desc token = { in->len, in->data };
	gss_buffer_desc made = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_init_sec_context(&minor, GSS_C_NO_CREDENTIAL, context,
	    target, (gss_OID)gss_mech_krb5, flags, 0, GSS_C_NO_CHANNEL_BINDINGS,
	    &token, NULL, &made, NULL, NULL);
	buf_clear(out);
	buf_put(out, made.value, made.length);
	(void)gss_release_buffer(&minor, &made);
	*more = (major & GSS_S_CONTINUE_NEEDED) != 0;
	return !GSS_ERROR(major);
}

static bool
rogue_wrap(gss_ctx_id_t context, const char *hex, struct buf *out)
{
	uint8_t choice[512];
	int len = text_unhex(hex, choice, sizeof(choice));
	gss_buffer_desc in = { len < 0 ? 0 : (size_t)len, choice };
	gss_buffer_desc made = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major =
	    gss_wrap(&minor, context, 0, GSS_C_QOP_DEFAULT, &in, NULL, &made);
	buf_clear(out);
	buf_put(out, made.value, made.length);
	(void)gss_release_buffer(&minor, &made);
	return len >= 0 && !GSS_ERROR(major);
}

static enum krb_step
rogue_talk(struct talk *t, struct krb_gss *accept, gss_ctx_id_t *context,
    gss_name_t target, OM_uint32 flags, const char *hex, struct fault *f)
{
	OWN_BUF(mine, TOKEN_MAX);
	OWN_BUF(theirs, TOKEN_MAX);
	enum krb_step there = KRB_MORE;
	bool more = true;

	while (there == KRB_MORE && more) {
		if (!rogue_context(context, target, flags, &theirs, &mine,
			&more))
			return KRB_FAILED;
		there = tell(t, accept, &mine, false, &theirs, f);
	}
	if (there != KRB_MORE || !rogue_wrap(*context, hex, &mine))
		return there;
	return tell(t, accept, &mine, true, &theirs, f);
}

static enum krb_step
rogue(struct talk *t, struct krb_gss *accept, bool mutual, const char *hex,
    struct fault *f)
{
	char text[300];
	gss_buffer_desc name = { 0, text };
	gss_ctx_id_t context = GSS_C_NO_CONTEXT;
	gss_name_t target = GSS_C_NO_NAME;
	OM_uint32 minor;
	enum krb_step there;

	if (text_fmt(text, sizeof(text), "myproxy@%s", t->target) < 0)
		return KRB_FAILED;
	name.length = strlen(text);
	(void)gss_import_name(&minor, &name, GSS_C_NT_HOSTBASED_SERVICE,
	    &target);
	there = rogue_talk(t, accept, &context, target,
	    GSS_C_INTEG_FLAG | (mutual ? GSS_C_MUTUAL_FLAG : 0), hex, f);
	(void)gss_delete_sec_context(&minor, &context, NULL);
	(void)gss_release_name(&minor, &target);
	return there;
}

static enum krb_step
run(struct talk *t, struct krb_gss *accept, struct krb_gss *second,
    const char *mode, struct fault *f)
{
	OWN_BUF(empty, TOKEN_MAX);
	enum krb_step there;

	if (text_starts(mode, "choice:"))
		return rogue(t, accept, true, mode + strlen("choice:"), f);
	if (text_starts(mode, "bare:"))
		return rogue(t, accept, false, mode + strlen("bare:"), f);
	t->flip = strcmp(mode, "flip") == 0;
	if (strcmp(mode, "late") == 0 &&
	    krb_gss_step(accept, nothing, &empty, f) != KRB_MORE)
		return KRB_FAILED;
	there = converse(t, accept, f);
	if (there == KRB_DONE && strcmp(mode, "replay") == 0)
		return replay(t, second, f);
	return there;
}

/* The initiating end alone, for a test that carries the tokens. */
static int
client(const struct talk *t, struct fault *f)
{
	OWN_STRUCT(krb_gss) us = krb_gss_initiate(t->target, t->authzid, f);
	OWN_BUF(out, TOKEN_MAX);
	static uint8_t token[TOKEN_MAX];
	static char line[2 * TOKEN_MAX];
	int len = 0;
	enum krb_step step = KRB_MORE;

	while (us != NULL && len >= 0 && step == KRB_MORE) {
		buf_clear(&out);
		step = krb_gss_step(us,
		    (struct wire_bytes){ token, (size_t)len }, &out, f);
		if (step == KRB_FAILED)
			return -1;
		text_hex(out.data, out.len, line);
		printf("%s\n", line);
		(void)fflush(stdout);
		if (step == KRB_MORE &&
		    fgets(line, sizeof(line), stdin) == NULL)
			return -1;
		len = text_unhex(text_trim(line), token, sizeof(token));
	}
	return step == KRB_DONE ? 0 : -1;
}

static int
probe(struct talk *t, const char *mode, struct fault *f)
{
	OWN_STRUCT(krb_gss) accept = krb_gss_accept(t->keytab, t->host, f);
	OWN_STRUCT(krb_gss) second =
	    accept == NULL ? NULL : krb_gss_again(accept, f);

	if (second == NULL)
		return -1;
	if (run(t, accept, second, mode, f) != KRB_DONE)
		return -1;
	printf("%s %s\n", krb_gss_principal(accept), krb_gss_authzid(accept));
	return 0;
}

int
main(int argc, char **argv)
{
	struct fault f = { .code = FAULT_INTERNAL };
	struct talk t = { 0 };
	int result;

	if (argc != 6)
		return 2;
	t.keytab = argv[1];
	t.host = argv[2];
	t.target = argv[3];
	t.authzid = argv[4];
	result = strcmp(argv[5], "client") == 0 ? client(&t, &f)
						: probe(&t, argv[5], &f);
	for (size_t i = 0; i < t.count; i++)
		buf_free(&t.heard[i]);
	if (result == 0)
		return 0;
	printf("%s: %s\n", fault_name(f.code), f.text);
	return fault_exit_status(f.code);
}
