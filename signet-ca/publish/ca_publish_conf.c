#include "ca_publish_conf.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "trust/anchor_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define DIGITS "0123456789"
#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define LARGE "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define MAIL_SIGNS "@.!#$%&'*+/=?^_{|}~-"

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)                \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct publish_conf, field), \
		fallback, min, max, doc },
#include "ca_publish_conf.def"
#undef CONF
};

const struct conf_schema publish_schema = { "publish.conf", items,
	sizeof(items) / sizeof(items[0]) };

static bool
only(const char *text, const char *letters)
{
	return text[strspn(text, letters)] == '\0';
}

/*
 * All of it goes into pages, packages and their makers' recipes: a control
 * character or what is not UTF-8 has no place there.
 */
static int
check_texts(const struct publish_conf *c, struct fault *f)
{
	for (size_t i = 0; i < publish_schema.count; i++) {
		const char *text = (const char *)c + items[i].offset;

		if (items[i].type == CONF_TYPE_STRING &&
		    !text_utf8(text, strlen(text)))
			return fault_set(f, FAULT_CONFIG,
			    "%s is not UTF-8 without control characters",
			    items[i].keyword);
	}
	return 0;
}

/* An http address of printable letters that mean nothing in HTML or files. */
static int
check_url(const char *keyword, const char *url, bool https, struct fault *f)
{
	const char *rest = text_starts(url, "http://") ? url + 7
	    : https && text_starts(url, "https://")    ? url + 8
						       : "";

	if (*rest == '\0' || *rest == '/' ||
	    !only(rest, SMALL LARGE DIGITS "-._~:/%@+,=&?[]"))
		return fault_set(f, FAULT_CONFIG,
		    "%s is no plain http address: \"%s\"", keyword, url);
	return 0;
}

static int
check_urls(struct publish_conf *c, struct fault *f)
{
	size_t len = strlen(c->url);

	if (len == 0)
		return fault_set(f, FAULT_CONFIG, "no url is given");
	if (c->url[len - 1] != '/')
		memcpy(c->url + len, "/", 2);
	if (*c->home_page == '\0')
		memcpy(c->home_page, c->url, sizeof(c->home_page));
	if (check_url("url", c->url, false, f) < 0)
		return -1;
	return check_url("home-page", c->home_page, true, f);
}

static int
check_mail(const char *keyword, const char *mail, struct fault *f)
{
	const char *at = strchr(mail, '@');

	if (*mail != '\0' &&
	    (at == NULL || at == mail || at[1] == '\0' ||
		strchr(at + 1, '@') != NULL ||
		!only(mail, SMALL LARGE DIGITS MAIL_SIGNS)))
		return fault_set(f, FAULT_CONFIG,
		    "%s is no mail address: \"%s\"", keyword, mail);
	return 0;
}

/* Numbers with dots between: the tail of an OID. */
static int
check_arc(const char *arc, struct fault *f)
{
	if (*arc != '\0' &&
	    (!only(arc, DIGITS ".") || *arc == '.' || text_ends(arc, ".") ||
		strstr(arc, "..") != NULL))
		return fault_set(f, FAULT_CONFIG,
		    "policy-arc is numbers with dots between, not \"%s\"", arc);
	return 0;
}

static int
check_date(const char *date, struct fault *f)
{
	struct tm tm = { 0 };
	const char *end = strptime(date, "%Y-%m-%d", &tm);

	if (*date != '\0' && (end == NULL || *end != '\0'))
		return fault_set(f, FAULT_CONFIG,
		    "document-date is written 2026-11-22, not \"%s\"", date);
	return 0;
}

static int
read_styles(struct publish_conf *c, struct fault *f)
{
	const conf_list *styles = &c->hash_style;

	c->new_hash = c->old_hash = styles->count == 0;
	for (size_t i = 0; i < styles->count; i++) {
		if (strcmp(styles->item[i], "new") == 0)
			c->new_hash = true;
		else if (strcmp(styles->item[i], "old") == 0)
			c->old_hash = true;
		else
			return fault_set(f, FAULT_CONFIG,
			    "hash-style is new or old, not \"%s\"",
			    styles->item[i]);
	}
	return 0;
}

static int
read_formats(struct publish_conf *c, struct fault *f)
{
	const conf_list *formats = &c->package_format;
	bool none = false;

	c->deb = c->rpm = formats->count == 0;
	for (size_t i = 0; i < formats->count; i++) {
		if (strcmp(formats->item[i], "deb") == 0)
			c->deb = true;
		else if (strcmp(formats->item[i], "rpm") == 0)
			c->rpm = true;
		else if (strcmp(formats->item[i], "none") == 0)
			none = true;
		else
			return fault_set(f, FAULT_CONFIG,
			    "package-format is deb, rpm or none, not \"%s\"",
			    formats->item[i]);
	}
	if (none && (c->deb || c->rpm))
		return fault_set(f, FAULT_CONFIG,
		    "package-format none stands alone");
	return 0;
}

