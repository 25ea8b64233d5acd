/*
 * The index of a text answers as the text does, and one that was spoiled
 * answers so or with a fault: no name that is not there, none missing.
 *
 * Input: how many bytes are spoiled, three bytes for each (where, and what is
 * changed), and the text.
 */
#include "map/map_index.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "map/map_name.h"

#include <sys/stat.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define SPOILED_MAX 8

struct place {
	char dir[64];
	char text[80];
	char index[96];
};

static void
must(bool well)
{
	if (!well)
		abort();
}

static void
place_make(struct place *p)
{
	const char *dir = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

	must(text_fmt(p->dir, sizeof(p->dir), "%s/map_fuzz-XXXXXX", dir) == 0 &&
	    mkdtemp(p->dir) != NULL &&
	    text_fmt(p->text, sizeof(p->text), "%s/map", p->dir) == 0 &&
	    text_fmt(p->index, sizeof(p->index), "%s.index", p->text) == 0);
}

static void
place_end(const struct place *p)
{
	(void)unlink(p->text);
	(void)unlink(p->index);
	(void)rmdir(p->dir);
}

static bool
same(const struct map_accounts *a, const struct map_accounts *b)
{
	return a->count == b->count && a->text.len == b->text.len &&
	    (a->text.len == 0 ||
		memcmp(a->text.data, b->text.data, a->text.len) == 0);
}

/* What both say of one name. */
static void
compare(struct map_index *ix, struct mapfile *text, const char *dn, bool whole)
{
	OWN_MAP_ACCOUNTS(here);
	OWN_MAP_ACCOUNTS(there);
	struct fault f = { 0 };
	int got = map_index_find(ix, dn, strlen(dn), &here, &f);
	int want = mapfile_find(text, MAPFILE_OURS, dn, &there, &f);

	must(want >= 0);
	if (got < 0)
		must(!whole);
	else
		must(got == want && (got == 0 || same(&here, &there)));
}

struct holder {
	struct mapfile *text;
	const char *account;
};

/* Each name that the index gives an account has it in the text. */
static int
check_holder(void *arg, const char *dn, bool first)
{
	const struct holder *h = arg;
	OWN_MAP_ACCOUNTS(accounts);
	struct fault f = { 0 };

	must(mapfile_find(h->text, MAPFILE_OURS, dn, &accounts, &f) == 1 &&
	    map_accounts_has(&accounts, h->account) &&
	    first == (strcmp(map_accounts_at(&accounts, 0), h->account) == 0));
	return 0;
}

static void
compare_line(struct map_index *ix, const struct mapfile_line *line,
    const struct place *p, bool whole)
{
	struct fault f = { 0 };
	OWN_STRUCT(mapfile) text = mapfile_open(p->text, &f);
	OWN_BUF(other, MAP_TEXT_MAX + 2);
	struct holder h = { text, map_accounts_at(&line->accounts, 0) };

	must(text != NULL);
	buf_fmt(&other, "%sx", (const char *)line->dn.data);
	compare(ix, text, (const char *)line->dn.data, whole);
	compare(ix, text, buf_cstr(&other), whole);
	if (h.account != NULL &&
	    map_index_each_of(ix, h.account, check_holder, &h, &f) < 0)
		must(!whole);
}

static void
compare_all(const struct place *p, bool whole)
{
	struct fault f = { 0 };
	OWN_STRUCT(map_index) ix = map_index_open(p->text, &f);
	OWN_STRUCT(mapfile) m = mapfile_open(p->text, &f);
	OWN_MAPFILE_LINE(line);
	int got;

	must(m != NULL && (ix != NULL || !whole));
	if (ix == NULL)
		return;
	while ((got = mapfile_next(m, &line, &f)) != 0) {
		if (got > 0)
			compare_line(ix, &line, p, whole);
	}
}

static void
spoil(const struct place *p, const uint8_t *how, size_t count)
{
	OWN_BUF(file, 1 << 26);
	struct fault f = { 0 };

	must(file_read(p->index, &file, &f) == 0);
	for (size_t i = 0; i < count; i++, how += 3) {
		size_t at = ((size_t)how[0] << 8 | how[1]) % file.len;

		file.data[at] ^= how[2];
	}
	must(file_write(p->index, 0644, file.data, file.len, &f) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t count = size > 0 ? data[0] % SPOILED_MAX : 0;
	struct fault f = { 0 };
	struct place p;

	if (size < 1 + 3 * count)
		return 0;
	place_make(&p);
	must(file_write(p.text, 0644, data + 1 + 3 * count,
		 size - 1 - 3 * count, &f) == 0 &&
	    map_index_of_text(p.text, NULL, &f) == 0);
	compare_all(&p, true);
	spoil(&p, data + 1, count);
	compare_all(&p, false);
	place_end(&p);
	return 0;
}
