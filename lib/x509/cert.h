#ifndef X509_CERT_H
#define X509_CERT_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "x509/dn.h"
#include "x509/key.h"

#include <stdbool.h>
#include <time.h>

/*
 * What a certificate says (RFC 5280).  Read by our own strict walk; the DER
 * is copied, so that all views into it live as long as the struct.
 */
struct fault;

#define CERT_MAX 65536
#define CERT_SERIAL_MAX 20

enum cert_kind {
	CERT_CA,
	CERT_EEC,		  /* end entity */
	CERT_PROXY_IMPERSONATION, /* RFC 3820 */
	CERT_PROXY_INDEPENDENT,
	CERT_PROXY_LIMITED,
	CERT_PROXY_RESTRICTED, /* RFC 3820, another policy language */
	CERT_PROXY_DRAFT,      /* pre-RFC, OID 1.3.6.1.4.1.3536.1.222 */
	CERT_PROXY_DRAFT_INDEPENDENT,
	CERT_PROXY_DRAFT_LIMITED,
	CERT_PROXY_DRAFT_RESTRICTED,
	CERT_PROXY_LEGACY,	  /* CN=proxy */
	CERT_PROXY_LEGACY_LIMITED /* CN=limited proxy */
};

/* keyUsage bits as in RFC 5280 4.2.1.3: bit 0 digitalSignature ... */
#define CERT_KU_DIGITAL_SIGNATURE 0x001u
#define CERT_KU_NON_REPUDIATION 0x002u
#define CERT_KU_KEY_ENCIPHERMENT 0x004u
#define CERT_KU_DATA_ENCIPHERMENT 0x008u
#define CERT_KU_KEY_AGREEMENT 0x010u
#define CERT_KU_KEY_CERT_SIGN 0x020u
#define CERT_KU_CRL_SIGN 0x040u

/* extendedKeyUsage, those we know. */
#define CERT_EKU_SERVER_AUTH 0x1u
#define CERT_EKU_CLIENT_AUTH 0x2u
#define CERT_EKU_EMAIL 0x4u
#define CERT_EKU_OTHER 0x80000000u

/* Size of the text of an OID, its NUL included. */
#define CERT_OID_TEXT 80

struct cert {
	uint8_t *der; /* owned */
	size_t len;
	unsigned version;	     /* 1 to 3 */
	struct wire_bytes tbs;	     /* whole TBSCertificate */
	struct wire_bytes algorithm; /* whole AlgorithmIdentifier */
	struct wire_bytes signature;
	uint8_t serial[CERT_SERIAL_MAX + 1]; /* magnitude, no leading zero */
	size_t serial_len;		     /* 0: old roots have serial zero */
	struct dn issuer;
	struct dn subject;
	time_t not_before;
	time_t not_after;
	struct spki spki;
	enum cert_kind kind;
	bool ca;
	int path_length; /* basicConstraints or proxyCertInfo; -1: none */
	bool has_key_usage;
	unsigned key_usage;
	bool has_eku;
	unsigned eku;
	struct wire_bytes key_id;	/* SKI, may be empty */
	struct wire_bytes authority_id; /* AKI keyid, may be empty */
	struct wire_bytes alt_names;  /* GeneralNames contents, may be empty */
	struct wire_bytes extensions; /* contents of the SEQUENCE */
	/* Whether there is a critical extension that we know nothing of, and
	 * which: RFC 5280 4.2 forbids to rely on such a certificate. */
	bool unknown_critical;
	char unknown_oid[CERT_OID_TEXT];
};

/**
 * cert_read(der, f):
 * Read a certificate strictly: DER throughout, no extension twice, both
 * algorithms the same.  What CAs in use have is let pass: serial zero, FALSE
 * written out, keys of other kinds (KEY_OTHER).  A v1 certificate that names
 * itself as issuer counts as a CA: old roots are such, and only a root can be
 * its own issuer.  cert_free() the result.  FAULT_INPUT if malformed.
 */
CHECKED struct cert *cert_read(struct wire_bytes der, struct fault *f);
void cert_free(struct cert *cert);
OWN_FREE_STRUCT(cert, cert_free)

/* Certificates from PEM text, in order; at most 32, and other blocks are passed
 * over.  ${list} is filled from empty; without certificate its count is 0. */
#define CERT_LIST_MAX 32
struct cert_list {
	size_t count;
	struct cert *cert[CERT_LIST_MAX]; /* owned */
};
CHECKED int cert_list_read_pem(struct cert_list *list, const void *pem,
    size_t len, struct fault *f);
void cert_list_free(struct cert_list *list);

bool cert_is_proxy(const struct cert *cert);
bool cert_is_limited(const struct cert *cert); /* of any generation */
bool cert_is_self_issued(const struct cert *cert);

/* Whether ${issuer}'s key made the signature of ${cert}: as spki_verify.
 * Names, times and rights are not looked at. */
CHECKED int cert_check_signature(const struct cert *cert,
    const struct cert *issuer, struct fault *f);

/* grid-proxy-info's words for it, "RFC 3820 compliant impersonation proxy" and
 * so on; for what it does not know "end entity credential", "CA certificate".
 */
const char *cert_kind_text(enum cert_kind kind);

/* The name below all proxy CNs of ${leaf}: "identity".  Independent and
 * restricted proxies are their own (facts: CONVENTIONS 1).  ${chain} holds
 * what follows the leaf, in any order, and may hold the leaf.  FAULT_INPUT if
 * the issuer of a proxy is not in it.  Nothing is verified. */
CHECKED int cert_identity(const struct cert *leaf,
    const struct cert_list *chain, struct dn *identity, struct fault *f);

/* Serial as lower-case hexadecimal, two digits an octet. */
#define CERT_SERIAL_TEXT 43
void cert_serial_text(const struct cert *cert, char text[CERT_SERIAL_TEXT]);

/* The next dNSName (tag 2), rfc822Name (1), URI (6) or iPAddress (7) of
 * alt_names from *${at} on (first 0): 1, 0 at the end, -1 if it is malformed:
 * all but addresses are printable ASCII without blanks. */
CHECKED int cert_alt_name(const struct cert *cert, unsigned tag, size_t *at,
    struct wire_bytes *name);

#endif
