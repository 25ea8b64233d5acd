#include "signetd/role.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/own.h"
#include "base/text.h"
#include "signetd/reach.h"

#include <sys/prctl.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARENT_FD 3
#define TEXTS_MAX 128
#define FDS_MAX 256
#define NAME_SIZE 64

struct named_text {
	char name[NAME_SIZE];
	struct buf data;
};

struct named_fd {
	char name[NAME_SIZE];
	int fd;
};

struct role_boot {
	struct named_text text[TEXTS_MAX];
	size_t texts;
	struct named_fd fd[FDS_MAX]; /* that came before start() */
	size_t fds;
	uint32_t generation;
	struct channel *parent;
	bool draining;
	bool failed; /* end with a status that says so */
};

/* A channel to another role, and who is to be told of its end. */
struct role_link {
	struct role_link *next;
	struct role *role;
	char name[NAME_SIZE];
	enum msg_role peer;
	channel_heard_fn *heard;
	channel_gone_fn *gone;
	void *arg;
};

static struct named_text *
find_text(struct role_boot *boot, const char *name)
{
	for (size_t i = 0; i < boot->texts; i++)
		if (strcmp(boot->text[i].name, name) == 0)
			return &boot->text[i];
	return NULL;
}

struct wire_bytes
role_text(const struct role *role, const char *name)
{
	struct named_text *t = find_text(role->boot, name);

	if (t == NULL)
		return (struct wire_bytes){ NULL, 0 };
	return (struct wire_bytes){ t->data.data, t->data.len };
}

void
role_forget(struct role *role, const char *name)
{
	struct named_text *t = find_text(role->boot, name);

	if (t != NULL)
		buf_free(&t->data);
}

static int
keep_text(struct role_boot *boot, const struct msg_boot_text *m,
    struct fault *f)
{
	struct named_text *t = find_text(boot, m->name);

	if (t == NULL) {
		if (boot->texts == TEXTS_MAX)
			return fault_set(f, FAULT_CONFIG, "too many files");
		t = &boot->text[boot->texts++];
		memcpy(t->name, m->name, sizeof(t->name));
		t->data = BUF(MSG_MAX_FRAME);
	}
	buf_clear(&t->data);
	buf_put(&t->data, m->data.data, m->data.len);
	if (buf_cstr(&t->data) == NULL)
		return fault_set(f, FAULT_MEMORY, "%s", m->name);
	return 0;
}

static int
keep_fd(struct role_boot *boot, const char name[NAME_SIZE], int fd,
    struct fault *f)
{
	struct named_fd *slot;

	if (fd < 0)
		return fault_set(f, FAULT_INTERNAL, "%s came without", name);
	if (boot->fds == FDS_MAX) {
		(void)close(fd);
		return fault_set(f, FAULT_CONFIG, "too many descriptors");
	}
	slot = &boot->fd[boot->fds++];
	memcpy(slot->name, name, sizeof(slot->name));
	slot->fd = fd;
	return 0;
}

