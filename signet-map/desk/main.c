/* signet-map-desk: takes the requests of this host's users.  Started by
 * `signet-map desk`; see signet-map(8). */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/text.h"
#include "desk_args.h"
#include "map_desk.h"
#include "signet-map/base/map_user.h"
#include "sys/net.h"
#include "sys/notify.h"
#include "sys/sandbox.h"
#include "trust/verify.h"
#include "x509/ossl.h"

#include <sys/socket.h>

#include <jansson.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOG_ALL 6
#define TICK_MS 1000
#define TURN 8 /* connections taken before others have a chance */
#define SPARE_FILES 64

/* What name services read when they are asked. */
static const char *const read_paths[] = { "/etc", "/usr/lib", "/usr/share",
	"/lib", "/lib64", "/run/nscd", "/var/lib/sss", "/run/systemd",
	"/var/lib/extrausers", "/proc/self" };

#define READ_PATHS (sizeof(read_paths) / sizeof(read_paths[0]))

/* The log is open already; only certificates and accounts are read from now
 * on.  Another trust directory may take the place of the one there is. */
static int
raise_walls(const struct map_conf *conf, struct fault *f)
{
	struct sandbox box = { .promises = SANDBOX_PROMISE(STDIO) |
		    SANDBOX_PROMISE(ACCEPT) | SANDBOX_PROMISE(RPATH) |
		    SANDBOX_PROMISE(WPATH) | SANDBOX_PROMISE(LOCAL) |
		    SANDBOX_PROMISE(LIBRARIES),
		.files = DESK_CALLERS + SPARE_FILES };
	char copy[CONF_STRING_SIZE];
	size_t n = 0, seed = 0;

	rand_bytes(&seed, sizeof(seed));
	json_object_seed(seed | 1);
	/* Every name service is asked once, and so is loaded. */
	(void)getpwnam("/");
	for (; n < READ_PATHS; n++)
		box.paths[n].path = read_paths[n];
	box.paths[n++].path = conf->trust;
	if (text_copy(copy, sizeof(copy), conf->trust) == 0 &&
	    strchr(copy + 1, '/') != NULL)
		box.paths[n++].path = dirname(copy);
	if (conf->user[0] != '\0' &&
	    sandbox_user(conf->user, &box.uid, &box.gid, f) < 0)
		return -1;
	return sandbox_enter(&box, f);
}

static void
complain(void *arg, const char *file, const struct fault *f)
{
	(void)arg;
	LOG(TRUST_FAULT, LOG_TEXT("file", file), LOG_TEXT("text", f->text));
}

static void
somebody(void *arg, int fd, unsigned what)
{
	struct map_desk *desk = arg;

	(void)what;
	for (int i = 0; i < TURN; i++) {
		int conn =
		    accept4(fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (conn < 0)
			return;
		caller_enter(desk, conn);
	}
}

static void
tick(void *arg)
{
	struct map_desk *desk = arg;

	callers_tick(desk, clock_mono());
	loop_timer_set(desk->tick, TICK_MS);
}

static void
stop(void *arg, int signo)
{
	(void)signo;
	loop_stop(arg);
}

static int
serve(struct map_desk *desk, int door, struct fault *f)
{
	struct loop_signal *term = NULL, *interrupt = NULL;
	int result = -1;

	if ((desk->loop = loop_new(f)) == NULL)
		return -1;
	if ((desk->door = loop_watch_new(desk->loop, door, LOOP_READ, somebody,
		 desk, f)) != NULL &&
	    (desk->tick = loop_timer_new(desk->loop, tick, desk, f)) != NULL &&
	    (term = loop_signal_new(desk->loop, SIGTERM, stop, desk->loop,
		 f)) != NULL &&
	    (interrupt = loop_signal_new(desk->loop, SIGINT, stop, desk->loop,
		 f)) != NULL &&
	    raise_walls(&desk->conf, f) == 0) {
		loop_timer_set(desk->tick, TICK_MS);
		notify_send("READY=1");
		LOG(STARTED, LOG_TEXT("listen", desk->conf.desk_socket));
		result = loop_run(desk->loop, f);
		notify_send("STOPPING=1");
		LOG(STOPPED, LOG_TEXT("listen", desk->conf.desk_socket));
	}
	callers_tick(desk, INT64_MAX);
	loop_signal_free(term);
	loop_signal_free(interrupt);
	loop_timer_free(desk->tick);
	loop_watch_free(desk->door);
	loop_free(desk->loop);
	return result;
}

int
desk_desk(const struct desk_args *args, struct fault *f)
{
	struct map_desk *desk = calloc(1, sizeof(*desk));
	int door = -1, result = -1;

	if (desk == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for the desk");
	log_open("map-desk", LOG_ALL);
	if (map_conf_open(args->config, &desk->conf, f) == 0 &&
	    ossl_start_alone(f) == 0 &&
	    (door = net_listen_local(desk->conf.desk_socket, f)) >= 0 &&
	    map_user_become(&desk->conf, f) == 0 &&
	    (desk->trust = trust_load(desk->conf.trust, true, complain, NULL,
		 f)) != NULL &&
	    (desk->clerk = clerk_new(&desk->conf, f)) != NULL) {
		trust_demand(desk->trust,
		    trust_flags(desk->conf.crl_required, false, false));
		result = serve(desk, door, f);
	}
	clerk_free(desk->clerk);
	trust_free(desk->trust);
	if (door >= 0)
		(void)close(door);
	free(desk);
	return result;
}

int
main(int argc, char **argv)
{
	return cmd_main(&desk_program, argc, argv);
}
