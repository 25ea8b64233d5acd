/*
 * What is read as a line reads back from its two parts; and the lines of a
 * file, put together again, are the file.
 */
#include "authn/authn_passwd_line.h"

#include "base/buf.h"
#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_line(const struct authn_passwd_line *line)
{
	struct authn_passwd_line again;
	struct fault f = { 0 };
	OWN_BUF(text, 1024);

	buf_fmt(&text, "%s:%s", line->user, line->hash);
	if (text.failed || !authn_passwd_user_ok(line->user) ||
	    authn_passwd_line_read(&again, (const char *)text.data, text.len,
		&f) != 1 ||
	    strcmp(again.user, line->user) != 0 ||
	    strcmp(again.hash, line->hash) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct wire_in file = { .at = data, .left = size };
	struct authn_passwd_line line;
	struct wire_bytes raw;
	OWN_BUF(joined, 1048577);
	int said;

	while (authn_passwd_next(&file, &raw, &said, &line)) {
		if (said == 1)
			check_line(&line);
		buf_put(&joined, raw.data, raw.len);
		if (raw.data + raw.len < data + size)
			buf_put_u8(&joined, '\n');
	}
	if (joined.len != size ||
	    (size > 0 && memcmp(joined.data, data, size) != 0))
		abort();
	return 0;
}
