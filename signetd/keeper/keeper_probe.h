#ifndef SIGNETD_KEEPER_PROBE_H
#define SIGNETD_KEEPER_PROBE_H

/*
 * For _test.c: a keeper's directory with a ledger and the books of one CA,
 * "sub", and what it takes to issue there.
 */

#include "base/text.h"
#include "signetd/keeper/books.h"
#include "x509/der.h"
#include "x509/mint_probe.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#define KEEPER_CONF                                         \
	"name sub\nmay-sign-under /DC=org/O=Ex/OU=People\n" \
	"usage digitalSignature\nserial range 1000 50\n"    \
	"crl-url http://ca.example.org/sub.crl\n"

struct keeper_place {
	char dir[64];
	char path[PATH_MAX]; /* of the ledger */
	struct made ca;
	struct books *books;
	struct ledger *ledger; /* whoever wants it otherwise opens it anew */
};

struct keeper_serial {
	uint8_t data[20];
	size_t len;
};

static inline struct wire_bytes
keeper_bytes(const struct keeper_serial *serial)
{
	return (struct wire_bytes){ serial->data, serial->len };
}

static inline struct ledger *
keeper_ledger(const struct keeper_place *p)
{
	struct fault f = { 0 };
	struct ledger *l = ledger_open(p->path, NULL, &f);

	if (l == NULL)
		fail_msg("%s", f.text);
	return l;
}

static inline void
keeper_open(struct keeper_place *p)
{
	struct fault f = { 0 };
	OWN_BUF(pem, 65536);

	memcpy(p->dir, "/tmp/keeper_test.XXXXXX",
	    sizeof("/tmp/keeper_test.XXXXXX"));
	assert_non_null(mkdtemp(p->dir));
	assert_int_equal(text_fmt(p->path, sizeof(p->path), "%s/ledger.db",
			     p->dir),
	    0);
	p->ca =
	    probe_make("sub-ca", "ec:P-256", PROBE_SUB, NULL, NULL, NULL, NULL);
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ p->ca.der.data, p->ca.der.len });
	assert_non_null(p->books = books_new(&f));
	if (books_add(p->books,
		(struct wire_bytes){
		    (const uint8_t *)KEEPER_CONF, strlen(KEEPER_CONF) },
		(struct wire_bytes){ pem.data, pem.len }, &f) < 0)
		fail_msg("%s", f.text);
	p->ledger = keeper_ledger(p);
}

static inline void
keeper_close(struct keeper_place *p)
{
	struct dirent *file;
	DIR *dir;

	ledger_free(p->ledger);
	books_free(p->books);
	made_free(&p->ca);
	assert_non_null(dir = opendir(p->dir));
	while ((file = readdir(dir)) != NULL)
		(void)unlinkat(dirfd(dir), file->d_name, 0);
	(void)closedir(dir);
	assert_int_equal(rmdir(p->dir), 0);
}

/* The least that the ledger takes for a certificate of this serial. */
static inline void
keeper_put_der(struct buf *out, struct wire_bytes serial)
{
	size_t whole = der_open(out, DER_SEQUENCE);
	size_t tbs = der_open(out, DER_SEQUENCE);
	size_t version = der_open(out, DER_CONTEXT_C(0));

	der_put_u64(out, 2);
	der_close(out, version);
	der_put_positive(out, serial.data, serial.len);
	der_close(out, tbs);
	der_close(out, whole);
	assert_false(out->failed);
}

/* Issue one in a transaction that has begun. */
static inline struct keeper_serial
keeper_issue(struct ledger *l, const struct ledger_intent *intent,
    const struct ledger_numbering *numbering)
{
	struct keeper_serial serial = { .len = 0 };
	struct fault f = { 0 };
	OWN_BUF(der, 256);

	if (ledger_reserve(l, intent, numbering, serial.data, &serial.len, NULL,
		&f) < 0)
		fail_msg("%s", f.text);
	keeper_put_der(&der, keeper_bytes(&serial));
	if (ledger_commit(l, intent->ca, keeper_bytes(&serial),
		(struct wire_bytes){ der.data, der.len }, &f) < 0)
		fail_msg("%s", f.text);
	return serial;
}

#endif
