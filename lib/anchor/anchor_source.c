#include "anchor/anchor_source.h"

#include "anchor/anchor_body.h"
#include "anchor/cadesc.h"
#include "anchor/igtf_info.h"
#include "anchor/spelling.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "trust/namespaces.h"
#include "trust/sigpolicy.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIGITS "0123456789"
#define NAMES_MAX 65536

/* The names in a directory, sorted. */
struct names {
	const char *dir;
	size_t count;
	char **item; /* owned */
};

static int
compare(const void *a, const void *b)
{
	const char *const *left = a;
	const char *const *right = b;

	return strcmp(*left, *right);
}

static void
names_free(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		free(names->item[i]);
	free(names->item);
}

static int
names_fill(struct names *names, DIR *open_dir, struct fault *f)
{
	const struct dirent *entry;
	size_t room = 0;

	while ((entry = readdir(open_dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		if (names->count == NAMES_MAX)
			return fault_set(f, FAULT_INPUT, "%s: too many files",
			    names->dir);
		if (names->count == room) {
			char **more;

			room = room > 0 ? 2 * room : 256;
			more = reallocarray(names->item, room, sizeof(char *));
			if (more == NULL)
				return fault_set(f, FAULT_MEMORY, "%s",
				    names->dir);
			names->item = more;
		}
		names->item[names->count] = strdup(entry->d_name);
		if (names->item[names->count] == NULL)
			return fault_set(f, FAULT_MEMORY, "%s", names->dir);
		names->count++;
	}
	if (names->count > 0)
		qsort(names->item, names->count, sizeof(char *), compare);
	return 0;
}

static int
names_read(struct names *names, const char *dir, struct fault *f)
{
	DIR *open_dir = opendir(dir);
	int result;

	*names = (struct names){ .dir = dir };
	if (open_dir == NULL)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %m",
		    dir);
	result = names_fill(names, open_dir, f);
	(void)closedir(open_dir);
	return result;
}

static bool
names_has(const struct names *names, const char *name)
{
	return names->count > 0 &&
	    bsearch(&name, names->item, names->count, sizeof(char *),
		compare) != NULL;
}

/* A pipe or a device says what it likes, if it ever comes to an end. */
static int
read_regular(const char *path, struct buf *text, struct fault *f)
{
	struct stat st;

	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_INPUT, "%s: not a regular file",
		    path);
	return file_read(path, text, f);
}

/*
 * The file ${stem}${suffix} of a CA, if there is one: 1 and its text.  What
 * prevents reading it is wrong with the CA.
 */
static int
read_part(const struct names *names, const char *stem, const char *suffix,
    struct anchor_want *want, struct buf *text, struct fault *f)
{
	char path[PATH_MAX], name[NAME_MAX + 1];
	struct fault why = { 0 };

	if (text_fmt(name, sizeof(name), "%s%s", stem, suffix) < 0 ||
	    !names_has(names, name))
		return 0;
	if (text_fmt(path, sizeof(path), "%s/%s", names->dir, name) < 0 ||
	    read_regular(path, text, &why) < 0)
		return want_say(&want->wrong, f, "%s cannot be read: %s", name,
		    why.text);
	return 1;
}

static int
read_cadesc(struct anchor_set *set, const char *dir, const char *name,
    struct fault *f)
{
	OWN_STRUCT(anchor_want) want = NULL;
	char path[PATH_MAX], hash[9] = "", alias[WANT_ALIAS_MAX];
	int kind = cadesc_name(name, hash, alias);
	OWN_BUF(text, CADESC_MAX + 1);
	struct fault why = { 0 };
	int result;

	if (kind == 1)
		return 0;
	if (text_fmt(path, sizeof(path), "%s/%s", dir, name) < 0)
		return fault_set(f, FAULT_INPUT, "%s: path too long", dir);
	if ((want = want_new(WANT_CADESC, path, f)) == NULL ||
	    want_set(&want->alias, kind == 0 ? alias : name, f) < 0)
		return -1;
	if (kind == 0)
		memcpy(want->hash, hash, sizeof(hash));
	if (kind < 0)
		result = want_say(&want->wrong, f, "Bad file name: %s", path);
	else if (read_regular(path, &text, &why) < 0)
		result = want_say(&want->wrong, f, "%s", why.text);
	else
		result =
		    cadesc_read(want, (const char *)text.data, text.len, f);
	return result < 0 ? -1 : anchor_set_add(set, TAKE(want), f);
}

