#ifndef SIGNET_KEYGEN_H
#define SIGNET_KEYGEN_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>

/*
 * Keys that are made while something else is waited for.  An RSA key takes a
 * quarter of a second, which is most of what a login costs, so it is begun
 * before the password is asked.  A child process makes it and hands it over by
 * a pipe: it touches no disk, and if it is not wanted in the end it is killed.
 */
struct fault;
struct key;
struct keygen;

/**
 * keygen_start(what, f):
 * Begin to make a key (see key_make).  keygen_free() the result.
 */
CHECKED struct keygen *keygen_start(const char *what, struct fault *f);

/* Wait for the key, which is then the caller's; once. */
CHECKED struct key *keygen_take(struct keygen *g, struct fault *f);

/* End the child if it is still at work.  Nothing happens if ${g} is NULL. */
void keygen_free(struct keygen *g);

OWN_FREE_STRUCT(keygen, keygen_free)

#endif
