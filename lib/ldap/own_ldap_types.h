#ifndef LDAP_OWN_LDAP_TYPES_H
#define LDAP_OWN_LDAP_TYPES_H

/* libldap's types get owners. */

#include "base/own.h"

#include <ldap.h>

static inline void
own_ldap_close(LDAP *ld)
{
	(void)ldap_unbind_ext_s(ld, NULL, NULL);
}

static inline void
own_ldap_values_free(struct berval **values)
{
	ldap_value_free_len(values);
}

static inline void
own_ldap_message_free(LDAPMessage *message)
{
	(void)ldap_msgfree(message);
}

typedef struct berval *ldap_values;

OWN_FREE(LDAP, own_ldap_close)
OWN_FREE(LDAPMessage, own_ldap_message_free)
OWN_FREE(ldap_values, own_ldap_values_free)

#endif
