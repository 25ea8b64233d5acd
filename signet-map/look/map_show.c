/* A map in one form; the rules as they are understood; an index made. */
#include "base/fault.h"
#include "map/map_index.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_print.h"
#include "signet-map/look/map_whole.h"

#include <stdio.h>
#include <string.h>

#define DUMP_LIMIT ((size_t)1 << 28)

static json_t *
split_json(const char *accounts)
{
	OWN_MAP_ACCOUNTS(list);

	map_accounts_split(&list,
	    (struct wire_bytes){ (const uint8_t *)accounts, strlen(accounts) });
	return map_print_accounts(&list);
}

static void
print_whole(const struct map_whole *m, bool json)
{
	struct map_print_list list;

	map_print_begin(&list, json);
	for (size_t i = 0; i < m->count; i++) {
		if (json) {
			map_print_item(&list,
			    json_pack("{s:o,s:o}", "name",
				map_print_text(map_whole_name(m, i)),
				"accounts",
				split_json(map_whole_accounts(m, i))));
			continue;
		}
		fputc('"', stdout);
		map_print_clean(map_whole_name(m, i));
		fputs("\" ", stdout);
		map_print_clean(map_whole_accounts(m, i));
		fputc('\n', stdout);
	}
	map_print_end(&list, true);
}

int
map_show(const struct map_args *args, struct fault *f)
{
	unsigned wanted = args->service != NULL ? MAP_WORLD_RULES : 0;
	char path[MAP_PATH_SIZE];
	struct map_world w = { 0 };
	struct map_whole m;
	int result = map_world_open(&w, args, wanted, NULL, f);

	map_whole_init(&m);
	if (result == 0)
		result = map_world_file(&w, args, path, f);
	if (result == 0)
		result = map_whole_read(&m, path, args->text, f);
	if (result == 0)
		print_whole(&m, args->json);
	map_whole_free(&m);
	map_world_close(&w);
	return result;
}

int
map_rules(const struct map_args *args, struct fault *f)
{
	struct map_world w = { 0 };
	OWN_BUF(text, DUMP_LIMIT);
	int result = map_world_open(&w, args, MAP_WORLD_RULES, NULL, f);

	if (result == 0) {
		maprule_dump(w.rules, &text);
		(void)fwrite(text.data, 1, text.len, stdout);
		if (text.failed)
			result = fault_set(f, FAULT_MEMORY,
			    "no memory for the rules");
	}
	map_world_close(&w);
	return result;
}

int
map_compile(const struct map_args *args, struct fault *f)
{
	const char *path = args->operand[0];
	size_t skipped = 0;

	if (map_index_of_text(path, &skipped, f) < 0)
		return fault_wrap(f, "%s", path);
	if (args->json)
		map_print_json(json_pack("{s:o,s:I}", "map",
		    map_print_text(path), "skipped", (json_int_t)skipped));
	else if (skipped > 0)
		fprintf(stderr,
		    "signet-map: %zu lines of %s are of no account: see "
		    "signet-map check %s\n",
		    skipped, path, path);
	return 0;
}
