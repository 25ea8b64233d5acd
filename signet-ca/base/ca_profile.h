#ifndef SIGNET_CA_CA_PROFILE_H
#define SIGNET_CA_CA_PROFILE_H

#include "base/checked.h"
#include "base/own.h"
#include "x509/profile.h"

#include <stdlib.h>

struct fault;

/* A profile by name or path: from ${dir} if given, else from where they are
 * installed, else as built in.  free() the result. */
CHECKED struct profile *ca_profile(const char *name, const char *dir,
    struct fault *f);
OWN_FREE_STRUCT(profile, free)

#endif
