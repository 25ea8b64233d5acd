#include "trust_world.h"

#include "anchor/anchor_source.h"
#include "anchor/igtf_info.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_FILE_MAX 1048576
#define DEPTH_MAX 16

static int
put_text(char to[CONF_STRING_SIZE], const char *value, const char *option,
    struct fault *f)
{
	if (value != NULL && text_copy(to, CONF_STRING_SIZE, value) < 0)
		return fault_set(f, FAULT_USAGE, "--%s is too long", option);
	return 0;
}

static int
put_list(conf_list *to, const struct cmd_list *from, const char *option,
    struct fault *f)
{
	if (from->count == 0)
		return 0;
	if (from->count > CONF_LIST_MAX)
		return fault_set(f, FAULT_USAGE, "--%s is given too often",
		    option);
	to->count = from->count;
	for (size_t i = 0; i < from->count; i++)
		if (put_text(to->item[i], from->item[i], option, f) < 0)
			return -1;
	return 0;
}

/* Sources on the command line stand for all of the settings'. */
static int
put_sources(struct trust_conf *c, const struct trust_args *args,
    struct fault *f)
{
	if (args->gx_map.count + args->cadesc.count + args->directory.count ==
	    0)
		return 0;
	c->gx_map.count = c->cadesc.count = c->directory.count = 0;
	if (put_list(&c->gx_map, &args->gx_map, "gx-map", f) < 0 ||
	    put_list(&c->cadesc, &args->cadesc, "cadesc", f) < 0)
		return -1;
	return put_list(&c->directory, &args->directory, "directory", f);
}

static int
put_texts(struct trust_conf *c, const struct trust_args *args, struct fault *f)
{
	const char *target =
	    args->target != NULL ? args->target : args->target_dir;

	if (put_text(c->target, target, "target", f) < 0 ||
	    put_text(c->cache_dir, args->cache_dir, "cache-dir", f) < 0 ||
	    put_text(c->metrics, args->metrics, "metrics", f) < 0)
		return -1;
	if (args->permissions != NULL &&
	    (strlen(args->permissions) != 3 ||
		args->permissions[strspn(args->permissions, "01234567")] !=
		    '\0'))
		return fault_set(f, FAULT_USAGE,
		    "Permissions must be a 3-digit octal number");
	if (strcmp(c->metrics, "-") == 0 && (args->json || args->nagios))
		return fault_set(f, FAULT_USAGE,
		    "the figures and the answer cannot both go to standard "
		    "output: give --metrics a file");
	return put_text(c->mode, args->permissions, "permissions", f);
}

/* A length of time, as the settings have it. */
static int
put_warn(struct trust_conf *c, const char *value, struct fault *f)
{
	struct trust_conf read;
	char line[128];

	if (value == NULL)
		return 0;
	if (text_fmt(line, sizeof(line), "warn-crl %s\n", value) < 0 ||
	    trust_conf_parse(&read, line, strlen(line), f) < 0)
		return fault_set(f, FAULT_USAGE, "-warn-crl is no time: %.60s",
		    value);
	c->warn_crl = read.warn_crl;
	return 0;
}

int
trust_world_settings(struct trust_world *w, const struct trust_args *args,
    struct fault *f)
{
	struct trust_conf *c = &w->conf;

	memset(w, 0, sizeof(*w));
	if (trust_conf_read(c, args->config, f) < 0 ||
	    put_sources(c, args, f) < 0 || put_texts(c, args, f) < 0 ||
	    put_warn(c, args->warn_crl, f) < 0)
		return -1;
	c->demand_sha256 = c->demand_sha256 || args->demand_sha256;
	c->gt3 = c->gt3 || args->gt3;
	c->ignore_bad_cadesc = c->ignore_bad_cadesc || args->ignore_bad;
	if (args->allow_missing_crl) {
		c->allow_missing_crl.count = 1;
		memcpy(c->allow_missing_crl.item[0], "*", 2);
	}
	w->rules = (struct judge_rules){ .now = clock_wall(),
		.demand_sha256 = c->demand_sha256,
		.warn_crl = c->warn_crl,
		.warn_ca = c->warn_ca };
	return trust_conf_settle(c, f);
}

static int
read_each(struct anchor_set *set, const conf_list *list,
    int (*read)(struct anchor_set *, const char *, struct fault *),
    struct fault *f)
{
	for (size_t i = 0; i < list->count; i++)
		if (read(set, list->item[i], f) < 0) {
			f->code = FAULT_CONFIG;
			return -1;
		}
	return 0;
}

static bool
is_named(const struct anchor_want *want, const char *name)
{
	return strcmp(want->hash, name) == 0 ||
	    (want->alias != NULL && strcmp(want->alias, name) == 0);
}

/* All that have the name.  That there is none is said: who wrote it believes
 * that a CA is not trusted any more. */
