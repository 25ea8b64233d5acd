/* A service's map: what is known of it, and small answers.  Building it is in
 * out_build.c, changing it in out_change.c, its text in out_text.c. */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "map/map_name.h"
#include "out_part.h"
#include "sys/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static unsigned
reader_bits(const struct maprule_words *format)
{
	unsigned bits = 0;

	for (size_t i = 0; i < format->count; i++) {
		if (strcmp(format->word[i], "gct") == 0)
			bits |= MAP_READER_GCT;
		else if (strcmp(format->word[i], "lcmaps") == 0)
			bits |= MAP_READER_LCMAPS;
		else if (strcmp(format->word[i], "xrootd") == 0)
			bits |= MAP_READER_XROOTD;
	}
	return bits == 0 ? MAP_READER_ALL : bits;
}

int
out_renew(struct out *out, const struct maprule_service *service,
    struct fault *f)
{
	uid_t uid = 0;
	gid_t gid = 0;

	if (service->owner != NULL &&
	    sandbox_user(service->owner, &uid, &gid, f) < 0)
		return fault_wrap(f, "service %s: owner", service->name);
	out->owned = service->owner != NULL;
	out->uid = uid;
	out->gid = gid;
	out->mode = (mode_t)service->mode;
	out->readers = reader_bits(&service->format);
	out->shrink_limit = service->shrink_limit;
	return 0;
}

/* Where the index is: beside the file, or where nobody looks. */
static int
index_place(const struct out_world *world,
    const struct maprule_service *service, char path[PATH_MAX], struct fault *f)
{
	int result = service->index ? text_copy(path, PATH_MAX, service->file)
				    : text_fmt(path, PATH_MAX, "%s/service.%s",
					  world->conf->state, service->name);

	return result < 0 ? fault_set(f, FAULT_CONFIG,
				"service %s: path too long", service->name)
			  : 0;
}

bool
out_same(const struct out *out, const struct maprule_service *service)
{
	struct fault f = { 0 };
	char path[PATH_MAX];

	return strcmp(out->name, service->name) == 0 &&
	    strcmp(out->path, service->file) == 0 &&
	    index_place(out->world, service, path, &f) == 0 &&
	    strcmp(out->index, path) == 0;
}

struct map_index *
out_index(struct out *out)
{
	struct fault f = { 0 };

	if (out->ix != NULL && map_index_fresh(out->ix, &f) == 0)
		return out->ix;
	map_index_free(TAKE(out->ix));
	out->ix = map_index_open(out->index, &f);
	if (out->ix == NULL && f.code != FAULT_ABSENT)
		LOG(MAP_INDEX_BAD, LOG_TEXT("service", out->name),
		    LOG_TEXT("text", f.text));
	return out->ix;
}

/* Whether the index is the one we wrote, with the delta we wrote last. */
static bool
index_is_ours(struct out *out)
{
	struct map_index_head head;

	if (out_index(out) == NULL)
		return false;
	map_index_head(out->ix, &head);
	if (head.seq != out->seq)
		return false;
	return changes_count(out->beside) == 0 || out->delta_late ||
	    (map_index_delta_head(out->ix, &head) &&
		head.seq == out->delta_seq);
}

/* Whether nobody changed who may read and write it. ${suffix} NULL: the text.
 */
static bool
is_dressed_at(const struct out *out, const char *suffix)
{
	char path[PATH_MAX];
	struct stat s;

	return text_fmt(path, sizeof(path), "%s%s",
		   suffix == NULL ? out->path : out->index,
		   suffix == NULL ? "" : suffix) == 0 &&
	    stat(path, &s) == 0 && out_is_dressed(out, &s);
}

bool
out_is_intact(struct out *out)
{
	/* Before the first build nothing is ours. */
	if (out->seq == 0 || !out->text_ours)
		return true;
	if (!index_is_ours(out) || !is_dressed_at(out, MAP_INDEX_SUFFIX)) {
		out->spoilt = true;
		return false;
	}
	return out_text_late(out) ||
	    (out_text_is_ours(out) && is_dressed_at(out, NULL));
}

struct recall {
	struct out *out;
	struct fault *f;
	struct buf joined;
};

static int
recall_entry(void *arg, const char *dn, const struct map_accounts *accounts)
{
	struct recall *r = arg;
	const char *text;

	buf_clear(&r->joined);
	map_accounts_join(accounts, &r->joined);
	text = buf_cstr(&r->joined);
	if (text == NULL)
		return fault_set(r->f, FAULT_MEMORY, "the index of %s",
		    r->out->name);
	return shadow_put(r->out->shadow, names_hash(dn),
	    names_hash_accounts(text), r->f);
}

/* What the index says, as far as it can be read. */
static int
recall(struct out *out, struct fault *f)
{
	struct recall r = { out, f, BUF(MAP_TEXT_MAX) };
	struct map_index_head head;
	int result;

	if (out_index(out) == NULL)
		return 0;
	result = map_index_each(out->ix, recall_entry, &r, f);
	buf_free(&r.joined);
	if (result < 0 && f->code == FAULT_MEMORY)
		return -1;
	if (result < 0) {
		LOG(MAP_INDEX_BAD, LOG_TEXT("service", out->name),
		    LOG_TEXT("text", f->text));
		*f = (struct fault){ 0 };
		map_index_free(TAKE(out->ix));
		shadow_free(out->shadow);
		return (out->shadow = shadow_new(f)) == NULL ? -1 : 0;
	}
	map_index_head(out->ix, &head);
	out->seq = head.seq;
	out->made = (time_t)head.made;
	out->fresh = (time_t)head.fresh;
	if (map_index_delta_head(out->ix, &head)) {
		out->delta_old = true;
		out->delta_seq = head.seq;
		out->made = (time_t)head.made;
		out->fresh = (time_t)head.fresh;
	}
	return 0;
}

