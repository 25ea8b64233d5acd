#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/own.h"
#include "base/text.h"
#include "signetd/parent/rehearse.h"
#include "sys/sandbox.h"
#include "token/token_elf.h"
#include "token/token_module.h"
#include "x509/authority.h"

#include <sys/stat.h>

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CREDENTIAL "credential:"
#define WRITABLE "rw "

/* What a module has, and the largest that is looked at. */
#define MODULE_ENTRY "C_GetFunctionList"
#define MODULE_MAX (1 << 28)

static int
wrong(struct fault *f, const char *keyword, const char *value, const char *why)
{
	return fault_set(f, FAULT_CONFIG, "%s %s: %s", keyword, value, why);
}

/* ---- settings alone */

static int
check_pin_from(const char *from, struct fault *f)
{
	if (strcmp(from, "console") == 0 || strcmp(from, "terminal") == 0)
		return 0;
	if (text_starts(from, CREDENTIAL) && from[strlen(CREDENTIAL)] != '\0' &&
	    strchr(from, '/') == NULL)
		return 0;
	return wrong(f, "pin-from", from,
	    "not console, terminal or credential:NAME");
}

static int
check_preset(const struct signetd_conf *c, struct fault *f)
{
	static const char *const presets[] = { "softhsm", "pcsc", "network",
		"custom" };
	bool known = false;

	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++)
		known = known || strcmp(c->token_preset, presets[i]) == 0;
	if (!known)
		return wrong(f, "token-preset", c->token_preset,
		    "not softhsm, pcsc, network or custom");
	for (size_t i = 0; i < c->token_path.count; i++) {
		const char *path = c->token_path.item[i];

		if (path[text_starts(path, WRITABLE) ? strlen(WRITABLE) : 0] !=
		    '/')
			return wrong(f, "token-path", path,
			    "not \"PATH\" or \"rw PATH\" with an absolute "
			    "path");
	}
	return 0;
}

static int
check_absolute(const char *keyword, const char *path, struct fault *f)
{
	if (*path == '\0' || *path == '/')
		return 0;
	return wrong(f, keyword, path, "not an absolute path");
}

static int
check_issue(const struct signetd_conf *c, struct fault *f)
{
	if (check_absolute("issue-socket", c->issue_socket, f) < 0 ||
	    check_absolute("issue-directory", c->issue_directory, f) < 0)
		return -1;
	if (gather_has_intake(c) && c->issue_from.count == 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s needs issue-from: whose requests are heard",
		    *c->issue_socket != '\0' ? "issue-socket"
					     : "issue-directory");
	if (*c->issue_directory != '\0' && strcmp(c->issue_directory, "/") == 0)
		return wrong(f, "issue-directory", c->issue_directory,
		    "not a directory of its own");
	return 0;
}

int
rehearse_token_settings(const struct signetd_conf *c, struct fault *f)
{
	if (check_pin_from(c->pin_from, f) < 0 || check_preset(c, f) < 0 ||
	    check_absolute("token-hook", c->token_hook, f) < 0 ||
	    check_absolute("crl-hook", c->crl_hook, f) < 0)
		return -1;
	return check_issue(c, f);
}

/* ---- users, which matter to root only */

struct user {
	const char *keyword;
	const char *name; /* "": not needed here */
	uid_t uid;
};

/* Those whom the new ones must not be: whoever is one of them could reach what
 * that one holds. */
