#include "anchor/cadesc.h"

#include "anchor/spelling.h"
#include "base/fault.h"
#include "base/text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789abcdef"
#define VALUE_MAX 4096

/* A file being read: what there is of each key. */
struct reading {
	struct anchor_want *want;
	size_t *times; /* of each key */
	enum want_form crl_form;
	const char *key;
	struct fault *f;
};

/* -1 only if memory is out; what is wrong with the value is said to want. */
typedef int read_fn(struct reading *r, const char *value);

static const char *const pin_keys[WANT_PINS] = { "CERTIFICATE_MD5",
	"CERTIFICATE_SHA1", "CERTIFICATE_SHA256", "CERTIFICATE_SHA384" };

static int
wrong(struct reading *r, const char *what)
{
	return want_say(&r->want->wrong, r->f, "%s", what);
}

static bool
is_unknown(const char *value)
{
	return strcmp(value, "?") == 0;
}

static int
set(struct reading *r, char **to, const char *value)
{
	return want_set(to, value, r->f);
}

static int
read_nothing(struct reading *r, const char *value)
{
	(void)r;
	(void)value;
	return 0;
}

static int
read_title(struct reading *r, const char *value)
{
	return set(r, &r->want->title, value);
}

/* Comments for people: the first is kept. */
static int
read_page(struct reading *r, const char *value)
{
	return r->want->page != NULL || is_unknown(value)
	    ? 0
	    : want_set(&r->want->page, value, r->f);
}

static int
read_contact(struct reading *r, const char *value)
{
	return r->want->contact != NULL || is_unknown(value)
	    ? 0
	    : want_set(&r->want->contact, value, r->f);
}

static int
read_hash(struct reading *r, const char *value)
{
	if (strlen(value) != 8 || value[strspn(value, DIGITS)] != '\0')
		return wrong(r, "Invalid HASH");
	if (strcmp(value, r->want->hash) != 0)
		return want_say(&r->want->wrong, r->f,
		    "HASH %s is not that of the file's name, %s", value,
		    r->want->hash);
	return 0;
}

/* A name or pattern as we compare it; double quotes and controls have no place
 * in a signing policy. */
static int
name_text(struct reading *r, const char *value, struct buf *out)
{
	if (*value != '/' || strchr(value, '"') != NULL) {
		if (want_say(&r->want->wrong, r->f,
			"%s is no name in slash form: %s", r->key, value) < 0)
			return -1;
		return 1;
	}
	spelling_put(out, SPELLING_GT4, value);
	if (buf_cstr(out) == NULL)
		return fault_set(r->f, FAULT_MEMORY, "%s", r->key);
	return 0;
}

static int
read_subject(struct reading *r, const char *value)
{
	OWN_BUF(name, VALUE_MAX);
	int result = name_text(r, value, &name);

	return result != 0 ? (result < 0 ? -1 : 0)
			   : set(r, &r->want->subject, (char *)name.data);
}

static int
read_signer(struct reading *r, const char *value)
{
	OWN_BUF(name, VALUE_MAX);
	int result;

	if (strcmp(value, "self") == 0)
		return set(r, &r->want->issuer, "");
	result = name_text(r, value, &name);
	return result != 0 ? (result < 0 ? -1 : 0)
			   : set(r, &r->want->issuer, (char *)name.data);
}

static int
read_may_sign(struct reading *r, const char *value)
{
	OWN_BUF(name, VALUE_MAX);
	int result;

	if (is_unknown(value)) {
		r->want->may_sign_unknown = true;
		return 0;
	}
	result = name_text(r, value, &name);
	return result != 0
	    ? (result < 0 ? -1 : 0)
	    : want_add(r->want, &r->want->may_sign, (char *)name.data, r->f);
}

/* Upper case, with colons, if it was hexadecimal; else as it is, and no
 * certificate will have it. */
