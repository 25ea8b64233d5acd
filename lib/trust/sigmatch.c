#include "trust/sigmatch.h"

#include "base/wire.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

/* If an attribute name at ${in} has another spelling, that spelling. */
static const char *
other_spelling(const char *in, size_t *skip)
{
	static const char *const spellings[][2] = { { "userid=", "uid=" },
		{ "0.9.2342.19200300.100.1.1=", "uid=" },
		{ "e=", "emailaddress=" }, { "email=", "emailaddress=" } };

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		*skip = strlen(spellings[i][0]);
		if (strncasecmp(in, spellings[i][0], *skip) == 0)
			return spellings[i][1];
	}
	*skip = 0;
	return "";
}

bool
sigmatch_fold(const char *in, char *out, size_t size)
{
	struct wire_out to = { (uint8_t *)out, size - 1, false };

	while (*in != '\0') {
		size_t skip = 0;
		char c = *in;

		if (c == '\\') {
			in += strspn(in, "\\");
			if (*in != '/' && *in != '+')
				wire_put_u8(&to, '\\');
			continue;
		}
		wire_put_u8(&to, (uint8_t)tolower((unsigned char)c));
		in++;
		if (c != '/')
			continue;
		for (const char *s = other_spelling(in, &skip); *s; s++)
			wire_put_u8(&to, (uint8_t)*s);
		in += skip;
	}
	*to.at = '\0';
	return !to.failed;
}

bool
sigmatch_pattern(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*text != '\0') {
		if (*pattern == '*') {
			/* At least one character, so this one is its. */
			star = pattern++;
			retry = ++text;
		} else if (*pattern == '?' || *pattern == *text) {
			pattern++;
			text++;
		} else if (star != NULL && retry != NULL) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	return *pattern == '\0';
}
