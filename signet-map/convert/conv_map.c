/* A grid-mapfile as a static map without its quirks. */
#include "base/fault.h"
#include "base/text.h"
#include "conv_out.h"
#include "convert_args.h"
#include "map/map_name.h"
#include "map/mapfile.h"

#include <string.h>

/* What is meant as a comment is left behind, and said. */
static void
take_accounts(struct conv *c, const struct mapfile_line *line,
    struct map_accounts *accounts)
{
	const char *account;

	for (size_t i = 0;
	     (account = map_accounts_at(&line->accounts, i)) != NULL; i++) {
		const char *bare = account + (account[0] == '.');

		if (account[0] == '#') {
			conv_left(c, line->number,
			    "words after the accounts, which the Toolkit takes "
			    "for accounts: %.64s ...",
			    account);
			return;
		}
		if (strcmp(account, "root") == 0 ||
		    !map_request_account_good(bare))
			conv_left(c, line->number,
			    "the account \"%.64s\" is not taken over", account);
		else if (!map_accounts_has(accounts, account))
			map_accounts_put(accounts, account, strlen(account));
	}
}

/* The same name and accounts again are only another spelling. */
static int
take_line(struct conv *c, struct map_replay *seen, struct mapfile_line *line,
    struct fault *f)
{
	char name[MAP_REQUEST_NAME_SIZE];
	const char *dn = buf_cstr(&line->dn);
	OWN_MAP_ACCOUNTS(accounts);
	OWN_BUF(joined, MAP_TEXT_MAX);
	struct map_request q = { .verb = MAP_REQUEST_ADD, .name = name };
	struct fault why = { 0 };
	const char *nobody = "-"; /* no account is called so */

	if (dn == NULL || !conv_name(dn, name)) {
		conv_left(c, line->number, "no name that a map may have");
		return 0;
	}
	take_accounts(c, line, &accounts);
	map_accounts_join(&accounts, &joined);
	if ((q.account = buf_cstr(&joined)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a line");
	if (map_replay_has(seen, name, "")) {
		if (!map_replay_has(seen, name, q.account))
			conv_left(c, line->number,
			    "%.200s stands in an earlier line, which counts",
			    name);
		return 0;
	}
	/* A later line was not read while this one stood there. */
	if (accounts.count == 0) {
		conv_left(c, line->number, "%.200s has no account", name);
		q.account = nobody;
	} else if (mapfile_put(&c->map, name, &accounts, MAP_READER_GCT, &why) <
	    0) {
		conv_left(c, line->number, "%s", why.text);
		q.account = nobody;
	}
	return map_replay_do(seen, &q, line->number, f);
}

static int
take_all(struct conv *c, struct fault *f)
{
	OWN_STRUCT(map_replay) seen = map_replay_new(f);
	OWN_STRUCT(mapfile)
	m = mapfile_of((const char *)c->text.data, c->text.len, f);
	OWN_MAPFILE_LINE(line);
	int got;

	if (seen == NULL || m == NULL)
		return -1;
	while ((got = mapfile_next(m, &line, f)) != 0) {
		if (got < 0 && f->code != FAULT_INPUT)
			return -1;
		if (got < 0)
			conv_left(c, line.number, "%s", f->text);
		else if (take_line(c, seen, &line, f) < 0)
			return -1;
	}
	return 0;
}

int
convert_map(const struct convert_args *args, struct fault *f)
{
	struct conv c;
	int result = -1;

	if (conv_open(&c, args->operand[0], f) == 0 && take_all(&c, f) == 0) {
		if (args->dir != NULL)
			buf_text(&c.rules,
			    "source static file "
			    "/etc/signet/static.map\n"
			    "splice static\n    from static\n"
			    "    priority before\n");
		result = conv_write(&c, args->dir, f);
	}
	conv_free(&c);
	return result;
}
