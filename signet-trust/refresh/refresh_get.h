#ifndef SIGNET_TRUST_REFRESH_REFRESH_GET_H
#define SIGNET_TRUST_REFRESH_REFRESH_GET_H

#include "fetch/fetch.h"
#include "refresh.h"

/* Do ${count} jobs as the settings say, with progress on a terminal. */
CHECKED int refresh_get(struct refresh *r, const struct fetch_job *jobs,
    size_t count, const char *what, struct fault *f);

/* Whether ${code} says that nothing came, not that what came was bad. */
bool refresh_nothing_came(enum fault_code code);

/* Whether the https servers of ${want} go unchecked. */
bool refresh_unchecked(const struct refresh *r, const struct anchor_want *want);

#endif
