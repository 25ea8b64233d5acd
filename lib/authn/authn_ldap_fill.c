#include "authn/authn.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"

#include <string.h>

#define NAME_MAX_BYTES 512

/*
 * RFC 4514 2.4 and RFC 4515 3 both let any byte be a backslash and two
 * digits; what is left bare means nothing in either.
 */
static void
put_value(struct buf *out, const char *value, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = value[i];
		bool bare = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '.' || c == '-' ||
		    c == '_' || c == '@';

		if (bare)
			buf_put_u8(out, (uint8_t)c);
		else
			buf_fmt(out, "\\%02x", (unsigned)(uint8_t)c);
	}
}

/* The part of ${name} that the word at ${at} stands for; 0 if none does. */
static size_t
put_word(struct buf *out, const char *at, const char *name)
{
	size_t user = strcspn(name, "@"), len = strlen(name);

	if (text_starts(at, "{user}")) {
		put_value(out, name, user);
		return strlen("{user}");
	}
	if (text_starts(at, "{principal}")) {
		put_value(out, name, len);
		return strlen("{principal}");
	}
	if (text_starts(at, "{realm}")) {
		put_value(out, name + user + (user < len),
		    len - user - (user < len));
		return strlen("{realm}");
	}
	return 0;
}

int
authn_ldap_fill(const char *template, const char *name, char *out, size_t size,
    struct fault *f)
{
	OWN_BUF(b, 4096);
	const char *text;

	if (name[0] == '\0' || name[0] == '@' ||
	    strlen(name) >= NAME_MAX_BYTES || !text_utf8(name, strlen(name)))
		return fault_set(f, FAULT_LOGIN, "no name for a directory");
	while (*template != '\0') {
		size_t n = put_word(&b, template, name);

		if (n == 0) {
			buf_put_u8(&b, (uint8_t) * template);
			n = 1;
		}
		template += n;
	}
	if ((text = buf_cstr(&b)) == NULL || text_copy(out, size, text) < 0)
		return fault_set(f, FAULT_LOGIN, "name too long");
	return 0;
}
