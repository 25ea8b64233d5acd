/*
 * token: one PKCS#11 module, and the CA's key behind it.  The module is foreign
 * code: it shares this process with a PIN for the moment of a login and with
 * nothing else.  Digests come in, signatures go out; whether something may be
 * signed was judged by the signer.
 */
#include "base/buf.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/role.h"
#include "signetd/token/holder.h"
#include "signetd/token/preset.h"
#include "signetd/token/usb_watch.h"
#include "token/token_module.h"
#include "x509/authority.h"
#include "x509/ossl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 200
#define EXIT_STUCK 3

struct room {
	char ca[64];
	char device[CONF_STRING_SIZE];
	struct preset preset;
	struct holder *holder;
	struct usb_watch *usb; /* NULL: none is watched */
	bool there;	       /* the device; or none is watched */
	struct loop_watch *watch;
	struct loop_watch *usb_events;
	struct loop_timer *tick;
	struct channel *signer;
	bool ready;
};

/* The one CA whose texts came. */
static int
find_ca(const struct role *role, struct authority *a, struct fault *f)
{
	for (size_t i = 0; i < CONF_LIST_MAX; i++) {
		char conf[64], cert[64];
		struct wire_bytes text, pem;

		if (text_fmt(conf, sizeof(conf), "ca.%zu.conf", i) < 0 ||
		    text_fmt(cert, sizeof(cert), "ca.%zu.cert", i) < 0)
			return -1;
		text = role_text(role, conf);
		pem = role_text(role, cert);
		if (text.data != NULL)
			return authority_read(a, (const char *)text.data,
			    text.len, pem.data, pem.len, f);
	}
	return fault_set(f, FAULT_CONFIG, "no CA came");
}

/* The module where it really is: a link leads out of the paths that are
 * allowed. */
static int
find_module(struct token_uri *uri, struct fault *f)
{
	char path[256];
	OWN(char) real = NULL;

	if (token_module_find(uri, path, f) < 0)
		return -1;
	real = realpath(path, NULL);
	return text_copy(uri->module_path, sizeof(uri->module_path),
	    real != NULL ? real : path);
}

static int
open_usb(struct room *room, const struct authority *a, struct fault *f)
{
	if (*a->conf.usb_device == '\0')
		return 0;
	memcpy(room->device, a->conf.usb_device, sizeof(room->device));
	if ((room->usb = usb_watch_new(room->device, f)) == NULL)
		return -1;
	return 0;
}

/* Whatever the module says of its token: the one that is meant is behind this
 * device. */
static void
tell_away(struct room *room)
{
	const bool there = usb_watch_count(room->usb) > 0;
	char why[96];

	if (there == room->there)
		return;
	room->there = there;
	(void)snprintf(why, sizeof(why), "the USB device %.*s is not there", 9,
	    room->device);
	if (!there)
		LOG(TOKEN_USB, LOG_TEXT("ca", room->ca),
		    LOG_TEXT("device", room->device),
		    LOG_TEXT("text", "it is not there"));
	holder_away(room->holder, there ? NULL : why);
}

/* All that is opened is opened here; the module is not. */
static int
prepare(struct role *role, struct sandbox *box, struct authority *a,
    struct fault *f)
{
	struct room *room = role->state;
	struct token_uri uri;

	if (find_ca(role, a, f) < 0)
		return -1;
	memcpy(room->ca, a->conf.name, sizeof(room->ca));
	if (token_uri_read_named(&uri, a->conf.key, a->conf.key_module, f) <
		0 ||
	    find_module(&uri, f) < 0 ||
	    preset_box(&room->preset, &role->conf, uri.module_path, box, f) <
		0 ||
	    open_usb(room, a, f) < 0)
		return fault_wrap(f, "%s", room->ca);
	room->holder = holder_new(&uri, &a->cert->spki, f);
	if (room->holder == NULL)
		return -1;
	room->there = true;
	if (room->usb != NULL)
		tell_away(room);
	return 0;
}

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	struct authority *a = calloc(1, sizeof(*a));
	struct room *room = calloc(1, sizeof(*room));
	int result = -1;

	role->state = room;
	if (a == NULL || room == NULL)
		(void)fault_set(f, FAULT_MEMORY, "token");
	else if (ossl_start_alone(f) == 0)
		result = prepare(role, box, a, f);
	if (a != NULL)
		authority_clear(a);
	free(a);
	return result;
}

static void
tell_signer(struct room *room)
{
	struct msg m = { .type = MSG_TOKEN_READY };
	struct fault f = { 0 };

	m.token_ready.ready = room->ready;
	if (room->signer != NULL && channel_say(room->signer, &m, &f) < 0)
		log_fault(&f, NULL);
}

static void
tell_news(struct role *role)
{
	struct room *room = role->state;
	struct msg m = { .type = MSG_TOKEN_NEWS };
	struct holder_news news;
	const bool was = room->ready;

	if (!holder_news(room->holder, &news))
		return;
	room->ready = news.state == TOKEN_READY;
	if (room->ready != was)
		tell_signer(room);
	m.token_news.state = news.state;
	m.token_news.fault = news.fault;
	m.token_news.flags = news.flags;
	memcpy(m.token_news.label, news.label, sizeof(news.label));
	memcpy(m.token_news.serial, news.serial, sizeof(news.serial));
	memcpy(m.token_news.text, news.text, sizeof(news.text));
	role_tell(role, &m);
}

