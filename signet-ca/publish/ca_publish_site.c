#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_publish.h"
#include "ca_publish_pages.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef SIGNET_SYSCONF_DIR
#define SIGNET_SYSCONF_DIR "/etc"
#endif
#define WARNINGS_MOST 65536

/* The last part of ${path}, which is absolute and without slash at the end. */
static const char *
last_part(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* The directory without links and dots, whether it is there already or not;
 * and the place beside it, on the same file system. */
static int
find_places(struct publish_site *s, const char *given, struct fault *f)
{
	char parent[PATH_MAX], above[PATH_MAX];
	size_t len;
	char *slash;

	if (realpath(given, s->dir) == NULL) {
		if (text_copy(parent, sizeof(parent), given) < 0)
			return fault_set(f, FAULT_USAGE, "path too long");
		len = strlen(parent);
		while (len > 1 && parent[len - 1] == '/')
			parent[--len] = '\0';
		slash = strrchr(parent, '/');
		if (slash != NULL)
			*slash = '\0';
		if (realpath(slash == NULL    ? "."
			    : slash == parent ? "/"
					      : parent,
			above) == NULL)
			return fault_set(f, FAULT_SYSTEM, "%s: %s", given,
			    strerror(errno));
		slash = slash == NULL ? parent : slash + 1;
		if (*slash == '\0' || strcmp(slash, ".") == 0 ||
		    strcmp(slash, "..") == 0 ||
		    text_fmt(s->dir, sizeof(s->dir), "%s/%s",
			strcmp(above, "/") == 0 ? "" : above, slash) < 0)
			return fault_set(f, FAULT_USAGE, "no directory: %s",
			    given);
	}
	if (strcmp(s->dir, "/") == 0)
		return fault_set(f, FAULT_USAGE, "/ is no place to publish");
	slash = strrchr(s->dir, '/');
	if (text_fmt(s->work, sizeof(s->work), "%.*s/.%s.publish",
		(int)(slash - s->dir), s->dir, slash + 1) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

/* One publish at a time: the lock is that of the directory above, and goes
 * with the process. */
static int
lock(const struct publish_site *s, int *fd, struct fault *f)
{
	char parent[PATH_MAX];
	size_t len = (size_t)(last_part(s->dir) - s->dir);

	if (text_fmt(parent, sizeof(parent), "%.*s", (int)len, s->dir) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	*fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0 || flock(*fd, LOCK_EX) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", parent,
		    strerror(errno));
	return 0;
}

static void
warn_policy(struct publish_site *s)
{
	char oid[CONF_STRING_SIZE];

	if (s->conf.pen == 0 || *s->conf.policy_arc == '\0' ||
	    text_fmt(oid, sizeof(oid), "1.3.6.1.4.1.%lld.%s",
		(long long)s->conf.pen, s->conf.policy_arc) < 0)
		return;
	for (size_t i = 0; i < s->set->count; i++) {
		const struct authority *a = &s->set->ca[i].dir->authority;

		if (!a->signs_ca && a->conf.policy_oid.count > 0 &&
		    !conf_list_has(&a->conf.policy_oid, oid))
			buf_fmt(&s->warnings,
			    "%s: policy-oid in its ca.conf is not that of the "
			    "CP/CPS, %s\n",
			    s->set->ca[i].alias, oid);
	}
}

/* What is well today and will not be for long. */
static void
warn_times(struct publish_site *s, time_t now)
{
	char text[CLOCK_TEXT_SIZE];

	for (size_t i = 0; i < s->set->count; i++) {
		const struct publish_ca *ca = &s->set->ca[i];
		time_t ends = ca->dir->authority.cert->not_after;
		time_t life = ca->crl.next_update - ca->crl.this_update;

		if (ends - now < (time_t)365 * 86400) {
			clock_text(ends, text);
			buf_fmt(&s->warnings, "%s: the CA ends at %s\n",
			    ca->alias, text);
		}
		if (ca->crl.next_update - now < life / 4) {
			clock_text(ca->crl.next_update, text);
			buf_fmt(&s->warnings,
			    "%s: its CRL ends at %s; make a newer one\n",
			    ca->alias, text);
		}
	}
}

static void
warn_urls(struct publish_site *s)
{
	for (size_t i = 0; i < s->set->count; i++) {
		const struct publish_ca *ca = &s->set->ca[i];
		bool here = false;

		for (size_t j = 0; j < ca->crl_urls.count; j++)
			here |= text_starts(ca->crl_urls.item[j], s->conf.url);
		if (!here)
			buf_fmt(&s->warnings,
			    "%s: its certificates name %s, which is not below "
			    "%s: bring %s.crl there\n",
			    ca->alias, ca->crl_urls.item[0], s->conf.url,
			    ca->alias);
	}
}

static void
warn_gone(struct publish_site *s)
{
	for (size_t i = 0; i < s->old.count; i++) {
		const struct publish_file *file = &s->old.file[i];

		if (text_ends(file->name, ".info") &&
		    publish_tree_find(&s->tree, file->name) == NULL)
			buf_fmt(&s->warnings, "%.*s: is no longer published\n",
			    (int)(strlen(file->name) - strlen(".info")),
			    file->name);
	}
}

/* SOURCE_DATE_EPOCH, else the day that the newest CA began.  Lists are not in
 * packages, so their dates do not count. */
static int
find_date(struct publish_site *s, struct fault *f)
{
	const char *given = getenv("SOURCE_DATE_EPOCH");
	int64_t when;

	if (given != NULL) {
		if (text_number(given, 0, INT32_MAX, &when) < 0)
			return fault_set(f, FAULT_USAGE,
			    "SOURCE_DATE_EPOCH is no number of seconds");
		s->when = (time_t)when;
		return 0;
	}
	for (size_t i = 0; i < s->set->count; i++) {
		time_t begun = s->set->ca[i].dir->authority.cert->not_before;

		if (begun > s->when)
			s->when = begun;
	}
	return 0;
}

static int
add_sums(struct publish_site *s, struct fault *f)
{
	OWN_BUF(sums, (size_t)1 << 20);

	publish_tree_sums(&s->tree, false, &sums);
	return publish_tree_add(&s->tree, "SHA256SUMS", &sums, f) == NULL ? -1
									  : 0;
}

static int
add_key(struct publish_site *s, struct fault *f)
{
	OWN_BUF(pem, 65536);

	buf_put(&pem, s->key.pem.data, s->key.pem.len);
	return publish_tree_add(&s->tree, "publication-key.pem", &pem, f) ==
		NULL
	    ? -1
	    : 0;
}

/* All of it in memory. */
static int
make(struct publish_site *s, struct fault *f)
{
	const struct publish_facts facts = { &s->conf, s->set,
		s->args->draft ? NULL : &s->key, s->args->draft };

	if (publish_set_files(s->set, &s->conf, &s->tree, f) < 0 ||
	    publish_pages(&facts, &s->tree, f) < 0)
		return -1;
	if (!s->args->draft &&
	    (publish_key_open(&s->key, &s->conf, s->set, f) < 0 ||
		add_key(s, f) < 0 || publish_site_packages(s, f) < 0))
		return -1;
	return add_sums(s, f);
}

static int
make_dir(const char *path, struct fault *f)
{
	if (mkdir(path, 0755) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

/*
 * The new directory takes the place of the old one in one step; the old one is
 * then in the place of what was not finished, and the next run would remove it
 * if this one cannot.
 */
static int
exchange(const struct publish_site *s, const char *made, int parent,
    struct fault *f)
{
	int result =
	    renameat2(AT_FDCWD, made, AT_FDCWD, s->dir, RENAME_EXCHANGE);

	if (result < 0 && errno == ENOENT)
		result = renameat2(AT_FDCWD, made, AT_FDCWD, s->dir,
		    RENAME_NOREPLACE);
	if (result < 0 && errno == EBUSY)
		return fault_set(f, FAULT_SYSTEM,
		    "%s is where a file system is mounted; publish into a "
		    "directory in it",
		    s->dir);
	if (result < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", s->dir,
		    strerror(errno));
	if (fsync(parent) < 0 && errno != EINVAL)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", s->dir,
		    strerror(errno));
	return 0;
}

static int
write_site(const struct publish_site *s, int parent, struct fault *f)
{
	char made[PATH_MAX];

	if (text_fmt(made, sizeof(made), "%s/site", s->work) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (make_dir(made, f) < 0 ||
	    publish_tree_write(&s->tree, made, &s->old, s->dir, f) < 0)
		return -1;
	return exchange(s, made, parent, f);
}

static int
compare_and_write(struct publish_site *s, int parent, struct fault *f)
{
	warn_gone(s);
	if (s->args->check || !publish_site_changed(s))
		return 0;
	return write_site(s, parent, f);
}

static int
publish(struct publish_site *s, int parent, struct fault *f)
{
	int result;

	/* What an interrupted run has left. */
	if (publish_remove(s->work, f) < 0 ||
	    publish_tree_read(&s->old, s->dir, f) < 0 ||
	    publish_set_follows(s->set, &s->old, f) < 0 ||
	    make_dir(s->work, f) < 0)
		return -1;
	result = make(s, f);
	if (result == 0)
		result = compare_and_write(s, parent, f);
	if (result < 0) {
		(void)!publish_remove(s->work, &(struct fault){ 0 });
		return -1;
	}
	if (publish_remove(s->work, f) < 0)
		return -1;
	return publish_site_tell(s, f);
}

static int
run(struct publish_site *s, struct fault *f)
{
	const char *conf = s->args->conf;
	time_t now = clock_wall();
	int parent = -1, result;

	if (conf == NULL)
		conf = SIGNET_SYSCONF_DIR "/signet/publish.conf";
	if (publish_conf_read(&s->conf, conf, f) < 0 ||
	    (s->set = publish_set_read(&s->conf, now, f)) == NULL ||
	    find_date(s, f) < 0 || find_places(s, s->args->operand[0], f) < 0 ||
	    publish_tree_new(&s->tree, f) < 0 ||
	    publish_tree_new(&s->old, f) < 0)
		return -1;
	warn_times(s, now);
	warn_urls(s);
	warn_policy(s);
	result = lock(s, &parent, f);
	if (result == 0)
		result = publish(s, parent, f);
	if (parent >= 0)
		(void)close(parent);
	return result;
}

int
publish_site(const struct ca_args *args, struct fault *f)
{
	struct publish_site *s = calloc(1, sizeof(*s));
	int result;

	if (s == NULL)
		return fault_set(f, FAULT_MEMORY, "publish");
	s->args = args;
	s->warnings = BUF(WARNINGS_MOST);
	result = run(s, f);
	publish_set_free(s->set);
	publish_key_clear(&s->key);
	publish_tree_clear(&s->tree);
	publish_tree_clear(&s->old);
	buf_free(&s->warnings);
	free(s);
	return result;
}
