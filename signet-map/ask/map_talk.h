#ifndef SIGNET_MAP_ASK_MAP_TALK_H
#define SIGNET_MAP_ASK_MAP_TALK_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "signet-map/base/map_say.h"

/* A conversation with the desk. */
struct fault;
struct map_talk;

/* Go to the desk whose socket is ${path}.  FAULT_UNREACHABLE. */
CHECKED struct map_talk *map_talk_new(const char *path, struct fault *f);
void map_talk_free(struct map_talk *t);
OWN_FREE_STRUCT(map_talk, map_talk_free)

/* Say ${ask}. */
CHECKED int map_talk_say(struct map_talk *t, const struct map_ask *ask,
    struct fault *f);

/* Hear one answer, map_answer_clear() it.  What the desk refuses is a fault
 * with its own code and words. */
CHECKED int map_talk_hear(struct map_talk *t, struct map_answer *answer,
    struct fault *f);

#endif
