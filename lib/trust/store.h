#ifndef TRUST_STORE_H
#define TRUST_STORE_H

#include "base/checked.h"
#include "base/own.h"
#include "trust/known.h"
#include "trust/namespaces.h"
#include "trust/sigpolicy.h"
#include "x509/cert.h"
#include "x509/crl_index.h"

#include <stdbool.h>

/*
 * The trust directory (X509_CERT_DIR) in memory: anchors <hash>.N, CRLs
 * <hash>.rN, <hash>.signing_policy, <hash>.namespaces, and <hash>.crl_optional,
 * whose being there says that this CA may have no CRL.  CRLs are read when
 * their CA is asked about for the first time, all else when it is loaded; a
 * file that cannot be read or parsed is reported and left out, the others stay.
 * The directory stays open, so that what is read later is of the same state
 * also when another directory has taken its name.
 *
 * Only the first certificate of an anchor's file is trusted: what someone
 * appended to it is reported.  Anchors may bear either hash, what is about them
 * only that of OpenSSL 1.0 and later, as with the Toolkit.
 */
struct fault;
struct trust_store;

enum trust_lists_state {
	TRUST_LISTS_NONE, /* there are none */
	TRUST_LISTS_UNREAD,
	TRUST_LISTS_WANTED, /* somebody has asked, and they are being read */
	TRUST_LISTS_LOST,   /* asked for, and gone since: the directory has
			     * changed, and what follows is to say */
	TRUST_LISTS_READ
};

/* What the CRLs of a CA are: to be had from trust_lists() alone. */
struct trust_lists {
	enum trust_lists_state state;
	const struct crl_index *crl; /* its newest, NULL if none */
	bool bad; /* there is a CRL file that is no good CRL of this CA */
};

struct trust_anchor {
	const struct cert *cert; /* NULL in what trust_next_of() may yield */
	char hash[9];
	bool has_policy;
	bool bad_policy; /* there is a file that cannot be read */
	const struct sigpolicy *policy;
	bool bad_namespaces; /* there is a file that cannot be read */
	const struct namespaces *namespaces; /* NULL: none */
	bool crl_optional;
	struct trust_lists lists;
};

/* A complaint about one file while loading, or while CRLs are read later: who
 * is told must be there as long as the store. */
typedef void trust_complaint_fn(void *arg, const char *file,
    const struct fault *f);

/* Load ${dir}.  FAULT_UNTRUSTED if it has no usable anchor at all, unless
 * ${may_be_empty}. */
CHECKED struct trust_store *trust_load(const char *dir, bool may_be_empty,
    trust_complaint_fn *complain, void *arg, struct fault *f);
void trust_free(struct trust_store *store);

/**
 * trust_reload(old, complain, arg, f):
 * Load the directory of ${old} as it is now, and the CRLs that ${old} has
 * read.  What the same files said, and the signatures that were found good, are
 * shared with ${old}, which stays as it was until it is freed: a check under
 * way sees one state or the other.  So does the load, if a directory is
 * exchanged for another meanwhile: all is read from the one, and
 * trust_changed() then speaks of the other.
 */
CHECKED struct trust_store *trust_reload(const struct trust_store *old,
    trust_complaint_fn *complain, void *arg, struct fault *f);

/**
 * trust_lists(store, a):
 * The CRLs of the CA that ${a}, a record of ${store}, is about; read now if
 * nobody has asked before.  NULL if they are longer than what this store reads
 * at once (trust_be_patient()), and are not read yet, or if such a store finds
 * that they have gone: nobody knows then.
 */
const struct trust_lists *trust_lists(const struct trust_store *store,
    const struct trust_anchor *a);

/* Read all that are not, to hear what is to be complained of. */
void trust_read_lists(const struct trust_store *store);

/* Only CRLs of up to ${at_once} octets a CA are read by a question; at first
 * all are, and one that has gone is a bad one.  trust_reload() keeps it.  See
 * upkeep.h. */
void trust_be_patient(struct trust_store *store, size_t at_once);

/* Whether files have come, gone or changed since it was loaded (one stat a
 * directory, and one a file). */
bool trust_changed(const struct trust_store *store);

/* How many files were read anew for it. */
size_t trust_read(const struct trust_store *store);

/* What the site's settings add to the flags of every question (verify.h);
 * trust_reload() keeps it. */
void trust_demand(struct trust_store *store, unsigned flags);
unsigned trust_demands(const struct trust_store *store);

const char *trust_dir(const struct trust_store *store);
size_t trust_count(const struct trust_store *store);
const struct trust_anchor *trust_at(const struct trust_store *store, size_t i);

/**
 * trust_next_of(store, name, at):
 * All that the directory says about CAs named ${name}, from *${at} (first 0)
 * on; NULL at the end.  After its anchors, and only if there are none, comes a
 * record without certificate if there are other files for a CA that peers are
 * to bring themselves: its CRL is that of the file, and no one has checked its
 * signature yet.
 */
const struct trust_anchor *trust_next_of(const struct trust_store *store,
    const struct dn *name, size_t *at);

/* The anchor with that subject that signed ${cert}, or NULL. */
const struct trust_anchor *trust_find_issuer(const struct trust_store *store,
    const struct cert *cert);

/* The signatures that were found good with it. */
struct known *trust_known(const struct trust_store *store);

/* Where trust is read: ${option} if given, else X509_CERT_DIR, else
 * ~/.globus/certificates if it exists, else /etc/grid-security/certificates. */
CHECKED int trust_default_dir(const char *option, char *path, size_t size,
    struct fault *f);
/* Where trust roots are installed: as above, but for users other than root
 * ~/.globus/certificates whether it exists or not. */
CHECKED int trust_install_dir(const char *option, char *path, size_t size,
    struct fault *f);

OWN_FREE_STRUCT(trust_store, trust_free)

#endif
