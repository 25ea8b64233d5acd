/* Pages written: fields filled in, then HTML or plain text. */
#include "base/fault.h"
#include "base/text.h"
#include "ca_page.h"

#include <string.h>

/* Stands before each letter of a value that would be a sign in a template; no
 * text has it, since control characters are refused. */
#define QUOTE '\001'
#define MARK '\002' /* around what is missing */
#define COLUMNS 78
#define LINE_MOST ((size_t)65536)
#define NAME_MOST 64

struct writer {
	const struct page *p;
	const struct page_source *source;
	struct buf *missing;
	struct buf *out;
	bool html;
	char loop[PAGE_LOOP_NAME]; /* "" outside one */
	size_t item;
	bool in_list; /* HTML: <ul> is open */
};

/* ${name} is on the list already. */
static bool
is_listed(const struct buf *list, const char *name)
{
	size_t len = strlen(name), at = 0;

	while (at < list->len) {
		const uint8_t *comma =
		    memchr(list->data + at, ',', list->len - at);
		size_t n = comma == NULL ? list->len - at
					 : (size_t)(comma - list->data) - at;

		if (n == len && memcmp(list->data + at, name, len) == 0)
			return true;
		at += n + 2;
	}
	return false;
}

static void
put_missing(struct writer *w, const char *name, struct buf *out)
{
	buf_fmt(out, "%cmissing: %s%c", MARK, name, MARK);
	if (!is_listed(w->missing, name))
		buf_fmt(w->missing, "%s%s", w->missing->len > 0 ? ", " : "",
		    name);
}

static void
put_quoted(struct buf *out, const struct buf *value)
{
	for (size_t i = 0; i < value->len; i++) {
		if (value->data[i] < 0x20)
			continue;
		if (strchr("[]()`{}", value->data[i]) != NULL)
			buf_put_u8(out, QUOTE);
		buf_put_u8(out, value->data[i]);
	}
}

static int
put_field(struct writer *w, const char *name, size_t len, struct buf *out,
    struct fault *f)
{
	OWN_BUF(value, LINE_MOST);
	char text[NAME_MOST];
	int found = -1;

	if (text_fmt(text, sizeof(text), "%.*s", (int)len, name) == 0)
		found = w->source->field(w->source->context, w->loop, w->item,
		    text, &value);
	if (found < 0)
		return fault_set(f, FAULT_INPUT, "{%s} means nothing here",
		    text);
	if (found == 0)
		put_missing(w, text, out);
	else
		put_quoted(out, &value);
	out->failed |= value.failed;
	return 0;
}

/* Append the block's text with its fields filled in. */
static int
fill(struct writer *w, const struct page_block *b, struct buf *out,
    struct fault *f)
{
	const char *at = (const char *)w->p->text.data + b->at;
	const char *end = at + b->len;

	while (at < end) {
		const char *close;

		if (*at != '{') {
			buf_put(out, at++, 1);
			continue;
		}
		close = memchr(at, '}', (size_t)(end - at));
		if (close == NULL || close - at > NAME_MOST)
			return fault_set(f, FAULT_INPUT, "line %d: { without }",
			    b->line);
		if (put_field(w, at + 1, (size_t)(close - at - 1), out, f) < 0)
			return fault_wrap(f, "line %d", b->line);
		at = close + 1;
	}
	return 0;
}

static void
put_letter(struct writer *w, struct buf *out, char letter)
{
	static const struct {
		char letter;
		const char *entity;
	} entities[] = { { '<', "&lt;" }, { '>', "&gt;" }, { '&', "&amp;" },
		{ '"', "&quot;" }, { '\'', "&#39;" } };

	for (size_t i = 0; w->html && i < 5; i++)
		if (entities[i].letter == letter) {
			buf_text(out, entities[i].entity);
			return;
		}
	buf_put(out, &letter, 1);
}

static void
put_letters(struct writer *w, struct buf *out, const char *text, size_t len)
{
	bool marked = false;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == QUOTE)
			continue;
		if (text[i] == MARK) {
			marked = !marked;
			if (w->html)
				buf_text(out, marked ? "<mark>[" : "]</mark>");
			else
				buf_text(out, marked ? "[*** " : " ***]");
			continue;
		}
		put_letter(w, out, text[i]);
	}
}

/* The same where no tag may stand. */
static void
put_plain(struct writer *w, struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] != QUOTE && text[i] != MARK)
			put_letter(w, out, text[i]);
}

/* The next ${sign} that is not part of a value; ${end} if there is none. */
static const char *
find_sign(const char *at, const char *end, char sign)
{
	for (; at < end; at++) {
		if (*at == QUOTE && at + 1 < end)
			at++;
		else if (*at == sign)
			return at;
	}
	return end;
}

