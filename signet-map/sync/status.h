#ifndef SIGNET_MAP_SYNC_STATUS_H
#define SIGNET_MAP_SYNC_STATUS_H

#include "base/checked.h"
#include "mapper.h"

#include <jansson.h>

/* How it stands, for `signet-map status`, for a monitor, and for the process
 * that comes after. */

/* The whole status as an object; NULL if memory is out.  The caller's. */
CHECKED json_t *status_json(const struct mapper *m, time_t now);

/* Write the status file and, where the settings say so, the metrics. */
CHECKED int status_write(const struct mapper *m, time_t now, struct fault *f);

/* Take from the status file what the guards must not forget. */
void status_recall(struct mapper *m);

#endif
