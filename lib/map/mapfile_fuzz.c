/*
 * A line that was read is found by each of its accounts in a map that holds
 * only it, with the same DN, and by its DN in both senses; its DN, written as
 * the writer writes names, reads back as the same name.
 */
#include "map/mapfile.h"

#include "base/buf.h"
#include "base/fault.h"
#include "map/map_name.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_accounts(const struct mapfile_line *line, const char *text, size_t len)
{
	const char *account;
	struct fault f = { 0 };
	char *dn = malloc(line->dn.len + 1);

	for (size_t i = 0;
	     (account = map_accounts_at(&line->accounts, i)) != NULL; i++) {
		if (!mapfile_has_account(line, account))
			continue;
		if (dn == NULL ||
		    mapfile_dn_of(text, len, account, dn, line->dn.len + 1,
			&f) < 0 ||
		    strcmp(dn, (const char *)line->dn.data) != 0)
			abort();
	}
	free(dn);
}

static void
check_found(const struct mapfile_line *line, const char *text, size_t len,
    enum mapfile_sense sense)
{
	struct fault f = { 0 };
	OWN_STRUCT(mapfile) m = mapfile_of(text, len, &f);
	OWN_MAP_ACCOUNTS(found);

	if (m == NULL ||
	    mapfile_find(m, sense, (const char *)line->dn.data, &found, &f) !=
		1 ||
	    found.count != line->accounts.count ||
	    found.text.len != line->accounts.text.len ||
	    (found.text.len > 0 &&
		memcmp(found.text.data, line->accounts.text.data,
		    found.text.len) != 0))
		abort();
}

static void
check_written(const struct mapfile_line *line)
{
	OWN_MAPFILE_LINE(again);
	OWN_MAP_ACCOUNTS(account);
	OWN_BUF(text, 1 << 24);
	const char *name = (const char *)line->dn.data;
	struct fault f = { 0 };
	size_t at = 0;

	map_accounts_put(&account, "a", 1);
	if (mapfile_put(&text, name, &account, MAP_READER_ALL, &f) < 0)
		return;
	while (at < text.len) {
		const char *from = (const char *)text.data + at;
		size_t n =
		    (size_t)((const char *)memchr(from, '\n', text.len - at) -
			from);

		if (mapfile_line_read(&again, from, n, &f) != 1 ||
		    !map_name_equal(name, (const char *)again.dn.data) ||
		    (at == 0 && strcmp(name, (const char *)again.dn.data) != 0))
			abort();
		at += n + 1;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	OWN_MAPFILE_LINE(line);
	struct fault f = { 0 };

	if (memchr(data, '\n', size) != NULL ||
	    mapfile_line_read(&line, text, size, &f) != 1)
		return 0;
	check_accounts(&line, text, size);
	check_found(&line, text, size, MAPFILE_GCT);
	check_found(&line, text, size, MAPFILE_OURS);
	check_written(&line);
	return 0;
}
