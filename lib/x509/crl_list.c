#include "x509/crl_list.h"

#include "base/fault.h"
#include "x509/der.h"

#include <stdlib.h>
#include <string.h>

#define RUN 4096     /* entries that are sorted at once: half a millisecond */
#define ENTRY_MAX 64 /* octets of DER */
#define HEAD_MAX 131072
#define REASON_LAST 10
#define DAY 86400
#define YEAR_10000 253402300800
#define YEAR_2050 2524608000 /* RFC 5280 5.1.2.4: GeneralizedTime from then */

static const uint8_t oid_number[] = { 0x55, 0x1d, 0x14 };
static const uint8_t oid_authority_id[] = { 0x55, 0x1d, 0x23 };

/* SEQUENCE { SEQUENCE { reasonCode, OCTET STRING { ENUMERATED } } } but for
 * the last octet. */
static const uint8_t reason_head[] = { 0x30, 0x0c, 0x30, 0x0a, 0x06, 0x03, 0x55,
	0x1d, 0x15, 0x04, 0x03, 0x0a, 0x01 };

struct run {
	struct crl_entry *entry; /* RUN of them; sorted when it is full */
	size_t count;
	size_t at; /* the next to be written */
};

struct crl_list {
	struct run *run;
	size_t runs;
	size_t room;
	size_t count;
	size_t bytes; /* of all entries as DER */
	size_t total; /* of the TBSCertList */
	size_t *heap; /* runs that have entries left, the least on top */
	size_t heap_len;
	struct crl_entry last; /* that was written; serial_len 0: none */
	struct buf tail;       /* what follows the entries */
	int64_t day;	       /* whose date is in ${date} */
	char date[16];	       /* YYYYMMDD */
};

struct crl_list *
crl_list_new(struct fault *f)
{
	struct crl_list *list = calloc(1, sizeof(*list));

	if (list == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "CRL");
		return NULL;
	}
	list->tail = BUF(HEAD_MAX);
	list->day = INT64_MIN;
	return list;
}

void
crl_list_free(struct crl_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->runs; i++)
		free(list->run[i].entry);
	free(list->run);
	free(list->heap);
	buf_free(&list->tail);
	free(list);
}

size_t
crl_list_count(const struct crl_list *list)
{
	return list->count;
}

size_t
crl_list_size(const struct crl_list *list)
{
	return list->total;
}

static int
compare(const void *left, const void *right)
{
	const struct crl_entry *a = left, *b = right;

	if (a->serial_len != b->serial_len)
		return a->serial_len < b->serial_len ? -1 : 1;
	return memcmp(a->serial, b->serial, a->serial_len);
}

/* Octets of the contents of the entry's SEQUENCE. */
static size_t
contents_size(const struct crl_entry *e)
{
	size_t serial = 2u + e->serial_len + (e->serial[0] >= 0x80 ? 1 : 0);
	size_t when = 2 + (e->when < YEAR_2050 ? 13 : 15);

	return serial + when + (e->reason != 0 ? sizeof(reason_head) + 1 : 0);
}

/* A run more, with room for all its entries. */
static int
add_run(struct crl_list *list, struct fault *f)
{
	struct run *run;

	if (list->runs == list->room) {
		size_t room = list->room == 0 ? 16 : 2 * list->room;
		struct run *more = reallocarray(list->run, room, sizeof(*more));

		if (more == NULL)
			return fault_set(f, FAULT_MEMORY, "CRL");
		list->run = more;
		list->room = room;
	}
	run = &list->run[list->runs];
	*run = (struct run){ malloc(RUN * sizeof(*run->entry)), 0, 0 };
	if (run->entry == NULL)
		return fault_set(f, FAULT_MEMORY, "CRL");
	list->runs++;
	return 0;
}

static int
check(const struct crl_entry *e, struct fault *f)
{
	if (e->serial_len == 0 || e->serial_len > CERT_SERIAL_MAX ||
	    e->serial[0] == 0 || e->reason > REASON_LAST || e->when < 0 ||
	    e->when >= YEAR_10000)
		return fault_set(f, FAULT_INTERNAL, "malformed CRL entry");
	return 0;
}