int
source_cadesc(struct anchor_set *set, const char *dir, struct fault *f)
{
	struct names names;
	int result = names_read(&names, dir, f);

	for (size_t i = 0; result == 0 && i < names.count; i++)
		if (text_ends(names.item[i], ".cadesc"))
			result = read_cadesc(set, dir, names.item[i], f);
	names_free(&names);
	return result;
}

int
source_gx_map(struct anchor_set *set, const char *etc, struct fault *f)
{
	char path[PATH_MAX];
	struct names names;
	int result = names_read(&names, etc, f);

	if (result == 0 && names_has(&names, "ca-config"))
		result = text_fmt(path, sizeof(path), "%s/ca-config", etc) < 0
		    ? fault_set(f, FAULT_INPUT, "%s: path too long", etc)
		    : source_cadesc(set, path, f);
	for (size_t i = 0; result == 0 && i < names.count; i++) {
		if (!text_ends(names.item[i], ".ca-config"))
			continue;
		result = text_fmt(path, sizeof(path), "%s/%s", etc,
			     names.item[i]) < 0
		    ? fault_set(f, FAULT_INPUT, "%s: path too long", etc)
		    : source_cadesc(set, path, f);
	}
	names_free(&names);
	return result;
}

/* The subject, and the hash by which all its files are named. */
static int
know_subject(struct anchor_want *want, struct fault *f)
{
	OWN_BUF(name, (size_t)2 * DN_TEXT_MAX);
	char text[DN_TEXT_MAX];

	if (dn_hash(&want->cert->subject, want->hash, f) < 0)
		return -1;
	if (want->subject != NULL)
		return 0;
	if (dn_show_slash(&want->cert->subject, text, sizeof(text)) < 0)
		return want_say(&want->wrong, f, "its name is too long");
	spelling_put(&name, SPELLING_GT4, text);
	if (buf_cstr(&name) == NULL)
		return fault_set(f, FAULT_MEMORY, "a name");
	return want_set(&want->subject, (const char *)name.data, f);
}

/* The certificate from ${stem}${suffix}. */
static int
take_cert(const struct names *names, const char *stem, const char *suffix,
    struct anchor_want *want, struct fault *f)
{
	OWN_BUF(text, ANCHOR_CERT_BODY_MAX);
	int found = read_part(names, stem, suffix, want, &text, f);
	struct cert_list list = { 0 };
	struct fault why = { 0 };

	if (found <= 0)
		return found;
	if (body_certs(&list, (struct wire_bytes){ text.data, text.len },
		&why) < 0)
		return want_say(&want->wrong, f, "%s%s: %s", stem, suffix,
		    why.text);
	if (list.count == 1)
		want->cert = TAKE(list.cert[0]);
	cert_list_free(&list);
	if (want->cert == NULL)
		return want_say(&want->wrong, f,
		    "%s%s: there must be exactly one certificate", stem,
		    suffix);
	return know_subject(want, f);
}

/* The policy files of a CA, by its alias or by its hash.  GCT refuses a file
 * without newline at its end (facts: FORMATS section 3). */
static int
take_text(const struct names *names, const char *stem, const char *suffix,
    struct anchor_want *want, char **to, struct fault *f)
{
	OWN_BUF(text, WANT_POLICY_MAX + 2);
	int found = read_part(names, stem, suffix, want, &text, f);

	if (found == 0 && want->hash[0] != '\0')
		found = read_part(names, want->hash, suffix, want, &text, f);
	if (found <= 0)
		return found;
	if (memchr(text.data, '\0', text.len) != NULL)
		return want_say(&want->wrong, f, "%s%s holds a NUL byte", stem,
		    suffix);
	if (text.len > 0 && text.data[text.len - 1] != '\n')
		buf_text(&text, "\n");
	if (buf_cstr(&text) == NULL)
		return want_say(&want->wrong, f, "%s%s is too large", stem,
		    suffix);
	return want_set(to, (const char *)text.data, f);
}

