#ifndef TLS_TLS_CONTEXT_H
#define TLS_TLS_CONTEXT_H

#include "base/buf.h"
#include "base/fault.h"
#include "tls/tls.h"

#include <openssl/ssl.h>

/* For this room alone: what connections share, and what one is. */

struct tls_server {
	SSL_CTX *ctx;
	BIO_METHOD *method;
	unsigned users; /* its owner, and every connection */
	size_t held;	/* bytes in all connections' held */
};

struct tls {
	SSL *ssl;
	struct tls_server *shared;
	int fd;
	int sys_errno;	 /* why the socket failed, or 0 */
	bool eof;	 /* the peer has closed TCP */
	bool more;	 /* what is sent now will be followed at once */
	bool holding;	 /* what is written goes to ${held} */
	struct buf held; /* records of one message, to be sent at once */
	size_t held_sent;
	tls_judge_fn *judge;
	void *judge_arg;
	bool refused; /* by ${judge}, with ${why} */
	struct fault why;
};

/* A context with everything that both ends have in common.  One user. */
CHECKED struct tls_server *context_new(const SSL_METHOD *method,
    const char *ciphers, struct fault *f);
void context_drop(struct tls_server *shared);

/* Give the context a certificate with key and chain to show. */
CHECKED int context_show(struct tls_server *shared, X509 *leaf, EVP_PKEY *key,
    STACK_OF(X509) * above, struct fault *f);

/* The method of BIOs that read and write t->fd without ever blocking, and
 * without a signal when the peer is gone. */
CHECKED BIO_METHOD *socket_method(struct fault *f);

/* Send of what is held as much as goes now. */
CHECKED enum tls_result socket_send_held(struct tls *t, struct fault *f);

/* A connection over ${fd}. */
CHECKED struct tls *connection_new(struct tls_server *shared, int fd,
    struct fault *f);

/* Forget what is held. */
void connection_let_go(struct tls *t);

/* What of ${chain} can be read, leaf first. */
CHECKED int chain_read(STACK_OF(X509) * chain, struct cert_list *list,
    struct fault *f);

#endif
