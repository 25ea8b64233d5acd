/* The index of a text file that somebody else writes. */
#include "base/clock.h"
#include "base/fault.h"
#include "map/map_build.h"
#include "map/mapfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <string.h>

/* A map of that many bytes is no map. */
#define LIMIT ((size_t)1 << 34)

/* Add every line that counts; how many do not. */
static int
add_lines(struct mapfile *m, struct map_build *b, size_t *skipped,
    struct fault *f)
{
	OWN_MAPFILE_LINE(line);
	struct fault why = { 0 };
	int got;

	while ((got = mapfile_next(m, &line, &why)) != 0) {
		int added = 0;

		if (got < 0 && why.code != FAULT_INPUT) {
			*f = why;
			return -1;
		}
		if (got > 0)
			added = map_build_add(b, (const char *)line.dn.data,
			    &line.accounts, f);
		if (added < 0)
			return -1;
		*skipped += added == 0;
	}
	return 0;
}

static bool
same_text(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static uint64_t
next_seq(const char *path)
{
	struct fault none = { 0 };
	OWN_STRUCT(map_index) old = map_index_open(path, &none);
	struct map_index_head head = { 0 };

	if (old != NULL)
		map_index_head(old, &head);
	return (head.seq > (uint64_t)clock_wall() ? head.seq
						  : (uint64_t)clock_wall()) +
	    1;
}

int
map_index_of_text(const char *path, size_t *skipped, struct fault *f)
{
	OWN_STRUCT(map_build) b = map_build_new(LIMIT, f);
	OWN_STRUCT(mapfile) m = b != NULL ? mapfile_open(path, f) : NULL;
	struct map_index_head head = { .made = (int64_t)clock_wall() };
	struct stat before, after;
	size_t none = 0;

	if (m == NULL)
		return -1;
	if (stat(path, &before) < 0 || add_lines(m, b, &none, f) < 0 ||
	    stat(path, &after) < 0)
		return fault_wrap(f, "%s", path);
	if (!same_text(&before, &after))
		return fault_set(f, FAULT_BUSY,
		    "%s changed while it was read: try again", path);
	head.fresh = (int64_t)before.st_mtim.tv_sec;
	head.seq = next_seq(path);
	if (map_build_file(b, path, MAP_LAYOUT_INDEX, &head, &before, f) < 0)
		return -1;
	if (skipped != NULL)
		*skipped = none;
	return 0;
}
