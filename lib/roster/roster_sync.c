#include "roster/roster_sync.h"

#include "base/fault.h"

#define TAG_BOOLEAN 0x01
#define TAG_OCTETS 0x04
#define TAG_ENUM 0x0a
#define TAG_SEQUENCE 0x30
#define TAG_SET 0x31
#define TAG_INFO 0x80 /* context-specific [0]; [1] to [3] are constructed */
#define UUID 16
#define COOKIE_MAX 65536u

/* RFC 4511 5.1: lengths are definite, though they may be longer than need be.
 */
static size_t
get_length(struct wire_in *in)
{
	uint8_t first = wire_get_u8(in);
	size_t len = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x84) {
		in->failed = true;
		return 0;
	}
	for (int i = 0; i < (first & 0x7f); i++)
		len = len << 8 | wire_get_u8(in);
	return len;
}

static struct wire_bytes
get_value(struct wire_in *in)
{
	struct wire_bytes value = { NULL, 0 };
	size_t len = get_length(in);

	if (in->failed || len > in->left) {
		in->failed = true;
		return value;
	}
	value = (struct wire_bytes){ in->at, len };
	in->at += len;
	in->left -= len;
	return value;
}

static bool
next_is(const struct wire_in *in, uint8_t tag)
{
	return !in->failed && in->left > 0 && in->at[0] == tag;
}

static struct wire_bytes
get_tagged(struct wire_in *in, uint8_t tag)
{
	if (wire_get_u8(in) != tag)
		in->failed = true;
	return get_value(in);
}

static struct wire_in
in_of(struct wire_bytes value)
{
	return (struct wire_in){ value.data, value.len, value.data == NULL };
}

static struct wire_bytes
get_cookie(struct wire_in *in)
{
	struct wire_bytes none = { NULL, 0 }, cookie;

	if (!next_is(in, TAG_OCTETS))
		return none;
	cookie = get_tagged(in, TAG_OCTETS);
	if (cookie.len > COOKIE_MAX)
		in->failed = true;
	return cookie;
}

static bool
get_boolean(struct wire_in *in, bool otherwise)
{
	struct wire_bytes value;

	if (!next_is(in, TAG_BOOLEAN))
		return otherwise;
	value = get_tagged(in, TAG_BOOLEAN);
	if (value.len != 1) {
		in->failed = true;
		return otherwise;
	}
	return value.data[0] != 0;
}

static void
put_length(struct buf *out, size_t len)
{
	if (len >= 0x80) {
		buf_put_u8(out, 0x84);
		buf_put_u8(out, (uint8_t)(len >> 24));
		buf_put_u8(out, (uint8_t)(len >> 16));
		buf_put_u8(out, (uint8_t)(len >> 8));
	}
	buf_put_u8(out, (uint8_t)len);
}

void
roster_sync_request(bool persist, const void *cookie, size_t len,
    struct buf *out)
{
	size_t cookie_size = len == 0 ? 0 : len + (len < 0x80 ? 2 : 6);

	buf_put_u8(out, TAG_SEQUENCE);
	put_length(out, 3 + cookie_size);
	buf_put_u8(out, TAG_ENUM);
	buf_put_u8(out, 1);
	buf_put_u8(out, persist ? 3 : 1);
	if (len > 0) {
		buf_put_u8(out, TAG_OCTETS);
		put_length(out, len);
		buf_put(out, cookie, len);
	}
	/* reloadHint is left out, FALSE: a cookie of no use is to be told. */
}

int
roster_sync_state_read(struct wire_bytes value, struct roster_sync_state *out,
    struct fault *f)
{
	struct wire_in all = in_of(value), in;
	struct wire_bytes what, uuid;
	struct roster_sync_state made = { ROSTER_SYNC_PRESENT, NULL,
		{ NULL, 0 } };

	in = in_of(get_tagged(&all, TAG_SEQUENCE));
	what = get_tagged(&in, TAG_ENUM);
	uuid = get_tagged(&in, TAG_OCTETS);
	made.cookie = get_cookie(&in);
	if (!wire_ended(&in) || !wire_ended(&all) || what.len != 1 ||
	    what.data[0] > ROSTER_SYNC_DELETE || uuid.len != UUID)
		return fault_set(f, FAULT_INPUT,
		    "RFC 4533 2.3: a malformed sync state");
	made.what = (enum roster_sync_what)what.data[0];
	made.uuid = uuid.data;
	*out = made;
	return 0;
}

int
roster_sync_done_read(struct wire_bytes value, struct roster_sync_done *out,
    struct fault *f)
{
	struct wire_in all = in_of(value), in;
	struct roster_sync_done made;

	in = in_of(get_tagged(&all, TAG_SEQUENCE));
	made.cookie = get_cookie(&in);
	made.deletes = get_boolean(&in, false);
	if (!wire_ended(&in) || !wire_ended(&all))
		return fault_set(f, FAULT_INPUT,
		    "RFC 4533 2.4: a malformed end of the refresh");
	*out = made;
	return 0;
}

static bool
is_uuid_set(struct wire_bytes set)
{
	/* Each is 04 10 and 16 bytes; liblber and others write nothing else. */
	if (set.len % (UUID + 2) != 0)
		return false;
	for (size_t i = 0; i < set.len; i += UUID + 2)
		if (set.data[i] != TAG_OCTETS || set.data[i + 1] != UUID)
			return false;
	return true;
}

const uint8_t *
roster_sync_uuid(struct wire_bytes *uuids)
{
	const uint8_t *uuid = uuids->data + 2;

	if (uuids->len < UUID + 2)
		return NULL;
	uuids->data += UUID + 2;
	uuids->len -= UUID + 2;
	return uuid;
}

int
roster_sync_info_read(struct wire_bytes value, struct roster_sync_info *out,
    struct fault *f)
{
	struct wire_in all = in_of(value), in;
	struct roster_sync_info made = { .kind = ROSTER_SYNC_NEW_COOKIE };
	uint8_t tag = wire_get_u8(&all);
	struct wire_bytes body = get_value(&all);

	in = in_of(body);
	made.kind = (enum roster_sync_kind)(tag & 0x03);
	if (tag == TAG_INFO) {
		made.cookie = body;
		in.at += in.left;
		in.left = 0;
	} else if (tag == (TAG_INFO | 0x20 | 3)) {
		made.cookie = get_cookie(&in);
		made.deletes = get_boolean(&in, false);
		made.uuids = get_tagged(&in, TAG_SET);
	} else if (tag == (TAG_INFO | 0x20 | 1) ||
	    tag == (TAG_INFO | 0x20 | 2)) {
		made.cookie = get_cookie(&in);
		made.done = get_boolean(&in, true);
	} else {
		in.failed = true;
	}
	if (!wire_ended(&in) || !wire_ended(&all) ||
	    made.cookie.len > COOKIE_MAX || !is_uuid_set(made.uuids))
		return fault_set(f, FAULT_INPUT,
		    "RFC 4533 2.5: a malformed sync info");
	*out = made;
	return 0;
}
