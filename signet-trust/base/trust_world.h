#ifndef SIGNET_TRUST_BASE_TRUST_WORLD_H
#define SIGNET_TRUST_BASE_TRUST_WORLD_H

#include "anchor/judge.h"
#include "anchor/want.h"
#include "base/checked.h"
#include "trust_args.h"
#include "trust_conf.h"

/* What every command begins with: the settings, all descriptions, and which of
 * them the site has chosen (anchor_want.chosen). */
struct fault;

struct trust_world {
	struct trust_conf conf;
	struct anchor_set set;
	struct judge_rules rules;
	bool old; /* as gx-ca-update does it */
};

/* Settings of trust.conf, with what the command line says instead. */
CHECKED int trust_world_settings(struct trust_world *w,
    const struct trust_args *args, struct fault *f);

/* All descriptions of the settings' sources. */
CHECKED int trust_world_read(struct trust_world *w, struct fault *f);

/* Choose.  FAULT_USAGE for a name that no CA has. */
CHECKED int trust_world_choose(struct trust_world *w,
    const struct trust_args *args, struct fault *f);

/* The three of them. */
CHECKED int trust_world_open(struct trust_world *w,
    const struct trust_args *args, struct fault *f);
void trust_world_close(struct trust_world *w);

/* Append the names in ${text}, separated by commas and blanks. */
CHECKED int trust_names(struct want_list *names, const char *text,
    struct fault *f);
/* And those of a file, where # begins a comment. */
CHECKED int trust_names_file(struct want_list *names, const char *path,
    struct fault *f);

/* Choose those of ${names}, and what they require. */
CHECKED int trust_choose_names(struct trust_world *w,
    const struct want_list *names, struct fault *f);

/*
 * Choose also what the settings choose of the hashes of those that are chosen:
 * files of one hash are numbered through, so that one CA's cannot be seen to
 * without the others'.
 */
CHECKED int trust_choose_siblings(struct trust_world *w, struct fault *f);

#endif
