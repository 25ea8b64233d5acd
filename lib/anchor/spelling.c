#include "anchor/spelling.h"

#include "base/text.h"

#include <string.h>

#define NAME_MAX_BYTES 8192

/* What stands behind a slash, and what each spelling makes of it. */
static const struct {
	const char *from;
	const char *to[SPELLING_COUNT];
} words[] = {
	{ "0.9.2342.19200300.100.1.1=", { "USERID=", "UID=", "UID=" } },
	{ "USERID=", { "USERID=", "UID=", "UID=" } },
	{ "UID=", { "USERID=", "UID=", "UID=" } },
	{ "emailAddress=", { "Email=", "E=", "emailAddress=" } },
	{ "Email=", { "Email=", "E=", "emailAddress=" } },
	{ "EMAIL=", { "Email=", "E=", "emailAddress=" } },
	{ "E=", { "Email=", "E=", "emailAddress=" } },
};

void
spelling_put(struct buf *out, enum spelling how, const char *text)
{
	while (*text != '\0') {
		char c = *text++;

		buf_put_u8(out, (uint8_t)c);
		for (size_t i = 0;
		     c == '/' && i < sizeof(words) / sizeof(words[0]); i++) {
			if (!text_starts(text, words[i].from))
				continue;
			buf_text(out, words[i].to[how]);
			text += strlen(words[i].from);
			break;
		}
	}
}

/* Whether an attribute's name, or a pattern for any, and '=' stand at ${at}. */
static bool
type_at(const char *at)
{
	size_t len = strspn(at,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-");

	return len > 0 && at[len] == '=';
}

/*
 * Whether the character at ${at} of ${text} is one that OpenSSL 3 marks.  In a
 * pattern a slash may have anything behind it: in a CN it is taken for the one
 * of host/NAME, elsewhere for the beginning of the next attribute.
 */
static bool
marked(const char *text, const char *at)
{
	const char *begins = at;

	if (*at == '+')
		return true;
	if (*at != '/' || at == text || type_at(at + 1))
		return false;
	if (at[1] != '*' && at[1] != '?' && at[1] != '\0')
		return true;
	do
		begins--;
	while (begins > text && !(*begins == '/' && type_at(begins + 1)));
	return text_starts(begins, "/CN=");
}

void
spelling_mark(struct buf *out, const char *text, const char *mark)
{
	for (const char *at = text; *at != '\0'; at++) {
		size_t slashes = strspn(at, "\\");

		/* However many backslashes: one slash in the value. */
		if (slashes > 0 && (at[slashes] == '/' || at[slashes] == '+')) {
			at += slashes;
			buf_text(out, mark);
		} else if (marked(text, at)) {
			buf_text(out, mark);
		}
		buf_put_u8(out, (uint8_t)*at);
	}
}

bool
spelling_has_marks(const char *text)
{
	for (const char *at = text; *at != '\0'; at++)
		if (marked(text, at) ||
		    (*at == '\\' && (at[1] == '/' || at[1] == '+')))
			return true;
	return false;
}

bool
spelling_same(const char *a, const char *b)
{
	OWN_BUF(plain, NAME_MAX_BYTES);
	OWN_BUF(left, NAME_MAX_BYTES);
	OWN_BUF(right, NAME_MAX_BYTES);

	spelling_mark(&plain, a, "");
	spelling_put(&left, SPELLING_GT4,
	    buf_cstr(&plain) != NULL ? (const char *)plain.data : "");
	buf_clear(&plain);
	spelling_mark(&plain, b, "");
	spelling_put(&right, SPELLING_GT4,
	    buf_cstr(&plain) != NULL ? (const char *)plain.data : "");
	return !plain.failed && !left.failed && !right.failed &&
	    left.len == right.len &&
	    (left.len == 0 || memcmp(left.data, right.data, left.len) == 0);
}
