/* Settings that are read, shown and read again are the same. */
#include "ca_publish_conf.h"

#include "base/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static char *
show(const struct publish_conf *c, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	must(out != NULL);
	conf_dump(&publish_schema, c, out);
	must(fclose(out) == 0 && text != NULL);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct publish_conf *c = calloc(2, sizeof(*c));
	struct fault f = { 0 };

	must(c != NULL);
	if (size <= CONF_MAX_TEXT &&
	    publish_conf_parse(&c[0], (const char *)data, size, "/", &f) == 0) {
		size_t len[2];
		char *text[2];

		text[0] = show(&c[0], &len[0]);
		must(publish_conf_parse(&c[1], text[0], len[0], "/", &f) == 0);
		text[1] = show(&c[1], &len[1]);
		must(len[0] == len[1] && memcmp(text[0], text[1], len[0]) == 0);
		must(c[0].url[strlen(c[0].url) - 1] == '/');
		free(text[0]);
		free(text[1]);
	}
	free(c);
	return 0;
}
