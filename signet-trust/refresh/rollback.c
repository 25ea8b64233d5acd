/* Back to an earlier state of the directory, and which there are. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "refresh.h"
#include "signet-trust/base/trust_args.h"

#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#define LOCK_WAIT_MS 30000

static struct house *
open_house(const struct trust_conf *c, bool look, struct fault *f)
{
	const struct house_options options = {
		.file_mode = c->file_mode,
		.owned = c->owned,
		.uid = c->uid,
		.gid = c->gid,
		.keep = (unsigned)c->generations,
		.look = look,
		.wait_ms = LOCK_WAIT_MS,
	};

	return house_open(c->target, &options, f);
}

/* Changes on their way to the list of a run. */
struct taking {
	struct refresh *run;
	struct fault *f;
	int result;
};

static void
take_change(void *arg, const struct house_note *note)
{
	struct taking *t = arg;

	if (note->what != HOUSE_FOREIGN && t->result == 0)
		t->result = refresh_note(t->run, note, t->f);
}

static int
go_back(struct refresh *r, int number, struct fault *f)
{
	struct taking taking = { r, f, 0 };

	if (house_rollback(r->house, number, f) < 0 ||
	    house_compare(r->house, take_change, &taking, f) < 0 ||
	    taking.result < 0)
		return -1;
	return house_commit(r->house, &r->changed, f);
}

static void
tell_json(const struct refresh *r, const struct fault *after)
{
	json_t *changes = json_array();
	char target[CONF_STRING_SIZE];
	json_t *all;

	for (size_t i = 0; i < r->changes.count; i++)
		(void)json_array_append_new(changes,
		    json_string(r->changes.item[i]));
	memcpy(target, r->world->conf.target, sizeof(target));
	text_clean(target);
	all = json_pack("{s:s,s:b,s:o}", "target", target, "changed",
	    r->changed, "changes", changes);
	if (all == NULL)
		return;
	if (after != NULL)
		(void)json_object_set_new(all, "error", refresh_error(after));
	(void)json_dumpf(all, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(all);
}

static void
tell(const struct refresh *r, const struct trust_args *args)
{
	for (size_t i = 0; i < r->changes.count && !args->quiet; i++)
		printf("%s\n", r->changes.item[i]);
	if (!args->quiet && r->changed)
		fprintf(stderr,
		    "signet-trust: the next refresh brings the directory up to "
		    "date again: if a description is at fault, mend or disable "
		    "it first\n");
}

/* What the operand says; -1: the state before this one. */
static int
read_number(const struct trust_args *args, int *number, struct fault *f)
{
	int64_t value = -1;

	if (args->count > 0 &&
	    text_number(args->operand[0], 0, INT32_MAX, &value) < 0)
		return fault_set(f, FAULT_USAGE,
		    "%s is not the number of a state: see signet-trust "
		    "generations",
		    args->operand[0]);
	*number = (int)value;
	return 0;
}

static int
rollback(struct trust_world *world, const struct trust_args *args,
    struct fault *f)
{
	struct refresh r = { .world = world };
	int number, result;

	if (read_number(args, &number, f) < 0 ||
	    trust_world_settings(world, args, f) < 0 ||
	    (r.house = open_house(&world->conf, false, f)) == NULL)
		return -1;
	(void)signal(SIGPIPE, SIG_IGN);
	result = go_back(&r, number, f);
	if (result == 0 && !args->json)
		tell(&r, args);
	if (result == 0 && (result = refresh_after(&r, false, f)) < 0 &&
	    args->json) {
		tell_json(&r, f);
		result = refresh_complain(&r, f);
	} else if (result == 0 && args->json) {
		tell_json(&r, NULL);
	}
	refresh_close(&r);
	return result;
}

int
trust_rollback(const struct trust_args *args, struct fault *f)
{
	struct trust_world world = { .old = false };
	int result = rollback(&world, args, f);

	trust_world_close(&world);
	return result;
}

static void
show_line(void *arg, const struct house_generation *g)
{
	char made[CLOCK_TEXT_SIZE] = "-";

	(void)arg;
	if (g->made > 0)
		clock_text(g->made, made);
	if (g->ours)
		printf("%6u  %-20s  %5zu files%s\n", g->number, made, g->files,
		    g->current ? "  (current)" : "");
	else
		printf("%6u  %-20s  not made by signet-trust%s\n", g->number,
		    made, g->current ? "  (current)" : "");
}

static void
show_json(void *arg, const struct house_generation *g)
{
	json_t *one = json_pack("{s:i,s:b,s:b,s:I,s:I}", "generation",
	    (int)g->number, "current", g->current, "ours", g->ours, "made",
	    (json_int_t)g->made, "files", (json_int_t)g->files);

	if (one != NULL)
		(void)json_array_append_new(arg, one);
}

static int
show_all(struct house *h, bool json, struct fault *f)
{
	json_t *all;
	int result;

	if (!json)
		return house_generations(h, show_line, NULL, f);
	all = json_array();
	result = house_generations(h, show_json, all, f);
	if (result == 0) {
		(void)json_dumpf(all, stdout, JSON_COMPACT);
		fputc('\n', stdout);
	}
	json_decref(all);
	return result;
}

int
trust_generations(const struct trust_args *args, struct fault *f)
{
	struct trust_world world = { .old = false };
	struct house *h = NULL;
	int result = trust_world_settings(&world, args, f);

	if (result == 0 && (h = open_house(&world.conf, true, f)) == NULL)
		result = -1;
	if (result == 0)
		result = show_all(h, args->json, f);
	house_close(h);
	trust_world_close(&world);
	return result;
}
