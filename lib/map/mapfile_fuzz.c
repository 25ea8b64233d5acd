/*
 * A line that was read is found by each of its accounts in a map that holds
 * only it, with the same DN; and its DN, written with quotes and escapes,
 * reads back the same.
 */
#include "map/mapfile.h"

#include "base/buf.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_accounts(const struct mapfile_line *line, const char *text, size_t len)
{
	char account[MAPFILE_ACCOUNTS_SIZE], dn[MAPFILE_DN_SIZE];
	const char *at = line->accounts;
	struct fault f = { 0 };

	while (*at != '\0' && *at != '#') {
		size_t n = strcspn(at, ",");

		memcpy(account, at, n);
		account[n] = '\0';
		if (n > 0 && account[0] != '.' &&
		    (mapfile_dn_of(text, len, account, dn, sizeof(dn), &f) <
			    0 ||
			strcmp(dn, line->dn) != 0))
			abort();
		at += n + (at[n] == ',');
	}
}

static void
check_written(const struct mapfile_line *line)
{
	struct mapfile_line again;
	struct fault f = { 0 };
	OWN_BUF(text, 8192);

	buf_put_u8(&text, '"');
	for (const char *c = line->dn; *c != '\0'; c++) {
		if (*c == '"' || *c == '\\')
			buf_put_u8(&text, '\\');
		buf_put_u8(&text, (uint8_t)*c);
	}
	buf_text(&text, "\" ");
	buf_text(&text, line->accounts);
	if (text.failed ||
	    mapfile_line_read(&again, (const char *)text.data, text.len, &f) !=
		1 ||
	    strcmp(again.dn, line->dn) != 0 ||
	    strcmp(again.accounts, line->accounts) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct mapfile_line line;
	struct fault f = { 0 };

	if (memchr(data, '\n', size) != NULL ||
	    mapfile_line_read(&line, text, size, &f) != 1)
		return 0;
	check_accounts(&line, text, size);
	check_written(&line);
	return 0;
}
