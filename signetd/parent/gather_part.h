#ifndef SIGNETD_PARENT_GATHER_PART_H
#define SIGNETD_PARENT_GATHER_PART_H

#include "signetd/parent/gather.h"

/* What the files that gather share among themselves. */
struct fault;

#define GATHER_FILE_LIMIT 61440 /* what a BOOT_TEXT carries */
#define GATHER_TO(ROLE) (1u << MSG_ROLE_##ROLE)

/* An empty item called STEM.N or STEM.N.PART for ${roles}, or NULL and a
 * fault. */
CHECKED struct gathered *gather_add(struct gather *g, unsigned roles,
    struct fault *f, const char *stem, size_t n, const char *part);

/* "slcs-user" is a file of profile-dir, anything with a slash is a path; the
 * name is the file's, without ".profile". */
CHECKED int gather_profile_path(const struct gather *g, const char *what,
    char *path, size_t size, char *name, struct fault *f);

/* The profiles of the office and its staff, if there is one.  ${cas} are the
 * names of the CAs. */
CHECKED int gather_office(struct gather *g, const conf_list *cas,
    struct fault *f);

#endif
