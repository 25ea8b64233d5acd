#ifndef KRB_KRB_GSS_H
#define KRB_KRB_GSS_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stdbool.h>

/*
 * SASL's GSSAPI mechanism (RFC 4752) straight on libgssapi, both ends, without
 * a security layer, as MyProxy uses it.
 */
struct fault;
struct krb_gss;

enum krb_step {
	KRB_MORE,
	KRB_DONE,
	KRB_FAILED
};

/* The accepting end, with the keytab of KRB5_KTNAME; service "myproxy" for
 * ${host} (NULL: any key of the keytab).  krb_gss_free() it. */
CHECKED struct krb_gss *krb_gss_accept(const char *host, struct fault *f);
/* The initiating end, with the ticket cache of KRB5CCNAME, for
 * myproxy@${host}; ${authzid} is the user name we ask to be. */
CHECKED struct krb_gss *krb_gss_initiate(const char *host, const char *authzid,
    struct fault *f);

/* Take the other end's token (empty at first), append what to send to ${out}.
 * KRB_DONE may come with a last token to send. */
enum krb_step krb_gss_step(struct krb_gss *g, struct wire_bytes token,
    struct buf *out, struct fault *f);

/* After KRB_DONE on the accepting end: the client's principal, name@REALM, and
 * the authorization id it asked for ("" if none). */
const char *krb_gss_principal(const struct krb_gss *g);
const char *krb_gss_authzid(const struct krb_gss *g);
void krb_gss_free(struct krb_gss *g);

OWN_FREE_STRUCT(krb_gss, krb_gss_free)

#endif
