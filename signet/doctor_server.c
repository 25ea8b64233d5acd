#include "base/clock.h"
#include "base/text.h"
#include "credential_show.h"
#include "doctor.h"
#include "knock.h"
#include "myproxy/myproxy_clock.h"
#include "myproxy/myproxy_text.h"
#include "server.h"
#include "sys/net.h"
#include "tls/tls.h"
#include "trust/verify.h"

#include <string.h>

#define CERT_SOON (7 * (time_t)86400)
#define SKEW_MAX 300 /* seconds: what Kerberos and our proxies bear */

/* One server, while it is asked. */
struct asked {
	const struct doctor *d;
	const struct server *server;
	char host[256];
	uint16_t port;
	time_t at;  /* when its certificates are judged */
	time_t end; /* of them */
};

/* As the login judges: the path, and then the name. */
static int
judge(void *arg, const struct cert_list *chain, struct fault *f)
{
	struct asked *a = arg;
	struct trust_verdict verdict;
	char name[DN_TEXT_MAX];

	if (chain->count == 0)
		return fault_set(f, FAULT_UNTRUSTED, "it shows no certificate");
	if (trust_verify(a->d->store, chain, a->at, TRUST_SERVER, &verdict, f) <
	    0) {
		f->code = FAULT_UNTRUSTED;
		return -1;
	}
	a->end = verdict.not_after;
	if (a->server->dn == NULL)
		return trust_check_host(chain->cert[0], a->host, f);
	if (dn_show_slash(&verdict.identity, name, sizeof(name)) == 0 &&
	    strcmp(name, a->server->dn) == 0)
		return 0;
	return fault_set(f, FAULT_UNTRUSTED, "it is %s, not %s", name,
	    a->server->dn);
}

static int
knock_at(struct asked *a, struct fault *f)
{
	return knock(a->host, a->port, a->server->timeout_ms, judge, a, f);
}

/*
 * Whether the server, whose certificates are good at the time it says, has
 * another time than we: then that is said, and nothing else.
 */
static bool
other_time(struct doctor *d, struct asked *a)
{
	time_t theirs = 0;
	struct fault ignored;
	int64_t ahead;

	if (myproxy_clock_ask(a->host, a->port, a->server->timeout_ms, &theirs,
		&ignored) < 0 ||
	    theirs == 0)
		return false;
	ahead = d->now - theirs;
	if (ahead <= SKEW_MAX && ahead >= -SKEW_MAX)
		return false;
	a->at = theirs;
	if (knock_at(a, &ignored) < 0) {
		a->at = d->now;
		return false;
	}
	doctor_say(d, DOCTOR_FAIL, "clock",
	    "set this clock, or tell the server's people to set theirs",
	    "this clock is %lld seconds %s that of %s",
	    (long long)(ahead > 0 ? ahead : -ahead),
	    ahead > 0 ? "ahead of" : "behind", a->host);
	return true;
}

static void
ask(struct doctor *d, struct asked *a)
{
	struct fault why;
	char left[CREDENTIAL_LEFT_SIZE];
	int64_t start, took;

	if (other_time(d, a))
		return;
	start = clock_mono();
	if (knock_at(a, &why) < 0) {
		doctor_say(d, DOCTOR_FAIL, "server",
		    why.code == FAULT_UNTRUSTED
			? "run: signet trustroots, or ask the server's people"
			: "look at its name and port, the network and "
			  "firewalls",
		    "%s port %u: %s", a->host, a->port, why.text);
		return;
	}
	took = clock_mono() - start;
	credential_left(a->end - d->now, left);
	if (a->end - d->now < CERT_SOON)
		doctor_say(d, DOCTOR_WARN, "server", "tell the server's people",
		    "%s port %u is trusted, but its certificate ends in %s",
		    a->host, a->port, left);
	else
		doctor_say(d, DOCTOR_OK, "server", NULL,
		    "%s port %u answers within %lld ms and is trusted", a->host,
		    a->port, (long long)took);
}

void
doctor_server(struct doctor *d)
{
	const struct server_options given = { &d->o->server, d->o->port,
		d->o->server_dn, d->o->certdir };
	struct server server;
	struct fault why;
	char item[300];

	if (d->o->offline)
		return;
	if (server_choose(&server, &given, &d->conf, &why) < 0) {
		doctor_say(d, DOCTOR_WARN, "server",
		    "name one: -s HOST, MYPROXY_SERVER or signet.conf",
		    "no server is named");
		return;
	}
	if (d->store == NULL) {
		doctor_say(d, DOCTOR_WARN, "server", NULL,
		    "not asked: without trust anchors none can be trusted");
		return;
	}
	for (const char *at = server.list; *at != '\0';) {
		struct asked a = { .d = d, .server = &server, .at = d->now };
		size_t len = strcspn(at, ",");

		if (text_fmt(item, sizeof(item), "%.*s", (int)len, at) < 0 ||
		    net_split(item, server.port, a.host, sizeof(a.host),
			&a.port, &why) < 0)
			doctor_say(d, DOCTOR_FAIL, "server", "look at the name",
			    "\"%.*s\" names no server", (int)len, at);
		else
			ask(d, &a);
		at += len + (at[len] == ',');
	}
}