static int
read_pin(struct reading *r, enum want_pin which, const char *value)
{
	OWN_BUF(text, VALUE_MAX);
	size_t digits = 0;

	for (const char *at = value; *at != '\0'; at++) {
		if (*at == ':')
			continue;
		if (!isxdigit((unsigned char)*at))
			return set(r, &r->want->pin[which], value);
		if (digits > 0 && digits % 2 == 0)
			buf_put_u8(&text, ':');
		buf_put_u8(&text, (uint8_t)toupper((unsigned char)*at));
		digits++;
	}
	if (buf_cstr(&text) == NULL)
		return fault_set(r->f, FAULT_MEMORY, "%s", r->key);
	return set(r, &r->want->pin[which], (char *)text.data);
}

static int
read_md5(struct reading *r, const char *value)
{
	return read_pin(r, WANT_MD5, value);
}

static int
read_sha1(struct reading *r, const char *value)
{
	return read_pin(r, WANT_SHA1, value);
}

static int
read_sha256(struct reading *r, const char *value)
{
	return read_pin(r, WANT_SHA256, value);
}

static int
read_sha384(struct reading *r, const char *value)
{
	return read_pin(r, WANT_SHA384, value);
}

/* http, https or ftp, and never the name of a file (facts: FORMATS section 1).
 */
static bool
is_url(const char *value)
{
	static const char *const schemes[] = { "http://", "https://",
		"ftp://" };

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t len = strlen(schemes[i]);

		if (strncasecmp(value, schemes[i], len) == 0)
			return value[len] != '\0' && value[len] != '/' &&
			    text_printable(value) && strchr(value, ' ') == NULL;
	}
	return false;
}

/* 1 if ${value} is a URL, 0 if it is none: unknown, or wrong. */
static int
check_url(struct reading *r, const char *value)
{
	if (is_unknown(value))
		return 0;
	if (is_url(value))
		return 1;
	return want_say(&r->want->wrong, r->f,
	    "Bad value for %s (must be a URL)", r->key);
}

static int
add_url(struct reading *r, struct want_list *list, const char *value)
{
	int good = check_url(r, value);

	return good == 1 ? want_add(r->want, list, value, r->f) : good;
}

static int
read_cert_url(struct reading *r, const char *value)
{
	return add_url(r, &r->want->cert_urls, value);
}

static int
read_crl_url(struct reading *r, const char *value)
{
	return add_url(r, &r->want->crl[0].urls, value);
}

static int
read_policy_url(struct reading *r, const char *value)
{
	int good = check_url(r, value);

	return good == 1 ? set(r, &r->want->policy_url, value) : good;
}

static int
read_form(struct reading *r, const char *value, const char *allowed,
    enum want_form *form)
{
	static const char *const names[] = { "PEM", "DER", "NET" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(value, names[i]) == 0 &&
		    strstr(allowed, names[i]) != NULL) {
			*form = (enum want_form)i;
			return 0;
		}
	return want_say(&r->want->wrong, r->f, "Value for %s must be %s",
	    r->key, allowed);
}

static int
read_cert_form(struct reading *r, const char *value)
{
	return read_form(r, value, "\"PEM\", \"DER\", or \"NET\"",
	    &r->want->cert_form);
}

static int
read_crl_form(struct reading *r, const char *value)
{
	return read_form(r, value, "\"PEM\" or \"DER\"", &r->crl_form);
}

static int
read_flag(struct reading *r, const char *value, bool *flag)
{
	bool yes = strcasecmp(value, "yes") == 0;

	if (!yes && strcasecmp(value, "no") != 0)
		return want_say(&r->want->wrong, r->f,
		    "Value for %s must be \"yes\" or \"no\"", r->key);
	*flag = yes;
	return 0;
}

static int
read_allow(struct reading *r, const char *value)
{
	return read_flag(r, value, &r->want->allow_missing_crl);
}

static int
read_disable(struct reading *r, const char *value)
{
	return read_flag(r, value, &r->want->disabled);
}

enum need {
	ANY,
	LIST,
	ONE,
	SOME
};

static const struct {
	const char *key;
	read_fn *read;
	enum need need;
	const char *doc;
} keys[] = {
#define CADESC(key, reader, need, doc) { key, reader, need, doc },
#include "anchor/cadesc.def"
#undef CADESC
};

