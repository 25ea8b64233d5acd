#include "signet-map/look/map_whole.h"

#include "base/fault.h"
#include "map/map_index.h"
#include "map/map_name.h"
#include "map/mapfile.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_LIMIT ((size_t)1 << 32)

void
map_whole_init(struct map_whole *m)
{
	*m = (struct map_whole){ .text = BUF(TEXT_LIMIT),
		.key = BUF(MAP_TEXT_MAX) };
	maprule_set_init(&m->keys);
}

void
map_whole_free(struct map_whole *m)
{
	maprule_set_free(&m->keys);
	free(m->entry);
	buf_free(&m->text);
	buf_free(&m->key);
}

const char *
map_whole_name(const struct map_whole *m, size_t i)
{
	return (const char *)m->text.data + m->entry[i].name;
}

const char *
map_whole_accounts(const struct map_whole *m, size_t i)
{
	return (const char *)m->text.data + m->entry[i].accounts;
}

static int
no_memory(struct fault *f)
{
	return fault_set(f, FAULT_MEMORY, "no memory for a map");
}

static int
make_key(struct map_whole *m, const char *name, struct fault *f)
{
	m->key.len = 0;
	map_name_key(name, strlen(name), &m->key);
	return m->key.failed ? no_memory(f) : 0;
}

int
map_whole_put(struct map_whole *m, const char *name, const char *accounts,
    struct fault *f)
{
	uint32_t had;

	if (make_key(m, name, f) < 0)
		return -1;
	if (maprule_set_find(&m->keys, m->key.data, m->key.len, &had))
		return 0;
	if (maprule_set_put(&m->keys, m->key.data, m->key.len,
		(uint32_t)m->count, f) < 0)
		return -1;
	if (m->count == m->room) {
		size_t room = m->room == 0 ? 256 : m->room * 2;
		struct map_whole_entry *more =
		    reallocarray(m->entry, room, sizeof(*more));

		if (more == NULL)
			return no_memory(f);
		m->entry = more;
		m->room = room;
	}
	m->entry[m->count].name = m->text.len;
	buf_put(&m->text, name, strlen(name) + 1);
	m->entry[m->count++].accounts = m->text.len;
	buf_put(&m->text, accounts, strlen(accounts) + 1);
	return m->text.failed ? no_memory(f) : 0;
}

int
map_whole_find(struct map_whole *m, const char *name, const char **accounts,
    struct fault *f)
{
	uint32_t number;

	if (make_key(m, name, f) < 0)
		return -1;
	*accounts = maprule_set_find(&m->keys, m->key.data, m->key.len, &number)
	    ? map_whole_accounts(m, number)
	    : NULL;
	return 0;
}

struct adding {
	struct map_whole *m;
	struct buf joined;
	struct fault *f;
};

static int
add(void *arg, const char *dn, const struct map_accounts *accounts)
{
	struct adding *a = arg;
	const char *joined;

	a->joined.len = 0;
	map_accounts_join(accounts, &a->joined);
	if ((joined = buf_cstr(&a->joined)) == NULL)
		return no_memory(a->f);
	return map_whole_put(a->m, dn, joined, a->f);
}

static int
read_text(struct adding *a, const char *path, struct fault *f)
{
	OWN_STRUCT(mapfile) map = mapfile_open(path, f);
	OWN_MAPFILE_LINE(line);
	int result;

	if (map == NULL)
		return -1;
	while ((result = mapfile_next(map, &line, f)) != 0) {
		if (result < 0 && f->code == FAULT_INPUT)
			continue;
		if (result < 0 ||
		    add(a, (const char *)line.dn.data, &line.accounts) < 0)
			return -1;
	}
	return 0;
}

int
map_whole_read(struct map_whole *m, const char *path, bool text,
    struct fault *f)
{
	struct adding a = { .m = m, .joined = BUF(MAP_TEXT_MAX), .f = f };
	OWN_STRUCT(map_index) ix = text ? NULL : map_index_open(path, f);
	int result = ix != NULL ? map_index_each(ix, add, &a, f)
				: read_text(&a, path, f);

	buf_free(&a.joined);
	return result < 0 ? fault_wrap(f, "%s", path) : 0;
}
