/* Times and object identifiers: the elements of DER with a grammar inside. */
#include "x509/der.h"

#include <stdio.h>
#include <string.h>

#define UTC_DIGITS 12 /* YYMMDDHHMMSS, and then Z */
#define GEN_DIGITS 14
#define YEAR_FIRST 1950 /* of UTCTime */
#define YEAR_GEN 2050	/* RFC 5280 4.1.2.5: GeneralizedTime from here on */
#define YEAR_LAST 9999
#define DAY 86400L

/* The number of ${count} decimal digits at ${at}, -1 if one is none. */
static int
digits(const uint8_t *at, size_t count)
{
	int n = 0;

	for (size_t i = 0; i < count; i++) {
		if (at[i] < '0' || at[i] > '9')
			return -1;
		n = n * 10 + at[i] - '0';
	}
	return n;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
month_days(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };

	return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 to the first of January of ${year}. */
static int64_t
year_days(int64_t year)
{
	int64_t y = year - 1;

	return 365 * (year - 1970) + (y / 4 - y / 100 + y / 400) -
	    (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* MMDDHHMMSSZ of ${year}; false if there is no such moment. */
static bool
read_moment(int year, const uint8_t *at, time_t *when)
{
	int month = digits(at, 2), day = digits(at + 2, 2);
	int hour = digits(at + 4, 2), minute = digits(at + 6, 2);
	int second = digits(at + 8, 2);
	int64_t days = year_days(year);

	if (at[10] != 'Z' || month < 1 || month > 12 || day < 1 ||
	    day > month_days(year, month) || hour < 0 || hour > 23 ||
	    minute < 0 || minute > 59 || second < 0 || second > 59)
		return false;
	for (int m = 1; m < month; m++)
		days += month_days(year, m);
	*when = (time_t)((days + day - 1) * DAY + hour * 3600L + minute * 60L +
	    second);
	return true;
}

time_t
der_get_time(struct der_in *in)
{
	bool utc = der_peek(in) == DER_UTCTIME;
	struct wire_bytes text = der_get(in, utc ? DER_UTCTIME : DER_GENTIME);
	time_t when = 0;
	int year;

	if (in->failed || text.len != (utc ? UTC_DIGITS : GEN_DIGITS) + 1) {
		in->failed = true;
		return 0;
	}
	year = digits(text.data, utc ? 2 : 4);
	if (utc && year >= 0)
		year += year < YEAR_FIRST % 100 ? 2000 : 1900;
	if (year < 0 || (!utc && year < YEAR_GEN) ||
	    !read_moment(year, text.data + (utc ? 2 : 4), &when)) {
		in->failed = true;
		return 0;
	}
	return when;
}

void
der_put_time(struct buf *out, time_t when)
{
	char text[32];
	struct tm tm = { 0 };
	int year, len;

	if (gmtime_r(&when, &tm) == NULL || tm.tm_year + 1900 < YEAR_FIRST ||
	    tm.tm_year + 1900 > YEAR_LAST) {
		out->failed = true;
		return;
	}
	year = tm.tm_year + 1900;
	if (year < YEAR_GEN)
		len = snprintf(text, sizeof(text), "%02d", year % 100);
	else
		len = snprintf(text, sizeof(text), "%04d", year);
	len += snprintf(text + len, sizeof(text) - (size_t)len,
	    "%02d%02d%02d%02d%02dZ", tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	der_put(out, year < YEAR_GEN ? DER_UTCTIME : DER_GENTIME, text,
	    (size_t)len);
}

/* Seven bits an octet, the high bit on all but the last (X.690 8.19.2). */
static void
put_arc(struct buf *out, uint64_t arc)
{
	int shift = 63;

	while (shift > 0 && arc >> shift == 0)
		shift -= 7;
	for (; shift > 0; shift -= 7)
		buf_put_u8(out, (uint8_t)(0x80 | (arc >> shift & 0x7f)));
	buf_put_u8(out, (uint8_t)(arc & 0x7f));
}

/* The decimal number at *${at}, which is moved past it and the dot after it;
 * false if there is none, it has a leading zero, or it passes 64 bits. */
static bool
text_arc(const char **at, uint64_t *arc)
{
	const char *p = *at;
	uint64_t n = 0;

	if (*p < '0' || *p > '9' || (p[0] == '0' && p[1] >= '0' && p[1] <= '9'))
		return false;
	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, (uint64_t)(*p - '0'), &n))
			return false;
	if (*p != '\0' && (*p != '.' || p[1] == '\0'))
		return false;
	*at = *p == '.' ? p + 1 : p;
	*arc = n;
	return true;
}

void
der_put_oid(struct buf *out, const char *dotted)
{
	uint64_t first, arc;
	size_t mark = der_open(out, DER_OID);

	/* The first two arcs share a number (X.690 8.19.4). */
	if (!text_arc(&dotted, &first) || first > 2 ||
	    !text_arc(&dotted, &arc) || (first < 2 && arc > 39) ||
	    __builtin_add_overflow(arc, 40 * first, &arc)) {
		out->failed = true;
		return;
	}
	put_arc(out, arc);
	while (*dotted != '\0') {
		if (!text_arc(&dotted, &arc)) {
			out->failed = true;
			return;
		}
		put_arc(out, arc);
	}
	der_close(out, mark);
}

struct wire_bytes
der_get_oid(struct der_in *in)
{
	struct wire_bytes oid = der_get(in, DER_OID);
	bool begins = true;

	/* X.690 8.19.2: no arc begins with a zero of seven bits. */
	for (size_t i = 0; i < oid.len && !in->failed; i++) {
		if (begins && oid.data[i] == 0x80)
			in->failed = true;
		begins = oid.data[i] < 0x80;
	}
	if (in->failed || oid.len == 0 || !begins) {
		in->failed = true;
		return (struct wire_bytes){ NULL, 0 };
	}
	return oid;
}

/* The next arc of the OID at *${at}; false if it is cut, not minimal, or past
 * 64 bits. */
static bool
oid_arc(struct wire_bytes *oid, uint64_t *arc)
{
	uint64_t n = 0;

	if (oid->len == 0 || oid->data[0] == 0x80)
		return false;
	while (oid->len > 0) {
		uint8_t octet = *oid->data++;

		oid->len--;
		if (n >> 57 != 0)
			return false;
		n = n << 7 | (octet & 0x7f);
		if (octet < 0x80) {
			*arc = n;
			return true;
		}
	}
	return false;
}

/* Append ${arc} in decimal at ${text}+*${len}; false if it and a NUL do not fit
 * in ${size}.  Names are full of OIDs: stdio would be most of reading one. */
static bool
put_decimal(uint64_t arc, char *text, size_t *len, size_t size)
{
	char digits[20];
	size_t n = 0;

	do
		digits[n++] = (char)('0' + arc % 10);
	while ((arc /= 10) > 0);
	if (n >= size - *len)
		return false;
	while (n > 0)
		text[(*len)++] = digits[--n];
	text[*len] = '\0';
	return true;
}

int
der_oid_text(struct wire_bytes oid, char *text, size_t size)
{
	uint64_t arc = 0, first;
	size_t len = 0;
	bool good = oid_arc(&oid, &arc);

	first = arc < 80 ? arc / 40 : 2;
	good = good && put_decimal(first, text, &len, size);
	arc -= 40 * first;
	while (good) {
		good = size - len > 1;
		if (good)
			text[len++] = '.';
		good = good && put_decimal(arc, text, &len, size);
		if (!good || oid.len == 0)
			break;
		good = oid_arc(&oid, &arc);
	}
	if (!good)
		text[0] = '\0';
	return good ? 0 : -1;
}
