#ifndef SIGNET_CA_CA_FILE_H
#define SIGNET_CA_CA_FILE_H

#include "base/buf.h"
#include "base/checked.h"

#include <sys/types.h>

#include <stdbool.h>

/* Files that the office writes for people: nothing is overwritten, and that a
 * file cannot be written shows before anything is signed. */
struct fault;

bool ca_file_exists(const char *path);

/* FAULT_DENIED if ${path} is there; NULL is no fault. */
CHECKED int ca_file_absent(const char *path, struct fault *f);

/* Try whether a file can be made beside ${path}; NULL is no fault. */
CHECKED int ca_file_possible(const char *path, struct fault *f);

/* Write a new file.  One that holds the same bytes already is no fault: the
 * command was interrupted after it wrote it. */
CHECKED int ca_file_put(const char *path, mode_t mode, const struct buf *data,
    struct fault *f);

#endif
