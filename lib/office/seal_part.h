#ifndef OFFICE_SEAL_PART_H
#define OFFICE_SEAL_PART_H

#include "office/seal.h"

/* For seal.c and its tests, which bring a key and small chunks of their own:
 * the derivation is slow on purpose. */
#define SEAL_KEY_SIZE 32
#define SEAL_SALT_SIZE 32
#define SEAL_TAG_SIZE 16
#define SEAL_MAGIC "signet sealed 1\n"
#define SEAL_HEADER_SIZE (16 + SEAL_SALT_SIZE)

/* Both take the key; ${chunk} is at most SEAL_CHUNK. */
CHECKED struct seal_out *seal_out_begin(int fd,
    const uint8_t header[SEAL_HEADER_SIZE], struct secret *key, size_t chunk,
    struct fault *f);
CHECKED struct seal_in *seal_in_begin(int fd,
    const uint8_t header[SEAL_HEADER_SIZE], struct secret *key, size_t chunk,
    struct fault *f);

#endif
