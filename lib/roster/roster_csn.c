#include "roster/roster_csn.h"

#include "base/text.h"

#include <string.h>

#define CSN_LEN 40 /* 20090319091231.123456Z#000000#001#000000 */
#define CSN_SID 30
#define SIDS_MAX 128
#define COOKIE_MAX 8192

struct csns {
	char csn[SIDS_MAX][CSN_LEN + 1];
	size_t count;
};

static bool
is_csn(const char *text, size_t len)
{
	if (len != CSN_LEN || text[14] != '.' || text[21] != 'Z' ||
	    text[22] != '#' || text[29] != '#' || text[33] != '#')
		return false;
	for (size_t i = 0; i < len; i++)
		if (strchr("0123456789abcdefABCDEF.Z#", text[i]) == NULL)
			return false;
	return true;
}

/* The newest of each server: their texts are in order of time. */
static bool
add_csn(struct csns *c, const char *text)
{
	size_t i = 0;

	while (i < c->count &&
	    strncmp(c->csn[i] + CSN_SID, text + CSN_SID, 3) != 0)
		i++;
	if (i == SIDS_MAX)
		return false;
	if (i == c->count)
		c->count++;
	else if (strncmp(c->csn[i], text, CSN_LEN) >= 0)
		return true;
	memcpy(c->csn[i], text, CSN_LEN);
	c->csn[i][CSN_LEN] = '\0';
	return true;
}

static bool
add_csns(struct csns *c, const char *list, size_t len)
{
	while (len > 0) {
		const char *end = memchr(list, ';', len);
		size_t one = end == NULL ? len : (size_t)(end - list);

		if (!is_csn(list, one) || !add_csn(c, list))
			return false;
		list += one + (end != NULL);
		len -= one + (end != NULL);
	}
	return true;
}

static bool
starts(const char *text, size_t len, const char *word)
{
	return len >= strlen(word) && memcmp(text, word, strlen(word)) == 0;
}

/* Whether it is OpenLDAP's; its CSNs are added. */
static bool
read_cookie(struct csns *c, const char *text, size_t len)
{
	if (len == 0 || len > COOKIE_MAX || memchr(text, '\0', len) != NULL)
		return false;
	while (len > 0) {
		const char *end = memchr(text, ',', len);
		size_t one = end == NULL ? len : (size_t)(end - text);

		if (starts(text, one, "csn=")) {
			if (!add_csns(c, text + 4, one - 4))
				return false;
		} else if (!starts(text, one, "rid=") &&
		    !starts(text, one, "sid=") && !starts(text, one, "delcsn="))
			return false;
		text += one + (end != NULL);
		len -= one + (end != NULL);
	}
	return true;
}

void
roster_csn_join(const void *old, size_t old_len, const void *said,
    size_t said_len, struct buf *out)
{
	struct csns c = { .count = 0 };

	if (old_len > 0 && !read_cookie(&c, old, old_len))
		c.count = 0;
	if (!read_cookie(&c, said, said_len) || c.count == 0) {
		buf_put(out, said, said_len);
		return;
	}
	buf_text(out, "rid=000,csn=");
	for (size_t i = 0; i < c.count; i++)
		buf_fmt(out, "%s%s", i > 0 ? ";" : "", c.csn[i]);
}
