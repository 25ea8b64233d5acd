#ifndef AUTHN_AUTHN_H
#define AUTHN_AUTHN_H

#include "base/checked.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Proofs of who you are.  The mechanisms that block are functions that the
 * auth role's workers call; each yields FAULT_LOGIN both for an unknown user
 * and for a wrong password, after the same amount of work.  The fault's text
 * tells the log which of the two it was.
 */
struct fault;

/**
 * authn_passwd(path, user, phrase, f):
 * ${user} stands in the password file ${path} (`user:crypt(3) string`, a line
 * each, # comments) with a hash of ${phrase}.  The file is read anew each
 * time.  An unknown user costs one yescrypt, as a known one does.  FAULT_LOGIN
 * if not; FAULT_DENIED if the file is open to everybody.
 */
CHECKED int authn_passwd(const char *path, const char *user,
    const struct secret *phrase, struct fault *f);

/* A line for the file, with a fresh yescrypt salt; and set or replace ${user}'s
 * line in ${path}, atomically, mode 0600 (or as the file was). */
CHECKED int authn_passwd_set(const char *path, const char *user,
    const struct secret *phrase, struct fault *f);
/* Take every line of ${user} out of it.  FAULT_ABSENT if there is none. */
CHECKED int authn_passwd_delete(const char *path, const char *user,
    struct fault *f);

/**
 * authn_pam(dir, service, user, peer, phrase, name, size, f):
 * PAM (auth and account) as ${service}, whose file is in ${dir} (NULL or "":
 * the system's).  Only the one prompt for a password is answered; the delay
 * after a failure is left to others.  ${peer}, an address, is PAM_RHOST.
 * ${name} gets PAM_USER as the modules left it.
 */
CHECKED int authn_pam(const char *dir, const char *service, const char *user,
    const char *peer, const struct secret *phrase, char *name, size_t size,
    struct fault *f);

/**
 * authn_pam_keep(dir, service):
 * Keep in memory the modules that ${service} names now, which libpam would
 * else load and drop at each login, with all the libraries they need; what the
 * service file says is read anew all the same.  NULL if PAM cannot: each login
 * will say why.
 */
struct authn_pam_kept *authn_pam_keep(const char *dir, const char *service);
void authn_pam_kept_free(struct authn_pam_kept *kept);

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
	const char *user_attribute;    /* holds the name; "": as it was typed */
	const char *subject_attribute; /* for maps: holds the subject */
	int timeout_s;
};

/**
 * authn_ldap_bind(l, user, phrase, name, size, f):
 * The directory takes ${phrase} for ${user}.  ${name} gets the name as the
 * directory spells it: "ANN" may bind as ann, but is no second person.  An
 * empty pass phrase is refused unasked: directories take it for an anonymous
 * bind (RFC 4513 5.1.2).  FAULT_LOGIN, FAULT_UNREACHABLE, or FAULT_CONFIG.
 */
CHECKED int authn_ldap_bind(const struct authn_ldap *l, const char *user,
    const struct secret *phrase, char *name, size_t size, struct fault *f);

/* The subject that the directory has for ${principal}: the only value of
 * ${subject_attribute} of the only entry that is found.  FAULT_ABSENT if there
 * is none, or more than one. */
CHECKED int authn_ldap_subject(const struct authn_ldap *l,
    const char *principal, char *subject, size_t size, struct fault *f);

/**
 * authn_ldap_fill(template, name, out, size, f):
 * ${template} with {user}, {realm} and {principal} replaced by the parts of
 * ${name} ("user" or "user@REALM"); every byte of them that could mean
 * something in a DN (RFC 4514 2.4) or a filter (RFC 4515 3) is written as a
 * backslash and two digits, which is the same in both.
 */
CHECKED int authn_ldap_fill(const char *template, const char *name, char *out,
    size_t size, struct fault *f);

/**
 * authn_callout(program, principal, timeout_s, subject, size, f):
 * Run ${program} (no shell, empty environment, ${principal} as its argument),
 * whose one line of output is the subject.  After ${timeout_s}, or once it has
 * said too much, it is killed.  FAULT_ABSENT if it ends with another status
 * than 0 or says nothing.
 */
CHECKED int authn_callout(const char *program, const char *principal,
    int timeout_s, char *subject, size_t size, struct fault *f);

#endif
