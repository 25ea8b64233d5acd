#include "x509/crl_index.h"

#include "base/fault.h"
#include "x509/crl_part.h"
#include "x509/crl_source.h"
#include "x509/der.h"
#include "x509/key_hash.h"

#include <stdlib.h>
#include <string.h>

#define WINDOW 131072
#define PIECE_MAX 65536 /* what is looked at in one piece */
#define TAIL 5		/* of an entry: date and reason */
#define ALGORITHM_MAX 256
#define SIGNATURE_MAX 4096
#define AUTHORITY_ID_MAX 1024

struct crl_index {
	struct crl head; /* its bytes are in what follows */
	uint8_t algorithm[ALGORITHM_MAX];
	uint8_t signature[SIGNATURE_MAX];
	uint8_t authority_id[AUTHORITY_ID_MAX];
	uint8_t digest[KEY_HASH_MAX];
	size_t digest_len; /* 0: signed in a way that we cannot check */
	size_t width;	   /* octets of the longest serial */
	size_t count;
	size_t room;
	uint8_t *entries; /* owned; count times width + TAIL */
};

/* The part of the CRL that is in memory, and where it stands in the whole. */
struct window {
	struct crl_source *source;
	bool ended;
	size_t at;
	size_t end;
	size_t hashed;	       /* what lies before has been */
	uint64_t place;	       /* of ${at}, from the beginning of the CRL */
	struct key_hash *hash; /* NULL: not now */
	uint8_t data[WINDOW];
};

static void
hash_up(struct window *w)
{
	if (w->hash != NULL && w->at > w->hashed)
		key_hash_add(w->hash,
		    (struct wire_bytes){
			w->data + w->hashed, w->at - w->hashed });
	w->hashed = w->at;
}

/* See that PIECE_MAX octets, or all there are, are at hand. */
static int
want(struct window *w, struct fault *f)
{
	if (w->end - w->at >= PIECE_MAX || w->ended)
		return 0;
	hash_up(w);
	memmove(w->data, w->data + w->at, w->end - w->at);
	w->end -= w->at;
	w->at = w->hashed = 0;
	while (!w->ended && w->end < PIECE_MAX) {
		size_t len;

		if (crl_source_get(w->source, w->data + w->end, WINDOW - w->end,
			&len, f) < 0)
			return -1;
		w->ended = len == 0;
		w->end += len;
	}
	if (w->place + w->end > CRL_BYTES_MAX)
		return fault_set(f, FAULT_INPUT, "a CRL too long");
	return 0;
}

/* A reader of what is at hand, up to ${end} of the whole. */
static struct der_in
look(const struct window *w, uint64_t end)
{
	size_t len = w->end - w->at;

	if (end < w->place + len)
		len = end > w->place ? (size_t)(end - w->place) : 0;
	return DER_IN(w->data + w->at, len);
}

static void
move_to(struct window *w, const uint8_t *at)
{
	size_t len = (size_t)(at - (w->data + w->at));

	w->at += len;
	w->place += len;
}

static int
malformed(struct fault *f)
{
	return fault_set(f, FAULT_INPUT, "malformed CRL");
}

/*
 * The header of a SEQUENCE that may be longer than what is at hand (X.690 8.1.3
 * and 10.1); where in the whole it ends goes to ${end}.
 */
static int
enter(struct window *w, uint64_t within, uint64_t *end, struct fault *f)
{
	struct der_in in = look(w, within);
	uint64_t len;
	size_t octets = 0;

	if (in.left < 2 || in.at[0] != DER_SEQUENCE)
		return malformed(f);
	len = in.at[1];
	if (len >= 0x80) {
		octets = (size_t)(len & 0x7f);
		if (octets == 0 || octets > 4 || in.left < 2 + octets)
			return malformed(f);
		len = 0;
		for (size_t i = 0; i < octets; i++)
			len = len << 8 | in.at[2 + i];
		if (len < 0x80 || len >> (8 * (octets - 1)) == 0)
			return malformed(f);
	}
	move_to(w, in.at + 2 + octets);
	*end = w->place + len;
	return *end > within ? malformed(f) : 0;
}

/* Entries as wide as the longest serial: when a longer one comes, all are
 * made wider, at most CERT_SERIAL_MAX times. */
static int
widen(struct crl_index *x, size_t width, struct fault *f)
{
	size_t old = x->width + TAIL, new = width + TAIL;
	uint8_t *more = malloc((x->room == 0 ? 1 : x->room) * new);

	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "a CRL");
	for (size_t i = 0; i < x->count; i++) {
		memset(more + i * new, 0, new - old);
		memcpy(more + i * new + new - old, x->entries + i * old, old);
	}
	free(x->entries);
	x->entries = more;
	x->width = width;
	return 0;
}