static void
tell_signed(struct role *role, uint32_t id, enum fault_code fault,
    struct wire_bytes signature)
{
	struct room *room = role->state;
	struct msg m = { .type = MSG_TOKEN_SIGNED };
	struct fault f = { 0 };

	m.token_signed.id = id;
	m.token_signed.fault = fault;
	m.token_signed.signature = signature;
	role->served += fault == FAULT_NONE;
	if (room->signer != NULL && channel_say(room->signer, &m, &f) < 0)
		log_fault(&f, NULL);
}

/* How it is comes first: who reads of a signature that failed knows why. */
static void
take(void *arg, int fd, unsigned ready)
{
	struct role *role = arg;
	struct room *room = role->state;
	struct holder_signed done;

	(void)fd;
	(void)ready;
	holder_heard(room->holder);
	tell_news(role);
	while (holder_signed(room->holder, &done))
		tell_signed(role, done.id, done.fault,
		    (struct wire_bytes){
			done.signature.data, done.signature.len });
}

/* What was pulled may have been put back since: it counts as pulled.  The
 * devices are not to be seen from within the walls, so this process ends, and
 * the next one counts them. */
static void __attribute__((noreturn)) end_for_usb(const struct room *room)
{
	LOG(TOKEN_USB, LOG_TEXT("ca", room->ca),
	    LOG_TEXT("device", room->device),
	    LOG_TEXT("text",
		"udev told more than could be heard: it counts as pulled, and "
		"its process begins anew"));
	_exit(EXIT_STUCK);
}

static void
take_usb(void *arg, int fd, unsigned ready)
{
	struct role *role = arg;
	struct room *room = role->state;
	bool more = true;

	(void)fd;
	(void)ready;
	while (more) {
		enum usb_event event = usb_watch_next(room->usb, &more);

		if (event == USB_NONE)
			continue;
		if (event == USB_MISSED)
			end_for_usb(room);
		LOG(TOKEN_USB, LOG_TEXT("ca", room->ca),
		    LOG_TEXT("device", room->device),
		    LOG_TEXT("text",
			event == USB_REMOVED ? "it was pulled"
					     : "it was put in"));
		if (event == USB_REMOVED)
			holder_lost(room->holder, "its USB device was pulled");
	}
	tell_away(room);
	tell_news(role);
	holder_look(room->holder);
}

/* A call that does not return cannot be taken back: this process ends, and with
 * it all that the module holds. */
static void
tick(void *arg)
{
	struct role *role = arg;
	struct room *room = role->state;
	int64_t longest = holder_longest(room->holder);

	if (longest > role->conf.token_timeout * 1000) {
		LOG(TOKEN_STUCK, LOG_TEXT("ca", room->ca),
		    LOG_NUMBER("ms", longest));
		_exit(EXIT_STUCK);
	}
	loop_timer_set(room->tick, TICK_MS);
}

static int
start(struct role *role, struct fault *f)
{
	struct room *room = role->state;

	room->watch = loop_watch_new(role->loop, holder_fd(room->holder),
	    LOOP_READ, take, role, f);
	room->tick = loop_timer_new(role->loop, tick, role, f);
	if (room->watch == NULL || room->tick == NULL)
		return -1;
	if (room->usb != NULL &&
	    (room->usb_events = loop_watch_new(role->loop,
		 usb_watch_fd(room->usb), LOOP_READ, take_usb, role, f)) ==
		NULL)
		return -1;
	loop_timer_set(room->tick, TICK_MS);
	return holder_start(room->holder, f);
}

static void
heard_signer(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct role *role = arg;
	struct room *room = role->state;
	struct fault f = { 0 };

	(void)ch;
	(void)fd;
	if (m->type == MSG_TOKEN_SIGN &&
	    holder_sign(room->holder, m->token_sign.id, m->token_sign.digest,
		&f) < 0)
		tell_signed(role, m->token_sign.id, f.code,
		    (struct wire_bytes){ NULL, 0 });
	if (m->type == MSG_TOKEN_WRONG)
		holder_wrong(room->holder);
}

static void
signer_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct role *role = arg;

	(void)f;
	((struct room *)role->state)->signer = NULL;
	channel_free(ch);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct room *room = role->state;

	if (room->signer != NULL)
		return fault_set(f, FAULT_INTERNAL, "a second signer");
	room->signer =
	    role_channel(role, name, fd, heard_signer, signer_gone, role, f);
	if (room->signer == NULL)
		return -1;
	tell_signer(room);
	return 0;
}

static void
heard(struct role *role, const struct msg *m)
{
	struct room *room = role->state;

	if (m->type == MSG_TOKEN_PIN)
		holder_pin(room->holder, m->token_pin.pin);
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_TOKEN,
		.box = box,
		.start = start,
		.attach = attach,
		.heard = heard,
	};

	return role_main(argc, argv, &spec);
}
