#include "map/map_name.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdint.h>
#include <string.h>

#define NAME_MAX_LEN ((size_t)1 << 20)

/* Spellings of an attribute's name that are one (facts: trustmap FORMATS). */
struct alias {
	const char *said;
	size_t len;
	const char *meant;
};

static const struct alias aliases[] = {
	{ "/uid=", 5, "/userid=" },
	{ "/e=", 3, "/emailaddress=" },
	{ "/email=", 7, "/emailaddress=" },
};

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool
starts_as(const char *text, size_t len, const struct alias *alias)
{
	if (len < alias->len)
		return false;
	for (size_t i = 1; i < alias->len; i++) {
		if (lower((uint8_t)text[i]) != (uint8_t)alias->said[i])
			return false;
	}
	return true;
}

/* Fold the attribute's name that follows a slash at ${text}; how much of the
 * text that was. */
static size_t
put_slash(const char *text, size_t len, struct buf *key)
{
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++) {
		if (starts_as(text, len, &aliases[i])) {
			buf_text(key, aliases[i].meant);
			return aliases[i].len;
		}
	}
	buf_put_u8(key, '/');
	return 1;
}

static bool
in_attribute(char c)
{
	c = (char)lower((uint8_t)c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ||
	    c == '-' || c == '_' || c == ' ';
}

/* Whether ${text} reads as an attribute's name and '=': then a slash before it
 * may begin an RDN. */
static bool
is_attribute(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && in_attribute(text[n]))
		n++;
	return n < len && text[n] == '=';
}

/* Whether the backslash at ${text} says nothing: what it stands before would
 * be part of the value without it. */
static bool
says_nothing(const char *text, size_t len)
{
	return len >= 2 && text[0] == '\\' &&
	    (text[1] == '/' || text[1] == '+') &&
	    !is_attribute(text + 2, len - 2);
}

static void
put_folded(uint8_t byte, struct buf *key)
{
	if (byte >= 0x20 && byte <= 0x7e)
		buf_put_u8(key, lower(byte));
	else
		buf_fmt(key, "\\x%02x", (unsigned)byte);
}

/* Bytes that are themselves in a key, in lower case, from ${text} on. */
static size_t
plain_run(const char *text, size_t len)
{
	size_t n = 0;

	while (n < len && (uint8_t)text[n] >= 0x20 && (uint8_t)text[n] < 0x7f &&
	    text[n] != '/' && text[n] != '\\')
		n++;
	return n;
}

static void
put_lower(const char *text, size_t len, struct buf *key)
{
	uint8_t *room = len > 0 ? buf_room(key, len) : NULL;

	if (room == NULL)
		return;
	for (size_t i = 0; i < len; i++)
		room[i] = lower((uint8_t)text[i]);
	key->len += len;
}

void
map_name_key(const char *text, size_t len, struct buf *key)
{
	for (size_t at = 0; at < len;) {
		size_t run = plain_run(text + at, len - at);

		put_lower(text + at, run, key);
		at += run;
		if (at == len)
			break;
		at += says_nothing(text + at, len - at);
		if (text[at] == '/') {
			at += put_slash(text + at, len - at, key);
			continue;
		}
		put_folded((uint8_t)text[at++], key);
	}
}

void
map_name_key_gct(const char *text, size_t len, struct buf *key)
{
	for (size_t at = 0; at < len;) {
		if (text[at] == '/') {
			at += put_slash(text + at, len - at, key);
			continue;
		}
		buf_put_u8(key, lower((uint8_t)text[at++]));
	}
}

bool
map_name_equal(const char *a, const char *b)
{
	OWN_BUF(one, SIZE_MAX / 2);
	OWN_BUF(two, SIZE_MAX / 2);

	map_name_key(a, strlen(a), &one);
	map_name_key(b, strlen(b), &two);
	return !one.failed && !two.failed && one.len == two.len &&
	    (one.len == 0 || memcmp(one.data, two.data, one.len) == 0);
}

void
map_spellings_free(struct map_spellings *spellings)
{
	for (size_t i = 0; i < MAP_SPELLINGS_MAX; i++)
		buf_free(&spellings->text[i]);
	spellings->count = 0;
}

