#ifndef SIGNETD_PARENT_REHEARSE_H
#define SIGNETD_PARENT_REHEARSE_H

#include "base/checked.h"
#include "signetd/parent/gather.h"

#include <time.h>

/*
 * What the roles would stumble over, found before any of them is started or
 * reloaded: settings that make no sense, and files that are not what they
 * should be.  Nothing is changed, nobody is asked over a network.
 */
struct authority_conf;
struct fault;

/* Look at what is set alone: FAULT_CONFIG names the keyword. */
CHECKED int rehearse_settings(const struct signetd_conf *conf, struct fault *f);

/* Look at the files that ${g} holds, and at those that only roles read. */
CHECKED int rehearse_files(const struct gather *g, struct fault *f);

/* The settings of tokens, hooks and call-outs alone. */
CHECKED int rehearse_token_settings(const struct signetd_conf *conf,
    struct fault *f);

/* Hooks as they are on the disk, and the users of all that. */
CHECKED int rehearse_tokens(const struct gather *g, struct fault *f);

/**
 * rehearse_token_module(a, path, f):
 * The PKCS#11 module of the CA ${a}, whose key is in a token: it is there, and
 * nobody but root and this user can change it.  It is not loaded.
 */
CHECKED int rehearse_token_module(const struct authority_conf *a,
    char path[256], struct fault *f);

/* The same of the file ${path}. */
CHECKED int rehearse_module(const char *path, struct fault *f);

/* What time may change while a daemon runs: whether each CA of ${g} may sign at
 * ${now}.  FAULT_EXPIRED if not. */
CHECKED int rehearse_time(const struct gather *g, time_t now, struct fault *f);

#endif
