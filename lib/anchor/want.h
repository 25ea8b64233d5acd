#ifndef ANCHOR_WANT_H
#define ANCHOR_WANT_H

#include "base/checked.h"
#include "base/own.h"
#include "x509/cert.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * What is wanted of one CA, wherever that was written: a cadesc file, an IGTF
 * distribution or a plain directory.  Texts are owned by the struct; they come
 * from files that an administrator put there, but may hold any bytes but
 * control characters, so they are cleaned before they are shown.
 */
struct fault;

#define WANT_ALIAS_MAX 64
#define WANT_LIST_MAX 1024
#define WANT_CRLS_MAX 8
#define WANT_POLICY_MAX 262144 /* bytes of a signing_policy or .namespaces */

enum want_from {
	WANT_CADESC,
	WANT_IGTF,
	WANT_PLAIN
};

enum want_form {
	WANT_PEM, /* or DER: which it is, is seen */
	WANT_DER,
	WANT_NET /* Netscape's; DER as well */
};

enum want_pin {
	WANT_MD5,
	WANT_SHA1,
	WANT_SHA256,
	WANT_SHA384,
	WANT_PINS
};

struct want_list {
	size_t count;
	char **item; /* owned, as are the texts */
};

/* One revocation list, <hash>.r0, <hash>.r1, and so on. */
struct want_crl {
	struct want_list urls; /* mirrors, in order */
	enum want_form form;
};

struct anchor_want {
	enum want_from from;
	char *file;    /* where it was read */
	char hash[9];  /* of its name, OpenSSL 1.0's; "" until it is known */
	char *alias;   /* by which people choose it */
	char *title;   /* for people, one line */
	bool disabled; /* its description says: not to be installed */
	bool chosen;   /* the site wants it; set by who chooses */
	bool meta;     /* no CA: a list of them, in requires */

	/* What is not right with the description: such a CA is not installed,
	 * and this says why.  And what is right, but not as it should be. */
	struct want_list wrong;
	struct want_list notes;

	/* The certificate: what must be true of it, and where it is. */
	char *subject;	      /* slash form, SPELLING_GT4; NULL: any */
	char *issuer;	      /* the same; "" is "itself"; NULL: any */
	char *pin[WANT_PINS]; /* upper-case hexadecimal with colons; NULL */
	struct want_list cert_urls;
	enum want_form cert_form;
	struct cert *cert; /* owned: it came with the description */

	/* Whom it may sign: patterns, or files to be installed as they are. */
	struct want_list may_sign; /* SPELLING_GT4 */
	bool may_sign_unknown;
	char *policy;
	bool signs_nobody; /* there is no entry for it in policy */
	char *policy_url;  /* NULL: none */
	char *namespaces;

	struct want_crl crl[WANT_CRLS_MAX];
	size_t crls;
	bool allow_missing_crl;

	/* IGTF: "ALIAS" or "ALIAS = VERSION", in meta packages the CAs. */
	struct want_list requires;
	struct want_list obsoletes;
	char *status; /* "accredited:classic" */
	char *version;

	char *page;
	char *contact;
};

CHECKED struct anchor_want *want_new(enum want_from from, const char *file,
    struct fault *f);
void want_free(struct anchor_want *want);
OWN_FREE_STRUCT(anchor_want, want_free)

/* Append a copy of ${text}, however many there are: memory alone can fail. */
CHECKED int want_list_add(struct want_list *list, const char *text,
    struct fault *f);

/* The same with what strangers wrote, to a list of ${want}: that there is more
 * than WANT_LIST_MAX of a kind is wrong with it.  Memory alone can fail. */
CHECKED int want_add(struct anchor_want *want, struct want_list *list,
    const char *text, struct fault *f);
void want_list_clear(struct want_list *list);
bool want_list_has(const struct want_list *list, const char *text);

/* Put a copy of ${text} in the place of *${to}. */
CHECKED int want_set(char **to, const char *text, struct fault *f);

/* Append a sentence to ${list}: wrong or notes.  What is said after
 * WANT_LIST_MAX of them is not kept.  Memory alone can fail. */
CHECKED int want_say(struct want_list *list, struct fault *f, const char *fmt,
    ...) __attribute__((format(printf, 3, 4)));

/* Whether it is pinned by more than MD5 and SHA-1, or came with its
 * certificate. */
bool want_pinned_well(const struct anchor_want *want);

/* Whether the accreditation that its status states is ${profile}: "classic"
 * for "accredited:classic", "unaccredited" as it is. */
bool want_has_profile(const struct anchor_want *want, const char *profile);

/* Many of them, in the order in which they were read. */
struct anchor_set {
	size_t count;
	size_t size;
	struct anchor_want **item; /* owned, as are what they point to */
};

/**
 * anchor_set_add(set, want, f):
 * Add ${want}, which the set owns from now on.  One of the same hash is
 * replaced: a note in the new one says so.  In one directory several
 * certificates may have a hash, but not several cadesc files.
 */
CHECKED int anchor_set_add(struct anchor_set *set, struct anchor_want *want,
    struct fault *f);
void anchor_set_clear(struct anchor_set *set);

/* By hash or alias; NULL if there is none. */
struct anchor_want *anchor_set_find(const struct anchor_set *set,
    const char *name);
/* The one whose certificate's or expected subject is ${subject} (slash form).
 */
struct anchor_want *anchor_set_find_subject(const struct anchor_set *set,
    const char *subject);

/* By hash, then alias: the order in which they are shown. */
void anchor_set_sort(struct anchor_set *set);

#endif
