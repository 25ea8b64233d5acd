#ifndef OFFICE_NAME_H
#define OFFICE_NAME_H

#include "base/checked.h"
#include "base/wire.h"
#include "x509/dn.h"
#include "x509/profile.h"

/*
 * What may be a name in a certificate that people decide on.  Stricter than
 * what the signer refuses: a person who reads a name must see all of it, and
 * nothing else than it is.
 */
struct fault;
struct request;

/* Printable ASCII without a blank at either end.  FAULT_INPUT says what ${what}
 * has instead: a NUL, a control character, an invisible one, one that turns the
 * direction of text, or one that may look like another. */
CHECKED int name_bytes_check(const char *what, struct wire_bytes text,
    struct fault *f);
CHECKED int name_text_check(const char *what, const char *text,
    struct fault *f);

/* Words of people, in any script: UTF-8 in which nothing is invisible, turns
 * the direction of text, or controls a terminal.  "" is good. */
CHECKED int name_words_check(const char *what, const char *text,
    struct fault *f);

/* A host name: RFC 1123 2.1; no wildcard, no address, no dot at the end. */
CHECKED int name_host_check(const char *host, struct fault *f);

/* A mail address: RFC 5321 4.1.2 with a dot-string before the '@'. */
CHECKED int name_mail_check(const char *mail, struct fault *f);

/* A subject: plain ASCII values of Printable-, IA5- or UTF8String, one
 * attribute an RDN, no emailAddress, nothing that GSI takes for a proxy. */
CHECKED int name_subject_check(const struct dn *subject, struct fault *f);

/* Subject and names as a certificate of ${profile} has them: a server's CN is
 * "fqdn" or "service/fqdn" with the fqdn among ${dns}; a robot's
 * "Robot: purpose - contact" with its owner among ${emails}, and no second CN;
 * a CA has neither.
 * A profile of persons is refused: they do not ask people.  Both lists end
 * with NULL, or are NULL. */
CHECKED int name_profile_check(const struct profile *profile,
    const struct dn *subject, const char *const *dns, const char *const *emails,
    struct fault *f);

/* All rules for ${r} under ${profile}: those above, its key, and what its
 * PKCS#10 request asks for.  FAULT_INPUT, FAULT_KEY or FAULT_DENIED. */
CHECKED int name_request_check(const struct request *r,
    const struct profile *profile, struct fault *f);

/* The host of a CN of the form "fqdn" or "service/fqdn"; borrowed. */
const char *name_host_of(const char *cn);

#endif
