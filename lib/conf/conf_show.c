#include "conf/conf.h"

#include <inttypes.h>

/* What a setting says when it is empty: nothing is given where that is the
 * default (and may be refused), the keyword alone where it is not. */
static void
dump_empty(const struct conf_item *item, FILE *out)
{
	fprintf(out, "%s%s\n", *item->fallback == '\0' ? "# " : "",
	    item->keyword);
}

static void
dump_list(const struct conf_item *item, const conf_list *list, FILE *out)
{
	if (list->count == 0)
		dump_empty(item, out);
	for (size_t i = 0; i < list->count; i++)
		fprintf(out, "%s %s\n", item->keyword, list->item[i]);
}

static void
dump_item(const struct conf_item *item, const void *field, FILE *out)
{
	switch (item->type) {
	case CONF_TYPE_BOOL:
		fprintf(out, "%s %s\n", item->keyword,
		    *(const conf_bool *)field ? "yes" : "no");
		break;
	case CONF_TYPE_NUMBER:
	case CONF_TYPE_SECONDS:
		fprintf(out, "%s %" PRId64 "\n", item->keyword,
		    *(const conf_number *)field);
		break;
	case CONF_TYPE_STRING:
		if (*(const char *)field == '\0')
			dump_empty(item, out);
		else
			fprintf(out, "%s %s\n", item->keyword,
			    (const char *)field);
		break;
	case CONF_TYPE_LIST:
		dump_list(item, field, out);
		break;
	}
}

void
conf_dump(const struct conf_schema *schema, const void *conf, FILE *out)
{
	for (size_t i = 0; i < schema->count; i++)
		dump_item(&schema->items[i],
		    (const char *)conf + schema->items[i].offset, out);
}

/* Where a line of mdoc(7) source is broken, counted from its start. */
#define FOLD 60

/*
 * ${text} for mdoc(7), where backslashes, quotes and a dot at the start of a
 * line mean more, and a sentence begins a line.  Folded if ${fold}.
 */
static void
man_text(const char *text, bool fold, FILE *out)
{
	bool start = true;
	size_t column = 0;

	for (; *text != '\0'; text++, column++) {
		if (start && (*text == '.' || *text == '\''))
			fputs("\\&", out);
		start = fold && *text == ' ' &&
		    (column > FOLD || (column > 0 && text[-1] == '.'));
		if (start) {
			fputc('\n', out);
			column = 0;
		} else if (*text == '\\') {
			fputs("\\e", out);
		} else if (*text == '"') {
			fputs("\\(dq", out);
		} else {
			fputc(*text, out);
		}
	}
}

static const char *
argument_name(enum conf_type type)
{
	switch (type) {
	case CONF_TYPE_BOOL:
		return "yes | no";
	case CONF_TYPE_NUMBER:
		return "number";
	case CONF_TYPE_SECONDS:
		return "time";
	case CONF_TYPE_STRING:
		return "text";
	case CONF_TYPE_LIST:
		return "item";
	}
	return "value";
}

void
conf_man(const struct conf_schema *schema, FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < schema->count; i++) {
		const struct conf_item *item = &schema->items[i];

		fprintf(out, ".It Ic %s Ar \"%s\"\n", item->keyword,
		    argument_name(item->type));
		man_text(item->doc, true, out);
		fputc('\n', out);
		if (item->type == CONF_TYPE_LIST)
			fprintf(out, "May be given up to %d times.\n",
			    CONF_LIST_MAX);
		if (*item->fallback == '\0')
			continue;
		fprintf(out, "The default is\n.Ql \"");
		man_text(item->fallback, false, out);
		fprintf(out, "\" .\n");
	}
	fprintf(out, ".El\n");
}
