#ifndef SIGNETD_TOKEN_PRESET_H
#define SIGNETD_TOKEN_PRESET_H

#include "base/checked.h"
#include "signetd/signetd_conf.h"
#include "sys/sandbox.h"

#include <limits.h>

/*
 * What a PKCS#11 module needs of the system, by token-preset and token-path:
 * every module its libraries, the Unix sockets of this host (a module that logs
 * speaks to syslog) and threads; softhsm its configuration and its tokens; pcsc
 * pcscd's socket and OpenSC's configuration; network servers and their names;
 * custom nothing else.
 */
struct fault;

/* What the sandbox's paths point into. */
struct preset {
	char module_dir[PATH_MAX];
	char conf[PATH_MAX];   /* SoftHSM's, */
	char tokens[PATH_MAX]; /* and its tokens */
};

/**
 * preset_box(preset, conf, module, box, f):
 * Set promises and paths of ${box} for the module at ${module}.  FAULT_CONFIG
 * for a preset that is not known, a token-path that is not absolute, and too
 * many of them.
 */
CHECKED int preset_box(struct preset *preset, const struct signetd_conf *conf,
    const char *module, struct sandbox *box, struct fault *f);

/* The directory that SoftHSM's configuration ${text} names, into ${tokens};
 * empty if it names none.  FAULT_CONFIG if it is not absolute or too long. */
CHECKED int preset_read_softhsm(const char *text, size_t len,
    char tokens[PATH_MAX], struct fault *f);

#endif