/* Both files of a CA being compared. */
struct comparing {
	struct anchor_want *want;
	const struct namespaces *spaces;
};

/* A name that ${pattern} permits should be one that namespaces permit. */
static int
compare_pattern(void *arg, const char *pattern, struct fault *f)
{
	const struct comparing *c = arg;
	char name[DN_TEXT_MAX];

	if (text_copy(name, sizeof(name), pattern) < 0)
		return 0;
	for (char *at = name; *at != '\0'; at++)
		if (*at == '*')
			*at = 'x';
	if (namespaces_says(c->spaces, c->want->subject, c->want->subject,
		name) != NAMESPACES_REFUSE)
		return 0;
	return want_say(&c->want->notes, f,
	    "signing_policy permits %s, namespaces does not", pattern);
}

/* That is told; each goes on to be judged by itself. */
static int
compare_texts(struct anchor_want *want, const struct sigpolicy *policy,
    const struct namespaces *spaces, struct fault *f)
{
	struct comparing c = { want, spaces };
	struct fault why = { 0 };

	if (policy->rules == NULL || spaces->rules == NULL ||
	    want->subject == NULL)
		return 0;
	if (sigpolicy_patterns(policy, want->subject, compare_pattern, &c,
		&why) < 0 &&
	    why.code == FAULT_MEMORY) {
		*f = why;
		return -1;
	}
	return 0;
}

static int
note_entry(void *arg, const char *pattern, struct fault *f)
{
	struct anchor_want *want = arg;

	(void)pattern;
	(void)f;
	want->signs_nobody = false;
	return 0;
}

/* A policy may be that of another CA. */
static int
look_for_entry(struct anchor_want *want, const struct sigpolicy *policy,
    struct fault *f)
{
	struct fault why = { 0 };

	if (want->subject == NULL)
		return 0;
	want->signs_nobody = true;
	if (sigpolicy_patterns(policy, want->subject, note_entry, want, &why) ==
	    0)
		return 0;
	/* Patterns alone do not say it. */
	want->signs_nobody = false;
	if (why.code != FAULT_MEMORY)
		return 0;
	*f = why;
	return -1;
}

static int
check_texts(struct anchor_want *want, struct fault *f)
{
	struct sigpolicy policy = { NULL };
	struct namespaces spaces = { NULL };
	struct fault why = { 0 };
	int result = 0;

	if (want->policy != NULL &&
	    sigpolicy_read(&policy, want->policy, strlen(want->policy), &why) <
		0)
		result =
		    want_say(&want->wrong, f, "signing_policy: %s", why.text);
	if (result == 0 && want->namespaces != NULL &&
	    namespaces_read(&spaces, want->namespaces, strlen(want->namespaces),
		&why) < 0)
		result = want_say(&want->wrong, f, "namespaces: %s", why.text);
	if (result == 0 && policy.rules != NULL)
		result = look_for_entry(want, &policy, f);
	if (result == 0)
		result = compare_texts(want, &policy, &spaces, f);
	sigpolicy_clear(&policy);
	namespaces_clear(&spaces);
	return result;
}

/* Of a path, as it stands in a URL: RFC 3986 2.1. */
static void
put_path(struct buf *out, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._~/";

	for (; *path != '\0'; path++)
		if (strchr(plain, *path) != NULL)
			buf_put_u8(out, (uint8_t)*path);
		else
			buf_fmt(out, "%%%02X", (unsigned char)*path);
}

static int
add_file_url(struct anchor_want *want, const char *dir, const char *name,
    struct fault *f)
{
	OWN_BUF(url, (size_t)4 * PATH_MAX);

	buf_text(&url, "file://");
	put_path(&url, dir);
	buf_text(&url, "/");
	put_path(&url, name);
	if (buf_cstr(&url) == NULL)
		return want_say(&want->wrong, f, "%s cannot be found", name);
	return want_list_add(&want->crl[want->crls].urls,
	    (const char *)url.data, f);
}

