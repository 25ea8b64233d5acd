#ifndef MAP_MAP_POOL_H
#define MAP_MAP_POOL_H

#include "base/buf.h"
#include "base/checked.h"

#include <stddef.h>
#include <time.h>

/*
 * Pool accounts in a gridmapdir, in the layout that the Toolkit and LCMAPS
 * share (facts: trustmap FORMATS): an empty file for each account, and for each
 * lease a hard link of it whose name is the holder's DN in lower case with
 * every byte but ASCII letters and digits as %hh.  Safe beside those two, and
 * at kill -9: nothing is held but what is in the directory.
 */
struct fault;

#define MAP_POOL_ACCOUNT_SIZE 256

/* Append the file name of a lease of ${dn}. */
void map_pool_key(const char *dn, struct buf *key);

/**
 * map_pool_find(dir, prefix, dn, account, f):
 * The account that ${dn} holds in ${dir}; NULL as ${prefix} means of any pool.
 * The time of last use is not changed.  FAULT_ABSENT: none.
 */
CHECKED int map_pool_find(const char *dir, const char *prefix, const char *dn,
    char account[MAP_POOL_ACCOUNT_SIZE], struct fault *f);

/**
 * map_pool_lease(dir, prefix, dn, account, f):
 * The account that ${dn} holds, or else a free one of the pool ${prefix}
 * (names are ${prefix} and digits), leased to it from now on, and durable.  The
 * time of last use becomes now.  FAULT_ABSENT: none is left; FAULT_DENIED: DN
 * holds an account of another pool, or one that another holds too; FAULT_NAME:
 * the DN is too long for a file's name (255 bytes, encoded); FAULT_SYSTEM: the
 * directory.
 */
CHECKED int map_pool_lease(const char *dir, const char *prefix, const char *dn,
    char account[MAP_POOL_ACCOUNT_SIZE], struct fault *f);

/* End the lease of ${dn}; the account is free again.  FAULT_ABSENT: none. */
CHECKED int map_pool_release(const char *dir, const char *dn, struct fault *f);

/**
 * map_pool_holder(dir, account, dn, f):
 * Append to ${dn} the name that holds ${account}, as far as the layout keeps
 * it: in lower case.  FAULT_ABSENT: it is free, or no account of a pool.
 */
CHECKED int map_pool_holder(const char *dir, const char *account,
    struct buf *dn, struct fault *f);

/* One account of a pool; ${dn} is "" if it is free. */
struct map_pool_entry {
	const char *account;
	const char *dn; /* in lower case */
	time_t used;	/* last */
};
typedef int map_pool_fn(void *arg, const struct map_pool_entry *entry);

/* Every account of the directory, sorted; what ${fn} returns, if not 0, ends
 * it and is returned. */
CHECKED int map_pool_each(const char *dir, map_pool_fn *fn, void *arg,
    struct fault *f);

#endif
