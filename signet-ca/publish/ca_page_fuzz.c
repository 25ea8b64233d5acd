/* Whatever a template says: the HTML has only tags that we write, each closed
 * in its turn, and no address that runs; made again it is the same. */
#include "ca_page.h"

#include "base/fault.h"
#include "ca_page_probe.h"

#include <stdlib.h>

#define OUT_MOST ((size_t)8 << 20)
#define DEEP 16

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool condition)
{
	if (!condition)
		abort();
}

/* Tags that have no end. */
static bool
is_void(const char *tag, size_t len)
{
	return len == 4 && memcmp(tag, "meta", 4) == 0;
}

static void
check_tag(const char *tag, size_t len, const char *open[DEEP], size_t *depth)
{
	static const char *const known[] = { "html", "head", "title", "style",
		"body", "main", "p", "mark", "h1", "h2", "h3", "ul", "li",
		"pre", "code", "a" };
	bool end = *tag == '/';
	size_t name = strcspn(tag + end, " >");

	(void)len;
	if (is_void(tag, name))
		return;
	if (end) {
		must(*depth > 0);
		--*depth;
		must(strlen(open[*depth]) == name &&
		    memcmp(open[*depth], tag + 1, name) == 0);
		return;
	}
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i]) == name &&
		    memcmp(known[i], tag, name) == 0) {
			must(*depth < DEEP);
			open[(*depth)++] = known[i];
			return;
		}
	abort();
}

static void
check_html(const char *html)
{
	const char *open[DEEP];
	size_t depth = 0;

	html += strlen("<!DOCTYPE html>");
	while ((html = strchr(html, '<')) != NULL) {
		size_t len = strcspn(html, ">");

		must(html[len] == '>');
		check_tag(html + 1, len - 1, open, &depth);
		html += len;
	}
	must(depth == 0);
}

static int
make(const struct page *p, bool html, struct buf *missing, struct buf *out)
{
	struct fault f = { 0 };

	return html ? page_html(p, &probe_source, true, missing, out, &f)
		    : page_plain(p, &probe_source, true, missing, out, &f);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	OWN_BUF(missing, 65536);
	OWN_BUF(html, OUT_MOST);
	OWN_BUF(again, OUT_MOST);
	OWN_BUF(plain, OUT_MOST);
	struct fault f = { 0 };
	struct page p;
	int made;

	if (size > 4096 || page_read(&p, (const char *)data, size, &f) < 0)
		return 0;
	made = make(&p, true, &missing, &html);
	must(make(&p, true, &missing, &again) == made);
	if (made == 0) {
		must(html.len == again.len &&
		    memcmp(html.data, again.data, html.len) == 0);
		must(strlen(buf_cstr(&html)) == html.len);
		check_html(buf_cstr(&html));
		must(strstr(buf_cstr(&html), "href=\"javascript:") == NULL);
		must(make(&p, false, &missing, &plain) == 0);
	}
	page_clear(&p);
	return 0;
}
