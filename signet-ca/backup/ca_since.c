#include "ca_since.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/rand.h"
#include "base/text.h"
#include "ledger/checkpoint.h"
#include "ledger/ledger_lists.h"
#include "ledger/log_key.h"
#include "signet-ca/sign/ca_sign.h"
#include "x509/crl.h"
#include "x509/der.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CERTS_MOST ((size_t)64 << 20)
#define SPARE_FALLBACK 10000
#define NUMBERS_A_YEAR 31536000 /* CRL numbers come from the clock: seconds */
#define NUMBERS_A_SERIES 1000	/* lists that one command makes beforehand */
#define AT_A_TIME 4096

/* What stands on the newest list, and what the book has revoked. */
struct mark {
	uint8_t serial[CERT_SERIAL_MAX];
	uint8_t serial_len;
	uint8_t reason;
};

struct marks {
	struct mark *at;
	size_t count;
	size_t size;
};

/* Another CA in the same ledger. */
#define OTHERS_MOST 16
struct other {
	char name[64];
	uint64_t serial;
};

/* The comparison under way. */
struct comparing {
	const struct ca_args *args;
	const struct ca_dir *d;
	struct ledger *l;
	const char *who;
	struct marks known; /* revoked in the book, by serial */
	uint64_t newest;    /* number of the list that counts */
	struct buf list;    /* its DER */
	uint64_t seen;	    /* highest serial that was shown, in a range */
	struct other other[OTHERS_MOST];
	size_t others;
	struct ca_since *since;
	struct fault *f;
};

int
ca_since_given(const struct ca_args *args, bool random, struct fault *f)
{
	bool crl = args->crl != NULL, cert = args->cert != NULL;
	bool head = args->head.count > 0;

	if (args->nothing_since && (crl || cert || head))
		return fault_set(f, FAULT_USAGE,
		    "--nothing-since says that there is nothing to compare "
		    "with: either that or --crl, --cert, --head");
	if (args->nothing_since || head)
		return 0;
	if (!crl)
		return fault_set(f, FAULT_USAGE,
		    "what came after the backup? A CRL number must not come "
		    "twice: give the newest list by --crl, or a head of the "
		    "ledger by --head; or say --nothing-since");
	if (!random && !cert)
		return fault_set(f, FAULT_USAGE,
		    "what came after the backup? Serials of a range must not "
		    "come twice: give the newest certificates by --cert, or a "
		    "head of the ledger by --head; or say --nothing-since");
	return 0;
}

static int
add_mark(struct marks *m, const uint8_t *serial, size_t len, int reason)
{
	while (len > 0 && *serial == 0) {
		serial++;
		len--;
	}
	if (len > CERT_SERIAL_MAX)
		return -1;
	if (m->count == m->size) {
		size_t size = m->size == 0 ? 256 : 2 * m->size;
		struct mark *more = reallocarray(m->at, size, sizeof(*more));

		if (more == NULL)
			return -1;
		m->at = more;
		m->size = size;
	}
	m->at[m->count] = (struct mark){ .serial_len = (uint8_t)len,
		.reason = (uint8_t)reason };
	memcpy(m->at[m->count].serial, serial, len);
	m->count++;
	return 0;
}

static int
compare_marks(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	if (x->serial_len != y->serial_len)
		return x->serial_len < y->serial_len ? -1 : 1;
	return memcmp(x->serial, y->serial, x->serial_len);
}

static int
add_verdict(void *arg, const struct ledger_verdict *v, struct fault *f)
{
	if (add_mark(arg, v->serial.data, v->serial.len, v->reason) == 0)
		return 0;
	return fault_set(f, FAULT_MEMORY, "revocations");
}

/* All that the book has revoked or held, to be looked up. */
static int
gather_known(struct comparing *c, struct fault *f)
{
	struct ledger_verdicts at = { .ca = c->d->authority.conf.name,
		.until = ledger_entries(c->l) };
	int more = 1;

	while (more == 1)
		more = ledger_verdicts(c->l, &at, AT_A_TIME, add_verdict,
		    &c->known, f);
	if (more < 0)
		return -1;
	if (c->known.count > 0)
		qsort(c->known.at, c->known.count, sizeof(*c->known.at),
		    compare_marks);
	return 0;
}

/* A serial of a CA that numbers in a range, as a number; others are too
 * long. */
