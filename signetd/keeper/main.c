/*
 * keeper: the ledger.  No network, one directory, one mouth to listen to.
 * What it has answered is on the disk.
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/keeper/batch.h"
#include "signetd/keeper/heads.h"
#include "signetd/keeper/lists.h"
#include "signetd/keeper/queue.h"
#include "signetd/keeper/requests.h"
#include "signetd/role.h"
#include "x509/ossl.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

struct keeper {
	struct ledger *ledger;
	struct books *books;
	struct batch *batch;
	struct lists *lists;
	struct queue *queue;
	struct heads *heads; /* NULL without a log key */
	struct requests requests;
	struct channel *issuer;
	struct channel *desk;
	char path[CONF_STRING_SIZE];
	char dir[CONF_STRING_SIZE];
};

static int
split_path(struct keeper *k, const char *path, struct fault *f)
{
	char *slash;

	memcpy(k->path, path, sizeof(k->path));
	memcpy(k->dir, path, sizeof(k->dir));
	if (*path != '/' || (slash = strrchr(k->dir, '/')) == k->dir)
		return fault_set(f, FAULT_CONFIG,
		    "ledger: \"%s\" is not the absolute path of a file in a "
		    "directory of its own",
		    path);
	*slash = '\0';
	return 0;
}

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	struct keeper *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return fault_set(f, FAULT_MEMORY, "keeper");
	role->state = k;
	if (split_path(k, role->conf.ledger, f) < 0 || ossl_start_alone(f) < 0)
		return -1;
	box->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(RPATH) |
	    SANDBOX_PROMISE(WPATH) | SANDBOX_PROMISE(SEALED);
	box->paths[0] = (struct sandbox_path){ k->dir, true };
	/* A limit on the size of files is a full disk: refused, not fatal. */
	(void)signal(SIGXFSZ, SIG_IGN);
	box->no_processes = true;
	return 0;
}

static struct wire_bytes
text_of(const struct role *role, size_t n, const char *part)
{
	char name[64];

	if (text_fmt(name, sizeof(name), "ca.%zu.%s", n, part) < 0)
		return (struct wire_bytes){ NULL, 0 };
	return role_text(role, name);
}

static struct books *
read_books(const struct role *role, struct fault *f)
{
	OWN_STRUCT(books) books = books_new(f);

	if (books == NULL)
		return NULL;
	for (size_t i = 0; i < role->conf.ca.count; i++)
		if (books_add(books, text_of(role, i, "conf"),
			text_of(role, i, "cert"), f) < 0)
			return NULL;
	if (books_count(books) == 0) {
		(void)fault_set(f, FAULT_CONFIG, "no ca is configured");
		return NULL;
	}
	return TAKE(books);
}

static void
say(void *arg, const struct msg *answer)
{
	struct role *role = arg;
	struct keeper *k = role->state;
	struct fault f = { 0 };
	struct channel *to =
	    msg_allowed(answer->type, MSG_ROLE_KEEPER, MSG_ROLE_DESK)
	    ? k->desk
	    : k->issuer;

	role->served++;
	/* An issuer that has gone takes us along; it says so itself. */
	if (to != NULL && channel_say(to, answer, &f) < 0 &&
	    f.code != FAULT_UNREACHABLE)
		log_fault(&f, NULL);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct role *role = arg;
	struct keeper *k = role->state;

	if (m->type == MSG_CRL_FILE) {
		lists_signed(k->lists, &m->crl_file, fd);
		return;
	}
	if (m->type == MSG_CA_SIGNS) {
		lists_can(k->lists, m->ca_signs.ca, m->ca_signs.ready != 0);
		return;
	}
	if (m->type == MSG_CRL_FAILED) {
		lists_failed(k->lists, &m->crl_failed);
		return;
	}
	/* What the office asks is a transaction of its own. */
	if (ch == k->desk || m->type == MSG_OFFICE_FIND) {
		batch_end(k->batch);
		(void)requests_take(&k->requests, m);
		return;
	}
	batch_take(k->batch, m);
}

static int
say_list(void *arg, const struct msg *m, int fd, struct fault *f)
{
	struct role *role = arg;
	struct keeper *k = role->state;

	if (m->type == MSG_LIST_MADE) {
		role_tell(role, m);
		return 0;
	}
	return channel_say_fd(k->issuer, m, fd, f);
}

