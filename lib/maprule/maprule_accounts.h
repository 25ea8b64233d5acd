#ifndef MAPRULE_MAPRULE_ACCOUNTS_H
#define MAPRULE_MAPRULE_ACCOUNTS_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The accounts of this host.  Those that can be listed (getpwent) are read at
 * once; others are asked for by name (getpwnam), each once, since a directory
 * service may have a million that it does not list.
 */
struct fault;
struct maprule_accounts;

/* All that can be listed.  maprule_accounts_free() gives it back. */
CHECKED struct maprule_accounts *maprule_accounts_open(struct fault *f);

/* Accounts in the form of passwd(5) instead, and nobody else is asked: for
 * tests, and for a host described by its file. */
CHECKED struct maprule_accounts *maprule_accounts_read(const char *text,
    size_t len, struct fault *f);
void maprule_accounts_free(struct maprule_accounts *a);
OWN_FREE_STRUCT(maprule_accounts, maprule_accounts_free)

/**
 * maprule_accounts_find(a, name, ask, uid, f):
 * 1 and the uid, 0 if there is no such account, -1 and FAULT_SYSTEM if the
 * system could not say.  Without ${ask} only what was listed or asked for
 * before is known.
 */
CHECKED int maprule_accounts_find(struct maprule_accounts *a, const char *name,
    bool ask, uint32_t *uid, struct fault *f);

/* Whether ${name} can stand in a map file as an account: no blank, comma, '#',
 * quote, backslash, slash, colon, control or 8-bit byte, does not begin with
 * '-' or '.', and is not longer than 255 bytes. */
bool maprule_account_good(const char *name);

/* Whether ${name} is the superuser's, or would be to a program that takes a
 * number for a uid. */
bool maprule_account_root(const char *name);

#endif
