#include "conv_out.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "x509/dn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REPORT_MAX ((size_t)64 << 20)

int
conv_open(struct conv *c, const char *path, struct fault *f)
{
	*c = (struct conv){ .path = path,
		.text = BUF(CONV_TEXT_MAX),
		.rules = BUF(CONV_TEXT_MAX),
		.map = BUF(CONV_TEXT_MAX),
		.report = BUF(REPORT_MAX) };
	return file_read(path, &c->text, f);
}

void
conv_free(struct conv *c)
{
	buf_free(&c->text);
	buf_free(&c->rules);
	buf_free(&c->map);
	buf_free(&c->report);
}

void
conv_left(struct conv *c, size_t line, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	text_clean(text);
	c->left++;
	if (line > 0)
		buf_fmt(&c->report, "%s:%zu: %s\n", c->path, line, text);
	else
		buf_fmt(&c->report, "%s: %s\n", c->path, text);
}

bool
conv_quote(struct buf *out, const char *text)
{
	if (!text_printable(text) || strpbrk(text, "\"\\") != NULL ||
	    *text == '\0')
		return false;
	if (strpbrk(text, " #,'") == NULL)
		buf_text(out, text);
	else
		buf_fmt(out, "\"%s\"", text);
	return true;
}

bool
conv_name(const char *text, char name[MAP_REQUEST_NAME_SIZE])
{
	struct fault f = { 0 };
	struct dn dn;

	if (dn_read_slash(&dn, text, &f) < 0 ||
	    dn_show_slash(&dn, name, MAP_REQUEST_NAME_SIZE) < 0) {
		if (text_copy(name, MAP_REQUEST_NAME_SIZE, text) < 0)
			return false;
	}
	return map_request_name_good(name);
}

int
conv_path(const char *dir, const char *name, char path[CONV_PATH_SIZE],
    struct fault *f)
{
	if (text_fmt(path, CONV_PATH_SIZE, "%s/%s", dir, name) < 0)
		return fault_set(f, FAULT_USAGE, "--dir: path too long");
	if (file_mkdir(dir, 0755, f) < 0)
		return -1;
	if (access(path, F_OK) == 0)
		return fault_set(f, FAULT_DENIED, "%s is there already", path);
	return 0;
}

static int
put(const char *dir, const char *name, const struct buf *text, struct fault *f)
{
	char path[CONV_PATH_SIZE];

	if (text->len == 0)
		return 0;
	if (dir == NULL)
		return file_write_all(STDOUT_FILENO, text->data, text->len, f);
	if (conv_path(dir, name, path, f) < 0)
		return -1;
	return file_write_new(path, 0644, text->data, text->len, f);
}

int
conv_write(struct conv *c, const char *dir, struct fault *f)
{
	if (c->rules.failed || c->map.failed || c->report.failed)
		return fault_set(f, FAULT_MEMORY, "the result is too large");
	if (put(dir, "map.rules", &c->rules, f) < 0 ||
	    put(dir, "static.map", &c->map, f) < 0 ||
	    (dir != NULL && put(dir, "report", &c->report, f) < 0))
		return -1;
	if (c->report.len > 0)
		(void)fwrite(c->report.data, 1, c->report.len, stderr);
	if (c->left == 0)
		return 0;
	fprintf(stderr, "signet-map: %zu could not be carried over\n", c->left);
	return fault_exit_status(FAULT_PARTLY);
}
