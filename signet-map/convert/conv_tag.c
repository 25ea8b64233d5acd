#include "conv_tag.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

struct scan {
	const char *text;
	size_t len;
	size_t at;
	size_t line;
};

static const char *const blanks = " \t\r\n";

static int
peek(const struct scan *s)
{
	return s->at < s->len ? (unsigned char)s->text[s->at] : -1;
}

static void
step(struct scan *s)
{
	s->line += s->text[s->at] == '\n';
	s->at++;
}

static bool
is_blank(int c)
{
	return c > 0 && strchr(blanks, c) != NULL;
}

static void
pass_blanks(struct scan *s)
{
	while (is_blank(peek(s)))
		step(s);
}

static bool
starts(const struct scan *s, const char *word)
{
	size_t len = strlen(word);

	return s->len - s->at >= len && memcmp(s->text + s->at, word, len) == 0;
}

/* Past ${word}; false if it does not come. */
static bool
pass_until(struct scan *s, const char *word)
{
	while (s->at < s->len) {
		if (starts(s, word)) {
			s->at += strlen(word);
			return true;
		}
		step(s);
	}
	return false;
}

static bool
read_word(struct scan *s, char *to, size_t size)
{
	size_t n = 0;
	int c;

	while ((c = peek(s)) > ' ' && strchr("=/><\"'&", c) == NULL) {
		if (n + 1 >= size || c >= 0x7f)
			return false;
		to[n++] = (char)c;
		step(s);
	}
	to[n] = '\0';
	return n > 0;
}

static int
read_entity(struct scan *s)
{
	static const struct {
		const char *word;
		char c;
	} entities[] = { { "&amp;", '&' }, { "&lt;", '<' }, { "&gt;", '>' },
		{ "&quot;", '"' }, { "&apos;", '\'' } };

	for (size_t i = 0; i < sizeof(entities) / sizeof(entities[0]); i++)
		if (starts(s, entities[i].word)) {
			s->at += strlen(entities[i].word);
			return entities[i].c;
		}
	return -1;
}

static bool
read_value(struct scan *s, char *to, size_t size)
{
	int quote = peek(s), c;
	size_t n = 0;

	if (quote != '"' && quote != '\'')
		return false;
	step(s);
	while ((c = peek(s)) != quote) {
		if (c <= 0 || c == '<' || n + 1 >= size)
			return false;
		if (c == '&') {
			if ((c = read_entity(s)) < 0)
				return false;
		} else {
			step(s);
		}
		to[n++] = (char)(is_blank(c) ? ' ' : c);
	}
	step(s);
	to[n] = '\0';
	return true;
}

/* Behind "<NAME". */
static bool
read_attributes(struct scan *s, struct conv_tag *tag)
{
	for (;;) {
		size_t i = tag->count;

		pass_blanks(s);
		if (starts(s, "/>")) {
			s->at += 2;
			return true;
		}
		if (peek(s) == '>') {
			s->at++;
			return true;
		}
		if (i == CONV_ATTRIBUTES ||
		    !read_word(s, tag->attribute[i].name,
			sizeof(tag->attribute[i].name)))
			return false;
		pass_blanks(s);
		if (peek(s) != '=')
			return false;
		step(s);
		pass_blanks(s);
		if (!read_value(s, tag->attribute[i].value,
			sizeof(tag->attribute[i].value)))
			return false;
		tag->count++;
	}
}

static int
read_next(struct scan *s, struct conv_tag *tag)
{
	while (pass_until(s, "<")) {
		if (starts(s, "!--")) {
			if (!pass_until(s, "-->"))
				return -1;
		} else if (starts(s, "!") || starts(s, "?") || starts(s, "/")) {
			if (!pass_until(s, ">"))
				return -1;
		} else {
			tag->line = s->line;
			return read_word(s, tag->name, sizeof(tag->name)) &&
				read_attributes(s, tag)
			    ? 1
			    : -1;
		}
	}
	return 0;
}

int
tag_read(const char *text, size_t len, size_t *at, size_t *line,
    struct conv_tag *tag, struct fault *f)
{
	struct scan s = { text, len, *at, *line };
	int got;

	memset(tag, 0, sizeof(*tag));
	got = read_next(&s, tag);
	*at = s.at;
	*line = s.line;
	return got < 0 ? fault_set(f, FAULT_INPUT,
			     "line %zu: no XML as it is "
			     "needed here",
			     s.line)
		       : got;
}

const char *
tag_get(const struct conv_tag *tag, const char *name)
{
	for (size_t i = 0; i < tag->count; i++)
		if (strcmp(tag->attribute[i].name, name) == 0)
			return tag->attribute[i].value;
	return "";
}