static void
see_serial(struct comparing *c, const uint8_t *serial, size_t len)
{
	const struct authority *a = &c->d->authority;
	uint64_t number = 0;

	for (; len > 0 && *serial == 0; len--)
		serial++;
	if (a->serial_random || len > 8)
		return;
	for (size_t i = 0; i < len; i++)
		number = number << 8 | serial[i];
	if (number >= a->serial_start &&
	    number - a->serial_start < a->serial_span && number > c->seen)
		c->seen = number;
}

static int
see_entry(void *arg, const struct crl_entry *entry)
{
	see_serial(arg, entry->serial, entry->serial_len);
	return 0;
}

/* One of the CA's lists; the one with the highest number is kept. */
static int
read_list(struct comparing *c, struct wire_bytes der, struct fault *f)
{
	struct crl crl;

	if (crl_read(&crl, der, f) < 0 ||
	    crl_check_signature(&crl, c->d->authority.cert, f) < 0)
		return -1;
	if (crl.number == 0)
		return fault_set(f, FAULT_INPUT, "a list without a number");
	if (crl_each(&crl, see_entry, c) < 0)
		return fault_set(f, FAULT_INPUT, "malformed CRL");
	if (crl.number <= c->newest)
		return 0;
	c->newest = crl.number;
	buf_clear(&c->list);
	buf_put(&c->list, der.data, der.len);
	return c->list.failed ? fault_set(f, FAULT_MEMORY, "CRL") : 0;
}

/* A list as DER, or one or more as PEM. */
static int
read_lists(struct comparing *c, const char *path, struct fault *f)
{
	OWN_BUF(file, 2 * CRL_BYTES_MAX);
	OWN_BUF(der, CRL_BYTES_MAX);
	size_t at = 0;
	int found, count = 0;

	if (file_read(path, &file, f) < 0)
		return -1;
	while ((found = pem_next(file.data, file.len, &at, "X509 CRL", &der,
		    f)) == 1) {
		if (read_list(c, (struct wire_bytes){ der.data, der.len }, f) <
		    0)
			return -1;
		buf_clear(&der);
		count++;
	}
	if (found < 0 || count > 0)
		return found;
	return read_list(c, (struct wire_bytes){ file.data, file.len }, f);
}

/* A certificate that the CA signed; 1 if it is of another. */
static int
adopt(struct comparing *c, const struct cert *cert, struct fault *f)
{
	char subject[DN_TEXT_MAX], ref[RAND_REF_SIZE];
	struct ledger_intent intent = { .ca = c->d->authority.conf.name,
		.ref = ref,
		.peer = "local",
		.username = c->who,
		.principal = c->who,
		.method = "restore",
		.subject = subject,
		.profile = "unknown",
		.not_before = cert->not_before,
		.not_after = cert->not_after };
	struct fault other = { 0 };

	if (!dn_equal(&cert->issuer, &c->d->authority.cert->subject) ||
	    cert_check_signature(cert, c->d->authority.cert, &other) < 0)
		return 1;
	if (dn_show_slash(&cert->subject, subject, sizeof(subject)) < 0)
		return fault_set(f, FAULT_INPUT, "the subject is too long");
	rand_ref(ref);
	see_serial(c, cert->serial, cert->serial_len);
	if (ledger_adopt(c->l, &intent,
		(struct wire_bytes){ cert->der, cert->len }, &other) == 0) {
		c->since->adopted++;
		return 0;
	}
	/* It is in the book already. */
	if (other.code == FAULT_DENIED)
		return 0;
	*f = other;
	return -1;
}

/* A file of certificates, of which others' are passed over. */
static int
read_certs(struct comparing *c, const char *path, struct fault *f)
{
	OWN_BUF(file, CERTS_MOST);
	OWN_BUF(der, CERT_MAX);
	size_t at = 0;
	size_t ours = 0;
	int found;

	if (file_read(path, &file, f) < 0)
		return -1;
	while ((found = pem_next(file.data, file.len, &at, "CERTIFICATE", &der,
		    f)) == 1) {
		OWN_STRUCT(cert) cert =
		    cert_read((struct wire_bytes){ der.data, der.len }, f);
		int result = cert == NULL ? -1 : adopt(c, cert, f);

		if (result < 0)
			return -1;
		if (result == 0)
			ours++;
		buf_clear(&der);
	}
	if (found < 0)
		return -1;
	if (ours == 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "no certificate of this CA in PEM");
	return 0;
}

/* What the newest list has and the book has not is revoked there too: the
 * next list would let it go. */
