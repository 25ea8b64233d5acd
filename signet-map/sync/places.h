#ifndef SIGNET_MAP_SYNC_PLACES_H
#define SIGNET_MAP_SYNC_PLACES_H

#include "base/checked.h"

/*
 * Where maps are written: nowhere where something else is kept.
 */
struct fault;
struct maprule;
struct mapper;

/**
 * places_check(m, rules, f):
 * See that no service of ${rules} on this host has the file of another, or
 * one that is read: rules, bans, sources, what ${m} keeps.  FAULT_CONFIG names
 * both.
 */
CHECKED int places_check(const struct mapper *m, const struct maprule *rules,
    struct fault *f);

#endif
