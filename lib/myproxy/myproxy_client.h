#ifndef MYPROXY_MYPROXY_CLIENT_H
#define MYPROXY_MYPROXY_CLIENT_H

#include "base/checked.h"
#include "base/secret.h"
#include "trust/store.h"
#include "x509/key.h"
#include "x509/proxy.h"

#include <stdbool.h>
#include <stdint.h>

/* The client's side of a MyProxy conversation, against ours or the stock
 * server (facts: PROTOCOL 11). */
struct fault;

struct myproxy_wish {
	const char *servers;   /* "host1:port,host2"; tried in order */
	uint16_t port;	       /* for those without one */
	const char *server_dn; /* exact slash form instead of the host check */
	int timeout_ms;	       /* to connect, each address */
	const char *trust_dir;
	unsigned demands; /* on who is trusted: trust_demand() */
	const char *username;
	const char *cred_name;
	int64_t lifetime; /* seconds */

	/* How to prove who we are. */
	bool use_kerberos; /* SASL GSSAPI with the ticket we have */
	const struct credential *renew_with; /* X509 challenge, may be NULL */
	const struct credential *credential; /* shown in TLS, may be NULL */
	/* Asked when a pass phrase turns out to be needed, after the TLS
	 * handshake; NULL: there is none.  Called at most once a server. */
	struct secret *(*ask)(void *arg, const char *server, struct fault *f);
	void *ask_arg;

	/* Told what a person should know while it happens: a server that did
	 * not answer, anchors that were installed on first sight.  May be NULL.
	 */
	void (*say)(void *arg, const char *line);
	void *say_arg;

	bool authenticate_only;	 /* myproxy-logon -N */
	bool want_trustroots;	 /* -T */
	bool bootstrap;		 /* -b */
	const char *install_dir; /* where trust roots go; NULL: trust_dir */

	/* The key to certify, or a ready request (-Q); exactly one of them. */
	const struct key *key;
	struct wire_bytes csr;
};

struct myproxy_result {
	struct cert_list chain; /* issued certificate first */
	char server[256];	/* which one answered */
	char words[512];   /* after a failure: what the server said, or "" */
	size_t trustroots; /* files installed */
	char install_dir[1024];
};

/**
 * myproxy_logon(wish, result, f):
 * Log on and fetch a certificate (command GET).  Servers that cannot be
 * reached or trusted are passed over; the first that talks decides.
 * FAULT_UNREACHABLE, FAULT_UNTRUSTED, FAULT_LOGIN with the server's own
 * words, FAULT_KEY when the server wants another kind of key, ...
 * The certificate is for the key asked for; nothing else is checked of it.
 * myproxy_result_clear() the result.
 */
CHECKED int myproxy_logon(const struct myproxy_wish *wish,
    struct myproxy_result *result, struct fault *f);

/* Fetch trust roots only (command 7). */
CHECKED int myproxy_trustroots(const struct myproxy_wish *wish,
    struct myproxy_result *result, struct fault *f);
void myproxy_result_clear(struct myproxy_result *result);

#endif
