#ifndef ROSTER_ROSTER_SOURCE_H
#define ROSTER_ROSTER_SOURCE_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A source of people as the rules describe it, and how it is read whole.
 */
struct fault;
struct roster;

enum roster_kind {
	ROSTER_LDAP,
	ROSTER_FILE,	 /* a grid-mapfile: names with accounts */
	ROSTER_LIST,	 /* names alone, one a line, of a file or an URL */
	ROSTER_REQUESTS, /* the log of self-service (map/map_request.h) */
};

enum roster_bind {
	ROSTER_BIND_ANONYMOUS,
	ROSTER_BIND_SIMPLE,
	ROSTER_BIND_GSSAPI,
};

enum roster_groups {
	ROSTER_GROUPS_NONE,
	ROSTER_GROUPS_NAMES, /* isMemberOf: the person's entry names groups */
	ROSTER_GROUPS_DNS,   /* memberOf: it names the DNs of groups */
	ROSTER_GROUPS_MEMBER /* the groups' entries name DNs of members */
};

/* All texts are borrowed; NULL or 0 means what is in parentheses.  Lists of
 * words have blanks between. */
struct roster_source_conf {
	const char *name; /* of the source; needed */
	enum roster_kind kind;
	int64_t max_age_s; /* for those who withdraw; not used here */

	/* ROSTER_LDAP */
	const char *servers; /* URIs, tried in this order; needed */
	const char *base;    /* of the people; needed */
	const char *filter;  /* ("(objectClass=*)") */
	bool start_tls;	     /* on ldap:// */
	bool plain;	     /* ldap:// without TLS may be used */
	const char *ca_file; /* that the servers' certificates lead to (the
				system's) */
	enum roster_bind bind;
	const char *bind_dn;	   /* SIMPLE */
	const char *password_file; /* SIMPLE: nobody else may read it */
	const char *account;	   /* attribute ("uid") */
	/* Attribute, or a text in which {attribute} stands for a value, as in
	 * "{uid}@LIGO.ORG" ("eduPersonPrincipalName"). */
	const char *principal;
	const char *subject; /* template of subjects, see roster_source_add() */
	const char *names;   /* attributes with names of certificates, with or
				without "subject=" before; others of their
				values (prose) are passed over (none) */
	enum roster_groups groups;
	const char *group_attribute; /* ("isMemberOf", "memberOf", "member") */
	const char *group_base;	  /* MEMBER: needed; DNS: nesting, if given */
	const char *group_filter; /* ("(objectClass=*)") */
	const char *group_name;	  /* attribute that names a group ("cn") */
	unsigned page;	    /* entries a page; 0: one search, and pages of 500
			       if the server limits that */
	bool no_sync;	    /* never RFC 4533, dumps alone */
	unsigned connect_s; /* to connect and bind, each server (10) */
	unsigned
	    silence_s; /* without a word in a refresh it is given up (60) */
	unsigned values_max; /* of one attribute of an entry (10 000; members of
				a group: 4 000 000) */

	/* ROSTER_FILE, ROSTER_LIST, ROSTER_REQUESTS */
	const char *path;      /* of the file, or an http(s) URL for a list */
	const char *cache_dir; /* of lists from URLs (none) */
};

/* What was passed over, and why; all may be shown to operators, in one line
 * each: ${where} an LDAP DN or FILE:LINE, printable. */
typedef void roster_skip_fn(void *arg, const char *source, const char *where,
    const char *why);

/**
 * roster_source_check(conf, f):
 * Whether what is needed is there and can be used; no file and no server is
 * looked at.  FAULT_CONFIG names the setting.
 */
CHECKED int roster_source_check(const struct roster_source_conf *conf,
    struct fault *f);

/**
 * roster_source_read(conf, r, skip, arg, f):
 * Bring ${r} up to date with the source, whatever its kind, and wait for that:
 * what a timer's run does.  All of the answer shows in ${r} or, after a fault,
 * nothing of it.  An LDAP server that knows RFC 4533 is asked for what changed
 * since the cookie in ${r} (refreshOnly).  ${skip} may be NULL.
 */
CHECKED int roster_source_read(const struct roster_source_conf *conf,
    struct roster *r, roster_skip_fn *skip, void *arg, struct fault *f);

#endif
