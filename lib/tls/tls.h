#ifndef TLS_TLS_H
#define TLS_TLS_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "trust/verify.h"
#include "x509/proxy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * TLS 1.2 and 1.3 over a connected socket, as grid software speaks it (facts:
 * PROTOCOL 1): client certificates asked for with an empty CA list and never
 * required, proxy chains, no tickets, no resumption, no close_notify.  Peers
 * are judged by trust_verify; libssl's own verification is not used for them.
 * OpenSSL's types stay inside.
 */
struct fault;
struct tls_server; /* what all connections of a server share */
struct tls;	   /* one connection */

enum tls_result {
	TLS_DONE,
	TLS_WANT_READ,
	TLS_WANT_WRITE,
	TLS_CLOSED,
	TLS_FAILED
};

/* An identity to show: PEM of key, of the certificate, and of everything above
 * it up to the root (which is sent as well). */
struct tls_identity {
	struct wire_bytes key_pem;
	struct wire_bytes chain_pem;
};

/* Make OpenSSL ready, without its configuration file: whoever raises walls
 * calls this before. */
CHECKED int tls_init(struct fault *f);

/* Whether OpenSSL finds anything in the cipher list ${ciphers}.  FAULT_CONFIG
 * if not. */
CHECKED int tls_ciphers_check(const char *ciphers, struct fault *f);

/* Up to 4 identities (RSA and EC side by side); ${ciphers} NULL for ours. */
CHECKED struct tls_server *tls_server_new(const struct tls_identity *ids,
    size_t count, const char *ciphers, struct fault *f);
void tls_server_free(struct tls_server *server);

/* A server's end of the connected ${fd}, which stays the caller's.  No call
 * here blocks, whether or not the descriptor does. */
CHECKED struct tls *tls_accept(struct tls_server *server, int fd,
    struct fault *f);

/**
 * tls_judge(t, judge, arg):
 * Ask ${judge} about the certificates that the peer of ${t} shows, while the
 * handshake goes on; never asked about an anonymous peer.  If it returns -1
 * the handshake fails with that fault, and the peer is sent a bad_certificate
 * alert, after which grid clients try again anonymously.
 */
typedef int tls_judge_fn(void *arg, const struct cert_list *chain,
    struct fault *f);
void tls_judge(struct tls *t, tls_judge_fn *judge, void *arg);

/* A client's end; ${credential} is shown if asked for, NULL: anonymous. */
CHECKED struct tls *tls_connect(int fd, const struct credential *credential,
    const char *host, struct fault *f);

/* Each makes as much progress as it can; TLS_FAILED fills ${f}.  A read takes
 * from one record only.  TLS_CLOSED: the peer has gone, by close_notify, by
 * closing TCP or by resetting it.  Before waiting for the descriptor, read
 * until TLS_WANT_READ or until tls_pending() is false: bytes may have been
 * taken from it already. */
CHECKED enum tls_result tls_handshake(struct tls *t, struct fault *f);
CHECKED enum tls_result tls_read(struct tls *t, void *data, size_t size,
    size_t *got, struct fault *f);
/* Writes all of it or nothing: one record up to 16 KiB, several for more, which
 * go in one burst.  After WANT_* call again with the same bytes. */
CHECKED enum tls_result tls_write(struct tls *t, const void *data, size_t len,
    struct fault *f);

/**
 * tls_wait(t, want, deadline, f):
 * For those without a loop: wait until what ${want} (a TLS_WANT_) asks for
 * can be had, at most until clock_mono() is ${deadline} (milliseconds).  Then
 * make the call again that answered ${want}.  FAULT_UNREACHABLE when the time
 * has passed.
 */
CHECKED int tls_wait(const struct tls *t, enum tls_result want,
    int64_t deadline, struct fault *f);

bool tls_is_13(const struct tls *t);
/* Whether bytes were taken from the descriptor that no read has returned. */
bool tls_pending(const struct tls *t);
/* Whether what is written now is followed at once by more, or by the end of the
 * connection: then the network is told to wait for it. */
void tls_more(struct tls *t, bool more);
/* What the peer showed, leaf first; empty if anonymous.  cert_list_free it. */
CHECKED int tls_peer_chain(const struct tls *t, struct cert_list *chain,
    struct fault *f);
/* Free without close_notify. */
void tls_free(struct tls *t);

OWN_FREE_STRUCT(tls, tls_free)
OWN_FREE_STRUCT(tls_server, tls_server_free)

#endif
