/* Names for people: OpenSSL's one-line form, and RFC 2253. */
#include "base/fault.h"
#include "base/text.h"
#include "x509/dn.h"
#include "x509/own_ssl.h"

#include <openssl/err.h>
#include <openssl/objects.h>

#include <stdio.h>
#include <string.h>

static const uint8_t cn_oid[] = { 0x55, 0x04, 0x03 };

static const struct {
	const char *name;
	const char *oid;
} attributes[] = {
#define DN_ATTRIBUTE(name, type, most, oid) { name, oid },
#define DN_ALIAS(name, type, most, oid)
#include "x509/dn.def"
#undef DN_ATTRIBUTE
#undef DN_ALIAS
};

#define ATTRIBUTES (sizeof(attributes) / sizeof(attributes[0]))

/* Text that is being written, never past its end. */
struct text {
	char *at;
	size_t left; /* with room for the NUL */
	bool failed;
};

static void
put_char(struct text *t, char c)
{
	if (t->left < 2) {
		t->failed = true;
		return;
	}
	*t->at++ = c;
	t->left--;
}

static void
put_text(struct text *t, const char *s)
{
	for (; *s != '\0'; s++)
		put_char(t, *s);
}

static void
put_hex(struct text *t, uint8_t octet)
{
	put_char(t, "0123456789ABCDEF"[octet >> 4]);
	put_char(t, "0123456789ABCDEF"[octet & 15]);
}

/* End the text that began at ${start}: -1 and "" if it did not fit. */
static int
finish(const struct text *t, char *start)
{
	if (t->failed)
		start[0] = '\0';
	else
		*t->at = '\0';
	return t->failed ? -1 : 0;
}

/* The name of an attribute type as OpenSSL shows it, dotted if it has none;
 * false in that case. */
static bool
put_type(struct text *t, struct wire_bytes oid)
{
	OWN(ASN1_OBJECT) object = NULL;
	char dotted[128];
	int nid;

	for (size_t i = 0; i < ATTRIBUTES; i++) {
		if (strlen(attributes[i].oid) != oid.len ||
		    memcmp(attributes[i].oid, oid.data, oid.len) != 0)
			continue;
		put_text(t, attributes[i].name);
		return true;
	}
	if (der_oid_text(oid, dotted, sizeof(dotted)) < 0) {
		t->failed = true;
		return false;
	}
	object = OBJ_txt2obj(dotted, 1);
	nid = object == NULL ? NID_undef : OBJ_obj2nid(object);
	ERR_clear_error();
	put_text(t, nid == NID_undef ? dotted : OBJ_nid2sn(nid));
	return nid != NID_undef;
}

int
dn_show_slash(const struct dn *dn, char *text, size_t size)
{
	struct text t = { text, size, false };
	struct dn_walk walk = dn_walk(dn);
	struct dn_ava ava;

	while (dn_walk_next(&walk, &ava)) {
		put_char(&t, ava.first ? '/' : '+');
		(void)put_type(&t, ava.oid);
		put_char(&t, '=');
		for (size_t i = 0; i < ava.value.len; i++) {
			uint8_t octet = ava.value.data[i];

			if (octet < 0x20 || octet > 0x7e) {
				put_text(&t, "\\x");
				put_hex(&t, octet);
				continue;
			}
			if (octet == '/' || octet == '+')
				put_char(&t, '\\');
			put_char(&t, (char)octet);
		}
	}
	return finish(&t, text);
}

/* How many octets each character of the type ${tag} has; 0 for UTF-8. */
static size_t
char_size(uint8_t tag)
{
	if (tag == DER_UTF8)
		return 0;
	if (tag == DER_BMP)
		return 2;
	return tag == DER_UNIVERSAL ? 4 : 1;
}

/* ${c} in UTF-8 (RFC 3629 section 3); how many octets. */
static size_t
encode(uint32_t c, uint8_t utf8[4])
{
	if (c < 0x80) {
		utf8[0] = (uint8_t)c;
		return 1;
	}
	if (c < 0x800) {
		utf8[0] = (uint8_t)(0xc0 | c >> 6);
		utf8[1] = (uint8_t)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		utf8[0] = (uint8_t)(0xe0 | c >> 12);
		utf8[1] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
		utf8[2] = (uint8_t)(0x80 | (c & 0x3f));
		return 3;
	}
	utf8[0] = (uint8_t)(0xf0 | c >> 18);
	utf8[1] = (uint8_t)(0x80 | (c >> 12 & 0x3f));
	utf8[2] = (uint8_t)(0x80 | (c >> 6 & 0x3f));
	utf8[3] = (uint8_t)(0x80 | (c & 0x3f));
	return 4;
}

