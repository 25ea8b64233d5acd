#include "signetd/revoked.h"

#include <string.h>

#define REASON_MOST 10

void
revoked_put(struct buf *out, const struct revoked *r)
{
	uint8_t bytes[8];
	struct wire_out when = { .at = bytes, .left = sizeof(bytes) };

	wire_put_u64(&when, (uint64_t)r->when);
	buf_put_u8(out, r->serial_len);
	buf_put(out, r->serial, r->serial_len);
	buf_put_u8(out, r->reason);
	buf_put(out, bytes, sizeof(bytes));
}

int
revoked_next(struct wire_in *in, struct revoked *r)
{
	uint64_t when;

	if (wire_ended(in))
		return 0;
	memset(r, 0, sizeof(*r));
	r->serial_len = wire_get_u8(in);
	if (r->serial_len > sizeof(r->serial))
		return -1;
	for (uint8_t i = 0; i < r->serial_len; i++)
		r->serial[i] = wire_get_u8(in);
	r->reason = wire_get_u8(in);
	when = wire_get_u64(in);
	if (in->failed || r->serial_len == 0 || r->serial[0] == 0 ||
	    r->reason > REASON_MOST || when > INT64_MAX)
		return -1;
	r->when = (int64_t)when;
	return 1;
}
