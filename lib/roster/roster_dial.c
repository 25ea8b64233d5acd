#include "roster/roster_dial.h"

#include "base/file.h"
#include "base/secret.h"
#include "ldap/dial.h"

#include <sys/eventfd.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PASSWORD_MAX 1024
#define CONNECT_S 10
/* What one message of a server may hold: an entry with its values, or a group
 * with four million members. */
#define MESSAGE_MAX (16u << 20)
#define GROUP_MESSAGE_MAX (512u << 20)

struct roster_dial {
	struct roster_source_conf conf; /* its texts are ours */
	char *uri;
	int fd;
	pthread_mutex_t lock;
	int holders; /* of this struct: the caller and the thread */
	bool done;
	LDAP *ld;
	struct fault fault;
};

static void
free_dial(struct roster_dial *d)
{
	if (d->ld != NULL)
		own_ldap_close(d->ld);
	if (d->fd >= 0)
		(void)close(d->fd);
	(void)pthread_mutex_destroy(&d->lock);
	free(d->uri);
	free((char *)(uintptr_t)d->conf.ca_file);
	free((char *)(uintptr_t)d->conf.bind_dn);
	free((char *)(uintptr_t)d->conf.password_file);
	free(d);
}

static void
let_go(struct roster_dial *d)
{
	bool last;

	(void)pthread_mutex_lock(&d->lock);
	last = --d->holders == 0;
	(void)pthread_mutex_unlock(&d->lock);
	if (last)
		free_dial(d);
}

static struct secret *
read_password(const char *path, struct fault *f)
{
	OWN_BUF(text, PASSWORD_MAX);

	if (path == NULL || file_read_private(path, &text, f) < 0)
		return NULL;
	/* The end of the line is not part of it. */
	while (text.len > 0 &&
	    (text.data[text.len - 1] == '\n' ||
		text.data[text.len - 1] == '\r'))
		text.len--;
	return secret_copy(text.data, text.len, f);
}

/*
 * libldap reads each message in two pieces and asks the kernel before each
 * whether there is one.  With a buffer below, a million entries cost a
 * hundredth of these calls.
 */
static int
widen(LDAP *ld, bool groups, struct fault *f)
{
	Sockbuf *sb = NULL;
	ber_len_t most = groups ? GROUP_MESSAGE_MAX : MESSAGE_MAX;
	int ahead = 1 << 17;

	if (ldap_get_option(ld, LDAP_OPT_SOCKBUF, &sb) != LDAP_SUCCESS ||
	    sb == NULL ||
	    ber_sockbuf_add_io(sb, &ber_sockbuf_io_readahead,
		LBER_SBIOD_LEVEL_PROVIDER, &ahead) != 0 ||
	    ber_sockbuf_ctrl(sb, LBER_SB_OPT_SET_MAX_INCOMING, &most) < 0)
		return fault_set(f, FAULT_SYSTEM,
		    "a buffer for the connection");
	return 0;
}

LDAP *
roster_dial_now(const struct roster_source_conf *conf, const char *uri,
    struct fault *f)
{
	OWN_STRUCT(secret) password = NULL;
	OWN(LDAP) ld = NULL;
	struct dial dial = { .uri = uri,
		.start_tls = conf->start_tls,
		.plain = conf->plain,
		.ca_file = conf->ca_file,
		.timeout_s = conf->connect_s > 0 ? conf->connect_s : CONNECT_S,
		.bind = conf->bind == ROSTER_BIND_GSSAPI ? DIAL_GSSAPI
		    : conf->bind == ROSTER_BIND_SIMPLE	 ? DIAL_SIMPLE
							 : DIAL_ANONYMOUS,
		.bind_dn = conf->bind_dn };

	if (conf->bind == ROSTER_BIND_SIMPLE &&
	    (password = read_password(conf->password_file, f)) == NULL)
		return NULL;
	dial.password = password;
	if ((ld = dial_open(&dial, f)) == NULL ||
	    widen(ld, conf->groups == ROSTER_GROUPS_MEMBER, f) < 0)
		return NULL;
	return TAKE(ld);
}

static void *
run(void *arg)
{
	struct roster_dial *d = arg;
	struct fault f = { 0 };
	LDAP *ld = roster_dial_now(&d->conf, d->uri, &f);
	uint64_t one = 1;

	(void)pthread_mutex_lock(&d->lock);
	d->ld = ld;
	d->fault = f;
	d->done = true;
	(void)pthread_mutex_unlock(&d->lock);
	if (write(d->fd, &one, sizeof(one)) != (ssize_t)sizeof(one))
		abort(); /* an eventfd takes eight bytes once */
	let_go(d);
	return NULL;
}

static int
copy(const char **to, const char *from)
{
	*to = from == NULL ? NULL : strdup(from);
	return from != NULL && *to == NULL ? -1 : 0;
}

/* A thread that no signal is sent to, and that nobody waits for. */
static int
start(struct roster_dial *d)
{
	sigset_t all, before;
	pthread_t thread;
	int result;

	(void)sigfillset(&all);
	if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
		return -1;
	result = pthread_create(&thread, NULL, run, d);
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (result != 0)
		return -1;
	(void)pthread_detach(thread);
	return 0;
}

struct roster_dial *
roster_dial_begin(const struct roster_source_conf *conf, const char *uri,
    struct fault *f)
{
	struct roster_dial *d = calloc(1, sizeof(*d));

	if (d == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a connection");
		return NULL;
	}
	d->conf = *conf;
	d->holders = 2;
	(void)pthread_mutex_init(&d->lock, NULL);
	d->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	d->conf.ca_file = d->conf.bind_dn = d->conf.password_file = NULL;
	d->uri = strdup(uri);
	if (d->fd < 0 || d->uri == NULL ||
	    copy(&d->conf.ca_file, conf->ca_file) < 0 ||
	    copy(&d->conf.bind_dn, conf->bind_dn) < 0 ||
	    copy(&d->conf.password_file, conf->password_file) < 0 ||
	    start(d) < 0) {
		free_dial(d);
		(void)fault_set(f, FAULT_SYSTEM,
		    "no thread to connect to a directory in");
		return NULL;
	}
	return d;
}

int
roster_dial_fd(const struct roster_dial *d)
{
	return d->fd;
}

int
roster_dial_done(struct roster_dial *d, LDAP **ld, struct fault *f)
{
	int result = 0;

	(void)pthread_mutex_lock(&d->lock);
	if (d->done && d->ld == NULL) {
		*f = d->fault;
		result = -1;
	} else if (d->done) {
		*ld = TAKE(d->ld);
		result = 1;
	}
	(void)pthread_mutex_unlock(&d->lock);
	return result;
}

void
roster_dial_end(struct roster_dial *d)
{
	if (d != NULL)
		let_go(d);
}
