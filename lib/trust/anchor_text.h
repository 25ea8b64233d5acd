#ifndef TRUST_ANCHOR_TEXT_H
#define TRUST_ANCHOR_TEXT_H

#include "base/buf.h"
#include "base/checked.h"
#include "conf/conf.h"
#include "x509/cert.h"

/*
 * The small files that grid software wants beside a CA's certificate (facts:
 * FORMATS sections 1 and 2).  The signing_policy is made by x509/authority.h.
 * Texts are borrowed, without control characters; "" leaves out what may be.
 */
struct fault;

#define ANCHOR_ALIAS_MAX 63

struct anchor {
	const struct cert *cert;
	const char *alias;   /* begins the names of its files */
	const char *title;   /* for people, on one line */
	const char *parent;  /* alias of the CA above; NULL: it is a root */
	const char *version; /* of the distribution */
	const char *status;  /* "unaccredited", "accredited:classic" */
	const char *page;    /* address of the CA's page */
	const char *email;
	const char *policy_url; /* of the CP/CPS */
	const char *cert_url;	/* of the certificate as PEM */
	const char *sigpolicy_url;
	const conf_list *crl_urls; /* all the same list, as DER */
	const struct dn *under;	   /* names below which it signs */
	size_t under_count;
	bool sha256_key; /* cadesc: see anchor_cadesc */
};

/* Whether ${alias} may begin a file's name: letters, digits, '_', '.' and '-',
 * a letter first. */
bool anchor_alias_good(const char *alias);

/* Append `.namespaces`: the names that the CA may sign, as expressions.
 * FAULT_CONFIG for a name that cannot be written so. */
CHECKED int anchor_namespaces(const struct anchor *a, struct buf *out,
    struct fault *f);

/* Append `.info` and `.crl_url`, as fetch-crl reads them. */
CHECKED int anchor_info(const struct anchor *a, struct buf *out,
    struct fault *f);
CHECKED int anchor_crl_url(const struct anchor *a, struct buf *out,
    struct fault *f);

/**
 * anchor_cadesc(a, out, f):
 * Append gx-map's description of a CA.  gx-ca-update refuses words it does not
 * know, CERTIFICATE_SHA256 among them: that line is a comment unless
 * ${a}->sha256_key.
 */
CHECKED int anchor_cadesc(const struct anchor *a, struct buf *out,
    struct fault *f);

/* The digest ${name} ("MD5", "SHA1", "SHA256", "SHA384") of the certificate as
 * upper-case hexadecimal with colons. */
#define ANCHOR_PRINT_SIZE 144
CHECKED int anchor_print(const struct cert *cert, const char *name,
    char text[ANCHOR_PRINT_SIZE], struct fault *f);

#endif
