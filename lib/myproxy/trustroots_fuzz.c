/*
 * Whatever file a reply names, its name is harmless, and its line reads back
 * the same.
 */
#include "myproxy/trustroots.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_name(const char *name)
{
	if (name[0] == '\0' || name[0] == '.' || name[0] == '-' ||
	    strchr(name, '/') != NULL || !text_printable(name))
		abort();
}

static void
check_line(const char *name, struct wire_bytes base64)
{
	OWN_BUF(line, 2 * TRUSTROOTS_MAX);
	struct fault f = { 0 };
	char again[TRUSTROOTS_NAME_SIZE];
	struct wire_bytes bytes;
	size_t at = 0;

	buf_fmt(&line, "FILEDATA_%s=", name);
	buf_put(&line, base64.data, base64.len);
	buf_text(&line, "\n");
	if (trustroots_next((const char *)line.data, line.len, &at, again,
		&bytes, &f) != 1 ||
	    at != line.len || strcmp(again, name) != 0 ||
	    bytes.len != base64.len ||
	    memcmp(bytes.data, base64.data, bytes.len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	char name[TRUSTROOTS_NAME_SIZE];
	struct wire_bytes base64;
	size_t at = 0;

	while (trustroots_next((const char *)data, size, &at, name, &base64,
		   &f) > 0) {
		check_name(name);
		check_line(name, base64);
	}
	return 0;
}