static int
take_over(void *arg, const struct crl_entry *e)
{
	struct comparing *c = arg;
	struct mark key = { .serial_len = e->serial_len };
	const struct mark *known;
	struct fault other = { 0 };

	memcpy(key.serial, e->serial, e->serial_len);
	known = c->known.count == 0 ? NULL
				    : bsearch(&key, c->known.at, c->known.count,
					  sizeof(key), compare_marks);
	if (known != NULL && (known->reason != 6 || e->reason == 6))
		return 0;
	if (ledger_revoke(c->l, c->d->authority.conf.name,
		(struct wire_bytes){ e->serial, e->serial_len }, e->reason,
		c->who, (time_t)e->when, &other) == 0) {
		c->since->revoked++;
		return 0;
	}
	if (other.code == FAULT_DENIED) {
		c->since->lost++;
		return 0;
	}
	*c->f = other;
	return -1;
}

static int
apply_list(struct comparing *c, struct fault *f)
{
	struct crl crl;

	if (c->newest == 0)
		return 0;
	c->f = f;
	if (crl_read(&crl, (struct wire_bytes){ c->list.data, c->list.len },
		f) < 0 ||
	    crl_each(&crl, take_over, c) < 0)
		return -1;
	if (c->since->lost > 0 && !c->args->lose_revocations)
		return fault_set(f, FAULT_DENIED,
		    "%zu certificates on the list are unknown to the backup: "
		    "show them by --cert, or the next list would lack them "
		    "(--lose-revocations if nobody has them any more)",
		    c->since->lost);
	return 0;
}

/* How many entries a head that was kept elsewhere has and the book has not. */
static int
read_head(struct comparing *c, const char *path, const char *log_key,
    struct fault *f)
{
	OWN_BUF(pem, LOG_FILE_MAX);
	OWN_BUF(file, CHECKPOINT_MAX);
	OWN_STRUCT(log_key) key = NULL;
	struct checkpoint point = { 0 };
	uint64_t have = ledger_entries(c->l);

	if (file_read_private(log_key, &pem, f) < 0) {
		if (f->code != FAULT_ABSENT)
			return -1;
		return fault_set(f, FAULT_UNTRUSTED,
		    "the backup has no log key to check a head by");
	}
	if ((key = log_key_read(pem.data, pem.len, c->d->authority.conf.name,
		 f)) == NULL ||
	    file_read(path, &file, f) < 0 ||
	    checkpoint_read((struct wire_bytes){ file.data, file.len },
		log_key_pub(key), &point, f) < 0)
		return -1;
	if (point.head.size < have)
		return fault_set(f, FAULT_DENIED,
		    "the head is of %llu entries, the backup of %llu: it says "
		    "nothing of what came after the backup",
		    (unsigned long long)point.head.size,
		    (unsigned long long)have);
	if (point.head.size - have > c->since->missing)
		c->since->missing = point.head.size - have;
	return 0;
}

static uint64_t
plus(uint64_t a, uint64_t b)
{
	return a > INT64_MAX - 1 - b ? INT64_MAX - 1 : a + b;
}

/* Up to where serials of the range may have been used. */
static int
serial_floor(struct comparing *c, uint64_t spare, struct fault *f)
{
	const struct authority *a = &c->d->authority;
	struct ledger_numbering how = { .random = a->serial_random,
		.start = a->serial_start,
		.span = a->serial_span };
	uint64_t left = 0, used;

	if (a->serial_random)
		return 0;
	if (ledger_serials_left(c->l, a->conf.name, &how, &left, f) < 0)
		return -1;
	used = a->serial_start + (a->serial_span - 1) - left;
	if (c->seen > used)
		used = c->seen;
	c->since->serial = plus(plus(used, c->since->missing), spare);
	return 0;
}

/* A list that was made since has its number from the clock, or from the one
 * before it, and may be one of a series whose others nobody saw.  A head alone
 * does not say which, nor does a list that the backup knows: then the clock is
 * given a year. */
static int
crl_floor(struct comparing *c, const char *ca, uint64_t newest, uint64_t *floor,
    struct fault *f)
{
	struct ledger_crl last = { 0 };
	uint64_t now = (uint64_t)clock_wall();

	if (ledger_crl_last(c->l, ca, &last, f) < 0)
		return -1;
	*floor =
	    plus(newest > last.number ? newest : last.number, NUMBERS_A_SERIES);
	if (newest <= last.number)
		*floor =
		    plus(plus(now > *floor ? now : *floor, c->since->missing),
			NUMBERS_A_YEAR);
	return 0;
}

