#include "ca_token_talk.h"

#include "base/text.h"

#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <string.h>

#define LOW 1u
#define FINAL 2u
#define LOCKED 4u
#define PAD 8u

size_t
talk_write(const struct talk_answer *a, uint8_t *room, size_t size)
{
	struct wire_out out = { .at = room, .left = size };
	const struct ca_token_info *info = &a->info;

	wire_put_u32(&out, (uint32_t)a->code);
	wire_put_text(&out, a->text, sizeof(a->text));
	wire_put_text(&out, info->label, sizeof(info->label));
	wire_put_text(&out, info->manufacturer, sizeof(info->manufacturer));
	wire_put_text(&out, info->model, sizeof(info->model));
	wire_put_text(&out, info->serial, sizeof(info->serial));
	wire_put_u32(&out,
	    (info->pin_low ? LOW : 0) | (info->pin_final ? FINAL : 0) |
		(info->pin_locked ? LOCKED : 0) | (info->pin_pad ? PAD : 0));
	wire_put_bytes(&out, a->data, TALK_DATA_MAX);
	return out.failed ? 0 : size - out.left;
}

int
talk_read(struct talk_answer *a, struct wire_bytes datagram, struct fault *f)
{
	struct wire_in in = { .at = datagram.data, .left = datagram.len };
	struct ca_token_info *info = &a->info;
	uint32_t code, flags;

	memset(a, 0, sizeof(*a));
	code = wire_get_u32(&in);
	wire_get_text(&in, a->text, sizeof(a->text));
	wire_get_text(&in, info->label, sizeof(info->label));
	wire_get_text(&in, info->manufacturer, sizeof(info->manufacturer));
	wire_get_text(&in, info->model, sizeof(info->model));
	wire_get_text(&in, info->serial, sizeof(info->serial));
	flags = wire_get_u32(&in);
	a->data = wire_get_bytes(&in, TALK_DATA_MAX);
	if (!wire_ended(&in) || code >= FAULT_COUNT ||
	    (flags & ~(LOW | FINAL | LOCKED | PAD)) != 0)
		return fault_set(f, FAULT_INTERNAL,
		    "the process of the token's module talks nonsense");
	a->code = (enum fault_code)code;
	info->pin_low = (flags & LOW) != 0;
	info->pin_final = (flags & FINAL) != 0;
	info->pin_locked = (flags & LOCKED) != 0;
	info->pin_pad = (flags & PAD) != 0;
	text_clean(a->text);
	text_clean(info->label);
	text_clean(info->manufacturer);
	text_clean(info->model);
	text_clean(info->serial);
	return 0;
}

int
talk_ask(int fd, enum talk_verb verb, struct wire_bytes data, struct fault *f)
{
	uint8_t first = (uint8_t)verb;
	/* What is sent is not written to: sendmsg has no const. */
	struct iovec parts[2] = { { &first, 1 },
		{ (void *)(uintptr_t)data.data, data.len } };
	const struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t sent;

	if (data.len > TALK_DATA_MAX)
		return fault_set(f, FAULT_USAGE, "too much for a token");
	do
		sent = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent == (ssize_t)(data.len + 1)
	    ? 0
	    : fault_set(f, FAULT_SYSTEM,
		  "the process of the token's module: %s", strerror(errno));
}

int
talk_hear(int fd, uint8_t *verb, uint8_t *room, size_t size, size_t *len,
    struct fault *f)
{
	struct iovec parts[2] = { { verb, 1 }, { room, size } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };
	ssize_t got;

	do
		got = recvmsg(fd, &m, 0);
	while (got < 0 && errno == EINTR);
	if (got == 0 || (got < 0 && errno == ECONNRESET))
		return 0;
	if (got < 0)
		return fault_set(f, FAULT_SYSTEM,
		    "the process of the token's module: %s", strerror(errno));
	if ((m.msg_flags & MSG_TRUNC) != 0)
		return fault_set(f, FAULT_INTERNAL,
		    "the process of the token's module talks too much");
	*len = (size_t)got - 1;
	return 1;
}
