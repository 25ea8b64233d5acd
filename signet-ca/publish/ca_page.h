#ifndef SIGNET_CA_CA_PAGE_H
#define SIGNET_CA_CA_PAGE_H

#include "base/buf.h"
#include "base/checked.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Pages from templates: a few signs of Markdown, written as HTML or as plain
 * text.
 *
 *   # ## ###         headings; the first is the title
 *   - item           continued by lines that begin with two blanks
 *       verbatim     four blanks or a tab
 *   [text](address)  link;  `text` fixed width;  {name} a field
 *   @ca ... @end     once for each item of the list "ca" (no nesting)
 *
 * A field's value is text: no sign in it means anything.
 */
struct fault;

#define PAGE_TEXT_MAX ((size_t)262144)
#define PAGE_BLOCKS_MAX 4096
#define PAGE_LOOP_NAME 16

enum page_kind {
	PAGE_HEADING,
	PAGE_PARAGRAPH,
	PAGE_ITEM,
	PAGE_VERBATIM,
	PAGE_LOOP,
	PAGE_LOOP_END
};

struct page_block {
	enum page_kind kind;
	unsigned level; /* of a heading: 1 to 3 */
	int line;
	size_t at; /* in the page's text */
	size_t len;
};

struct page {
	struct buf text; /* lines of a block joined */
	size_t count;
	size_t room;
	struct page_block *block; /* owned */
};

/* Where values come from.  items: how many the list ${loop} has, -1 if there is
 * no such list.  field: 1 and the value appended, 0 if there is none yet, -1 if
 * the name means nothing; ${loop} is "" outside one. */
struct page_source {
	const void *context;
	int (*items)(const void *context, const char *loop);
	int (*field)(const void *context, const char *loop, size_t item,
	    const char *name, struct buf *value);
};

/* Read a template; page_clear() it.  FAULT_INPUT names the line. */
CHECKED int page_read(struct page *p, const char *text, size_t len,
    struct fault *f);
void page_clear(struct page *p);

/**
 * page_html(p, source, draft, missing, out, f):
 * Append the page.  Names without a value stand in it marked, and are appended
 * to ${missing}, each once, ", " between them.  ${draft} says so at the top.
 * FAULT_INPUT for a name that means nothing, with its line.
 */
CHECKED int page_html(const struct page *p, const struct page_source *source,
    bool draft, struct buf *missing, struct buf *out, struct fault *f);

/* The same as plain text of at most 78 columns, words allowing. */
CHECKED int page_plain(const struct page *p, const struct page_source *source,
    bool draft, struct buf *missing, struct buf *out, struct fault *f);

#endif
