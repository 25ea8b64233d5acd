/*
 * worker: does for auth what takes long: password hashes, directories, map
 * files and programs.  One question at a time, from auth alone.  Of the
 * network it has what LDAP needs, and may run programs only if one is to find
 * subjects.
 */
#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "signetd/role.h"
#include "signetd/worker/work.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_MAX 1024
#define TEXT_SIZE 512

struct worker {
	struct role *role;
	struct work work;
	struct secret *ldap_password;
	struct channel *auth;
	char directory[2][PATH_MAX]; /* of the password and the map file */
};

static bool
asks_ldap(const struct signetd_conf *conf)
{
	return conf_list_has(&conf->auth, "ldap") ||
	    strcmp(conf->subject_from, "ldap") == 0;
}

static bool
runs_program(const struct signetd_conf *conf)
{
	return strcmp(conf->subject_from, "program") == 0;
}

/* Root's file, read while we may be root. */
static int
read_ldap_password(struct worker *w, struct fault *f)
{
	OWN_BUF(text, PASSWORD_MAX);
	const char *path = w->role->conf.ldap_search_password;
	size_t len;

	if (path[0] == '\0' || !asks_ldap(&w->role->conf))
		return 0;
	if (file_read_private(path, &text, f) < 0)
		return -1;
	for (len = 0; len < text.len && text.data[len] != '\n'; len++)
		continue;
	w->ldap_password = secret_copy(text.data, len, f);
	return w->ldap_password == NULL ? -1 : 0;
}

/* Files that are replaced when they change are found by their directory. */
static const char *
directory_of(char *directory, const char *path)
{
	char *slash;

	if (text_copy(directory, PATH_MAX, path) < 0 ||
	    (slash = strrchr(directory, '/')) == NULL)
		return path;
	slash[slash == directory ? 1 : 0] = '\0';
	return directory;
}

/* libldap or a program, TLS and the name service. */
static size_t
allow_network(struct sandbox *box, const struct signetd_conf *conf, size_t n)
{
	static const char *const files[] = { "/etc/resolv.conf", "/etc/hosts",
		"/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf",
		"/etc/ssl/certs", "/usr/share/ca-certificates" };

	box->promises |= SANDBOX_PROMISE(CONNECT) | SANDBOX_PROMISE(LIBRARIES);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		box->paths[n++].path = files[i];
	if (conf->ldap_ca_file[0] != '\0')
		box->paths[n++].path = conf->ldap_ca_file;
	return n;
}

/* What a script and its interpreter need; it inherits these walls. */
static size_t
allow_program(struct worker *w, struct sandbox *box, size_t n)
{
	box->promises |= SANDBOX_PROMISE(PROCESS);
	box->no_processes = false;
	box->paths[n++].path = w->role->conf.map_program;
	box->paths[n++].path = "/usr";
	box->paths[n++].path = "/lib";
	box->paths[n++].path = "/lib64";
	box->paths[n++].path = "/bin";
	box->paths[n++].path = "/etc/ld.so.cache";
	box->paths[n].path = "/dev/null";
	box->paths[n++].write = true;
	return n;
}

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	const struct signetd_conf *conf = &role->conf;
	struct worker *w = calloc(1, sizeof(*w));
	size_t n = 0;

	if (w == NULL)
		return fault_set(f, FAULT_MEMORY, "worker");
	role->state = w;
	w->role = role;
	box->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(RPATH);
	box->no_processes = true;
	/* No ldaprc of anybody's home may turn TLS off. */
	if (setenv("LDAPNOINIT", "1", 1) < 0)
		return fault_set(f, FAULT_MEMORY, "environment");
	if (conf_list_has(&conf->auth, "passwd"))
		box->paths[n++].path =
		    directory_of(w->directory[0], conf->passwd_file);
	if (strcmp(conf->subject_from, "mapfile") == 0)
		box->paths[n++].path =
		    directory_of(w->directory[1], conf->mapfile);
	if (asks_ldap(conf) ||
	    (runs_program(conf) && conf->map_program_network))
		n = allow_network(box, conf, n);
	if (runs_program(conf))
		n = allow_program(w, box, n);
	assert(n <= SANDBOX_PATHS_MAX);
	return read_ldap_password(w, f);
}

static int
start(struct role *role, struct fault *f)
{
	struct worker *w = role->state;

	(void)f;
	work_set(&w->work, &role->conf);
	w->work.ldap_password = w->ldap_password;
	return 0;
}

static int
reload(struct role *role, struct fault *f)
{
	struct worker *w = role->state;

	(void)f;
	work_set(&w->work, &role->conf);
	return 0;
}

/* For the operator; what kept us from finding out is a fault of the site's. */
static void
report(const struct msg_work_ask *ask, const struct fault *f)
{
	if (f->code == FAULT_LOGIN || f->code == FAULT_ABSENT)
		LOG(LOGIN_REASON, LOG_TEXT("ref", ask->ref),
		    LOG_TEXT("method", ask->method), LOG_TEXT("text", f->text));
	else
		log_fault(f, ask->ref);
}

static int
work(struct worker *w, const struct msg_work_ask *ask, char *text,
    struct fault *f)
{
	OWN_STRUCT(secret) phrase =
	    secret_copy(ask->passphrase.data, ask->passphrase.len, f);

	if (phrase == NULL)
		return -1;
	return work_do(&w->work, ask->method, ask->username, phrase, text,
	    TEXT_SIZE, f);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct worker *w = arg;
	struct msg answer = { .type = MSG_WORK_DONE };
	struct fault f = { 0 };
	int result;

	(void)fd;
	if (m->type != MSG_WORK_ASK)
		return;
	/* Whatever hangs, hangs no longer than this: the alarm ends the
	 * process, and the parent starts another. */
	(void)alarm((unsigned)w->role->conf.auth_timeout);
	result = work(w, &m->work_ask, answer.work_done.text, &f);
	(void)alarm(0);
	answer.work_done.id = m->work_ask.id;
	if (result < 0) {
		answer.work_done.fault = f.code;
		answer.work_done.text[0] = '\0';
		report(&m->work_ask, &f);
	}
	if (channel_say(ch, &answer, &f) < 0)
		log_fault(&f, NULL);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct worker *w = role->state;

	w->auth = role_channel(role, name, fd, heard, NULL, w, f);
	return w->auth == NULL ? -1 : 0;
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_WORKER,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
	};

	return role_main(argc, argv, &spec);
}
