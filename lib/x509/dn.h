#ifndef X509_DN_H
#define X509_DN_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"
#include "x509/der.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A distinguished name, held as its DER (the Name SEQUENCE, header included)
 * so that subject and issuer stay the same byte for byte.
 *
 * Encoding we make (facts: PROFILES): one attribute an RDN; DC and
 * emailAddress IA5String, C PrintableString, the rest PrintableString if it
 * fits, else UTF8String.
 */
struct fault;

#define DN_MAX 1024
#define DN_TEXT_MAX 1024

struct dn {
	uint8_t der[DN_MAX];
	size_t len;
};

/**
 * dn_read_slash(dn, text, f):
 * From OpenSSL's one-line form, "/DC=org/CN=a".  A slash begins a new RDN
 * only when an attribute name and '=' follow, so "/CN=host/a.org" is one
 * RDN; the names are those of dn.def.  "\xNN" stands for a byte, "\/" and
 * "\+" for the character, as OpenSSL 3 writes them.  Empty values, values that
 * are not UTF-8 without control characters, unknown types and names without RDN
 * are FAULT_INPUT.
 */
CHECKED int dn_read_slash(struct dn *dn, const char *text, struct fault *f);

/* From the DER of a Name, checked strictly; any string type is kept.  A name
 * without RDN is read too (requests have it): dn_depth() is 0 then. */
CHECKED int dn_read_der(struct dn *dn, struct wire_bytes der, struct fault *f);

/**
 * dn_fill(dn, template, values, f):
 * From a slash-form template in which {name} stands for a value: RDNs are
 * split first and values put in afterwards, so a value with '/' or '=' in it
 * cannot add an RDN.  FAULT_DENIED for a value with control characters, with
 * bytes that are not UTF-8, with a blank at either end, an empty one, and one
 * that makes a name whose one-line form reads as another name ("x/CN=root"):
 * map files and authorisation lists hold that form.  FAULT_INPUT for a bad
 * template.
 */
struct dn_value {
	const char *name; /* NULL ends the list */
	const char *value;
};
CHECKED int dn_fill(struct dn *dn, const char *template,
    const struct dn_value *values, struct fault *f);

/* OpenSSL 3's one-line form: values' bytes outside printable ASCII as \xNN,
 * '/' and '+' in values as "\/" and "\+" (OpenSSL 1 left these alone: files
 * with names may hold either).  -1 (and "") if ${size} is too small. */
CHECKED int dn_show_slash(const struct dn *dn, char *text, size_t size);
/* RFC 2253 form, last RDN first, escaped as its section 2.4 says. */
CHECKED int dn_show_rfc2253(const struct dn *dn, char *text, size_t size);

bool dn_equal(const struct dn *a, const struct dn *b);

/* Whether ${dn} has all RDNs of ${base} first and at least one more. */
bool dn_under(const struct dn *dn, const struct dn *base);

/* How many RDNs; and ${dn} without its last one (false if it has but one).
 * ${parent} may be ${dn} itself. */
size_t dn_depth(const struct dn *dn);
bool dn_parent(const struct dn *dn, struct dn *parent);

/*
 * The attributes of a name one by one, in the order of their encoding:
 * struct dn_walk w = dn_walk(&dn); while (dn_walk_next(&w, &ava)) ...
 */
struct dn_ava {
	struct wire_bytes oid; /* contents */
	struct wire_bytes value;
	uint8_t tag; /* of the value */
	bool first;  /* of its RDN */
};
struct dn_walk {
	struct der_in rdns;
	struct der_in avas;
};
struct dn_walk dn_walk(const struct dn *dn);
bool dn_walk_next(struct dn_walk *walk, struct dn_ava *ava);

/* The value of ${ava} as UTF-8 with a NUL; -1 (and "") if it does not fit. */
CHECKED int dn_ava_text(const struct dn_ava *ava, char *text, size_t size);

/* The value of the last CN as UTF-8, "" if none; -1 if it does not fit. */
CHECKED int dn_cn(const struct dn *dn, char *text, size_t size);

/* ${dn} with one more CN; for proxies (RFC 3820 3.4). */
CHECKED int dn_add_cn(struct dn *dn, const char *cn, struct fault *f);

/* The 8 hexadecimal digits of OpenSSL's subject hash: X509_NAME_hash, and the
 * old MD5 one of OpenSSL 0.9. */
CHECKED int dn_hash(const struct dn *dn, char hash[9], struct fault *f);
CHECKED int dn_hash_old(const struct dn *dn, char hash[9], struct fault *f);

#endif
