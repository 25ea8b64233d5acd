#include "anchor/root_files.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_deploy.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "x509/pem.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <pwd.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_MOST (1u << 20)

const struct deploy_role deploy_roles[DEPLOY_ROLES] = {
	{ "front", "signet-front", 0, false },
	{ "auth", "signet-auth", 1, false },
	{ "worker", "signet-auth", 1, false },
	{ "issuer", "signet-issuer", 2, false },
	{ "signer", "signet-signer", 3, false },
	{ "keeper", "signet-keeper", 4, false },
	{ "token", "signet-token", 5, true },
};

/* Who may own a thing: this user, or the user of a role if we are root. */
enum owner {
	OURS,
	OF_WORKER,
	OF_KEEPER
};

/* A directory or a file to be made; ${data} NULL: a directory. */
struct item {
	char path[PATH_MAX];
	mode_t mode;
	enum owner owner;
	const struct buf *data;
	bool keep; /* whatever is in it already stays */
};

static const char *
role_of(enum owner owner)
{
	return owner == OF_WORKER ? "worker" : "keeper";
}

/* Whose it is to be: -1 for nobody else's. */
static int
owner_of(const struct deploy *p, enum owner owner, uid_t *uid, gid_t *gid,
    struct fault *f)
{
	const struct deploy_role *role = deploy_roles;
	const struct passwd *pw;