/* What a link may lead to: nothing that a browser would run. */
static bool
is_address(const char *text, size_t len)
{
	static const char *const schemes[] = { "http://", "https://",
		"mailto:" };

	for (size_t i = 0; i < 3; i++)
		if (len > strlen(schemes[i]) &&
		    memcmp(text, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return memchr(text, ':', len) == NULL;
}

/* "[text](address)" at ${at}: how long it is, 0 if it is none. */
static size_t
put_link(struct writer *w, struct buf *out, const char *at, const char *end)
{
	const char *middle = find_sign(at + 1, end, ']');
	const char *stop;
	size_t text = (size_t)(middle - at - 1), len;

	if (middle + 1 >= end || middle[1] != '(')
		return 0;
	stop = find_sign(middle + 2, end, ')');
	len = (size_t)(stop - middle - 2);
	if (stop == end || !is_address(middle + 2, len))
		return 0;
	if (w->html)
		buf_text(out, "<a href=\"");
	if (w->html)
		put_plain(w, out, middle + 2, len);
	if (w->html)
		buf_text(out, "\">");
	put_letters(w, out, at + 1, text);
	if (w->html)
		buf_text(out, "</a>");
	if (!w->html && (len != text || memcmp(at + 1, middle + 2, len) != 0)) {
		buf_text(out, " <");
		put_plain(w, out, middle + 2, len);
		buf_text(out, ">");
	}
	return (size_t)(stop - at) + 1;
}

/* "`text`" at ${at}: the same. */
static size_t
put_fixed(struct writer *w, struct buf *out, const char *at, const char *end)
{
	const char *stop = find_sign(at + 1, end, '`');

	if (stop == end)
		return 0;
	buf_text(out, w->html ? "<code>" : "");
	put_letters(w, out, at + 1, (size_t)(stop - at - 1));
	buf_text(out, w->html ? "</code>" : "");
	return (size_t)(stop - at) + 1;
}

static void
put_inline(struct writer *w, struct buf *out, const struct buf *filled)
{
	const char *at = (const char *)filled->data;
	const char *end = at + filled->len;
	const char *plain = at;

	while (at < end) {
		size_t done = 0;

		if (*at == QUOTE && at + 1 < end) {
			at += 2;
			continue;
		}
		if (*at != '[' && *at != '`') {
			at++;
			continue;
		}
		put_letters(w, out, plain, (size_t)(at - plain));
		plain = at;
		done = *at == '[' ? put_link(w, out, at, end)
				  : put_fixed(w, out, at, end);
		at += done > 0 ? done : 1;
		plain = done > 0 ? at : plain;
	}
	put_letters(w, out, plain, (size_t)(end - plain));
}

/* Columns of UTF-8 text: bytes that begin a letter. */
static size_t
columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((uint8_t)text[i] & 0xc0) != 0x80;
	return n;
}

/* ${text} in lines, the first after ${first}, the others after ${more}. */
static void
wrap(struct buf *out, const struct buf *text, const char *first,
    const char *more)
{
	const char *at = (const char *)text->data;
	const char *end = at + text->len;
	size_t column = strlen(first);
	bool begun = false;

	buf_text(out, first);
	while (at < end) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		size_t len = (size_t)((blank == NULL ? end : blank) - at);
		size_t wide = columns(at, len);

		if (begun && column + 1 + wide > COLUMNS) {
			buf_fmt(out, "\n%s", more);
			column = strlen(more);
		} else if (begun && len > 0) {
			buf_text(out, " ");
			column++;
		}
		buf_put(out, at, len);
		column += wide;
		begun |= len > 0;
		at += len + (blank != NULL);
	}
	buf_text(out, "\n");
}

static void
underline(struct buf *out, const struct buf *text, unsigned level)
{
	size_t wide = columns((const char *)text->data, text->len);

	for (size_t i = 0; i < wide && level < 3; i++)
		buf_text(out, level == 1 ? "=" : "-");
	buf_text(out, level < 3 ? "\n" : "");
}

static void
put_block_plain(struct writer *w, const struct page_block *b,
    const struct buf *text)
{
	if (b->kind == PAGE_ITEM && w->in_list && w->out->len > 0)
		w->out->len--; /* items stand close */
	switch (b->kind) {
	case PAGE_HEADING:
		buf_put(w->out, text->data, text->len);
		buf_text(w->out, "\n");
		underline(w->out, text, b->level);
		break;
	case PAGE_PARAGRAPH:
		wrap(w->out, text, "", "");
		break;
	case PAGE_ITEM:
		wrap(w->out, text, "- ", "  ");
		break;
	case PAGE_VERBATIM:
		buf_text(w->out, "    ");
		for (size_t i = 0; i < text->len; i++) {
			buf_put_u8(w->out, text->data[i]);
			if (text->data[i] == '\n')
				buf_text(w->out, "    ");
		}
		buf_text(w->out, "\n");
		break;
	case PAGE_LOOP:
	case PAGE_LOOP_END:
		break;
	}
	buf_text(w->out, "\n");
	w->in_list = b->kind == PAGE_ITEM;
}

