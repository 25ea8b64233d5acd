#ifndef SIGNET_CA_CA_DESK_H
#define SIGNET_CA_CA_DESK_H

#include "base/checked.h"
#include "base/own.h"
#include "office/desk_text.h"
#include "signet-ca/base/ca_args.h"

#include <jansson.h>

/*
 * A conversation with the desk of signetd: over its Unix socket, where the
 * kernel says who we are, or over TCP with our Kerberos ticket.
 */
struct fault;
struct ca_desk;

#define CA_DESK_SOCKET "/run/signet/office.sock"
#define CA_DESK_PORT 7513

/* ${office} is a socket's path, or host:port; NULL for this host's socket. */
CHECKED struct ca_desk *ca_desk_open(const char *office, struct fault *f);
void ca_desk_free(struct ca_desk *d);
OWN_FREE_STRUCT(ca_desk, ca_desk_free)

/* Called for each item; it may keep a reference.  Non-zero ends with
 * FAULT_FAILED. */
typedef int ca_desk_item_fn(void *arg, json_t *item);

/**
 * ca_desk_ask(d, ask, fn, arg, f):
 * Say ${ask} and hear the answer; ${fn} may be NULL where no items come.  The
 * body of its end, to be json_decref()d; NULL with the desk's own fault, or
 * FAULT_UNREACHABLE if it went away.
 */
CHECKED json_t *ca_desk_ask(struct ca_desk *d, const struct desk_ask *ask,
    ca_desk_item_fn *fn, void *arg, struct fault *f);

/* Open, ask, close; again for some seconds as long as the desk is full
 * (FAULT_BUSY), since whatever may be asked may be asked twice. */
CHECKED json_t *ca_desk_once(const char *office, const struct desk_ask *ask,
    struct fault *f);

/* A member as text ("" if there is none), or as a number (0). */
const char *ca_desk_text(const json_t *body, const char *name);
long long ca_desk_number(const json_t *body, const char *name);

/* Print ${body}, which is dropped, as one line of JSON. */
CHECKED int ca_desk_print(json_t *body, struct fault *f);

/* What other commands do by way of the desk if no directory of a CA is named:
 * "request show ID", revoke and release. */
CHECKED int ca_desk_show(const struct ca_args *args, struct fault *f);
CHECKED int ca_desk_revoke(const struct ca_args *args, struct fault *f);
CHECKED int ca_desk_release(const struct ca_args *args, struct fault *f);

/* Whether ${text} can be a request's identifier. */
bool ca_desk_is_id(const char *text);

#endif
