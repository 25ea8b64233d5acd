#ifndef ROSTER_ROSTER_INTERN_H
#define ROSTER_ROSTER_INTERN_H

#include "base/checked.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Texts that get numbers, from 0 and never used again.  ${tag} keeps apart what
 * is spelled alike: the groups of two sources.
 */
struct fault;

struct roster_intern {
	struct roster_word **words;
	uint32_t count;
	uint32_t room;
	uint32_t *table; /* number + 1; 0 is free */
	uint32_t table_size;
	uint64_t key[2]; /* nobody outside knows where a text falls */
	size_t bytes;
};

struct roster_word {
	uint64_t hash;
	uint32_t tag;
	uint32_t len;
	char text[]; /* with a NUL */
};

void roster_intern_init(struct roster_intern *in);
void roster_intern_free(struct roster_intern *in);

/* The number of ${len} bytes, given now if it is new; UINT32_MAX and a fault
 * if there is no memory.  The bytes hold no NUL. */
CHECKED uint32_t roster_intern_add(struct roster_intern *in, uint32_t tag,
    const char *text, size_t len, struct fault *f);

/* The number, or UINT32_MAX. */
uint32_t roster_intern_find(const struct roster_intern *in, uint32_t tag,
    const char *text, size_t len);

const char *roster_intern_text(const struct roster_intern *in, uint32_t number);

/* A hash of ${len} bytes under ${key}, for tables whose contents come from
 * outside. */
uint64_t roster_hash(const uint64_t key[2], const void *data, size_t len);

#endif
