/* What is wrong or dead: in the rules, or in map files. */
#include "base/fault.h"
#include "base/text.h"
#include "signet-map/base/map_args.h"
#include "signet-map/base/map_world.h"
#include "signet-map/look/map_found.h"

#include <stdarg.h>
#include <stdio.h>

#define TEXT_SIZE 2048

static void
tell(struct map_found *found, const char *level, const char *path, size_t line,
    char *text)
{
	text_clean(text);
	if (found->list.json) {
		map_print_item(&found->list,
		    json_pack("{s:s,s:o,s:I,s:s}", "level", level, "file",
			map_print_text(path), "line", (json_int_t)line, "text",
			text));
		return;
	}
	if (path != NULL)
		map_print_clean(path);
	if (line > 0)
		printf(":%zu", line);
	printf("%s%s: %s\n", path != NULL ? ": " : "", level, text);
}

void
map_found_error(struct map_found *found, const char *path, size_t line,
    const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	found->errors++;
	tell(found, "error", path, line, text);
}

void
map_found_warning(struct map_found *found, const char *path, size_t line,
    const char *fmt, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	found->warnings++;
	tell(found, "warning", path, line, text);
}

static int
check_files(const struct map_args *args, struct map_world *w,
    struct map_found *found, struct fault *f)
{
	for (size_t i = 0; i < args->count; i++)
		if (map_check_file(found, args->operand[i], w->accounts, f) < 0)
			return -1;
	return 0;
}

int
map_check(const struct map_args *args, struct fault *f)
{
	unsigned wanted =
	    MAP_WORLD_RULES | MAP_WORLD_ROSTER | MAP_WORLD_ACCOUNTS;
	struct map_world w = { 0 };
	struct map_found found = { 0 };
	int result;

	if (args->count > 0)
		result = map_world_accounts(&w, args, f);
	else
		result = map_world_open(&w, args, wanted, NULL, f);
	if (result == 0) {
		map_print_begin(&found.list, args->json);
		result = args->count > 0 ? check_files(args, &w, &found, f)
					 : map_check_rules(&found, &w, f);
		map_print_end(&found.list, result >= 0);
	}
	map_world_close(&w);
	if (result < 0)
		return -1;
	return found.errors > 0 ? fault_exit_status(FAULT_FAILED) : 0;
}