static void
put_block_html(struct writer *w, const struct page_block *b,
    const struct buf *text)
{
	static const char *const tags[] = { "", "p", "li", "pre", "", "" };
	char tag[8] = "";

	if (w->in_list != (b->kind == PAGE_ITEM))
		buf_text(w->out, w->in_list ? "</ul>\n" : "<ul>\n");
	w->in_list = b->kind == PAGE_ITEM;
	if (text_fmt(tag, sizeof(tag), "%s", tags[b->kind]) < 0 ||
	    (b->kind == PAGE_HEADING &&
		text_fmt(tag, sizeof(tag), "h%u", b->level) < 0))
		w->out->failed = true;
	buf_fmt(w->out, "<%s>", tag);
	buf_put(w->out, text->data, text->len);
	buf_fmt(w->out, "</%s>\n", tag);
}

static int
put_block(struct writer *w, const struct page_block *b, struct fault *f)
{
	OWN_BUF(filled, LINE_MOST);
	OWN_BUF(text, 8 * LINE_MOST);

	if (fill(w, b, &filled, f) < 0)
		return -1;
	if (b->kind == PAGE_VERBATIM)
		put_letters(w, &text, (const char *)filled.data, filled.len);
	else
		put_inline(w, &text, &filled);
	if (filled.failed || text.failed)
		return fault_set(f, FAULT_INPUT, "line %d is too long",
		    b->line);
	if (w->html)
		put_block_html(w, b, &text);
	else
		put_block_plain(w, b, &text);
	return 0;
}

/* Begin the list that ${b} names; *${items} is how many it has. */
static int
begin_loop(struct writer *w, const struct page_block *b, size_t *items,
    struct fault *f)
{
	const char *name = (const char *)w->p->text.data + b->at;
	int count = -1;

	w->item = 0;
	if (text_fmt(w->loop, sizeof(w->loop), "%.*s", (int)b->len, name) == 0)
		count = w->source->items(w->source->context, w->loop);
	if (count < 0)
		return fault_set(f, FAULT_INPUT,
		    "line %d: there is no list @%s", b->line, w->loop);
	*items = (size_t)count;
	return 0;
}

static int
put_blocks(struct writer *w, struct fault *f)
{
	size_t begun = 0, items = 0;

	for (size_t i = 0; i < w->p->count; i++) {
		const struct page_block *b = &w->p->block[i];

		if (b->kind == PAGE_LOOP) {
			begun = i;
			if (begin_loop(w, b, &items, f) < 0)
				return -1;
			while (items == 0 &&
			    w->p->block[i + 1].kind != PAGE_LOOP_END)
				i++;
		} else if (b->kind == PAGE_LOOP_END && ++w->item < items)
			i = begun;
		else if (b->kind == PAGE_LOOP_END)
			*w->loop = '\0';
		else if (put_block(w, b, f) < 0)
			return -1;
	}
	if (w->html && w->in_list)
		buf_text(w->out, "</ul>\n");
	return w->out->failed || w->missing->failed
	    ? fault_set(f, FAULT_INPUT, "the page is too long")
	    : 0;
}

/* The first heading, which is the title. */
static int
put_title(struct writer *w, struct fault *f)
{
	for (size_t i = 0; i < w->p->count; i++) {
		const struct page_block *b = &w->p->block[i];
		OWN_BUF(filled, LINE_MOST);

		if (b->kind == PAGE_LOOP)
			break;
		if (b->kind != PAGE_HEADING)
			continue;
		if (fill(w, b, &filled, f) < 0)
			return -1;
		put_plain(w, w->out, (const char *)filled.data, filled.len);
		return 0;
	}
	return fault_set(f, FAULT_INPUT, "the page has no heading");
}

static const char head[] =
    "<meta name=\"viewport\" content=\"width=device-width, "
    "initial-scale=1\">\n"
    "<style>\n"
    "body { margin: 0 auto; max-width: 48rem; padding: 1rem; "
    "line-height: 1.5; font-family: sans-serif; color: #111; "
    "background: #fff }\n"
    "pre { overflow-x: auto; padding: 0.5rem; background: #f2f2f2 }\n"
    "code { overflow-wrap: anywhere }\n"
    "mark { background: #ff0; color: #111; font-weight: bold }\n"
    "</style>\n";

static const char draft_words[] =
    "DRAFT: this page is not in force, and what is marked is missing.";

int
page_html(const struct page *p, const struct page_source *source, bool draft,
    struct buf *missing, struct buf *out, struct fault *f)
{
	struct writer w = { .p = p,
		.source = source,
		.missing = missing,
		.out = out,
		.html = true };

	buf_text(out,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n"
	    "<meta charset=\"utf-8\">\n<title>");
	if (put_title(&w, f) < 0)
		return -1;
	buf_fmt(out, "</title>\n%s</head>\n<body>\n<main>\n", head);
	if (draft)
		buf_fmt(out, "<p><mark>%s</mark></p>\n", draft_words);
	if (put_blocks(&w, f) < 0)
		return -1;
	buf_text(out, "</main>\n</body>\n</html>\n");
	return 0;
}

int
page_plain(const struct page *p, const struct page_source *source, bool draft,
    struct buf *missing, struct buf *out, struct fault *f)
{
	struct writer w = {
		.p = p, .source = source, .missing = missing, .out = out
	};

	if (draft)
		buf_fmt(out, "*** %s ***\n\n", draft_words);
	return put_blocks(&w, f);
}
