#include "x509/crl_reading.h"

#include "base/fault.h"
#include "x509/crl_index.h"
#include "x509/crl_index_part.h"
#include "x509/crl_part.h"
#include "x509/crl_sort.h"
#include "x509/crl_source.h"
#include "x509/der.h"
#include "x509/key_hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define WINDOW 114688
#define PIECE_MAX 65536	 /* what is looked at in one piece */
#define ROOM_FIRST 65536 /* entries, before the list is believed about more */
#define MOVED_COST 4 /* of an entry made wider: as many octets take as long */

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

enum stage {
	STAGE_HEAD,
	STAGE_ENTRIES,
	STAGE_WIDER, /* a serial is longer than those before */
	STAGE_TAIL,
	STAGE_ORDER,
	STAGE_WHOLE
};

struct crl_reading {
	struct crl_index *index; /* owned */
	enum stage stage;
	uint64_t end;  /* where the CRL ends, */
	uint64_t tbs;  /* what is signed of it, */
	uint64_t list; /* and the entries */
	bool v2;
	bool sorted;
	uint8_t *wider; /* owned; entries of ${width} */
	size_t width;
	size_t moved; /* to ${wider} */
	struct crl_sort sort;
	struct window w;
};

static void
spend(size_t *left, size_t cost)
{
	*left -= cost < *left ? cost : *left;
}

/*
 * How many entries of ${len} octets, which this one has, may follow.  Only a
 * list of which a part has been seen is believed.
 */
static size_t
room_wanted(const struct crl_reading *r, size_t len)
{
	uint64_t said = r->index->count + (r->list - r->w.place) / len + 1;
	size_t more = r->index->room + r->index->room / 2;

	if (r->index->room < ROOM_FIRST)
		return said < ROOM_FIRST ? (size_t)said : ROOM_FIRST;
	return said > more ? (size_t)said : more;
}

static int
grow(struct crl_index *x, size_t room, struct fault *f)
{
	uint8_t *more =
	    reallocarray(x->entries, room, x->width + CRL_INDEX_TAIL);

	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "a CRL");
	x->entries = more;
	x->room = room;
	return 0;
}

/* Entries are as wide as the longest serial: when a longer one comes, all are
 * made wider, at most CERT_SERIAL_MAX times. */
static int
widen(struct crl_reading *r, size_t width, struct fault *f)
{
	struct crl_index *x = r->index;

	if (x->count == 0) {
		free(x->entries);
		x->entries = NULL;
		x->room = 0;
		x->width = width;
		return 0;
	}
	r->wider = reallocarray(NULL, x->room, width + CRL_INDEX_TAIL);
	if (r->wider == NULL)
		return fault_set(f, FAULT_MEMORY, "a CRL");
	r->width = width;
	r->moved = 0;
	r->stage = STAGE_WIDER;
	return 0;
}

