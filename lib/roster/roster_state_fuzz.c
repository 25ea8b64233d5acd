/*
 * Whatever a state file says: what is read of it is a roster in which everyone
 * can be looked at, and whose people hold only what a map file can take.
 */
#include "roster/roster_state.h"

#include "base/fault.h"
#include "base/text.h"
#include "roster/roster_part.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
look(void *arg, const struct roster_person *p)
{
	const struct roster *r = arg;
	char name[ROSTER_NAME_SIZE];
	size_t at = 0;

	for (size_t i = 0; i < p->account_count; i++)
		if (strpbrk(roster_account_at(p, i), " ,\"\n") != NULL)
			abort();
	while (roster_name_next(r, p, &at, name))
		if (name[0] != '/' || !text_printable(name) ||
		    strchr(name, '"') != NULL)
			abort();
	for (size_t i = 0; i < p->group_count; i++)
		if (!roster_in(p, p->groups[i]) ||
		    roster_group_find(r, p->source,
			roster_group_name(r, p->groups[i])) != p->groups[i])
			abort();
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	OWN_STRUCT(roster) r =
	    roster_state_read((struct wire_bytes){ data, size }, true, &f);

	if (r == NULL)
		return 0;
	if (roster_each(r, look, r) != 0)
		abort();
	for (uint32_t i = 0; i < roster_source_count(r); i++)
		if (!r->sources[i].shadow && roster_drop_source(r, i, &f) < 0)
			abort();
	if (roster_count(r) != 0)
		abort();
	return 0;
}
