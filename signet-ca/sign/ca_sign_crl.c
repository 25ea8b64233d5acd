#include "ca_sign_crl.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/file_part.h"
#include "ca_sign.h"
#include "ledger/ledger_lists.h"
#include "x509/crl_list.h"
#include "x509/key_hash.h"
#include "x509/pem.h"
#include "x509/tbs.h"

#include <string.h>

#define SIGNATURE_MOST 4096
#define HEAD_MOST 131072
#define VERDICTS 100000 /* read at a time */
#define PIECE ((size_t)1 << 20)

/* Take a number; the list is as of that entry. */
static int
take_number(struct ledger *l, const char *ca, struct crl_span *span,
    uint64_t *entry, struct fault *f)
{
	if (ledger_begin(l, f) < 0 ||
	    ledger_settle(l, ledger_crl_number(l, ca, &span->number, f), f) < 0)
		return -1;
	*entry = ledger_entries(l);
	return 0;
}

struct gathering {
	struct crl_list *list;
	struct crl_past past;
};

static int
gather(void *arg, const struct ledger_verdict *v, struct fault *f)
{
	struct gathering *g = arg;
	struct crl_entry e = { .reason = (uint8_t)v->reason,
		.when = v->revoked,
		.serial_len = (uint8_t)v->serial.len };

	if (crl_outlived(v->not_after, v->entry, &g->past))
		return 0;
	if (v->serial.len > sizeof(e.serial) || v->reason < 0 || v->reason > 10)
		return fault_set(f, FAULT_LEDGER,
		    "entry %llu of the ledger is no revocation",
		    (unsigned long long)v->entry);
	memcpy(e.serial, v->serial.data, v->serial.len);
	return crl_list_add(g->list, &e, f);
}

static int
gather_all(struct ledger *l, const char *ca, uint64_t until,
    const struct crl_span *span, struct crl_list *list, struct fault *f)
{
	struct ledger_verdicts at = { .ca = ca, .until = until };
	struct gathering g = { .list = list };
	struct ledger_list last;
	int more;

	if (ledger_list_last(l, ca, span->this_update, &last, f) < 0)
		return -1;
	g.past = (struct crl_past){ last.entry, last.this_update };
	while ((more = ledger_verdicts(l, &at, VERDICTS, gather, &g, f)) == 1)
		;
	return more;
}

/* The to-be-signed bytes at the end of ${der}, which has room for the rest
 * after them: what is long is held once. */
static int
write_tbs(const struct ca_dir *d, struct crl_list *list,
    const struct crl_span *span, struct buf *der, struct fault *f)
{
	OWN_BUF(head, HEAD_MOST);
	size_t count = crl_list_count(list);

	if (crl_list_open(list, &d->authority, span, &head, f) < 0)
		return -1;
	buf_reserve(der, crl_list_size(list) + HEAD_MOST);
	buf_put(der, head.data, head.len);
	return crl_list_write(list, count + 1, der, f) < 0 ? -1 : 0;
}

/* From the mark ${whole} on, ${der} becomes a list. */
static int
sign(const struct ca_dir *d, time_t moment, size_t whole, struct buf *der,
    struct fault *f)
{
	struct wire_bytes tbs = { der->data + whole, der->len - whole };
	struct wire_bytes algorithm =
	    key_signature_algorithm(key_kind_of(d->key));
	OWN_BUF(signature, SIGNATURE_MOST);

	if (tbs_check_crl(tbs, &d->authority, moment, f) < 0)
		return fault_wrap(f, "refused to sign");
	if (key_sign(d->key, tbs, &signature, f) < 0)
		return -1;
	buf_put(der, algorithm.data, algorithm.len);
	der_put_bits(der, signature.data, signature.len);
	der_close(der, whole);
	if (der->failed)
		return fault_set(f, FAULT_MEMORY,
		    "the CRL is larger than %zu octets", der->limit);
	return 0;
}

static int
file_list(struct ledger *l, const char *ca, const struct crl_span *span,
    struct wire_bytes der, struct fault *f)
{
	const struct ledger_list list = { .number = span->number,
		.this_update = span->this_update,
		.next_update = span->next_update };
	struct wire_bytes content = der;
	uint8_t digest[KEY_HASH_MAX];

	if (der.len > LEDGER_LIST_MOST) {
		OWN_STRUCT(key_hash) hash = key_hash_new(KEY_P256, f);

		if (hash == NULL)
			return -1;
		key_hash_add(hash, der);
		content.data = digest;
		if (key_hash_end(hash, digest, &content.len, f) < 0)
			return -1;
	}
	if (ledger_begin(l, f) < 0)
		return -1;
	return ledger_settle(l, ledger_list_file(l, ca, &list, content, f), f);
}

