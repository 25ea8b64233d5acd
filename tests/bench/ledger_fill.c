/*
 * For the benches and stories of revocation lists: issue certificates in a
 * ledger, and revoke them.
 *
 *	ledger_fill LEDGER CA COUNT [NOT-AFTER [REASON]]
 *
 * Serials are as random as signetd makes them, of 20 octets; each certificate
 * is as much of one as the ledger looks at, and 800 octets.  REASON is a number
 * of RFC 5280 5.3.1, or -1 for each in its turn.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "x509/der.h"

#include <stdio.h>
#include <string.h>

#define BATCH 5000
#define DER_SIZE 800

struct filling {
	const char *ca;
	time_t not_after;
	int64_t reason;
	uint64_t next;
};

static const int reasons[] = { 0, 1, 2, 3, 4, 5, 6, 9, 10 };

static int
reserve(struct ledger *l, struct filling *g, uint8_t serial[20], size_t *len,
    struct fault *f)
{
	const struct ledger_numbering numbering = { .random = true };
	const struct ledger_intent intent = { .ca = g->ca,
		.ref = "0123456789ab",
		.peer = "192.0.2.7:4711",
		.username = "scott.koranda",
		.principal = "scott.koranda@LIGO.ORG",
		.method = "kerberos",
		.subject = "/DC=org/DC=ligo/O=LIGO/OU=People/CN=scott.koranda",
		.profile = "slcs-user",
		.not_before = clock_wall(),
		.not_after = g->not_after };

	return ledger_reserve(l, &intent, &numbering, serial, len, NULL, f);
}

static void
put_der(struct buf *out, struct wire_bytes serial)
{
	static const uint8_t rest[DER_SIZE];
	size_t certificate = der_open(out, DER_SEQUENCE);
	size_t tbs = der_open(out, DER_SEQUENCE);
	size_t version = der_open(out, DER_CONTEXT_C(0));

	der_put_u64(out, 2);
	der_close(out, version);
	der_put_positive(out, serial.data, serial.len);
	der_close(out, tbs);
	buf_put(out, rest, sizeof(rest));
	der_close(out, certificate);
}

static int
fill_one(struct ledger *l, struct filling *g, struct fault *f)
{
	const size_t count = sizeof(reasons) / sizeof(reasons[0]);
	int reason = g->reason >= 0 ? (int)g->reason : reasons[g->next % count];
	uint8_t serial[20];
	struct wire_bytes number = { serial, 0 };
	OWN_BUF(der, 4096);

	if (reserve(l, g, serial, &number.len, f) < 0)
		return -1;
	put_der(&der, number);
	g->next++;
	if (ledger_commit(l, g->ca, number,
		(struct wire_bytes){ der.data, der.len }, f) < 0)
		return -1;
	return ledger_revoke(l, g->ca, number, reason, "bench", clock_wall(),
	    f);
}

static int
fill(struct ledger *l, struct filling *g, uint64_t count, struct fault *f)
{
	while (g->next < count) {
		uint64_t until =
		    g->next + BATCH < count ? g->next + BATCH : count;

		if (ledger_begin(l, f) < 0)
			return -1;
		while (g->next < until)
			if (fill_one(l, g, f) < 0)
				return -1;
		if (ledger_end(l, f) < 0)
			return -1;
	}
	return 0;
}

int
main(int argc, char **argv)
{
	struct filling g = { .reason = 0 };
	struct fault f = { 0 };
	int64_t count = 0, not_after = clock_wall() + 30 * 86400;
	OWN_STRUCT(ledger) l = NULL;

	if (argc < 4 || text_number(argv[3], 0, 100000000, &count) < 0 ||
	    (argc > 4 && text_number(argv[4], 0, INT64_MAX, &not_after) < 0) ||
	    (argc > 5 && strcmp(argv[5], "-1") != 0 &&
		text_number(argv[5], 0, 10, &g.reason) < 0))
		return 2;
	if (argc > 5 && strcmp(argv[5], "-1") == 0)
		g.reason = -1;
	g.ca = argv[2];
	g.not_after = (time_t)not_after;
	if ((l = ledger_open(argv[1], NULL, &f)) == NULL ||
	    fill(l, &g, (uint64_t)count, &f) < 0) {
		fprintf(stderr, "%s\n", f.text);
		return 1;
	}
	return 0;
}