static size_t
list_users(const struct gather *g, struct user *u)
{
	const struct signetd_conf *c = &g->conf;
	const bool auth = gather_has_auth(c);
	const bool hooks = *c->token_hook != '\0' || *c->crl_hook != '\0';
	const struct user all[] = {
		{ "user-signer", c->user_signer, 0 },
		{ "user-issuer", c->user_issuer, 0 },
		{ "user-keeper", c->user_keeper, 0 },
		{ "user-front", c->logins ? c->user_front : "", 0 },
		{ "user-auth", auth ? c->user_auth : "", 0 },
		{ "user-desk", *c->office_staff != '\0' ? c->user_desk : "",
		    0 },
		{ "user-token", gather_has_token(g) ? c->user_token : "", 0 },
		{ "user-intake", gather_has_intake(c) ? c->user_intake : "",
		    0 },
		{ "user-hook", hooks ? c->user_hook : "", 0 },
	};

	memcpy(u, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

/* Callers are nobody of ours: a fallen front would be a caller. */
static int
check_callers(const struct gather *g, const struct user *u, size_t count,
    struct fault *f)
{
	const conf_list *from = &g->conf.issue_from;
	uid_t uid;
	gid_t gid;

	for (size_t n = 0; gather_has_intake(&g->conf) && n < from->count;
	     n++) {
		if (sandbox_user(from->item[n], &uid, &gid, f) < 0)
			return fault_wrap(f, "issue-from");
		for (size_t i = 0; i < count; i++)
			if (*u[i].name != '\0' && u[i].uid == uid)
				return fault_set(f, FAULT_CONFIG,
				    "issue-from %s is %s too", from->item[n],
				    u[i].keyword);
	}
	return 0;
}

static int
check_users(const struct gather *g, struct fault *f)
{
	struct user u[16];
	const size_t count = list_users(g, u);
	gid_t gid;

	for (size_t i = 0; i < count; i++) {
		if (*u[i].name == '\0')
			continue;
		if (sandbox_user(u[i].name, &u[i].uid, &gid, f) < 0)
			return fault_wrap(f, "%s", u[i].keyword);
		if (u[i].uid == 0)
			return wrong(f, u[i].keyword, u[i].name,
			    "must not be root");
		for (size_t j = 0; j < i; j++)
			if (*u[j].name != '\0' && u[j].uid == u[i].uid)
				return fault_set(f, FAULT_CONFIG,
				    "%s and %s are one user", u[j].keyword,
				    u[i].keyword);
	}
	return check_callers(g, u, count, f);
}

/* ---- files */

static bool
may_run(const struct stat *st, uid_t uid, gid_t gid)
{
	if (st->st_uid == uid)
		return (st->st_mode & S_IXUSR) != 0;
	if (st->st_gid == gid)
		return (st->st_mode & S_IXGRP) != 0;
	return (st->st_mode & S_IXOTH) != 0;
}

/* Who can put another in its place has what the hook is told, and its user. */
static int
check_above(const char *keyword, const char *path, struct fault *f)
{
	OWN(char) whole = realpath(path, NULL);
	bool nearest = true;
	struct stat st;

	if (whole == NULL)
		return wrong(f, keyword, path, strerror(errno));
	for (char *at = dirname(whole);; at = dirname(at)) {
		if (stat(at, &st) < 0)
			return wrong(f, keyword, path, strerror(errno));
		/* Above its own, nobody renames what is another's in one that
		 * is sticky. */
		if ((st.st_mode & S_IWOTH) != 0 &&
		    (nearest || (st.st_mode & S_ISVTX) == 0))
			return fault_set(f, FAULT_CONFIG,
			    "%s %s: everybody may write into %s", keyword, path,
			    at);
		if (strcmp(at, "/") == 0)
			return 0;
		nearest = false;
	}
}

static int
check_hook(const char *keyword, const char *path, const char *user,
    struct fault *f)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct stat st;

	if (*path == '\0')
		return 0;
	if (stat(path, &st) < 0)
		return wrong(f, keyword, path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return wrong(f, keyword, path, "not a file");
	if ((st.st_mode & S_IWOTH) != 0)
		return wrong(f, keyword, path, "everybody may write to it");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return wrong(f, keyword, path,
		    geteuid() == 0 ? "it is not root's"
				   : "it is neither root's nor this user's");
	if (check_above(keyword, path, f) < 0)
		return -1;
	if (uid == 0 && sandbox_user(user, &uid, &gid, f) < 0)
		return fault_wrap(f, "user-hook");
	if (!may_run(&st, uid, gid))
		return fault_set(f, FAULT_CONFIG,
		    "%s %s: user %s may not run it", keyword, path,
		    geteuid() == 0 ? user : "of this process");
	return 0;
}

/* Who can change it, or what is above it, is in the process that has the PIN.
 */
static int
check_place(const char *path, struct fault *f)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return fault_set(f, FAULT_CONFIG, "%s: %s", path,
		    strerror(errno));
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return fault_set(f, FAULT_CONFIG, "%s is not root's", path);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0 &&
	    !(S_ISDIR(st.st_mode) && (st.st_mode & S_ISVTX) != 0))
		return fault_set(f, FAULT_CONFIG,
		    "others may write to %s: chmod go-w %s", path, path);
	return 0;
}

/* It is not loaded here, where it would be root: what it answers when it is
 * asked for its functions is known to the process that may. */
static int
check_shared_object(const char *path, struct fault *f)
{
	OWN_BUF(file, MODULE_MAX);
	enum token_elf found;

	if (file_read(path, &file, f) < 0) {
		f->code = FAULT_CONFIG;
		return -1;
	}
	found = token_elf_exports((struct wire_bytes){ file.data, file.len },
	    MODULE_ENTRY);
	if (found == TOKEN_ELF_NONE)
		return fault_set(f, FAULT_CONFIG,
		    "%s is not a shared object that could be loaded here: it "
		    "is no PKCS#11 module",
		    path);
	if (found == TOKEN_ELF_LACKS)
		return fault_set(f, FAULT_CONFIG,
		    "%s does not export " MODULE_ENTRY
		    ": it is no PKCS#11 module",
		    path);
	return 0;
}

int
rehearse_module(const char *path, struct fault *f)
{
	OWN(char) whole = realpath(path, NULL);
	struct stat st;

	if (whole == NULL)
		return fault_set(f, FAULT_CONFIG, "%s: %s", path,
		    strerror(errno));
	if (stat(whole, &st) < 0 || !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_CONFIG, "%s is not a file", whole);
	if (check_shared_object(whole, f) < 0)
		return -1;
	for (char *at = whole;; at = dirname(at)) {
		if (check_place(at, f) < 0)
			return -1;
		if (strcmp(at, "/") == 0)
			return 0;
	}
}

int
rehearse_token_module(const struct authority_conf *a, char path[256],
    struct fault *f)
{
	struct token_uri uri;

	if (token_uri_read_named(&uri, a->key, a->key_module, f) < 0)
		return fault_wrap(f, "key");
	if (token_module_find(&uri, path, f) < 0)
		return -1;
	return rehearse_module(path, f);
}

int
rehearse_tokens(const struct gather *g, struct fault *f)
{
	const struct signetd_conf *c = &g->conf;

	if (check_hook("token-hook", c->token_hook, c->user_hook, f) < 0 ||
	    check_hook("crl-hook", c->crl_hook, c->user_hook, f) < 0)
		return -1;
	return geteuid() == 0 ? check_users(g, f) : 0;
}
