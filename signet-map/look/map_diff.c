/* What is otherwise in one map than in another, or would be. */
#include "base/fault.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_print.h"
#include "signet-map/look/map_whole.h"

#include <stdio.h>
#include <string.h>

struct comparing {
	const struct map_args *args;
	struct map_world *w;
	struct map_print_list list;
	const char *service; /* NULL: of two files */
	bool differs;
	struct fault *f;
};

static void
tell(struct comparing *c, const char *name, const char *was, const char *is)
{
	c->differs = true;
	if (c->args->json) {
		map_print_item(&c->list,
		    json_pack("{s:o,s:o,s:o,s:o}", "service",
			map_print_text(c->service), "name",
			map_print_text(name), "was", map_print_text(was), "is",
			map_print_text(is)));
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *accounts = i == 0 ? was : is;

		if (accounts == NULL)
			continue;
		fputs(i == 0 ? "- \"" : "+ \"", stdout);
		map_print_clean(name);
		fputs("\" ", stdout);
		map_print_clean(accounts);
		fputc('\n', stdout);
	}
}

/* What went or changed in the old order, then what is new in the new one. */
static int
compare(struct comparing *c, struct map_whole *was, struct map_whole *is)
{
	const char *other;

	for (size_t i = 0; i < was->count; i++) {
		const char *name = map_whole_name(was, i);
		const char *mine = map_whole_accounts(was, i);

		if (map_whole_find(is, name, &other, c->f) < 0)
			return -1;
		if (other == NULL || strcmp(mine, other) != 0)
			tell(c, name, mine, other);
	}
	for (size_t i = 0; i < is->count; i++) {
		const char *name = map_whole_name(is, i);

		if (map_whole_find(was, name, &other, c->f) < 0)
			return -1;
		if (other == NULL)
			tell(c, name, NULL, map_whole_accounts(is, i));
	}
	return 0;
}

static int
compare_files(struct comparing *c)
{
	struct map_whole was, is;
	int result;

	map_whole_init(&was);
	map_whole_init(&is);
	result = map_whole_read(&was, c->args->operand[0], false, c->f);
	if (result == 0)
		result = map_whole_read(&is, c->args->operand[1], false, c->f);
	if (result == 0)
		result = compare(c, &was, &is);
	map_whole_free(&was);
	map_whole_free(&is);
	return result;
}

/* ---- what a build would change */

struct putting {
	struct map_whole *m;
	struct fault *f;
};

static int
put_line(void *arg, const struct maprule_line *line)
{
	struct putting *p = arg;

	return map_whole_put(p->m, line->name, line->accounts, p->f);
}

static int
build(struct comparing *c, const char *service, struct map_whole *is)
{
	struct map_world *w = c->w;
	OWN_STRUCT(maprule_part) part = maprule_for(w->rules, w->roster,
	    &w->host, service, w->accounts, w->now, c->f);
	struct putting p = { is, c->f };
	const struct maprule_hear hear = { .line = put_line, .arg = &p };

	if (part == NULL)
		return -1;
	return maprule_build(part, &hear, NULL, c->f);
}

static int
compare_service(void *arg, const struct maprule_service *s)
{
	struct comparing *c = arg;
	struct map_whole was, is;
	int result;

	if (c->args->service != NULL && strcmp(c->args->service, s->name) != 0)
		return 0;
	c->service = s->name;
	map_whole_init(&was);
	map_whole_init(&is);
	result = map_whole_read(&was, s->file, false, c->f);
	/* A map that was never made: all of it is new. */
	if (result < 0 && c->f->code == FAULT_ABSENT)
		result = 0;
	if (result == 0)
		result = build(c, s->name, &is);
	if (result == 0)
		result = compare(c, &was, &is);
	map_whole_free(&was);
	map_whole_free(&is);
	return result;
}

static int
compare_builds(struct comparing *c)
{
	if (c->args->service != NULL &&
	    map_world_service(c->w, c->args->service, c->f) == NULL)
		return -1;
	return maprule_services(c->w->rules, &c->w->host, compare_service, c);
}

int
map_diff(const struct map_args *args, struct fault *f)
{
	struct map_world w = { 0 };
	struct comparing c = { .args = args, .w = &w, .f = f };
	int result;

	if (args->count == 1)
		return fault_set(f, FAULT_USAGE,
		    "two maps are compared, or none are named");
	result = args->count == 2
	    ? 0
	    : map_world_open(&w, args,
		  MAP_WORLD_RULES | MAP_WORLD_ROSTER | MAP_WORLD_ACCOUNTS, NULL,
		  f);
	if (result == 0) {
		map_print_begin(&c.list, args->json);
		result =
		    args->count == 2 ? compare_files(&c) : compare_builds(&c);
		map_print_end(&c.list, result >= 0);
	}
	map_world_close(&w);
	if (result < 0)
		return -1;
	return c.differs ? fault_exit_status(FAULT_FAILED) : 0;
}