/* <hash>.r0 and on, where no other source of CRLs is named. */
static int
take_local_crls(const struct names *names, struct anchor_want *want,
    struct fault *f)
{
	char name[32], full[PATH_MAX];

	for (size_t i = 0; want->crls < WANT_CRLS_MAX && i < WANT_CRLS_MAX;
	     i++) {
		(void)snprintf(name, sizeof(name), "%s.r%zu", want->hash, i);
		if (!names_has(names, name))
			continue;
		if (realpath(names->dir, full) == NULL)
			return want_say(&want->wrong, f, "%s cannot be found",
			    name);
		if (add_file_url(want, full, name, f) < 0)
			return -1;
		want->crls++;
	}
	return 0;
}

/* A .crl_url says more than the .info: it is what fetch-crl was given. */
static int
take_crl_url(const struct names *names, const char *stem,
    struct anchor_want *want, struct fault *f)
{
	OWN_BUF(text, IGTF_INFO_MAX);
	int found = read_part(names, stem, ".crl_url", want, &text, f);
	struct want_list list = { 0 };
	int result;

	if (found <= 0)
		return found;
	result = igtf_crl_url_read(want, &list, (const char *)text.data,
	    text.len, f);
	if (result == 0 && want->crls < 2 && list.count > 0) {
		want_list_clear(&want->crl[0].urls);
		want->crl[0].urls = list;
		want->crls = 1;
		return 0;
	}
	want_list_clear(&list);
	return result;
}

/* All that belongs to the CA whose files begin with ${stem}. */
static int
take_parts(const struct names *names, const char *stem, const char *suffix,
    struct anchor_want *want, struct fault *f)
{
	if (take_cert(names, stem, suffix, want, f) < 0)
		return -1;
	if (want->cert == NULL && want->wrong.count == 0)
		return want_say(&want->wrong, f, "there is no %s%s", stem,
		    suffix);
	if (take_crl_url(names, stem, want, f) < 0 ||
	    take_text(names, stem, ".signing_policy", want, &want->policy, f) <
		0 ||
	    take_text(names, stem, ".namespaces", want, &want->namespaces, f) <
		0 ||
	    check_texts(want, f) < 0)
		return -1;
	if (want->crls == 0 && want->hash[0] != '\0')
		return take_local_crls(names, want, f);
	return 0;
}

/* Whether a CA that came from this directory has this certificate already. */
static bool
known(const struct anchor_set *set, size_t from, const struct cert *cert)
{
	for (size_t i = from; cert != NULL && i < set->count; i++)
		if (set->item[i]->cert != NULL &&
		    set->item[i]->cert->len == cert->len &&
		    memcmp(set->item[i]->cert->der, cert->der, cert->len) == 0)
			return true;
	return false;
}

/* A CA of ${stem}: described by its .info, or by nothing. */
static int
read_stem(struct anchor_set *set, const struct names *names, const char *stem,
    const char *suffix, bool info, struct fault *f)
{
	OWN_STRUCT(anchor_want) want = NULL;
	OWN_BUF(text, IGTF_INFO_MAX);
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s%s", names->dir, stem,
		info ? ".info" : suffix) < 0)
		return fault_set(f, FAULT_INPUT, "%s: path too long",
		    names->dir);
	if ((want = want_new(info ? WANT_IGTF : WANT_PLAIN, path, f)) == NULL ||
	    want_set(&want->alias, stem, f) < 0)
		return -1;
	if (info) {
		int found = read_part(names, stem, ".info", want, &text, f);

		if (found < 0 ||
		    (found == 1 &&
			igtf_info_read(want, (const char *)text.data, text.len,
			    f) < 0))
			return -1;
	}
	if (want->meta)
		return anchor_set_add(set, TAKE(want), f);
	if (take_parts(names, stem, suffix, want, f) < 0)
		return -1;
	/* A certificate beside a distribution may be anybody's. */
	if (!info &&
	    (want->cert == NULL || want->cert->kind != CERT_CA ||
		known(set, 0, want->cert)))
		return 0;
	return anchor_set_add(set, TAKE(want), f);
}

