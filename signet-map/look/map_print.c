#include "signet-map/look/map_print.h"

#include "base/clock.h"
#include "base/own.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

json_t *
map_print_text(const char *text)
{
	OWN(char) copy = text != NULL ? strdup(text) : NULL;

	if (copy == NULL)
		return json_null();
	text_clean(copy);
	return json_string(copy);
}

json_t *
map_print_accounts(const struct map_accounts *accounts)
{
	json_t *list = json_array();

	for (size_t i = 0; i < accounts->count; i++)
		(void)json_array_append_new(list,
		    map_print_text(map_accounts_at(accounts, i)));
	return list;
}

json_t *
map_print_time(time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	if (when == 0)
		return json_null();
	clock_text(when, text);
	return json_string(text);
}

void
map_print_json(json_t *object)
{
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
}

void
map_print_begin(struct map_print_list *list, bool json)
{
	*list = (struct map_print_list){ .json = json };
}

void
map_print_item(struct map_print_list *list, json_t *object)
{
	fputs(list->begun ? ",\n" : "[", stdout);
	list->begun = true;
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
}

void
map_print_end(struct map_print_list *list, bool whole)
{
	if (list->json && (whole || list->begun))
		fputs(list->begun ? "]\n" : "[]\n", stdout);
}

void
map_print_clean(const char *text)
{
	OWN(char) copy = strdup(text);

	if (copy == NULL)
		return;
	text_clean(copy);
	fputs(copy, stdout);
}
