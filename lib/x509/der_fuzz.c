/*
 * Whatever the reader takes, the writer must make again byte for byte: whole
 * trees, and the values inside them that have a reader of their own.
 */
#include "x509/der.h"

#include <stdlib.h>

#define DEEP 32
#define MOST 65536

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Write the value at ${in} by its own writer; false if it has no reader. */
static bool
rewrite_value(struct der_in *in, struct buf *out)
{
	char text[256];
	struct wire_bytes bytes;
	struct der_in trial = *in;

	switch (der_peek(in)) {
	case DER_BOOLEAN:
		der_put_bool(out, der_get_bool(&trial));
		break;
	case DER_INTEGER:
		bytes = der_get_unsigned(&trial);
		der_put_positive(out, bytes.data, bytes.len);
		break;
	case DER_BIT_STRING:
		der_put_flags(out, der_get_flags(&trial));
		break;
	case DER_OID:
		if (der_oid_text(der_get(&trial, DER_OID), text, sizeof(text)) <
		    0)
			return false;
		der_put_oid(out, text);
		break;
	case DER_UTCTIME:
	case DER_GENTIME:
		der_put_time(out, der_get_time(&trial));
		break;
	default:
		return false;
	}
	return !trial.failed;
}

/* Read all of ${in} and write it again; false if it is malformed. */
static bool
rewrite(struct der_in *in, struct buf *out, int depth)
{
	while (in->left > 0) {
		struct der_in value = *in;
		struct wire_bytes whole = der_get_whole(in, 0);
		OWN_BUF(alone, MOST);
		size_t mark;

		if (in->failed)
			return false;
		if (rewrite_value(&value, &alone) &&
		    !der_bytes_equal(whole,
			(struct wire_bytes){ alone.data, alone.len }))
			abort();
		if ((whole.data[0] & 0x20) == 0 || depth == DEEP) {
			struct wire_bytes bytes =
			    der_get(&value, whole.data[0]);

			der_put(out, whole.data[0], bytes.data, bytes.len);
			continue;
		}
		value = der_enter(&value, whole.data[0]);
		mark = der_open(out, whole.data[0]);
		if (!rewrite(&value, out, depth + 1))
			return false;
		der_close(out, mark);
	}
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct der_in in = DER_IN(data, size);
	OWN_BUF(out, MOST);

	if (size > MOST || !rewrite(&in, &out, 0))
		return 0;
	if (out.failed ||
	    !der_bytes_equal((struct wire_bytes){ data, size },
		(struct wire_bytes){ out.data, out.len }))
		abort();
	return 0;
}
