#include "tls/tls_context.h"
#include "x509/ossl.h"

#include <sys/socket.h>

#include <errno.h>
#include <string.h>

static bool
is_transient(int error)
{
	return error == EAGAIN || error == EINTR;
}

static int
socket_read(BIO *bio, char *data, size_t size, size_t *got)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t n = recv(t->fd, data, size, MSG_DONTWAIT);

	BIO_clear_retry_flags(bio);
	*got = 0;
	if (n > 0) {
		*got = (size_t)n;
		return 1;
	}
	if (n == 0) {
		t->eof = true;
		return 0;
	}
	if (is_transient(errno))
		BIO_set_retry_read(bio);
	else
		t->sys_errno = errno;
	return 0;
}

static int
socket_write(BIO *bio, const char *data, size_t len, size_t *put)
{
	struct tls *t = BIO_get_data(bio);
	ssize_t n;

	if (t->holding) {
		buf_put(&t->held, data, len);
		*put = t->held.failed ? 0 : len;
		return !t->held.failed;
	}
	n = send(t->fd, data, len,
	    MSG_DONTWAIT | MSG_NOSIGNAL | (t->more ? MSG_MORE : 0));

	BIO_clear_retry_flags(bio);
	*put = 0;
	if (n >= 0) {
		*put = (size_t)n;
		return 1;
	}
	if (is_transient(errno))
		BIO_set_retry_write(bio);
	else
		t->sys_errno = errno;
	return 0;
}

enum tls_result
socket_send_held(struct tls *t, struct fault *f)
{
	while (t->held_sent < t->held.len) {
		ssize_t n = send(t->fd, t->held.data + t->held_sent,
		    t->held.len - t->held_sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && is_transient(errno))
			return TLS_WANT_WRITE;
		if (n < 0 && (errno == ECONNRESET || errno == EPIPE))
			return TLS_CLOSED;
		if (n < 0) {
			(void)fault_set(f, FAULT_SYSTEM, "TLS writing: %s",
			    strerror(errno));
			return TLS_FAILED;
		}
		t->held_sent += (size_t)n;
	}
	connection_let_go(t);
	return TLS_DONE;
}

static long
socket_ctrl(BIO *bio, int cmd, long number, void *arg)
{
	const struct tls *t = BIO_get_data(bio);

	(void)number;
	(void)arg;
	if (cmd == BIO_CTRL_EOF)
		return t->eof;
	return cmd == BIO_CTRL_FLUSH;
}

static int
socket_create(BIO *bio)
{
	BIO_set_init(bio, 1);
	return 1;
}

BIO_METHOD *
socket_method(struct fault *f)
{
	BIO_METHOD *m = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "signet socket");

	if (m != NULL && BIO_meth_set_read_ex(m, socket_read) == 1 &&
	    BIO_meth_set_write_ex(m, socket_write) == 1 &&
	    BIO_meth_set_ctrl(m, socket_ctrl) == 1 &&
	    BIO_meth_set_create(m, socket_create) == 1)
		return m;
	BIO_meth_free(m);
	(void)ossl_fault(f, FAULT_MEMORY, "making a TLS transport");
	return NULL;
}