/* The next octet of ${ava}'s value in UTF-8, from state {at, pending}. */
struct utf8_walk {
	size_t at;
	uint8_t octets[4];
	size_t count;
	size_t next;
};

static bool
utf8_next(struct utf8_walk *w, const struct dn_ava *ava, uint8_t *octet)
{
	size_t size = char_size(ava->tag);
	uint32_t c = 0;

	if (w->next == w->count) {
		if (ava->value.len - w->at < (size > 0 ? size : 1))
			return false;
		if (size == 0) {
			*octet = ava->value.data[w->at++];
			return true;
		}
		for (size_t i = 0; i < size; i++)
			c = c << 8 | ava->value.data[w->at++];
		w->count = encode(c, w->octets);
		w->next = 0;
	}
	*octet = w->octets[w->next++];
	return true;
}

int
dn_ava_text(const struct dn_ava *ava, char *text, size_t size)
{
	struct text t = { text, size, false };
	struct utf8_walk w = { 0 };
	uint8_t octet;

	while (utf8_next(&w, ava, &octet))
		put_char(&t, (char)octet);
	return finish(&t, text);
}

/* One octet of a value as RFC 2253 section 2.4 has it; others than ASCII in
 * hexadecimal, so that the result is ASCII. */
static void
put_escaped(struct text *t, uint8_t octet, bool at_start, bool at_end)
{
	if (octet < 0x20 || octet > 0x7e) {
		put_char(t, '\\');
		put_hex(t, octet);
		return;
	}
	if (strchr(",+\"\\<>;", octet) != NULL || (octet == '#' && at_start) ||
	    (octet == ' ' && (at_start || at_end)))
		put_char(t, '\\');
	put_char(t, (char)octet);
}

static void
put_value(struct text *t, const struct dn_ava *ava)
{
	struct utf8_walk w = { 0 };
	bool at_start = true;
	uint8_t octet;
	bool more = utf8_next(&w, ava, &octet);

	while (more) {
		uint8_t now = octet;

		more = utf8_next(&w, ava, &octet);
		put_escaped(t, now, at_start, !more);
		at_start = false;
	}
}

/* "#" and the value's DER: for types that have no name. */
static void
put_dump(struct text *t, const struct dn_ava *ava)
{
	OWN_BUF(der, DN_MAX);

	der_put(&der, ava->tag, ava->value.data, ava->value.len);
	if (der.failed)
		t->failed = true;
	put_char(t, '#');
	for (size_t i = 0; i < der.len; i++)
		put_hex(t, der.data[i]);
}

/* Attribute ${index} of ${dn}; false if there are not so many. */
static bool
ava_at(const struct dn *dn, size_t index, struct dn_ava *ava)
{
	struct dn_walk walk = dn_walk(dn);
	bool found;

	do
		found = dn_walk_next(&walk, ava);
	while (found && index-- > 0);
	return found;
}

int
dn_show_rfc2253(const struct dn *dn, char *text, size_t size)
{
	struct text t = { text, size, false };
	struct dn_walk walk = dn_walk(dn);
	struct dn_ava ava = { 0 };
	size_t count = 0;
	bool joins = false;

	while (dn_walk_next(&walk, &ava))
		count++;
	for (size_t i = 0; i < count && ava_at(dn, count - 1 - i, &ava); i++) {
		if (i > 0)
			put_char(&t, joins ? '+' : ',');
		joins = !ava.first;
		if (put_type(&t, ava.oid)) {
			put_char(&t, '=');
			put_value(&t, &ava);
			continue;
		}
		put_char(&t, '=');
		put_dump(&t, &ava);
	}
	return finish(&t, text);
}

int
dn_cn(const struct dn *dn, char *text, size_t size)
{
	struct dn_walk walk = dn_walk(dn);
	struct dn_ava ava, last = { .tag = 0 };

	while (dn_walk_next(&walk, &ava))
		if (der_bytes_equal(ava.oid,
			(struct wire_bytes){ cn_oid, sizeof(cn_oid) }))
			last = ava;
	if (last.tag == 0)
		return text_copy(text, size, "");
	return dn_ava_text(&last, text, size);
}
