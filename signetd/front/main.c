/*
 * The front end: TLS and the MyProxy protocol.  It carries requests and cannot
 * vouch for them: auth says who somebody is, and says it to the issuer.  It
 * holds the host's key and no other.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/front/door.h"
#include "signetd/front/guest.h"
#include "signetd/front/house.h"
#include "sys/net.h"
#include "trust/verify.h"

#include <sys/resource.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDENTITIES 4
#define CHAIN_MAX 131072
#define SPARE_FILES 64 /* descriptors beside those of guests */
#define CAPPED_MS 1000

/* Descriptors for as many guests as may come, or for as many as we may have:
 * who comes when they are used up waits outside. */
static rlim_t
files_wanted(const struct role *role)
{
	rlim_t wanted = (rlim_t)role->conf.max_connections + SPARE_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max < wanted)
		return limit.rlim_max;
	return wanted;
}

static int
box(struct role *role, struct sandbox *walls, struct fault *f)
{
	struct house *house = calloc(1, sizeof(*house));
	size_t places;

	if (house == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for the front end");
	role->state = house;
	house->role = role;
	walls->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(ACCEPT) |
	    SANDBOX_PROMISE(RPATH);
	walls->paths[0] = (struct sandbox_path){ role->conf.trust_dir, false };
	places =
	    roots_places(role->conf.trust_dir, house->places, HOUSE_PLACES);
	for (size_t i = 0; i < places; i++)
		walls->paths[i + 1] =
		    (struct sandbox_path){ house->places[i], false };
	walls->files = files_wanted(role);
	walls->no_processes = true;
	return tls_init(f);
}

/* What visits ask of us: see visit.h. */

static int
house_say(void *arg, const struct msg *m, struct fault *f)
{
	struct house *house = arg;
	struct channel *to =
	    m->type == MSG_SIGN_ASK ? house->issuer : house->auth;

	if (to == NULL)
		return fault_set(f, FAULT_BUSY, "%s before its hearer is there",
		    msg_name(m->type));
	return channel_say(to, m, f);
}

static struct reply *
house_trustroots(void *arg)
{
	struct house *house = arg;

	return roots_reply(house->roots);
}

static void
house_served(void *arg)
{
	struct house *house = arg;

	house->role->served++;
}

/* Which guest a message is for, by the number that each of them carries. */
static uint32_t
connection_of(const struct msg *m)
{
	/* Exhaustive over what may be said to the front end: the codec lets
	 * nothing else through. */
	if (m->type == MSG_AUTH_OFFER)
		return m->auth_offer.connection;
	if (m->type == MSG_AUTH_MORE)
		return m->auth_more.connection;
	if (m->type == MSG_AUTH_YES)
		return m->auth_yes.connection;
	if (m->type == MSG_AUTH_NO)
		return m->auth_no.connection;
	return m->sign_done.connection;
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct house *house = arg;
	struct guest *guest = crowd_find(house->crowd, connection_of(m));

	(void)ch;
	if (fd >= 0)
		(void)close(fd);
	/* He may have left meanwhile. */
	if (guest != NULL)
		guest_heard(guest, m);
}

/* Turned away: told once a second, or an attack would fill the log. */
static void
tell_capped(struct house *house, int fd, const struct fault *f)
{
	char peer[NET_NAME_SIZE];
	int64_t now = clock_mono();

	house->capped++;
	if (now - house->cap_told < CAPPED_MS)
		return;
	house->cap_told = now;
	net_peer(fd, peer);
	LOG(CONNECTION_CAPPED, LOG_TEXT("peer", peer),
	    LOG_TEXT("limit", f->text), LOG_NUMBER("count", house->capped));
	house->capped = 0;
}

static void
somebody(void *arg, int fd, const struct sockaddr *from)
{
	struct house *house = arg;
	struct fault f = { 0 };

	if (guest_enter(house, fd, from, &f) == 0)
		return;
	if (f.code == FAULT_BUSY)
		tell_capped(house, fd, &f);
	else
		log_fault(&f, NULL);
	(void)close(fd);
}

void
house_left(struct house *house)
{
	door_resume(house->door);
	if (house->draining && crowd_count(house->crowd) == 0)
		role_drained(house->role);
}

/* The identities of the configuration, each chain completed from the trust
 * directory up to its root, which clients that bootstrap need. */
static struct tls_server *
make_tls(struct role *role, struct roots *roots, struct fault *f)
{
	struct buf chain[IDENTITIES] = { BUF(CHAIN_MAX), BUF(CHAIN_MAX),
		BUF(CHAIN_MAX), BUF(CHAIN_MAX) };
	struct tls_identity ids[IDENTITIES] = { 0 };
	size_t count = role->conf.tls_certificate.count;
	const char *ciphers = role->conf.tls_ciphers;
	struct tls_server *tls = NULL;
	bool good = count <= IDENTITIES;
	char name[64];

	if (!good)
		(void)fault_set(f, FAULT_CONFIG,
		    "more than %d tls-certificate lines", IDENTITIES);
	for (size_t i = 0; good && i < count; i++) {
		struct wire_bytes cert;

		snprintf(name, sizeof(name), "tls.%zu.key", i);
		ids[i].key_pem = role_text(role, name);
		snprintf(name, sizeof(name), "tls.%zu.cert", i);
		cert = role_text(role, name);
		buf_put(&chain[i], cert.data, cert.len);
		good = roots_complete(roots, &chain[i], f) == 0;
		ids[i].chain_pem =
		    (struct wire_bytes){ chain[i].data, chain[i].len };
	}
	if (good)
		tls = tls_server_new(ids, count,
		    *ciphers != '\0' ? ciphers : NULL, f);
	for (size_t i = 0; i < IDENTITIES; i++)
		buf_free(&chain[i]);
	return tls;
}

/* The keys are in TLS's hands; their text need not stay. */
static void
forget_keys(struct role *role)
{
	char name[64];

	for (size_t i = 0; i < role->conf.tls_key.count; i++) {
		snprintf(name, sizeof(name), "tls.%zu.key", i);
		role_forget(role, name);
	}
}

/* Who does not read our last word is seen off by his own timer. */
static void
dismiss_all(void *arg, void *guest)
{
	(void)arg;
	guest_dismiss(guest, true);
}

static void
dismiss_silent(void *arg, void *guest)
{
	(void)arg;
	guest_dismiss(guest, false);
}

static void
drain_over(void *arg)
{
	struct house *house = arg;

	crowd_each(house->crowd, dismiss_all, NULL);
}

static void
look_again(void *arg, void *guest)
{
	(void)arg;
	guest_again(guest);
}

static void
roots_news(void *arg)
{
	struct house *house = arg;

	crowd_each(house->crowd, look_again, NULL);
}

static void
set_roots(struct roots *roots, const struct signetd_conf *conf)
{
	roots_serve(roots, conf->serve_trustroots);
	roots_demand(roots,
	    trust_flags(conf->crl_required, conf->legacy_proxies,
		conf->draft_proxies));
}

static struct roots *
get_roots(struct house *house, struct fault *f)
{
	const struct role *role = house->role;
	OWN_STRUCT(roots) roots =
	    roots_new(role->conf.trust_dir, role->conf.serve_trustroots, f);

	if (roots == NULL ||
	    roots_attend(roots, role->loop, roots_news, house, f) < 0)
		return NULL;
	set_roots(roots, &role->conf);
	return TAKE(roots);
}

static int
start(struct role *role, struct fault *f)
{
	struct house *house = role->state;

	house->visits = (struct visit_house){ house, house_say,
		house_trustroots, house_served };
	house->crowd = crowd_new((size_t)role->conf.max_connections,
	    (size_t)role->conf.max_per_address, f);
	house->roots = get_roots(house, f);
	house->door = door_new(role->loop, somebody, house, f);
	house->drain_timer = loop_timer_new(role->loop, drain_over, house, f);
	if (house->crowd == NULL || house->roots == NULL ||
	    house->door == NULL || house->drain_timer == NULL ||
	    (house->tls = make_tls(role, house->roots, f)) == NULL)
		return -1;
	forget_keys(role);
	return 0;
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct house *house = role->state;
	struct channel **slot = NULL;

	if (text_starts(name, "listen."))
		return door_add(house->door, fd, f);
	if (strcmp(name, msg_role_name(MSG_ROLE_AUTH)) == 0)
		slot = &house->auth;
	else if (strcmp(name, msg_role_name(MSG_ROLE_ISSUER)) == 0)
		slot = &house->issuer;
	if (slot == NULL || *slot != NULL) {
		(void)close(fd);
		return fault_set(f, FAULT_INTERNAL, "no use for %s", name);
	}
	*slot = role_channel(role, name, fd, heard, NULL, house, f);
	return *slot != NULL ? 0 : -1;
}

static int
reload(struct role *role, struct fault *f)
{
	struct house *house = role->state;
	OWN_STRUCT(tls_server) tls = NULL;

	/* What is in the directory holds in any case: within a second it would
	 * have been seen without our being told. */
	if (roots_renew(house->roots, role->conf.trust_dir, f) < 0 ||
	    (tls = make_tls(role, house->roots, f)) == NULL)
		return -1;
	forget_keys(role);
	set_roots(house->roots, &role->conf);
	tls_server_free(house->tls);
	house->tls = TAKE(tls);
	crowd_bounds(house->crowd, (size_t)role->conf.max_connections,
	    (size_t)role->conf.max_per_address);
	return 0;
}

static void
drain(struct role *role)
{
	struct house *house = role->state;

	door_shut(house->door);
	house->draining = true;
	loop_timer_set(house->drain_timer, 1000 * role->conf.drain_timeout);
	if (crowd_count(house->crowd) == 0)
		role_drained(role);
	else
		crowd_each(house->crowd, dismiss_silent, NULL);
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_FRONT,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
		.drain = drain,
	};

	return role_main(argc, argv, &spec);
}
