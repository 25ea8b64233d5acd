#include "x509/pem.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

#define BEGIN "-----BEGIN "
#define END "-----END "
#define DASHES "-----"

static const struct wire_bytes nothing = { NULL, 0 };

void
pem_begin(struct pem_out *p, const char *label, struct buf *out)
{
	p->label = label;
	p->len = 0;
	buf_fmt(out, BEGIN "%s" DASHES "\n", label);
}

static void
put_line(const uint8_t *octets, size_t len, struct buf *out)
{
	const size_t most = TEXT_BASE64_SIZE(PEM_LINE_OCTETS);
	char *line = (char *)buf_room(out, most);
	size_t columns = (len + 2) / 3 * 4;

	if (line == NULL)
		return;
	text_base64(octets, len, line);
	line[columns] = '\n';
	out->len += columns + 1;
}

void
pem_add(struct pem_out *p, struct wire_bytes piece, struct buf *out)
{
	size_t n = PEM_LINE_OCTETS - p->len;

	if (p->len > 0 || piece.len < PEM_LINE_OCTETS) {
		n = n < piece.len ? n : piece.len;
		if (n > 0)
			memcpy(p->rest + p->len, piece.data, n);
		p->len += n;
		if (p->len < PEM_LINE_OCTETS)
			return;
		put_line(p->rest, PEM_LINE_OCTETS, out);
		p->len = 0;
		piece.data += n;
		piece.len -= n;
	}
	for (; piece.len >= PEM_LINE_OCTETS; piece.len -= PEM_LINE_OCTETS) {
		put_line(piece.data, PEM_LINE_OCTETS, out);
		piece.data += PEM_LINE_OCTETS;
	}
	if (piece.len > 0)
		memcpy(p->rest, piece.data, piece.len);
	p->len = piece.len;
}

void
pem_end(struct pem_out *p, struct buf *out)
{
	if (p->len > 0)
		put_line(p->rest, p->len, out);
	buf_fmt(out, END "%s" DASHES "\n", p->label);
	/* It may have been a key. */
	explicit_bzero(p->rest, sizeof(p->rest));
}

void
pem_put(struct buf *out, const char *label, struct wire_bytes der)
{
	struct pem_out p;

	pem_begin(&p, label, out);
	pem_add(&p, der, out);
	pem_end(&p, out);
}

/* The line that begins at *${at}, without its end; *${at} is moved past it. */
static struct wire_bytes
next_line(struct wire_bytes text, size_t *at)
{
	struct wire_bytes line = { text.data + *at, text.len - *at };
	const uint8_t *end = memchr(line.data, '\n', line.len);

	if (end != NULL)
		line.len = (size_t)(end - line.data);
	*at += line.len + (end != NULL ? 1 : 0);
	while (line.len > 0 &&
	    strchr(" \t\r", line.data[line.len - 1]) != NULL &&
	    line.data[line.len - 1] != '\0')
		line.len--;
	return line;
}

/* The label of a BEGIN or END line, empty if ${line} is none. */
static struct wire_bytes
label_of(struct wire_bytes line, const char *marker)
{
	size_t head = strlen(marker), tail = strlen(DASHES);

	if (line.len <= head + tail ||
	    line.len - head - tail >= PEM_LABEL_SIZE ||
	    memcmp(line.data, marker, head) != 0 ||
	    memcmp(line.data + line.len - tail, DASHES, tail) != 0 ||
	    memchr(line.data, '\0', line.len) != NULL)
		return nothing;
	return (struct wire_bytes){ line.data + head, line.len - head - tail };
}

static bool
is_same(struct wire_bytes a, struct wire_bytes b)
{
	return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* Fill ${block}, whose BEGIN line had ${label} and is past. */
static int
find_end(struct wire_bytes text, size_t *at, struct wire_bytes label,
    struct pem_block *block, struct fault *f)
{
	block->body = (struct wire_bytes){ text.data + *at, 0 };
	while (*at < text.len) {
		struct wire_bytes line = next_line(text, at);
		struct wire_bytes end = label_of(line, END);

		if (label_of(line, BEGIN).len > 0)
			break;
		if (end.len == 0)
			continue;
		if (!is_same(end, label))
			break;
		block->body.len = (size_t)(line.data - block->body.data);
		return 1;
	}
	return fault_set(f, FAULT_INPUT,
	    "RFC 7468 3: BEGIN %s has no END of its own", block->label);
}

int
pem_find(const void *text, size_t len, size_t *at, struct pem_block *block,
    struct fault *f)
{
	struct wire_bytes all = { text, len };

	while (*at < len) {
		struct wire_bytes line = next_line(all, at);
		struct wire_bytes label = label_of(line, BEGIN);

		if (label.len == 0)
			continue;
		memcpy(block->label, label.data, label.len);
		block->label[label.len] = '\0';
		if (find_end(all, at, label, block, f) < 0)
			return -1;
		block->whole.data = line.data;
		block->whole.len =
		    (size_t)((const uint8_t *)text + *at - line.data);
		return 1;
	}
	return 0;
}

/* ${body} without its blanks and ends of lines, a line at a time. */
static void
put_digits(struct buf *digits, struct wire_bytes body)
{
	size_t from = 0;

	buf_reserve(digits, body.len);
	for (size_t i = 0; i <= body.len; i++) {
		if (i < body.len && body.data[i] != ' ' &&
		    body.data[i] != '\t' && body.data[i] != '\r' &&
		    body.data[i] != '\n')
			continue;
		if (i > from)
			buf_put(digits, body.data + from, i - from);
		from = i + 1;
	}
}

/* Decode the base64 of ${block} and append it to ${der}. */
static int
decode(const struct pem_block *block, struct buf *der, struct fault *f)
{
	OWN_BUF(digits, block->body.len);
	uint8_t *room;
	int len;

	put_digits(&digits, block->body);
	if (digits.failed || digits.len == 0)
		return fault_set(f, FAULT_INPUT, "nothing in a PEM block");
	if ((room = buf_room(der, digits.len / 4 * 3)) == NULL)
		return fault_set(f, FAULT_INPUT, "a PEM block too long");
	len = text_unbase64((const char *)digits.data, digits.len, room,
	    digits.len / 4 * 3);
	if (len < 0)
		return fault_set(f, FAULT_INPUT,
		    "malformed base64 in a PEM block");
	der->len += (size_t)len;
	return 1;
}

int
pem_next(const void *text, size_t len, size_t *at, const char *label,
    struct buf *der, struct fault *f)
{
	struct pem_block block;
	int found;

	while ((found = pem_find(text, len, at, &block, f)) == 1)
		if (label == NULL || strcmp(block.label, label) == 0)
			return decode(&block, der, f);
	return found;
}