static int
grow(struct crl_index *x, struct fault *f)
{
	size_t room = x->room == 0 ? 16 : x->room + x->room / 2;
	uint8_t *more = reallocarray(x->entries, room, x->width + TAIL);

	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "a CRL");
	x->entries = more;
	x->room = room;
	return 0;
}

/* Seconds after 1970 in four octets, until 2106: it is shown, not judged. */
static void
put_tail(uint8_t *to, const struct crl_entry *e)
{
	uint64_t when = e->when < 0 ? 0
	    : e->when > UINT32_MAX  ? UINT32_MAX
				    : (uint64_t)e->when;

	for (int i = 0; i < 4; i++)
		to[i] = (uint8_t)(when >> (24 - 8 * i));
	to[4] = e->reason;
}

/* ${sorted} becomes false if it does not follow the one before. */
static int
add(struct crl_index *x, const struct crl_entry *e, bool *sorted,
    struct fault *f)
{
	size_t stride;
	uint8_t *to;

	if (e->serial_len > x->width && widen(x, e->serial_len, f) < 0)
		return -1;
	if (x->count == x->room && grow(x, f) < 0)
		return -1;
	stride = x->width + TAIL;
	to = x->entries + x->count * stride;
	memset(to, 0, x->width);
	memcpy(to + x->width - e->serial_len, e->serial, e->serial_len);
	put_tail(to + x->width, e);
	if (x->count > 0 && memcmp(to - stride, to, x->width) > 0)
		*sorted = false;
	x->count++;
	return 0;
}

static int
by_serial(const void *a, const void *b, void *width)
{
	return memcmp(a, b, *(const size_t *)width);
}

static int
read_entries(struct crl_index *x, struct window *w, uint64_t within,
    struct fault *f)
{
	bool sorted = true;
	uint64_t end;

	if (w->place == within || w->data[w->at] != DER_SEQUENCE)
		return 0;
	if (enter(w, within, &end, f) < 0)
		return -1;
	while (w->place < end) {
		struct crl_entry entry;
		struct der_in in;

		if (want(w, f) < 0)
			return -1;
		in = look(w, end);
		if (crl_part_entry(&in, &entry, f) < 0 ||
		    add(x, &entry, &sorted, f) < 0)
			return -1;
		move_to(w, in.at);
	}
	if (!sorted)
		qsort_r(x->entries, x->count, x->width + TAIL, by_serial,
		    &x->width);
	return 0;
}

/* Copy ${from}, a view into the window, to where it stays. */
static int
keep(struct wire_bytes *from, uint8_t *to, size_t size, struct fault *f)
{
	if (from->len > size)
		return malformed(f);
	if (from->len > 0)
		memcpy(to, from->data, from->len);
	from->data = to;
	return 0;
}

/* What was signed, but for its header: hashed as it passes. */
static int
read_tbs(struct crl_index *x, struct window *w, uint64_t end, struct fault *f)
{
	struct fault ignored = { 0 };
	struct der_in in = look(w, end);
	bool v2;

	if (crl_part_head(&x->head, &in, &x->head.algorithm, &v2, f) < 0 ||
	    keep(&x->head.algorithm, x->algorithm, ALGORITHM_MAX, f) < 0)
		return -1;
	w->hash = key_hash_for(x->head.algorithm, &ignored);
	move_to(w, in.at);
	if (want(w, f) < 0 || read_entries(x, w, end, f) < 0 || want(w, f) < 0)
		return -1;
	in = look(w, end);
	if (w->place + in.left != end)
		return malformed(f);
	if (crl_part_tail(&x->head, &in, v2, f) < 0 ||
	    keep(&x->head.authority_id, x->authority_id, AUTHORITY_ID_MAX, f) <
		0)
		return -1;
	move_to(w, in.at);
	hash_up(w);
	if (w->hash == NULL)
		return 0;
	return key_hash_end(w->hash, x->digest, &x->digest_len, f);
}

static int
read_signature(struct crl_index *x, struct window *w, uint64_t end,
    struct fault *f)
{
	struct wire_bytes algorithm;
	struct der_in in;

