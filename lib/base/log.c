#include "base/log.h"

#include "base/buf.h"
#include "base/clock.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PIPE_BUF: the line of one process does not break into another's. */
#define LINE_MAX_BYTES 4096
/* What a cut field still needs: an escape, the closing quote, the newline. */
#define ENDING 8
/* " =" and the longest number. */
#define NUMBER_SIZE 24

static const struct {
	const char *name;
	int priority;
	const char *meaning;
} facts[EVENT_COUNT] = {
#define EVENT(NAME, name, priority, meaning) \
	[EVENT_##NAME] = { name, priority, meaning },
#include "base/event.def"
#undef EVENT
};

/* The process's one log; see log.h. */
static struct {
	char role[32];
	int threshold;
	bool journal;
} sink = { "signet", 6, false };

void
log_open(const char *role, int threshold)
{
	strncpy(sink.role, role, sizeof(sink.role) - 1);
	sink.threshold = threshold;
	sink.journal = secure_getenv("JOURNAL_STREAM") != NULL;
}

const char *
log_name(enum event event)
{
	return facts[event].name;
}

int
log_priority(enum event event)
{
	return facts[event].priority;
}

const char *
log_meaning(enum event event)
{
	return facts[event].meaning;
}

static bool
is_plain(const char *text)
{
	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++)
		if (*text <= ' ' || *text > '~' || strchr("\"\\=", *text))
			return false;
	return true;
}

/* Quoted, and every byte that could forge or break a line written as \xNN. */
static void
put_quoted(struct buf *line, const char *text)
{
	buf_put_u8(line, '"');
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;

		if (line->len + ENDING > line->limit)
			break;
		if (c == '"' || c == '\\')
			buf_fmt(line, "\\%c", c);
		else if (c < ' ' || c > '~')
			buf_fmt(line, "\\x%02x", c);
		else
			buf_put_u8(line, c);
	}
	buf_put_u8(line, '"');
}

static void
put_field(struct buf *line, const struct log_field *field)
{
	/* A line too long loses its last fields, and stays well-formed. */
	if (line->len + strlen(field->key) + NUMBER_SIZE + ENDING > line->limit)
		return;
	if (field->kind == LOG_KIND_NUMBER) {
		buf_fmt(line, " %s=%" PRId64, field->key, field->number);
		return;
	}
	if (field->text == NULL)
		return;
	buf_fmt(line, " %s=", field->key);
	if (is_plain(field->text) &&
	    line->len + strlen(field->text) + ENDING < line->limit)
		buf_text(line, field->text);
	else
		put_quoted(line, field->text);
}

void
log_event(enum event event, const struct log_field *fields)
{
	OWN_BUF(line, LINE_MAX_BYTES);
	char when[CLOCK_TEXT_SIZE];

	if (facts[event].priority > sink.threshold)
		return;
	if (sink.journal) {
		buf_fmt(&line, "<%d>", facts[event].priority);
	} else {
		clock_text(clock_wall(), when);
		buf_fmt(&line, "%s ", when);
	}
	buf_fmt(&line, "%s[%d]: %s", sink.role, (int)getpid(),
	    facts[event].name);
	for (; fields->kind != LOG_KIND_END; fields++)
		put_field(&line, fields);
	buf_put_u8(&line, '\n');
	/* Where the log itself is lost there is nobody left to tell. */
	if (write(STDERR_FILENO, line.data, line.len) < 0)
		return;
}

void
log_fault(const struct fault *f, const char *ref)
{
	LOG(FAULT, LOG_TEXT("code", fault_name(f->code)),
	    LOG_TEXT("text", f->text), LOG_TEXT("ref", ref));
}
