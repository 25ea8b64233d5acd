/*
 * Whatever other programs' files hold is read to its end, each record further
 * on than the one before, and no text is longer than its place.
 */
#include "base/fault.h"
#include "conv_gx.h"
#include "conv_tag.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_gx(const char *text, size_t size)
{
	size_t at = 0, line = 0, before = 0;
	struct gx_record r;
	struct fault f = { 0 };
	int got;

	while ((got = gx_read(text, size, &at, &line, &r, &f)) != 0) {
		if (at <= before || at > size)
			abort();
		before = at;
		if (got == 1 &&
		    ((r.verb == MAP_REQUEST_ADD &&
			 (r.dn[0] == '\0' || r.account[0] == '\0')) ||
			(r.verb == MAP_REQUEST_REMOVE_NAME &&
			    r.account[0] != '\0') ||
			r.micros < 0 || r.micros > 999999 || r.line > line))
			abort();
	}
}

static void
check_tags(const char *text, size_t size)
{
	size_t at = 0, line = 1, before = 0;
	struct conv_tag tag;
	struct fault f = { 0 };

	while (tag_read(text, size, &at, &line, &tag, &f) == 1) {
		if (at <= before || at > size || tag.count > CONV_ATTRIBUTES ||
		    tag.name[0] == '\0')
			abort();
		before = at;
		for (size_t i = 0; i < tag.count; i++)
			if (strchr(tag.attribute[i].value, '\n') != NULL)
				abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_gx((const char *)data, size);
	check_tags((const char *)data, size);
	return 0;
}
