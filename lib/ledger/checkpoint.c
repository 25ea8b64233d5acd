#include "ledger/checkpoint.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

/* C2SP signed-note: an em dash and a blank begin a signature. */
static const char dash[] = "\xe2\x80\x94 ";
#define DASH_LEN (sizeof(dash) - 1)
#define SIGNED_SIZE (LOG_ID_SIZE + LOG_SIGNATURE_SIZE)

int
checkpoint_text(const struct checkpoint *c, struct buf *out, struct fault *f)
{
	char base64[TEXT_BASE64_SIZE(TREE_HASH_SIZE)];

	text_base64(c->head.root, TREE_HASH_SIZE, base64);
	buf_fmt(out, "%s\n%llu\n%s\n", c->origin,
	    (unsigned long long)c->head.size, base64);
	return out->failed ? fault_set(f, FAULT_MEMORY, "head") : 0;
}

int
checkpoint_write(const struct ledger_head *head, const struct log_key *key,
    struct buf *out, struct fault *f)
{
	const struct log_pub *pub = log_key_pub(key);
	char base64[TEXT_BASE64_SIZE(SIGNED_SIZE)];
	struct checkpoint c = { .head = *head };
	uint8_t bytes[SIGNED_SIZE];
	OWN_BUF(text, CHECKPOINT_MAX);

	if (text_copy(c.origin, sizeof(c.origin), pub->name) < 0 ||
	    checkpoint_text(&c, &text, f) < 0)
		return fault_set(f, FAULT_INTERNAL, "head");
	memcpy(bytes, pub->id, LOG_ID_SIZE);
	if (log_key_sign(key, (struct wire_bytes){ text.data, text.len },
		bytes + LOG_ID_SIZE, f) < 0)
		return -1;
	text_base64(bytes, sizeof(bytes), base64);
	buf_put(out, text.data, text.len);
	buf_fmt(out, "\n%s%s %s\n", dash, pub->name, base64);
	return out->failed ? fault_set(f, FAULT_MEMORY, "head") : 0;
}

static int
malformed(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_INPUT, "not a signed head: %s", what);
}

/* Cut the next line, which must have its newline, off ${rest}. */
static bool
next_line(struct wire_bytes *rest, struct wire_bytes *line)
{
	const uint8_t *end =
	    rest->len > 0 ? memchr(rest->data, '\n', rest->len) : NULL;

	if (end == NULL)
		return false;
	line->data = rest->data;
	line->len = (size_t)(end - rest->data);
	rest->data += line->len + 1;
	rest->len -= line->len + 1;
	return true;
}

/* ${line} as a string of printable ASCII. */
static int
take_text(struct wire_bytes line, char *out, size_t size)
{
	if (line.len >= size || memchr(line.data, '\0', line.len) != NULL)
		return -1;
	memcpy(out, line.data, line.len);
	out[line.len] = '\0';
	return text_printable(out) ? 0 : -1;
}

static int
read_body(struct wire_bytes *rest, struct checkpoint *c, struct fault *f)
{
	struct wire_bytes line;
	char number[24];
	int64_t size;

	if (!next_line(rest, &line) || line.len == 0 ||
	    take_text(line, c->origin, sizeof(c->origin)) < 0 ||
	    strpbrk(c->origin, " +") != NULL)
		return malformed(f, "its first line is no log's name");
	if (!next_line(rest, &line) ||
	    take_text(line, number, sizeof(number)) < 0 ||
	    (number[0] == '0' && number[1] != '\0') ||
	    text_number(number, 0, INT64_MAX, &size) < 0 || number[0] == '+')
		return malformed(f, "its second line is no size");
	c->head.size = (uint64_t)size;
	if (!next_line(rest, &line) ||
	    text_unbase64((const char *)line.data, line.len, c->head.root,
		TREE_HASH_SIZE) != TREE_HASH_SIZE)
		return malformed(f, "its third line is no root");
	if (!next_line(rest, &line) || line.len != 0)
		return malformed(f, "no empty line after the root");
	return 0;
}

struct signature {
	char name[LOG_NAME_SIZE];
	uint8_t bytes[256];
	int len;
};

static int
read_signature(struct wire_bytes line, struct signature *s)
{
	const uint8_t *blank;
	struct wire_bytes name;

	if (line.len < DASH_LEN || memcmp(line.data, dash, DASH_LEN) != 0)
		return -1;
	name.data = line.data + DASH_LEN;
	line.len -= DASH_LEN;
	blank = memchr(name.data, ' ', line.len);
	if (blank == NULL || blank == name.data)
		return -1;
	name.len = (size_t)(blank - name.data);
	if (take_text(name, s->name, sizeof(s->name)) < 0 ||
	    strchr(s->name, '+') != NULL)
		return -1;
	s->len = text_unbase64((const char *)blank + 1, line.len - name.len - 1,
	    s->bytes, sizeof(s->bytes));
	return s->len > LOG_ID_SIZE ? 0 : -1;
}

/* 1 if it is the log's own and right, 0 if it is another's. */
static int
check_signature(const struct signature *s, const struct log_pub *pub,
    struct wire_bytes body, struct fault *f)
{
	if (pub == NULL || strcmp(s->name, pub->name) != 0 ||
	    memcmp(s->bytes, pub->id, LOG_ID_SIZE) != 0)
		return 0;
	if (s->len != SIGNED_SIZE)
		return malformed(f, "a signature is cut off");
	if (log_pub_verify(pub, body, s->bytes + LOG_ID_SIZE, f) < 0)
		return -1;
	return 1;
}

static int
read_signatures(struct wire_bytes rest, struct wire_bytes body,
    const struct log_pub *pub, struct fault *f)
{
	struct wire_bytes line;
	unsigned count = 0;
	bool signed_by_it = pub == NULL;

	for (; rest.len > 0; count++) {
		struct signature s;
		int answer;

		if (count == CHECKPOINT_SIGNATURES ||
		    !next_line(&rest, &line) || read_signature(line, &s) < 0)
			return malformed(f, "a signature is malformed");
		if ((answer = check_signature(&s, pub, body, f)) < 0)
			return -1;
		signed_by_it = signed_by_it || answer == 1;
	}
	if (count == 0)
		return malformed(f, "it is not signed");
	if (!signed_by_it)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the head is not signed by the log key %s", pub->name);
	return 0;
}

int
checkpoint_read(struct wire_bytes file, const struct log_pub *pub,
    struct checkpoint *c, struct fault *f)
{
	struct wire_bytes rest = file, body;
	struct checkpoint read = { .origin = "" };

	if (file.len > CHECKPOINT_MAX)
		return malformed(f, "it is too long");
	if (read_body(&rest, &read, f) < 0)
		return -1;
	body.data = file.data;
	body.len = file.len - rest.len - 1; /* without the empty line */
	if (pub != NULL && strcmp(read.origin, pub->name) != 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the head is of the log %s, not of %s", read.origin,
		    pub->name);
	if (read_signatures(rest, body, pub, f) < 0)
		return -1;
	*c = read;
	return 0;
}
