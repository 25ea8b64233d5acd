#ifndef SIGNETD_KEEPER_BOOKS_H
#define SIGNETD_KEEPER_BOOKS_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "conf/conf.h"
#include "ledger/ledger.h"
#include "x509/authority.h"

/* The CAs whose certificates are kept: how each numbers, and where its lists
 * are filed. */
struct fault;
struct books;

#define BOOKS_MAX CONF_LIST_MAX

struct book {
	struct authority authority;
	struct ledger_numbering numbering;
	uint64_t warned; /* serials left when SERIALS_LOW was last said */
};

CHECKED struct books *books_new(struct fault *f);
void books_free(struct books *books);

/* One more CA.  Its name becomes a file's, so it is letters, digits, '.', '_'
 * and '-', and does not begin with '.'; else FAULT_CONFIG. */
CHECKED int books_add(struct books *books, struct wire_bytes conf,
    struct wire_bytes cert, struct fault *f);

size_t books_count(const struct books *books);
struct book *books_find(struct books *books, const char *ca);
/* The one whose certificate has this subject in OpenSSL's form, or NULL. */
struct book *books_issuer(struct books *books, const char *subject);
struct book *books_at(struct books *books, size_t index);

/* Whether it is time to say that ${left} serials of ${book} remain: at nine
 * tenths of the span, and at each hundredth from there. */
bool books_low(struct book *book, uint64_t left);

OWN_FREE_STRUCT(books, books_free)

#endif
