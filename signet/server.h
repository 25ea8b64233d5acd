#ifndef SIGNET_SERVER_H
#define SIGNET_SERVER_H

#include "base/checked.h"
#include "options.h"

#include <stdint.h>

/* Which server, and whom to trust: from options, the environment and the
 * configuration, in this order. */
struct fault;
struct myproxy_wish;
struct signet_conf;

#define SERVER_LIST_SIZE 4352
#define SERVER_DIR_SIZE 1024

struct server {
	char list[SERVER_LIST_SIZE]; /* "host:port,host" */
	uint16_t port;		     /* for those without */
	const char *dn;		     /* borrowed; NULL: by host name */
	char trust_dir[SERVER_DIR_SIZE];
	char install_dir[SERVER_DIR_SIZE];
	unsigned demands; /* of trust_demand() */
	int timeout_ms;
};

struct server_options {
	const struct option_list *hosts; /* each may be a list with commas */
	int64_t port;			 /* or OPTION_UNSET */
	const char *dn;			 /* NULL: not given */
	const char *trust_dir;		 /* NULL: not given */
};

/* MYPROXY_SERVER, MYPROXY_SERVER_PORT, MYPROXY_SERVER_DN,
 * MYPROXY_SOCKET_TIMEOUT and X509_CERT_DIR stand between the options and
 * ${conf}, which ${s} borrows from.  FAULT_USAGE if no server is named
 * anywhere. */
CHECKED int server_choose(struct server *s, const struct server_options *given,
    const struct signet_conf *conf, struct fault *f);

/* What of ${s} a wish says. */
void server_fill(const struct server *s, struct myproxy_wish *wish);

#endif
