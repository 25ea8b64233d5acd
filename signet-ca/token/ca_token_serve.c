/* The process that holds the module, and nothing else. */
#include "base/fault.h"
#include "base/text.h"
#include "ca_token.h"
#include "ca_token_talk.h"
#include "token/token.h"
#include "token/token_make.h"
#include "token/token_module.h"

#include <sys/prctl.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What is served. */
struct serving {
	struct token_uri which;
	struct token *token; /* owned */
	struct secret *pin;  /* owned; NULL: none, or at the reader */
	bool has_pin;
	bool keep;
};

/* A token of that name, which is not in use: what was logged in is so no more.
 */
static int
open_anew(struct serving *s, const struct spki *ca, struct fault *f)
{
	token_close(s->token);
	s->token = token_open(&s->which, ca, f);
	return s->token == NULL ? -1 : 0;
}

static int
check_there(struct serving *s, struct fault *f)
{
	struct fault why = { 0 };
	enum token_state state = token_state(s->token, &why);

	if (state == TOKEN_NEEDS_PIN || state == TOKEN_READY)
		return 0;
	return fault_set(f, why.code == FAULT_NONE ? FAULT_ABSENT : why.code,
	    "%s", *why.text == '\0' ? "there is no such token" : why.text);
}

static void
forget_pin(struct serving *s)
{
	secret_free(s->pin);
	s->pin = NULL;
	s->has_pin = false;
}

static int
need_pin(const struct serving *s, struct fault *f)
{
	if (s->token == NULL)
		return fault_set(f, FAULT_INTERNAL, "no token was opened");
	return s->has_pin ? 0 : fault_set(f, FAULT_INTERNAL, "no PIN");
}

static int
take_text(struct wire_bytes data, char *text, size_t size, struct fault *f)
{
	if (data.len >= size || memchr(data.data, '\0', data.len) != NULL)
		return fault_set(f, FAULT_INTERNAL, "text too long");
	memcpy(text, data.data, data.len);
	text[data.len] = '\0';
	return 0;
}

static int
do_open(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	char uri[TOKEN_URI_MAX + 1];

	(void)out;
	if (take_text(data, uri, sizeof(uri), f) < 0 ||
	    token_uri_read(&s->which, uri, f) < 0 || open_anew(s, NULL, f) < 0)
		return -1;
	return check_there(s, f);
}

static int
do_pin(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	(void)out;
	forget_pin(s);
	if ((s->pin = secret_copy(data.data, data.len, f)) == NULL)
		return -1;
	s->has_pin = true;
	s->keep = false;
	return 0;
}

static int
do_pin_keep(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	int result = do_pin(s, data, out, f);

	s->keep = true;
	return result;
}

static int
do_pad(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	(void)data;
	(void)out;
	(void)f;
	forget_pin(s);
	s->has_pin = true;
	s->keep = true;
	return 0;
}

static int
do_login(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	struct token_info info;
	struct spki ca;
	int result;

	(void)out;
	if (need_pin(s, f) < 0 || spki_read(&ca, data, f) < 0 ||
	    open_anew(s, &ca, f) < 0 || check_there(s, f) < 0)
		return -1;
	result = token_login(s->token, s->pin, f);
	token_info(s->token, &info);
	if (!s->keep && (result < 0 || !info.each_time))
		forget_pin(s);
	return result;
}

static int
do_make(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	char what[32];

	if (need_pin(s, f) < 0 || take_text(data, what, sizeof(what), f) < 0 ||
	    open_anew(s, NULL, f) < 0 || check_there(s, f) < 0)
		return -1;
	return token_make_key(s->token, s->pin, what, out, f);
}

static int
do_show(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	(void)data;
	if (need_pin(s, f) < 0 || open_anew(s, NULL, f) < 0 ||
	    check_there(s, f) < 0)
		return -1;
	return token_show_key(s->token, s->pin, out, f);
}

static int
do_put(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	(void)out;
	if (need_pin(s, f) < 0 || open_anew(s, NULL, f) < 0 ||
	    check_there(s, f) < 0)
		return -1;
	return token_put_certificate(s->token, s->pin, data, f);
}

