#include "x509/crl_source.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/der.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BEGIN "-----BEGIN X509 CRL-----"
#define END "-----END X509 CRL-----"
#define DIGITS ((size_t)64) /* that are decoded at once */

void
crl_source_file(struct crl_source *s, int fd, size_t limit)
{
	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->limit = limit;
}

void
crl_source_memory(struct crl_source *s, const void *data, size_t len)
{
	memset(s, 0, sizeof(*s));
	s->fd = -1;
	s->raw = data;
	s->left = len;
}

/* More of the file: 1, 0 at its end. */
static int
refill(struct crl_source *s, struct fault *f)
{
	ssize_t got;

	if (s->left > 0)
		return 1;
	if (s->fd < 0)
		return 0;
	do
		got = read(s->fd, s->buffer, sizeof(s->buffer));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		return fault_set(f, FAULT_SYSTEM, "%s", strerror(errno));
	if ((size_t)got > s->limit)
		return fault_set(f, FAULT_INPUT, "a CRL too long");
	s->limit -= (size_t)got;
	s->raw = s->buffer;
	s->left = (size_t)got;
	return got > 0 ? 1 : 0;
}

static void
skip(struct crl_source *s, size_t len)
{
	s->raw += len;
	s->left -= len;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* Whether the line that has ended is ${marker}, but for blanks behind it. */
static bool
line_is(const struct crl_source *s, const char *marker)
{
	size_t len = s->line_len;

	while (len > 0 && is_blank(s->line[len - 1]))
		len--;
	return len == strlen(marker) && memcmp(s->line, marker, len) == 0;
}

/* Collect the beginning of a line: whether it has ended. */
static bool
collect(struct crl_source *s)
{
	while (s->left > 0) {
		char c = (char)*s->raw;

		skip(s, 1);
		if (c == '\n')
			return true;
		/* What does not fit is no marker; it stays too long. */
		if (s->line_len < sizeof(s->line))
			s->line[s->line_len++] = c;
	}
	return false;
}

static int
find_begin(struct crl_source *s, struct fault *f)
{
	int more;

	while ((more = refill(s, f)) == 1) {
		bool found;

		if (!collect(s))
			continue;
		found = line_is(s, BEGIN);
		s->line_len = 0;
		if (!found)
			continue;
		s->state = CRL_SOURCE_BODY;
		return 0;
	}
	return more < 0 ? -1 : fault_set(f, FAULT_INPUT, "no CRL");
}

/* The digits that were collected, as octets. */
static int
decode(struct crl_source *s, uint8_t *to, size_t size, size_t *len,
    struct fault *f)
{
	int made = text_unbase64(s->line, s->line_len, to + *len, size - *len);

	if (made < 0)
		return fault_set(f, FAULT_INPUT,
		    "malformed base64 in a PEM block");
	s->padded = s->line_len > 0 && s->line[s->line_len - 1] == '=';
	s->line_len = 0;
	*len += (size_t)made;
	return 0;
}

/* One character of the block's body. */
static int
take_digit(struct crl_source *s, char c, struct fault *f)
{
	if (c == '\n' || is_blank(c))
		return 0;
	if (s->padded)
		return fault_set(f, FAULT_INPUT,
		    "malformed base64 in a PEM block");
	s->line[s->line_len++] = c;
	return 0;
}

/* Fill ${to}, until it has no room for a line of digits, or the END line
 * begins. */
static int
read_body(struct crl_source *s, uint8_t *to, size_t size, size_t *len,
    struct fault *f)
{
	int more = 1;

	while (size - *len >= DIGITS / 4 * 3 && (more = refill(s, f)) == 1) {
		char c = (char)*s->raw;

		if (c == '-') {
			s->state = CRL_SOURCE_LAST;
			return decode(s, to, size, len, f);
		}
		skip(s, 1);
		if (take_digit(s, c, f) < 0)
			return -1;
		if (s->line_len == DIGITS && decode(s, to, size, len, f) < 0)
			return -1;
	}
	if (more < 0)
		return -1;
	return more == 1 ? 0
			 : fault_set(f, FAULT_INPUT,
			       "RFC 7468 3: BEGIN X509 CRL has no END");
}

static int
read_end(struct crl_source *s, struct fault *f)
{
	bool ended = false;
	int more;

	while (!ended && (more = refill(s, f)) == 1)
		ended = collect(s);
	if (!ended && more < 0)
		return -1;
	s->state = CRL_SOURCE_END;
	return line_is(s, END) ? 0
			       : fault_set(f, FAULT_INPUT,
				     "RFC 7468 3: BEGIN X509 CRL has no END");
}

static int
read_der(struct crl_source *s, uint8_t *to, size_t size, size_t *len,
    struct fault *f)
{
	int more = 1;

	while (*len < size && (more = refill(s, f)) == 1) {
		size_t n = s->left < size - *len ? s->left : size - *len;

		memcpy(to + *len, s->raw, n);
		*len += n;
		skip(s, n);
	}
	return more < 0 ? -1 : 0;
}

int
crl_source_get(struct crl_source *s, uint8_t *to, size_t size, size_t *len,
    struct fault *f)
{
	*len = 0;
	if (s->state == CRL_SOURCE_NEW) {
		if (refill(s, f) < 0)
			return -1;
		s->state = s->left > 0 && s->raw[0] == DER_SEQUENCE
		    ? CRL_SOURCE_DER
		    : CRL_SOURCE_TEXT;
	}
	if (s->state == CRL_SOURCE_DER)
		return read_der(s, to, size, len, f);
	if (s->state == CRL_SOURCE_TEXT && find_begin(s, f) < 0)
		return -1;
	if (s->state == CRL_SOURCE_BODY && read_body(s, to, size, len, f) < 0)
		return -1;
	if (s->state == CRL_SOURCE_LAST && read_end(s, f) < 0)
		return -1;
	return 0;
}
