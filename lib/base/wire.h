#ifndef BASE_WIRE_H
#define BASE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Bytes in and bytes out, never past the end.  A reader or writer that has
 * failed stays failed and yields zeroes, so a caller says everything it has to
 * say and asks once, at the end, whether it all went well.
 */

struct wire_in {
	const uint8_t *at;
	size_t left;
	bool failed;
};

struct wire_out {
	uint8_t *at;
	size_t left;
	bool failed;
};

/* A run of bytes that belongs to someone else. */
struct wire_bytes {
	const uint8_t *data;
	size_t len;
};

uint8_t wire_get_u8(struct wire_in *in);
uint32_t wire_get_u32(struct wire_in *in);
uint64_t wire_get_u64(struct wire_in *in);

/* At most ${max} bytes, borrowed from the buffer being read. */
struct wire_bytes wire_get_bytes(struct wire_in *in, size_t max);

/* A NUL-free string of less than ${size} bytes, copied into ${text}. */
void wire_get_text(struct wire_in *in, char *text, size_t size);

/* Whether all went well and nothing is left over. */
bool wire_ended(const struct wire_in *in);

void wire_put_u8(struct wire_out *out, uint8_t value);
void wire_put_u32(struct wire_out *out, uint32_t value);
void wire_put_u64(struct wire_out *out, uint64_t value);
void wire_put_bytes(struct wire_out *out, struct wire_bytes bytes, size_t max);
void wire_put_text(struct wire_out *out, const char *text, size_t size);

#endif
