#include "map/map_book_line.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

#define LEAST_FIELDS 9 /* with the hash */
#define SIGN_FIELD 2
#define MOST_FIELDS 10
#define DIGITS (MAP_BOOK_HASH_SIZE - 1)

/* ---- hashes */

struct map_book_hash {
	EVP_MD *sha256;
	EVP_MD_CTX *ctx;
};

struct map_book_hash *
map_book_hash_new(struct fault *f)
{
	struct map_book_hash *h = calloc(1, sizeof(*h));

	if (h != NULL) {
		h->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
		h->ctx = EVP_MD_CTX_new();
	}
	if (h == NULL || h->sha256 == NULL || h->ctx == NULL) {
		map_book_hash_free(h);
		(void)fault_set(f, FAULT_INTERNAL, "no SHA-256");
		return NULL;
	}
	return h;
}

void
map_book_hash_free(struct map_book_hash *h)
{
	if (h == NULL)
		return;
	EVP_MD_CTX_free(h->ctx);
	EVP_MD_free(h->sha256);
	free(h);
}

int
map_book_hash_line(struct map_book_hash *h, const char *before,
    const char *rest, size_t len, char hash[MAP_BOOK_HASH_SIZE],
    struct fault *f)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned size = 0;

	if (EVP_DigestInit_ex(h->ctx, h->sha256, NULL) != 1 ||
	    EVP_DigestUpdate(h->ctx, before, DIGITS) != 1 ||
	    EVP_DigestUpdate(h->ctx, rest, len) != 1 ||
	    EVP_DigestFinal_ex(h->ctx, digest, &size) != 1 ||
	    size * 2 != DIGITS)
		return fault_set(f, FAULT_INTERNAL, "SHA-256 failed");
	text_hex(digest, size, hash);
	return 0;
}

/* ---- writing */

/* Bytes that stand for themselves. */
static size_t
plain_run(const char *text)
{
	size_t n = 0;

	while ((uint8_t)text[n] >= ' ' && text[n] != 0x7f && text[n] != '\\')
		n++;
	return n;
}

static void
put_field(struct buf *out, const char *text)
{
	buf_put_u8(out, '\t');
	if (text == NULL || *text == '\0') {
		buf_put_u8(out, '-');
		return;
	}
	if (strcmp(text, "-") == 0) {
		buf_text(out, "\\x2D");
		return;
	}
	for (;;) {
		size_t run = plain_run(text);

		buf_put(out, text, run);
		text += run;
		if (*text == '\0')
			return;
		buf_fmt(out, "\\x%02X", (unsigned)(uint8_t)*text++);
	}
}

void
map_book_line_write(const struct map_book_entry *e, struct buf *out)
{
	char when[CLOCK_TEXT_SIZE];

	clock_text(e->when, when);
	put_field(out, when);
	/* It is never empty, so "-" is itself. */
	buf_put_u8(out, '\t');
	buf_put_u8(out, (uint8_t)e->sign);
	put_field(out, e->service);
	put_field(out, e->account);
	put_field(out, e->rule);
	put_field(out, e->source);
	put_field(out, e->entry);
	put_field(out, e->name);
	if (e->reason != NULL && *e->reason != '\0')
		put_field(out, e->reason);
}

/* ---- reading */

/* Undo put_field in place; false for what it does not write. */
static bool
read_field(char *text)
{
	char *to = text;
	char hex[3] = { 0 };
	uint8_t byte;

	if (strcmp(text, "-") == 0) {
		*text = '\0';
		return true;
	}
	if (*text == '\0')
		return false;
	if (strcmp(text, "\\x2D") == 0) {
		memcpy(text, "-", 2);
		return true;
	}
	while (*text != '\0') {
		if ((uint8_t)*text < ' ' || *text == 0x7f)
			return false;
		if (*text != '\\') {
			*to++ = *text++;
			continue;
		}
		if (text[1] != 'x' || text[2] == '\0' || text[3] == '\0')
			return false;
		memcpy(hex, text + 2, 2);
		if (text_unhex(hex, &byte, 1) != 1 || byte == 0 ||
		    !(byte < ' ' || byte == 0x7f || byte == '\\') ||
		    strpbrk(hex, "abcdef") != NULL)
			return false;
		*to++ = (char)byte;
		text += 4;
	}
	*to = '\0';
	return true;
}

static size_t
split(char *text, char *field[MOST_FIELDS + 1])
{
	size_t count = 0;

	for (;;) {
		char *tab = strchr(text, '\t');

		field[count++] = text;
		if (tab == NULL || count > MOST_FIELDS)
			return count;
		*tab = '\0';
		text = tab + 1;
	}
}

static bool
read_time(const char *text, time_t *when)
{
	struct tm tm = { 0 };
	char again[CLOCK_TEXT_SIZE];
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (end == NULL || *end != '\0')
		return false;
	*when = timegm(&tm);
	clock_text(*when, again);
	return strcmp(again, text) == 0;
}

static bool
good_hash(const char *text)
{
	return strlen(text) == DIGITS &&
	    strspn(text, "0123456789abcdef") == DIGITS;
}

static bool
read_fields(struct map_book_line *line, char **field, size_t count)
{
	struct map_book_entry *e = &line->entry;

	if (count < LEAST_FIELDS || count > MOST_FIELDS || !good_hash(field[0]))
		return false;
	memcpy(line->hash, field[0], sizeof(line->hash));
	for (size_t i = 1; i < count; i++)
		if (i != SIGN_FIELD && !read_field(field[i]))
			return false;
	if (!read_time(field[1], &e->when) || strlen(field[SIGN_FIELD]) != 1 ||
	    strchr("+-*", *field[SIGN_FIELD]) == NULL)
		return false;
	e->sign = *field[SIGN_FIELD];
	e->service = field[3];
	e->account = field[4];
	e->rule = field[5];
	e->source = field[6];
	e->entry = field[7];
	e->name = field[8];
	e->reason = count == MOST_FIELDS ? field[9] : "";
	return count < MOST_FIELDS || *e->reason != '\0';
}

int
map_book_line_read(struct map_book_line *line, const char *text, size_t len,
    struct fault *f)
{
	char *field[MOST_FIELDS + 1];

	*line = (struct map_book_line){ .text = BUF(MAP_BOOK_LINE_MAX + 1) };
	if (memchr(text, '\0', len) != NULL || len > MAP_BOOK_LINE_MAX)
		return fault_set(f, FAULT_INPUT, "no line of a history");
	buf_put(&line->text, text, len);
	if (buf_cstr(&line->text) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a line");
	if (!read_fields(line, field, split((char *)line->text.data, field)))
		return fault_set(f, FAULT_INPUT, "no line of a history");
	return 0;
}

void
map_book_line_free(struct map_book_line *line)
{
	buf_free(&line->text);
}
