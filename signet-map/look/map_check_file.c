#include "base/fault.h"
#include "map/map_index.h"
#include "map/map_name.h"
#include "map/mapfile.h"
#include "maprule/maprule_accounts.h"
#include "maprule/maprule_set.h"
#include "signet-map/look/map_found.h"

#include <string.h>

#define NUMBER_MAX (UINT32_MAX - 1)

/* A map file as it is walked. */
struct walking {
	struct map_found *found;
	const char *path;
	struct maprule_accounts *accounts;
	struct maprule_set ours; /* names as we compare them: the line */
	struct maprule_set gct;	 /* and as the Toolkit does */
	struct buf key;
	struct fault *f;
};

static int
had_key(struct walking *w, struct maprule_set *set, size_t line,
    uint32_t *before)
{
	*before = 0;
	if (w->key.failed)
		return fault_set(w->f, FAULT_MEMORY, "no memory for names");
	if (maprule_set_find(set, w->key.data, w->key.len, before))
		return 0;
	return maprule_set_put(set, w->key.data, w->key.len,
	    line > NUMBER_MAX ? NUMBER_MAX : (uint32_t)line, w->f);
}

static int
check_name(struct walking *w, const char *name, size_t line)
{
	uint32_t gct, ours;

	w->key.len = 0;
	map_name_key_gct(name, strlen(name), &w->key);
	if (had_key(w, &w->gct, line, &gct) < 0)
		return -1;
	w->key.len = 0;
	map_name_key(name, strlen(name), &w->key);
	if (had_key(w, &w->ours, line, &ours) < 0)
		return -1;
	if (gct != 0)
		map_found_warning(w->found, w->path, line,
		    "never looked at: line %u has the same name", gct);
	else if (ours != 0)
		map_found_warning(w->found, w->path, line,
		    "one name with line %u, spelt otherwise: the Toolkit "
		    "takes them for two",
		    ours);
	return 0;
}

static int
check_account(struct walking *w, const char *account, size_t line)
{
	uint32_t uid;
	int result;

	if (account[0] == '.' && maprule_account_good(account + 1))
		return 0;
	if (!maprule_account_good(account)) {
		map_found_warning(w->found, w->path, line,
		    "\"%s\" is no account", account);
		return 0;
	}
	if (w->accounts == NULL)
		return 0;
	result = maprule_accounts_find(w->accounts, account, true, &uid, w->f);
	if (result < 0)
		return -1;
	if (result == 0)
		map_found_warning(w->found, w->path, line,
		    "there is no account %s here", account);
	else if (uid == 0)
		map_found_error(w->found, w->path, line, "%s is the superuser",
		    account);
	return 0;
}

static int
check_accounts(struct walking *w, const struct mapfile_line *line)
{
	const struct map_accounts *a = &line->accounts;

	if (a->count == 0 || *map_accounts_at(a, 0) == '\0')
		map_found_error(w->found, w->path, line->number,
		    a->count == 0 ? "a name without an account"
				  : "a comma before the first account: the "
				    "name has an empty default");
	for (size_t i = 0; i < a->count; i++) {
		const char *account = map_accounts_at(a, i);

		if (*account == '\0')
			continue;
		if (*account == '#') {
			map_found_error(w->found, w->path, line->number,
			    "no comment: readers take each word of \"%s ...\" "
			    "for an account, and let the name use it",
			    account);
			return 0;
		}
		if (check_account(w, account, line->number) < 0)
			return -1;
	}
	return 0;
}

static int
walk(struct walking *w)
{
	OWN_STRUCT(mapfile) map = mapfile_open(w->path, w->f);
	OWN_MAPFILE_LINE(line);
	int result;

	if (map == NULL)
		return -1;
	while ((result = mapfile_next(map, &line, w->f)) != 0) {
		if (result < 0 && w->f->code == FAULT_INPUT) {
			map_found_error(w->found, w->path, line.number,
			    "cannot be read, and is passed over: %s",
			    w->f->text);
			continue;
		}
		if (result < 0 ||
		    check_name(w, (const char *)line.dn.data, line.number) <
			0 ||
		    check_accounts(w, &line) < 0)
			return -1;
	}
	return 0;
}

static void
check_index(struct walking *w)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_index) ix = map_index_open(w->path, &f);

	if (ix == NULL && f.code != FAULT_ABSENT)
		map_found_warning(w->found, w->path, 0,
		    "its index is not used: %s", f.text);
}

int
map_check_file(struct map_found *found, const char *path,
    struct maprule_accounts *accounts, struct fault *f)
{
	struct walking w = { .found = found,
		.path = path,
		.accounts = accounts,
		.key = BUF(MAP_TEXT_MAX),
		.f = f };
	int result;

	maprule_set_init(&w.ours);
	maprule_set_init(&w.gct);
	result = walk(&w);
	if (result == 0)
		check_index(&w);
	maprule_set_free(&w.ours);
	maprule_set_free(&w.gct);
	buf_free(&w.key);
	return result < 0 ? fault_wrap(f, "%s", path) : 0;
}
