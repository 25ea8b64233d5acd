#include "base/text.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAR 99
#define WORD_MAX 63

static const char digits64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int
text_copy(char *to, size_t size, const char *from)
{
	size_t len = strlen(from);

	if (len >= size) {
		to[0] = '\0';
		return -1;
	}
	memcpy(to, from, len + 1);
	return 0;
}

int
text_fmt(char *to, size_t size, const char *fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(to, size, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= size) {
		to[0] = '\0';
		return -1;
	}
	return 0;
}

char *
text_trim(char *s)
{
	size_t len;

	s += strspn(s, " \t\r\n");
	for (len = strlen(s); len > 0 && strchr(" \t\r\n", s[len - 1]);)
		s[--len] = '\0';
	return s;
}

bool
text_starts(const char *s, const char *prefix)
{
	return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
text_ends(const char *s, const char *suffix)
{
	size_t len = strlen(s), end = strlen(suffix);

	return len >= end && strcmp(s + len - end, suffix) == 0;
}

bool
text_printable(const char *s)
{
	for (; *s != '\0'; s++)
		if (*s < 0x20 || *s > 0x7e)
			return false;
	return true;
}

/* The length of the sequence that begins with ${lead}, 0 if none does. */
static size_t
utf8_len(uint8_t lead)
{
	if (lead >= 0x20 && lead < 0x7f)
		return 1;
	if (lead >= 0xc2 && lead < 0xe0)
		return 2;
	if (lead >= 0xe0 && lead < 0xf0)
		return 3;
	return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

/* RFC 3629 section 4: no overlong forms, no surrogates, nothing past 10FFFF. */
static bool
utf8_second(uint8_t lead, uint8_t second)
{
	if (lead == 0xe0)
		return second >= 0xa0;
	if (lead == 0xed)
		return second < 0xa0;
	if (lead == 0xf0)
		return second >= 0x90;
	if (lead == 0xf4)
		return second < 0x90;
	/* C1 control characters are C2 80 to C2 9F. */
	return lead != 0xc2 || second >= 0xa0;
}

bool
text_utf8(const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len > 0) {
		size_t n = utf8_len(*p);

		if (n == 0 || n > len)
			return false;
		for (size_t i = 1; i < n; i++)
			if ((p[i] & 0xc0) != 0x80)
				return false;
		if (n > 1 && !utf8_second(p[0], p[1]))
			return false;
		p += n;
		len -= n;
	}
	return true;
}

void
text_clean(char *s)
{
	while (*s != '\0') {
		size_t n = utf8_len((uint8_t)*s);

		/* A sequence that is cut off ends at the NUL. */
		if (n > 0 && text_utf8(s, n))
			s += n;
		else
			*s++ = '?';
	}
}

static int
least(int a, int b, int c)
{
	int m = a < b ? a : b;

	return m < c ? m : c;
}

int
text_distance(const char *a, const char *b)
{
	int row[WORD_MAX + 1];
	size_t na = strlen(a), nb = strlen(b);

	if (na > WORD_MAX || nb > WORD_MAX)
		return FAR;
	for (size_t j = 0; j <= nb; j++)
		row[j] = (int)j;
	for (size_t i = 1; i <= na; i++) {
		int diagonal = row[0];

		row[0] = (int)i;
		for (size_t j = 1; j <= nb; j++) {
			int above = row[j];

			row[j] = least(above + 1, row[j - 1] + 1,
			    diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[nb];
}

int
text_number(const char *s, int64_t min, int64_t max, int64_t *value)
{
	char *end = NULL;
	int64_t number;

	if (*s != '-' && (*s < '0' || *s > '9'))
		return -1;
	errno = 0;
	number = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || number < min ||
	    number > max)
		return -1;
	*value = number;
	return 0;
}

void
text_hex(const void *data, size_t len, char *out)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++) {
		*out++ = "0123456789abcdef"[p[i] >> 4];
		*out++ = "0123456789abcdef"[p[i] & 15];
	}
	*out = '\0';
}

static int
nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int
text_unhex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = strlen(hex);

	if (len % 2 != 0 || len / 2 > size)
		return -1;
	for (size_t i = 0; i < len / 2; i++) {
		int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(len / 2);
}

void
text_base64(const void *data, size_t len, char *out)
{
	const uint8_t *p = data;

	for (; len >= 3; len -= 3, p += 3) {
		*out++ = digits64[p[0] >> 2];
		*out++ = digits64[(p[0] & 3) << 4 | p[1] >> 4];
		*out++ = digits64[(p[1] & 15) << 2 | p[2] >> 6];
		*out++ = digits64[p[2] & 63];
	}
	if (len > 0) {
		uint8_t second = len == 2 ? p[1] : 0;

		*out++ = digits64[p[0] >> 2];
		*out++ = digits64[(p[0] & 3) << 4 | second >> 4];
		*out++ = '=';
		if (len == 2)
			out[-1] = digits64[(second & 15) << 2];
		*out++ = '=';
	}
	*out = '\0';
}

/* Lists of revoked certificates have millions of them: no search. */
static int
value64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters to ${n} bytes; the bits that fall off must be zero. */
static int
quartet(const char *in, size_t n, uint8_t *out)
{
	uint32_t bits = 0;

	for (size_t i = 0; i < 4; i++) {
		int v = i <= n ? value64(in[i]) : 0;

		if (v < 0)
			return -1;
		bits = bits << 6 | (uint32_t)v;
	}
	if ((bits & ((1u << (24 - 8 * n)) - 1)) != 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return 0;
}

int
text_unbase64(const char *in, size_t len, uint8_t *out, size_t size)
{
	size_t have = 0;

	if (len % 4 != 0)
		return -1;
	for (; len > 0; len -= 4, in += 4) {
		size_t n = 3;

		if (len == 4 && in[3] == '=')
			n = in[2] == '=' ? 1 : 2;
		if (n > size - have || quartet(in, n, out + have) < 0)
			return -1;
		have += n;
	}
	return (int)have;
}

#define WRAP_WIDTH 79u

void
text_wrap(FILE *out, const char *text, size_t indent, size_t at)
{
	for (size_t left = WRAP_WIDTH - indent; *text != '\0';) {
		size_t len = strlen(text);

		fprintf(out, "%*s", (int)(indent > at ? indent - at : at > 0),
		    "");
		if (len > left) {
			len = left;
			while (len > 0 && text[len] != ' ')
				len--;
			len = len == 0 ? left : len;
		}
		fprintf(out, "%.*s\n", (int)len, text);
		text += len + strspn(text + len, " ");
		at = 0;
	}
}
