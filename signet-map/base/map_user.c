#include "signet-map/base/map_user.h"

#include "base/fault.h"
#include "base/file.h"
#include "sys/sandbox.h"

#include <sys/stat.h>

#include <grp.h>
#include <unistd.h>

int
map_user_become(const struct map_conf *conf, struct fault *f)
{
	struct stat s;
	uid_t uid;
	gid_t gid;

	if (conf->user[0] == '\0' || geteuid() != 0)
		return 0;
	if (sandbox_user(conf->user, &uid, &gid, f) < 0 ||
	    file_mkdir(conf->state, 0755, f) < 0)
		return -1;
	if (stat(conf->state, &s) == 0 && s.st_uid == 0 && uid != 0 &&
	    chown(conf->state, uid, gid) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: chown", conf->state);
	if (setgroups(1, &gid) < 0 || setresgid(gid, gid, gid) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		return fault_set(f, FAULT_SYSTEM, "cannot become %s",
		    conf->user);
	return 0;
}
