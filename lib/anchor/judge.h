#ifndef ANCHOR_JUDGE_H
#define ANCHOR_JUDGE_H

#include "anchor/want.h"
#include "base/buf.h"
#include "base/checked.h"
#include "x509/crl.h"

#include <stdbool.h>
#include <time.h>

/*
 * Whether what was fetched, or what is installed, is what was wanted.  All that
 * speaks against it is said, in the words that gx-ca-update used where those
 * were good (facts: FORMATS 1.3).
 */
struct fault;

struct judge_rules {
	time_t now;
	bool demand_sha256; /* MD5 and SHA-1 alone do not do */
	/* When a CRL's, or a CA's, end is near, in seconds; 0 for a CRL: when
	 * nine tenths of its life are over. */
	int64_t warn_crl;
	int64_t warn_ca;
};

/**
 * judge_cert(want, rules, cert, said, f):
 * Whether ${cert} is the one that ${want} describes, and can be trusted at
 * ${rules}->now.  Every mismatch is added to ${said}, and the fault
 * (FAULT_UNTRUSTED, FAULT_EXPIRED) has the first of them.
 */
CHECKED int judge_cert(const struct anchor_want *want,
    const struct judge_rules *rules, const struct cert *cert,
    struct want_list *said, struct fault *f);

/**
 * judge_body(want, rules, body, said, notes, cert, f):
 * The certificate in ${body} that judge_cert() finds good, for cert_free().
 * If the body holds others too, that goes to ${notes}: they are not used.
 */
CHECKED int judge_body(const struct anchor_want *want,
    const struct judge_rules *rules, struct wire_bytes body,
    struct want_list *said, struct want_list *notes, struct cert **cert,
    struct fault *f);

/**
 * judge_crl(rules, cert, der, old, f):
 * Whether the CRL ${der} may be used for ${cert}: its issuer and signature,
 * full and of this CA alone, begun, not ended; and, if ${old} is not NULL, not
 * issued before it: neither by number nor by date.  FAULT_INPUT if it is no
 * CRL, FAULT_UNSUPPORTED a delta or indirect one, FAULT_UNTRUSTED forged or
 * another's, FAULT_EXPIRED, FAULT_DENIED older than ${old}.
 */
CHECKED int judge_crl(const struct judge_rules *rules, const struct cert *cert,
    struct wire_bytes der, const struct crl *old, struct crl *crl,
    struct fault *f);

/* Whether ${parent} signed ${child}, in name and in deed.  FAULT_UNSUPPORTED
 * if its algorithm is none that we verify. */
CHECKED int judge_parent(const struct cert *child, const struct cert *parent,
    struct fault *f);

/* Whether the end of ${crl}, or of ${cert}, is near. */
bool judge_crl_ends_soon(const struct judge_rules *rules,
    const struct crl *crl);
bool judge_cert_ends_soon(const struct judge_rules *rules,
    const struct cert *cert);

/* What a verdict on ${want} depends on besides the bytes, as 64 hexadecimal
 * digits: a digest of what it expects. */
#define JUDGE_WORDS_SIZE 65
CHECKED int judge_words(const struct anchor_want *want,
    const struct judge_rules *rules, char words[JUDGE_WORDS_SIZE],
    struct fault *f);

#endif
