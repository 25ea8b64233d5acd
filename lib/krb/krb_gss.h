#ifndef KRB_KRB_GSS_H
#define KRB_KRB_GSS_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stdbool.h>

/*
 * SASL's GSSAPI mechanism (RFC 4752) straight on libgssapi, both ends, without
 * a security layer, as MyProxy uses it.  Only Kerberos 5 is spoken; tokens are
 * those of the mechanism, without its name and without base64.
 *
 * No replay cache is kept.  What one protects from, an authenticator that was
 * overheard and is shown again, cannot happen here: the conversation runs
 * inside TLS whose server the client knows, mutual authentication is required,
 * and its last message must be wrapped with a key that the accepting end chose
 * anew, so that a repeated first token leads nowhere.
 */
struct fault;
struct krb_gss;

#define KRB_NAME_SIZE 256

enum krb_step {
	KRB_MORE,
	KRB_DONE,
	KRB_FAILED
};

/**
 * krb_gss_accept(keytab, host, f):
 * The accepting end, with the keys in the file ${keytab} (NULL: where
 * KRB5_KTNAME or the library says), for tickets to myproxy/${host} (NULL or
 * "": any key of the keytab).  Neither network nor name service is used.
 * FAULT_CONFIG if there is no usable key.  krb_gss_free() the result.
 */
CHECKED struct krb_gss *krb_gss_accept(const char *keytab, const char *host,
    struct fault *f);

/**
 * krb_gss_again(g, f):
 * A new conversation with the keys of ${g}, an accepting end, which may be
 * freed before it.  The keytab's file is read at each login as before, so that
 * new keys are known at once; but it need not be looked for each time.
 */
CHECKED struct krb_gss *krb_gss_again(const struct krb_gss *g, struct fault *f);

/**
 * krb_gss_initiate(host, authzid, f):
 * The initiating end, with the ticket cache of KRB5CCNAME, for
 * myproxy@${host}; ${authzid} is the user name we ask to be ("" for our own).
 * FAULT_ABSENT without a ticket, FAULT_EXPIRED with an old one; some libraries
 * notice only at the first step, which then says the same.
 */
CHECKED struct krb_gss *krb_gss_initiate(const char *host, const char *authzid,
    struct fault *f);

/**
 * krb_gss_step(g, token, out, f):
 * Take the other end's token (empty at first on the initiating end) and append
 * to ${out} what to send; it may be an empty message.  KRB_DONE may come with
 * a last token to send: on the initiating end always, on the accepting end
 * never.  After KRB_FAILED ${f} says why (FAULT_LOGIN on the accepting end)
 * and ${g} is good for nothing but krb_gss_free().
 */
enum krb_step krb_gss_step(struct krb_gss *g, struct wire_bytes token,
    struct buf *out, struct fault *f);

/* After KRB_DONE on the accepting end: the client's principal, name@REALM, and
 * the authorization id it asked for ("" if none). */
const char *krb_gss_principal(const struct krb_gss *g);
const char *krb_gss_authzid(const struct krb_gss *g);

/* Nothing happens if ${g} is NULL. */
void krb_gss_free(struct krb_gss *g);

OWN_FREE_STRUCT(krb_gss, krb_gss_free)

#endif
