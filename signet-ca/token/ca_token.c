#include "ca_token.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "ca_token_talk.h"
#include "sys/ask.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SELF "/proc/self/exe"
#define LIMIT_S 30
#define MAKING_S 600 /* RSA of 4096 bits, by a card */
#define LIMIT_MOST_S 3600
#define SPKI_MAX 1024
#define END_MS 1000

struct ca_token {
	int fd; /* -1: the process has gone */
	pid_t pid;
	int64_t limit_ms;
	struct ca_token_info info;
	struct buf spki; /* of the key that was logged in to */
	uint8_t room[TALK_MAX];
};

/* In the new process, before it is ours again: only what is safe there. */
static void
become_server(int fd)
{
	char name[] = CA_TOKEN_SERVER;
	char *const argv[] = { name, NULL };

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (dup2(fd, CA_TOKEN_FD) < 0 ||
	    close_range(CA_TOKEN_FD + 1, ~0U, 0) < 0)
		_exit(127);
	(void)execv(SELF, argv);
	_exit(127);
}

static int
start(struct ca_token *t, struct fault *f)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return fault_set(f, FAULT_SYSTEM, "socketpair: %s",
		    strerror(errno));
	t->pid = fork();
	if (t->pid == 0) {
		/* Of the same number, dup2 would leave it to be closed. */
		(void)close(pair[0]);
		if (pair[1] == CA_TOKEN_FD)
			pair[1] = dup(pair[1]);
		become_server(pair[1]);
	}
	(void)close(pair[1]);
	if (t->pid < 0) {
		(void)close(pair[0]);
		return fault_set(f, FAULT_SYSTEM, "fork: %s", strerror(errno));
	}
	t->fd = pair[0];
	return 0;
}

/* Whether it has ended by itself, within a second. */
static bool
has_ended(struct ca_token *t, int *status)
{
	int64_t until = clock_mono() + END_MS;

	for (;;) {
		pid_t pid = waitpid(t->pid, status, WNOHANG);

		if (pid == t->pid)
			return true;
		if (clock_mono() > until || (pid < 0 && errno != EINTR))
			return false;
		(void)poll(NULL, 0, 5);
	}
}

