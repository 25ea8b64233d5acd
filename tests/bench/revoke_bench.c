/*
 * What revoking costs in a large book: a million certificates issued, revoked a
 * thousand in a durable transaction as signet-ca revoke does, listed, counted;
 * and what a head of the log costs.
 *
 *	revoke_bench [DIRECTORY [CERTIFICATES]]
 */
#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "ledger/ledger_head.h"
#include "ledger/ledger_lists.h"
#include "x509/der.h"

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILL_BATCH 5000
#define REVOKE_BATCH 1000
#define DER_SIZE 800
#define FIRST 1000000

static double
wall(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What has been spent since ${began}, and the most memory so far. */
static void
tell(const char *what, double began, uint64_t count)
{
	double took = wall() - began;
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	printf("%-34s %9llu  %8.3f s  %9.0f/s  %6ld MiB at most\n", what,
	    (unsigned long long)count, took,
	    took > 0 ? (double)count / took : 0.0, usage.ru_maxrss / 1024);
}

static int
issue_one(struct ledger *l, uint64_t total, struct fault *f)
{
	const struct ledger_numbering numbering = { false, FIRST, total };
	const struct ledger_intent intent = { .ca = "bench",
		.ref = "0123456789ab",
		.peer = "192.0.2.7:4711",
		.username = "scott.koranda",
		.principal = "scott.koranda@LIGO.ORG",
		.method = "kerberos",
		.subject = "/DC=org/DC=ligo/O=LIGO/OU=People/"
			   "CN=scott.koranda@LIGO.ORG",
		.profile = "slcs-user",
		.not_before = 1790000000,
		.not_after = 4000000000 };
	uint8_t serial[20];
	size_t len, certificate, tbs, version;
	OWN_BUF(der, 4096);

	if (ledger_reserve(l, &intent, &numbering, serial, &len, NULL, f) < 0)
		return -1;
	certificate = der_open(&der, DER_SEQUENCE);
	tbs = der_open(&der, DER_SEQUENCE);
	version = der_open(&der, DER_CONTEXT_C(0));
	der_put_u64(&der, 2);
	der_close(&der, version);
	der_put_positive(&der, serial, len);
	der_close(&der, tbs);
	for (size_t i = 0; i < DER_SIZE; i++)
		buf_put_u8(&der, 0);
	der_close(&der, certificate);
	return ledger_commit(l, "bench", (struct wire_bytes){ serial, len },
	    (struct wire_bytes){ der.data, der.len }, f);
}

static int
revoke_one(struct ledger *l, uint64_t number, struct fault *f)
{
	uint8_t data[8];
	struct wire_out out = { .at = data, .left = sizeof(data) };
	const struct wire_bytes serial = { data, sizeof(data) };
	enum ledger_state state;

	wire_put_u64(&out, number);
	if (ledger_state_find(l, "bench", serial, &state, f) != 1)
		return -1;
	return ledger_revoke(l, "bench", serial, 1, "bench", 1790000001, f);
}

static int
fill(struct ledger *l, uint64_t total, struct fault *f)
{
	for (uint64_t n = 0; n < total;) {
		if (ledger_begin(l, f) < 0)
			return -1;
		for (int i = 0; i < FILL_BATCH && n < total; i++, n++)
			if (issue_one(l, total, f) < 0)
				return -1;
		if (ledger_end(l, f) < 0)
			return -1;
	}
	return 0;
}

static int
revoke_all(struct ledger *l, uint64_t total, struct fault *f)
{
	for (uint64_t n = 0; n < total;) {
		if (ledger_begin(l, f) < 0)
			return -1;
		for (int i = 0; i < REVOKE_BATCH && n < total; i++, n++)
			if (revoke_one(l, FIRST + n, f) < 0)
				return -1;
		if (ledger_end(l, f) < 0)
			return -1;
	}
	return 0;
}

static int
count_verdict(void *arg, const struct ledger_verdict *v, struct fault *f)
{
	uint64_t *count = arg;

	(void)v;
	(void)f;
	(*count)++;
	return 0;
}

static int
count_line(void *arg, const struct ledger_line *line)
{
	uint64_t *count = arg;

	(void)line;
	(*count)++;
	return 0;
}

/* For a list, in pieces, as the keeper reads. */
static int
list_verdicts(struct ledger *l, uint64_t *count, struct fault *f)
{
	struct ledger_verdicts at = { .ca = "bench",
		.until = ledger_entries(l) };
	int more;

	do
		more = ledger_verdicts(l, &at, 1000, count_verdict, count, f);
	while (more == 1);
	return more;
}

static int
measure(struct ledger *l, uint64_t total, struct fault *f)
{
	const struct ledger_filter revoked = { .ca = "bench",
		.revoked_only = true };
	const struct ledger_filter one = { .serial = "f4240" };
	struct ledger_counts counts;
	struct ledger_head head;
	uint64_t listed = 0, lines = 0, found = 0;
	double began = wall();

	if (fill(l, total, f) < 0)
		return -1;
	tell("issued", began, total);
	began = wall();
	if (ledger_head_next(l, &head, f) < 0)
		return -1;
	tell("first head, all entries read", began, head.size);
	began = wall();
	if (revoke_all(l, total, f) < 0)
		return -1;
	tell("revoked, 1000 a transaction", began, total);
	began = wall();
	if (ledger_head_next(l, &head, f) < 0)
		return -1;
	tell("next head, entries since read", began, total);
	began = wall();
	if (list_verdicts(l, &listed, f) < 0)
		return -1;
	tell("listed for a CRL", began, listed);
	began = wall();
	if (ledger_each(l, &revoked, count_line, &lines, f) != 0)
		return -1;
	tell("listed with certificates", began, lines);
	began = wall();
	if (ledger_each(l, &one, count_line, &found, f) != 0)
		return -1;
	tell("found by serial", began, found);
	began = wall();
	if (ledger_count(l, "bench", 1790000002, &counts, f) < 0)
		return -1;
	tell("counted by state", began, counts.states[LEDGER_REVOKED]);
	return 0;
}

static void
clear(const char *dir, const char *path)
{
	static const char *const suffix[] = { "", "-wal", "-shm", ".lock" };

	for (size_t s = 0; s < 4; s++) {
		char name[320];

		if (text_fmt(name, sizeof(name), "%s%s", path, suffix[s]) == 0)
			(void)unlink(name);
	}
	(void)rmdir(dir);
}

int
main(int argc, char **argv)
{
	const char *where = argc > 1 ? argv[1] : "/var/tmp";
	int64_t total = 1000000;
	struct fault f = { 0 };
	struct ledger *l;
	char dir[256], path[300];
	int result;

	if (argc > 3 ||
	    (argc == 3 && text_number(argv[2], 1, 100000000, &total) < 0) ||
	    text_fmt(dir, sizeof(dir), "%s/revoke_bench.XXXXXX", where) < 0 ||
	    mkdtemp(dir) == NULL ||
	    text_fmt(path, sizeof(path), "%s/ledger.db", dir) < 0) {
		fprintf(stderr, "revoke_bench [DIRECTORY [CERTIFICATES]]\n");
		return 2;
	}
	l = ledger_open(path, NULL, &f);
	result = l == NULL ? -1 : measure(l, (uint64_t)total, &f);
	ledger_free(l);
	clear(dir, path);
	if (result < 0)
		fprintf(stderr, "%s\n", f.text);
	return result < 0 ? 1 : 0;
}