struct out *
out_open(const struct out_world *world, const struct maprule_service *service,
    struct fault *f)
{
	OWN_STRUCT(out) out = calloc(1, sizeof(*out));

	if (out == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "service %s", service->name);
		return NULL;
	}
	out->world = world;
	if (text_copy(out->name, sizeof(out->name), service->name) < 0 ||
	    text_copy(out->path, sizeof(out->path), service->file) < 0) {
		(void)fault_set(f, FAULT_CONFIG, "service %s: path too long",
		    service->name);
		return NULL;
	}
	if (index_place(world, service, out->index, f) < 0 ||
	    out_renew(out, service, f) < 0 ||
	    (out->shadow = shadow_new(f)) == NULL ||
	    (out->beside = changes_new(f)) == NULL ||
	    (out->unwritten = changes_new(f)) == NULL || recall(out, f) < 0)
		return NULL;
	return TAKE(out);
}

void
out_free(struct out *out)
{
	if (out == NULL)
		return;
	out_text_drop(out);
	shadow_free(out->shadow);
	changes_free(out->beside);
	changes_free(out->unwritten);
	map_index_free(out->ix);
	free(out);
}

const char *
out_name(const struct out *out)
{
	return out->name;
}

bool
out_accounts(struct out *out, const char *name, struct buf *accounts)
{
	OWN_MAP_ACCOUNTS(found);
	struct fault f = { 0 };
	const struct change *c = changes_find(out->beside, names_hash(name));

	buf_clear(accounts);
	if (c != NULL) {
		if (c->accounts == NULL)
			return false;
		buf_text(accounts, c->accounts);
	} else {
		if (out_index(out) == NULL ||
		    map_index_find(out->ix, name, strlen(name), &found, &f) !=
			1)
			return false;
		map_accounts_join(&found, accounts);
	}
	return buf_cstr(accounts) != NULL;
}

const char *
out_ban_text(const struct maprule_ban *ban)
{
	return ban->because[0] == '\0' ? "banned" : ban->because;
}

const char *
out_banned(struct maprule_part *part, const char *name, const char *accounts,
    struct fault *f)
{
	const struct maprule_ban *ban = NULL;
	const char *why = "";
	char one[256];

	while (*accounts != '\0') {
		size_t len = strcspn(accounts, ",");
		int forbidden;

		/* One that is still allowed keeps the name. */
		if (len >= sizeof(one))
			return "";
		memcpy(one, accounts, len);
		one[len] = '\0';
		forbidden = maprule_forbids(part, name, one, &ban, f);
		if (forbidden <= 0)
			return forbidden < 0 ? NULL : "";
		why = out_ban_text(ban);
		accounts += len + (accounts[len] == ',');
	}
	return why;
}

bool
out_lets(struct out *out, size_t gone, time_t now)
{
	struct guard_rule rule = { shadow_count(out->shadow),
		out->confirmed ? 100 : out->shrink_limit,
		(size_t)out->world->conf->shrink_least,
		out->world->conf->shrink_window };

	return guard_lets(&out->guard, &rule, gone, (int64_t)now);
}

void
out_hold(struct out *out, size_t gone)
{
	if (!out->held || out->held_gone != gone)
		LOG(MAP_HELD, LOG_TEXT("service", out->name),
		    LOG_NUMBER("gone", gone),
		    LOG_NUMBER("of", shadow_count(out->shadow)));
	out->held = true;
	out->held_gone = gone;
}

void
out_release(struct out *out)
{
	out->held = false;
	out->held_gone = 0;
	if (out->confirmed)
		out->guard = (struct guard){ 0, 0 };
	out->confirmed = false;
}

void
out_confirm(struct out *out)
{
	out->confirmed = true;
}

void
out_recall(struct out *out, double shrunk, int64_t shrunk_at)
{
	out->guard = (struct guard){ shrunk, shrunk_at };
}

void
out_status(const struct out *out, struct out_status *status)
{
	*status = (struct out_status){ .name = out->name,
		.path = out->path,
		.names = shadow_count(out->shadow),
		.made = out->made,
		.fresh = out->fresh,
		.seq = out->seq,
		.beside = changes_count(out->beside),
		.late = out_text_late(out),
		.held = out->held,
		.held_gone = out->held_gone,
		.stats = out->stats,
		.owned = out->owned,
		.shrunk = out->guard.level,
		.shrunk_at = out->guard.when };
}

bool
out_is_dressed(const struct out *out, const struct stat *s)
{
	return (s->st_mode & 07777) == out->mode &&
	    (!out->owned || (s->st_uid == out->uid && s->st_gid == out->gid));
}

int
out_dress(const struct out *out, int fd, struct fault *f)
{
	if (fchmod(fd, out->mode) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: chmod: %s", out->path,
		    strerror(errno));
	if (out->owned && fchown(fd, out->uid, out->gid) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: chown: %s", out->path,
		    strerror(errno));
	return 0;
}

int
out_give(const struct out *out, const char *suffix, struct fault *f)
{
	char path[PATH_MAX];
	struct stat s;
	int fd, result = 0;

	if (text_fmt(path, sizeof(path), "%s%s", out->index, suffix) < 0)
		return fault_set(f, FAULT_CONFIG, "%s: path too long",
		    out->index);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) < 0 ||
	    fstat(fd, &s) < 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	else if (!out_is_dressed(out, &s))
		result = out_dress(out, fd, f);
	if (fd >= 0)
		(void)close(fd);
	return result;
}
