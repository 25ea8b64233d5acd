#ifndef AUTHN_AUTHN_H
#define AUTHN_AUTHN_H

#include "base/checked.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Proofs of who you are.  The mechanisms that block are functions that the
 * auth role's workers call; each yields FAULT_LOGIN both for an unknown user
 * and for a wrong password, after the same amount of work.
 */
struct fault;

/**
 * authn_passwd(path, user, phrase, f):
 * ${user} stands in the password file ${path} (`user:crypt(3) string`, a line
 * each, # comments) with a hash of ${phrase}.  An unknown user costs one
 * yescrypt, as a known one does.  FAULT_LOGIN if not.
 */
CHECKED int authn_passwd(const char *path, const char *user,
    const struct secret *phrase, struct fault *f);

/* A line for the file, with a fresh yescrypt salt; and set or replace ${user}'s
 * line in ${path}, atomically, mode 0600 (or as the file was). */
CHECKED int authn_passwd_set(const char *path, const char *user,
    const struct secret *phrase, struct fault *f);

/* PAM (auth and account) as ${service}; ${name} gets PAM_USER as the modules
 * left it. */
CHECKED int authn_pam(const char *service, const char *user, const char *peer,
    const struct secret *phrase, char *name, size_t size, struct fault *f);

/* Bind to the directory as the user: template of the DN, or search first. */
struct authn_ldap {
	const char *uris;    /* blank-separated, tried in order */
	const char *bind_dn; /* "uid={user},ou=people,dc=ligo,dc=org", or "" */
	const char *base;    /* search base, where bind_dn is "" */
	const char *filter;  /* "(uid={user})", the value escaped (RFC 4515) */
	const char *search_dn; /* who searches; "" anonymous */
	const char *search_password;
	const char *ca_file; /* "" : the system's */
	bool start_tls;
	bool require_tls;
	const char *subject_attribute; /* for maps: holds the subject */
	int timeout_s;
};
CHECKED int authn_ldap_bind(const struct authn_ldap *l, const char *user,
    const struct secret *phrase, struct fault *f);
/* The subject that the directory has for ${principal}. FAULT_ABSENT if none. */
CHECKED int authn_ldap_subject(const struct authn_ldap *l,
    const char *principal, char *subject, size_t size, struct fault *f);

/* Run ${program} (no shell, empty environment, ${principal} as its argument),
 * whose one line of output is the subject.  At most ${timeout_s}. */
CHECKED int authn_callout(const char *program, const char *principal,
    int timeout_s, char *subject, size_t size, struct fault *f);

#endif
