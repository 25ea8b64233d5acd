#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "old_grid.h"
#include "place.h"
#include "signet_proxy.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define OPERANDS_MAX 64
#define DELEGATED_DIR "/tmp"
#define DELEGATED_PREFIX "x509up_p" /* as GCT names what it was delegated */

struct destroy_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "proxy_destroy.def"
#undef OPTION
};

static const struct old_grid old_tool = {
	"grid-proxy-destroy [-help][-dryrun][-default][-all][--] [file1...]",
	"Syntax: ", "", "unknown option", NULL, 0
};

/* One run. */
struct destroyer {
	bool dry;
	bool old;      /* by the old name: it says on stderr what it would do */
	json_t *files; /* those destroyed; NULL: nobody asks */
};

/* The blocks may outlive the name: zeroes first. */
static int
overwrite(int fd, off_t size, const char *path, struct fault *f)
{
	static const uint8_t zeroes[4096];

	while (size > 0) {
		size_t n = size < (off_t)sizeof(zeroes) ? (size_t)size
							: sizeof(zeroes);

		if (file_write_all(fd, zeroes, n, f) < 0)
			return fault_wrap(f, "%s", path);
		size -= (off_t)n;
	}
	if (fsync(fd) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

/* A regular file of this user, under one name. */
static bool
is_own(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_uid == geteuid() &&
	    st->st_nlink == 1;
}

/* A proxy may be of mode 0400: it is ours, so we may.  Links are not followed.
 */
static int
open_file(const char *path, bool dry)
{
	const int flags =
	    (dry ? O_RDONLY : O_WRONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = open(path, flags);
	struct stat st;

	if (fd >= 0 || errno != EACCES || dry)
		return fd;
	if (lstat(path, &st) < 0 || !is_own(&st) ||
	    fchmodat(AT_FDCWD, path, 0600, AT_SYMLINK_NOFOLLOW) < 0) {
		errno = EACCES;
		return -1;
	}
	return open(path, flags);
}

static int
open_own(const char *path, bool dry, struct stat *st, struct fault *f)
{
	int fd = open_file(path, dry);

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_DENIED, "%s: %s",
		    path, strerror(errno));
	if (fstat(fd, st) < 0 || !is_own(st)) {
		(void)close(fd);
		return fault_set(f, FAULT_DENIED,
		    "%s is not a file of yours alone", path);
	}
	return fd;
}

/* What was, or would be, destroyed. */
static int
note(const struct destroyer *d, const char *path, struct fault *f)
{
	if (d->files == NULL) {
		if (d->dry)
			fprintf(d->old ? stderr : stdout, "Would remove %s\n",
			    path);
		return 0;
	}
	if (json_array_append_new(d->files, json_string(path)) < 0)
		return fault_set(f, FAULT_INPUT,
		    "%s is not UTF-8, and JSON takes nothing else", path);
	return 0;
}

static int
destroy(const struct destroyer *d, const char *path, struct fault *f)
{
	struct stat st = { .st_size = 0 };
	int fd = open_own(path, d->dry, &st, f);
	int result = 0;

	if (fd < 0)
		return -1;
	if (!d->dry)
		result = overwrite(fd, st.st_size, path, f);
	(void)close(fd);
	if (!d->dry && result == 0 && unlink(path) < 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	return result < 0 ? -1 : note(d, path, f);
}

/* Whether ${name} in DELEGATED_DIR is a delegated proxy of this user's. */
static bool
is_delegated(const char *name, char path[PLACE_SIZE])
{
	struct stat st;

	return text_starts(name, DELEGATED_PREFIX) &&
	    text_fmt(path, PLACE_SIZE, DELEGATED_DIR "/%s", name) == 0 &&
	    lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	    st.st_uid == geteuid();
}

/* Proxies that were delegated to this user here; strangers' are passed by. */
static int
destroy_delegated(const struct destroyer *d, struct fault *f)
{
	DIR *dir = opendir(DELEGATED_DIR);
	struct dirent *entry;
	char path[PLACE_SIZE];
	int result = 0;

	if (dir == NULL)
		return fault_set(f, FAULT_SYSTEM, DELEGATED_DIR ": %s",
		    strerror(errno));
	while (result == 0 && (entry = readdir(dir)) != NULL)
		if (is_delegated(entry->d_name, path))
			result = destroy(d, path, f);
	(void)closedir(dir);
	return result;
}

/* The files named.  The old tool has nothing against one that is not there;
 * with us that is an error, once the others are gone. */
static int
destroy_named(const struct call *call, const struct destroyer *d,
    struct fault *f)
{
	int result = 0;

	for (int i = 0; i < call->operand_count; i++) {
		struct fault why;

		if (destroy(d, call->operand[i], &why) == 0 ||
		    (d->old && why.code == FAULT_ABSENT))
			continue;
		*f = why;
		result = -1;
	}
	return result;
}

static int
destroy_all(struct call *call, const struct destroy_options *o,
    const struct destroyer *d, struct fault *f)
{
	char path[PLACE_SIZE];

	if (destroy_named(call, d, f) < 0)
		return -1;
	if (call->operand_count == 0 || o->standard || o->all) {
		if (place_proxy(NULL, path, f) < 0)
			return -1;
		if (destroy(d, path, f) < 0) {
			if (!call->old && f->code == FAULT_ABSENT)
				call_hint(call, "There is nothing to destroy.");
			return -1;
		}
	}
	return o->all ? destroy_delegated(d, f) : 0;
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	const struct destroy_options *o = options;
	struct destroyer d = { o->dryrun, call->old, NULL };
	json_t *object;
	int result;

	if (!call->common.json)
		return destroy_all(call, o, &d, f);
	if ((d.files = json_array()) == NULL)
		return fault_set(f, FAULT_MEMORY, "a JSON array");
	result = destroy_all(call, o, &d, f);
	object = json_pack("{s:i,s:s,s:b,s:o}", "version", 1, "kind",
	    "destroyed", "dryrun", o->dryrun, "files", d.files);
	if (object == NULL)
		return fault_set(f, FAULT_MEMORY, "a JSON object");
	/* Of a failure the error is the answer. */
	if (result == 0) {
		(void)json_dumpf(object, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(object);
	return result;
}

static void
complain_old(const struct call *call, const struct fault *f)
{
	static const char what[] =
	    "Proxy file doesn't exist or has bad permissions";
	char path[PLACE_SIZE], why[OLD_GRID_WHY_SIZE];
	struct fault ignored;

	if (f->code == FAULT_USAGE) {
		old_grid_usage(&old_tool, f);
		return;
	}
	if (f->code == FAULT_ABSENT && place_proxy(NULL, path, &ignored) == 0 &&
	    old_grid_file(path, false, why))
		old_grid_no_file(what, why, false);
	else
		fprintf(stderr,
		    "\nERROR: %s\n       %s\n\nUse -debug for further "
		    "information.\n",
		    what, f->text);
	(void)call;
}

static void
help_old(const struct call *call, FILE *out)
{
	old_grid_help(&old_tool, call, out);
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct destroy_options, __VA_ARGS__)
#include "proxy_destroy.def"
#undef OPTION
};

const struct command signet_proxy_destroy = {
	.verb = "proxy destroy",
	.old_names = "grid-proxy-destroy",
	.summary = "Wipe and remove the proxy",
	.operands = "[FILE...]",
	.operands_max = OPERANDS_MAX,
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct destroy_options) },
	.old_style = OPTIONS_SINGLE_DASH,
	.compatible = true,
	.run = run,
	.complain = complain_old,
	.old_help = help_old,
	.old_version = old_grid_version,
};
