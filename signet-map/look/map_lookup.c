/* From a name to its accounts, and back. */
#include "base/fault.h"
#include "map/gridmap.h"
#include "map/map_name.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_print.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define NAME_LIMIT ((size_t)1 << 20)

/* ---- proxies */

/* Whether ${cn}, the last of a name, is one that a proxy adds: RFC 3820 3.4
 * leaves it open, and who makes them takes a number; before it, these two. */
static bool
is_proxy_cn(const char *cn)
{
	return strcasecmp(cn, "proxy") == 0 ||
	    strcasecmp(cn, "limited proxy") == 0 ||
	    (*cn != '\0' && cn[strspn(cn, "0123456789")] == '\0');
}

/* Cut what proxies have added off the end of ${name}. */
static void
cut_proxies(char *name)
{
	for (;;) {
		char *slash = strrchr(name, '/');

		if (slash == NULL || slash == name ||
		    strncasecmp(slash, "/CN=", 4) != 0 ||
		    !is_proxy_cn(slash + 4))
			return;
		*slash = '\0';
	}
}

/* ---- whom to ask */

struct source {
	struct gridmap *map; /* or the text alone */
	struct mapfile *text;
	enum mapfile_sense sense;
	const char *from;
};

static void
source_close(struct source *s)
{
	gridmap_free(s->map);
	mapfile_free(s->text);
}

static int
source_open(struct source *s, const struct map_args *args, const char *path,
    struct fault *f)
{
	*s = (struct source){ .from = "text",
		.sense = args->gct ? MAPFILE_GCT : MAPFILE_OURS };
	if (args->gct || args->text) {
		s->text = mapfile_open(path, f);
		return s->text == NULL ? -1 : 0;
	}
	if ((s->map = gridmap_open(path, f)) == NULL)
		return -1;
	if (gridmap_without_index(s->map) == NULL)
		s->from = "index";
	return 0;
}

static int
find(struct source *s, const char *name, struct map_accounts *accounts,
    struct fault *f)
{
	return s->map != NULL
	    ? gridmap_find(s->map, name, accounts, f)
	    : mapfile_find(s->text, s->sense, name, accounts, f);
}

static int
open_map(const struct map_args *args, struct source *s,
    char path[MAP_PATH_SIZE], struct fault *f)
{
	struct map_world w = { 0 };
	unsigned wanted = args->service != NULL ? MAP_WORLD_RULES : 0;
	int result = map_world_open(&w, args, wanted, NULL, f);

	if (result == 0)
		result = map_world_file(&w, args, path, f);
	map_world_close(&w);
	return result < 0 ? -1 : source_open(s, args, path, f);
}

/* ---- lookup */

static void
print_accounts(const struct map_args *args, const char *name, const char *from,
    const char *path, const struct map_accounts *accounts)
{
	if (args->json) {
		map_print_json(json_pack("{s:o,s:o,s:s,s:o}", "name",
		    map_print_text(name), "accounts",
		    map_print_accounts(accounts), "from", from, "map",
		    map_print_text(path)));
		return;
	}
	for (size_t i = 0; i < accounts->count; i++) {
		map_print_clean(map_accounts_at(accounts, i));
		fputc('\n', stdout);
	}
}

static int
lookup(const struct map_args *args, struct source *s, const char *path,
    struct fault *f)
{
	OWN_MAP_ACCOUNTS(accounts);
	OWN(char) name = strdup(args->operand[0]);
	int found;

	if (name == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a name");
	if (args->proxy)
		cut_proxies(name);
	found = find(s, name, &accounts, f);
	if (found < 0)
		return fault_wrap(f, "%s", path);
	if (found == 0)
		return fault_set(f, FAULT_ABSENT, "%s is not in %s", name,
		    path);
	print_accounts(args, name, s->from, path, &accounts);
	return 0;
}

int
map_lookup(const struct map_args *args, struct fault *f)
{
	char path[MAP_PATH_SIZE];
	struct source s = { 0 };
	int result = open_map(args, &s, path, f);

	if (result == 0)
		result = lookup(args, &s, path, f);
	source_close(&s);
	return result;
}

/* ---- reverse */

struct names {
	const struct map_args *args;
	struct map_print_list list;
	bool defaults; /* those whose default it is; else the others */
	size_t count;
};

static int
print_name(void *arg, const char *dn, bool first)
{
	struct names *n = arg;

	if (first != n->defaults)
		return 0;
	n->count++;
	if (n->args->json) {
		map_print_item(&n->list,
		    json_pack("{s:o,s:b}", "name", map_print_text(dn),
			"default", first));
		return 0;
	}
	map_print_clean(dn);
	fputc('\n', stdout);
	return 0;
}

static int
each_of(struct source *s, const char *account, struct names *n, struct fault *f)
{
	if (s->map != NULL)
		return gridmap_each_of(s->map, account, print_name, n, f);
	mapfile_rewind(s->text);
	return mapfile_each_of(s->text, account, print_name, n, f);
}

static int
reverse(const struct map_args *args, struct source *s, const char *path,
    struct fault *f)
{
	struct names n = { .args = args, .defaults = true };
	int result;

	map_print_begin(&n.list, args->json);
	result = each_of(s, args->operand[0], &n, f);
	n.defaults = false;
	if (result == 0)
		result = each_of(s, args->operand[0], &n, f);
	map_print_end(&n.list, result >= 0);
	if (result < 0)
		return fault_wrap(f, "%s", path);
	if (n.count > 0 || args->json)
		return n.count > 0 ? 0 : fault_exit_status(FAULT_ABSENT);
	return fault_set(f, FAULT_ABSENT, "no name has %s in %s",
	    args->operand[0], path);
}

int
map_reverse(const struct map_args *args, struct fault *f)
{
	char path[MAP_PATH_SIZE];
	struct source s = { 0 };
	int result = open_map(args, &s, path, f);

	if (result == 0)
		result = reverse(args, &s, path, f);
	source_close(&s);
	return result;
}