/* Which spelling of a backslash that says nothing. */
enum spelling {
	SPELLING_GCT,	 /* "\\/": the Toolkit reads "\/" */
	SPELLING_LETTER, /* "\/": XRootD's to the letter, plain to the Toolkit
			  */
	SPELLING_PLAIN	 /* "/": names as OpenSSL 1 prints them */
};

/* A quote is \x22 and not \": readers that know no escapes find no end there.
 * A backslash at the end is \x5C, since the Toolkit takes no quote after one
 * for the end; others than that of \xHH are written twice. */
static bool
is_hex_byte(const char *at)
{
	uint8_t byte;
	char hex[3] = { 0 };

	if (at[0] != '\\' || at[1] != 'x' ||
	    strspn(at + 2, "0123456789ABCDEF") < 2)
		return false;
	memcpy(hex, at + 2, 2);
	return text_unhex(hex, &byte, 1) == 1 && (byte < 0x20 || byte > 0x7e);
}

static void
spell(struct buf *out, const char *name, enum spelling how)
{
	size_t left = strlen(name);

	buf_put_u8(out, '"');
	for (const char *at = name; *at != '\0'; at++, left--) {
		size_t run = strcspn(at, "\"\\");

		buf_put(out, at, run);
		at += run;
		left -= run;
		if (*at == '\0')
			break;
		if (*at == '"')
			buf_text(out, "\\x22");
		else if (*at == '\\' && at[1] == '\0')
			buf_text(out, "\\x5C");
		else if (*at != '\\' || is_hex_byte(at))
			buf_put_u8(out, (uint8_t)*at);
		else if (!says_nothing(at, left) || how == SPELLING_GCT)
			buf_text(out, "\\\\");
		else if (how == SPELLING_LETTER)
			buf_put_u8(out, '\\');
	}
	buf_put_u8(out, '"');
}

/* Whether the name has other spellings: those that leave a backslash out.  Not
 * if another stands before it, which would then speak for the slash. */
static bool
has_others(const char *name)
{
	size_t left = strlen(name);
	bool any = false;

	for (const char *at = name; *at != '\0'; at++, left--) {
		if (!says_nothing(at, left))
			continue;
		if (at > name && at[-1] == '\\')
			return false;
		any = true;
	}
	return any;
}

static int
spellable(const char *name, unsigned readers, struct fault *f)
{
	size_t len = strlen(name);

	if (name[0] != '/' || !text_printable(name))
		return fault_set(f, FAULT_INPUT,
		    "not a name in the one-line form");
	if (len > NAME_MAX_LEN)
		return fault_set(f, FAULT_INPUT, "the name is too long");
	if ((readers & (MAP_READER_LCMAPS | MAP_READER_XROOTD)) != 0 &&
	    strchr(name, '*') != NULL)
		return fault_set(f, FAULT_DENIED,
		    "a '*' in the name: LCMAPS and XRootD would take it for "
		    "any text");
	if ((readers & MAP_READER_XROOTD) != 0 &&
	    (name[len - 1] == '$' || name[len - 1] == '+'))
		return fault_set(f, FAULT_DENIED,
		    "a '%c' at the name's end: XRootD would take it for a "
		    "pattern",
		    name[len - 1]);
	return 0;
}

int
map_name_spell(struct map_spellings *spellings, const char *name,
    unsigned readers, struct fault *f)
{
	static const enum spelling all[] = { SPELLING_GCT, SPELLING_LETTER,
		SPELLING_PLAIN };
	size_t count;

	*spellings = (struct map_spellings){ 0 };
	if (spellable(name, readers, f) < 0)
		return -1;
	count = has_others(name) ? MAP_SPELLINGS_MAX : 1;
	for (size_t i = 0; i < count; i++) {
		struct buf *text = &spellings->text[spellings->count];

		if (all[i] == SPELLING_LETTER &&
		    (readers & MAP_READER_XROOTD) == 0)
			continue;
		*text = BUF(4 * NAME_MAX_LEN + 2);
		spell(text, name, all[i]);
		if (text->failed)
			return fault_set(f, FAULT_MEMORY,
			    "no memory for a name");
		spellings->count++;
	}
	return 0;
}