#define KEYS (sizeof(keys) / sizeof(keys[0]))

int
cadesc_name(const char *name, char hash[9], char alias[WANT_ALIAS_MAX])
{
	size_t len = strlen(name), digits = strspn(name, DIGITS);
	const size_t end = strlen(".cadesc");

	if (digits != 8 || name[8] != '.' || len < 9 + end + 1 ||
	    len - 9 - end >= WANT_ALIAS_MAX || !text_ends(name, ".cadesc") ||
	    !text_printable(name) || strpbrk(name, " /") != NULL)
		return -1;
	memcpy(hash, name, 8);
	hash[8] = '\0';
	memcpy(alias, name + 9, len - 9 - end);
	alias[len - 9 - end] = '\0';
	return strcmp(hash, "00000000") == 0 ? 1 : 0;
}

/* One line, without blanks at its ends; it may be written in. */
static int
read_line(struct reading *r, char *line, int number)
{
	struct anchor_want *want = r->want;
	size_t len = strspn(line,
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789_");
	char *value;

	if (*line == '\0' || *line == '#')
		return 0;
	if (len == 0 ||
	    (line[len] != '\0' && line[len] != ' ' && line[len] != '\t'))
		return want_say(&want->wrong, r->f,
		    "Syntax error at line %d of %s", number, want->file);
	if (line[len] == '\0')
		return want_say(&want->wrong, r->f,
		    "Missing value at line %d of %s", number, want->file);
	line[len] = '\0';
	value = text_trim(line + len + 1);
	for (size_t i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].key, line) != 0)
			continue;
		r->key = keys[i].key;
		if (r->times[i]++ > 0 &&
		    (keys[i].need == ANY || keys[i].need == ONE))
			return want_say(&want->wrong, r->f,
			    "%s is given more than once", r->key);
		return keys[i].read(r, value);
	}
	return want_say(&want->wrong, r->f, "Unrecognized key %.60s", line);
}

static bool
has_control(const char *line)
{
	for (; *line != '\0'; line++)
		if (((unsigned char)*line < 0x20 && *line != '\t' &&
			*line != '\r') ||
		    *line == 0x7f)
			return true;
	return false;
}

static int
read_lines(struct reading *r, const char *text, size_t len)
{
	char line[VALUE_MAX];
	size_t at = 0;

	for (int number = 1; at < len; number++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t size =
		    end != NULL ? (size_t)(end - text) - at : len - at;
		bool fits = size < sizeof(line) &&
		    memchr(text + at, '\0', size) == NULL;

		memcpy(line, text + at, fits ? size : 0);
		line[fits ? size : 0] = '\0';
		at += size + 1;
		if (!fits || has_control(line)) {
			if (want_say(&r->want->wrong, r->f,
				"Syntax error at line %d of %s", number,
				r->want->file) < 0)
				return -1;
			continue;
		}
		if (read_line(r, text_trim(line), number) < 0)
			return -1;
	}
	return 0;
}

static int
check_pins(struct reading *r)
{
	struct anchor_want *want = r->want;

	if (want_pinned_well(want))
		return 0;
	for (int i = WANT_MD5; i <= WANT_SHA1; i++)
		if (want->pin[i] == NULL &&
		    want_say(&want->wrong, r->f, "No value for %s",
			pin_keys[i]) < 0)
			return -1;
	return want_say(&want->notes, r->f,
	    "Warning: pinned by MD5 and SHA-1 alone, add CERTIFICATE_SHA256");
}

static int
check(struct reading *r)
{
	struct anchor_want *want = r->want;

	for (size_t i = 0; i < KEYS; i++)
		if (keys[i].need >= ONE && r->times[i] == 0 &&
		    want_say(&want->wrong, r->f, "No value for %s",
			keys[i].key) < 0)
			return -1;
	if (check_pins(r) < 0)
		return -1;
	if (want->issuer != NULL && want->subject != NULL &&
	    spelling_same(want->issuer, want->subject))
		return wrong(r,
		    "SIGNED_BY is the same as SUBJECT, should be \"self\"");
	return 0;
}