/* Hear everything up to the first GO, before there is a loop. */
static int
hear_boot(struct role_boot *boot, enum msg_role self, struct fault *f)
{
	uint8_t *frame = calloc(1, MSG_MAX_FRAME);
	struct msg m;
	int fd = -1, result;

	if (frame == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for a message");
	do {
		result = channel_hear(PARENT_FD, self, MSG_ROLE_PARENT, frame,
		    &m, &fd, f);
		if (result == 0)
			result = fault_set(f, FAULT_FAILED, "no parent");
		else if (result > 0 && m.type == MSG_BOOT_TEXT)
			result = keep_text(boot, &m.boot_text, f);
		else if (result > 0 && m.type == MSG_BOOT_FD)
			result = keep_fd(boot, m.boot_fd.name, fd, f);
	} while (result >= 0 && m.type != MSG_BOOT_GO);
	boot->generation = result < 0 ? 0 : m.boot_go.generation;
	/* Keys have passed through here. */
	explicit_bzero(frame, MSG_MAX_FRAME);
	free(frame);
	return result < 0 ? -1 : 0;
}

static int
read_conf(struct role *role, struct signetd_conf *conf, struct fault *f)
{
	struct wire_bytes text = role_text(role, "conf");

	if (text.data == NULL)
		return fault_set(f, FAULT_CONFIG, "no configuration came");
	return conf_read(&signetd_schema, conf, (const char *)text.data,
	    text.len, f);
}

static const char *
user_of(const struct role *role)
{
	const char *const users[MSG_ROLE_COUNT] = {
		[MSG_ROLE_FRONT] = role->conf.user_front,
		[MSG_ROLE_AUTH] = role->conf.user_auth,
		[MSG_ROLE_WORKER] = role->conf.user_worker,
		[MSG_ROLE_PAM] = role->conf.user_pam,
		[MSG_ROLE_ISSUER] = role->conf.user_issuer,
		[MSG_ROLE_SIGNER] = role->conf.user_signer,
		[MSG_ROLE_KEEPER] = role->conf.user_keeper,
		[MSG_ROLE_DESK] = role->conf.user_desk,
		[MSG_ROLE_TOKEN] = role->conf.user_token,
		[MSG_ROLE_INTAKE] = role->conf.user_intake,
	};

	return users[role->spec->self];
}

static void
tell_shared(const char *dir)
{
	struct fault f = { 0 };

	(void)fault_set(&f, FAULT_CONFIG,
	    "trust-dir %s: if signet-trust keeps it, put it into a directory "
	    "of its own; beside other files of this user its successor is not "
	    "ours to read",
	    dir);
	log_fault(&f, NULL);
}

/* A role that reads the trust directory, reads its successors too. */
static void
follow_trust(const struct role *role, struct sandbox *box, char above[PATH_MAX])
{
	const char *dir = role->conf.trust_dir;
	enum reach reach;
	size_t n = 0;
	bool reads = false;

	while (n < SANDBOX_PATHS_MAX && box->paths[n].path != NULL)
		reads |= strcmp(box->paths[n++].path, dir) == 0;
	if (!reads || n + 1 >= SANDBOX_PATHS_MAX)
		return;
	reach = reach_successor(dir, box->uid != 0, above);
	if (reach == REACH_ABOVE)
		box->paths[n] = (struct sandbox_path){ above, false };
	else if (reach == REACH_SHARED)
		tell_shared(dir);
}

static int
raise_walls(struct role *role, struct fault *f)
{
	struct sandbox box = { 0 };
	char above[PATH_MAX];

	if (geteuid() == 0 &&
	    sandbox_user(user_of(role), &box.uid, &box.gid, f) < 0)
		return -1;
	box.log_only = strcmp(role->conf.seccomp, "log") == 0;
	if (role->spec->box(role, &box, f) < 0)
		return -1;
	follow_trust(role, &box, above);
	return sandbox_enter(&box, f);
}

void
role_tell(struct role *role, const struct msg *m)
{
	struct fault f = { 0 };

	if (channel_say(role->boot->parent, m, &f) < 0)
		loop_stop(role->loop);
}

static void
say_ready(struct role *role)
{
	struct msg m = { .type = MSG_BOOT_READY };

	m.boot_ready.generation = role->boot->generation;
	role_tell(role, &m);
}

static void
say_failed(struct role *role, const struct fault *f)
{
	struct msg m = { .type = MSG_BOOT_FAILED };

	m.boot_failed.fault = f->code;
	if (text_copy(m.boot_failed.text, sizeof(m.boot_failed.text), f->text) <
	    0)
		memcpy(m.boot_failed.text, "?", 2);
	role_tell(role, &m);
}

void
role_drained(struct role *role)
{
	struct msg m = { .type = MSG_DRAINED };

	if (!role->boot->draining)
		return;
	role->boot->draining = false;
	m.drained.served = role->served;
	role_tell(role, &m);
}

/* A new configuration is taken over only if the role can live with it. */
static void
reload(struct role *role, uint32_t generation)
{
	struct signetd_conf *fresh = malloc(sizeof(*fresh));
	struct fault f = { 0 };
	int result;

	if (fresh == NULL)
		return;
	role->boot->generation = generation;
	result = read_conf(role, fresh, &f);
	if (result == 0) {
		struct signetd_conf *old = malloc(sizeof(*old));

		if (old != NULL) {
			*old = role->conf;
			role->conf = *fresh;
			if (role->spec->reload != NULL)
				result = role->spec->reload(role, &f);
			if (result < 0)
				role->conf = *old;
		}
		free(old);
	}
	free(fresh);
	if (result < 0)
		say_failed(role, &f);
	else
		say_ready(role);
}

static void
drain(struct role *role)
{
	role->boot->draining = true;
	if (role->spec->drain == NULL)
		role_drained(role);
	else
		role->spec->drain(role);
}

static void
attach(struct role *role, const char *name, int fd)
{
	struct fault f = { 0 };

	if (fd < 0 || role->spec->attach == NULL ||
	    role->spec->attach(role, name, fd, &f) < 0) {
		(void)fault_wrap(&f, "attaching %s", name);
		log_fault(&f, NULL);
		role->boot->failed = true;
		loop_stop(role->loop);
	}
}

/* What a foreign library's thread opens meanwhile never becomes descriptor 2.
 */
static void
take_log(int fd)
{
	struct fault f = { 0 };

	if (fd < 0 || dup3(fd, STDERR_FILENO, 0) < 0) {
		(void)fault_set(&f, FAULT_SYSTEM, "the log opened anew: %s",
		    strerror(errno));
		log_fault(&f, NULL);
	}
	if (fd >= 0)
		(void)close(fd);
}

static void
heard_parent(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct role *role = arg;
	struct fault f = { 0 };

	(void)ch;
	if (m->type == MSG_BOOT_TEXT) {
		if (keep_text(role->boot, &m->boot_text, &f) < 0)
			say_failed(role, &f);
	} else if (m->type == MSG_BOOT_FD &&
	    strcmp(m->boot_fd.name, ROLE_LOG_FD) == 0) {
		take_log(fd);
	} else if (m->type == MSG_BOOT_FD) {
		attach(role, m->boot_fd.name, fd);
	} else if (m->type == MSG_BOOT_GO) {
		reload(role, m->boot_go.generation);
	} else if (m->type == MSG_DRAIN) {
		drain(role);
	} else if (role->spec->heard != NULL) {
		role->spec->heard(role, m);
	}
}

static void
parent_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct role *role = arg;

	(void)ch;
	(void)f;
	/* No parent, no daemon: whoever stays would be alone. */
	loop_stop(role->loop);
}