static int
skip(struct comparing *c, uint64_t spare, struct fault *f)
{
	struct ledger_floor floor = { .ca = c->d->authority.conf.name,
		.who = c->who,
		.note = "restored from a backup" };

	if (serial_floor(c, spare, f) < 0 ||
	    crl_floor(c, floor.ca, c->newest, &c->since->crl, f) < 0)
		return -1;
	floor.serial = c->since->serial;
	floor.crl = c->since->crl;
	return ledger_skip(c->l, &floor, f);
}

/* A daemon's ledger may be of several CAs: note each, and the highest of its
 * serials that is short enough to be of a range. */
static int
note_other(void *arg, const struct ledger_line *line)
{
	struct comparing *c = arg;
	const char *name = line->intent.ca;
	uint64_t serial = 0;
	size_t i = 0;

	if (strcmp(name, c->d->authority.conf.name) == 0)
		return 0;
	while (i < c->others && strcmp(c->other[i].name, name) != 0)
		i++;
	if (i == OTHERS_MOST ||
	    text_copy(c->other[i].name, sizeof(c->other[i].name), name) < 0)
		return 1;
	if (i == c->others)
		c->others++;
	if (strlen(line->serial) > 16)
		return 0;
	for (const char *s = line->serial; *s != '\0'; s++)
		serial = serial << 4 |
		    (uint64_t)(*s <= '9' ? *s - '0' : (*s | 0x20) - 'a' + 10);
	if (serial > c->other[i].serial)
		c->other[i].serial = serial;
	return 0;
}

static int
find_others(struct comparing *c, struct fault *f)
{
	static const struct ledger_filter all;
	int result = ledger_each(c->l, &all, note_other, c, f);

	if (result > 0)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the ledger is of more than %d CAs", OTHERS_MOST);
	if (result == 0 && c->others > 0 && c->args->head.count == 0)
		return fault_set(f, FAULT_USAGE,
		    "the ledger is also that of %s: only a head of it (--head) "
		    "says what all of them did since",
		    c->other[0].name);
	return result;
}

static int
skip_others(struct comparing *c, uint64_t spare, struct fault *f)
{
	for (size_t i = 0; i < c->others; i++) {
		const struct other *o = &c->other[i];
		struct ledger_floor floor = { .ca = o->name,
			.who = c->who,
			.note = "restored from a backup" };

		if (o->serial > 0)
			floor.serial =
			    plus(plus(o->serial, c->since->missing), spare);
		if (crl_floor(c, o->name, 0, &floor.crl, f) < 0 ||
		    ledger_skip(c->l, &floor, f) < 0)
			return -1;
	}
	return 0;
}

static int
write_all(struct comparing *c, const char *log_key, struct fault *f)
{
	const struct ca_args *args = c->args;
	int64_t spare = 0;

	if (cmd_number(args->spare, "--spare", 0, INT64_MAX / 2, SPARE_FALLBACK,
		&spare, f) < 0)
		return -1;
	if (args->crl != NULL && read_lists(c, args->crl, f) < 0)
		return fault_wrap(f, "%s", args->crl);
	for (size_t i = 0; i < args->head.count; i++)
		if (read_head(c, args->head.item[i], log_key, f) < 0)
			return fault_wrap(f, "%s", args->head.item[i]);
	if (args->cert != NULL && read_certs(c, args->cert, f) < 0)
		return fault_wrap(f, "%s", args->cert);
	if (apply_list(c, f) < 0 || skip(c, (uint64_t)spare, f) < 0)
		return -1;
	return skip_others(c, (uint64_t)spare, f);
}

static int
in_transaction(struct comparing *c, const char *log_key, struct fault *f)
{
	if (gather_known(c, f) < 0 || ledger_begin(c->l, f) < 0)
		return -1;
	return ledger_settle(c->l, write_all(c, log_key, f), f);
}

int
ca_since_apply(const struct ca_args *args, const struct ca_dir *d,
    struct ledger *l, const char *log_key, struct ca_since *since,
    struct fault *f)
{
	struct comparing *c = calloc(1, sizeof(*c));
	int result;

	memset(since, 0, sizeof(*since));
	if (c == NULL)
		return fault_set(f, FAULT_MEMORY, "restore");
	c->args = args;
	c->d = d;
	c->l = l;
	c->who = ca_sign_operator();
	c->since = since;
	c->list = BUF(CRL_BYTES_MAX);
	result = args->nothing_since ? 0 : find_others(c, f);
	if (result == 0 && !args->nothing_since)
		result = in_transaction(c, log_key, f);
	free(c->known.at);
	buf_free(&c->list);
	free(c);
	return result == 0 ? 0 : -1;
}
