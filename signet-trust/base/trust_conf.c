#include "trust_conf.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct conf_item items[] = {
#define CONF(field, keyword, TYPE, fallback, min, max, doc)              \
	{ keyword, CONF_TYPE_##TYPE, offsetof(struct trust_conf, field), \
		fallback, min, max, doc },
#include "trust_conf.def"
#undef CONF
};

const struct conf_schema trust_conf_schema = { "trust.conf", items,
	sizeof(items) / sizeof(items[0]) };

static int
settle_mode(struct trust_conf *c, struct fault *f)
{
	char *end;
	unsigned long mode = strtoul(c->mode, &end, 8);

	if (*end != '\0' || c->mode[strspn(c->mode, "01234567")] != '\0' ||
	    mode > 0777 || (mode & 0400) == 0)
		return fault_set(f, FAULT_CONFIG,
		    "mode is three octal digits that let the owner read, not "
		    "\"%s\"",
		    c->mode);
	/* Who may write there says whom everybody trusts. */
	if ((mode & 022) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "mode %s lets others than the owner write; use 444 or 644",
		    c->mode);
	c->file_mode = (mode_t)mode;
	return 0;
}

static int
settle_styles(struct trust_conf *c, struct fault *f)
{
	c->old_hash = false;
	for (size_t i = 0; i < c->hash_style.count; i++) {
		if (strcmp(c->hash_style.item[i], "old") == 0)
			c->old_hash = true;
		else if (strcmp(c->hash_style.item[i], "new") != 0)
			return fault_set(f, FAULT_CONFIG,
			    "hash-style is new or old, not \"%s\"",
			    c->hash_style.item[i]);
	}
	return 0;
}

static int
settle_owner(struct trust_conf *c, struct fault *f)
{
	char user[CONF_STRING_SIZE];
	const struct passwd *pw;
	const struct group *gr;
	char *group;

	c->owned = *c->owner != '\0';
	if (!c->owned)
		return 0;
	memcpy(user, c->owner, sizeof(user));
	if ((group = strchr(user, ':')) == NULL)
		return fault_set(f, FAULT_CONFIG,
		    "owner is written USER:GROUP, not \"%s\"", c->owner);
	*group++ = '\0';
	if ((pw = getpwnam(user)) == NULL || (gr = getgrnam(group)) == NULL)
		return fault_set(f, FAULT_CONFIG, "owner: there is no %s",
		    c->owner);
	c->uid = pw->pw_uid;
	c->gid = gr->gr_gid;
	return 0;
}

static int
settle_cache(struct trust_conf *c, struct fault *f)
{
	const char *home = getenv("HOME"), *cache = getenv("XDG_CACHE_HOME");
	int result;

	if (*c->cache_dir != '\0')
		result = text_copy(c->cache, sizeof(c->cache), c->cache_dir);
	else if (geteuid() == 0)
		result = text_copy(c->cache, sizeof(c->cache),
		    "/var/cache/signet-trust");
	else if (cache != NULL && *cache == '/')
		result = text_fmt(c->cache, sizeof(c->cache), "%s/signet-trust",
		    cache);
	else
		result = text_fmt(c->cache, sizeof(c->cache),
		    "%s/.cache/signet-trust", home != NULL ? home : "");
	if (result < 0)
		return fault_set(f, FAULT_CONFIG, "cache-dir: path too long");
	if (strcmp(c->cache, c->target) == 0)
		return fault_set(f, FAULT_CONFIG,
		    "cache-dir and target are one directory: the cache is not "
		    "for those who read the other");
	return 0;
}

int
trust_conf_settle(struct trust_conf *c, struct fault *f)
{
	if (settle_mode(c, f) < 0 || settle_styles(c, f) < 0 ||
	    settle_owner(c, f) < 0)
		return -1;
	if (c->ip != 0 && c->ip != 4 && c->ip != 6)
		return fault_set(f, FAULT_CONFIG, "ip is 4, 6 or 0");
	return settle_cache(c, f);
}

int
trust_conf_parse(struct trust_conf *c, const char *text, size_t len,
    struct fault *f)
{
	memset(c, 0, sizeof(*c));
	if (conf_read(&trust_conf_schema, c, text, len, f) < 0)
		return -1;
	return trust_conf_settle(c, f);
}

int
trust_conf_read(struct trust_conf *c, const char *path, struct fault *f)
{
	OWN_BUF(text, CONF_MAX_TEXT);
	const char *file = path != NULL ? path : TRUST_CONF_PATH;

	if (file_read(file, &text, f) < 0 &&
	    (path != NULL || f->code != FAULT_ABSENT)) {
		f->code = FAULT_CONFIG;
		return -1;
	}
	if (trust_conf_parse(c, text.len > 0 ? (const char *)text.data : "",
		text.len, f) < 0)
		return fault_wrap(f, "%s", file);
	return 0;
}