static void
link_heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct role_link *link = arg;

	link->heard(link->arg, ch, m, fd);
}

/* These are started anew when they die; without one of the others there is
 * nothing left to do. */
static bool
is_replaceable(enum msg_role peer)
{
	return peer == MSG_ROLE_FRONT || peer == MSG_ROLE_WORKER ||
	    peer == MSG_ROLE_PAM || peer == MSG_ROLE_DESK ||
	    peer == MSG_ROLE_TOKEN || peer == MSG_ROLE_INTAKE;
}

static void
link_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct role_link *link = arg;
	struct role *role = link->role;

	if (f != NULL)
		LOG(ROLE_REFUSED, LOG_TEXT("role", link->name),
		    LOG_TEXT("text", f->text));
	if (link->gone != NULL)
		link->gone(link->arg, ch, f);
	if (!is_replaceable(link->peer)) {
		role->boot->failed = f != NULL;
		loop_stop(role->loop);
	}
}

static int
role_named(const char *name, enum msg_role *role, struct fault *f)
{
	size_t len = strcspn(name, ".");

	for (int r = 0; r < MSG_ROLE_COUNT; r++) {
		const char *known = msg_role_name((enum msg_role)r);

		if (strlen(known) == len && memcmp(known, name, len) == 0) {
			*role = (enum msg_role)r;
			return 0;
		}
	}
	return fault_set(f, FAULT_INTERNAL, "no role is called %s", name);
}

