#ifndef ANCHOR_HOUSE_PROBE_H
#define ANCHOR_HOUSE_PROBE_H

/* For tests: a place with a house in it, furnished by lines of text. */
#include "anchor/house.h"
#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"

#include <sys/stat.h>

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct place {
	char top[64];
	char dir[128]; /* the house's, in it */
	struct house_options options;
	char notes[1024]; /* "word name, word name" */
};

static inline void
place_init(struct place *p)
{
	memset(p, 0, sizeof(*p));
	(void)snprintf(p->top, sizeof(p->top), "/tmp/signet-house.XXXXXX");
	assert_non_null(mkdtemp(p->top));
	(void)snprintf(p->dir, sizeof(p->dir), "%s/certs", p->top);
	p->options.now = 1000;
}

static inline int
place_unlink(const char *path, const struct stat *st, int kind,
    struct FTW *where)
{
	(void)st;
	(void)kind;
	(void)where;
	return remove(path);
}

static inline void
place_drop(struct place *p)
{
	assert_int_equal(nftw(p->top, place_unlink, 16, FTW_DEPTH | FTW_PHYS),
	    0);
}

static inline const char *
path_in(const struct place *p, const char *name, char path[PATH_MAX])
{
	(void)snprintf(path, PATH_MAX, "%s/%s", p->dir, name);
	return path;
}

/* Make the file ${name} of the house hold ${text}, as anybody might. */
static inline void
scribble(const struct place *p, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *out = fopen(path_in(p, name, path), "we");

	assert_non_null(out);
	(void)fputs(text, out);
	(void)fclose(out);
}

static inline void
scratch(const struct place *p, const char *name)
{
	char path[PATH_MAX];

	assert_int_equal(unlink(path_in(p, name, path)), 0);
}

static inline struct stat
look_at(const struct place *p, const char *name)
{
	char path[PATH_MAX];
	struct stat st;

	if (lstat(path_in(p, name, path), &st) < 0)
		fail_msg("%s is not there", name);
	return st;
}

static inline bool
is_there(const struct place *p, const char *name)
{
	char path[PATH_MAX];

	return faccessat(AT_FDCWD, path_in(p, name, path), F_OK,
		   AT_SYMLINK_NOFOLLOW) == 0;
}

static inline void
reads(const struct place *p, const char *name, const char *text)
{
	char path[PATH_MAX], found[256];
	FILE *in = fopen(path_in(p, name, path), "re");
	size_t len;

	if (in == NULL)
		fail_msg("%s is not there", name);
	len = fread(found, 1, sizeof(found) - 1, in);
	found[len] = '\0';
	(void)fclose(in);
	assert_string_equal(found, text);
}

static inline struct house *
enter(struct place *p)
{
	struct fault f = { 0 };
	struct house *h = house_open(p->dir, &p->options, &f);

	if (h == NULL)
		fail_msg("%s", f.text);
	return h;
}

static inline void
take_note(void *arg, const struct house_note *note)
{
	struct place *p = arg;
	size_t at = strlen(p->notes);

	(void)snprintf(p->notes + at, sizeof(p->notes) - at, "%s%s %s",
	    at > 0 ? ", " : "", house_what_word(note->what), note->name);
}

/* Want ${words}: "name=text", "name>target" and "name" (keep it). */
static inline void
furnish(struct house *h, const char *words)
{
	char word[256];
	int read;

	while (sscanf(words, " %255s%n", word, &read) == 1) {
		char *is = strpbrk(word, "=>");
		struct fault f = { 0 };
		int answer;

		words += read;
		if (is == NULL)
			answer = house_keep(h, word, &f);
		else if (*is == '>') {
			*is = '\0';
			answer = house_link(h, word, is + 1, &f);
		} else {
			struct wire_bytes body = { (uint8_t *)is + 1,
				strlen(is + 1) };

			*is = '\0';
			answer = house_put(h, word, body, &f);
		}
		if (answer < 0)
			fail_msg("%s: %s", word, f.text);
	}
}

/* Compare and commit ${h}, and whether that changed anything. */
static inline bool
commit(struct place *p, struct house *h)
{
	struct fault f = { 0 };
	bool changed = false;

	p->notes[0] = '\0';
	if (house_compare(h, take_note, p, &f) < 0 ||
	    house_commit(h, &changed, &f) < 0)
		fail_msg("%s", f.text);
	house_close(h);
	return changed;
}

static inline bool
settle(struct place *p, const char *words)
{
	struct house *h = enter(p);

	furnish(h, words);
	return commit(p, h);
}

static inline bool
go_back(struct place *p, int number)
{
	struct house *h = enter(p);
	struct fault f = { 0 };

	if (house_rollback(h, number, &f) < 0)
		fail_msg("%s", f.text);
	return commit(p, h);
}

#endif