int
crl_list_add(struct crl_list *list, const struct crl_entry *e, struct fault *f)
{
	size_t bytes;
	struct run *run;

	if (check(e, f) < 0)
		return -1;
	bytes = 2 + contents_size(e);
	if (bytes > CRL_BYTES_MAX - HEAD_MAX - list->bytes)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "a CRL of more than %zu bytes", CRL_BYTES_MAX);
	if (list->count % RUN == 0 && add_run(list, f) < 0)
		return -1;
	run = &list->run[list->runs - 1];
	run->entry[run->count++] = *e;
	list->count++;
	list->bytes += bytes;
	if (run->count == RUN)
		qsort(run->entry, RUN, sizeof(*run->entry), compare);
	return 0;
}

static const struct crl_entry *
first_of(const struct crl_list *list, size_t run)
{
	return &list->run[run].entry[list->run[run].at];
}

static void
sift_down(struct crl_list *list, size_t at)
{
	size_t *heap = list->heap;

	for (size_t child; (child = 2 * at + 1) < list->heap_len; at = child) {
		size_t moved = heap[at];

		if (child + 1 < list->heap_len &&
		    compare(first_of(list, heap[child + 1]),
			first_of(list, heap[child])) < 0)
			child++;
		if (compare(first_of(list, heap[child]),
			first_of(list, moved)) >= 0)
			return;
		heap[at] = heap[child];
		heap[child] = moved;
	}
}

static int
build_heap(struct crl_list *list, struct fault *f)
{
	struct run *last;

	if (list->runs == 0)
		return 0;
	last = &list->run[list->runs - 1];
	qsort(last->entry, last->count, sizeof(*last->entry), compare);
	list->heap = calloc(list->runs, sizeof(*list->heap));
	if (list->heap == NULL)
		return fault_set(f, FAULT_MEMORY, "CRL");
	for (size_t i = 0; i < list->runs; i++)
		list->heap[i] = i;
	list->heap_len = list->runs;
	for (size_t i = list->runs / 2; i-- > 0;)
		sift_down(list, i);
	return 0;
}

static void
put_head(const struct authority *issuer, const struct crl_span *span,
    struct buf *out)
{
	const struct cert *cert = issuer->cert;
	struct wire_bytes algorithm = key_signature_algorithm(cert->spki.kind);

	der_put_u64(out, 1); /* v2 */
	buf_put(out, algorithm.data, algorithm.len);
	buf_put(out, cert->subject.der, cert->subject.len);
	der_put_time(out, span->this_update);
	der_put_time(out, span->next_update);
}

static void
put_tail(const struct authority *issuer, uint64_t number, struct buf *out)
{
	size_t outer = der_open(out, DER_CONTEXT_C(0));
	size_t list = der_open(out, DER_SEQUENCE);
	size_t extension = der_open(out, DER_SEQUENCE);
	size_t octets, value;

	der_put(out, DER_OID, oid_authority_id, sizeof(oid_authority_id));
	octets = der_open(out, DER_OCTET_STRING);
	value = der_open(out, DER_SEQUENCE);
	der_put(out, DER_CONTEXT(0), issuer->key_id, sizeof(issuer->key_id));
	der_close(out, value);
	der_close(out, octets);
	der_close(out, extension);

	extension = der_open(out, DER_SEQUENCE);
	der_put(out, DER_OID, oid_number, sizeof(oid_number));
	octets = der_open(out, DER_OCTET_STRING);
	der_put_u64(out, number);
	der_close(out, octets);
	der_close(out, extension);
	der_close(out, list);
	der_close(out, outer);
}