struct channel *
role_channel(struct role *role, const char *name, int fd,
    channel_heard_fn *heard, channel_gone_fn *gone, void *arg, struct fault *f)
{
	/* Lives as long as the process: a daemon has few, and a channel that is
	 * freed inside its own handler must not take this along. */
	struct role_link *link = calloc(1, sizeof(*link));
	struct channel *ch;

	if (link == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for a channel");
		return NULL;
	}
	link->role = role;
	link->heard = heard;
	link->gone = gone;
	link->arg = arg;
	if (text_copy(link->name, sizeof(link->name), name) < 0 ||
	    role_named(name, &link->peer, f) < 0) {
		free(link);
		return NULL;
	}
	ch = channel_new(role->loop, fd, role->spec->self, link->peer,
	    link_heard, link_gone, link, f);
	if (ch == NULL) {
		free(link);
		return NULL;
	}
	channel_gather(ch, role->gathers);
	link->next = role->links;
	role->links = link;
	return ch;
}

void
role_links_free(struct role *role)
{
	while (role->links != NULL) {
		struct role_link *link = role->links;

		role->links = link->next;
		free(link);
	}
}

/* Everything between the walls and the first work. */
static int
begin(struct role *role, struct fault *f)
{
	struct role_boot *boot = role->boot;

	if ((role->loop = loop_new(f)) == NULL)
		return -1;
	role->gathers = true;
	boot->parent = channel_new(role->loop, PARENT_FD, role->spec->self,
	    MSG_ROLE_PARENT, heard_parent, parent_gone, role, f);
	if (boot->parent == NULL)
		return -1;
	if (role->spec->start != NULL && role->spec->start(role, f) < 0) {
		say_failed(role, f);
		return -1;
	}
	for (size_t i = 0; i < boot->fds; i++)
		attach(role, boot->fd[i].name, boot->fd[i].fd);
	say_ready(role);
	return 0;
}

static void
forget_all(struct role_boot *boot)
{
	for (size_t i = 0; i < boot->texts; i++)
		buf_free(&boot->text[i].data);
	channel_free(boot->parent);
	free(boot);
}

static int
run(struct role *role, struct fault *f)
{
	if (hear_boot(role->boot, role->spec->self, f) < 0 ||
	    read_conf(role, &role->conf, f) < 0)
		return -1;
	log_open(msg_role_name(role->spec->self), (int)role->conf.log_level);
	if (raise_walls(role, f) < 0 || begin(role, f) < 0)
		return -1;
	return loop_run(role->loop, f);
}

int
role_main(int argc, char **argv, const struct role_spec *spec)
{
	struct role *role = calloc(1, sizeof(*role));
	struct fault f = { 0 };
	int result;

	(void)argv;
	if (role == NULL ||
	    (role->boot = calloc(1, sizeof(*role->boot))) == NULL)
		return 1;
	/* Nobody but the parent starts a role; say so to whoever tries. */
	if (argc > 1 || fcntl(PARENT_FD, F_GETFD) < 0) {
		fprintf(stderr, "This is a part of signetd; run signetd.\n");
		free(role->boot);
		free(role);
		return 2;
	}
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* A terminal's Ctrl-C, and a service manager's end for the whole group,
	 * go to the parent too, who decides. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR1, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	log_open(msg_role_name(spec->self), 6);
	role->spec = spec;
	if ((result = run(role, &f)) < 0)
		log_fault(&f, NULL);
	else if (role->boot->failed)
		result = -1;
	forget_all(role->boot);
	/* The loop and the role's state point at one another; the end of the
	 * process frees them both. */
	_exit(result < 0 ? 1 : 0);
}
