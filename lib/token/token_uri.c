#include "token/token_uri.h"

#include "base/fault.h"
#include "base/text.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SCHEME_LEN (sizeof(TOKEN_URI_SCHEME) - 1)
#define VALUE_MAX 256 /* octets of a decoded value */
#define NAME_SHOWN 32

/* RFC 3986 2.3 and RFC 7512 2.3: what stands for itself. */
#define UNRESERVED                                                  \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz01234" \
	"56789-._~"
#define RES_AVAIL ":[]@!$'()*+,="
#define PATH_CHARACTERS UNRESERVED RES_AVAIL "&"
#define QUERY_CHARACTERS UNRESERVED RES_AVAIL "/?|"

enum part {
	PATH,
	QUERY
};

enum kind {
	TEXT,
	SLOT,
	ID,
	TYPE,
	COUNT
};

static const struct attribute {
	const char *name;
	enum part part;
	enum kind kind;
	size_t at;
	size_t size;
} attributes[] = {
#define ATTRIBUTE(name, part, kind, member)                           \
	{ (name), (part), (kind), offsetof(struct token_uri, member), \
		sizeof(((struct token_uri *)0)->member) },
#include "token/token_uri.def"
#undef ATTRIBUTE
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* The parts of a URI: what ends an attribute, and what may stand in one. */
static const struct {
	char between;
	const char *characters;
} parts[] = {
	[PATH] = { ';', PATH_CHARACTERS },
	[QUERY] = { '&', QUERY_CHARACTERS },
};

struct value {
	uint8_t data[VALUE_MAX + 1]; /* and a NUL */
	size_t len;
};

bool
token_uri_is(const char *text)
{
	return strncasecmp(text, TOKEN_URI_SCHEME, SCHEME_LEN) == 0;
}

/* One octet of a value from *${at}, before ${end}; -1 if it is malformed. */
static int
decode_octet(const char **at, const char *end, const char *characters)
{
	uint8_t octet;
	char digits[3];

	if (**at != '%')
		return strchr(characters, **at) == NULL ? -1
							: (uint8_t) * (*at)++;
	if (end - *at < 3)
		return -1;
	memcpy(digits, *at + 1, 2);
	digits[2] = '\0';
	if (text_unhex(digits, &octet, 1) != 1)
		return -1;
	*at += 3;
	return octet;
}

static int
decode(struct value *value, const struct attribute *a, const char *at,
    const char *end, struct fault *f)
{
	value->len = 0;
	while (at < end) {
		int octet = decode_octet(&at, end, parts[a->part].characters);

		if (octet < 0)
			return fault_set(f, FAULT_CONFIG,
			    "RFC 7512 2.3: malformed %s", a->name);
		if (value->len == VALUE_MAX)
			return fault_set(f, FAULT_CONFIG, "%s is too long",
			    a->name);
		value->data[value->len++] = (uint8_t)octet;
	}
	value->data[value->len] = '\0';
	if (value->len == 0)
		return fault_set(f, FAULT_CONFIG, "%s has no value", a->name);
	return 0;
}

static int
set_text(struct token_uri *uri, const struct attribute *a,
    const struct value *value, struct fault *f)
{
	if (!text_utf8(value->data, value->len))
		return fault_set(f, FAULT_CONFIG,
		    "RFC 7512 2.3: %s is not UTF-8 text", a->name);
	if (value->len >= a->size)
		return fault_set(f, FAULT_CONFIG, "%s is longer than %zu",
		    a->name, a->size - 1);
	memcpy((char *)uri + a->at, value->data, value->len + 1);
	return 0;
}

/* A decimal number, one way to write it: no sign, no leading zero. */
static int
number(const struct value *value, int64_t min, int64_t max, int64_t *n)
{
	const char *text = (const char *)value->data;

	if (strspn(text, "0123456789") != value->len ||
	    (text[0] == '0' && value->len > 1))
		return -1;
	return text_number(text, min, max, n);
}

static int
set_slot(struct token_uri *uri, const struct value *value, struct fault *f)
{
	int64_t n;

	if (number(value, 0, INT64_MAX, &n) < 0)
		return fault_set(f, FAULT_CONFIG, "slot-id is no number");
	uri->has_slot = true;
	uri->slot = (uint64_t)n;
	return 0;
}

static int
set_count(struct token_uri *uri, const struct value *value, struct fault *f)
{
	int64_t n;

	if (number(value, 1, TOKEN_SESSIONS_MAX, &n) < 0)
		return fault_set(f, FAULT_CONFIG, "max-sessions is not 1 to %d",
		    TOKEN_SESSIONS_MAX);
	uri->max_sessions = (unsigned)n;
	return 0;
}

static int
set_id(struct token_uri *uri, const struct value *value, struct fault *f)
{
	if (value->len > sizeof(uri->id))
		return fault_set(f, FAULT_CONFIG,
		    "id is longer than %zu octets", sizeof(uri->id));
	memcpy(uri->id, value->data, value->len);
	uri->id_len = value->len;
	return 0;
}

static int
set_type(struct token_uri *uri, const struct value *value, struct fault *f)
{
	if (value->len != 7 || memcmp(value->data, "private", 7) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "a CA's key has type=private and no other");
	uri->private = true;
	return 0;
}

static int
set(struct token_uri *uri, const struct attribute *a, const struct value *value,
    struct fault *f)
{
	switch (a->kind) {
	case TEXT:
		return set_text(uri, a, value, f);
	case SLOT:
		return set_slot(uri, value, f);
	case ID:
		return set_id(uri, value, f);
	case TYPE:
		return set_type(uri, value, f);
	case COUNT:
		return set_count(uri, value, f);
	}
	return fault_set(f, FAULT_INTERNAL, "%s", a->name);
}

/* Say why there is no attribute ${name} of ${len} characters here. */
static int
refuse_name(const char *name, size_t len, struct fault *f)
{
	char shown[NAME_SHOWN];

	(void)snprintf(shown, sizeof(shown), "%.*s", (int)len, name);
	if (strcmp(shown, "pin-value") == 0 || strcmp(shown, "pin-source") == 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: a PIN is never written down; take it out, and change "
		    "the PIN if one stood there",
		    shown);
	if (!text_printable(shown))
		return fault_set(f, FAULT_CONFIG,
		    "RFC 7512 2.3: malformed attribute");
	return fault_set(f, FAULT_CONFIG, "attribute \"%s\" cannot stand here",
	    shown);
}

static const struct attribute *
find(enum part part, const char *name, size_t len)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (attributes[i].part == part &&
		    strlen(attributes[i].name) == len &&
		    memcmp(attributes[i].name, name, len) == 0)
			return &attributes[i];
	return NULL;
}

