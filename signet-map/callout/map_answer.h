#ifndef MAP_MAP_ANSWER_H
#define MAP_MAP_ANSWER_H

#include "base/checked.h"

#include <stddef.h>

/*
 * What a service is told that asks for an account, by the Toolkit's rules for
 * where the map is and what pools are.
 */
struct fault;

struct map_question {
	const char *dn;	     /* of the peer, as OpenSSL prints it */
	const char *account; /* that it wants; NULL: its default one */
};

/**
 * map_answer(q, account, size, f):
 * The account for ${q}.  FAULT_DENIED: there is none for it; the text may be
 * shown to the peer.  FAULT_NAME: it does not fit ${size}.  All else: the map,
 * or the pool, cannot be read.
 *
 * The map is $GRIDMAP, $GLOBUSMAP, $globusmap or $GlobusMap, else for root
 * /etc/grid-security/grid-mapfile and for others ~/.gridmap; the pools are in
 * $GRIDMAPDIR.
 */
CHECKED int map_answer(const struct map_question *q, char *account, size_t size,
    struct fault *f);

#endif