/* The stricter of what dpkg and rpm take (Debian policy 5.6.1, 5.6.12). */
static int
check_package(const struct publish_conf *c, struct fault *f)
{
	const char *name = c->package_name, *version = c->package_version;
	const char *mail = strstr(c->package_maintainer, " <");

	if (strlen(name) < 2 || strchr(SMALL DIGITS, *name) == NULL ||
	    !only(name, SMALL DIGITS "-"))
		return fault_set(f, FAULT_CONFIG,
		    "package-name has small letters, digits and '-', two or "
		    "more");
	if (*version == '\0' || strchr(DIGITS, *version) == NULL ||
	    !only(version, SMALL LARGE DIGITS ".+~"))
		return fault_set(f, FAULT_CONFIG,
		    "package-version begins with a digit and has letters, "
		    "digits, '.', '+' and '~'");
	if (!c->deb && !c->rpm)
		return 0;
	if (mail == NULL || mail == c->package_maintainer ||
	    strchr(mail, '@') == NULL || !text_ends(mail, ">") ||
	    strpbrk(c->package_maintainer, "%\"\\") != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "package-maintainer is written Name <mail@example.org>");
	/* rpmbuild would take it for a macro. */
	if (strchr(c->organisation, '%') != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "organisation cannot have a %% where packages are made");
	if (*c->package_licence == '\0' ||
	    !only(c->package_licence, SMALL LARGE DIGITS "-.+ ()"))
		return fault_set(f, FAULT_CONFIG,
		    "package-licence is an SPDX name, as in CC0-1.0");
	return 0;
}

static int
check(struct publish_conf *c, struct fault *f)
{
	if (check_texts(c, f) < 0 || check_urls(c, f) < 0 ||
	    read_styles(c, f) < 0 || read_formats(c, f) < 0 ||
	    check_mail("contact-mail", c->contact_mail, f) < 0 ||
	    check_mail("request-mail", c->request_mail, f) < 0 ||
	    check_arc(c->policy_arc, f) < 0 ||
	    check_date(c->document_date, f) < 0)
		return -1;
	if (c->ca.count == 0)
		return fault_set(f, FAULT_CONFIG, "no ca is given");
	return check_package(c, f);
}

int
publish_conf_parse(struct publish_conf *c, const char *text, size_t len,
    const char *dir, struct fault *f)
{
	memset(c, 0, sizeof(*c));
	if (text_copy(c->dir, sizeof(c->dir), dir) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (conf_read(&publish_schema, c, text, len, f) < 0)
		return -1;
	return check(c, f);
}

int
publish_conf_read(struct publish_conf *c, const char *path, struct fault *f)
{
	OWN_BUF(text, CONF_MAX_TEXT);
	char dir[PATH_MAX];
	char *slash;

	if (text_copy(dir, sizeof(dir), path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if ((slash = strrchr(dir, '/')) == NULL)
		memcpy(dir, ".", 2);
	else
		slash[slash == dir ? 1 : 0] = '\0';
	if (file_read(path, &text, f) < 0)
		return -1;
	if (publish_conf_parse(c, (const char *)text.data, text.len, dir, f) <
	    0)
		return fault_wrap(f, "%s", path);
	return 0;
}

int
publish_conf_path(const struct publish_conf *c, const char *file,
    char path[PATH_MAX], struct fault *f)
{
	int result = *file == '/'
	    ? text_copy(path, PATH_MAX, file)
	    : text_fmt(path, PATH_MAX, "%s/%s", c->dir, file);

	if (result < 0)
		return fault_set(f, FAULT_CONFIG, "path too long: %s", file);
	return 0;
}

int
publish_conf_pair(const char *line, char alias[64], const char **path,
    struct fault *f)
{
	size_t len = strcspn(line, " \t");
	const char *rest = line + len + strspn(line + len, " \t");

	if (len >= 64 || *rest == '\0' ||
	    text_fmt(alias, 64, "%.*s", (int)len, line) < 0 ||
	    !anchor_alias_good(alias))
		return fault_set(f, FAULT_CONFIG,
		    "\"%s\": an alias (letters, digits, '_', '.', '-'), a "
		    "blank and a path are wanted",
		    line);
	*path = rest;
	return 0;
}

int
publish_conf_field(const struct publish_conf *c, const char *keyword,
    struct buf *value)
{
	for (size_t i = 0; i < publish_schema.count; i++) {
		const void *field = (const char *)c + items[i].offset;
		conf_number number;

		if (strcmp(items[i].keyword, keyword) != 0)
			continue;
		if (items[i].type == CONF_TYPE_STRING) {
			buf_text(value, field);
			return *(const char *)field != '\0';
		}
		if (items[i].type != CONF_TYPE_NUMBER)
			return -1;
		memcpy(&number, field, sizeof(number));
		if (number != 0)
			buf_fmt(value, "%lld", (long long)number);
		return number != 0;
	}
	return -1;
}