/* One "name=value" from ${at} up to ${end}; ${seen} has a bit an attribute. */
static int
read_attribute(struct token_uri *uri, enum part part, const char *at,
    const char *end, unsigned *seen, struct fault *f)
{
	size_t len = strcspn(at, "=");
	const struct attribute *a;
	struct value value;

	if (at + len >= end)
		return fault_set(f, FAULT_CONFIG,
		    "RFC 7512 2.3: an attribute without \"=\"");
	if ((a = find(part, at, len)) == NULL)
		return refuse_name(at, len, f);
	if ((*seen & 1U << (a - attributes)) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "RFC 7512 2.3: %s given twice", a->name);
	*seen |= 1U << (a - attributes);
	if (decode(&value, a, at + len + 1, end, f) < 0)
		return -1;
	return set(uri, a, &value, f);
}

/* The attributes of a part, from ${at} up to ${end}; there may be none. */
static int
read_part(struct token_uri *uri, enum part part, const char *at,
    const char *end, unsigned *seen, struct fault *f)
{
	while (at < end) {
		const char *stop =
		    memchr(at, parts[part].between, (size_t)(end - at));

		if (stop == NULL)
			return read_attribute(uri, part, at, end, seen, f);
		if (read_attribute(uri, part, at, stop, seen, f) < 0)
			return -1;
		at = stop + 1;
		if (at == end)
			return fault_set(f, FAULT_CONFIG,
			    "RFC 7512 2.3: nothing after the last \"%c\"",
			    parts[part].between);
	}
	return 0;
}

static int
check_module(const struct token_uri *uri, struct fault *f)
{
	if (uri->module_path[0] != '\0' && uri->module_name[0] != '\0')
		return fault_set(f, FAULT_CONFIG,
		    "module-path or module-name: one of them");
	if (uri->module_path[0] != '\0' && uri->module_path[0] != '/')
		return fault_set(f, FAULT_CONFIG,
		    "module-path must begin with \"/\"");
	if (strspn(uri->module_name, UNRESERVED) != strlen(uri->module_name) ||
	    uri->module_name[0] == '.')
		return fault_set(f, FAULT_CONFIG,
		    "module-name is a name, not a path");
	return 0;
}

static int
check(const struct token_uri *uri, struct fault *f)
{
	if (uri->token[0] == '\0' && uri->serial[0] == '\0' && !uri->has_slot)
		return fault_set(f, FAULT_CONFIG,
		    "nothing says which token: add token=, serial= or "
		    "slot-id=");
	return check_module(uri, f);
}

int
token_uri_read(struct token_uri *uri, const char *text, struct fault *f)
{
	struct token_uri found = { 0 };
	const char *query, *end = text + strnlen(text, TOKEN_URI_MAX + 1);
	unsigned seen = 0;

	if (end - text > TOKEN_URI_MAX)
		return fault_set(f, FAULT_CONFIG,
		    "a URI of more than %d characters", TOKEN_URI_MAX);
	if (!token_uri_is(text))
		return fault_set(f, FAULT_CONFIG,
		    "RFC 7512 2.3: a URI of a token's key begins with "
		    "\"" TOKEN_URI_SCHEME "\"");
	text += SCHEME_LEN;
	query = text + strcspn(text, "?");
	if (read_part(&found, PATH, text, query, &seen, f) < 0)
		return -1;
	if (query < end &&
	    read_part(&found, QUERY, query + 1, end, &seen, f) < 0)
		return -1;
	if (check(&found, f) < 0)
		return -1;
	*uri = found;
	return 0;
}

