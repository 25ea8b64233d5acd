#include "knock.h"

#include "base/clock.h"
#include "base/fault.h"
#include "sys/net.h"

#include <unistd.h>

#define HANDSHAKE_MS 10000

static int
shake_hands(struct tls *tls, struct fault *f)
{
	int64_t deadline = clock_mono() + HANDSHAKE_MS;

	for (;;) {
		enum tls_result result = tls_handshake(tls, f);

		switch (result) {
		case TLS_DONE:
			return 0;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			if (tls_wait(tls, result, deadline, f) < 0)
				return -1;
			break;
		case TLS_CLOSED:
			return fault_set(f, FAULT_UNREACHABLE,
			    "it closed the connection");
		case TLS_FAILED:
			return -1;
		}
	}
}

int
knock(const char *host, uint16_t port, int timeout_ms, tls_judge_fn *judge,
    void *arg, struct fault *f)
{
	int fd = net_connect(host, port, timeout_ms, f);
	int result = -1;

	if (fd < 0)
		return -1;
	{
		OWN_STRUCT(tls) tls = tls_connect(fd, NULL, host, f);

		if (tls != NULL) {
			tls_judge(tls, judge, arg);
			result = shake_hands(tls, f);
		}
	}
	(void)close(fd);
	return result;
}
