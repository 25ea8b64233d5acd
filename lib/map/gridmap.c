#include "map/gridmap.h"

#include "base/fault.h"
#include "base/text.h"
#include "map/map_index.h"

#include <limits.h>
#include <string.h>

struct gridmap {
	char path[PATH_MAX];
	struct map_index *ix; /* NULL: the text is read */
	struct fault without; /* why */
};

/* See that the index is asked if there is a good one. */
static void
seek_index(struct gridmap *g)
{
	struct fault f = { 0 };

	if (g->ix == NULL) {
		g->ix = map_index_open(g->path, &f);
	} else if (map_index_fresh(g->ix, &f) < 0) {
		map_index_free(g->ix);
		g->ix = NULL;
	}
	if (g->ix == NULL)
		g->without = f;
}

static void
give_up_index(struct gridmap *g, const struct fault *why)
{
	map_index_free(g->ix);
	g->ix = NULL;
	g->without = *why;
}

struct gridmap *
gridmap_open(const char *path, struct fault *f)
{
	OWN_STRUCT(gridmap) g = calloc(1, sizeof(*g));

	if (g == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for a map");
		return NULL;
	}
	if (text_copy(g->path, sizeof(g->path), path) < 0) {
		(void)fault_set(f, FAULT_INPUT, "path too long");
		return NULL;
	}
	seek_index(g);
	if (g->ix == NULL) {
		OWN_STRUCT(mapfile) text = mapfile_open(path, f);

		if (text == NULL)
			return NULL;
	}
	return TAKE(g);
}

void
gridmap_free(struct gridmap *g)
{
	if (g == NULL)
		return;
	map_index_free(g->ix);
	free(g);
}

const struct fault *
gridmap_without_index(const struct gridmap *g)
{
	return g->ix == NULL ? &g->without : NULL;
}

int
gridmap_find(struct gridmap *g, const char *dn, struct map_accounts *accounts,
    struct fault *f)
{
	OWN_STRUCT(mapfile) text = NULL;
	struct fault why = { 0 };
	int found;

	seek_index(g);
	if (g->ix != NULL) {
		found = map_index_find(g->ix, dn, strlen(dn), accounts, &why);
		if (found >= 0)
			return found;
		give_up_index(g, &why);
	}
	if ((text = mapfile_open(g->path, f)) == NULL)
		return -1;
	return mapfile_find(text, MAPFILE_OURS, dn, accounts, f);
}

/* How many names were told of: a fault after the first cannot be mended by
 * another source. */
struct told {
	mapfile_name_fn *fn;
	void *arg;
	bool any;
};

static int
tell(void *arg, const char *dn, bool first)
{
	struct told *told = arg;

	told->any = true;
	return told->fn(told->arg, dn, first);
}

int
gridmap_each_of(struct gridmap *g, const char *account, mapfile_name_fn *fn,
    void *arg, struct fault *f)
{
	OWN_STRUCT(mapfile) text = NULL;
	struct told told = { fn, arg, false };
	struct fault why = { 0 };
	int said;

	seek_index(g);
	if (g->ix != NULL) {
		said = map_index_each_of(g->ix, account, tell, &told, &why);
		if (said >= 0 || told.any) {
			if (said < 0)
				*f = why;
			return said;
		}
		give_up_index(g, &why);
	}
	if ((text = mapfile_open(g->path, f)) == NULL)
		return -1;
	return mapfile_each_of(text, account, fn, arg, f);
}