static int
disable(struct trust_world *w, const char *name, struct fault *f)
{
	bool found = false;

	for (size_t i = 0; i < w->set.count; i++) {
		struct anchor_want *want = w->set.item[i];

		if (!is_named(want, name))
			continue;
		found = want->disabled = true;
		if (want_say(&want->notes, f, "disabled by trust.conf") < 0)
			return -1;
	}
	if (!found)
		fprintf(stderr,
		    "signet-trust: disable %s: no CA has this hash or name, so "
		    "none is disabled by it\n",
		    name);
	return 0;
}

/* What the site says of single CAs. */
static int
mark(struct trust_world *w, struct fault *f)
{
	const conf_list *allow = &w->conf.allow_missing_crl;

	for (size_t i = 0; i < w->conf.disable.count; i++)
		if (disable(w, w->conf.disable.item[i], f) < 0)
			return -1;
	for (size_t i = 0; i < w->set.count; i++) {
		struct anchor_want *want = w->set.item[i];

		if (conf_list_has(allow, "*") ||
		    conf_list_has(allow, want->hash) ||
		    (want->alias != NULL && conf_list_has(allow, want->alias)))
			want->allow_missing_crl = true;
	}
	return 0;
}

int
trust_world_read(struct trust_world *w, struct fault *f)
{
	const struct trust_conf *c = &w->conf;

	if (c->gx_map.count + c->cadesc.count + c->directory.count == 0)
		return fault_set(f, FAULT_CONFIG,
		    "no source of descriptions: say gx-map, cadesc or "
		    "directory in trust.conf (" TRUST_CONF_PATH
		    ", or --config)");
	if (read_each(&w->set, &c->gx_map, source_gx_map, f) < 0 ||
	    read_each(&w->set, &c->cadesc, source_cadesc, f) < 0 ||
	    read_each(&w->set, &c->directory, source_directory, f) < 0 ||
	    source_relate(&w->set, f) < 0)
		return -1;
	/* A source that is not mounted must not empty the directory. */
	if (w->set.count == 0)
		return fault_set(f, FAULT_INPUT, "%s",
		    w->old ? "No *.cadesc files found"
			   : "the sources hold no description of a CA");
	anchor_set_sort(&w->set);
	return mark(w, f);
}

int
trust_names(struct want_list *names, const char *text, struct fault *f)
{
	static const char blanks[] = ", \t\r\n";

	for (text += strspn(text, blanks); *text != '\0';
	     text += strspn(text, blanks)) {
		size_t len = strcspn(text, blanks);
		char name[CONF_STRING_SIZE];

		if (text_fmt(name, sizeof(name), "%.*s", (int)len, text) < 0)
			return fault_set(f, FAULT_USAGE,
			    "a name of a CA is too long");
		if (want_list_add(names, name, f) < 0)
			return -1;
		text += len;
	}
	return 0;
}

int
trust_names_file(struct want_list *names, const char *path, struct fault *f)
{
	OWN_BUF(text, NAMES_FILE_MAX);
	bool comment = false;

	if (file_read(path, &text, f) < 0) {
		f->code = FAULT_CONFIG;
		return -1;
	}
	for (size_t i = 0; i < text.len; i++) {
		if (text.data[i] == '#')
			comment = true;
		if (text.data[i] == '\n')
			comment = false;
		if (comment || text.data[i] == '\0')
			text.data[i] = ' ';
	}
	if (buf_cstr(&text) == NULL)
		return fault_set(f, FAULT_MEMORY, "%s", path);
	return trust_names(names, (const char *)text.data, f);
}

static int
choose(struct trust_world *w, struct anchor_want *want, int depth,
    struct fault *f)
{
	char alias[WANT_ALIAS_MAX];
	const char *version;

	if (want->chosen || depth == DEPTH_MAX)
		return 0;
	want->chosen = true;
	for (size_t i = 0; i < want->requires.count; i++) {
		struct anchor_want *other;

		if (igtf_item(want->requires.item[i], alias, &version) < 0)
			continue;
		other = anchor_set_find(&w->set, alias);
		if (other != NULL && choose(w, other, depth + 1, f) < 0)
			return -1;
	}
	return 0;
}

static int
unknown(const struct want_list *missing, struct fault *f)
{
	OWN_BUF(text, 512);

	for (size_t i = 0; i < missing->count; i++)
		buf_fmt(&text, "%s%s", i > 0 ? ", " : "", missing->item[i]);
	if (buf_cstr(&text) == NULL)
		return fault_set(f, FAULT_USAGE, "No CA matching any of %zu",
		    missing->count);
	return fault_set(f, FAULT_USAGE, "No CA matching %s%s",
	    missing->count > 1 ? "any of " : "", (const char *)text.data);
}

/* A hash may be that of several CAs: 1, or 0 if nothing has the name. */
static int
choose_name(struct trust_world *w, const char *name, struct fault *f)
{
	struct anchor_want *first = anchor_set_find(&w->set, name);

	if (first == NULL)
		return 0;
	if (strcmp(first->hash, name) != 0)
		return choose(w, first, 0, f) < 0 ? -1 : 1;
	for (size_t i = 0; i < w->set.count; i++)
		if (strcmp(w->set.item[i]->hash, name) == 0 &&
		    choose(w, w->set.item[i], 0, f) < 0)
			return -1;
	return 1;
}

