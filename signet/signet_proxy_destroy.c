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

static const char syntax[] =
    "grid-proxy-destroy [-help][-dryrun][-default][-all][--] [file1...]";

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

/* Only a regular file of this user, not reached through a link. */
static int
open_own(const char *path, struct stat *st, struct fault *f)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_DENIED, "%s: %s",
		    path, strerror(errno));
	if (fstat(fd, st) < 0 || !S_ISREG(st->st_mode) ||
	    st->st_uid != geteuid() || st->st_nlink != 1) {
		(void)close(fd);
		return fault_set(f, FAULT_DENIED,
		    "%s is not a file of yours alone", path);
	}
	return fd;
}

static int
destroy(const char *path, bool dry, struct fault *f)
{
	struct stat st;
	int fd = open_own(path, &st, f);
	int result;

	if (fd < 0)
		return -1;
	if (dry) {
		(void)close(fd);
		printf("Would remove %s\n", path);
		return 0;
	}
	result = overwrite(fd, st.st_size, path, f);
	(void)close(fd);
	if (result == 0 && unlink(path) < 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	return result;
}

/* Proxies that were delegated to this user here; strangers' are passed by. */
static int
destroy_delegated(bool dry, struct fault *f)
{
	DIR *dir = opendir(DELEGATED_DIR);
	struct dirent *entry;
	int result = 0;

	if (dir == NULL)
		return fault_set(f, FAULT_SYSTEM, DELEGATED_DIR ": %s",
		    strerror(errno));
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		char path[PLACE_SIZE];
		struct stat st;

		if (!text_starts(entry->d_name, DELEGATED_PREFIX) ||
		    text_fmt(path, sizeof(path), DELEGATED_DIR "/%s",
			entry->d_name) < 0 ||
		    lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
		    st.st_uid != geteuid())
			continue;
		result = destroy(path, dry, f);
	}
	(void)closedir(dir);
	return result;
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	const struct destroy_options *o = options;
	char path[PLACE_SIZE];

	for (int i = 0; i < call->operand_count; i++)
		if (destroy(call->operand[i], o->dryrun, f) < 0)
			return -1;
	if (call->operand_count == 0 || o->standard || o->all) {
		if (place_proxy(NULL, path, f) < 0 ||
		    destroy(path, o->dryrun, f) < 0)
			return -1;
	}
	return o->all ? destroy_delegated(o->dryrun, f) : 0;
}

static int
run_any(struct call *call, const void *options, struct fault *f)
{
	char path[PLACE_SIZE];
	struct fault ignored;

	if (run(call, options, f) == 0)
		return 0;
	if (!call->old) {
		if (f->code == FAULT_ABSENT)
			call_hint(call, "There is nothing to destroy.");
		return -1;
	}
	if (call->operand_count > 0)
		(void)snprintf(path, sizeof(path), "%s", call->operand[0]);
	else if (place_proxy(NULL, path, &ignored) < 0)
		path[0] = '\0';
	old_grid_no_file("Proxy file doesn't exist or has bad permissions",
	    path, call->operand_count > 0, f);
	call->exit_status = 1;
	return 0;
}

static void
complain_old(const struct call *call, const struct fault *f)
{
	(void)call;
	old_grid_usage(f, syntax);
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
	.run = run_any,
	.complain = complain_old,
};
