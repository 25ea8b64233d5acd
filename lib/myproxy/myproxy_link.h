#ifndef MYPROXY_MYPROXY_LINK_H
#define MYPROXY_MYPROXY_LINK_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "myproxy/myproxy_text.h"
#include "tls/tls.h"
#include "x509/cert.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The client's connection: TCP, TLS, the bytes that grid software expects
 * around them (facts: PROTOCOL 1.1), and messages without framing, read until
 * they are whole.  For lib/myproxy only.
 */
struct fault;
struct credential;

struct myproxy_link {
	int fd;
	struct tls *tls;
	struct buf in; /* what came and was not yet taken */
	bool answered; /* something came back over TLS */
	bool started;  /* the first byte was looked at */
	int patience;  /* ms that each read may wait */
	char host[256];
	char words[512]; /* the server's own, when it refused */
};

/**
 * myproxy_link_open(link, host, port, connect_ms, credential, judge, arg, f):
 * Connect and shake hands; ${judge} decides about the server's certificates.
 * FAULT_UNREACHABLE, FAULT_UNTRUSTED, or what ${judge} says.  Also after a
 * failure myproxy_link_close() it.
 */
CHECKED int myproxy_link_open(struct myproxy_link *link, const char *host,
    uint16_t port, int connect_ms, const struct credential *credential,
    tls_judge_fn *judge, void *arg, struct fault *f);
void myproxy_link_close(struct myproxy_link *link);

/* Send ${out} as one record. */
CHECKED int myproxy_link_send(struct myproxy_link *link, const struct buf *out,
    struct fault *f);

/* The one byte that says we delegate nothing: a record of its own. */
CHECKED int myproxy_link_flag(struct myproxy_link *link, struct fault *f);

/**
 * myproxy_link_answer(link, response, f):
 * Read the next text message.  RESPONSE=1 is a fault with the server's words
 * (see myproxy_error_code).  myproxy_response_clear() it in any case.
 */
CHECKED int myproxy_link_answer(struct myproxy_link *link,
    struct myproxy_response *response, struct fault *f);

/* Read the certificate message, or the error that came in its place. */
CHECKED int myproxy_link_chain(struct myproxy_link *link,
    struct cert_list *chain, struct fault *f);

#endif
