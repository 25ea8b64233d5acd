/*
 * Rules that can be read are written in a form that reads back, and is then
 * written the same; the first byte says whether it is a file of bans.
 */
#include "maprule/maprule.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT ((size_t)1 << 24)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_again(const struct maprule *rules)
{
	struct fault f = { 0 };
	OWN_BUF(once, LIMIT);
	OWN_BUF(twice, LIMIT);
	OWN_STRUCT(maprule) again = NULL;

	maprule_dump(rules, &once);
	again = maprule_read(NULL, (const char *)once.data, once.len, &f);
	if (again == NULL)
		abort();
	maprule_dump(again, &twice);
	if (once.failed || once.len != twice.len ||
	    (once.len > 0 && memcmp(once.data, twice.data, once.len) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;
	bool bans = size > 0 && data[0] == 'B';
	struct fault f = { 0 };
	OWN_STRUCT(maprule) rules = NULL;

	if (size == 0)
		return 0;
	rules = bans ? maprule_read(NULL, "", 0, &f)
		     : maprule_read(NULL, text, size - 1, &f);
	if (rules != NULL &&
	    (!bans || maprule_bans_read(rules, NULL, text, size - 1, &f) == 0))
		check_again(rules);
	return 0;
}
