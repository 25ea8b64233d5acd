#ifndef SIGNETD_KEEPER_LIST_FILE_H
#define SIGNETD_KEEPER_LIST_FILE_H

#include "base/checked.h"
#include "base/wire.h"
#include "ledger/ledger_lists.h"
#include "x509/authority.h"

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

/*
 * What came back from issuer and signer becomes files: read whole by the strict
 * reader, its signature checked, what it says compared with what was asked
 * for; written beside its place, synced, renamed.  In steps of about a
 * millisecond.
 */
struct fault;
struct crl_sum;
struct list_file;

/* What the list must be. */
struct list_want {
	uint64_t number;
	time_t this_update;
	size_t count;
	time_t now;
	struct crl_sum *sum; /* has each entry that is to be on it; borrowed */
};

/* ${fd} is sealed memory with the TBSCertList, and stays the caller's; ${dir}
 * and ${authority} are borrowed.  NULL after a fault. */
CHECKED struct list_file *list_file_new(const char *dir,
    const struct authority *authority, const struct list_want *want,
    struct wire_bytes signature, int fd, struct fault *f);

/* One step: 1 if there is more to do, 0 when both files are in their place. */
CHECKED int list_file_step(struct list_file *l, struct fault *f);
void list_file_free(struct list_file *l);

/* What goes into the book, once the last step is done: the DER or its digest
 * (borrowed), the number and times. */
struct wire_bytes list_file_content(const struct list_file *l);
struct ledger_list list_file_list(const struct list_file *l);
const char *list_file_path(const struct list_file *l);
size_t list_file_size(const struct list_file *l);

/* Whether there is a list of ${ca} in ${dir}; and take away what was half
 * written when a process was killed. */
bool list_file_there(const char *dir, const char *ca);
void list_file_tidy(const char *dir, const char *ca);

#endif
