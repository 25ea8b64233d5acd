/*
 * A gums.config (facts: trustmap FEATURES) as rules: hostToGroupMapping names
 * groupToAccountMappings, each of which names userGroups and accountMappers.
 * The first host that fits, and in it the first group that has somebody, maps
 * him; so do rules in their order.
 */
#include "base/fault.h"
#include "base/text.h"
#include "conv_out.h"
#include "conv_tag.h"
#include "convert_args.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define HOSTS_MAX 65536 /* of a rule's line */
#define NAME_SIZE 64	/* of a source, with a NUL */

struct tags {
	struct conv_tag *at;
	size_t count;
	size_t room;
};

static int
keep(struct tags *all, const struct conv_tag *tag, struct fault *f)
{
	if (all->count == all->room) {
		size_t room = all->room == 0 ? 32 : 2 * all->room;
		void *at = reallocarray(all->at, room, sizeof(*all->at));

		if (at == NULL)
			return fault_set(f, FAULT_MEMORY, "tags");
		all->at = at;
		all->room = room;
	}
	all->at[all->count++] = *tag;
	return 0;
}

static int
read_all(const struct conv *c, struct tags *all, struct fault *f)
{
	size_t at = 0, line = 1;
	struct conv_tag tag;
	int got;

	while ((got = tag_read((const char *)c->text.data, c->text.len, &at,
		    &line, &tag, f)) == 1)
		if (keep(all, &tag, f) < 0)
			return -1;
	return got < 0 ? fault_wrap(f, "%s", c->path) : 0;
}

