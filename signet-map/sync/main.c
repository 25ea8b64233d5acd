/* signet-map-sync: makes this host's maps, once or as long as it runs.  Started
 * by `signet-map sync`; see signet-map(8). */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon.h"
#include "hook.h"
#include "signet-map/base/map_host.h"
#include "signet-map/base/map_user.h"
#include "status.h"
#include "sync_args.h"
#include "sys/sandbox.h"
#include "walls.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LOG_ALL 6
#define LOG_TROUBLE 4
#define WORDS_MAX ((size_t)1 << 20)

static int
is_service(void *arg, const struct maprule_service *s)
{
	return strcmp(s->name, arg) == 0;
}

/* Whoever mistypes a service is told so: who runs only writes it down.  Rules
 * that cannot be read now say nothing against it; it may have older ones. */
static int
check_services(const struct map_conf *conf, const char *services,
    struct fault *f)
{
	OWN_BUF(words, WORDS_MAX);
	OWN_BUF(text, WORDS_MAX);
	OWN_STRUCT(maprule) rules = NULL;
	struct maprule_host host;
	struct fault unread = { 0 };
	char *name, *at = NULL;

	buf_text(&text, services);
	if (buf_cstr(&text) == NULL || strcmp(services, "*") == 0)
		return 0;
	if ((rules = maprule_open(conf->rules, &unread)) == NULL ||
	    map_host_this(conf, &host, &words, &unread) < 0)
		return 0;
	for (name = strtok_r((char *)text.data, " \n", &at); name != NULL;
	     name = strtok_r(NULL, " \n", &at))
		if (maprule_services(rules, &host, is_service, name) == 0)
			return fault_set(f, FAULT_ABSENT,
			    "%s has no service %.64s for this host",
			    conf->rules, name);
	return 0;
}

/* Left where the process that runs looks, or where we look in a moment. */
static int
leave_confirmation(const struct map_conf *conf, const char *services,
    struct fault *f)
{
	char path[MAP_PATH_SIZE];

	if (file_mkdir(conf->state, 0755, f) < 0 ||
	    map_conf_state(conf, MAP_STATE_CONFIRM, path, f) < 0)
		return -1;
	return file_write(path, 0600, services, strlen(services), f);
}

static int
run_once(struct mapper *m, int hook, const struct sync_args *args,
    struct fault *f)
{
	int result = once_run(m, hook, f);
	json_t *status;

	if (!args->json || (status = status_json(m, clock_wall())) == NULL)
		return result;
	(void)json_dumpf(status, stdout, JSON_INDENT(1));
	fputc('\n', stdout);
	json_decref(status);
	return result;
}

int
sync_sync(const struct sync_args *args, struct fault *f)
{
	const char *services =
	    args->confirm != NULL && strcmp(args->confirm, "all") == 0
	    ? "*"
	    : args->confirm;
	bool once = args->once || services != NULL;
	struct map_conf conf;
	OWN_STRUCT(mapper) m = NULL;
	OWN_STRUCT(walls) walls = NULL;
	int hook = -1;

	log_open("map", args->verbose || !once ? LOG_ALL : LOG_TROUBLE);
	if (map_conf_open(args->config, &conf, f) < 0 ||
	    map_user_become(&conf, f) < 0 ||
	    (services != NULL &&
		(check_services(&conf, services, f) < 0 ||
		    leave_confirmation(&conf, services, f) < 0)))
		return -1;
	/* Before anything is locked: who runs the hooks must not keep that. */
	if (hook_start(&conf, &hook, f) < 0)
		return -1;
	if ((m = mapper_open(&conf, f)) == NULL) {
		if (f->code != FAULT_BUSY || services == NULL)
			return -1;
		fprintf(stderr, "signet-map: the sync that runs is told\n");
		return 0;
	}
	if ((walls = walls_raise(m, f)) == NULL)
		return -1;
	return once ? run_once(m, hook, args, f)
		    : daemon_run(m, walls, hook, f);
}

int
main(int argc, char **argv)
{
	return cmd_main(&sync_program, argc, argv);
}
