#ifndef ROSTER_ROSTER_STAGE_H
#define ROSTER_ROSTER_STAGE_H

#include "base/checked.h"
#include "base/own.h"
#include "roster/roster_part.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/*
 * Changes to one source that are not yet part of the roster: all of them become
 * so, or none.  A refresh of a directory fills one, in which also is known who
 * was mentioned; so does each thing heard after it.
 */
struct roster_stage;

/* ${refresh}: those who are not mentioned may have to go.  It may not outlive
 * ${r}, which may change otherwise meanwhile only in other sources. */
CHECKED struct roster_stage *roster_stage_new(struct roster *r, uint32_t source,
    bool refresh, struct fault *f);
void roster_stage_free(struct roster_stage *st);
OWN_FREE_STRUCT(roster_stage, roster_stage_free)

/* The entry ${d} is there, and so; what was said of its uuid before counts no
 * more.  ${d}->source must be the stage's. */
CHECKED int roster_stage_put(struct roster_stage *st,
    const struct roster_draft *d, struct fault *f);

/* It is there, as it was. */
void roster_stage_present(struct roster_stage *st,
    const uint8_t uuid[ROSTER_UUID]);

/* It is there no more. */
CHECKED int roster_stage_delete(struct roster_stage *st,
    const uint8_t uuid[ROSTER_UUID], struct fault *f);

/* Who was not mentioned until now goes (RFC 4533 3.3.2: the end of a present
 * phase). */
CHECKED int roster_stage_only(struct roster_stage *st, struct fault *f);

/* How many were put, of whatever kind, since the stage was made; how many would
 * be changed. */
size_t roster_stage_mentioned(const struct roster_stage *st);
size_t roster_stage_changes(const struct roster_stage *st);

/**
 * roster_stage_commit(st, f):
 * Put all of it into the roster, those who go first.  The stage is empty
 * afterwards, and one for single changes.  -1 only if memory is out.
 */
CHECKED int roster_stage_commit(struct roster_stage *st, struct fault *f);

#endif
