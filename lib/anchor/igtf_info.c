#include "anchor/igtf_info.h"

#include "anchor/spelling.h"
#include "base/fault.h"
#include "base/text.h"

#include <ctype.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 65536
#define KEY_MAX 64

/* -1 only if memory is out. */
typedef int read_fn(struct anchor_want *want, char *value, struct fault *f);

static int
read_alias(struct anchor_want *want, char *value, struct fault *f)
{
	if (want->alias != NULL && strcmp(want->alias, value) != 0)
		return want_say(&want->notes, f,
		    "alias %s is not the file's name", value);
	return 0;
}

/* The fingerprint as we write it: it is compared as text. */
static int
read_sha1(struct anchor_want *want, char *value, struct fault *f)
{
	for (char *at = value; *at != '\0'; at++)
		*at = (char)toupper((unsigned char)*at);
	return want_set(&want->pin[WANT_SHA1], value, f);
}

/* "DN", or in a package of CAs several of them. */
static int
read_subject(struct anchor_want *want, char *value, struct fault *f)
{
	char *end = *value == '"' ? strchr(value + 1, '"') : NULL;
	OWN_BUF(name, LINE_MAX_BYTES);

	if (end == NULL || end == value + 1)
		return want_say(&want->wrong, f,
		    "subjectdn is no name in double quotes");
	if (*text_trim(end + 1) != '\0') {
		want->meta = true;
		return 0;
	}
	*end = '\0';
	spelling_put(&name, SPELLING_GT4, value + 1);
	if (buf_cstr(&name) == NULL)
		return fault_set(f, FAULT_MEMORY, "subjectdn");
	return want_set(&want->subject, (const char *)name.data, f);
}

/* Each of the texts in ${value} between ${separator}s. */
static int
add_each(struct anchor_want *want, struct want_list *list, char *value,
    char separator, struct fault *f)
{
	while (value != NULL) {
		char *next = strchr(value, separator);
		char *item;

		if (next != NULL)
			*next++ = '\0';
		item = text_trim(value);
		if (*item != '\0' && want_add(want, list, item, f) < 0)
			return -1;
		value = next;
	}
	return 0;
}

/* Aliases, with or without version. */
static int
add_items(struct anchor_want *want, struct want_list *list, char *value,
    struct fault *f)
{
	char alias[WANT_ALIAS_MAX];
	const char *version;

	if (add_each(want, list, value, ',', f) < 0)
		return -1;
	for (size_t i = 0; i < list->count; i++)
		if ((igtf_item(list->item[i], alias, &version) < 0 ||
			strchr(list->item[i], '\\') != NULL) &&
		    want_say(&want->wrong, f, "no name of a CA: %.100s",
			list->item[i]) < 0)
			return -1;
	return 0;
}

static int
read_requires(struct anchor_want *want, char *value, struct fault *f)
{
	return add_items(want, &want->requires, value, f);
}

static int
read_obsoletes(struct anchor_want *want, char *value, struct fault *f)
{
	return add_items(want, &want->obsoletes, value, f);
}

static int
read_cert_url(struct anchor_want *want, char *value, struct fault *f)
{
	return want_add(want, &want->cert_urls, value, f);
}

