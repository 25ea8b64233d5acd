#ifndef KRB_KRB_WRAP_H
#define KRB_KRB_WRAP_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"
#include "krb/krb_gss.h"

#include <stddef.h>

/*
 * A conversation that Kerberos 5 protects by itself, without TLS: a GSS context
 * (RFC 4121) with mutual authentication, integrity and confidentiality, after
 * which every message is wrapped.  Each token and each message travels as a
 * frame: four octets of length, the most significant first, and so many bytes.
 *
 * As in krb_gss.h no replay cache is kept: messages are wrapped with a key of
 * which the accepting end chose its half anew, so what was overheard and is
 * shown again leads nowhere.
 */
struct fault;
struct krb_keys;
struct krb_wrap;

/* The longest frame, and the longest message that fits into one. */
#define KRB_FRAME_MAX 262144
#define KRB_TOKEN_MAX 65536 /* while the context is being made */

/* The keys in the file ${keytab}.  FAULT_CONFIG if there is none to use.
 * Conversations may outlive them. */
CHECKED struct krb_keys *krb_keys_open(const char *keytab, struct fault *f);
void krb_keys_free(struct krb_keys *keys);

/* The accepting end, for tickets to any of ${services} ("office", "host"; a
 * NULL after the last) on whatever host. */
CHECKED struct krb_wrap *krb_wrap_accept(struct krb_keys *keys,
    const char *const *services, struct fault *f);

/* The initiating end, with the ticket cache of KRB5CCNAME, for
 * ${service}@${host}.  FAULT_ABSENT without a ticket. */
CHECKED struct krb_wrap *krb_wrap_initiate(const char *service,
    const char *host, struct fault *f);

/**
 * krb_wrap_step(w, token, out, f):
 * Take the other end's token (empty at first on the initiating end) and append
 * to ${out} what to send, if anything.  After KRB_FAILED ${f} says why
 * (FAULT_LOGIN on the accepting end) and ${w} is good for nothing but
 * krb_wrap_free().
 */
enum krb_step krb_wrap_step(struct krb_wrap *w, struct wire_bytes token,
    struct buf *out, struct fault *f);

/* After KRB_DONE on the accepting end: who it is, name@REALM. */
const char *krb_wrap_principal(const struct krb_wrap *w);

/* Append to ${out} the ${message}, wrapped; and take one that was.  What was
 * altered, repeated, out of order or not encrypted is FAULT_UNTRUSTED. */
CHECKED int krb_wrap_seal(struct krb_wrap *w, struct wire_bytes message,
    struct buf *out, struct fault *f);
CHECKED int krb_wrap_open(struct krb_wrap *w, struct wire_bytes token,
    struct buf *out, struct fault *f);

void krb_wrap_free(struct krb_wrap *w);

/* Append ${bytes} to ${out} as a frame. */
void krb_frame_put(struct buf *out, struct wire_bytes bytes);

/* The frame at the start of ${in}: 1 with ${frame}, borrowed (who has used it
 * says buf_eat(in, frame->len + KRB_FRAME_HEAD)), 0 if more must come, -1 if it
 * is longer than ${max}. */
#define KRB_FRAME_HEAD 4
CHECKED int krb_frame_next(const struct buf *in, size_t max,
    struct wire_bytes *frame, struct fault *f);

OWN_FREE_STRUCT(krb_keys, krb_keys_free)
OWN_FREE_STRUCT(krb_wrap, krb_wrap_free)

#endif