int
cadesc_read(struct anchor_want *want, const char *text, size_t len,
    struct fault *f)
{
	size_t times[KEYS] = { 0 };
	struct reading r = { .want = want, .times = times, .f = f };

	if (len > CADESC_MAX)
		return want_say(&want->wrong, f, "larger than %d bytes",
		    CADESC_MAX);
	if (read_lines(&r, text, len) < 0)
		return -1;
	want->crls = want->crl[0].urls.count > 0 ? 1 : 0;
	want->crl[0].form = r.crl_form;
	/* Nothing else matters of a CA that is not wanted. */
	if (want->disabled) {
		want_list_clear(&want->wrong);
		return 0;
	}
	return check(&r);
}

static void
put(struct buf *out, const char *key, const char *value)
{
	if (value != NULL)
		buf_fmt(out, "%-18s  %s\n", key, value);
}

static void
put_list(struct buf *out, const char *key, const struct want_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		put(out, key, list->item[i]);
}

static int
check_writable(const struct anchor_want *want, struct fault *f)
{
	if (want->hash[0] == '\0' || want->subject == NULL)
		return fault_set(f, FAULT_INPUT, "its name is not known");
	if (!want_pinned_well(want) &&
	    (want->pin[WANT_MD5] == NULL || want->pin[WANT_SHA1] == NULL))
		return fault_set(f, FAULT_INPUT, "it has no fingerprint");
	if (want->may_sign.count == 0 && !want->may_sign_unknown)
		return fault_set(f, FAULT_INPUT,
		    "its signing policy is no list of patterns");
	return 0;
}

int
cadesc_write(const struct anchor_want *want, struct buf *out, struct fault *f)
{
	static const char *const forms[] = { NULL, "DER", "NET" };

	if (check_writable(want, f) < 0)
		return -1;
	put(out, "CA_NAME", want->title != NULL ? want->title : want->alias);
	put(out, "HOMEPAGE", want->page);
	put(out, "CONTACT", want->contact);
	put(out, "HASH", want->hash);
	if (want->issuer != NULL)
		put(out, "SIGNED_BY",
		    *want->issuer != '\0' ? want->issuer : "self");
	put(out, "SUBJECT", want->subject);
	put_list(out, "MAY_SIGN", &want->may_sign);
	if (want->may_sign_unknown)
		put(out, "MAY_SIGN", "?");
	for (size_t i = 0; i < WANT_PINS; i++)
		put(out, pin_keys[i], want->pin[i]);
	put_list(out, "CERTIFICATE_URL", &want->cert_urls);
	if (want->cert_urls.count == 0)
		put(out, "CERTIFICATE_URL", "?");
	put(out, "CERTIFICATE_FORM", forms[want->cert_form]);
	put(out, "SIGNING_POLICY_URL",
	    want->policy_url != NULL ? want->policy_url : "?");
	put_list(out, "CRL_URL", &want->crl[0].urls);
	if (want->crl[0].urls.count == 0)
		put(out, "CRL_URL", "?");
	put(out, "CRL_FORM", forms[want->crl[0].form]);
	if (want->allow_missing_crl)
		put(out, "ALLOW_MISSING_CRL", "yes");
	if (want->disabled)
		put(out, "DISABLE", "yes");
	return out->failed
	    ? fault_set(f, FAULT_INPUT, "it does not fit in a cadesc file")
	    : 0;
}

void
cadesc_man(FILE *out)
{
	fprintf(out, ".Bl -tag -width Ds\n");
	for (size_t i = 0; i < KEYS; i++) {
		fprintf(out, ".It Sy %s%s\n", keys[i].key,
		    keys[i].need >= ONE ? " Pq required" : "");
		for (const char *at = keys[i].doc; *at != '\0'; at++) {
			fputc(*at, out);
			if (*at == '.' && at[1] == ' ') {
				fputc('\n', out);
				at++;
			}
		}
		fputc('\n', out);
	}
	fprintf(out, ".El\n");
}