int
crl_list_open(struct crl_list *list, const struct authority *issuer,
    const struct crl_span *span, struct buf *out, struct fault *f)
{
	OWN_BUF(head, HEAD_MAX);
	size_t contents;

	if (span->number == 0)
		return fault_set(f, FAULT_INTERNAL, "CRL number 0");
	put_head(issuer, span, &head);
	put_tail(issuer, span->number, &list->tail);
	contents = head.len + list->tail.len;
	if (list->count > 0)
		contents += der_header_size(list->bytes) + list->bytes;
	der_put_header(out, DER_SEQUENCE, contents);
	buf_put(out, head.data, head.len);
	/* RFC 5280 5.1.2.6: no list rather than an empty one. */
	if (list->count > 0)
		der_put_header(out, DER_SEQUENCE, list->bytes);
	if (out->failed || head.failed || list->tail.failed)
		return fault_set(f, FAULT_MEMORY,
		    "CRL is larger than %zu bytes", out->limit);
	list->total = der_header_size(contents) + contents;
	return build_heap(list, f);
}

/* ${value} in decimal, two digits. */
static void
put_two(uint8_t *at, int64_t value)
{
	at[0] = (uint8_t)('0' + value / 10);
	at[1] = (uint8_t)('0' + value % 10);
}

/* A date is worked out once for all that were revoked on that day. */
static void
find_date(struct crl_list *list, int64_t when)
{
	struct tm tm;
	time_t moment = (time_t)when;

	if (list->day != INT64_MIN && when >= list->day &&
	    when - list->day < DAY)
		return;
	(void)gmtime_r(&moment, &tm);
	list->day = when - (tm.tm_hour * 3600 + tm.tm_min * 60 + tm.tm_sec);
	(void)strftime(list->date, sizeof(list->date), "%Y%m%d", &tm);
}

static uint8_t *
put_when(struct crl_list *list, int64_t when, uint8_t *at)
{
	size_t date = when < YEAR_2050 ? 6 : 8;
	int64_t left;

	find_date(list, when);
	left = when - list->day;
	*at++ = when < YEAR_2050 ? DER_UTCTIME : DER_GENTIME;
	*at++ = (uint8_t)(date + 7);
	memcpy(at, list->date + 8 - date, date);
	at += date;
	put_two(at, left / 3600);
	put_two(at + 2, left / 60 % 60);
	put_two(at + 4, left % 60);
	at[6] = 'Z';
	return at + 7;
}

/* By hand: this runs a million times. */
static int
put_entry(struct crl_list *list, const struct crl_entry *e, struct buf *out,
    struct fault *f)
{
	uint8_t *at = buf_room(out, ENTRY_MAX), *begin = at;
	bool high = e->serial[0] >= 0x80;

	if (at == NULL)
		return fault_set(f, FAULT_MEMORY,
		    "CRL is larger than %zu bytes", out->limit);
	*at++ = DER_SEQUENCE;
	*at++ = (uint8_t)contents_size(e);
	*at++ = DER_INTEGER;
	*at++ = (uint8_t)(e->serial_len + (high ? 1 : 0));
	if (high)
		*at++ = 0;
	memcpy(at, e->serial, e->serial_len);
	at = put_when(list, e->when, at + e->serial_len);
	if (e->reason != 0) {
		memcpy(at, reason_head, sizeof(reason_head));
		at += sizeof(reason_head);
		*at++ = e->reason;
	}
	out->len += (size_t)(at - begin);
	return 0;
}

/* The run on top has been written up to its end, or to its next entry. */
static void
advance(struct crl_list *list)
{
	struct run *run = &list->run[list->heap[0]];

	if (++run->at == run->count) {
		free(run->entry);
		run->entry = NULL;
		list->heap[0] = list->heap[--list->heap_len];
	}
	sift_down(list, 0);
}

int
crl_list_write(struct crl_list *list, size_t most, struct buf *out,
    struct fault *f)
{
	for (; most > 0 && list->heap_len > 0; most--) {
		const struct crl_entry *e = first_of(list, list->heap[0]);

		if (list->last.serial_len > 0 && compare(&list->last, e) == 0)
			return fault_set(f, FAULT_INTERNAL,
			    "a serial is on the CRL twice");
		if (put_entry(list, e, out, f) < 0)
			return -1;
		list->last = *e;
		advance(list);
	}
	if (list->heap_len > 0)
		return 1;
	buf_put(out, list->tail.data, list->tail.len);
	if (out->failed)
		return fault_set(f, FAULT_MEMORY,
		    "CRL is larger than %zu bytes", out->limit);
	return 0;
}