static bool
is_hash_file(const char *name)
{
	return strspn(name, DIGITS "abcdef") == 8 && name[8] == '.' &&
	    name[9] != '\0' && name[9 + strspn(name + 9, DIGITS)] == '\0';
}

/* ${name} without ${suffix}; false if it does not end so. */
static bool
stem_of(const char *name, const char *suffix, char stem[NAME_MAX + 1])
{
	if (!text_ends(name, suffix) || strlen(name) == strlen(suffix))
		return false;
	return text_fmt(stem, NAME_MAX + 1, "%.*s",
		   (int)(strlen(name) - strlen(suffix)), name) == 0;
}

/* ALIAS.info, with ALIAS.pem, or in the layout of old <hash>.0. */
static int
read_infos(struct anchor_set *set, const struct names *names, struct fault *f)
{
	char stem[NAME_MAX + 1], pem[NAME_MAX + 1];

	for (size_t i = 0; i < names->count; i++) {
		if (!stem_of(names->item[i], ".info", stem))
			continue;
		if (read_stem(set, names, stem,
			text_fmt(pem, sizeof(pem), "%s.pem", stem) == 0 &&
				names_has(names, pem)
			    ? ".pem"
			    : ".0",
			true, f) < 0)
			return -1;
	}
	return 0;
}

static int
read_others(struct anchor_set *set, const struct names *names, struct fault *f)
{
	char stem[NAME_MAX + 1], info[NAME_MAX + 1];

	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->item[i], *suffix = ".pem";

		if (is_hash_file(name)) {
			suffix = name + 8;
			memcpy(stem, name, 8);
			stem[8] = '\0';
		} else if (!stem_of(name, ".pem", stem)) {
			continue;
		}
		if (text_fmt(info, sizeof(info), "%s.info", stem) == 0 &&
		    names_has(names, info))
			continue;
		if (read_stem(set, names, stem, suffix, false, f) < 0)
			return -1;
	}
	return 0;
}

int
source_directory(struct anchor_set *set, const char *dir, struct fault *f)
{
	struct names names;
	int result = names_read(&names, dir, f);

	if (result == 0)
		result = read_infos(set, &names, f);
	if (result == 0)
		result = read_others(set, &names, f);
	names_free(&names);
	return result;
}

static int
relate_required(const struct anchor_set *set, struct anchor_want *want,
    const char *item, struct fault *f)
{
	char alias[WANT_ALIAS_MAX];
	const char *version;
	const struct anchor_want *other;

	if (igtf_item(item, alias, &version) < 0)
		return want_say(&want->wrong, f, "requires: \"%.100s\"", item);
	other = anchor_set_find(set, alias);
	if (other == NULL)
		return want_say(want->meta ? &want->notes : &want->wrong, f,
		    "requires %s, which is not there", alias);
	if (version != NULL && other->version != NULL &&
	    strcmp(version, other->version) != 0)
		return want_say(&want->notes, f,
		    "requires version %s of %s, which is %s", version, alias,
		    other->version);
	return 0;
}

static int
relate_obsolete(const struct anchor_set *set, const struct anchor_want *want,
    const char *item, struct fault *f)
{
	char alias[WANT_ALIAS_MAX];
	const char *version;
	struct anchor_want *other;

	/* One that is written badly makes nothing obsolete. */
	if (igtf_item(item, alias, &version) < 0)
		return 0;
	other = anchor_set_find(set, alias);
	if (other == NULL || other == want || other->from != WANT_IGTF)
		return 0;
	other->disabled = true;
	return want_say(&other->notes, f, "%s makes it obsolete", want->alias);
}

int
source_relate(struct anchor_set *set, struct fault *f)
{
	for (size_t i = 0; i < set->count; i++) {
		struct anchor_want *want = set->item[i];

		for (size_t j = 0; j < want->requires.count; j++)
			if (relate_required(set, want, want->requires.item[j],
				f) < 0)
				return -1;
		for (size_t j = 0; j < want->obsoletes.count; j++)
			if (relate_obsolete(set, want, want->obsoletes.item[j],
				f) < 0)
				return -1;
	}
	return 0;
}
