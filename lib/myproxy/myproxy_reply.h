#ifndef MYPROXY_MYPROXY_REPLY_H
#define MYPROXY_MYPROXY_REPLY_H

#include "base/checked.h"
#include "base/fault.h"
#include "x509/cert.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The certificate message (facts: PROTOCOL 2 and 6.0): a count byte and that
 * many DER certificates, cut by their own lengths, never by searching for
 * what follows.
 */

/**
 * myproxy_reply_read(data, len, used, chain, f):
 * 1 and the certificates, of which *${used} bytes were made; 0 if more bytes
 * are needed; -1 if it is no such message (FAULT_INPUT).  cert_list_free() the
 * result.  At most CERT_LIST_MAX certificates of CERT_MAX bytes.
 */
CHECKED int myproxy_reply_read(const uint8_t *data, size_t len, size_t *used,
    struct cert_list *chain, struct fault *f);

/* Whether the bytes begin a text message instead: an error. */
bool myproxy_reply_is_text(const uint8_t *data, size_t len);

/* The kind of failure that the server's words mean; FAULT_FAILED if they say
 * nothing that we know. */
enum fault_code myproxy_error_code(const char *words);

#endif
