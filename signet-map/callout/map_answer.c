#include "signet-map/callout/map_answer.h"

#include "base/fault.h"
#include "base/text.h"
#include "map/gridmap.h"
#include "map/map_pool.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOTS_MAP "/etc/grid-security/grid-mapfile"

static int
find_map(char path[PATH_MAX], struct fault *f)
{
	static const char *const names[] = { "GRIDMAP", "GLOBUSMAP",
		"globusmap", "GlobusMap" };
	const char *said = NULL, *home;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (said == NULL)
			said = secure_getenv(names[i]);
	}
	if (said == NULL && geteuid() == 0)
		said = ROOTS_MAP;
	if (said != NULL)
		return text_copy(path, PATH_MAX, said) == 0
		    ? 0
		    : fault_set(f, FAULT_CONFIG, "the map's path is too long");
	if ((home = secure_getenv("HOME")) == NULL ||
	    text_fmt(path, PATH_MAX, "%s/.gridmap", home) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "neither GRIDMAP nor HOME says where the map is");
	return 0;
}

static int
no_account(const struct map_question *q, struct fault *f)
{
	if (q->account != NULL)
		return fault_set(f, FAULT_DENIED,
		    "%.150s may not use the account %.32s here", q->dn,
		    q->account);
	return fault_set(f, FAULT_DENIED, "%.200s has no account here", q->dn);
}

/* An account of the pool ${name}, without its dot. */
static int
from_pool(const struct map_question *q, const char *name,
    char leased[MAP_POOL_ACCOUNT_SIZE], struct fault *f)
{
	const char *dir = secure_getenv("GRIDMAPDIR");

	if (dir == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "GRIDMAPDIR does not say where the pools are");
	if (q->account != NULL)
		return map_pool_find(dir, name, q->dn, leased, f);
	if (map_pool_lease(dir, name, q->dn, leased, f) == 0)
		return 0;
	if (f->code != FAULT_ABSENT)
		return -1;
	return fault_set(f, FAULT_DENIED,
	    "no account of its pool is free for %.180s", q->dn);
}

/* Whether ${account} of the map is what is wanted; its real name. */
static int
judge(const struct map_question *q, const char *account,
    char real[MAP_POOL_ACCOUNT_SIZE], struct fault *f)
{
	if (account[0] != '.') {
		if (text_copy(real, MAP_POOL_ACCOUNT_SIZE, account) < 0)
			return 0;
	} else if (from_pool(q, account + 1, real, f) < 0) {
		return f->code == FAULT_ABSENT ? 0 : -1;
	}
	return real[0] != '\0' &&
	    (q->account == NULL || strcmp(real, q->account) == 0);
}

/* The default account, or the one that is wanted among all. */
static int
choose(const struct map_question *q, const struct map_accounts *accounts,
    char real[MAP_POOL_ACCOUNT_SIZE], struct fault *f)
{
	const char *account;
	int good = 0;

	for (size_t i = 0;
	     good == 0 && (account = map_accounts_at(accounts, i)) != NULL &&
	     (i == 0 || q->account != NULL);
	     i++)
		good = judge(q, account, real, f);
	if (good < 0)
		return -1;
	return good == 1 ? 0 : no_account(q, f);
}

int
map_answer(const struct map_question *q, char *account, size_t size,
    struct fault *f)
{
	char path[PATH_MAX], real[MAP_POOL_ACCOUNT_SIZE];
	OWN_STRUCT(gridmap) g = NULL;
	OWN_MAP_ACCOUNTS(accounts);
	int found;

	if (find_map(path, f) < 0 || (g = gridmap_open(path, f)) == NULL)
		return -1;
	if ((found = gridmap_find(g, q->dn, &accounts, f)) < 0)
		return -1;
	if (found == 0)
		return no_account(q, f);
	if (choose(q, &accounts, real, f) < 0)
		return -1;
	if (text_copy(account, size, real) < 0)
		return fault_set(f, FAULT_NAME, "the account's name is long");
	return 0;
}
