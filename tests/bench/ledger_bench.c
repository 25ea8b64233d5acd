/*
 * What the ledger costs: rows a second and CPU a row, for transactions of 1,
 * 16 and 64 certificates (two rows each), beside plain appends with fdatasync.
 *
 *	ledger_bench [directory [certificates that are in it before]]
 */
#include "base/fault.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "x509/der.h"

#include <sys/resource.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 2.0
#define DER_SIZE 1200
#define MOST 64

struct serial {
	uint8_t data[20];
	size_t len;
};

static double
wall(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
cpu(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
put_der(struct buf *out, const struct serial *serial)
{
	size_t certificate = der_open(out, DER_SEQUENCE);
	size_t tbs = der_open(out, DER_SEQUENCE);
	size_t version = der_open(out, DER_CONTEXT_C(0));

	der_put_u64(out, 2);
	der_close(out, version);
	der_put_positive(out, serial->data, serial->len);
	der_close(out, tbs);
	for (size_t i = 0; i < DER_SIZE; i++)
		buf_put_u8(out, 0);
	der_close(out, certificate);
}

static int
reserve_all(struct ledger *l, struct serial *serial, unsigned batch,
    struct fault *f)
{
	static const struct ledger_numbering numbering = { true, 0, 0 };
	static const struct ledger_intent intent = { .ca = "slcs",
		.ref = "0123456789ab",
		.peer = "192.0.2.7:4711",
		.username = "scott.koranda",
		.principal = "scott.koranda@LIGO.ORG",
		.method = "kerberos",
		.subject = "/DC=org/DC=ligo/O=LIGO/OU=People/"
			   "CN=scott.koranda@LIGO.ORG",
		.profile = "slcs-user",
		.not_before = 1790000000,
		.not_after = 1790043200 };

	for (unsigned i = 0; i < batch; i++)
		if (ledger_reserve(l, &intent, &numbering, serial[i].data,
			&serial[i].len, NULL, f) < 0)
			return -1;
	return 0;
}

static int
commit_all(struct ledger *l, struct serial *serial, unsigned batch,
    struct fault *f)
{
	for (unsigned i = 0; i < batch; i++) {
		OWN_BUF(der, 4096);

		put_der(&der, &serial[i]);
		if (ledger_commit(l, "slcs",
			(struct wire_bytes){ serial[i].data, serial[i].len },
			(struct wire_bytes){ der.data, der.len }, f) < 0)
			return -1;
	}
	return 0;
}

static int
run_batches(struct ledger *l, unsigned batch, struct fault *f)
{
	struct serial serial[MOST];
	double began = wall(), spent = cpu(), took;
	unsigned long certificates = 0, transactions = 0;

	while (wall() - began < SECONDS) {
		if (ledger_begin(l, f) < 0 ||
		    reserve_all(l, serial, batch, f) < 0 ||
		    ledger_end(l, f) < 0 || ledger_begin(l, f) < 0 ||
		    commit_all(l, serial, batch, f) < 0 || ledger_end(l, f) < 0)
			return -1;
		certificates += batch;
		transactions += 2;
	}
	took = wall() - began;
	spent = cpu() - spent;
	printf("ledger, batch %2u: %7.0f rows/s %6.0f certificates/s, "
	       "%5.1f us CPU a certificate, %6.0f syncs/s\n",
	    batch, 2 * (double)certificates / took, (double)certificates / took,
	    1e6 * spent / (double)certificates, (double)transactions / took);
	return 0;
}

/* Fill the ledger, in large transactions. */
static int
fill(struct ledger *l, int64_t certificates, struct fault *f)
{
	struct serial serial[MOST];

	for (int64_t n = 0; n < certificates; n += MOST)
		if (ledger_begin(l, f) < 0 ||
		    reserve_all(l, serial, MOST, f) < 0 ||
		    commit_all(l, serial, MOST, f) < 0 || ledger_end(l, f) < 0)
			return -1;
	return 0;
}

/* The floor: append as many bytes, and sync. */
static void
run_appends(const char *dir)
{
	static const char bytes[1600];
	char path[PATH_MAX];
	double began = wall();
	unsigned long count = 0;
	int fd;

	if (text_fmt(path, sizeof(path), "%s/append", dir) < 0 ||
	    (fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) < 0)
		return;
	while (wall() - began < SECONDS) {
		if (write(fd, bytes, sizeof(bytes)) < 0 || fdatasync(fd) < 0)
			break;
		count++;
	}
	printf("append and fdatasync: %7.0f records/s\n",
	    (double)count / (wall() - began));
	(void)close(fd);
	(void)unlink(path);
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

static int
run(const char *path, int64_t before, struct fault *f)
{
	static const unsigned batches[] = { 1, 16, 64 };
	OWN_STRUCT(ledger) l = ledger_open(path, NULL, f);

	if (l == NULL || ledger_make_room(l, f) < 0 || fill(l, before, f) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(batches) / sizeof(batches[0]); i++)
		if (run_batches(l, batches[i], f) < 0)
			return -1;
	return 0;
}

int
main(int argc, char **argv)
{
	const char *where = argc > 1 ? argv[1] : "/var/tmp";
	char dir[256], path[300];
	struct fault f = { 0 };
	int64_t before = 0;
	int result;

	if ((argc > 2 && text_number(argv[2], 0, 10000000, &before) < 0) ||
	    text_fmt(dir, sizeof(dir), "%s/ledger_bench.XXXXXX", where) < 0 ||
	    mkdtemp(dir) == NULL ||
	    text_fmt(path, sizeof(path), "%s/ledger.db", dir) < 0)
		return 1;
	run_appends(dir);
	result = run(path, before, &f);
	if (result < 0)
		fprintf(stderr, "%s\n", f.text);
	clear(dir, path);
	return result < 0 ? 1 : 0;
}
