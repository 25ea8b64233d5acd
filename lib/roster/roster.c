#include "roster/roster.h"

#include "roster/roster_ldap.h"
#include "roster/roster_state.h"
