#include "ledger/queue_note.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

#define FIRST_LINE "signet revocations 1"
#define LINE_MOST 128

/* What is left of a file, line by line. */
struct lines {
	struct wire_bytes rest;
	int number;
	char line[LINE_MOST];
};

static int
bad(const struct lines *l, const char *what, struct fault *f)
{
	return fault_set(f, FAULT_INPUT, "line %d: %s", l->number, what);
}

/* The next line, without its newline, which it must have. */
static int
next(struct lines *l, struct fault *f)
{
	const uint8_t *end =
	    l->rest.len == 0 ? NULL : memchr(l->rest.data, '\n', l->rest.len);
	size_t len;

	l->number++;
	if (end == NULL)
		return bad(l, "the file is cut off", f);
	len = (size_t)(end - l->rest.data);
	if (len >= sizeof(l->line) || memchr(l->rest.data, '\0', len) != NULL)
		return bad(l, "too long, or with a NUL", f);
	memcpy(l->line, l->rest.data, len);
	l->line[len] = '\0';
	l->rest.data += len + 1;
	l->rest.len -= len + 1;
	return 0;
}

/* What stands after ${keyword} in the line; NULL if it has another. */
static const char *
value_of(const struct lines *l, const char *keyword)
{
	size_t len = strlen(keyword);

	if (!text_starts(l->line, keyword) || l->line[len] != ' ')
		return NULL;
	return l->line + len + 1;
}

static bool
is_name(const char *name)
{
	return *name != '\0' && text_printable(name) &&
	    strpbrk(name, " /\"'") == NULL;
}

/* Reasons that a list may give (RFC 5280 5.3.1); 7 is not used, and 8 takes
 * others off a delta. */
static bool
is_reason(int64_t reason)
{
	return reason >= 0 && reason <= 10 && reason != 7 && reason != 8;
}

/* The lines before the serials; the first of those is in ${l} after it. */
static int
read_head(struct queue_note *note, struct lines *l, struct fault *f)
{
	const char *value;
	int64_t reason;

	if (next(l, f) < 0)
		return -1;
	if (strcmp(l->line, FIRST_LINE) != 0)
		return bad(l, "no file of revocations", f);
	if (next(l, f) < 0)
		return -1;
	if ((value = value_of(l, "ca")) != NULL) {
		if (!is_name(value) ||
		    text_copy(note->ca, sizeof(note->ca), value) < 0)
			return bad(l, "no name of a CA", f);
		if (next(l, f) < 0)
			return -1;
	}
	if ((value = value_of(l, "reason")) == NULL)
		return 0;
	/* What is 0 is not said, and a number has one form. */
	if (text_number(value, 1, 10, &reason) < 0 || !is_reason(reason) ||
	    *value == '0' || *value == '+')
		return bad(l, "no reason", f);
	note->reason = (int)reason;
	return next(l, f);
}

static int
read_serial(struct queue_note *note, const struct lines *l, struct fault *f)
{
	const char *hex = value_of(l, "revoke");
	uint8_t data[QUEUE_NOTE_SERIAL];
	char again[2 * QUEUE_NOTE_SERIAL + 1];
	uint8_t *serial;
	int len;

	if (hex == NULL)
		return bad(l, "\"revoke\" or \"end\" is wanted", f);
	if ((len = text_unhex(hex, data, sizeof(data))) <= 0)
		return bad(l, "no serial", f);
	if (note->count == QUEUE_NOTE_SERIALS)
		return bad(l, "too many serials", f);
	serial = note->serial[note->count];
	memset(serial, 0, QUEUE_NOTE_SERIAL);
	memcpy(serial + QUEUE_NOTE_SERIAL - len, data, (size_t)len);
	queue_note_hex(serial, again);
	if (strcmp(again, hex) != 0 || data[0] == 0)
		return bad(l, "a serial has one form: no zeroes before it", f);
	note->count++;
	return 0;
}

int
queue_note_read(struct queue_note *note, struct wire_bytes file,
    struct fault *f)
{
	struct lines l = { .rest = file };

	memset(note, 0, sizeof(*note));
	if (file.len > QUEUE_NOTE_MAX)
		return fault_set(f, FAULT_INPUT, "longer than %d octets",
		    QUEUE_NOTE_MAX);
	if (read_head(note, &l, f) < 0)
		return -1;
	while (strcmp(l.line, "end") != 0)
		if (read_serial(note, &l, f) < 0 || next(&l, f) < 0)
			return -1;
	if (note->count == 0)
		return bad(&l, "no serial", f);
	if (l.rest.len > 0)
		return bad(&l, "something stands after the end", f);
	return 0;
}

int
queue_note_write(const struct queue_note *note, struct buf *file,
    struct fault *f)
{
	char hex[2 * QUEUE_NOTE_SERIAL + 1];

	if ((*note->ca != '\0' && !is_name(note->ca)) ||
	    !is_reason(note->reason) || note->count == 0 ||
	    note->count > QUEUE_NOTE_SERIALS)
		return fault_set(f, FAULT_USAGE,
		    "one file takes a CA's name without blanks, a reason, and "
		    "1 to %d serials",
		    QUEUE_NOTE_SERIALS);
	buf_text(file, FIRST_LINE "\n");
	if (*note->ca != '\0')
		buf_fmt(file, "ca %s\n", note->ca);
	if (note->reason != 0)
		buf_fmt(file, "reason %d\n", note->reason);
	for (size_t i = 0; i < note->count; i++) {
		queue_note_hex(note->serial[i], hex);
		buf_fmt(file, "revoke %s\n", hex);
	}
	buf_text(file, "end\n");
	return file->failed ? fault_set(f, FAULT_MEMORY, "revocations") : 0;
}

void
queue_note_hex(const uint8_t serial[QUEUE_NOTE_SERIAL],
    char text[2 * QUEUE_NOTE_SERIAL + 1])
{
	size_t at = 0;

	while (at < QUEUE_NOTE_SERIAL - 1 && serial[at] == 0)
		at++;
	text_hex(serial + at, QUEUE_NOTE_SERIAL - at, text);
}
