#include "ca_sysconfig.h"

#include "base/text.h"

#include <string.h>

/* What is left of one line, and the value so far. */
struct scan {
	const char *at;
	struct sysconfig_line *line;
	size_t len;
};

static bool
is_first(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* NULL, or why not. */
static const char *
put(struct scan *s, char c)
{
	if (c < 0x20 || c > 0x7e)
		return "a character that is not printable ASCII";
	if (s->len + 1 >= SYSCONFIG_VALUE)
		return "a value that is too long";
	s->line->value[s->len++] = c;
	s->line->value[s->len] = '\0';
	return NULL;
}

static const char *
read_single(struct scan *s)
{
	const char *why = NULL;

	for (s->at++; *s->at != '\'' && why == NULL; s->at++) {
		if (*s->at == '\0')
			return "no closing quote on the line";
		why = put(s, *s->at);
	}
	s->at += why == NULL;
	return why;
}

static const char *
read_double(struct scan *s)
{
	const char *why = NULL;

	for (s->at++; *s->at != '"' && why == NULL; s->at++) {
		if (*s->at == '\0')
			return "no closing quote on the line";
		if (*s->at == '$' || *s->at == '`')
			return "something that a shell would expand";
		/* Before others the backslash stands for itself. */
		if (*s->at == '\\' && s->at[1] != '\0' &&
		    strchr("$`\"\\", s->at[1]) != NULL)
			s->at++;
		why = put(s, *s->at);
	}
	s->at += why == NULL;
	return why;
}

static const char *
read_bare(struct scan *s)
{
	const char *why;

	if (*s->at == '$' || *s->at == '`')
		return "something that a shell would expand";
	if (strchr(";&|<>()*?[]{}!", *s->at) != NULL)
		return "an operator or a pattern of the shell";
	if (*s->at == '~' && s->len == 0)
		return "something that a shell would expand";
	if (*s->at == '\\' && *++s->at == '\0')
		return "a line that goes on in the next";
	why = put(s, *s->at);
	s->at += why == NULL;
	return why;
}

/* To the end of the line. */
static const char *
read_value(struct scan *s)
{
	const char *why = NULL;

	while (why == NULL && *s->at != '\0' && !is_blank(*s->at)) {
		if (*s->at == '\'')
			why = read_single(s);
		else if (*s->at == '"')
			why = read_double(s);
		else
			why = read_bare(s);
	}
	while (why == NULL && is_blank(*s->at))
		s->at++;
	if (why == NULL && *s->at != '\0' &&
	    (*s->at != '#' || !is_blank(s->at[-1])))
		why = "a command after the assignment, or a blank without "
		      "quotes";
	return why;
}

static const char *
read_name(struct scan *s)
{
	size_t len = 0;

	while (is_first(s->at[len]) ||
	    (len > 0 && s->at[len] >= '0' && s->at[len] <= '9'))
		len++;
	if (len == 0 || s->at[len] != '=')
		return "no assignment";
	if (len >= SYSCONFIG_NAME)
		return "a name that is too long";
	memcpy(s->line->name, s->at, len);
	s->line->name[len] = '\0';
	s->at += len + 1;
	return NULL;
}

static void
read_line(const char *text, struct sysconfig_line *line)
{
	struct scan s = { .at = text, .line = line };

	while (is_blank(*s.at))
		s.at++;
	line->kind = SYSCONFIG_EMPTY;
	if (*s.at == '\0' || *s.at == '#')
		return;
	if (text_starts(s.at, "export ")) {
		s.at += strlen("export ");
		while (is_blank(*s.at))
			s.at++;
	}
	line->why = read_name(&s);
	if (line->why == NULL)
		line->why = read_value(&s);
	line->kind = line->why == NULL ? SYSCONFIG_SET : SYSCONFIG_OTHER;
}

bool
sysconfig_next(struct wire_bytes *rest, struct sysconfig_line *line)
{
	const uint8_t *end;
	char text[2 * SYSCONFIG_VALUE];
	size_t len;

	memset(line, 0, sizeof(*line));
	if (rest->len == 0)
		return false;
	end = memchr(rest->data, '\n', rest->len);
	len = end == NULL ? rest->len : (size_t)(end - rest->data);
	if (len >= sizeof(text) || memchr(rest->data, '\0', len) != NULL) {
		line->kind = SYSCONFIG_OTHER;
		line->why = "a line that is too long, or has a NUL";
	} else {
		memcpy(text, rest->data, len);
		text[len] = '\0';
		read_line(text, line);
	}
	len += end != NULL;
	rest->data += len;
	rest->len -= len;
	return true;
}

void
sysconfig_write(const struct sysconfig_line *line, struct buf *out)
{
	buf_fmt(out, "%s='", line->name);
	for (const char *c = line->value; *c != '\0'; c++)
		if (*c == '\'')
			buf_text(out, "'\\''");
		else
			buf_put_u8(out, (uint8_t)*c);
	buf_text(out, "'\n");
}
