#ifndef AUTHN_OWN_LDAP_H
#define AUTHN_OWN_LDAP_H

#include "ldap/own_ldap_types.h"

#endif
