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

/* ${text} for mdoc(7), where backslashes, quotes and first dots mean more. */
static void
man_text(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '"')
			fputs("\\(dq", out);
		else
			fputc(*text, out);
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
		man_text(item->doc, out);
		fputc('\n', out);
		if (item->type == CONF_TYPE_LIST)
			fprintf(out, "May be given up to %d times.\n",
			    CONF_LIST_MAX);
		if (*item->fallback == '\0')
			continue;
		fprintf(out, "The default is\n.Ql \"");
		man_text(item->fallback, out);
		fprintf(out, "\" .\n");
	}
	fprintf(out, ".El\n");
}