static bool
is_word(const char *text)
{
	return isalnum((unsigned char)*text) && strlen(text) < NAME_SIZE &&
	    strspn(text,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789._-") == strlen(text);
}

/* The tag whose name ends in ${kind} and that is called ${name}. */
static const struct conv_tag *
find(const struct tags *all, const char *kind, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (text_ends(all->at[i].name, kind) &&
		    strcmp(tag_get(&all->at[i], "name"), name) == 0)
			return &all->at[i];
	return NULL;
}

static void
put_sources(struct conv *c, const struct tags *all)
{
	for (size_t i = 0; i < all->count; i++) {
		const struct conv_tag *tag = &all->at[i];
		const char *name = tag_get(tag, "name");

		if (!text_ends(tag->name, "UserGroup"))
			continue;
		if (!is_word(name)) {
			conv_left(c, tag->line,
			    "%s: a name that a rule cannot "
			    "have",
			    tag->name);
			continue;
		}
		if (find(all, "UserGroup", name) != tag) {
			conv_left(c, tag->line, "%s %s is there twice",
			    tag->name, name);
			continue;
		}
		buf_fmt(&c->rules, "source %s list /etc/signet/%s.list\n", name,
		    name);
		conv_left(c, tag->line,
		    "%s %s: export its members, one name a line, to "
		    "/etc/signet/%s.list, or name its server instead",
		    tag->name, name, name);
	}
	buf_text(&c->rules, "\n");
}

static void
put_accounts(struct conv *c, const struct tags *all, const char *mapper,
    struct buf *out)
{
	const struct conv_tag *tag = find(all, "AccountMapper", mapper);
	const char *account;

	if (tag == NULL)
		tag = find(all, "PoolMapper", mapper);
	if (tag == NULL) {
		conv_left(c, 0, "there is no account mapper %s", mapper);
		return;
	}
	account = tag_get(tag, "accountName");
	if (*account == '\0')
		account = tag_get(tag, "groupName");
	if (text_starts(tag->name, "group") &&
	    map_request_account_good(account)) {
		buf_fmt(out, "    account group %s\n", account);
		return;
	}
	account = tag_get(tag, "accountPool");
	if (text_starts(tag->name, "accountPool") &&
	    map_request_account_good(account)) {
		buf_fmt(out, "    account pool %s\n", account);
		conv_left(c, tag->line,
		    "the leases of the pool %s are in GUMS's database; new "
		    "ones are made",
		    account);
		return;
	}
	conv_left(c, tag->line, "%s %s is not carried over", tag->name, mapper);
}

/* Call for each of the names in ${list}, which commas part. */
static void
each(const char *list, char word[512], char **save)
{
	if (text_copy(word, 512, list) < 0)
		word[0] = '\0';
	*save = NULL;
}

static void
put_mapping(struct conv *c, const struct tags *all, const struct conv_tag *host,
    const struct conv_tag *mapping, const char *pattern, const char *others,
    size_t *number)
{
	OWN_BUF(accounts, 65536);
	char groups[512], mappers[512], *save, *mapper_save;

	each(tag_get(mapping, "userGroups"), groups, &save);
	for (char *g = strtok_r(groups, ", ", &save); g != NULL;
	     g = strtok_r(NULL, ", ", &save)) {
		const struct conv_tag *group = find(all, "UserGroup", g);

		if (group == NULL || !is_word(g)) {
			conv_left(c, host->line, "there is no group %.64s", g);
			continue;
		}
		accounts.len = 0;
		each(tag_get(mapping, "accountMappers"), mappers, &mapper_save);
		for (char *m = strtok_r(mappers, ", ", &mapper_save); m != NULL;
		     m = strtok_r(NULL, ", ", &mapper_save))
			put_accounts(c, all, m, &accounts);
		if (accounts.len == 0) {
			conv_left(c, mapping->line,
			    "%.64s has no account that a rule could have: "
			    "nobody of %s is mapped",
			    tag_get(mapping, "name"), g);
			continue;
		}
		buf_fmt(&c->rules,
		    "map rule%zu\n    hosts %s%s\n    from %s\n%s\n", ++*number,
		    pattern, others, g, buf_cstr(&accounts));
	}
}

/* Whether ${list}, of " !PATTERN"s, has ${pattern}, which is one of them. */
static bool
has_pattern(const char *list, const char *pattern)
{
	size_t len = strlen(pattern);

	while ((list = strstr(list, pattern)) != NULL) {
		if (list[len] == '\0' || list[len] == ' ')
			return true;
		list += len;
	}
	return false;
}

static void
put_host(struct conv *c, const struct tags *all, const struct conv_tag *host,
    struct buf *before, size_t *number)
{
	const char *pattern = tag_get(host, "cn");
	OWN_BUF(others, HOSTS_MAX);
	OWN_BUF(this, 1024);
	char names[512], *save;
	bool meets; /* a pattern that came before may fit the same host */

	/* "?" in front is the service of host/NAME: any of them. */
	if (text_starts(pattern, "*/?"))
		pattern += 3;
	if (*pattern == '\0' ||
	    strspn(pattern,
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"0123456789.-*") != strlen(pattern)) {
		conv_left(c, host->line,
		    "the host pattern \"%.100s\" cannot be carried over",
		    *pattern != '\0' ? pattern : tag_get(host, "dn"));
		return;
	}
	/* No host has more than the first that fits. */
	buf_fmt(&this, " !%s", pattern);
	buf_put(&others, before->data, before->len);
	if (buf_cstr(&this) == NULL || buf_cstr(&others) == NULL)
		return;
	if (has_pattern(buf_cstr(&others), buf_cstr(&this))) {
		conv_left(c, host->line,
		    "the host pattern \"%.100s\" came before, which counts",
		    pattern);
		return;
	}
	meets = strchr(pattern, '*') != NULL ||
	    strchr(buf_cstr(&others), '*') != NULL;
	buf_put(before, this.data, this.len);
	each(tag_get(host, "groupToAccountMappings"), names, &save);
	for (char *n = strtok_r(names, ", ", &save); n != NULL;
	     n = strtok_r(NULL, ", ", &save)) {
		const struct conv_tag *m =
		    find(all, "groupToAccountMapping", n);

		if (m == NULL)
			conv_left(c, host->line, "there is no mapping %.64s",
			    n);
		else
			put_mapping(c, all, host, m, pattern,
			    meets ? buf_cstr(&others) : "", number);
	}
}

int
convert_gums(const struct convert_args *args, struct fault *f)
{
	struct conv c;
	struct tags all = { 0 };
	OWN_BUF(before, HOSTS_MAX);
	size_t number = 0;
	int result = -1;

	if (conv_open(&c, args->operand[0], f) == 0 &&
	    read_all(&c, &all, f) == 0) {
		buf_text(&c.rules,
		    "service grid\n"
		    "    file "
		    "/etc/grid-security/grid-mapfile\n\n");
		put_sources(&c, &all);
		for (size_t i = 0; i < all.count; i++)
			if (strcmp(all.at[i].name, "hostToGroupMapping") == 0)
				put_host(&c, &all, &all.at[i], &before,
				    &number);
		for (size_t i = 0; i < all.count; i++)
			if (text_starts(all.at[i].name, "banned"))
				conv_left(&c, all.at[i].line,
				    "%s: ban its members by ban lines",
				    all.at[i].name);
		result = before.failed
		    ? fault_set(f, FAULT_INPUT, "too many host patterns")
		    : conv_write(&c, args->dir, f);
	}
	free(all.at);
	conv_free(&c);
	return result;
}
