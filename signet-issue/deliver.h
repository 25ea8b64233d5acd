#ifndef SIGNET_ISSUE_DELIVER_H
#define SIGNET_ISSUE_DELIVER_H

#include "base/buf.h"
#include "base/checked.h"
#include "issue_conf.h"

/* Bring a request to signetd, and its answer back. */
struct fault;

/**
 * deliver(conf, request, answer, f):
 * By socket or by directory, as ${conf} says, within its timeout.  Bytes are
 * appended to ${answer} as they come: what they say is the caller's to read.
 * FAULT_UNREACHABLE if nobody serves there or whoever did has ended;
 * FAULT_TIMEOUT.
 */
CHECKED int deliver(const struct issue_conf *conf, const struct buf *request,
    struct buf *answer, struct fault *f);

/* ---- deliver_drop.c */

/* By the directory, until ${deadline} of clock_mono(). */
CHECKED int deliver_drop(const struct issue_conf *conf, int64_t deadline,
    const struct buf *request, struct buf *answer, struct fault *f);

/* What is said when the time is over. */
CHECKED int deliver_late(const struct issue_conf *conf, struct fault *f);

#endif
