#include "ipc/msg.h"

#include "base/fault.h"

#include <string.h>

static const struct {
	const char *name;
	enum msg_role speaker;
	enum msg_role hearer;
} facts[MSG_COUNT] = {
#define MSG(name, tag, speaker, hearer, fields) \
	[MSG_##name] = { #name, MSG_ROLE_##speaker, MSG_ROLE_##hearer },
#include "ipc/msg.def"
#undef MSG
};

/* put_sign_ask() and its siblings. */
#define U32(name) wire_put_u32(out, m->name);
#define U64(name) wire_put_u64(out, m->name);
#define TEXT(name, size) wire_put_text(out, m->name, size);
#define BYTES(name, max) wire_put_bytes(out, m->name, max);
#define MSG(name, tag, speaker, hearer, fields)                                \
	static void put_##tag(struct wire_out *out, const struct msg_##tag *m) \
	{                                                                      \
		fields                                                         \
	}
#include "ipc/msg.def"
#undef MSG
#undef U32
#undef U64
#undef TEXT
#undef BYTES

/* get_sign_ask() and its siblings. */
#define U32(name) m->name = wire_get_u32(in);
#define U64(name) m->name = wire_get_u64(in);
#define TEXT(name, size) wire_get_text(in, m->name, size);
#define BYTES(name, max) m->name = wire_get_bytes(in, max);
#define MSG(name, tag, speaker, hearer, fields)                        \
	static void get_##tag(struct wire_in *in, struct msg_##tag *m) \
	{                                                              \
		fields                                                 \
	}
#include "ipc/msg.def"
#undef MSG
#undef U32
#undef U64
#undef TEXT
#undef BYTES

const char *
msg_name(enum msg_type type)
{
	return facts[type].name;
}

const char *
msg_role_name(enum msg_role role)
{
	static const char *const names[MSG_ROLE_COUNT + 1] = { "parent",
		"front", "auth", "worker", "pam", "issuer", "signer", "keeper",
		"desk", "token", "intake", "any" };

	return names[role];
}

static bool
role_fits(enum msg_role named, enum msg_role role)
{
	if (named == MSG_ROLE_ANY)
		return role != MSG_ROLE_PARENT && role < MSG_ROLE_COUNT;
	return named == role;
}

bool
msg_allowed(enum msg_type type, enum msg_role speaker, enum msg_role hearer)
{
	return role_fits(facts[type].speaker, speaker) &&
	    role_fits(facts[type].hearer, hearer);
}

bool
msg_carries_fd(enum msg_type type)
{
	return type == MSG_BOOT_FD || type == MSG_CRL_LIST ||
	    type == MSG_CRL_SIGN || type == MSG_CRL_FILE;
}

int
msg_encode(const struct msg *m, uint8_t *frame, size_t size, struct fault *f)
{
	struct wire_out out = { .at = frame, .left = size };

	wire_put_u8(&out, (uint8_t)m->type);
	switch (m->type) {
#define MSG(name, tag, speaker, hearer, fields) \
	case MSG_##name:                        \
		put_##tag(&out, &m->tag);       \
		break;
#include "ipc/msg.def"
#undef MSG
	case MSG_COUNT:
		out.failed = true;
		break;
	}
	if (out.failed)
		return fault_set(f, FAULT_INPUT, "message does not fit");
	return (int)(size - out.left);
}

int
msg_decode(struct msg *m, const uint8_t *frame, size_t len,
    enum msg_role speaker, enum msg_role hearer, struct fault *f)
{
	struct wire_in in = { .at = frame, .left = len };
	uint8_t type = wire_get_u8(&in);

	memset(m, 0, sizeof(*m));
	if (in.failed || type >= MSG_COUNT)
		return fault_set(f, FAULT_INPUT, "message of unknown type");
	m->type = (enum msg_type)type;
	if (!msg_allowed(m->type, speaker, hearer))
		return fault_set(f, FAULT_DENIED, "%s from the wrong process",
		    msg_name(m->type));
	switch (m->type) {
#define MSG(name, tag, speaker, hearer, fields) \
	case MSG_##name:                        \
		get_##tag(&in, &m->tag);        \
		break;
#include "ipc/msg.def"
#undef MSG
	case MSG_COUNT:
		break;
	}
	if (!wire_ended(&in))
		return fault_set(f, FAULT_INPUT, "malformed %s",
		    msg_name(m->type));
	return 0;
}
