/* Who could use which account when. */
#include "base/clock.h"
#include "base/fault.h"
#include "map/map_book.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_conf.h"
#include "signet-map/look/map_print.h"

#include <inttypes.h>
#include <stdio.h>

static int
history_path(const struct map_args *args, char path[MAP_PATH_SIZE],
    struct fault *f)
{
	struct map_conf conf;

	if (map_conf_open(args->config, &conf, f) < 0)
		return -1;
	return map_conf_state(&conf, MAP_STATE_HISTORY, path, f);
}

static json_t *
entry_json(const struct map_book_entry *e)
{
	return json_pack("{s:o,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "time",
	    map_print_time(e->when), "change",
	    e->sign == '-'	 ? "gone"
		: e->sign == '*' ? "default"
				 : "new",
	    "service", map_print_text(e->service), "name",
	    map_print_text(e->name), "account", map_print_text(e->account),
	    "rule", map_print_text(e->rule), "source",
	    map_print_text(e->source), "entry", map_print_text(e->entry),
	    "reason", map_print_text(e->reason));
}

static int
print_entry(void *arg, const struct map_book_entry *e)
{
	struct map_print_list *list = arg;
	char when[CLOCK_TEXT_SIZE];

	if (list->json) {
		map_print_item(list, entry_json(e));
		return 0;
	}
	clock_text(e->when, when);
	printf("%s %c %s \"", when, e->sign, e->service);
	map_print_clean(e->name);
	fputs("\" ", stdout);
	map_print_clean(e->account);
	printf(" by %s of %s (", e->rule, e->source);
	map_print_clean(e->entry);
	fputc(')', stdout);
	if (*e->reason != '\0') {
		fputs(": ", stdout);
		map_print_clean(e->reason);
	}
	fputc('\n', stdout);
	return 0;
}

int
map_history(const struct map_args *args, struct fault *f)
{
	struct map_book_filter filter = { .name = args->dn,
		.account = args->account,
		.service = args->service };
	struct map_print_list list;
	char path[MAP_PATH_SIZE];
	time_t at;
	int result;

	if (args->at != NULL && (args->since != NULL || args->until != NULL))
		return fault_set(f, FAULT_USAGE,
		    "--at is one moment, --since and --until are many");
	if (cmd_date(args->at, "--at", &at, f) < 0 ||
	    cmd_date(args->since, "--since", &filter.since, f) < 0 ||
	    cmd_date(args->until, "--until", &filter.until, f) < 0 ||
	    history_path(args, path, f) < 0)
		return -1;
	map_print_begin(&list, args->json);
	result = args->at != NULL
	    ? map_book_at(path, &filter, at, print_entry, &list, f)
	    : map_book_each(path, &filter, print_entry, &list, f);
	map_print_end(&list, result >= 0);
	return result;
}

int
map_history_check(const struct map_args *args, struct fault *f)
{
	char path[MAP_PATH_SIZE];
	struct map_book_sum sum;

	if (history_path(args, path, f) < 0 ||
	    map_book_check(path, &sum, f) < 0)
		return -1;
	if (args->json) {
		map_print_json(json_pack("{s:I,s:s,s:o,s:o,s:I}", "entries",
		    (json_int_t)sum.entries, "head", sum.head, "first",
		    map_print_time(sum.first), "last", map_print_time(sum.last),
		    "torn", (json_int_t)sum.torn));
		return 0;
	}
	printf("%" PRIu64 " entries, whole\nhead %s\n", sum.entries, sum.head);
	if (sum.torn > 0)
		printf("%zu bytes behind the last line were being written by "
		       "somebody who was stopped, or still is\n",
		    sum.torn);
	return 0;
}
