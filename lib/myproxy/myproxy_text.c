#include "myproxy/myproxy_text.h"

#include "base/fault.h"
#include "base/secret.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define VERSION "MYPROXYv2"
#define NUMBER_SIZE                                              \
	32 /* digits of any number that may be meant, and blanks \
	    */
#define ERROR_MAX 16384
#define OFFER_DATA_MAX 65536

/* One `NAME=value` line, without its newline; borrowed. */
struct line {
	const char *name;
	size_t name_len;
	const char *value;
	size_t value_len;
};

static const char *const method_names[] = {
	[MYPROXY_METHOD_PASSWORD] = "password",
	[MYPROXY_METHOD_X509_SHA1] = "X509_certificate",
	[MYPROXY_METHOD_SASL] = "SASL",
	[MYPROXY_METHOD_X509_SHA256] = "X509_certificate_SHA256",
};
#define METHOD_COUNT (sizeof(method_names) / sizeof(method_names[0]))

/*
 * Take the next line of *${at}.  Leading blanks are dropped, as one client
 * sends " COMMAND=4".  A line without '=' has an empty name.
 */
static bool
line_next(const char **at, size_t *left, struct line *line)
{
	const char *p = *at;
	const char *end = memchr(p, '\n', *left);
	const char *equals;
	size_t len = end != NULL ? (size_t)(end - p) : *left;

	if (*left == 0)
		return false;
	*at += len + (end != NULL);
	*left -= len + (end != NULL);
	for (; len > 0 && (*p == ' ' || *p == '\t'); len--)
		p++;
	equals = len > 0 ? memchr(p, '=', len) : NULL;
	line->name = p;
	line->name_len = equals != NULL ? (size_t)(equals - p) : 0;
	line->value = equals != NULL ? equals + 1 : p;
	line->value_len = len - (size_t)(line->value - p);
	return true;
}

static bool
line_is(const struct line *line, const char *name)
{
	return strlen(name) == line->name_len &&
	    memcmp(line->name, name, line->name_len) == 0;
}

/* CRLF is refused, as by the original; so is a NUL that hides what follows. */
static bool
line_clean(const struct line *line)
{
	return memchr(line->value, '\0', line->value_len) == NULL &&
	    (line->value_len == 0 || line->value[line->value_len - 1] != '\r');
}

static int
number_read(const struct line *line, int64_t *value)
{
	char text[NUMBER_SIZE];
	char *end;
	long long number;

	if (line->value_len == 0 || line->value_len >= sizeof(text))
		return -1;
	memcpy(text, line->value, line->value_len);
	text[line->value_len] = '\0';
	errno = 0;
	number = strtoll(text, &end, 0);
	if (errno != 0 || end == text || *end != '\0')
		return -1;
	*value = number;
	return 0;
}

/* What has been found while a request is read. */
struct scan {
	struct myproxy_request *r;
	unsigned seen; /* bits 1 << index in fields[] */
	bool version_wrong;
	bool command_wrong;
	bool username_wrong;
};

/* Readers of a request's fields: -1 makes it "error parsing request". */
typedef int field_fn(struct scan *scan, const struct line *line);

static int
version_read(struct scan *scan, const struct line *line)
{
	scan->version_wrong = line->value_len != sizeof(VERSION) - 1 ||
	    memcmp(line->value, VERSION, sizeof(VERSION) - 1) != 0;
	return 0;
}

static int
command_read(struct scan *scan, const struct line *line)
{
	int64_t number;

	if (number_read(line, &number) < 0)
		return -1;
	scan->command_wrong =
	    number < MYPROXY_GET || number > MYPROXY_GET_TRUSTROOTS;
	if (!scan->command_wrong)
		scan->r->command = (enum myproxy_command)number;
	return 0;
}

static int
value_read(char *to, size_t size, const struct line *line)
{
	if (line->value_len >= size)
		return -1;
	memcpy(to, line->value, line->value_len);
	to[line->value_len] = '\0';
	return 0;
}