static bool
is_url(const char *text)
{
	size_t len = strspn(text,
	    "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	return len > 1 && text_starts(text + len, ":/") &&
	    text_printable(text) && strpbrk(text, " \"<>\\") == NULL;
}

static int
check_urls(struct anchor_want *want, const struct want_list *list,
    struct fault *f)
{
	for (size_t i = 0; i < list->count; i++)
		if (!is_url(list->item[i]) &&
		    want_say(&want->wrong, f, "no address of a CRL: %.200s",
			list->item[i]) < 0)
			return -1;
	return 0;
}

/* One list more, whatever number it has: the order is that of the file. */
static int
read_crl_url(struct anchor_want *want, char *value, struct fault *f)
{
	struct want_list *urls;

	if (want->crls == WANT_CRLS_MAX)
		return want_say(&want->wrong, f, "more than %d CRLs",
		    WANT_CRLS_MAX);
	urls = &want->crl[want->crls].urls;
	if (add_each(want, urls, value, ';', f) < 0)
		return -1;
	if (urls->count > 0)
		want->crls++;
	return check_urls(want, urls, f);
}

static const struct {
	const char *key;
	read_fn *read; /* NULL: the text goes to the field at ${offset} */
	size_t offset;
} keys[] = {
	{ "alias", read_alias, 0 },
	{ "version", NULL, offsetof(struct anchor_want, version) },
	{ "status", NULL, offsetof(struct anchor_want, status) },
	{ "url", NULL, offsetof(struct anchor_want, page) },
	{ "email", NULL, offsetof(struct anchor_want, contact) },
	{ "policy_url", NULL, offsetof(struct anchor_want, policy_url) },
	{ "sha1fp.0", read_sha1, 0 },
	{ "subjectdn", read_subject, 0 },
	{ "requires", read_requires, 0 },
	{ "obsoletes", read_obsoletes, 0 },
	{ "ca_url", read_cert_url, 0 },
	{ "crl_url", read_crl_url, 0 },
};

/* What ${value} does of the key keys[${which}]. */
static int
read_value(struct anchor_want *want, size_t which, char *value, struct fault *f)
{
	if (keys[which].read != NULL)
		return keys[which].read(want, value, f);
	return want_set((char **)(void *)((char *)want + keys[which].offset),
	    value, f);
}

/* Whether ${key} is ${name}; crl_url.0 is a crl_url. */
static bool
is_key(const char *key, const char *name)
{
	size_t len = strlen(name);

	if (strcmp(key, name) == 0)
		return true;
	return strcmp(name, "crl_url") == 0 && text_starts(key, "crl_url.") &&
	    key[len + 1] != '\0' &&
	    key[len + 1 + strspn(key + len + 1, "0123456789")] == '\0';
}

static int
read_pair(struct anchor_want *want, char *line, int number, bool *known,
    struct fault *f)
{
	char *value = strchr(line, '=');
	char *key;

	if (*line == '\0' || *line == '#')
		return 0;
	if (value == NULL)
		return want_say(&want->wrong, f,
		    "line %d is no \"key = value\"", number);
	*value++ = '\0';
	key = text_trim(line);
	value = text_trim(value);
	for (size_t i = 0; *value != '\0' && i < sizeof(keys) / sizeof(keys[0]);
	     i++)
		if (is_key(key, keys[i].key)) {
			*known = true;
			return read_value(want, i, value, f);
		}
	return 0;
}

static bool
is_end(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f || c == '\\';
}

/*
 * The next line, with those it goes on in, as text in ${line}: 1, 0 at the end.
 * Bytes that no name or address holds become blanks.
 */
static int
next_line(const char *text, size_t len, size_t *at, int *number,
    struct buf *line, struct fault *f)
{
	bool goes_on = true;

	buf_clear(line);
	if (*at >= len)
		return 0;
	while (goes_on && *at < len) {
		const char *end = memchr(text + *at, '\n', len - *at);
		size_t size =
		    end != NULL ? (size_t)(end - text) - *at : len - *at;
		size_t next = *at + size + 1;

		goes_on = false;
		/* What ends a line so goes on, however it is said. */
		while (size > 0 && is_end(text[*at + size - 1])) {
			goes_on = goes_on || text[*at + size - 1] == '\\';
			size--;
		}
		for (size_t i = 0; i < size; i++) {
			char c = text[*at + i];

			buf_put_u8(line,
			    (unsigned char)c < 0x20 || c == 0x7f ? ' '
								 : (uint8_t)c);
		}
		buf_put_u8(line, ' ');
		*at = next;
		(*number)++;
	}
	if (buf_cstr(line) == NULL)
		return fault_set(f, FAULT_INPUT, "line %d is too long",
		    *number);
	return 1;
}

int
igtf_info_read(struct anchor_want *want, const char *text, size_t len,
    struct fault *f)
{
	OWN_BUF(line, LINE_MAX_BYTES);
	size_t at = 0;
	int number = 0, more;
	bool known = false;

	if (len > IGTF_INFO_MAX)
		return want_say(&want->wrong, f, "larger than %d bytes",
		    IGTF_INFO_MAX);
	if (len > 0 && memchr(text, '\0', len) != NULL)
		return want_say(&want->wrong, f, "holds a NUL byte");
	while ((more = next_line(text, len, &at, &number, &line, f)) == 1)
		if (read_pair(want, text_trim((char *)line.data), number,
			&known, f) < 0)
			return -1;
	if (more < 0 && want_say(&want->wrong, f, "a line is too long") < 0)
		return -1;
	/* As when the disk was full. */
	if (!known && want->wrong.count == 0 &&
	    want_say(&want->wrong, f, "says nothing of a CA") < 0)
		return -1;
	/* A package of one CA has the form of a CA's own file. */
	if (want->alias != NULL && text_starts(want->alias, "policy-"))
		want->meta = true;
	return 0;
}

int
igtf_crl_url_read(struct anchor_want *want, struct want_list *list,
    const char *text, size_t len, struct fault *f)
{
	OWN_BUF(line, LINE_MAX_BYTES);
	size_t at = 0;
	int number = 0, more;

	if (len > IGTF_INFO_MAX)
		return want_say(&want->wrong, f, "larger than %d bytes",
		    IGTF_INFO_MAX);
	if (len > 0 && memchr(text, '\0', len) != NULL)
		return want_say(&want->wrong, f, "holds a NUL byte");
	while ((more = next_line(text, len, &at, &number, &line, f)) == 1) {
		const char *url = text_trim((char *)line.data);

		if (*url != '\0' && *url != '#' &&
		    want_add(want, list, url, f) < 0)
			return -1;
	}
	if (more < 0 && want_say(&want->wrong, f, "a line is too long") < 0)
		return -1;
	return check_urls(want, list, f);
}

int
igtf_item(const char *item, char alias[WANT_ALIAS_MAX], const char **version)
{
	size_t len = strcspn(item, " \t=<>");
	const char *rest = item + len + strspn(item + len, " \t");

	if (len == 0 || len >= WANT_ALIAS_MAX)
		return -1;
	*version = NULL;
	if (*rest == '=')
		*version = rest + 1 + strspn(rest + 1, "= \t");
	else if (*rest != '\0')
		return -1;
	memcpy(alias, item, len);
	alias[len] = '\0';
	return 0;
}

static void
put(struct buf *out, const char *key, const char *value)
{
	if (value != NULL && *value != '\0')
		buf_fmt(out, "%s = %s\n", key, value);
}

static void
put_list(struct buf *out, const struct want_list *list, const char *between)
{
	for (size_t i = 0; i < list->count; i++)
		buf_fmt(out, "%s%s", i > 0 ? between : "", list->item[i]);
	buf_text(out, "\n");
}

void
igtf_info_write(const struct anchor_want *want, struct buf *out)
{
	put(out, "alias", want->alias);
	put(out, "version", want->version);
	put(out, "status", want->status);
	put(out, "url", want->page);
	put(out, "email", want->contact);
	put(out, "policy_url", want->policy_url);
	put(out, "sha1fp.0", want->pin[WANT_SHA1]);
	for (size_t i = 0; i < want->cert_urls.count; i++)
		put(out, "ca_url", want->cert_urls.item[i]);
	if (want->subject != NULL)
		buf_fmt(out, "subjectdn = \"%s\"\n", want->subject);
	for (size_t i = 0; i < want->crls; i++) {
		buf_fmt(out, "crl_url.%zu = ", i);
		put_list(out, &want->crl[i].urls, ";");
	}
	if (want->requires.count > 0) {
		buf_text(out, "requires = ");
		put_list(out, &want->requires, ", \\\n    ");
	}
	if (want->obsoletes.count > 0) {
		buf_text(out, "obsoletes = ");
		put_list(out, &want->obsoletes, ", \\\n    ");
	}
}
