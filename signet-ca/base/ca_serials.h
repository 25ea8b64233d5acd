#ifndef SIGNET_CA_CA_SERIALS_H
#define SIGNET_CA_CA_SERIALS_H

#include "base/checked.h"
#include "base/own.h"
#include "base/wire.h"

#include <stddef.h>
#include <stdint.h>

/* Serial numbers that a command is about: typed, from a file, or found. */
struct fault;

#define CA_SERIAL_SIZE 20
#define CA_SERIALS_MAX 10000000

struct ca_serial {
	uint8_t data[CA_SERIAL_SIZE]; /* leading zeroes */
};

struct ca_serials {
	size_t count;
	size_t room;
	struct ca_serial *item;
};

void ca_serials_free(struct ca_serials *s);
#define OWN_SERIALS(name) \
	__attribute__((cleanup(ca_serials_free))) struct ca_serials name = { 0 }

/* Append one in hexadecimal, as people and tools write it: any leading zeroes,
 * 0x, colons between octets.  FAULT_USAGE for what is none. */
CHECKED int ca_serials_add(struct ca_serials *s, const char *hex,
    struct fault *f);

/* Append those of ${path}: one a line, # begins a comment; FAULT_INPUT names
 * the line that is none. */
CHECKED int ca_serials_read(struct ca_serials *s, const char *path,
    struct fault *f);

/* Sort them, and drop those that are there twice. */
void ca_serials_sort(struct ca_serials *s);

/* In hexadecimal, without leading zero octets. */
void ca_serial_text(const struct ca_serial *serial,
    char text[2 * CA_SERIAL_SIZE + 1]);

#endif
