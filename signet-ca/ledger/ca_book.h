#ifndef SIGNET_CA_CA_BOOK_H
#define SIGNET_CA_CA_BOOK_H

#include "base/buf.h"
#include "base/checked.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"

#include <jansson.h>

/* What the ledger commands share. */
struct fault;

/* Open for reading what --ledger names, or signetd's own. */
CHECKED struct ledger *ca_book_open(const struct ca_args *args,
    struct fault *f);

/* The path of that ledger. */
const char *ca_book_path(const struct ca_args *args);

/* The filter that the options make; texts are borrowed. */
CHECKED int ca_book_filter(const struct ca_args *args, const char *text,
    struct ledger_filter *filter, struct fault *f);

/*
 * What stands in the book was written by strangers too: ${text} if it is UTF-8
 * without control characters, else with all but printable ASCII as \xNN; "-"
 * for none.  Borrowed from ${text} or ${room}.
 */
const char *ca_book_safe(const char *text, struct buf *room);

const char *ca_book_state(enum ledger_state state);

/* The word of RFC 5280 5.3.1 for a reason. */
const char *ca_book_reason(int code);

/* A line as JSON, with the certificate as base64 DER if ${whole}; the caller
 * json_decref()s it.  NULL if memory is short. */
json_t *ca_book_json(const struct ledger_line *line, bool whole);

#endif