static int
username_read(struct scan *scan, const struct line *line)
{
	scan->username_wrong = !text_utf8(line->value, line->value_len) ||
	    value_read(scan->r->username, sizeof(scan->r->username), line) < 0;
	return 0;
}

static int
passphrase_read(struct scan *scan, const struct line *line)
{
	return value_read(scan->r->passphrase, sizeof(scan->r->passphrase),
	    line);
}

static int
lifetime_read(struct scan *scan, const struct line *line)
{
	if (number_read(line, &scan->r->lifetime) < 0)
		return -1;
	if (scan->r->lifetime < 0)
		scan->r->lifetime = 0;
	return 0;
}

static int
cred_name_read(struct scan *scan, const struct line *line)
{
	if (!text_utf8(line->value, line->value_len))
		return -1;
	return value_read(scan->r->cred_name, sizeof(scan->r->cred_name), line);
}

static int
trusted_certs_read(struct scan *scan, const struct line *line)
{
	int64_t number;

	if (number_read(line, &number) < 0)
		return -1;
	scan->r->trusted_certs = number != 0;
	return 0;
}

static int
not_used(struct scan *scan, const struct line *line)
{
	(void)scan;
	(void)line;
	return 0;
}

/* The fields that may stand once in a request; the first five must. */
#define FIELDS_NEEDED 5
static const struct field {
	const char *name;
	field_fn *read;
} fields[] = {
	{ "VERSION", version_read },
	{ "COMMAND", command_read },
	{ "USERNAME", username_read },
	{ "PASSPHRASE", passphrase_read },
	{ "LIFETIME", lifetime_read },
	{ "CRED_NAME", cred_name_read },
	{ "TRUSTED_CERTS", trusted_certs_read },
	{ "NEW_PHRASE", not_used },
	{ "CRED_DESC", not_used },
	{ "RETRIEVER", not_used },
	{ "RENEWER", not_used },
	{ "RETRIEVER_TRUSTED", not_used },
	{ "KEYRETRIEVERS", not_used },
};
#define FIELD_COUNT (sizeof(fields) / sizeof(fields[0]))

static int
scan_line(struct scan *scan, const struct line *line)
{
	if (!line_clean(line))
		return -1;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (!line_is(line, fields[i].name))
			continue;
		if ((scan->seen & 1u << i) != 0)
			return -1;
		scan->seen |= 1u << i;
		return fields[i].read(scan, line);
	}
	return 0; /* lines nobody knows are passed over */
}

/* Broken, then version, command and user name: the original's order. */
static int
scan_check(const struct scan *scan, bool broken, struct fault *f)
{
	const unsigned needed = (1u << FIELDS_NEEDED) - 1;

	if (broken || (scan->seen & needed) != needed)
		return fault_set(f, FAULT_INPUT, "error parsing request");
	if (scan->version_wrong)
		return fault_set(f, FAULT_INPUT,
		    "Invalid version number received.");
	if (scan->command_wrong)
		return fault_set(f, FAULT_INPUT, "UNKNOWN command in request.");
	if (scan->username_wrong ||
	    (scan->r->username[0] == '\0' &&
		scan->r->command != MYPROXY_GET_TRUSTROOTS))
		return fault_set(f, FAULT_INPUT, "Invalid username received.");
	return 0;
}

int
myproxy_request_read(struct myproxy_request *r, const char *text, size_t len,
    struct fault *f)
{
	struct scan scan = { .r = r };
	struct line line;
	bool broken = len > MYPROXY_REQUEST_MAX;

	memset(r, 0, sizeof(*r));
	while (!broken && line_next(&text, &len, &line))
		broken = scan_line(&scan, &line) < 0;
	if (scan_check(&scan, broken, f) < 0) {
		myproxy_request_wipe(r);
		return -1;
	}
	return 0;
}

bool
myproxy_request_whole(const char *text, size_t len)
{
	unsigned seen = 0;
	struct line line;

	while (line_next(&text, &len, &line))
		for (size_t i = 0; i < FIELDS_NEEDED; i++)
			if (line_is(&line, fields[i].name))
				seen |= 1u << i;
	return seen == (1u << FIELDS_NEEDED) - 1;
}

