#ifndef SIGNET_LOGIN_H
#define SIGNET_LOGIN_H

#include "asker.h"
#include "base/checked.h"
#include "command.h"
#include "keygen.h"
#include "krb/krb_ticket.h"
#include "place.h"
#include "server.h"
#include "signet_conf.h"
#include "x509/proxy.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The parts of `signet login`: who is meant (login_plan.c), the ticket
 * (login_ticket.c), certificate and proxy (login_proxy.c).  signet_login.c
 * puts them in order.
 */
struct fault;

struct login_options {
#define OPTION(field, names, KIND, argument, min, max, doc) \
	OPTION_C_##KIND field;
#include "login.def"
#undef OPTION
};

struct login {
	const struct login_options *o;
	struct call *call;
	struct signet_conf conf;
	struct server server;
	bool kerberos;
	char name[PLACE_NAME_SIZE];	 /* as the person says it */
	char principal[PLACE_NAME_SIZE]; /* name@REALM, if there is a realm */
	char username[PLACE_NAME_SIZE];	 /* as the server hears it */
	char out[PLACE_SIZE];
	struct asker asker;
	struct proxy_wish proxy;
	int64_t lifetime; /* seconds asked of the server */
	char key_kind[32];
	char cert_key_kind[32];
	bool may_fall_back; /* to an RSA key for the certificate */
	struct keygen *key;
	struct keygen *cert_key;
	struct keygen *spare;	       /* RSA, for servers that take no EC */
	struct credential renew_with;  /* --authorization */
	struct credential certificate; /* what the server issued */
	struct credential made;	       /* the proxy */
	char policy[65536];
};

/* Fill ${l} from options, configuration and environment. */
CHECKED int login_plan(struct login *l, struct fault *f);

/* Begin to make the keys. */
CHECKED int login_keys(struct login *l, struct fault *f);

/* See to it that there is a ticket for l->principal. */
CHECKED int login_ticket(struct login *l, struct fault *f);

/* Get the certificate, make the proxy, write it. */
CHECKED int login_certificate(struct login *l, struct fault *f);
CHECKED int login_proxy(struct login *l, struct fault *f);

/* Give back and wipe what ${l} holds. */
void login_clear(struct login *l);

#endif
