#include "base/fault.h"
#include "base/text.h"
#include "maprule/maprule_inner.h"

#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PAGE_MOST 100000
#define TIMEOUT_MOST 3600

/* A setting of one word, and where it goes. */
struct plain {
	const char *keyword;
	size_t offset;
};
static const struct plain plain[] = {
	{ "base", offsetof(struct roster_source_conf, base) },
	{ "filter", offsetof(struct roster_source_conf, filter) },
	{ "ca", offsetof(struct roster_source_conf, ca_file) },
	{ "account", offsetof(struct roster_source_conf, account) },
	{ "principal", offsetof(struct roster_source_conf, principal) },
	{ "subject", offsetof(struct roster_source_conf, subject) },
	{ "group-base", offsetof(struct roster_source_conf, group_base) },
	{ "group-filter", offsetof(struct roster_source_conf, group_filter) },
	{ "group-name", offsetof(struct roster_source_conf, group_name) },
};

/* All words of ${keyword}, on however many lines, with blanks between. */
static int
join(struct maprule_arena *a, const struct maprule_source *s,
    const char *keyword, const char **joined, struct fault *f)
{
	OWN_BUF(text, MAPRULE_MAX);

	for (size_t i = 0; i < s->count; i++) {
		const struct maprule_setting *set = &s->setting[i];

		if (strcmp(set->keyword, keyword) != 0)
			continue;
		for (size_t j = 0; j < set->words.count; j++)
			buf_fmt(&text, "%s%s", text.len > 0 ? " " : "",
			    set->words.word[j]);
	}
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for rules");
	if (text.len == 0)
		return 0;
	*joined = maprule_take_text(a, (const char *)text.data, text.len, f);
	return *joined == NULL ? -1 : 0;
}

static int
read_bind(struct maprule_words w, struct roster_source_conf *conf,
    struct fault *f)
{
	static const char *const known[] = { "anonymous", "simple", "gssapi" };
	static const enum roster_bind binds[] = { ROSTER_BIND_ANONYMOUS,
		ROSTER_BIND_SIMPLE, ROSTER_BIND_GSSAPI };
	int i;

	if (w.count == 0)
		return 0;
	i = maprule_one_of("way to bind", w.word[0], known, COUNT_OF(known), f);
	if (i < 0)
		return -1;
	conf->bind = binds[i];
	if (conf->bind != ROSTER_BIND_SIMPLE)
		return w.count == 1
		    ? 0
		    : fault_set(f, FAULT_CONFIG,
			  "too many words: bind %s needs no DN", known[i]);
	if (w.count != 3)
		return fault_set(f, FAULT_CONFIG,
		    "bind simple needs a DN and the file of its password");
	conf->bind_dn = w.word[1];
	conf->password_file = w.word[2];
	return 0;
}

static int
read_tls(struct maprule_words w, struct roster_source_conf *conf,
    struct fault *f)
{
	static const char *const known[] = { "starttls", "plain" };

	conf->plain = w.count > 0 && strcmp(w.word[0], known[1]) == 0;
	conf->start_tls = !conf->plain;
	if (w.count == 0 || conf->plain || strcmp(w.word[0], known[0]) == 0)
		return 0;
	return maprule_unknown("word for tls", w.word[0], known,
	    COUNT_OF(known), f);
}

static int
read_groups(struct maprule_words w, struct roster_source_conf *conf,
    struct fault *f)
{
	static const char *const known[] = { "isMemberOf", "memberOf",
		"member" };
	static const enum roster_groups kinds[] = { ROSTER_GROUPS_NAMES,
		ROSTER_GROUPS_DNS, ROSTER_GROUPS_MEMBER };
	int i;

	if (w.count == 0)
		return 0;
	i = maprule_one_of("way of groups", w.word[0], known, COUNT_OF(known),
	    f);
	if (i < 0)
		return -1;
	conf->groups = kinds[i];
	conf->group_attribute = w.word[w.count - 1];
	return 0;
}

static int
read_numbers(const struct maprule_source *s, struct roster_source_conf *conf,
    struct fault *f)
{
	struct maprule_words page = maprule_source_get(s, "page");
	struct maprule_words timeout = maprule_source_get(s, "timeout");
	struct maprule_words follow = maprule_source_get(s, "follow");
	int64_t number;
	bool yes;

	if (page.count > 0) {
		if (text_number(page.word[0], 0, PAGE_MOST, &number) < 0)
			return fault_set(f, FAULT_CONFIG,
			    "page is a number up to %d, not \"%.32s\"",
			    PAGE_MOST, page.word[0]);
		conf->page = (unsigned)number;
	}
	if (timeout.count > 0) {
		if (maprule_seconds_read(timeout.word[0], &number, f) < 0)
			return fault_wrap(f, "timeout");
		if (number < 1 || number > TIMEOUT_MOST)
			return fault_set(f, FAULT_CONFIG,
			    "timeout lies between 1s and %ds", TIMEOUT_MOST);
		conf->silence_s = (unsigned)number;
	}
	if (follow.count > 0) {
		if (maprule_yes_read("follow", follow.word[0], &yes, f) < 0)
			return -1;
		conf->no_sync = !yes;
	}
	return 0;
}

static enum roster_kind
kind_of(const struct maprule_source *s)
{
	static const struct {
		const char *word;
		enum roster_kind kind;
	} kinds[] = { { "file", ROSTER_FILE }, { "list", ROSTER_LIST },
		{ "requests", ROSTER_REQUESTS } };

	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (strcmp(kinds[i].word, s->kind) == 0)
			return kinds[i].kind;
	return ROSTER_LDAP;
}

int
maprule_source_conf_read(struct maprule_arena *a,
    const struct maprule_source *s, struct roster_source_conf *conf,
    struct fault *f)
{
	*conf = (struct roster_source_conf){ .name = s->name,
		.kind = kind_of(s),
		.max_age_s = s->max_age,
		.path = *s->where == '\0' ? NULL : s->where };
	for (size_t i = 0; i < COUNT_OF(plain); i++) {
		struct maprule_words w =
		    maprule_source_get(s, plain[i].keyword);

		if (w.count > 0)
			*(const char **)(void *)((char *)conf +
			    plain[i].offset) = w.word[0];
	}
	if (join(a, s, "server", &conf->servers, f) < 0 ||
	    join(a, s, "dn", &conf->names, f) < 0 ||
	    read_bind(maprule_source_get(s, "bind"), conf, f) < 0 ||
	    read_tls(maprule_source_get(s, "tls"), conf, f) < 0 ||
	    read_groups(maprule_source_get(s, "groups"), conf, f) < 0 ||
	    read_numbers(s, conf, f) < 0)
		return -1;
	return roster_source_check(conf, f);
}
