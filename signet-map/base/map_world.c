#include "signet-map/base/map_world.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "maprule/maprule_accounts.h"
#include "roster/roster_source.h"
#include "roster/roster_state.h"
#include "signet-map/base/map_host.h"

#include <string.h>

#define PASSWD_MAX ((size_t)1 << 28)

static int
open_host(struct map_world *w, const struct map_args *args, const char *host,
    struct fault *f)
{
	if (host == NULL)
		host = args->host;
	if (host == NULL && args->address.count > 0)
		return fault_set(f, FAULT_USAGE,
		    "--address is about another host: which one?");
	if (host == NULL)
		return map_host_this(&w->conf, &w->host, &w->words, f);
	return map_host_named(host, &args->address, &w->host, &w->words, f);
}

static int
open_accounts(struct map_world *w, const struct map_args *args,
    const char *host, struct fault *f)
{
	OWN_BUF(text, PASSWD_MAX);

	if (args->passwd == NULL && (host != NULL || args->host != NULL))
		return 0;
	if (args->passwd == NULL) {
		w->accounts = maprule_accounts_open(f);
		return w->accounts == NULL ? -1 : 0;
	}
	if (file_read(args->passwd, &text, f) < 0)
		return -1;
	w->accounts =
	    maprule_accounts_read((const char *)text.data, text.len, f);
	return w->accounts == NULL ? fault_wrap(f, "%s", args->passwd) : 0;
}

/* Rules name sources that nobody has read yet: they are empty then. */
static int
open_roster(struct map_world *w, const struct map_args *args, struct fault *f)
{
	char path[MAP_PATH_SIZE];

	if (map_conf_state(&w->conf, MAP_STATE_ROSTER, path, f) < 0)
		return -1;
	w->roster = roster_load(args->roster != NULL ? args->roster : path, f);
	if (w->roster != NULL)
		return 0;
	if (f->code == FAULT_ABSENT)
		return fault_set(f, FAULT_ABSENT,
		    "%s: sync has kept nothing yet: run signet-map sync --once",
		    args->roster != NULL ? args->roster : path);
	return -1;
}

int
map_world_open(struct map_world *w, const struct map_args *args,
    unsigned wanted, const char *host, struct fault *f)
{
	*w = (struct map_world){ .now = clock_wall() };
	if (args->at != NULL && cmd_date(args->at, "--at", &w->now, f) < 0)
		return -1;
	if (map_conf_open(args->config, &w->conf, f) < 0)
		return -1;
	if ((wanted & MAP_WORLD_RULES) == 0)
		return 0;
	w->rules =
	    maprule_open(args->rules != NULL ? args->rules : w->conf.rules, f);
	if (w->rules == NULL || open_host(w, args, host, f) < 0)
		return -1;
	if ((wanted & MAP_WORLD_ROSTER) != 0 && open_roster(w, args, f) < 0)
		return -1;
	return (wanted & MAP_WORLD_ACCOUNTS) != 0
	    ? open_accounts(w, args, host, f)
	    : 0;
}

int
map_world_accounts(struct map_world *w, const struct map_args *args,
    struct fault *f)
{
	*w = (struct map_world){ .now = clock_wall() };
	return open_accounts(w, args, NULL, f);
}

void
map_world_close(struct map_world *w)
{
	maprule_accounts_free(w->accounts);
	roster_free(w->roster);
	maprule_free(w->rules);
	buf_free(&w->words);
}

struct nearest {
	const char *name;
	const struct maprule_service *found;
	const char *best;
	int away;
};

static int
look(void *arg, const struct maprule_service *s)
{
	struct nearest *n = arg;
	int away = text_distance(n->name, s->name);

	if (away < n->away) {
		n->away = away;
		n->best = s->name;
	}
	if (away != 0)
		return 0;
	n->found = s;
	return 1;
}

const struct maprule_service *
map_world_service(const struct map_world *w, const char *name, struct fault *f)
{
	struct nearest n = { .name = name, .away = 4 };

	if (maprule_services(w->rules, &w->host, look, &n) != 0)
		return n.found;
	if (n.best == NULL)
		(void)fault_set(f, FAULT_ABSENT,
		    "%s has no service %.64s for this host",
		    maprule_path(w->rules), name);
	else
		(void)fault_set(f, FAULT_ABSENT,
		    "%s has no service %.64s for this host; did you mean %s?",
		    maprule_path(w->rules), name, n.best);
	return NULL;
}

int
map_world_file(struct map_world *w, const struct map_args *args,
    char path[MAP_PATH_SIZE], struct fault *f)
{
	const struct maprule_service *s;
	const char *file = args->map != NULL ? args->map : MAP_FILE;

	if (args->map != NULL && args->service != NULL)
		return fault_set(f, FAULT_USAGE,
		    "--map and --service both say which file");
	if (args->service != NULL) {
		if ((s = map_world_service(w, args->service, f)) == NULL)
			return -1;
		file = s->file;
	}
	if (text_copy(path, MAP_PATH_SIZE, file) < 0)
		return fault_set(f, FAULT_USAGE, "the path is too long");
	return 0;
}