static int
step_wider(struct crl_reading *r, size_t *left, struct fault *f)
{
	struct crl_index *x = r->index;
	size_t old = x->width + CRL_INDEX_TAIL;
	size_t new = r->width + CRL_INDEX_TAIL;

	(void)f;
	for (; r->moved<x->count && * left> 0; r->moved++) {
		uint8_t *to = r->wider + r->moved * new;

		memset(to, 0, new - old);
		memcpy(to + new - old, x->entries + r->moved * old, old);
		spend(left, MOVED_COST);
	}
	if (r->moved < x->count)
		return 0;
	free(x->entries);
	x->entries = r->wider;
	r->wider = NULL;
	x->width = r->width;
	r->stage = STAGE_ENTRIES;
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

static void
add(struct crl_reading *r, const struct crl_entry *e)
{
	struct crl_index *x = r->index;
	size_t stride = x->width + CRL_INDEX_TAIL;
	uint8_t *to = x->entries + x->count * stride;

	memset(to, 0, x->width);
	memcpy(to + x->width - e->serial_len, e->serial, e->serial_len);
	put_tail(to + x->width, e);
	if (x->count > 0 && memcmp(to - stride, to, x->width) > 0)
		r->sorted = false;
	x->count++;
}

static int
step_entries(struct crl_reading *r, size_t *left, struct fault *f)
{
	struct crl_index *x = r->index;
	struct window *w = &r->w;

	while (w->place<r->list && * left> 0) {
		struct crl_entry entry;
		struct der_in in;
		size_t len;

		if (want(w, f) < 0)
			return -1;
		in = look(w, r->list);
		if (crl_part_entry(&in, &entry, f) < 0)
			return -1;
		/* It is read once more when the others are as wide. */
		if (entry.serial_len > x->width)
			return widen(r, entry.serial_len, f);
		len = (size_t)(in.at - (w->data + w->at));
		if (x->count == x->room && grow(x, room_wanted(r, len), f) < 0)
			return -1;
		add(r, &entry);
		move_to(w, in.at);
		spend(left, len);
	}
	if (w->place >= r->list)
		r->stage = STAGE_TAIL;
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

/* All that stands before the entries. */
static int
step_head(struct crl_reading *r, size_t *left, struct fault *f)
{
	struct crl *head = &r->index->head;
	struct window *w = &r->w;
	struct fault ignored = { 0 };
	struct der_in in;

	if (want(w, f) < 0 || enter(w, CRL_BYTES_MAX, &r->end, f) < 0)
		return -1;
	w->hashed = w->at; /* the header of what is signed is signed too */
	if (enter(w, r->end, &r->tbs, f) < 0)
		return -1;
	in = look(w, r->tbs);
	if (crl_part_head(head, &in, &head->algorithm, &r->v2, f) < 0 ||
	    keep(&head->algorithm, r->index->algorithm, CRL_INDEX_ALGORITHM,
		f) < 0)
		return -1;
	w->hash = key_hash_for(head->algorithm, &ignored);
	move_to(w, in.at);
	spend(left, (size_t)w->place);
	r->stage = STAGE_TAIL;
	if (want(w, f) < 0)
		return -1;
	if (w->place == r->tbs || w->data[w->at] != DER_SEQUENCE)
		return 0;
	r->stage = STAGE_ENTRIES;
	return enter(w, r->tbs, &r->list, f);
}

static int
read_signature(struct crl_reading *r, struct fault *f)
{
	struct crl *head = &r->index->head;
	struct window *w = &r->w;
	struct wire_bytes algorithm;
	struct der_in in;

	if (want(w, f) < 0)
		return -1;
	in = look(w, r->end);
	if (w->place + in.left != r->end)
		return malformed(f);
	algorithm = der_get_whole(&in, DER_SEQUENCE);
	head->signature = der_get_bits(&in);
	if (!der_ended(&in))
		return malformed(f);
	if (!der_bytes_equal(algorithm, head->algorithm))
		return fault_set(f, FAULT_INPUT,
		    "a CRL with two different algorithms");
	if (keep(&head->signature, r->index->signature, CRL_INDEX_SIGNATURE,
		f) < 0)
		return -1;
	move_to(w, in.at);
	if (want(w, f) < 0)
		return -1;
	/* Nothing may follow. */
	return w->ended && w->at == w->end ? 0 : malformed(f);
}

/* What stands behind the entries, and ends what was signed. */
static int
step_tail(struct crl_reading *r, size_t *left, struct fault *f)
{
	struct crl_index *x = r->index;
	struct window *w = &r->w;
	struct der_in in;

	if (want(w, f) < 0)
		return -1;
	in = look(w, r->tbs);
	if (w->place + in.left != r->tbs)
		return malformed(f);
	if (crl_part_tail(&x->head, &in, r->v2, f) < 0 ||
	    keep(&x->head.authority_id, x->authority_id, CRL_INDEX_AUTHORITY_ID,
		f) < 0)
		return -1;
	move_to(w, in.at);
	hash_up(w);
	if (w->hash != NULL &&
	    key_hash_end(w->hash, x->digest, &x->digest_len, f) < 0)
		return -1;
	key_hash_free(w->hash);
	w->hash = NULL;
	spend(left, PIECE_MAX);
	r->stage = STAGE_ORDER;
	return read_signature(r, f);
}

/* Give back what is more than was needed. */
static void
shrink(struct crl_index *x)
{
	uint8_t *exact;

	if (x->count == 0 || x->count == x->room)
		return;
	exact = reallocarray(x->entries, x->count, x->width + CRL_INDEX_TAIL);
	if (exact == NULL)
		return;
	x->entries = exact;
	x->room = x->count;
}

static int
step_order(struct crl_reading *r, size_t *left, struct fault *f)
{
	int done = r->sorted ? 1 : crl_sort_step(&r->sort, r->index, left, f);

	if (done != 1)
		return done;
	crl_sort_clear(&r->sort);
	shrink(r->index);
	r->stage = STAGE_WHOLE;
	return 0;
}

int
crl_reading_step(struct crl_reading *r, size_t *left, struct fault *f)
{
	static int (*const steps[])(struct crl_reading *, size_t *,
	    struct fault *) = { [STAGE_HEAD] = step_head,
		[STAGE_ENTRIES] = step_entries,
		[STAGE_WIDER] = step_wider,
		[STAGE_TAIL] = step_tail,
		[STAGE_ORDER] = step_order };

	while (r->stage != STAGE_WHOLE && *left > 0)
		if (steps[r->stage](r, left, f) < 0)
			return -1;
	return r->stage == STAGE_WHOLE ? 1 : 0;
}

struct crl_reading *
crl_reading_new(struct crl_source *source, struct fault *f)
{
	struct crl_reading *r = malloc(sizeof(*r));
	struct crl_index *x = calloc(1, sizeof(*x));

	if (r == NULL || x == NULL) {
		free(r);
		free(x);
		(void)fault_set(f, FAULT_MEMORY, "a CRL");
		return NULL;
	}
	memset(r, 0, offsetof(struct crl_reading, w.data));
	r->index = x;
	r->sorted = true;
	r->w.source = source;
	return r;
}

void
crl_reading_free(struct crl_reading *r)
{
	if (r == NULL)
		return;
	crl_index_free(r->index);
	key_hash_free(r->w.hash);
	crl_sort_clear(&r->sort);
	free(r->wider);
	free(r);
}

struct crl_index *
crl_reading_take(struct crl_reading *r)
{
	assert(r->stage == STAGE_WHOLE);
	return TAKE(r->index);
}