int
token_uri_read_slot(struct token_uri *uri, const char *module, const char *text,
    struct fault *f)
{
	struct token_uri found = { .has_slot = true };
	size_t len = strcspn(text, ":");
	struct value value;
	int64_t slot;
	int id_len;

	if (len == 0 || len > 19 || text[len] != ':')
		return fault_set(f, FAULT_CONFIG,
		    "\"%.40s\" is not SLOT:ID, as in 0:45", text);
	memcpy(value.data, text, len);
	value.data[len] = '\0';
	value.len = len;
	if (number(&value, 0, INT64_MAX, &slot) < 0)
		return fault_set(f, FAULT_CONFIG, "the slot in \"%.40s\"",
		    text);
	id_len = text_unhex(text + len + 1, found.id, sizeof(found.id));
	if (id_len < 0)
		return fault_set(f, FAULT_CONFIG,
		    "the key id in \"%.40s\" is not hexadecimal, two digits an "
		    "octet",
		    text);
	found.id_len = (size_t)id_len;
	found.slot = (uint64_t)slot;
	if (text_copy(found.module_path, sizeof(found.module_path), module) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "the module's path is too long");
	if (check(&found, f) < 0)
		return -1;
	*uri = found;
	return 0;
}

bool
token_uri_named(const char *key, const char *module)
{
	return token_uri_is(key) || *module != '\0';
}

bool
token_uri_is_slot(const char *key)
{
	struct fault unused = { 0 };
	struct token_uri uri;

	return token_uri_read_slot(&uri, "", key, &unused) == 0;
}

/* The module of the other line, which a URI may leave out. */
static int
add_module(struct token_uri *uri, const char *module, struct fault *f)
{
	const bool named =
	    *uri->module_path != '\0' || *uri->module_name != '\0';

	if (*module == '\0' && !named)
		return fault_set(f, FAULT_CONFIG,
		    "neither key nor key-module says which PKCS#11 module");
	if (*module == '\0' || strcmp(uri->module_path, module) == 0)
		return 0;
	if (named)
		return fault_set(f, FAULT_CONFIG,
		    "key and key-module name different modules");
	if (text_copy(uri->module_path, sizeof(uri->module_path), module) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "key-module: the path is too long");
	return 0;
}

int
token_uri_read_named(struct token_uri *uri, const char *key, const char *module,
    struct fault *f)
{
	struct token_uri found = { 0 };

	if (!token_uri_is(key))
		return token_uri_read_slot(uri, module, key, f);
	if (token_uri_read(&found, key, f) < 0 ||
	    add_module(&found, module, f) < 0)
		return -1;
	*uri = found;
	return 0;
}

/* What goes between attributes: nothing before the first. */
static void
put_name(struct buf *out, const struct attribute *a, unsigned *count)
{
	if (*count > 0)
		buf_put_u8(out, (uint8_t)parts[a->part].between);
	else if (a->part == QUERY)
		buf_text(out, "?");
	*count += 1;
	buf_fmt(out, "%s=", a->name);
}

/* RFC 7512 2.3: the octets of an id SHOULD all be encoded. */
static void
put_value(struct buf *out, const struct attribute *a, const uint8_t *data,
    size_t len)
{
	const char *plain = a->kind == ID ? "" : parts[a->part].characters;

	for (size_t i = 0; i < len; i++)
		if (data[i] != '\0' && strchr(plain, data[i]) != NULL)
			buf_put_u8(out, data[i]);
		else
			buf_fmt(out, "%%%02X", data[i]);
}

static void
put(struct buf *out, const struct token_uri *uri, const struct attribute *a,
    unsigned *count)
{
	const char *text = (const char *)uri + a->at;

	if (a->kind == TEXT && text[0] != '\0') {
		put_name(out, a, count);
		put_value(out, a, (const uint8_t *)text, strlen(text));
	}
	if (a->kind == SLOT && uri->has_slot) {
		put_name(out, a, count);
		buf_fmt(out, "%llu", (unsigned long long)uri->slot);
	}
	if (a->kind == ID && uri->id_len > 0) {
		put_name(out, a, count);
		put_value(out, a, uri->id, uri->id_len);
	}
	if (a->kind == TYPE && uri->private) {
		put_name(out, a, count);
		buf_text(out, "private");
	}
	if (a->kind == COUNT && uri->max_sessions > 0) {
		put_name(out, a, count);
		buf_fmt(out, "%u", uri->max_sessions);
	}
}

void
token_uri_write(const struct token_uri *uri, struct buf *out)
{
	buf_text(out, TOKEN_URI_SCHEME);
	for (int part = PATH; part <= QUERY; part++) {
		unsigned count = 0;

		for (size_t i = 0; i < ATTRIBUTES; i++)
			if (attributes[i].part == (enum part)part)
				put(out, uri, &attributes[i], &count);
	}
}
