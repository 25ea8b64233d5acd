#ifndef SIGNETD_SIGNER_GATE_LIST_H
#define SIGNETD_SIGNER_GATE_LIST_H

#include "base/checked.h"
#include "base/own.h"
#include "signetd/signer/gate.h"

#include <time.h>

/*
 * The gate for revocation lists, which may be long: a TBSCertList in sealed
 * memory, which cannot change between being judged and being signed, is walked
 * by the strict reader and hashed, a step at a time.
 */
struct fault;
struct gate_list;

/* ${fd} stays the caller's; ${gate} is borrowed, and is not to be reloaded or
 * freed before the list is.  FAULT_DENIED says which rule forbids it. */
CHECKED struct gate_list *gate_list_new(const struct gate *gate, const char *ca,
    int fd, time_t now, struct fault *f);
void gate_list_free(struct gate_list *list);

/* One step of less than a millisecond; 1 if there is more to do, 0 when all of
 * it may be signed, and its digest is made. */
CHECKED int gate_list_step(struct gate_list *list, struct fault *f);

/* The number that the list carries, and its signature, after the last step;
 * once. */
uint64_t gate_list_number(const struct gate_list *list);
CHECKED int gate_list_sign(struct gate_list *list, struct buf *signature,
    struct fault *f);

/* For a CA whose key is in a token: what that signs, after the last step;
 * once, instead of gate_list_sign. */
CHECKED int gate_list_digest(struct gate_list *list, struct gate_digest *digest,
    struct fault *f);

OWN_FREE_STRUCT(gate_list, gate_list_free)

#endif
