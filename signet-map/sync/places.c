#include "places.h"

#include "base/fault.h"
#include "base/text.h"
#include "map/map_index.h"
#include "mapper.h"

#include <sys/stat.h>

#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* A file that a service writes, and who. */
struct place {
	char path[PATH_MAX]; /* its directory without links */
	const char *service;
};

#define PER_SERVICE 3 /* text, index, delta */

struct places {
	const struct mapper *m;
	const struct maprule *rules;
	struct fault *f;
	size_t count;
	struct place place[PER_SERVICE * MAPPER_OUTS_MAX];
};

/* ${path} without links in its directory; as it is, if there is none. */
static int
canonical(const char *path, char out[PATH_MAX])
{
	char copy[PATH_MAX], base[PATH_MAX], real[PATH_MAX];

	if (text_copy(copy, sizeof(copy), path) < 0 ||
	    text_copy(base, sizeof(base), path) < 0)
		return -1;
	if (realpath(dirname(copy), real) == NULL)
		return text_copy(out, PATH_MAX, path);
	return text_fmt(out, PATH_MAX, "%s/%s",
	    strcmp(real, "/") == 0 ? "" : real, basename(base));
}

/* Whether ${path} is what ${place} would be put in the place of, or leads to
 * it. */
static bool
is_same(const struct place *place, const char *path)
{
	char other[PATH_MAX];
	struct stat a, b;

	if (canonical(path, other) == 0 && strcmp(place->path, other) == 0)
		return true;
	return lstat(place->path, &a) == 0 && stat(path, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* ${path} is needed for something else. */
static int
keep_off(const struct places *p, const char *path, const char *what)
{
	for (size_t i = 0; path != NULL && path[0] == '/' && i < p->count; i++)
		if (is_same(&p->place[i], path))
			return fault_set(p->f, FAULT_CONFIG,
			    "service %s would write %s, and that is %s",
			    p->place[i].service, p->place[i].path, what);
	return 0;
}

static int
take(struct places *p, const struct maprule_service *s, const char *suffix)
{
	struct place *place = &p->place[p->count];
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s%s", s->file, suffix) < 0 ||
	    canonical(path, place->path) < 0)
		return fault_set(p->f, FAULT_CONFIG,
		    "service %s: path too long", s->name);
	place->service = s->name;
	for (size_t i = 0; i < p->count; i++)
		if (is_same(&p->place[i], place->path))
			return fault_set(p->f, FAULT_CONFIG,
			    "services %s and %s would both write %s",
			    p->place[i].service, s->name, place->path);
	p->count++;
	return 0;
}

static int
take_service(void *arg, const struct maprule_service *s)
{
	struct places *p = arg;

	if (p->count + PER_SERVICE > sizeof(p->place) / sizeof(p->place[0]))
		return fault_set(p->f, FAULT_CONFIG,
		    "more than %d services on this host", MAPPER_OUTS_MAX);
	if (take(p, s, "") < 0)
		return -1;
	return s->index &&
		(take(p, s, MAP_INDEX_SUFFIX) < 0 ||
		    take(p, s, MAP_DELTA_SUFFIX) < 0)
	    ? -1
	    : 0;
}

/* Nothing is written among what is kept between runs. */
static int
check_state(const struct places *p)
{
	char state[PATH_MAX];
	size_t len;

	if (realpath(p->m->conf->state, state) == NULL)
		return 0;
	len = strlen(state);
	for (size_t i = 0; i < p->count; i++)
		if (strncmp(p->place[i].path, state, len) == 0 &&
		    p->place[i].path[len] == '/')
			return fault_set(p->f, FAULT_CONFIG,
			    "service %s: file %s is in the state directory",
			    p->place[i].service, p->place[i].path);
	return 0;
}

static int
check_sources(const struct places *p)
{
	for (size_t i = 0; i < maprule_source_count(p->rules); i++) {
		const struct roster_source_conf *s =
		    maprule_source_conf(p->rules, i);

		if (keep_off(p, s->path, "a source") < 0 ||
		    keep_off(p, s->ca_file, "what a source needs") < 0 ||
		    keep_off(p, s->password_file, "what a source needs") < 0)
			return -1;
	}
	return 0;
}

static int
check(struct places *p)
{
	struct maprule_words bans = maprule_bans_paths(p->rules);

	if (maprule_services(p->rules, &p->m->host, take_service, p) != 0 ||
	    check_state(p) < 0 || check_sources(p) < 0 ||
	    keep_off(p, p->m->conf->rules, "the rules") < 0 ||
	    keep_off(p, p->m->conf->metrics, "the metrics") < 0)
		return -1;
	for (size_t i = 0; i < bans.count; i++)
		if (keep_off(p, bans.word[i], "a bans file") < 0)
			return -1;
	return 0;
}

int
places_check(const struct mapper *m, const struct maprule *rules,
    struct fault *f)
{
	struct places *p = calloc(1, sizeof(*p));
	int result;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "places");
	p->m = m;
	p->rules = rules;
	p->f = f;
	result = check(p);
	free(p);
	return result < 0 ? fault_wrap(f, "%s", m->conf->rules) : 0;
}