	*uid = (uid_t)-1;
	*gid = (gid_t)-1;
	if (owner == OURS || geteuid() != 0)
		return 0;
	while (strcmp(role->role, role_of(owner)) != 0)
		role++;
	if (p->first_uid > 0) {
		*uid = (uid_t)(p->first_uid + role->offset);
		*gid = (gid_t)*uid;
		return 0;
	}
	if ((pw = getpwnam(role->account)) == NULL)
		return fault_set(f, FAULT_ABSENT,
		    "there is no account %s; run: systemd-sysusers signet.conf",
		    role->account);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

/* All accounts, before anything is made. */
static int
check_accounts(const struct deploy *p, struct fault *f)
{
	if (geteuid() != 0 || p->first_uid > 0)
		return 0;
	for (size_t i = 0; i < DEPLOY_ROLES; i++)
		if (deploy_has_role(p, &deploy_roles[i]) &&
		    getpwnam(deploy_roles[i].account) == NULL)
			return fault_set(f, FAULT_ABSENT,
			    "there is no account %s; run: systemd-sysusers "
			    "signet.conf",
			    deploy_roles[i].account);
	return 0;
}

static bool
is_there(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Whether what is at ${item->path} is what it is to be. */
static int
check_item(const struct item *item, bool *made, struct fault *f)
{
	struct buf old = BUF(TEXT_MOST);
	struct stat st;
	bool same;

	*made = is_there(item->path);
	if (!*made)
		return 0;
	if (item->data == NULL) {
		if (stat(item->path, &st) == 0 && S_ISDIR(st.st_mode))
			return 0;
		return fault_set(f, FAULT_DENIED, "%s is no directory",
		    item->path);
	}
	if (item->keep)
		return 0;
	if (file_read(item->path, &old, f) < 0)
		return -1;
	same = old.len == item->data->len &&
	    memcmp(old.data, item->data->data, old.len) == 0;
	buf_free(&old);
	if (!same)
		return fault_set(f, FAULT_DENIED,
		    "%s is there and says something else; nothing is "
		    "overwritten: move it away, or change it by hand",
		    item->path);
	return 0;
}

static int
set_owner(const struct deploy *p, const struct item *item, struct fault *f)
{
	uid_t uid;
	gid_t gid;

	if (owner_of(p, item->owner, &uid, &gid, f) < 0)
		return -1;
	if (uid == (uid_t)-1)
		return 0;
	if (lchown(item->path, uid, gid) < 0)
		return fault_set(f, FAULT_SYSTEM, "chown %s: %s", item->path,
		    strerror(errno));
	return 0;
}

static int
make_item(const struct deploy *p, const struct item *item, struct fault *f)
{
	bool made;

	if (check_item(item, &made, f) < 0)
		return -1;
	printf("%s %s\n", made ? "is there  " : "makes     ", item->path);
	if (p->args->dry_run)
		return 0;
	/* An owner that an interrupted run did not come to is set now. */
	if (made)
		return item->owner == OURS ? 0 : set_owner(p, item, f);
	if (item->data != NULL &&
	    file_write_new(item->path, item->mode, item->data->data,
		item->data->len, f) < 0)
		return -1;
	if (item->data == NULL &&
	    (file_mkdir(item->path, 0755, f) < 0 ||
		chmod(item->path, item->mode) < 0))
		return fault_wrap(f, "%s", item->path);
	return set_owner(p, item, f);
}

static int
name_item(struct item *item, const char *dir, const char *name, struct fault *f)
{
	if (text_fmt(item->path, sizeof(item->path), "%s%s", dir, name) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

/* The book begins with what the office wrote: the CA's first list, or all that
 * came back from a backup.  Numbers go on. */
static int
make_ledger(const struct deploy *p, struct fault *f)
{
	OWN_STRUCT(ledger) l = NULL;
	struct item item = { .mode = 0600, .owner = OF_KEEPER };
	struct fault none = { 0 };
	char from[PATH_MAX];

	if (name_item(&item, p->state, "/ledger/ledger.db", f) < 0 ||
	    ca_dir_path(p->d, "ledger.db", from, sizeof(from), f) < 0)
		return -1;
	if (is_there(item.path)) {
		printf("is there   %s\n", item.path);
		return p->args->dry_run ? 0 : set_owner(p, &item, f);
	}
	if ((l = ledger_open_read(from, &none)) == NULL) {
		if (none.code == FAULT_ABSENT)
			return 0;
		*f = none;
		return -1;
	}
	printf("makes      %s (from %s)\n", item.path, from);
	if (p->args->dry_run)
		return 0;
	if (ledger_copy(l, item.path, f) < 0)
		return -1;
	return set_owner(p, &item, f);
}

/* Whether the certificate of ${hash} is there already, by whomever; what will
 * be done is told. */
static int
tell_files(const struct deploy *p, const struct root_files *files,
    const char *hash, bool *there, struct fault *f)
{
	struct item item = { .mode = 0644 };
	char name[ROOT_NAME_SIZE + 2];

	(void)snprintf(name, sizeof(name), "/%s.0", hash);
	if (name_item(&item, p->trust, name, f) < 0)
		return -1;
	*there = is_there(item.path);
	for (size_t i = 0; i < files->count; i++) {
		(void)snprintf(name, sizeof(name), "/%s", files->file[i].name);
		if (name_item(&item, p->trust, name, f) < 0)
			return -1;
		if (!*there || is_there(item.path))
			printf("%s %s\n", *there ? "is there  " : "makes     ",
			    item.path);
	}
	return 0;
}

/* The root and what is between, of which we know no more than that they signed
 * this CA: a policy that says just that, until the root's own is published
 * here. */
static int
make_anchor(const struct deploy *p, const struct cert *cert, struct fault *f)
{
	char by[32], hash[9];
	const struct root_install how = { .by = by };
	struct root_files files = { 0, NULL };
	size_t installed;
	bool there = true;
	int result;

	if (dn_hash(&cert->subject, hash, f) < 0)
		return -1;
	(void)snprintf(by, sizeof(by), "signet-ca:%s", hash);
	result = root_files_link(&files, cert, p->d->authority.cert, f);
	if (result == 0)
		result = tell_files(p, &files, hash, &there, f);
	if (result == 0 && !there && !p->args->dry_run)
		result =
		    root_files_install(&files, p->trust, &how, &installed, f);
	root_files_clear(&files);
	return result;
}

static int
make_trust(const struct deploy *p, struct fault *f)
{
	struct ca_args publish = { .trust_dir = p->trust, .count = 1 };
	char ca[PATH_MAX], list[PATH_MAX], ledger[PATH_MAX];
	char *operand[] = { ca, NULL };
	struct item dir = { .mode = 0755 };
	struct cert_list above = { 0 };
	OWN_BUF(chain, TEXT_MOST);
	int result;

	if (text_copy(ca, sizeof(ca), p->ca) < 0 ||
	    text_fmt(ledger, sizeof(ledger), "%s/ledger/ledger.db", p->state) <
		0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (ca_dir_path(p->d, "crl.pem", list, sizeof(list), f) < 0 ||
	    name_item(&dir, p->trust, "", f) < 0 || make_item(p, &dir, f) < 0 ||
	    ca_dir_chain(p->d, &chain, f) < 0 ||
	    cert_list_read_pem(&above, chain.data, chain.len, f) < 0)
		return -1;
	result = 0;
	for (size_t i = 0; i < above.count && result == 0; i++)
		result = make_anchor(p, above.cert[i], f);
	cert_list_free(&above);
	if (result < 0)
		return -1;
	printf("publishes  %s into %s\n", p->ca, p->trust);
	publish.operand = operand;
	/* A CA that came back from a backup has no list: one is made. */
	if (!is_there(list))
		publish.ledger = ledger;
	return p->args->dry_run ? 0 : ca_publish(&publish, f);
}

static int
make_files(const struct deploy *p, struct fault *f)
{
	OWN_BUF(conf, TEXT_MOST);
	OWN_BUF(profile, TEXT_MOST);
	static const struct buf empty;
	const struct {
		const char *dir;
		const char *name;
		mode_t mode;
		enum owner owner;
		const struct buf *data;
		bool keep;
		bool wanted;
	} items[] = {
		{ p->etc, "", 0755, OURS, NULL, true, true },
		{ p->etc, "/profiles", 0755, OURS, NULL, true, true },
		{ p->etc, "/profiles/slcs-user.profile", 0644, OURS, &profile,
		    false, true },
		{ p->etc, "/auth", 0700, OF_WORKER, NULL, true,
		    deploy_has_auth(p, "passwd") },
		{ p->etc, "/auth/passwd", 0600, OF_WORKER, &empty, true,
		    deploy_has_auth(p, "passwd") },
		{ p->state, "", 0755, OURS, NULL, true, true },
		{ p->state, "/ledger", 0700, OF_KEEPER, NULL, true, true },
		{ p->etc, "/signetd.conf", 0644, OURS, &conf, false, true },
	};

	if (deploy_conf(p, &conf, f) < 0 || deploy_profile(p, &profile, f) < 0)
		return -1;
	/* First look whether all of it can be: then nothing is half done. */
	for (int turn = 0; turn < 2; turn++)
		for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
			struct item item = { .mode = items[i].mode,
				.owner = items[i].owner,
				.data = items[i].data,
				.keep = items[i].keep };
			bool made;

			if (!items[i].wanted)
				continue;
			if (name_item(&item, items[i].dir, items[i].name, f) <
				0 ||
			    (turn == 0 ? check_item(&item, &made, f)
				       : make_item(p, &item, f)) < 0)
				return -1;
		}
	return 0;
}

/* signetd beside ourselves, in the build tree, or where PATH says. */
static int
find_signetd(char *path, struct fault *f)
{
	static const char *const places[] = { "signetd", "../signetd/signetd" };
	char self[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (len <= 0)
		return fault_set(f, FAULT_SYSTEM, "/proc/self/exe: %s",
		    strerror(errno));
	self[len] = '\0';
	if ((slash = strrchr(self, '/')) == NULL)
		return fault_set(f, FAULT_SYSTEM, "/proc/self/exe");
	slash[1] = '\0';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct stat st;

		if (text_fmt(path, PATH_MAX, "%s%s", self, places[i]) == 0 &&
		    stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
		    access(path, X_OK) == 0)
			return 0;
	}
	return fault_set(f, FAULT_ABSENT,
	    "signetd is not installed beside signet-ca: the site is made, and "
	    "unchecked");
}

/* signetd reads all of it, and says what is wrong itself. */
static int
check_site(const struct deploy *p, struct fault *f)
{
	char signetd[PATH_MAX], conf[PATH_MAX];
	char c[] = "-c", check[] = "--check";
	char *argv[] = { signetd, c, conf, check, NULL };
	pid_t pid;
	int status = 0;

	if (p->args->dry_run)
		return 0;
	if (text_fmt(conf, sizeof(conf), "%s/signetd.conf", p->etc) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (find_signetd(signetd, f) < 0)
		return -1;
	(void)fflush(stdout);
	if ((errno = posix_spawn(&pid, signetd, NULL, NULL, argv, environ)) !=
	    0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", signetd,
		    strerror(errno));
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return fault_set(f, FAULT_SYSTEM, "waitpid: %s",
			    strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		printf("checked    %s\n", conf);
		return 0;
	}
	return fault_set(f, FAULT_CONFIG,
	    "signetd does not accept %s: mend what it says and run this again",
	    conf);
}

int
deploy_do(const struct deploy *p, struct fault *f)
{
	if (check_accounts(p, f) < 0 || make_files(p, f) < 0 ||
	    make_ledger(p, f) < 0 || make_trust(p, f) < 0)
		return -1;
	return check_site(p, f);
}
