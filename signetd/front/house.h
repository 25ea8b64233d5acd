#ifndef FRONT_HOUSE_H
#define FRONT_HOUSE_H

#include "signetd/front/crowd.h"
#include "signetd/front/door.h"
#include "signetd/front/roots.h"
#include "signetd/front/visit.h"
#include "signetd/role.h"
#include "tls/tls.h"

/* Folders that the trust directory's links may lead to. */
#define HOUSE_PLACES 12

#define HOUSE_RECORD 16384 /* RFC 8446 5.1: the most in a record */

/* What all connections of a front process share. */
struct house {
	struct role *role;
	struct channel *auth; /* NULL until it is attached */
	struct channel *issuer;
	struct tls_server *tls;
	struct roots *roots;
	char *places[HOUSE_PLACES]; /* see roots_places() */
	struct crowd *crowd;
	struct door *door;
	struct visit_house visits;
	struct loop_timer *drain_timer;
	bool draining;
	int64_t cap_told; /* clock_mono() of the last CONNECTION_CAPPED */
	uint64_t capped;  /* turned away since */
	uint8_t record[HOUSE_RECORD]; /* to read into; wiped after use */
};

/* A guest has left: a descriptor is free again. */
void house_left(struct house *house);

#endif