/* What was signed in the shadow of a removal goes along with the fault. */
static int
do_sign(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f)
{
	struct token_signature signature = { .len = 0 };
	int result;

	if (s->token == NULL)
		return fault_set(f, FAULT_INTERNAL, "no token was opened");
	result = token_sign(s->token, s->pin, data, &signature, f);
	if (result == 0 || f->code == FAULT_SUSPENDED)
		buf_put(out, signature.data, signature.len);
	return result;
}

typedef int serve_fn(struct serving *s, struct wire_bytes data, struct buf *out,
    struct fault *f);

static serve_fn *const verbs[TALK_COUNT] = { [TALK_OPEN] = do_open,
	[TALK_PIN] = do_pin,
	[TALK_PIN_KEEP] = do_pin_keep,
	[TALK_PAD] = do_pad,
	[TALK_LOGIN] = do_login,
	[TALK_MAKE] = do_make,
	[TALK_SHOW] = do_show,
	[TALK_PUT] = do_put,
	[TALK_SIGN] = do_sign };

static void
fill_info(struct serving *s, struct ca_token_info *to)
{
	struct token_info info;

	if (s->token == NULL)
		return;
	token_info(s->token, &info);
	memcpy(to->label, info.label, sizeof(to->label));
	memcpy(to->manufacturer, info.manufacturer, sizeof(to->manufacturer));
	memcpy(to->model, info.model, sizeof(to->model));
	memcpy(to->serial, info.serial, sizeof(to->serial));
	to->pin_low = info.pin_low;
	to->pin_final = info.pin_final;
	to->pin_locked = info.pin_locked;
	to->pin_pad = info.pin_pad;
}

static int
answer(struct serving *s, int fd, uint8_t verb, struct wire_bytes data,
    struct fault *f)
{
	OWN_BUF(out, TALK_DATA_MAX);
	uint8_t room[TALK_MAX];
	struct talk_answer a = { .code = FAULT_NONE };
	struct fault why = { 0 };
	size_t len;

	if (verb >= TALK_COUNT)
		return fault_set(f, FAULT_INTERNAL, "no such verb");
	if (verbs[verb](s, data, &out, &why) < 0) {
		a.code = why.code;
		memcpy(a.text, why.text, sizeof(a.text));
	}
	fill_info(s, &a.info);
	if (!out.failed)
		a.data = (struct wire_bytes){ out.data, out.len };
	if ((len = talk_write(&a, room, sizeof(room))) == 0)
		return fault_set(f, FAULT_INTERNAL, "an answer is too long");
	/* An answer begins with the verb it answers. */
	return talk_ask(fd, (enum talk_verb)verb,
	    (struct wire_bytes){ room, len }, f);
}

static int
serve(struct serving *s, int fd, struct secret *room, struct fault *f)
{
	uint8_t *data = secret_data(room);
	uint8_t verb = 0;
	size_t len = 0;
	int heard;

	while ((heard = talk_hear(fd, &verb, data, secret_size(room), &len,
		    f)) == 1) {
		int result =
		    answer(s, fd, verb, (struct wire_bytes){ data, len }, f);

		secret_wipe(data, len);
		if (result < 0)
			return -1;
	}
	return heard;
}

/* What the module prints is nobody's answer, and it is asked nothing. */
static void
quieten(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null >= 0) {
		(void)dup2(null, STDIN_FILENO);
		(void)dup2(null, STDOUT_FILENO);
		(void)close(null);
	}
	/* A module writes to sockets. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

int
ca_token_serve(int fd, struct fault *f)
{
	OWN_STRUCT(secret) room = secret_new(TALK_MAX, f);
	struct serving s = { .has_pin = false };
	int result;

	if (room == NULL || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return fault_set(f, FAULT_USAGE,
		    "this name is for signet-ca itself");
	quieten();
	result = serve(&s, fd, room, f);
	forget_pin(&s);
	token_close(s.token);
	return result;
}
