#include "myproxy/myproxy_link.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "myproxy/myproxy_reply.h"
#include "sys/net.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE 16384
#define HANDSHAKE_MS 30000
/* A server may take its time over a password; the stock one gives up on a
 * connection after two minutes. */
#define PATIENCE_MS 120000
#define FLAG_NO_DELEGATION "0"

static int
link_gone(const struct myproxy_link *link, struct fault *f)
{
	return fault_set(f, FAULT_UNREACHABLE,
	    "%s closed the connection without an answer", link->host);
}

/*
 * Acknowledge at once what comes: a stock server sends its first byte and its
 * first answer apart and without TCP_NODELAY, so that a delayed acknowledgement
 * would hold the answer back for 40 ms.  The kernel forgets this wish, so it is
 * said before each wait; without it all is slower and nothing is wrong.
 */
static void
acknowledge_quickly(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

static int
wait_for(struct myproxy_link *link, enum tls_result want, int64_t deadline,
    struct fault *f)
{
	acknowledge_quickly(link->fd);
	if (tls_wait(link->tls, want, deadline, f) < 0)
		return fault_wrap(f, "%s", link->host);
	return 0;
}

static int
shake_hands(struct myproxy_link *link, struct fault *f)
{
	int64_t deadline = clock_mono() + HANDSHAKE_MS;

	for (;;) {
		enum tls_result result = tls_handshake(link->tls, f);

		switch (result) {
		case TLS_DONE:
			return 0;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			if (wait_for(link, result, deadline, f) < 0)
				return -1;
			break;
		case TLS_CLOSED:
			return link_gone(link, f);
		case TLS_FAILED:
			return fault_wrap(f, "%s", link->host);
		}
	}
}

int
myproxy_link_open(struct myproxy_link *link, const char *host, uint16_t port,
    int connect_ms, const struct credential *credential, tls_judge_fn *judge,
    void *arg, struct fault *f)
{
	*link = (struct myproxy_link){ .fd = -1,
		.in = BUF(MYPROXY_RESPONSE_MAX),
		.patience = PATIENCE_MS };
	if (text_copy(link->host, sizeof(link->host), host) < 0)
		return fault_set(f, FAULT_USAGE, "server name too long");
	link->fd = net_connect(host, port, connect_ms, f);
	if (link->fd < 0)
		return -1;
	link->tls = tls_connect(link->fd, credential, host, f);
	if (link->tls == NULL)
		return -1;
	tls_judge(link->tls, judge, arg);
	return shake_hands(link, f);
}

void
myproxy_link_close(struct myproxy_link *link)
{
	tls_free(link->tls);
	link->tls = NULL;
	if (link->fd >= 0)
		(void)close(link->fd);
	link->fd = -1;
	buf_free(&link->in);
}

static int
send_bytes(struct myproxy_link *link, const void *data, size_t len,
    struct fault *f)
{
	int64_t deadline = clock_mono() + link->patience;

	for (;;) {
		enum tls_result result = tls_write(link->tls, data, len, f);

		switch (result) {
		case TLS_DONE:
			return 0;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			if (wait_for(link, result, deadline, f) < 0)
				return -1;
			break;
		case TLS_CLOSED:
			return link_gone(link, f);
		case TLS_FAILED:
			return fault_wrap(f, "%s", link->host);
		}
	}
}

int
myproxy_link_send(struct myproxy_link *link, const struct buf *out,
    struct fault *f)
{
	if (out->failed || out->len == 0)
		return fault_set(f, FAULT_INTERNAL, "a message without bytes");
	return send_bytes(link, out->data, out->len, f);
}

int
myproxy_link_flag(struct myproxy_link *link, struct fault *f)
{
	return send_bytes(link, FLAG_NO_DELEGATION, 1, f);
}

/* With TLS 1.3 the server says one zero byte first (PROTOCOL 1.1). */
static void
drop_first_zero(struct myproxy_link *link)
{
	if (link->started || link->in.len == 0)
		return;
	link->started = true;
	if (tls_is_13(link->tls) && link->in.data[0] == 0)
		buf_eat(&link->in, 1);
}

/* Wait for more bytes and append them: 1, or 0 at the end. */
static int
read_more(struct myproxy_link *link, struct fault *f)
{
	int64_t deadline = clock_mono() + link->patience;

	for (;;) {
		uint8_t data[READ_SIZE];
		size_t got = 0;
		enum tls_result result =
		    tls_read(link->tls, data, sizeof(data), &got, f);

		switch (result) {
		case TLS_DONE:
			buf_put(&link->in, data, got);
			explicit_bzero(data, got);
			if (link->in.failed)
				return fault_set(f, FAULT_INPUT,
				    "%s sends more than %u bytes", link->host,
				    MYPROXY_RESPONSE_MAX);
			link->answered = true;
			drop_first_zero(link);
			return 1;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			if (wait_for(link, result, deadline, f) < 0)
				return -1;
			break;
		case TLS_CLOSED:
			return 0;
		case TLS_FAILED:
			return fault_wrap(f, "%s", link->host);
		}
	}
}

/* The server's own words, their first line in the fault. */
static int
refused(struct myproxy_link *link, struct buf *error, struct fault *f)
{
	const char *text = buf_cstr(error);
	size_t len;

	(void)snprintf(link->words, sizeof(link->words), "%s",
	    text == NULL ? "" : text);
	len = strlen(link->words);
	while (len > 0 && strchr(" \n", link->words[len - 1]) != NULL)
		link->words[--len] = '\0';
	if (len == 0)
		return fault_set(f, FAULT_FAILED, "%s refuses without a reason",
		    link->host);
	len = strcspn(link->words, "\n");
	while (len > 0 && link->words[len - 1] == '.')
		len--;
	return fault_set(f, myproxy_error_code(text), "%s says: %.*s",
	    link->host, (int)len, link->words);
}

static int
read_text(struct myproxy_link *link, struct myproxy_response *response,
    struct fault *f)
{
	size_t seen = 0;

	for (;;) {
		const uint8_t *nul = link->in.len == seen
		    ? NULL
		    : memchr(link->in.data + seen, 0, link->in.len - seen);
		size_t len;
		int more;

		if (nul != NULL) {
			len = (size_t)(nul - link->in.data);
			if (myproxy_response_read(response,
				(const char *)link->in.data, len, f) < 0)
				return fault_wrap(f, "%s", link->host);
			buf_eat(&link->in, len + 1);
			return 0;
		}
		seen = link->in.len;
		if ((more = read_more(link, f)) < 0)
			return -1;
		/* The zero byte of TLS 1.3 may just have gone. */
		if (seen > link->in.len)
			seen = 0;
		if (more == 0)
			return link_gone(link, f);
	}
}

int
myproxy_link_answer(struct myproxy_link *link,
    struct myproxy_response *response, struct fault *f)
{
	memset(response, 0, sizeof(*response));
	if (read_text(link, response, f) < 0)
		return -1;
	if (response->answer == MYPROXY_ERROR)
		return refused(link, &response->error, f);
	return 0;
}

int
myproxy_link_chain(struct myproxy_link *link, struct cert_list *chain,
    struct fault *f)
{
	struct myproxy_response response;
	size_t used = 0;
	int result;

	for (;;) {
		if (myproxy_reply_is_text(link->in.data, link->in.len)) {
			result = myproxy_link_answer(link, &response, f);
			myproxy_response_clear(&response);
			return result < 0
			    ? -1
			    : fault_set(f, FAULT_INPUT,
				  "%s sends no certificate", link->host);
		}
		/* One byte may be the beginning of either. */
		result = link->in.len < 2 ? 0
					  : myproxy_reply_read(link->in.data,
						link->in.len, &used, chain, f);
		if (result < 0)
			return fault_wrap(f, "%s", link->host);
		if (result == 1)
			break;
		if ((result = read_more(link, f)) < 0)
			return -1;
		if (result == 0)
			return link_gone(link, f);
	}
	buf_eat(&link->in, used);
	return 0;
}