/* All that had come while we were busy is in one transaction now. */
static void
heard_all(void *arg, struct channel *ch)
{
	struct keeper *k = arg;

	(void)ch;
	batch_end(k->batch);
}

static void
log_opened(const struct keeper *k, unsigned voided)
{
	LOG(LEDGER_OPENED, LOG_TEXT("path", k->path),
	    LOG_NUMBER("entries", ledger_entries(k->ledger)),
	    LOG_NUMBER("voided", voided));
}

/* The key is read once, at the start, and its text is wiped. */
static int
start_heads(struct role *role, struct fault *f)
{
	struct keeper *k = role->state;
	struct wire_bytes pem = role_text(role, "log.0.key");

	if (pem.data == NULL)
		return 0;
	k->heads = heads_new(role->loop, k->ledger, k->dir, pem,
	    role->conf.crl_interval, f);
	role_forget(role, "log.0.key");
	return k->heads == NULL ? -1 : 0;
}

static int
start(struct role *role, struct fault *f)
{
	struct keeper *k = role->state;
	unsigned voided = 0;

	if ((k->books = read_books(role, f)) == NULL ||
	    (k->ledger = ledger_open(k->path, &voided, f)) == NULL ||
	    ledger_claim(k->ledger, f) < 0)
		return -1;
	log_opened(k, voided);
	/* Without room it is slower, or refuses later with better reason. */
	if (ledger_make_room(k->ledger, f) < 0)
		LOG(LEDGER_FAULT, LOG_TEXT("text", f->text));
	k->requests = (struct requests){ k->ledger, k->books, say, role };
	k->batch = batch_new(k->ledger, k->books, say, role, f);
	k->lists = lists_new(role->loop, k->ledger, k->dir, say_list, role, f);
	k->queue = queue_new(role->loop, k->ledger, k->books, k->dir, f);
	if (k->batch == NULL || k->lists == NULL || k->queue == NULL)
		return -1;
	batch_set_renewal(k->batch, role->conf.renewal_limit);
	if (lists_set_books(k->lists, k->books, role->conf.crl_interval, f) < 0)
		return -1;
	return start_heads(role, f);
}

static int
reload(struct role *role, struct fault *f)
{
	struct keeper *k = role->state;
	struct books *fresh;

	if (strcmp(role->conf.ledger, k->path) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "the ledger stays where it is until a restart");
	if ((fresh = read_books(role, f)) == NULL)
		return -1;
	batch_end(k->batch);
	batch_set_books(k->batch, fresh);
	batch_set_renewal(k->batch, role->conf.renewal_limit);
	k->requests.books = fresh;
	queue_set_books(k->queue, fresh);
	if (lists_set_books(k->lists, fresh, role->conf.crl_interval, f) < 0)
		LOG(LEDGER_FAULT, LOG_TEXT("text", f->text));
	heads_set_interval(k->heads, role->conf.crl_interval);
	books_free(k->books);
	k->books = fresh;
	return 0;
}

/* It is started anew, and comes with a new channel. */
static void
desk_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct role *role = arg;
	struct keeper *k = role->state;

	(void)f;
	if (k->desk == ch)
		k->desk = NULL;
	channel_free(ch);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct keeper *k = role->state;

	if (text_starts(name, "desk.")) {
		k->desk =
		    role_channel(role, name, fd, heard, desk_gone, role, f);
		return k->desk != NULL ? 0 : -1;
	}
	if (k->issuer != NULL)
		return fault_set(f, FAULT_INTERNAL, "a second issuer");
	k->issuer = role_channel(role, name, fd, heard, NULL, role, f);
	if (k->issuer == NULL)
		return -1;
	channel_when_idle(k->issuer, heard_all, k);
	lists_start(k->lists);
	return 0;
}

/* The queue first: what it revokes is on the lists then. */
static void
heard_parent(struct role *role, const struct msg *m)
{
	struct keeper *k = role->state;

	if (m->type != MSG_LISTS_NOW)
		return;
	batch_end(k->batch);
	queue_run(k->queue);
	lists_now(k->lists);
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_KEEPER,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
		.heard = heard_parent,
	};

	return role_main(argc, argv, &spec);
}
