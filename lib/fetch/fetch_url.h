#ifndef FETCH_FETCH_URL_H
#define FETCH_FETCH_URL_H

#include "base/checked.h"

#include <limits.h>

/* What a URL may be, and where a redirection may lead. */
struct fault;

enum fetch_scheme {
	FETCH_HTTP,
	FETCH_HTTPS,
	FETCH_FTP,
	FETCH_FILE,
};

#define FETCH_URL_SIZE 2048

struct fetch_url {
	enum fetch_scheme scheme;
	char host[320];	     /* with its port: what a limit per host counts */
	char path[PATH_MAX]; /* of a file, decoded; else "" */
};

/* Take ${url} apart; FAULT_INPUT if it is none, or of another scheme. */
CHECKED int fetch_url_read(struct fetch_url *u, const char *url,
    struct fault *f);

/* Whether ${from} may send us to ${to}: FAULT_UNTRUSTED if not. */
CHECKED int fetch_url_follow(const struct fetch_url *from, const char *to,
    struct fault *f);

#endif
