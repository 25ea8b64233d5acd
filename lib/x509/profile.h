#ifndef X509_PROFILE_H
#define X509_PROFILE_H

#include "base/checked.h"
#include "base/wire.h"
#include "conf/conf.h"
#include "x509/key.h"

/*
 * What a kind of certificate looks like.  Profiles are data files; the code
 * knows no other kinds.
 */
struct fault;

#define PROFILE_NAME_SIZE 64

struct profile_conf {
#define CONF(field, keyword, TYPE, fallback, min, max, doc) CONF_C_##TYPE field;
#include "x509/profile.def"
#undef CONF
};

struct profile {
	char name[PROFILE_NAME_SIZE];
	struct profile_conf conf;
	struct key_rules keys;
	unsigned usage;	  /* CERT_KU_ bits */
	unsigned purpose; /* CERT_EKU_ bits */
};

extern const struct conf_schema profile_schema;

/* Read ${len} bytes of settings into ${p}, named ${name}; check that they make
 * sense together (a CA has keyCertSign, an end entity has not, ...). */
CHECKED int profile_read(struct profile *p, const char *name, const char *text,
    size_t len, struct fault *f);

/* The same, of a text whose first line is "# NAME", as signetd's parent sends
 * it. */
CHECKED int profile_read_named(struct profile *p, struct wire_bytes text,
    struct fault *f);

/* Names of keyUsage and purpose bits, from and to; shared with authority. */
CHECKED int profile_usage_read(const conf_list *names, unsigned *bits,
    struct fault *f);
CHECKED int profile_purpose_read(const conf_list *names, unsigned *bits,
    struct fault *f);

/* Whether ${text} is a dotted object identifier (X.660). */
bool profile_oid_good(const char *text);

/* Whether ${text} can stand in a certificate as the address of a CRL or a
 * certificate: plain http (what must be checked before TLS can be trusted
 * cannot come by TLS), printable, no blanks or quotes. */
bool profile_url_good(const char *text);

#endif
