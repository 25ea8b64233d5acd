#include "walls.h"

#include "base/fault.h"
#include "base/text.h"
#include "sys/sandbox.h"

#include <sys/stat.h>

#include <libgen.h>
#include <limits.h>
#include <string.h>

/* What name services, TLS and Kerberos read when they are asked. */
static const char *const read_paths[] = { "/etc", "/usr/lib", "/usr/share",
	"/lib", "/lib64", "/run/systemd/resolve", "/run/nscd", "/var/lib/sss",
	"/dev/urandom", "/proc/self", "/usr/local/share" };

#define READ_PATHS (sizeof(read_paths) / sizeof(read_paths[0]))

/* A directory within the walls. */
struct room {
	char path[PATH_MAX];
	bool write;
	struct stat was;
};

struct walls {
	bool may_give;
	size_t count;
	struct room room[SANDBOX_PATHS_MAX];
};

struct places {
	struct sandbox *box;
	size_t count;
	size_t texts;
	char text[SANDBOX_PATHS_MAX][PATH_MAX];
};

static int
add(struct places *p, const char *path, bool write, struct fault *f)
{
	for (size_t i = 0; i < p->count; i++)
		if (strcmp(p->box->paths[i].path, path) == 0 &&
		    p->box->paths[i].write == write)
			return 0;
	if (p->count == SANDBOX_PATHS_MAX - 1)
		return fault_set(f, FAULT_CONFIG,
		    "too many directories to be read and written");
	p->box->paths[p->count++] = (struct sandbox_path){ path, write };
	return 0;
}

/* The directory that ${file} is in. */
static int
add_directory_of(struct places *p, const char *file, bool write,
    struct fault *f)
{
	char copy[PATH_MAX];
	char *kept = p->text[p->texts % SANDBOX_PATHS_MAX];

	if (p->texts == SANDBOX_PATHS_MAX ||
	    text_copy(copy, sizeof(copy), file) < 0 ||
	    text_copy(kept, PATH_MAX, dirname(copy)) < 0)
		return fault_set(f, FAULT_CONFIG, "%s: too long", file);
	p->texts++;
	return add(p, kept, write, f);
}

static int
add_all(struct places *p, const struct mapper *m, struct fault *f)
{
	struct maprule_words bans = maprule_bans_paths(m->rules);

	if (add(p, m->conf->state, true, f) < 0 ||
	    add_directory_of(p, m->conf->rules, false, f) < 0 ||
	    (m->conf->metrics[0] != '\0' &&
		add_directory_of(p, m->conf->metrics, true, f) < 0))
		return -1;
	for (size_t i = 0; i < bans.count; i++)
		if (add_directory_of(p, bans.word[i], false, f) < 0)
			return -1;
	for (size_t i = 0; i < m->source_count; i++) {
		const struct roster_source_conf *s = &m->sources[i].conf;
		const char *files[] = { s->ca_file, s->password_file,
			s->path != NULL && s->path[0] == '/' ? s->path : NULL };

		for (size_t j = 0; j < 3; j++)
			if (files[j] != NULL &&
			    add_directory_of(p, files[j], false, f) < 0)
				return -1;
	}
	for (size_t i = 0; i < m->out_count; i++) {
		struct out_status s;

		out_status(m->outs[i].out, &s);
		if (add_directory_of(p, s.path, true, f) < 0)
			return -1;
	}
	return 0;
}

void
walls_free(struct walls *walls)
{
	free(walls);
}

/* Note which directories these are; what is not there is not within. */
static int
note(struct walls *w, const struct places *p, struct fault *f)
{
	for (size_t i = 0; i < p->count; i++) {
		struct room *room = &w->room[w->count];

		if (text_copy(room->path, PATH_MAX, p->box->paths[i].path) < 0)
			return fault_set(f, FAULT_CONFIG, "%s: too long",
			    p->box->paths[i].path);
		room->write = p->box->paths[i].write;
		w->count += stat(room->path, &room->was) == 0;
	}
	return 0;
}

static bool
gives_away(const struct mapper *m)
{
	struct out_status s;
	bool owned = false;

	for (size_t i = 0; i < m->out_count; i++) {
		out_status(m->outs[i].out, &s);
		owned = owned || s.owned;
	}
	return owned;
}

static bool
is_within(const struct walls *w, const struct sandbox_path *path,
    const struct stat *now)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->room[i].path, path->path) == 0 &&
		    (w->room[i].write || !path->write) &&
		    w->room[i].was.st_dev == now->st_dev &&
		    w->room[i].was.st_ino == now->st_ino)
			return true;
	return false;
}

static int
hold(const struct walls *w, const struct places *p, const struct mapper *m,
    struct fault *f)
{
	struct stat now;

	if (stat(m->conf->state, &now) < 0 || fstat(m->lock, &now) < 0 ||
	    now.st_nlink == 0)
		return fault_set(f, FAULT_SYSTEM,
		    "%s, the state directory, was removed", m->conf->state);
	if (gives_away(m) && !w->may_give)
		return fault_set(f, FAULT_SYSTEM,
		    "a map is to have another owner, and that was given up; it "
		    "is to be started anew");
	for (size_t i = 0; i < p->count; i++)
		if (stat(p->box->paths[i].path, &now) == 0 &&
		    !is_within(w, &p->box->paths[i], &now))
			return fault_set(f, FAULT_SYSTEM,
			    "%s was made, or named, since sync began, which "
			    "may not reach it; it is to be started anew",
			    p->box->paths[i].path);
	return 0;
}

int
walls_hold(const struct walls *walls, const struct mapper *m, struct fault *f)
{
	struct sandbox box = { 0 };
	struct places *p = calloc(1, sizeof(*p));
	int result;

	if (p == NULL)
		return fault_set(f, FAULT_MEMORY, "walls");
	p->box = &box;
	/* So many that no process could reach them: those that are without are
	 * an alarm of their own. */
	if ((result = add_all(p, m, f)) < 0) {
		*f = (struct fault){ 0 };
		result = 0;
	} else {
		result = hold(walls, p, m, f);
	}
	free(p);
	return result;
}

/* What libraries read. */
static int
add_common(struct places *p, struct fault *f)
{
	for (size_t i = 0; i < READ_PATHS; i++)
		if (add(p, read_paths[i], false, f) < 0)
			return -1;
	return 0;
}

struct walls *
walls_raise(const struct mapper *m, struct fault *f)
{
	struct sandbox box = { .promises = SANDBOX_PROMISE(STDIO) |
		    SANDBOX_PROMISE(RPATH) | SANDBOX_PROMISE(WPATH) |
		    SANDBOX_PROMISE(CONNECT) | SANDBOX_PROMISE(THREADS) |
		    SANDBOX_PROMISE(LIBRARIES) };
	OWN_STRUCT(walls) w = calloc(1, sizeof(*w));
	struct places *p = calloc(1, sizeof(*p));
	int result;

	if (w == NULL || p == NULL) {
		free(p);
		(void)fault_set(f, FAULT_MEMORY, "walls");
		return NULL;
	}
	p->box = &box;
	box.may_give = w->may_give = gives_away(m);
	if ((result = add_all(p, m, f)) == 0)
		result = note(w, p, f);
	if (result == 0)
		result = add_common(p, f);
	if (result == 0 && m->conf->user[0] != '\0')
		result = sandbox_user(m->conf->user, &box.uid, &box.gid, f);
	if (result == 0)
		result = sandbox_enter(&box, f);
	free(p);
	return result < 0 ? NULL : TAKE(w);
}
