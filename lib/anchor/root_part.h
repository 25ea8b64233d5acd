#ifndef ANCHOR_ROOT_PART_H
#define ANCHOR_ROOT_PART_H

#include "anchor/root_files.h"

/* Of the room's root_*.c alone. */

/* Whether its name is "<hash>.rN". */
bool root_file_is_crl(const struct root_file *file);

/* Whether ${file} of ${r}, which is good, may take the place of ${there}:
 * FAULT_DENIED for a list that is older. */
CHECKED int root_files_follows(const struct root_files *r,
    const struct root_file *file, const struct buf *there, struct fault *f);

#endif
