#ifndef SIGNET_CA_CA_INIT_TOKEN_H
#define SIGNET_CA_CA_INIT_TOKEN_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/own.h"
#include "signet-ca/base/ca_args.h"
#include "x509/cert.h"
#include "x509/key.h"

#include <stdio.h>

/* The key of a new CA that is made in a token, or is there already. */
struct fault;
struct ca_key_place;

/* FAULT_USAGE for options that a key in a token does not go with. */
CHECKED int ca_key_place_check(const struct ca_args *args, struct fault *f);

/**
 * ca_key_place_new(args, name, kind, f):
 * As --token (and --key-module) say, of the CA ${name}: ask for the PIN, make a
 * key of ${kind} there, or take the one that is there (--use-existing), whose
 * kind must be --key if that is given.  One that has neither label nor id gets
 * ${name} as its label.  FAULT_DENIED if there is a key and --use-existing was
 * not said.  ca_key_place_free() it.
 */
CHECKED struct ca_key_place *ca_key_place_new(const struct ca_args *args,
    const char *name, const char *kind, struct fault *f);
void ca_key_place_free(struct ca_key_place *place);

/* The key, to sign with while ${place} is there; key_free() it. */
CHECKED struct key *ca_key_place_key(struct ca_key_place *place,
    struct fault *f);

/* Append the lines of ca.conf that name it. */
void ca_key_place_conf(const struct ca_key_place *place, struct buf *conf);

/* Put the certificate beside it; no more is signed with it here. */
void ca_key_place_settle(struct ca_key_place *place, const struct cert *cert);

/* Say where it is; or, when the CA came to nothing, that it is there. */
void ca_key_place_show(const struct ca_key_place *place, const struct key *key,
    FILE *out);
void ca_key_place_abandon(const struct ca_key_place *place);

OWN_FREE_STRUCT(ca_key_place, ca_key_place_free)

#endif
