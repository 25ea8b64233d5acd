/* The CRL half of ca_sign.h. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_sign.h"
#include "ledger/ledger.h"
#include "x509/tbs.h"

#include <stdlib.h>
#include <string.h>

#define CRL_MOST ((size_t)256 << 20)
#define SIGNATURE_MOST 4096

static int
end(struct ledger *l, int result, struct fault *f)
{
	if (result == 0)
		result = ledger_end(l, f);
	if (result < 0)
		ledger_cancel(l);
	return result < 0 ? -1 : 0;
}

/* The CRL's entries, gathered from the ledger. */
struct entries {
	struct crl_entry *at;
	size_t count;
	size_t size;
};

static int
add_entry(void *arg, const struct ledger_line *line)
{
	struct entries *list = arg;
	struct crl_entry *e;
	const char *hex = line->serial;
	char even[2 * CERT_SERIAL_MAX + 3];
	int len;

	if (list->count == list->size) {
		size_t size = list->size == 0 ? 64 : 2 * list->size;
		struct crl_entry *more =
		    reallocarray(list->at, size, sizeof(*more));

		if (more == NULL)
			return 1;
		list->at = more;
		list->size = size;
	}
	if (text_fmt(even, sizeof(even), "%s%s", strlen(hex) % 2 ? "0" : "",
		hex) < 0)
		return 1;
	e = &list->at[list->count];
	memset(e, 0, sizeof(*e));
	len = text_unhex(even, e->serial, sizeof(e->serial));
	if (len <= 0 || line->reason < 0 || line->reason > 10)
		return 1;
	e->serial_len = (uint8_t)len;
	e->reason = (uint8_t)line->reason;
	e->when = line->revoked;
	/* RFC 5280 3.3 lets entries go some time after the certificate's end;
	 * revocations are few here, and stay. */
	list->count++;
	return 0;
}

static int
make_crl(struct ledger *l, const struct ca_dir *d, struct entries *list,
    uint64_t number, struct buf *der, struct fault *f)
{
	const struct authority *a = &d->authority;
	OWN_BUF(tbs, CRL_MOST);
	OWN_BUF(signature, SIGNATURE_MOST);
	time_t now = clock_wall();
	struct wire_bytes bytes;

	if (crl_tbs(a, list->at, list->count, number, now, &tbs, f) < 0)
		return -1;
	bytes = (struct wire_bytes){ tbs.data, tbs.len };
	if (tbs_check_crl(bytes, a, now, f) < 0)
		return fault_wrap(f, "refused to sign");
	if (key_sign(d->key, bytes, &signature, f) < 0 ||
	    mint_finish(bytes, key_kind_of(d->key),
		(struct wire_bytes){ signature.data, signature.len }, der,
		f) < 0)
		return -1;
	return ledger_crl_filed(l, a->conf.name, number,
	    (struct wire_bytes){ der->data, der->len }, f);
}

int
ca_sign_crl(const struct ca_dir *d, const char *ledger, struct buf *der,
    struct fault *f)
{
	const char *name = d->authority.conf.name;
	const struct ledger_filter revoked = { .ca = name,
		.revoked_only = true };
	struct entries list = { 0 };
	OWN_STRUCT(ledger) l = ledger_open(ledger, NULL, f);
	uint64_t number = 0;
	int result;

	if (l == NULL || ledger_begin(l, f) < 0)
		return -1;
	/* In one transaction: no revocation falls between list and number. */
	result = ledger_each(l, &revoked, add_entry, &list, f);
	if (result > 0)
		result = fault_set(f, FAULT_LEDGER,
		    "the revocations of %s cannot be listed", name);
	if (result == 0)
		result = ledger_crl_number(l, name, &number, f);
	if (result == 0)
		result = make_crl(l, d, &list, number, der, f);
	free(list.at);
	return end(l, result, f);
}
