#ifndef SIGNET_CA_CA_PAGE_PROBE_H
#define SIGNET_CA_CA_PAGE_PROBE_H

/* Values for the pages of ca_page_test and ca_page_fuzz. */

#include "ca_page.h"

#include <string.h>

static inline int
probe_items(const void *context, const char *loop)
{
	(void)context;
	if (strcmp(loop, "ca") == 0)
		return 2;
	return strcmp(loop, "none") == 0 ? 0 : -1;
}

static inline int
probe_field(const void *context, const char *loop, size_t item,
    const char *name, struct buf *value)
{
	(void)context;
	if (strcmp(name, "n") == 0 && strcmp(loop, "ca") == 0) {
		buf_fmt(value, "%zu", item);
		return 1;
	}
	if (strcmp(name, "evil") == 0) {
		buf_text(value,
		    "<b>&\"'`x` [y](javascript:z) {gone} ](http://h/)");
		return 1;
	}
	if (strcmp(name, "word") == 0) {
		buf_text(value, "word");
		return 1;
	}
	return strcmp(name, "gone") == 0 ? 0 : -1;
}

static const struct page_source probe_source = { NULL, probe_items,
	probe_field };

#endif
