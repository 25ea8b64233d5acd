#include "sys/sandbox.h"

#include "base/fault.h"
#include "base/log.h"
#include "sys/filter.h"
#include "sys/landlock.h"

#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int
failed(const char *what, struct fault *f)
{
	return fault_set(f, FAULT_SYSTEM, "%s: %s", what, strerror(errno));
}

/* No core dump and no debugger sees what we hold. */
static int
hide(struct fault *f)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0)
		return failed("RLIMIT_CORE", f);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return failed("PR_SET_DUMPABLE", f);
	return 0;
}

/* Soft and hard; less than was asked for where we may not raise it. */
static int
limit_files(rlim_t files, struct fault *f)
{
	struct rlimit limit;

	if (files == 0)
		return 0;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failed("RLIMIT_NOFILE", f);
	if (limit.rlim_max < files && geteuid() != 0)
		files = limit.rlim_max;
	limit.rlim_cur = limit.rlim_max = files;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return failed("RLIMIT_NOFILE", f);
	return 0;
}

static int
forbid_processes(struct fault *f)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_NPROC, &none) < 0)
		return failed("RLIMIT_NPROC", f);
	return 0;
}

/* Whether all three ids of both kinds are these, and root's cannot be had
 * back.  A half-done drop is worse than none, since it looks done. */
static int
check_dropped(uid_t uid, gid_t gid, struct fault *f)
{
	uid_t ru, eu, su;
	gid_t rg, eg, sg;

	if (getresuid(&ru, &eu, &su) < 0 || getresgid(&rg, &eg, &sg) < 0)
		return failed("getresuid", f);
	if (ru != uid || eu != uid || su != uid || rg != gid || eg != gid ||
	    sg != gid)
		return fault_set(f, FAULT_SYSTEM,
		    "the user was not wholly dropped");
	if (uid != 0 &&
	    (setuid(0) == 0 || seteuid(0) == 0 || setresuid(0, 0, 0) == 0 ||
		(gid != 0 && setresgid(0, 0, 0) == 0)))
		return fault_set(f, FAULT_SYSTEM, "root could be regained");
	return 0;
}

static int
drop_user(uid_t uid, gid_t gid, struct fault *f)
{
	if (geteuid() != 0 || uid == 0)
		return check_dropped(geteuid(), getegid(), f);
	if (setgroups(0, NULL) < 0)
		return failed("setgroups", f);
	if (setresgid(gid, gid, gid) < 0)
		return failed("setresgid", f);
	if (setresuid(uid, uid, uid) < 0)
		return failed("setresuid", f);
	return check_dropped(uid, gid, f);
}

/* Of what there is, what giving files away takes: to do it, to change their
 * mode and to read them then. */
static void
keep_giving(struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3])
{
	uint32_t giving =
	    1U << CAP_CHOWN | 1U << CAP_FOWNER | 1U << CAP_DAC_READ_SEARCH;

	left[0].permitted &= giving;
	left[0].effective = left[0].permitted;
	left[0].inheritable = 0;
	for (size_t i = 1; i < _LINUX_CAPABILITY_U32S_3; i++)
		memset(&left[i], 0, sizeof(left[i]));
}

/* One who stays root, or was given capabilities, keeps none of them, but for
 * what is asked for: root's files are still its own, but nobody else's. */
static int
drop_capabilities(bool may_give, struct fault *f)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3
	};
	struct __user_cap_data_struct left[_LINUX_CAPABILITY_U32S_3];

	memset(left, 0, sizeof(left));
	if (may_give && geteuid() == 0) {
		if (syscall(SYS_capget, &header, left) < 0)
			return failed("capget", f);
		keep_giving(left);
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return failed("PR_CAP_AMBIENT", f);
	if (syscall(SYS_capset, &header, left) < 0)
		return failed("capset", f);
	return 0;
}

/* A kernel without Landlock is a fact of the site; the other walls stand. */
static int
raise_paths(const struct sandbox *box, struct fault *f)
{
	int abi = landlock_abi();

	if (abi > 0)
		return landlock_enter(box, abi, f);
	LOG(WALL_MISSING, LOG_TEXT("text", "this kernel has no Landlock"));
	return 0;
}

/*
 * The run time of a sanitizer maps, clones, reads /proc and calls what it
 * likes, so a sanitized build has no seccomp filter.  It keeps its user, its
 * limits and its paths.
 */
static int
raise_filter(const struct sandbox *box, struct fault *f)
{
#ifdef SIGNET_SANITIZED
	(void)box;
	(void)f;
	return 0;
#else
	return filter_enter(box->promises, box->log_only, f);
#endif
}

static int
raise_walls(const struct sandbox *box, struct fault *f)
{
	if (drop_capabilities(box->may_give, f) < 0)
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed("PR_SET_NO_NEW_PRIVS", f);
	if (raise_paths(box, f) < 0)
		return -1;
	return raise_filter(box, f);
}

int
sandbox_enter(const struct sandbox *box, struct fault *f)
{
	/* Reads /etc/localtime while it can be. */
	tzset();
	(void)umask(077);
	if (hide(f) < 0 || limit_files(box->files, f) < 0 ||
	    drop_user(box->uid, box->gid, f) < 0)
		return fault_wrap(f, "sandbox");
	/* Changing user has set the flag anew. */
	if (hide(f) < 0 || (box->no_processes && forbid_processes(f) < 0))
		return fault_wrap(f, "sandbox");
	if (!box->may_gain && raise_walls(box, f) < 0)
		return fault_wrap(f, "sandbox");
	return 0;
}
