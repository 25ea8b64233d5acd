#ifndef CALLOUT_DROP_PROBE_H
#define CALLOUT_DROP_PROBE_H

/* For tests of the request directory: one of their own, and its clients. */
#include "base/fault.h"
#include "base/file.h"
#include "base/unit.h"
#include "callout/drop.h"
#include "callout/drop_part.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW ((time_t)2000000000)

struct stage {
	char dir[64];
	struct drop drop;
	struct drop_taken taken;
	const char *busy; /* the id that is worked on */
	unsigned lost;
};

static inline int
set_up(void **state)
{
	struct stage *s = calloc(1, sizeof(*s));
	struct fault f = { 0 };

	assert_non_null(s);
	memcpy(s->dir, "/tmp/signet-drop.XXXXXX", 24);
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(chmod(s->dir, 02770), 0);
	assert_int_equal(drop_open(&s->drop, s->dir, getuid(), getgid(), &f),
	    0);
	assert_int_equal(drop_claim(&s->drop, &f), 0);
	*state = s;
	return 0;
}

static inline int
remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static inline int
tear_down(void **state)
{
	struct stage *s = *state;

	drop_close(&s->drop);
	assert_int_equal(nftw(s->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	free(s);
	return 0;
}

static inline void
path_in(const struct stage *s, const char *name, char path[128])
{
	assert_true(snprintf(path, 128, "%s/%s", s->dir, name) < 128);
}

static inline bool
is_there(const struct stage *s, const char *name)
{
	char path[128];
	struct stat st;

	path_in(s, name, path);
	return lstat(path, &st) == 0;
}

static inline bool
is_kind(const struct stage *s, char kind, const char *id)
{
	char name[DROP_NAME_SIZE];

	drop_name(name, kind, id);
	return is_there(s, name);
}

/* A client with its request in place. */
static inline void
come(const struct stage *s, struct drop_client *c, const char *text)
{
	OWN_BUF(request, 64);
	struct fault f = { 0 };

	buf_text(&request, text);
	assert_int_equal(drop_client_open(c, s->dir, &f), 0);
	assert_int_equal(drop_client_put(c, &request, &f), 0);
}

/* He dies: his locks end, his files stay. */
static inline void
die(struct drop_client *c)
{
	(void)close(c->file);
	(void)close(c->watch);
	(void)close(c->dir);
}

static inline bool
busy(void *arg, const char id[DROP_ID_SIZE])
{
	const struct stage *s = arg;

	return s->busy != NULL && strcmp(s->busy, id) == 0;
}

static inline void
lost(void *arg, const char id[DROP_ID_SIZE])
{
	struct stage *s = arg;
	struct fault f = { 0 };
	OWN_BUF(answer, 64);

	buf_text(&answer, "lost");
	assert_int_equal(drop_answer(&s->drop, id, &answer, &f), 0);
	s->lost++;
}

static inline void
sweep(struct stage *s, time_t now)
{
	const struct drop_keeper keeper = { busy, lost, s };
	struct fault f = { 0 };

	assert_int_equal(drop_sweep(&s->drop, &keeper, now, 1000, &f), 0);
}

static inline enum drop_found
take(struct stage *s)
{
	struct fault f = { 0 };

	return drop_take(&s->drop, &s->taken, &f);
}

#define DROP_UNIT(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