	if (want(w, f) < 0)
		return -1;
	in = look(w, end);
	if (w->place + in.left != end)
		return malformed(f);
	algorithm = der_get_whole(&in, DER_SEQUENCE);
	x->head.signature = der_get_bits(&in);
	if (!der_ended(&in))
		return malformed(f);
	if (!der_bytes_equal(algorithm, x->head.algorithm))
		return fault_set(f, FAULT_INPUT,
		    "a CRL with two different algorithms");
	if (keep(&x->head.signature, x->signature, SIGNATURE_MAX, f) < 0)
		return -1;
	move_to(w, in.at);
	if (want(w, f) < 0)
		return -1;
	/* Nothing may follow. */
	return w->ended && w->at == w->end ? 0 : malformed(f);
}

static int
read_all(struct crl_index *x, struct window *w, struct fault *f)
{
	uint64_t end, tbs;

	if (want(w, f) < 0 || enter(w, CRL_BYTES_MAX, &end, f) < 0)
		return -1;
	w->hashed = w->at; /* the header of what is signed is signed too */
	if (enter(w, end, &tbs, f) < 0 || read_tbs(x, w, tbs, f) < 0)
		return -1;
	return read_signature(x, w, end, f);
}

/* Give back what is more than was needed. */
static void
shrink(struct crl_index *x)
{
	uint8_t *exact;

	if (x->count == 0 || x->count == x->room)
		return;
	exact = reallocarray(x->entries, x->count, x->width + TAIL);
	if (exact == NULL)
		return;
	x->entries = exact;
	x->room = x->count;
}

struct crl_index *
crl_index_read(struct crl_source *source, struct fault *f)
{
	OWN_STRUCT(crl_index) x = calloc(1, sizeof(*x));
	OWN(char) room = malloc(sizeof(struct window));
	struct window *w = (struct window *)(void *)room;
	int answer;

	if (x == NULL || w == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a CRL");
		return NULL;
	}
	memset(w, 0, offsetof(struct window, data));
	w->source = source;
	answer = read_all(x, w, f);
	key_hash_free(w->hash);
	if (answer < 0)
		return NULL;
	shrink(x);
	return TAKE(x);
}

void
crl_index_free(struct crl_index *index)
{
	if (index == NULL)
		return;
	free(index->entries);
	free(index);
}

const struct crl *
crl_index_head(const struct crl_index *index)
{
	return &index->head;
}

size_t
crl_index_count(const struct crl_index *index)
{
	return index->count;
}

size_t
crl_index_memory(const struct crl_index *index)
{
	return sizeof(*index) + index->room * (index->width + TAIL);
}

/* The first entry whose serial is not less than ${key}. */
static size_t
lower_bound(const struct crl_index *x, const uint8_t *key)
{
	size_t low = 0, high = x->count, stride = x->width + TAIL;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(x->entries + middle * stride, key, x->width) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int
crl_index_find(const struct crl_index *index, struct wire_bytes serial,
    struct crl_entry *entry)
{
	size_t stride = index->width + TAIL;
	uint8_t key[CERT_SERIAL_MAX] = { 0 };
	const uint8_t *found, *tail;
	size_t at;

	if (index->count == 0 || serial.len > index->width)
		return 0;
	if (serial.len > 0)
		memcpy(key + index->width - serial.len, serial.data,
		    serial.len);
	at = lower_bound(index, key);
	found = index->entries + at * stride;
	if (at == index->count || memcmp(found, key, index->width) != 0)
		return 0;
	memset(entry, 0, sizeof(*entry));
	if (serial.len > 0)
		memcpy(entry->serial, serial.data, serial.len);
	entry->serial_len = (uint8_t)serial.len;
	tail = found + index->width;
	for (int i = 0; i < 4; i++)
		entry->when = entry->when << 8 | tail[i];
	entry->reason = tail[4];
	return 1;
}

int
crl_index_check(const struct crl_index *index, const struct cert *issuer,
    struct fault *f)
{
	const struct crl *head = &index->head;

	if (!dn_equal(&head->issuer, &issuer->subject))
		return fault_set(f, FAULT_UNTRUSTED,
		    "the CRL is of another CA");
	if (issuer->has_key_usage &&
	    (issuer->key_usage & CERT_KU_CRL_SIGN) == 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "RFC 5280 6.3.3: the CA may sign no CRL");
	if (spki_verify_digest(&issuer->spki, head->algorithm,
		(struct wire_bytes){ index->digest, index->digest_len },
		head->signature, f) < 0) {
		f->code = FAULT_UNTRUSTED;
		return fault_wrap(f, "CRL");
	}
	return 0;
}

struct wire_bytes
crl_index_digest(const struct crl_index *index)
{
	return (struct wire_bytes){ index->digest, index->digest_len };
}
