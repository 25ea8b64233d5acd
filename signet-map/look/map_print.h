#ifndef SIGNET_MAP_LOOK_MAP_PRINT_H
#define SIGNET_MAP_LOOK_MAP_PRINT_H

#include "map/map_accounts.h"

#include <jansson.h>
#include <stdbool.h>

/* How answers are printed: texts that may be of strangers, as a terminal and
 * JSON can take them. */

/* ${text} as JSON; null for NULL. */
json_t *map_print_text(const char *text);
json_t *map_print_accounts(const struct map_accounts *accounts);
/* "2026-11-22T04:28:00Z"; null for 0. */
json_t *map_print_time(time_t when);

/* Print ${object} on a line of its own, and forget it. */
void map_print_json(json_t *object);

/* A list whose items are printed as they come. */
struct map_print_list {
	bool json;
	bool begun;
};
void map_print_begin(struct map_print_list *list, bool json);
void map_print_item(struct map_print_list *list, json_t *object);
/* ${whole} false: a fault is said next, and so there is no list if it is empty.
 */
void map_print_end(struct map_print_list *list, bool whole);

/* Print ${text} without what a terminal would obey. */
void map_print_clean(const char *text);

#endif