/* Whether ${value} comes back as it is when it stands in a line. */
static bool
writable(const char *value)
{
	size_t len = strlen(value);

	return strchr(value, '\n') == NULL &&
	    (len == 0 || value[len - 1] != '\r');
}

int
myproxy_request_write(const struct myproxy_request *r, struct buf *out,
    struct fault *f)
{
	if (!writable(r->username) || !writable(r->passphrase) ||
	    !writable(r->cred_name))
		return fault_set(f, FAULT_INPUT,
		    "a line break in the user name, pass phrase or credential "
		    "name cannot be sent");
	buf_fmt(out, "VERSION=" VERSION "\nCOMMAND=%d\n", (int)r->command);
	/* Not by buf_fmt: its scratch would keep the pass phrase. */
	buf_text(out, "USERNAME=");
	buf_text(out, r->username);
	buf_text(out, "\nPASSPHRASE=");
	buf_text(out, r->passphrase);
	buf_fmt(out, "\nLIFETIME=%lld\n", (long long)r->lifetime);
	if (r->cred_name[0] != '\0') {
		buf_text(out, "CRED_NAME=");
		buf_text(out, r->cred_name);
		buf_text(out, "\n");
	}
	if (r->trusted_certs)
		buf_text(out, "TRUSTED_CERTS=1\n");
	buf_put_u8(out, 0);
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "writing a request");
	return 0;
}

void
myproxy_request_wipe(struct myproxy_request *r)
{
	secret_wipe(r, sizeof(*r));
}

/* Append what people will see: one line, nothing that moves a cursor.  To some
 * terminals the bytes from 0x80 on do that, unless they are proper UTF-8. */
static void
put_shown(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len;) {
		size_t n = 1;

		while (n < 4 && n < len - i && !text_utf8(text + i, n))
			n++;
		if (!text_utf8(text + i, n)) {
			buf_put_u8(out, '?');
			i++;
			continue;
		}
		buf_put(out, text + i, n);
		i += n;
	}
}

/* AUTHORIZATION_DATA=<method>:<data> */
static int
offer_read(struct myproxy_response *r, const struct line *line, struct fault *f)
{
	const char *colon = memchr(line->value, ':', line->value_len);
	size_t name_len, data_len;
	struct myproxy_offer *offer;

	if (colon == NULL)
		return fault_set(f, FAULT_INPUT,
		    "the server offers a login method without data");
	name_len = (size_t)(colon - line->value);
	data_len = line->value_len - name_len - 1;
	for (unsigned m = 1; m < METHOD_COUNT; m++) {
		if (strlen(method_names[m]) != name_len ||
		    memcmp(method_names[m], line->value, name_len) != 0)
			continue;
		if (r->offer_count == MYPROXY_OFFER_MAX)
			return fault_set(f, FAULT_INPUT,
			    "the server offers too many login methods");
		offer = &r->offer[r->offer_count++];
		offer->method = m;
		offer->data = BUF(OFFER_DATA_MAX);
		buf_put(&offer->data, colon + 1, data_len);
		if (offer->data.failed)
			return fault_set(f, FAULT_INPUT,
			    "the server's %s data is too long",
			    method_names[m]);
		return 0;
	}
	return 0;
}

static void
error_read(struct myproxy_response *r, const struct line *line)
{
	/* More than anybody would read is cut, not refused. */
	if (r->error.len + line->value_len + 1 > ERROR_MAX)
		return;
	if (r->error.len > 0)
		buf_text(&r->error, "\n");
	put_shown(&r->error, line->value, line->value_len);
}

/* What a line of an answer is; one of each of the first two is needed. */
#define SEEN_VERSION 1u
#define SEEN_RESPONSE 2u

