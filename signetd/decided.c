#include "signetd/decided.h"

#include <string.h>

void
decided_put(struct buf *out, const struct decided *d)
{
	uint8_t room[1 + 4 + sizeof(d->who)];
	struct wire_out w = { .at = room, .left = sizeof(room) };

	wire_put_u8(&w, d->verdict);
	wire_put_text(&w, d->who, sizeof(d->who));
	if (w.failed)
		out->failed = true;
	else
		buf_put(out, room, sizeof(room) - w.left);
}

int
decided_next(struct wire_in *in, struct decided *d)
{
	if (in->left == 0 && !in->failed)
		return 0;
	memset(d, 0, sizeof(*d));
	d->verdict = wire_get_u8(in);
	wire_get_text(in, d->who, sizeof(d->who));
	if (in->failed || d->verdict < 1 || d->verdict > 3 || *d->who == '\0')
		return -1;
	return 1;
}
