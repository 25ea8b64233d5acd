#include "base/text.h"
#include "options.h"

#include <string.h>

#define COLUMN 30

/* The same words for people, for the manual and for a shell. */

struct shown {
	const struct options_table *table;
	enum options_style style;
};

static bool
name_in(const char *names, const char *name, size_t len)
{
	for (const char *at = names; *at != '\0';) {
		size_t n;

		at += strspn(at, " ~");
		n = strcspn(at, " ");
		if (n == len && memcmp(at, name, len) == 0)
			return true;
		at += n;
	}
	return false;
}

/* The next shown name of a row from *${at} on, dashes before it. */
static bool
next_shown(const struct shown *s, bool common, const char **at, char *name,
    size_t size)
{
	while (**at != '\0') {
		const char *start = *at + strspn(*at, " ");
		size_t len = strcspn(start, " ");
		bool taken = *start == '~';

		*at = start + len;
		for (size_t i = 0; common && i < s->table->count; i++)
			taken |= name_in(s->table->rows[i].names, start, len);
		if (len == 0 || taken)
			continue;
		return text_fmt(name, size, "%s%.*s",
			   len > 1 && s->style != OPTIONS_SINGLE_DASH ? "--"
								      : "-",
			   (int)len, start) == 0;
	}
	return false;
}

static void
help_row(const struct shown *s, const struct option_row *row, bool common,
    FILE *out)
{
	char line[160] = "  ";
	char name[48];
	const char *at = row->names;
	size_t len = 2;

	while (next_shown(s, common, &at, name, sizeof(name)) &&
	    len + strlen(name) + 3 < sizeof(line))
		len += (size_t)snprintf(line + len, sizeof(line) - len, "%s%s",
		    len > 2 ? ", " : "", name);
	if (len == 2)
		return;
	if (*row->argument != '\0' &&
	    len + strlen(row->argument) + 1 < sizeof(line))
		len += (size_t)snprintf(line + len, sizeof(line) - len, " %s",
		    row->argument);
	fputs(line, out);
	if (len + 2 > COLUMN) {
		fputc('\n', out);
		len = 0;
	}
	text_wrap(out, row->doc, COLUMN, len);
}

void
options_help(const struct options_table *table, enum options_style style,
    FILE *out)
{
	struct shown s = { table, style };

	for (size_t i = 0; i < table->count; i++)
		if (*table->rows[i].doc != '\0')
			help_row(&s, &table->rows[i], false, out);
	for (size_t i = 0; i < options_common_count; i++)
		help_row(&s, &options_common_rows[i], true, out);
}

static void
man_row(const struct shown *s, const struct option_row *row, bool common,
    FILE *out)
{
	char name[48];
	const char *at = row->names;
	bool any = false;

	while (next_shown(s, common, &at, name, sizeof(name))) {
		fprintf(out, "%s Fl %s", any ? " ," : ".It", name + 1);
		any = true;
	}
	if (!any)
		return;
	if (*row->argument != '\0')
		fprintf(out, " Ar %s", row->argument);
	fprintf(out, "\n%s\n", row->doc);
}

void
options_man(const struct options_table *table, enum options_style style,
    FILE *out)
{
	struct shown s = { table, style };

	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < table->count; i++)
		if (*table->rows[i].doc != '\0')
			man_row(&s, &table->rows[i], false, out);
	for (size_t i = 0; i < options_common_count; i++)
		man_row(&s, &options_common_rows[i], true, out);
	fputs(".El\n", out);
}

void
options_each(const struct options_table *table, enum options_style style,
    options_name_fn *fn, void *arg)
{
	struct shown s = { table, style };
	size_t all = table->count + options_common_count;

	for (size_t i = 0; i < all; i++) {
		bool common = i >= table->count;
		const struct option_row *row = common
		    ? &options_common_rows[i - table->count]
		    : &table->rows[i];
		const char *at = row->names;
		char name[48];

		if (*row->doc == '\0')
			continue;
		while (next_shown(&s, common, &at, name, sizeof(name)))
			fn(arg, name, row);
	}
}