static int
answer_line(struct myproxy_response *r, const struct line *line,
    const char *start, size_t len, unsigned *seen, struct fault *f)
{
	int64_t number;

	if (line_is(line, "VERSION") && (*seen & SEEN_VERSION) == 0) {
		*seen |= SEEN_VERSION;
		if (line->value_len != sizeof(VERSION) - 1 ||
		    memcmp(line->value, VERSION, line->value_len) != 0)
			return fault_set(f, FAULT_INPUT,
			    "the server speaks another protocol version");
		return 0;
	}
	if (line_is(line, "RESPONSE") && (*seen & SEEN_RESPONSE) == 0) {
		*seen |= SEEN_RESPONSE;
		if (number_read(line, &number) < 0 || number < MYPROXY_OK ||
		    number > MYPROXY_AUTHORIZATION)
			return fault_set(f, FAULT_INPUT,
			    "the server's answer is of no known kind");
		r->answer = (enum myproxy_answer)number;
		return 0;
	}
	if (line_is(line, "AUTHORIZATION_DATA"))
		return offer_read(r, line, f);
	if (line_is(line, "ERROR")) {
		error_read(r, line);
		return 0;
	}
	buf_put(&r->rest, start, len);
	buf_text(&r->rest, "\n");
	return 0;
}

int
myproxy_response_read(struct myproxy_response *r, const char *text, size_t len,
    struct fault *f)
{
	unsigned seen = 0;
	struct line line;
	const char *at = text;

	memset(r, 0, sizeof(*r));
	r->error = BUF(ERROR_MAX);
	r->rest = BUF(MYPROXY_RESPONSE_MAX);
	if (len >= MYPROXY_RESPONSE_MAX || memchr(text, '\0', len) != NULL)
		return fault_set(f, FAULT_INPUT,
		    "the server's answer is no "
		    "text or too long");
	while (line_next(&at, &len, &line))
		if (answer_line(r, &line, line.name,
			(size_t)(line.value - line.name) + line.value_len,
			&seen, f) < 0)
			return -1;
	if (seen != (SEEN_VERSION | SEEN_RESPONSE))
		return fault_set(f, FAULT_INPUT,
		    "the other end does not answer as a MyProxy server");
	if (r->rest.failed || r->error.failed)
		return fault_set(f, FAULT_MEMORY, "reading a server's answer");
	return 0;
}

void
myproxy_response_clear(struct myproxy_response *r)
{
	buf_free(&r->error);
	buf_free(&r->rest);
	for (size_t i = 0; i < r->offer_count; i++)
		buf_free(&r->offer[i].data);
	memset(r, 0, sizeof(*r));
}

static void
begin(struct buf *out, enum myproxy_answer answer)
{
	buf_fmt(out, "VERSION=" VERSION "\nRESPONSE=%d\n", (int)answer);
}

void
myproxy_write_ok(struct buf *out)
{
	myproxy_write_ok_lines(out, "", 0);
}

void
myproxy_write_ok_lines(struct buf *out, const void *lines, size_t len)
{
	begin(out, MYPROXY_OK);
	buf_put(out, lines, len);
	buf_put_u8(out, 0);
}

void
myproxy_write_error(struct buf *out, const char *text)
{
	begin(out, MYPROXY_ERROR);
	for (;;) {
		size_t len = strcspn(text, "\n");

		buf_text(out, "ERROR=");
		put_shown(out, text, len);
		buf_text(out, "\n");
		if (text[len] == '\0')
			break;
		text += len + 1;
	}
	buf_put_u8(out, 0);
}

void
myproxy_write_time(struct buf *out, time_t now)
{
	if (out->len == 0)
		return;
	out->len--; /* the NUL */
	buf_fmt(out, "SERVER_TIME=%lld\n", (long long)now);
	buf_put_u8(out, 0);
}

void
myproxy_write_offer_begin(struct buf *out)
{
	begin(out, MYPROXY_AUTHORIZATION);
}

void
myproxy_write_offer(struct buf *out, unsigned method, const char *data)
{
	buf_text(out, "AUTHORIZATION_DATA=");
	buf_text(out, method_names[method]);
	buf_text(out, ":");
	buf_text(out, data);
	buf_text(out, "\n");
}

void
myproxy_write_offer_end(struct buf *out)
{
	buf_put_u8(out, 0);
}
