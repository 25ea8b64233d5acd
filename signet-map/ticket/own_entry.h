#ifndef SIGNET_MAP_TICKET_OWN_ENTRY_H
#define SIGNET_MAP_TICKET_OWN_ENTRY_H

#include "base/checked.h"
#include "ldap/own_ldap_types.h"

/* A person's own entry in the directory. */
struct fault;

/* Where it is looked for if the directory does not itself map tickets to
 * entries. */
struct own_entry_place {
	const char *base; /* "": nowhere */
	const char *user; /* attribute with the principal without its realm */
};

/**
 * own_entry_find(ld, place, dn, f):
 * Whose connection ${ld} is: the DN of the entry, which ldap_memfree() frees.
 * FAULT_ABSENT if there is none, or more than one.
 */
CHECKED int own_entry_find(LDAP *ld, const struct own_entry_place *place,
    char **dn, struct fault *f);

/* Append ${text} to ${filter} as RFC 4515 writes a value. */
struct buf;
void own_entry_escape(struct buf *filter, const char *text, size_t len);

/**
 * own_entry_add(ld, dn, attribute, prefix, name, f):
 * Add ${prefix}${name} to the values of ${attribute}, beside all others; a
 * value with that name is left as it is.  1: added, 0: it was there.
 */
CHECKED int own_entry_add(LDAP *ld, const char *dn, const char *attribute,
    const char *prefix, const char *name, struct fault *f);

/* Remove those values that are ${name}, with or without "subject=", and no
 * other.  FAULT_ABSENT if there is none. */
CHECKED int own_entry_remove(LDAP *ld, const char *dn, const char *attribute,
    const char *name, struct fault *f);

#endif
