#ifndef SIGNET_TURNS_H
#define SIGNET_TURNS_H

#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Options that each ask for a value, in any order and more than once: the
 * values are printed in the order in which they were asked for.
 */
struct fault;

struct turn {
	size_t at; /* of the option's TURN in the struct of options */
	int (*print)(const void *arg, struct fault *f); /* 0 or -1 */
};

/* Whether one of the ${count} ${turns} is asked for in ${options}. */
bool turns_asked(const struct turn *turns, size_t count, const void *options);

/* Print what is asked for, each with ${arg}; the first failure ends it. */
CHECKED int turns_print(const struct turn *turns, size_t count,
    const void *options, const void *arg, struct fault *f);

#endif
