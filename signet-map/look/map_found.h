#ifndef SIGNET_MAP_LOOK_MAP_FOUND_H
#define SIGNET_MAP_LOOK_MAP_FOUND_H

#include "base/checked.h"
#include "signet-map/look/map_print.h"

#include <stdbool.h>
#include <stddef.h>

/* What check finds: one line each, or an item of a list. */
struct fault;
struct map_world;

struct map_found {
	struct map_print_list list;
	size_t errors;
	size_t warnings;
};

/* ${path} may be NULL, and ${line} 0. */
void map_found_error(struct map_found *found, const char *path, size_t line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
void map_found_warning(struct map_found *found, const char *path, size_t line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Look at a map file, whoever wrote it; at the rules. */
struct maprule_accounts;
CHECKED int map_check_file(struct map_found *found, const char *path,
    struct maprule_accounts *accounts, struct fault *f);
CHECKED int map_check_rules(struct map_found *found, struct map_world *w,
    struct fault *f);

#endif
