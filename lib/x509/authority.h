#ifndef X509_AUTHORITY_H
#define X509_AUTHORITY_H

#include "base/checked.h"
#include "conf/conf.h"
#include "x509/cert.h"

/* A CA as its directory describes it, without its key. */
struct fault;

struct authority_conf {
#define CONF(field, keyword, TYPE, fallback, min, max, doc) CONF_C_##TYPE field;
#include "x509/authority.def"
#undef CONF
};

#define AUTHORITY_SPACES_MAX CONF_LIST_MAX

struct authority {
	struct authority_conf conf;
	bool signs_ca;
	struct dn under[AUTHORITY_SPACES_MAX];
	size_t under_count;
	unsigned usage;	  /* CERT_KU_ bits it may certify */
	unsigned purpose; /* CERT_EKU_ bits */
	bool serial_random;
	uint64_t serial_start;
	uint64_t serial_span;
	struct cert *cert; /* owned */
	uint8_t key_id[KEY_ID_SIZE];
};

extern const struct conf_schema authority_schema;

/**
 * authority_read(a, conf_text, len, cert_pem, cert_len, f):
 * From the text of ca.conf and its certificate.  The certificate must be a CA
 * with keyCertSign.  authority_clear() gives back what it holds.
 */
CHECKED int authority_read(struct authority *a, const char *conf_text,
    size_t len, const void *cert_pem, size_t cert_len, struct fault *f);
void authority_clear(struct authority *a);

/* The settings alone, before there is a certificate. */
CHECKED int authority_conf_check(const char *conf_text, size_t len,
    struct fault *f);

/* A device on the USB as ca.conf names it, VENDOR:PRODUCT with four hexadecimal
 * digits each: FAULT_CONFIG for others. */
CHECKED int authority_usb_read(const char *text, unsigned *vendor,
    unsigned *product, struct fault *f);

/* Path of a file that ca.conf names: as it is with a slash, else in ${dir}. */
CHECKED int authority_path(const char *dir, const char *file, char *path,
    size_t size, struct fault *f);

/* The signing_policy that publishes its name space (facts: FORMATS). */
CHECKED int authority_signing_policy(const struct authority *a, struct buf *out,
    struct fault *f);

#endif
