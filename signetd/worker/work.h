#ifndef WORKER_WORK_H
#define WORKER_WORK_H

#include "base/checked.h"
#include "base/secret.h"
#include "signetd/signetd_conf.h"

#include <stddef.h>

/* What a worker of auth can do: the methods of WORK_ASK, msg.def. */
struct fault;

struct work {
	const struct signetd_conf *conf;
	const struct secret *ldap_password; /* of who searches, or NULL */
	char ldap_uris[CONF_LIST_MAX * CONF_STRING_SIZE];
};

/* Take over ${conf}, which must outlive ${w}. */
void work_set(struct work *w, const struct signetd_conf *conf);

/**
 * work_do(w, method, name, phrase, text, size, f):
 * Prove with ${phrase} that someone is ${name}, and put the name as it is spelt
 * into ${text}; or find the subject of the principal ${name}.  FAULT_LOGIN,
 * FAULT_ABSENT (no subject), or what kept it from being found out.
 */
CHECKED int work_do(const struct work *w, const char *method, const char *name,
    const struct secret *phrase, char *text, size_t size, struct fault *f);

#endif
