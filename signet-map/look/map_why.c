/* Why a name may use what it may. */
#include "base/fault.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_print.h"

#include <stdio.h>
#include <string.h>

struct telling {
	struct map_world *w;
	const struct map_args *args;
	struct map_print_list list;
	json_t *steps;
	bool mapped;
	struct fault *f;
};

static json_t *
step_json(const struct maprule_step *s)
{
	return json_pack("{s:o,s:i,s:o,s:o,s:b}", "file",
	    map_print_text(s->path), "line", s->line, "what",
	    map_print_text(s->what), "text", map_print_text(s->text), "decides",
	    s->decides);
}

static void
tell(void *arg, const struct maprule_step *s)
{
	struct telling *t = arg;

	if (t->args->json) {
		(void)json_array_append_new(t->steps, step_json(s));
		return;
	}
	fputs(s->decides ? "* " : "  ", stdout);
	if (s->line > 0) {
		map_print_clean(s->path);
		printf(":%d: ", s->line);
	}
	map_print_clean(s->what);
	fputs(": ", stdout);
	map_print_clean(s->text);
	fputc('\n', stdout);
}

static int
why_service(void *arg, const struct maprule_service *s)
{
	struct telling *t = arg;
	struct map_world *w = t->w;
	int result;

	t->steps = json_array();
	if (!t->args->json)
		printf("%s\n", s->name);
	result = maprule_why(w->rules, w->roster, &w->host, s->name,
	    w->accounts, w->now, t->args->operand[0], tell, t, t->f);
	t->mapped = t->mapped || result > 0;
	if (t->args->json && result >= 0)
		map_print_item(&t->list,
		    json_pack("{s:o,s:b,s:o}", "service",
			map_print_text(s->name), "mapped", result > 0, "steps",
			json_incref(t->steps)));
	json_decref(t->steps);
	return result < 0 ? -1 : 0;
}

static int
why(const struct map_args *args, struct telling *t, struct fault *f)
{
	const struct maprule_service *s = NULL;
	int result = 0;

	if (args->count > 2 &&
	    (s = map_world_service(t->w, args->operand[2], f)) == NULL)
		return -1;
	map_print_begin(&t->list, args->json);
	if (s != NULL)
		result = why_service(t, s);
	else
		result =
		    maprule_services(t->w->rules, &t->w->host, why_service, t);
	map_print_end(&t->list, result >= 0);
	if (result < 0)
		return -1;
	return t->mapped ? 0 : fault_exit_status(FAULT_ABSENT);
}

int
map_why(const struct map_args *args, struct fault *f)
{
	const char *host = args->count > 1 ? args->operand[1] : NULL;
	struct map_world w = { 0 };
	struct telling t = { .w = &w, .args = args, .f = f };
	int result;

	/* "-" stands for this host, so that a service can be named. */
	if (host != NULL && strcmp(host, "-") == 0)
		host = NULL;
	result = map_world_open(&w, args,
	    MAP_WORLD_RULES | MAP_WORLD_ROSTER | MAP_WORLD_ACCOUNTS, host, f);
	if (result == 0)
		result = why(args, &t, f);
	map_world_close(&w);
	return result;
}
