/* Templates read: lines become blocks. */
#include "ca_page.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct reader {
	struct page *p;
	bool open; /* a paragraph or an item can be continued */
	bool in_loop;
	int line;
};

static struct page_block *
add(struct reader *r, enum page_kind kind, struct fault *f)
{
	struct page *p = r->p;
	struct page_block *b;

	if (p->count == p->room) {
		(void)fault_set(f, FAULT_INPUT, "line %d: more than %d blocks",
		    r->line, PAGE_BLOCKS_MAX);
		return NULL;
	}
	b = &p->block[p->count++];
	*b = (struct page_block){
		.kind = kind, .line = r->line, .at = p->text.len
	};
	return b;
}

static void
append(struct page *p, const char *text, size_t len, char between)
{
	struct page_block *b = &p->block[p->count - 1];

	if (b->len > 0) {
		buf_put(&p->text, &between, 1);
		b->len++;
	}
	buf_put(&p->text, text, len);
	b->len += len;
}

static int
read_loop(struct reader *r, const char *line, size_t len, struct fault *f)
{
	bool begin = !(len == 4 && memcmp(line, "@end", 4) == 0);

	if (begin == r->in_loop)
		return fault_set(f, FAULT_INPUT, "line %d: %s", r->line,
		    begin ? "a list within a list" : "@end without a list");
	for (size_t i = 1; i < len; i++)
		if (line[i] < 'a' || line[i] > 'z')
			return fault_set(f, FAULT_INPUT,
			    "line %d: @ and a word stand alone", r->line);
	if (len < 2 || len > PAGE_LOOP_NAME)
		return fault_set(f, FAULT_INPUT, "line %d: no list", r->line);
	r->in_loop = begin;
	r->open = false;
	if (add(r, begin ? PAGE_LOOP : PAGE_LOOP_END, f) == NULL)
		return -1;
	append(r->p, line + 1, len - 1, ' ');
	return 0;
}

static int
read_heading(struct reader *r, const char *line, size_t len, struct fault *f)
{
	struct page_block *b;
	unsigned level = 0;

	while (level < len && line[level] == '#')
		level++;
	if (level > 3 || level + 1 >= len || line[level] != ' ')
		return fault_set(f, FAULT_INPUT,
		    "line %d: a heading is one to three #, a blank and text",
		    r->line);
	r->open = false;
	if ((b = add(r, PAGE_HEADING, f)) == NULL)
		return -1;
	b->level = level;
	append(r->p, line + level + 1, len - level - 1, ' ');
	return 0;
}

static int
read_verbatim(struct reader *r, const char *line, size_t len, struct fault *f)
{
	const struct page *p = r->p;

	r->open = false;
	if ((p->count == 0 || p->block[p->count - 1].kind != PAGE_VERBATIM ||
		p->block[p->count - 1].line != r->line - 1) &&
	    add(r, PAGE_VERBATIM, f) == NULL)
		return -1;
	append(r->p, line, len, '\n');
	r->p->block[p->count - 1].line = r->line;
	return 0;
}

static int
read_item(struct reader *r, const char *line, size_t len, struct fault *f)
{
	if (add(r, PAGE_ITEM, f) == NULL)
		return -1;
	append(r->p, line, len, ' ');
	r->open = true;
	return 0;
}

static size_t
skip_blanks(const char *line, size_t len)
{
	size_t at = 0;

	while (at < len && line[at] == ' ')
		at++;
	return at;
}

static int
read_line(struct reader *r, const char *line, size_t len, struct fault *f)
{
	size_t blanks = skip_blanks(line, len);

	if (blanks == len) {
		r->open = false;
		return 0;
	}
	if (*line == '\t')
		return read_verbatim(r, line + 1, len - 1, f);
	if (blanks >= 4 && !r->open)
		return read_verbatim(r, line + 4, len - 4, f);
	if (*line == '@')
		return read_loop(r, line, len, f);
	if (*line == '#')
		return read_heading(r, line, len, f);
	if (len > 2 && line[0] == '-' && line[1] == ' ')
		return read_item(r, line + 2, len - 2, f);
	if (!r->open && add(r, PAGE_PARAGRAPH, f) == NULL)
		return -1;
	r->open = true;
	append(r->p, line + blanks, len - blanks, ' ');
	return 0;
}

static int
read_lines(struct reader *r, const char *text, size_t len, struct fault *f)
{
	const char *end = text + len;

	while (text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop == NULL ? end : stop) - text);
		size_t shown = n;

		r->line++;
		while (shown > 0 &&
		    (text[shown - 1] == ' ' || text[shown - 1] == '\t'))
			shown--;
		if (!text_utf8(text, shown) &&
		    !(shown > 1 && *text == '\t' &&
			text_utf8(text + 1, shown - 1)))
			return fault_set(f, FAULT_INPUT,
			    "line %d is not UTF-8 without control characters",
			    r->line);
		if (shown == 0)
			r->open = false;
		else if (read_line(r, text, shown, f) < 0)
			return -1;
		text += n + (stop != NULL);
	}
	if (r->in_loop)
		return fault_set(f, FAULT_INPUT, "a list without @end");
	return 0;
}

int
page_read(struct page *p, const char *text, size_t len, struct fault *f)
{
	struct reader r = { .p = p };

	*p = (struct page){ .text = BUF(2 * PAGE_TEXT_MAX) };
	if (len > PAGE_TEXT_MAX)
		return fault_set(f, FAULT_INPUT, "longer than %zu bytes",
		    PAGE_TEXT_MAX);
	/* No line begins more than one block. */
	p->room = 1;
	for (size_t i = 0; i < len && p->room < PAGE_BLOCKS_MAX; i++)
		p->room += text[i] == '\n';
	p->block = calloc(p->room, sizeof(*p->block));
	if (p->block == NULL)
		return fault_set(f, FAULT_MEMORY, "page");
	if (read_lines(&r, text, len, f) < 0) {
		page_clear(p);
		return -1;
	}
	if (p->text.failed) {
		page_clear(p);
		return fault_set(f, FAULT_MEMORY, "page");
	}
	return 0;
}

void
page_clear(struct page *p)
{
	buf_free(&p->text);
	free(p->block);
	*p = (struct page){ 0 };
}
