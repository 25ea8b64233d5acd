/* Names from text: the one-line form, and templates of it. */
#include "base/fault.h"
#include "base/text.h"
#include "x509/dn.h"

#include <string.h>

#define VALUE_MAX DN_MAX

enum string_type {
	TEXT,
	IA5,
	PRINTABLE
};

static const struct attribute {
	const char *name;
	enum string_type type;
	size_t most; /* characters, in a name that we give; 0: no bound */
	const char *oid;
} attributes[] = {
#define DN_ATTRIBUTE(name, type, most, oid) { name "=", type, most, oid },
#define DN_ALIAS(name, type, most, oid) { name "=", type, most, oid },
#include "x509/dn.def"
#undef DN_ATTRIBUTE
#undef DN_ALIAS
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* Some octets of a value, with what they come from. */
struct value {
	char data[VALUE_MAX + 1]; /* and a NUL */
	size_t len;
};

/* The attribute whose name and '=' stand at ${at}, or NULL. */
static const struct attribute *
attribute_at(const char *at)
{
	for (size_t i = 0; i < ATTRIBUTES; i++)
		if (text_starts(at, attributes[i].name))
			return &attributes[i];
	return NULL;
}

/* Whether something at ${at} looks like an attribute type and '='. */
static bool
type_at(const char *at)
{
	size_t len = strspn(at,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789.-");

	return len > 0 && at[len] == '=';
}

/* Whether ${at} is the "\/" or "\+" that OpenSSL 3 shows for '/' and '+'. */
static bool
escape_at(const char *at)
{
	return at[0] == '\\' && (at[1] == '/' || at[1] == '+');
}

/* The end of the value that begins at ${at}: a slash with a type after it. */
static const char *
value_end(const char *at)
{
	for (; *at != '\0'; at++) {
		if (*at == '/' && type_at(at + 1))
			return at;
		if (escape_at(at))
			at++;
	}
	return at;
}

/* X.680 41.4: the characters of a PrintableString. */
static bool
is_printable_string(const char *data, size_t len)
{
	static const char allowed[] =
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789 '()+,-./:=?";

	for (size_t i = 0; i < len; i++)
		if (memchr(allowed, data[i], sizeof(allowed) - 1) == NULL)
			return false;
	return true;
}

static bool
is_ascii(const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((data[i] & 0x80) != 0)
			return false;
	return true;
}

/* Append one RDN; what is wrong with ${value} is a fault of kind ${code}. */
static int
put_rdn(struct buf *out, const struct attribute *attribute,
    const struct value *value, enum fault_code code, struct fault *f)
{
	bool fits = is_printable_string(value->data, value->len);
	uint8_t tag = fits ? DER_PRINTABLE : DER_UTF8;
	size_t set, one;

	if (value->len == 0)
		return fault_set(f, code, "%s has no value", attribute->name);
	if (!text_utf8(value->data, value->len))
		return fault_set(f, code,
		    "%s has control characters or is not UTF-8",
		    attribute->name);
	if (attribute->type == PRINTABLE && !fits)
		return fault_set(f, code,
		    "%s has characters that a PrintableString has not",
		    attribute->name);
	if (attribute->type == IA5) {
		tag = DER_IA5;
		if (!is_ascii(value->data, value->len))
			return fault_set(f, code, "%s is not ASCII",
			    attribute->name);
	}
	set = der_open(out, DER_SET);
	one = der_open(out, DER_SEQUENCE);
	der_put(out, DER_OID, attribute->oid, strlen(attribute->oid));
	der_put(out, tag, value->data, value->len);
	der_close(out, one);
	der_close(out, set);
	return 0;
}

static int
put_octet(struct value *value, char octet, struct fault *f)
{
	if (value->len == VALUE_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a value of more than %d bytes", VALUE_MAX);
	value->data[value->len++] = octet;
	return 0;
}

/* The value that is named at ${at}, after a '{'; NULL if there is none. */
static const struct dn_value *
value_at(const char *at, const struct dn_value *values)
{
	for (; values->name != NULL; values++) {
		size_t len = strlen(values->name);

		if (text_starts(at, values->name) && at[len] == '}')
			return values;
	}
	return NULL;
}

/* Put in what comes from outside: the part of a name nobody has looked at. */
static int
put_stranger(struct value *to, const char *from, struct fault *f)
{
	size_t len = strlen(from);

	if (len == 0)
		return fault_set(f, FAULT_DENIED, "an empty value in a name");
	if (!text_utf8(from, len))
		return fault_set(f, FAULT_DENIED,
		    "a value with control characters or not UTF-8 in a name");
	if (from[0] == ' ' || from[len - 1] == ' ')
		return fault_set(f, FAULT_DENIED,
		    "a value with a blank at its end in a name");
	if (len > VALUE_MAX - to->len)
		return fault_set(f, FAULT_DENIED,
		    "a value of more than %d bytes", VALUE_MAX);
	memcpy(to->data + to->len, from, len);
	to->len += len;
	return 0;
}

/* The octet that the text at *${at} stands for; *${at} is moved past it. */
static char
next_octet(const char **at)
{
	const char *p = *at;
	char digits[3] = { 0 };
	uint8_t octet;

	if (p[0] == '\\' && p[1] == 'x' && p[2] != '\0') {
		digits[0] = p[2];
		digits[1] = p[3];
		if (text_unhex(digits, &octet, 1) == 1) {
			*at += 4;
			return (char)octet;
		}
	}
	if (escape_at(p))
		p++;
	*at = p + 1;
	return *p;
}

/*
 * Resolve escapes and, if there are ${values}, {name} in the text from ${at}
 * to ${end}.  Neither is looked for in what was put in.
 */
static int
expand(struct value *value, const char *at, const char *end,
    const struct dn_value *values, struct fault *f)
{
	value->len = 0;
	while (at < end) {
		const struct dn_value *named;

		if (*at != '{' || values == NULL) {
			if (put_octet(value, next_octet(&at), f) < 0)
				return -1;
			continue;
		}
		if ((named = value_at(at + 1, values)) == NULL)
			return fault_set(f, FAULT_INPUT,
			    "there is no value for \"%.*s\"", (int)(end - at),
			    at);
		if (put_stranger(value, named->value, f) < 0)
			return -1;
		at += strlen(named->name) + 2;
	}
	value->data[value->len] = '\0';
	/*
	 * Whoever compares names as text, without escapes as OpenSSL 1 showed
	 * them, would take a user called "x/CN=root" for someone else.
	 */
	if (values != NULL && strchr(value->data, '/') != NULL)
		for (at = value->data; *at != '\0'; at++)
			if (*at == '/' && type_at(at + 1))
				return fault_set(f, FAULT_DENIED,
				    "a value that reads as another name");
	return 0;
}

static size_t
characters(const struct value *value)
{
	size_t n = 0;

	for (size_t i = 0; i < value->len; i++)
		n += (value->data[i] & 0xc0) != 0x80;
	return n;
}

/* Names that others have given may be as they are; ours keep to RFC 5280
 * appendix A.1. */
static int
check_length(const struct attribute *attribute, const struct value *value,
    struct fault *f)
{
	if (attribute->most == 0 || characters(value) <= attribute->most)
		return 0;
	return fault_set(f, FAULT_NAME,
	    "%s%.80s has more than %zu characters (RFC 5280 appendix A.1)",
	    attribute->name, value->data, attribute->most);
}

static int
read_text(struct dn *dn, const char *text, const struct dn_value *values,
    enum fault_code code, struct fault *f)
{
	struct value value;
	OWN_BUF(out, DN_MAX);
	size_t mark = der_open(&out, DER_SEQUENCE);

	if (*text != '/')
		return fault_set(f, FAULT_INPUT,
		    "a name must begin with a slash");
	while (*text == '/') {
		const struct attribute *attribute = attribute_at(text + 1);
		const char *start, *end;

		if (attribute == NULL)
			return fault_set(f, FAULT_INPUT,
			    "unknown attribute type at \"%.40s\"", text + 1);
		start = text + 1 + strlen(attribute->name);
		end = value_end(start);
		if (expand(&value, start, end, values, f) < 0 ||
		    (values != NULL &&
			check_length(attribute, &value, f) < 0) ||
		    put_rdn(&out, attribute, &value, code, f) < 0)
			return -1;
		text = end;
	}
	der_close(&out, mark);
	if (out.failed)
		return fault_set(f, code, "a name of more than %d bytes",
		    DN_MAX);
	memcpy(dn->der, out.data, out.len);
	dn->len = out.len;
	return 0;
}

int
dn_read_slash(struct dn *dn, const char *text, struct fault *f)
{
	return read_text(dn, text, NULL, FAULT_INPUT, f);
}

int
dn_fill(struct dn *dn, const char *template, const struct dn_value *values,
    struct fault *f)
{
	char text[4 * DN_TEXT_MAX];
	struct dn filled, again;
	struct fault other;

	if (read_text(&filled, template, values, FAULT_DENIED, f) < 0)
		return -1;
	/* Backslashes: "\x41" and "A" must not be one name in a map file. */
	if (dn_show_slash(&filled, text, sizeof(text)) < 0 ||
	    dn_read_slash(&again, text, &other) < 0 ||
	    !dn_equal(&filled, &again))
		return fault_set(f, FAULT_DENIED,
		    "a value that reads as another name");
	*dn = filled;
	return 0;
}

int
dn_add_cn(struct dn *dn, const char *cn, struct fault *f)
{
	struct der_in in = DER_IN(dn->der, dn->len);
	struct wire_bytes before = der_get(&in, DER_SEQUENCE);
	struct value value = { .len = strlen(cn) };
	OWN_BUF(out, DN_MAX);
	size_t mark = der_open(&out, DER_SEQUENCE);

	if (value.len > VALUE_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a value of more than %d bytes", VALUE_MAX);
	memcpy(value.data, cn, value.len);
	buf_put(&out, before.data, before.len);
	if (put_rdn(&out, attribute_at("CN="), &value, FAULT_INPUT, f) < 0)
		return -1;
	der_close(&out, mark);
	if (out.failed || !der_ended(&in))
		return fault_set(f, FAULT_INPUT, "a name of more than %d bytes",
		    DN_MAX);
	memcpy(dn->der, out.data, out.len);
	dn->len = out.len;
	return 0;
}
