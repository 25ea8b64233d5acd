#ifndef AUTH_PRINCIPAL_H
#define AUTH_PRINCIPAL_H

#include "base/checked.h"
#include "signetd/signetd_conf.h"

#include <stddef.h>

/*
 * Whatever the method, one person is one principal, name@REALM.  A name alone
 * is of the default realm; other realms are refused, unless map-realm says
 * whose people they are.  People have no instances: "host/a.org" and
 * "ann/admin" are no one's name here.
 */
struct fault;

#define PRINCIPAL_SIZE 256

/**
 * principal_of(conf, who, principal, f):
 * The principal of ${who}, "name" or "name@REALM", as a ticket has it or a
 * user typed it.  FAULT_LOGIN if there is none.
 */
CHECKED int principal_of(const struct signetd_conf *conf, const char *who,
    char principal[PRINCIPAL_SIZE], struct fault *f);

/**
 * principal_local(conf, who, principal, name, f):
 * As principal_of, for one whose password is to be checked here: it proves a
 * user of the default realm and of no other.  ${name} gets the part that the
 * password mechanisms know.
 */
CHECKED int principal_local(const struct signetd_conf *conf, const char *who,
    char principal[PRINCIPAL_SIZE], char name[PRINCIPAL_SIZE], struct fault *f);

/* Whether each item of map-realm is "FROM TO". */
CHECKED int principal_check_conf(const struct signetd_conf *conf,
    struct fault *f);

#endif