/* Whether one of ${chosen} has the hash of number ${i}. */
static bool
has_sibling(const struct trust_world *w, size_t i, const bool *chosen)
{
	const char *hash = w->set.item[i]->hash;

	for (size_t k = 0; k < w->set.count; k++)
		if (chosen[k] && *hash != '\0' &&
		    strcmp(w->set.item[k]->hash, hash) == 0)
			return true;
	return false;
}

int
trust_choose_siblings(struct trust_world *w, struct fault *f)
{
	const struct trust_args none = { .program = "" };
	struct fault why = { 0 };
	bool *chosen = calloc(w->set.count + 1, sizeof(*chosen));

	if (chosen == NULL)
		return fault_set(f, FAULT_MEMORY, "CAs");
	for (size_t i = 0; i < w->set.count; i++) {
		chosen[i] = w->set.item[i]->chosen;
		w->set.item[i]->chosen = false;
	}
	/* Settings that choose nobody bring no siblings. */
	if (trust_world_choose(w, &none, &why) < 0 &&
	    why.code == FAULT_MEMORY) {
		free(chosen);
		return fault_set(f, FAULT_MEMORY, "CAs");
	}
	for (size_t i = 0; i < w->set.count; i++)
		w->set.item[i]->chosen = chosen[i] ||
		    (w->set.item[i]->chosen && has_sibling(w, i, chosen));
	free(chosen);
	return 0;
}

int
trust_choose_names(struct trust_world *w, const struct want_list *names,
    struct fault *f)
{
	struct want_list missing = { 0 };
	int result = 0;

	for (size_t i = 0; result == 0 && i < names->count; i++) {
		int found = choose_name(w, names->item[i], f);

		result = found == 0 ? want_list_add(&missing, names->item[i], f)
		    : found < 0	    ? -1
				    : 0;
	}
	if (result == 0 && missing.count > 0)
		result = unknown(&missing, f);
	want_list_clear(&missing);
	return result;
}

static int
choose_profiles(struct trust_world *w, const conf_list *profiles,
    struct fault *f)
{
	for (size_t i = 0; i < w->set.count; i++)
		for (size_t j = 0; j < profiles->count; j++)
			if (want_has_profile(w->set.item[i],
				profiles->item[j]) &&
			    choose(w, w->set.item[i], 0, f) < 0)
				return -1;
	return 0;
}

/* The names that command line and settings choose. */
static int
gather(const struct trust_world *w, const struct trust_args *args,
    struct want_list *names, struct fault *f)
{
	for (size_t i = 0; i < args->ca.count; i++)
		if (trust_names(names, args->ca.item[i], f) < 0)
			return -1;
	if (args->ca_list != NULL)
		return trust_names_file(names, args->ca_list, f);
	if (names->count > 0 || args->profile.count > 0)
		return 0;
	for (size_t i = 0; i < w->conf.ca.count; i++)
		if (trust_names(names, w->conf.ca.item[i], f) < 0)
			return -1;
	return *w->conf.ca_list != '\0'
	    ? trust_names_file(names, w->conf.ca_list, f)
	    : 0;
}

/* Whether anything says which CAs are wanted, be it an empty file. */
static bool
selects(const struct trust_world *w, const struct trust_args *args)
{
	return args->ca.count > 0 || args->ca_list != NULL ||
	    args->profile.count > 0 || w->conf.ca.count > 0 ||
	    *w->conf.ca_list != '\0' || w->conf.profile.count > 0;
}

/* A profile that is misspelt, or a list that became empty, must neither empty
 * the directory nor fill it with all there is. */
static int
some_chosen(const struct trust_world *w, struct fault *f)
{
	for (size_t i = 0; i < w->set.count; i++)
		if (w->set.item[i]->chosen)
			return 0;
	return fault_set(f, FAULT_USAGE,
	    "No CA is chosen: none is named, and none has the profile");
}

int
trust_world_choose(struct trust_world *w, const struct trust_args *args,
    struct fault *f)
{
	struct want_list names = { 0 };
	conf_list profiles = w->conf.profile;
	bool all = !selects(w, args);
	int result = gather(w, args, &names, f);

	/* Names on the command line are all that is meant. */
	if (args->ca.count > 0 || args->ca_list != NULL)
		profiles.count = 0;
	if (result == 0)
		result = put_list(&profiles, &args->profile, "profile", f);
	if (result == 0)
		result = trust_choose_names(w, &names, f);
	if (result == 0)
		result = choose_profiles(w, &profiles, f);
	for (size_t i = 0; all && i < w->set.count; i++)
		w->set.item[i]->chosen = true;
	want_list_clear(&names);
	return result == 0 ? some_chosen(w, f) : -1;
}

int
trust_world_open(struct trust_world *w, const struct trust_args *args,
    struct fault *f)
{
	if (trust_world_settings(w, args, f) < 0 || trust_world_read(w, f) < 0)
		return -1;
	return trust_world_choose(w, args, f);
}

void
trust_world_close(struct trust_world *w)
{
	anchor_set_clear(&w->set);
}
