#ifndef MAPRULE_MAPRULE_INNER_H
#define MAPRULE_MAPRULE_INNER_H

#include "maprule/maprule.h"
#include "maprule/maprule_text.h"
#include "roster/roster_source.h"

/* What the files of this room know of the rules, and nobody else. */

struct maprule_service_block {
	struct maprule_service said;
	struct maprule_words hosts;
};

struct maprule {
	struct maprule_text text;
	const char *path;
	struct maprule_words bans_paths;
	/* Owned. */
	struct maprule_source *sources;
	struct roster_source_conf *confs; /* as many */
	size_t source_count;
	struct maprule_service_block *services;
	size_t service_count;
	struct maprule_rule *rules; /* by priority */
	size_t rule_count;
	struct maprule_ban *bans;
	size_t ban_count;
};

/* An account as a rule says it: the person's own, "=NAME", ".PREFIX". */
#define MAPRULE_PERSONAL "personal"

/* Read the block ${b} of bans into ${ban}. */
CHECKED int maprule_ban_read(const struct maprule_block *b,
    struct maprule_ban *ban, struct fault *f);

/* What ${s} says, as the roster takes it. */
CHECKED int maprule_source_conf_read(struct maprule_arena *a,
    const struct maprule_source *s, struct roster_source_conf *conf,
    struct fault *f);

/* The number of ${word} among the ${count} ${known}; -1 and FAULT_CONFIG with
 * the nearest spelling. */
CHECKED int maprule_one_of(const char *what, const char *word,
    const char *const *known, size_t count, struct fault *f);

/* The name of a block: it is shown, and stands in logs and in the history. */
CHECKED int maprule_label_check(const char *name, struct fault *f);
CHECKED int maprule_path_check(const char *path, struct fault *f);
CHECKED int maprule_hosts_check(const struct maprule_words *hosts,
    struct fault *f);

/* Read the block ${b} into the next of ${r}'s services, or rules. */
CHECKED int maprule_service_read(struct maprule *r,
    const struct maprule_block *b, struct fault *f);
CHECKED int maprule_rule_read(struct maprule *r, const struct maprule_block *b,
    struct fault *f);
/* FAULT_CONFIG for a word in `services` that no service fits. */
CHECKED int maprule_rule_services(const struct maprule *r,
    const struct maprule_rule *rule, struct fault *f);
/* For qsort: splices before, maps, splices behind. */
int maprule_rule_order(const void *a, const void *b);

/* A word that is yes or no. */
CHECKED int maprule_yes_read(const char *keyword, const char *word, bool *yes,
    struct fault *f);

/**
 * maprule_time_read(text, until, f):
 * "2026-12-01", the last day (UTC) of something, or "2026-12-01T12:00:00Z", the
 * moment when it ends.
 */
CHECKED int maprule_time_read(const char *text, time_t *until, struct fault *f);

/* A length of time: 90, 90s, 15m, 12h, 30d or 20y. */
CHECKED int maprule_seconds_read(const char *text, int64_t *seconds,
    struct fault *f);

#endif
