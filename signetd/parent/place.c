#include "signetd/parent/place.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/sandbox.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

/* Regular files only, links not followed: the directory may be another
 * user's, and we are root. */
static int
own_contents(int dir_fd, uid_t uid, gid_t gid, struct fault *f)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;
	int result = 0;

	if (dir == NULL)
		return fault_set(f, FAULT_SYSTEM, "opendir: %s",
		    strerror(errno));
	while (result == 0 && (entry = readdir(dir)) != NULL) {
		struct stat st;

		if (fstatat(dirfd(dir), entry->d_name, &st,
			AT_SYMLINK_NOFOLLOW) < 0 ||
		    !S_ISREG(st.st_mode) || st.st_nlink != 1 ||
		    st.st_uid == uid)
			continue;
		if (fchownat(dirfd(dir), entry->d_name, uid, gid,
			AT_SYMLINK_NOFOLLOW) < 0)
			result = fault_set(f, FAULT_SYSTEM, "chown %s: %s",
			    entry->d_name, strerror(errno));
	}
	(void)closedir(dir);
	return result;
}

static int
own_directory(const char *path, const char *user, struct fault *f)
{
	uid_t uid;
	gid_t gid;
	int fd;

	if (sandbox_user(user, &uid, &gid, f) < 0)
		return fault_wrap(f, "user-keeper");
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (fchown(fd, uid, gid) < 0) {
		(void)fault_set(f, FAULT_SYSTEM, "chown %s: %s", path,
		    strerror(errno));
		(void)close(fd);
		return -1;
	}
	return own_contents(fd, uid, gid, f);
}

int
place_ledger(const struct signetd_conf *conf, struct fault *f)
{
	char path[PATH_MAX];
	char *slash;

	if (text_copy(path, sizeof(path), conf->ledger) < 0 ||
	    (slash = strrchr(path, '/')) == NULL || slash == path)
		return fault_set(f, FAULT_CONFIG,
		    "ledger must be a path in a directory of its own");
	*slash = '\0';
	if (file_mkdir(path, 0700, f) < 0)
		return -1;
	return geteuid() == 0 ? own_directory(path, conf->user_keeper, f) : 0;
}
