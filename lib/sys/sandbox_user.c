#include "base/fault.h"
#include "base/text.h"
#include "sys/sandbox.h"

#include <grp.h>
#include <pwd.h>
#include <stdint.h>
#include <string.h>

#define NAME_SIZE 256
#define ENTRY_SIZE 16384
/* -1 means "leave it" to setresuid(2), so it is nobody's number. */
#define ID_MAX ((int64_t)UINT32_MAX - 1)

/* The user's primary group too.  A number need not be known; then its group
 * is the one of the same number. */
static int
find_user(const char *name, uid_t *uid, gid_t *gid, struct fault *f)
{
	char memory[ENTRY_SIZE];
	struct passwd entry, *found = NULL;
	int64_t number;

	if (text_number(name, 0, ID_MAX, &number) == 0) {
		*uid = (uid_t)number;
		*gid = (gid_t)number;
		if (getpwuid_r(*uid, &entry, memory, sizeof(memory), &found) ==
			0 &&
		    found != NULL)
			*gid = found->pw_gid;
		return 0;
	}
	if (getpwnam_r(name, &entry, memory, sizeof(memory), &found) != 0 ||
	    found == NULL)
		return fault_set(f, FAULT_CONFIG, "there is no user \"%s\"",
		    name);
	*uid = found->pw_uid;
	*gid = found->pw_gid;
	return 0;
}

static int
find_group(const char *name, gid_t *gid, struct fault *f)
{
	char memory[ENTRY_SIZE];
	struct group entry, *found = NULL;
	int64_t number;

	if (text_number(name, 0, ID_MAX, &number) == 0) {
		*gid = (gid_t)number;
		return 0;
	}
	if (getgrnam_r(name, &entry, memory, sizeof(memory), &found) != 0 ||
	    found == NULL)
		return fault_set(f, FAULT_CONFIG, "there is no group \"%s\"",
		    name);
	*gid = found->gr_gid;
	return 0;
}

int
sandbox_user(const char *who, uid_t *uid, gid_t *gid, struct fault *f)
{
	char user[NAME_SIZE];
	uid_t found_uid = 0;
	gid_t found_gid = 0;
	char *group;

	if (text_copy(user, sizeof(user), who) < 0)
		return fault_set(f, FAULT_CONFIG, "user name too long");
	if ((group = strchr(user, ':')) != NULL)
		*group++ = '\0';
	if (find_user(user, &found_uid, &found_gid, f) < 0 ||
	    (group != NULL && find_group(group, &found_gid, f) < 0))
		return -1;
	*uid = found_uid;
	*gid = found_gid;
	return 0;
}