/* End the process, whatever it does; its status. */
static int
stop(struct ca_token *t, bool at_once)
{
	int status = 0;

	if (t->fd >= 0)
		(void)close(t->fd);
	t->fd = -1;
	if (t->pid <= 0)
		return 0;
	if (at_once || !has_ended(t, &status)) {
		(void)kill(t->pid, SIGKILL);
		while (waitpid(t->pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	t->pid = 0;
	return status;
}

static int
tell_end(struct ca_token *t, struct fault *f)
{
	int status = stop(t, false);

	if (WIFSIGNALED(status))
		return fault_set(f, FAULT_SYSTEM,
		    "the token's PKCS#11 module crashed (signal %d, %s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	return fault_set(f, FAULT_SYSTEM,
	    "the process of the token's PKCS#11 module ended (status %d)",
	    WEXITSTATUS(status));
}

/* Wait until it has something to say. */
static int
await(struct ca_token *t, int64_t limit_ms, struct fault *f)
{
	int64_t until = clock_mono() + limit_ms;
	struct pollfd p = { .fd = t->fd, .events = POLLIN };
	int ready;

	do {
		int64_t left = until - clock_mono();

		ready = left <= 0 ? 0 : poll(&p, 1, (int)left);
	} while (ready < 0 && errno == EINTR);
	if (ready > 0)
		return 0;
	if (ready < 0)
		return fault_set(f, FAULT_SYSTEM, "poll: %s", strerror(errno));
	(void)stop(t, true);
	return fault_set(f, FAULT_TIMEOUT,
	    "the token's PKCS#11 module did not come back within %lld seconds",
	    (long long)(limit_ms / 1000));
}

/* Ask, and wait for the answer: 0 whatever it says; it is in ${a}. */
static int
converse(struct ca_token *t, enum talk_verb verb, struct wire_bytes data,
    struct talk_answer *a, struct fault *f)
{
	int64_t limit_ms = t->limit_ms;
	uint8_t answered = TALK_COUNT;
	size_t len = 0;
	int heard;

	if (t->fd < 0)
		return fault_set(f, FAULT_SUSPENDED,
		    "the token's PKCS#11 module has ended");
	if (verb == TALK_MAKE && limit_ms < (int64_t)1000 * MAKING_S)
		limit_ms = (int64_t)1000 * MAKING_S;
	if (talk_ask(t->fd, verb, data, f) < 0) {
		(void)stop(t, true);
		return -1;
	}
	if (await(t, limit_ms, f) < 0 ||
	    (heard = talk_hear(t->fd, &answered, t->room, sizeof(t->room), &len,
		 f)) < 0)
		return -1;
	if (heard == 0)
		return tell_end(t, f);
	if (answered != verb ||
	    talk_read(a, (struct wire_bytes){ t->room, len }, f) < 0) {
		(void)stop(t, true);
		return fault_set(f, FAULT_INTERNAL,
		    "the process of the token's module talks nonsense");
	}
	t->info = a->info;
	return 0;
}

/* What it answered is what we say. */
static int
repeat(const struct talk_answer *a, struct fault *f)
{
	return a->code == FAULT_NONE ? 0 : fault_set(f, a->code, "%s", a->text);
}

static int
ask(struct ca_token *t, enum talk_verb verb, struct wire_bytes data,
    struct buf *out, struct fault *f)
{
	struct talk_answer a;

	if (converse(t, verb, data, &a, f) < 0 || repeat(&a, f) < 0)
		return -1;
	if (out == NULL)
		return 0;
	buf_put(out, a.data.data, a.data.len);
	return out->failed ? fault_set(f, FAULT_MEMORY, "token") : 0;
}

static int
read_limit(struct ca_token *t, struct fault *f)
{
	const char *text = getenv("SIGNET_TOKEN_TIMEOUT");
	int64_t seconds = LIMIT_S;

	if (text != NULL && text_number(text, 1, LIMIT_MOST_S, &seconds) < 0)
		return fault_set(f, FAULT_USAGE,
		    "SIGNET_TOKEN_TIMEOUT is a number of seconds, 1 to %d",
		    LIMIT_MOST_S);
	t->limit_ms = 1000 * seconds;
	return 0;
}

struct ca_token *
ca_token_open(const struct token_uri *which, struct fault *f)
{
	OWN_STRUCT(ca_token) t = calloc(1, sizeof(*t));
	OWN_BUF(uri, TOKEN_URI_MAX);

	if (t == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "token");
		return NULL;
	}
	t->fd = -1;
	t->spki = BUF(SPKI_MAX);
	token_uri_write(which, &uri);
	if (uri.failed) {
		(void)fault_set(f, FAULT_CONFIG, "the token's URI is too long");
		return NULL;
	}
	if (read_limit(t, f) < 0 || start(t, f) < 0 ||
	    ask(t, TALK_OPEN, (struct wire_bytes){ uri.data, uri.len }, NULL,
		f) < 0) {
		(void)fault_wrap(f, "token");
		return NULL;
	}
	return TAKE(t);
}

void
ca_token_close(struct ca_token *t)
{
	if (t == NULL)
		return;
	/* A module may hang in its end, too. */
	(void)stop(t, false);
	buf_free(&t->spki);
	free(t);
}

const struct ca_token_info *
ca_token_info(const struct ca_token *t)
{
	return &t->info;
}

/* What is asked in vain is not asked. */
static int
check_tries(const struct ca_token *t, struct fault *f)
{
	if (t->info.pin_locked)
		return fault_set(f, FAULT_DENIED,
		    "the token \"%s\" is locked: its security officer must "
		    "unlock it",
		    t->info.label);
	if (t->info.pin_final)
		return fault_set(f, FAULT_DENIED,
		    "the token \"%s\" has one try left, which is not used "
		    "here: log in with its own tools first",
		    t->info.label);
	return 0;
}

int
ca_token_give(struct ca_token *t, const struct secret *pin, bool keep,
    struct fault *f)
{
	return ask(t, keep ? TALK_PIN_KEEP : TALK_PIN,
	    (struct wire_bytes){
		(const uint8_t *)secret_text(pin), secret_len(pin) },
	    NULL, f);
}

int
ca_token_ask(struct ca_token *t, const char *what, bool keep, struct fault *f)
{
	const struct ca_token_info *info = &t->info;
	OWN_STRUCT(secret) pin = NULL;
	char prompt[512];

	if (check_tries(t, f) < 0)
		return -1;
	if (text_fmt(prompt, sizeof(prompt),
		"%sPIN of the token \"%s\" (%s, serial %s), for %s%s: ",
		info->pin_low ? "A wrong PIN was given before.\n" : "",
		info->label, info->model, info->serial, what,
		info->pin_pad ? " (empty: at the reader)" : "") < 0)
		return fault_set(f, FAULT_USAGE, "name too long");
	if ((pin = ask_secret(prompt, f)) == NULL)
		return fault_wrap(f, "PIN");
	if (secret_len(pin) == 0 && info->pin_pad)
		return ask(t, TALK_PAD, (struct wire_bytes){ NULL, 0 }, NULL,
		    f);
	if (secret_len(pin) == 0)
		return fault_set(f, FAULT_LOGIN, "no PIN: nothing was tried");
	return ca_token_give(t, pin, keep, f);
}

int
ca_token_login(struct ca_token *t, const struct spki *ca, struct fault *f)
{
	buf_clear(&t->spki);
	if (ask(t, TALK_LOGIN, ca->der, NULL, f) < 0)
		return fault_wrap(f, "token \"%s\"", t->info.label);
	buf_put(&t->spki, ca->der.data, ca->der.len);
	return t->spki.failed ? fault_set(f, FAULT_MEMORY, "token") : 0;
}

/* A key_sign_fn. */
static int
sign(void *arg, struct wire_bytes digest, struct buf *signature,
    struct fault *f)
{
	struct ca_token *t = arg;
	struct talk_answer a;

	if (converse(t, TALK_SIGN, digest, &a, f) < 0)
		return -1;
	buf_put(signature, a.data.data, a.data.len);
	return repeat(&a, f);
}

struct key *
ca_token_key(struct ca_token *t, struct fault *f)
{
	struct spki spki;

	if (t->spki.len == 0) {
		(void)fault_set(f, FAULT_INTERNAL, "nobody is logged in");
		return NULL;
	}
	if (spki_read(&spki, (struct wire_bytes){ t->spki.data, t->spki.len },
		f) < 0)
		return NULL;
	return key_foreign(&spki, sign, t, f);
}

int
ca_token_make(struct ca_token *t, const char *what, struct buf *spki,
    struct fault *f)
{
	return ask(t, TALK_MAKE,
	    (struct wire_bytes){ (const uint8_t *)what, strlen(what) }, spki,
	    f);
}

int
ca_token_show(struct ca_token *t, struct buf *spki, struct fault *f)
{
	return ask(t, TALK_SHOW, (struct wire_bytes){ NULL, 0 }, spki, f);
}

int
ca_token_put(struct ca_token *t, struct wire_bytes der, struct fault *f)
{
	return ask(t, TALK_PUT, der, NULL, f);
}
