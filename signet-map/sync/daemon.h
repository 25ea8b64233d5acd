#ifndef SIGNET_MAP_SYNC_DAEMON_H
#define SIGNET_MAP_SYNC_DAEMON_H

#include "base/checked.h"
#include "mapper.h"

/* Keep the maps right until SIGTERM.  ${hook} is where alarms are told, -1 if
 * nowhere.  It ends with a fault if another process has to go on: walls_hold.
 */
struct fault;
struct walls;
CHECKED int daemon_run(struct mapper *m, struct walls *walls, int hook,
    struct fault *f);

/* Read every source, write every map, and end.  The exit status: 0, or that of
 * FAULT_PARTLY if a source failed, a shrink is held or a map was not written.
 */
CHECKED int once_run(struct mapper *m, int hook, struct fault *f);

/* Confirm what the confirm file says, which is removed; false if there is none.
 */
bool confirm_take(struct mapper *m);

#endif
