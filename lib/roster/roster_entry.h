#ifndef ROSTER_ROSTER_ENTRY_H
#define ROSTER_ROSTER_ENTRY_H

#include "base/checked.h"
#include "base/own.h"
#include "roster/roster_part.h"
#include "roster/roster_skip.h"
#include "roster/roster_source.h"

#include <ldap.h>

/*
 * From an entry of a directory to a record: which attributes are asked for, and
 * what is made of their values.
 */
struct roster_plan;

/* What ${conf} asks of people's entries, or of those of groups. */
CHECKED struct roster_plan *roster_plan_new(const struct roster_source_conf
						*conf,
    bool groups, struct fault *f);
void roster_plan_free(struct roster_plan *plan);
OWN_FREE_STRUCT(roster_plan, roster_plan_free)

/* For ldap_search_ext: a list that ends with NULL. */
char **roster_plan_attributes(const struct roster_plan *plan);

/**
 * roster_entry_read(plan, r, ld, m, uuid, d, skips, f):
 * Make ${d} (whose ->source is set) of the entry ${m}.  ${uuid} is what came
 * with it, or NULL: then its attribute entryUUID is taken, or its DN stands for
 * it.  1: done; 0: the entry is of no use, ->uuid is set if it could be; -1:
 * memory is out.
 */
CHECKED int roster_entry_read(const struct roster_plan *plan, struct roster *r,
    LDAP *ld, LDAPMessage *m, const uint8_t *uuid, struct roster_draft *d,
    struct roster_skips *skips, struct fault *f);

/* 16 bytes that stand for ${len} bytes, where a source gives no uuid. */
void roster_uuid_of(const void *data, size_t len, uint8_t uuid[ROSTER_UUID]);

#endif
