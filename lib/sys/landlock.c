#include "sys/landlock.h"

#include "base/fault.h"
#include "sys/sandbox.h"

#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

/*
 * The kernel's interface by its numbers, which never change: the headers of
 * Debian 12 stop at the second of its versions, the kernel may know more.
 */
#define FS_EXECUTE (1u << 0)
#define FS_WRITE_FILE (1u << 1)
#define FS_READ_FILE (1u << 2)
#define FS_READ_DIR (1u << 3)
#define FS_REMOVE_DIR (1u << 4)
#define FS_REMOVE_FILE (1u << 5)
#define FS_MAKE_DIR (1u << 7)
#define FS_MAKE_REG (1u << 8)
#define FS_ABI_1 ((1u << 13) - 1)
#define FS_REFER (1u << 13)	/* ABI 2 */
#define FS_TRUNCATE (1u << 14)	/* ABI 3 */
#define FS_IOCTL_DEV (1u << 15) /* ABI 5 */
#define NET_BIND_TCP (1u << 0)	/* ABI 4 */
#define NET_CONNECT_TCP (1u << 1)
#define SCOPE_ABSTRACT_UNIX (1u << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1u << 1)

#define CREATE_RULESET_VERSION 1u
#define RULE_PATH_BENEATH 1

/* Rights that a single file can have. */
#define FS_OF_FILES \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

struct path_beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

int
landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    CREATE_RULESET_VERSION);

	return abi < 0 ? 0 : (int)abi;
}

static struct ruleset
rules_for(const struct sandbox *box, int abi)
{
	struct ruleset rules = { .fs = FS_ABI_1 };

	if (abi >= 2)
		rules.fs |= FS_REFER;
	if (abi >= 3)
		rules.fs |= FS_TRUNCATE;
	if (abi >= 5)
		rules.fs |= FS_IOCTL_DEV;
	if (abi >= 4)
		rules.net = NET_BIND_TCP;
	if (abi >= 4 && (box->promises & SANDBOX_PROMISE(CONNECT)) == 0)
		rules.net |= NET_CONNECT_TCP;
	if (abi >= 6)
		rules.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return rules;
}

/* Older kernels know a shorter struct; what they lack is zero in ours, and
 * must not be sent. */
static size_t
rules_size(int abi)
{
	if (abi < 4)
		return sizeof(uint64_t);
	return abi < 6 ? 2 * sizeof(uint64_t) : sizeof(struct ruleset);
}

/* What may be written is not run. */
static uint64_t
rights_of(const struct sandbox *box, const struct sandbox_path *path)
{
	uint64_t rights = FS_READ_FILE | FS_READ_DIR;

	if (path->write)
		return rights | FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE |
		    FS_MAKE_DIR | FS_MAKE_REG | FS_TRUNCATE;
	if ((box->promises & SANDBOX_PROMISE(PROCESS)) != 0)
		rights |= FS_EXECUTE;
	return rights;
}

static int
add_path(int ruleset, const char *path, uint64_t rights, struct fault *f)
{
	struct path_beneath beneath = { .allowed = rights };
	struct stat st;
	int fd = open(path, O_PATH | O_CLOEXEC);
	int result = 0;

	/* What is not there, or not within our reach, needs no permission. */
	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	beneath.parent = fd;
	if (fstat(fd, &st) < 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "%s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		beneath.allowed &= FS_OF_FILES;
	if (result == 0 &&
	    syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &beneath,
		0) < 0)
		result = fault_set(f, FAULT_SYSTEM, "Landlock for %s: %s", path,
		    strerror(errno));
	(void)close(fd);
	return result;
}

int
landlock_enter(const struct sandbox *box, int abi, struct fault *f)
{
	struct ruleset rules = rules_for(box, abi);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules,
	    rules_size(abi), 0);
	int result = 0;

	if (ruleset < 0)
		return fault_set(f, FAULT_SYSTEM, "Landlock: %s",
		    strerror(errno));
	for (size_t i = 0; i < SANDBOX_PATHS_MAX && result == 0; i++) {
		const struct sandbox_path *path = &box->paths[i];

		if (path->path == NULL)
			break;
		result = add_path(ruleset, path->path,
		    rights_of(box, path) & rules.fs, f);
	}
	if (result == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		result =
		    fault_set(f, FAULT_SYSTEM, "Landlock: %s", strerror(errno));
	(void)close(ruleset);
	return result;
}