/* A list from before the CA was there would be one by a wrong clock, and of two
 * lists some believe the one that says it is newer. */
static int
check_clock(const struct ca_dir *d, time_t moment, struct fault *f)
{
	if (moment + TBS_CRL_AHEAD >= d->authority.cert->not_before)
		return 0;
	return fault_set(f, FAULT_EXPIRED,
	    "the CA %s is not valid yet: is the clock wrong?",
	    d->authority.conf.name);
}

int
ca_sign_crl_at(const struct ca_dir *d, struct ledger *l, time_t moment,
    struct buf *der, struct crl_span *span, struct fault *f)
{
	const char *ca = d->authority.conf.name;
	OWN_STRUCT(crl_list) list = crl_list_new(f);
	size_t begin = der->len, whole;
	time_t floor;
	uint64_t entry;

	if (list == NULL || check_clock(d, moment, f) < 0 ||
	    take_number(l, ca, span, &entry, f) < 0 ||
	    ledger_list_floor(l, ca, moment + TBS_CRL_AHEAD, &floor, f) < 0)
		return -1;
	crl_span_set(span, &d->authority, moment, floor);
	if (gather_all(l, ca, entry, span, list, f) < 0)
		return -1;
	whole = der_open(der, DER_SEQUENCE);
	if (write_tbs(d, list, span, der, f) < 0 ||
	    sign(d, moment, whole, der, f) < 0)
		return -1;
	return file_list(l, ca, span,
	    (struct wire_bytes){ der->data + begin, der->len - begin }, f);
}

int
ca_sign_crl(const struct ca_dir *d, const char *ledger, struct buf *der,
    struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_open(ledger, NULL, f);
	struct crl_span span = { .number = 0 };

	if (l == NULL)
		return -1;
	return ca_sign_crl_at(d, l, clock_wall(), der, &span, f);
}

struct news {
	const char *ca;
	bool found;
};

static void
note_news(void *arg, const char *ca, uint64_t entry)
{
	struct news *news = arg;

	(void)entry;
	news->found = news->found || strcmp(ca, news->ca) == 0;
}

int
ca_crl_state(struct ledger *l, const struct authority *a, time_t now,
    struct ca_crl_state *state, struct fault *f)
{
	struct news news = { .ca = a->conf.name };
	struct ledger_list last;
	uint64_t since;

	if (ledger_list_last(l, a->conf.name, 0, &last, f) < 0)
		return -1;
	since = last.entry;
	if (ledger_news(l, &since, note_news, &news, f) < 0)
		return -1;
	state->number = last.number;
	state->next_update = last.next_update;
	state->stale = news.found;
	state->days_left = last.number == 0
	    ? 0
	    : crl_days_left(last.next_update, a->conf.crl_lifetime, now);
	return 0;
}

int
ca_crl_write_pem(const char *path, struct wire_bytes der, bool replace,
    struct fault *f)
{
	OWN_BUF(text, 2 * PIECE);
	struct file_part file;
	struct pem_out pem;
	int result = 0;

	if (file_part_open(&file, path, 0644, f) < 0)
		return -1;
	pem_begin(&pem, "X509 CRL", &text);
	while (result == 0 && der.len > 0) {
		size_t n = der.len < PIECE ? der.len : PIECE;

		pem_add(&pem, (struct wire_bytes){ der.data, n }, &text);
		der.data += n;
		der.len -= n;
		if (der.len == 0)
			pem_end(&pem, &text);
		result = text.failed
		    ? fault_set(f, FAULT_MEMORY, "PEM")
		    : file_part_put(&file,
			  (struct wire_bytes){ text.data, text.len }, f);
		text.len = 0;
	}
	if (result < 0) {
		file_part_drop(&file);
		return -1;
	}
	return file_part_end(&file, replace, NULL, f);
}

int
ca_crl_read_file(const char *path, bool is_pem, struct buf *der,
    struct fault *f)
{
	OWN_BUF(text, 2 * CRL_BYTES_MAX);
	size_t at = 0;
	int found;

	if (!is_pem)
		return file_read(path, der, f);
	if (file_read(path, &text, f) < 0)
		return -1;
	found = pem_next(text.data, text.len, &at, "X509 CRL", der, f);
	if (found == 0)
		return fault_set(f, FAULT_INPUT, "%s: no CRL", path);
	return found < 0 ? fault_wrap(f, "%s", path) : 0;
}
