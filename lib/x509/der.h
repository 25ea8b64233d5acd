#ifndef X509_DER_H
#define X509_DER_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * A small strict reader and writer of DER (X.690 section 10).  Reading: only
 * definite, minimal lengths; low tag numbers; nothing past the end.  Like
 * wire_in, a reader that has failed stays failed; ask once at the end.
 */

#define DER_BOOLEAN 0x01
#define DER_INTEGER 0x02
#define DER_BIT_STRING 0x03
#define DER_OCTET_STRING 0x04
#define DER_NULL 0x05
#define DER_OID 0x06
#define DER_ENUMERATED 0x0a
#define DER_UTF8 0x0c
#define DER_NUMERIC 0x12
#define DER_PRINTABLE 0x13
#define DER_T61 0x14
#define DER_IA5 0x16
#define DER_UTCTIME 0x17
#define DER_GENTIME 0x18
#define DER_VISIBLE 0x1a
#define DER_UNIVERSAL 0x1c
#define DER_BMP 0x1e
#define DER_SEQUENCE 0x30
#define DER_SET 0x31
#define DER_CONTEXT(n) (0x80 | (n))   /* primitive [n] */
#define DER_CONTEXT_C(n) (0xa0 | (n)) /* constructed [n] */

struct der_in {
	const uint8_t *at;
	size_t left;
	bool failed;
};

#define DER_IN(data, len) ((struct der_in){ (data), (len), false })

/* The tag of the next element, 0 at the end or after a failure. */
uint8_t der_peek(const struct der_in *in);

/* The contents of the next element, which must have ${tag}. */
struct wire_bytes der_get(struct der_in *in, uint8_t tag);

/* The next element whole, header and contents, which must have ${tag}; with
 * tag 0 any. */
struct wire_bytes der_get_whole(struct der_in *in, uint8_t tag);

/* A reader of the contents of the next element, which must have ${tag}. */
struct der_in der_enter(struct der_in *in, uint8_t tag);

/* If the next element has ${tag}: true, and it is entered into ${inner}. */
bool der_maybe(struct der_in *in, uint8_t tag, struct der_in *inner);

bool der_get_bool(struct der_in *in);
/* A non-negative INTEGER that fits, minimally encoded. */
uint64_t der_get_u64(struct der_in *in);
/* The magnitude of a positive INTEGER (no leading zero octet). */
struct wire_bytes der_get_positive(struct der_in *in);
/* The same for one that may be zero, which has no octets then. */
struct wire_bytes der_get_unsigned(struct der_in *in);
/* The contents of an OBJECT IDENTIFIER, every arc of it minimal; any size. */
struct wire_bytes der_get_oid(struct der_in *in);
/* The bits of a BIT STRING that ends on an octet boundary. */
struct wire_bytes der_get_bits(struct der_in *in);
/* A named-bit list of at most 32 bits: the first bit is 1, the second 2, ...;
 * trailing zero bits are malformed (X.690 11.2.2). */
uint32_t der_get_flags(struct der_in *in);
/* UTCTime or GeneralizedTime, each in the one form of RFC 5280 4.1.2.5 (Z,
 * seconds, no fraction, UTCTime if and only if before 2050). */
time_t der_get_time(struct der_in *in);

/* Whether all went well and nothing is left over. */
bool der_ended(const struct der_in *in);

bool der_bytes_equal(struct wire_bytes a, struct wire_bytes b);

/*
 * Writing: into a buf.  Constructed elements are opened and closed; the
 * length is put in when they close.  ${mark} is der_open's answer.
 */
size_t der_open(struct buf *out, uint8_t tag);
void der_close(struct buf *out, size_t mark);
void der_put(struct buf *out, uint8_t tag, const void *data, size_t len);
/* For contents that are written later, elsewhere or in pieces: the header of
 * an element with ${len} octets of them, and how many octets that takes. */
void der_put_header(struct buf *out, uint8_t tag, size_t len);
size_t der_header_size(size_t len);
void der_put_bool(struct buf *out, bool value);
void der_put_u64(struct buf *out, uint64_t value);
/* A positive INTEGER from its magnitude; a zero octet is put before a high
 * first bit, leading zeroes are dropped. */
void der_put_positive(struct buf *out, const void *data, size_t len);
void der_put_bits(struct buf *out, const void *data, size_t len);
void der_put_flags(struct buf *out, uint32_t flags);
/* From 1950 to 9999; ${out} fails for any other. */
void der_put_time(struct buf *out, time_t when);
/* An OBJECT IDENTIFIER from dotted text; ${out} fails if that is malformed. */
void der_put_oid(struct buf *out, const char *dotted);
/* Dotted text of an OID's contents; -1 if malformed, too long, or with an arc
 * past 64 bits. */
CHECKED int der_oid_text(struct wire_bytes oid, char *text, size_t size);

#endif
