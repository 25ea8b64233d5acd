/*
 * A URI that is read is written as one that reads the same, and that is the
 * one way to write it.  The same of "slot:id".  No PIN ever gets through.
 */
#include "token/token_uri.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
round_trip(const struct token_uri *uri)
{
	OWN_BUF(text, 16384);
	OWN_BUF(again, 16384);
	struct fault f = { 0 };
	struct token_uri back;

	token_uri_write(uri, &text);
	must(buf_cstr(&text) != NULL);
	must(strstr(buf_cstr(&text), "pin-") == NULL ||
	    strstr(buf_cstr(&text), "=") < strstr(buf_cstr(&text), "pin-"));
	/* Encoding may make it longer than may be read. */
	if (text.len > TOKEN_URI_MAX)
		return;
	must(token_uri_read(&back, buf_cstr(&text), &f) == 0);
	must(memcmp(uri, &back, sizeof(back)) == 0);
	token_uri_write(&back, &again);
	must(strcmp(buf_cstr(&text), buf_cstr(&again)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	struct fault f = { 0 };
	struct token_uri uri;

	must(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	if (token_uri_read(&uri, text, &f) == 0)
		round_trip(&uri);
	if (token_uri_read_slot(&uri, "/m.so", text, &f) == 0)
		round_trip(&uri);
	free(text);
	return 0;
}
