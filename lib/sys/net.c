#include "sys/net.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 4096
#define HOST_SIZE 256
#define PORT_SIZE 8

static int
read_port(const char *text, uint16_t *port)
{
	int64_t number;

	if (text_number(text, 0, UINT16_MAX, &number) < 0)
		return -1;
	*port = (uint16_t)number;
	return 0;
}

/* Copy the ${len} bytes of a host's name; an empty one is none. */
static int
copy_host(char *host, uint64_t size, const char *from, size_t len,
    struct fault *f)
{
	if (len == 0 || len >= size || len >= HOST_SIZE)
		return fault_set(f, FAULT_INPUT,
		    "no host, or too long: \"%.64s\"", from);
	memcpy(host, from, len);
	host[len] = '\0';
	return 0;
}

int
net_split(const char *where, uint16_t fallback, char *host, uint64_t size,
    uint16_t *port, struct fault *f)
{
	const char *from = where, *end, *after;

	if (*where == '[') {
		from = where + 1;
		end = strchr(from, ']');
		after = end == NULL ? NULL : end + 1;
	} else {
		end = strchr(from, ':');
		/* More than one colon: an IPv6 address alone. */
		if (end == NULL || strchr(end + 1, ':') != NULL)
			end = from + strlen(from);
		after = end;
	}
	if (after == NULL || (*after != '\0' && *after != ':'))
		return fault_set(f, FAULT_INPUT, "not host:port: \"%.64s\"",
		    where);
	*port = fallback;
	if (*after == ':' && read_port(after + 1, port) < 0)
		return fault_set(f, FAULT_INPUT, "no such port: \"%.64s\"",
		    where);
	return copy_host(host, size, from, (size_t)(end - from), f);
}

int
net_nonblock(int fd, struct fault *f)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return fault_set(f, FAULT_SYSTEM, "fcntl: %s", strerror(errno));
	return 0;
}

static struct addrinfo *
look_up(const char *host, uint16_t port, int flags, struct fault *f)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_NUMERICSERV };
	struct addrinfo *list = NULL;
	char service[PORT_SIZE];
	int error;

	(void)snprintf(service, sizeof(service), "%u", port);
	error = getaddrinfo(host, service, &hints, &list);
	if (error != 0) {
		(void)fault_set(f, FAULT_UNREACHABLE, "%s: %s",
		    host == NULL ? "*" : host,
		    error == EAI_SYSTEM ? strerror(errno)
					: gai_strerror(error));
		return NULL;
	}
	return list;
}

static int
switch_on(int fd, int level, int option)
{
	const int on = 1;

	return setsockopt(fd, level, option, &on, sizeof(on));
}

/* A listening socket, or -1 with errno. */
static int
listen_on(const struct addrinfo *a)
{
	const int off = 0;
	int fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	int saved;

	if (fd < 0)
		return -1;
	/* One socket for all addresses hears IPv4 too. */
	if (switch_on(fd, SOL_SOCKET, SO_REUSEADDR) == 0 &&
	    switch_on(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
	    (a->ai_family != AF_INET6 ||
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) ==
		    0) &&
	    bind(fd, a->ai_addr, a->ai_addrlen) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

/* The first of ${list} that can be had. */
static int
listen_any(const struct addrinfo *list, const char *where, struct fault *f)
{
	int error = EADDRNOTAVAIL;

	for (const struct addrinfo *a = list; a != NULL; a = a->ai_next) {
		int fd = listen_on(a);

		if (fd >= 0)
			return fd;
		error = errno;
	}
	return fault_set(f, FAULT_SYSTEM, "cannot listen on %s: %s", where,
	    strerror(error));
}

/* All addresses: IPv6 hears both kinds; a host without it has the other. */
static int
listen_everywhere(uint16_t port, const char *where, struct fault *f)
{
	struct sockaddr_in four = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
		.sin6_port = htons(port),
		.sin6_addr = IN6ADDR_ANY_INIT };
	struct addrinfo second = { .ai_family = AF_INET,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&four,
		.ai_addrlen = sizeof(four) };
	struct addrinfo first = { .ai_family = AF_INET6,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&six,
		.ai_addrlen = sizeof(six) };
	int fd = listen_on(&first);

	if (fd >= 0)
		return fd;
	/* Taken is taken: not a half of it by the other kind. */
	if (errno == EADDRINUSE || errno == EACCES)
		return fault_set(f, FAULT_SYSTEM, "cannot listen on %s: %s",
		    where, strerror(errno));
	return listen_any(&second, where, f);
}

int
net_listen(const char *where, struct fault *f)
{
	struct addrinfo *list;
	char host[HOST_SIZE];
	uint16_t port = 0;
	int fd;

	if (read_port(where, &port) == 0)
		return listen_everywhere(port, where, f);
	if (net_split(where, 0, host, sizeof(host), &port, f) < 0 ||
	    (list = look_up(host, port, AI_PASSIVE, f)) == NULL)
		return -1;
	fd = listen_any(list, where, f);
	freeaddrinfo(list);
	return fd;
}

static uint16_t
port_of(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

int
net_port(int fd)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &len) < 0 ||
	    (address.ss_family != AF_INET && address.ss_family != AF_INET6))
		return -1;
	return port_of(&address);
}

/* Wait until the connection of ${fd} stands; -1 with errno. */
static int
await(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLOUT };
	int64_t end = clock_mono() + timeout_ms;
	int error = 0;
	socklen_t len = sizeof(error);
	int ready;

	do {
		int64_t left = end - clock_mono();

		ready = poll(&p, 1, left > 0 ? (int)left : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0)
		return -1;
	if (ready == 0)
		error = ETIMEDOUT;
	else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -1;
	errno = error;
	return error == 0 ? 0 : -1;
}

static int
make_blocking(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
}

/* A connected socket, or -1 with errno. */
static int
connect_to(const struct addrinfo *a, int timeout_ms)
{
	int fd = socket(a->ai_family,
	    a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	int saved;

	if (fd < 0)
		return -1;
	if ((connect(fd, a->ai_addr, a->ai_addrlen) == 0 ||
		((errno == EINPROGRESS || errno == EINTR) &&
		    await(fd, timeout_ms) == 0)) &&
	    switch_on(fd, IPPROTO_TCP, TCP_NODELAY) == 0 &&
	    make_blocking(fd) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

int
net_connect(const char *host, uint16_t port, int timeout_ms, struct fault *f)
{
	struct addrinfo *list = look_up(host, port, 0, f);
	int error = EADDRNOTAVAIL;
	int fd = -1;

	if (list == NULL)
		return -1;
	for (const struct addrinfo *a = list; a != NULL && fd < 0;
	     a = a->ai_next)
		if ((fd = connect_to(a, timeout_ms)) < 0)
			error = errno;
	freeaddrinfo(list);
	if (fd < 0)
		return fault_set(f, FAULT_UNREACHABLE, "%s port %u: %s", host,
		    port, strerror(error));
	return fd;
}

/* An IPv4 client of a socket that hears both is shown as what it is. */
static void
unmap(struct sockaddr_storage *address)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four = { .sin_family = AF_INET };

	if (address->ss_family != AF_INET6)
		return;
	memcpy(&six, address, sizeof(six));
	if (!IN6_IS_ADDR_V4MAPPED(&six.sin6_addr))
		return;
	four.sin_port = six.sin6_port;
	memcpy(&four.sin_addr, &six.sin6_addr.s6_addr[12], 4);
	memcpy(address, &four, sizeof(four));
}

static bool
peer_of(int fd, struct sockaddr_storage *address, char *host, size_t size)
{
	socklen_t len = sizeof(*address);

	if (getpeername(fd, (struct sockaddr *)address, &len) < 0 ||
	    (address->ss_family != AF_INET && address->ss_family != AF_INET6))
		return false;
	unmap(address);
	len = address->ss_family == AF_INET ? sizeof(struct sockaddr_in)
					    : sizeof(struct sockaddr_in6);
	return getnameinfo((struct sockaddr *)address, len, host,
		   (socklen_t)size, NULL, 0, NI_NUMERICHOST) == 0;
}

void
net_peer(int fd, char name[NET_NAME_SIZE])
{
	struct sockaddr_storage address = { 0 };
	char host[HOST_SIZE];

	if (!peer_of(fd, &address, host, sizeof(host)) ||
	    text_fmt(name, NET_NAME_SIZE,
		address.ss_family == AF_INET ? "%s:%u" : "[%s]:%u", host,
		port_of(&address)) < 0)
		memcpy(name, "?", 2);
}

void
net_peer_host(int fd, char name[NET_NAME_SIZE])
{
	struct sockaddr_storage address = { 0 };
	char host[HOST_SIZE];

	if (!peer_of(fd, &address, host, sizeof(host)) ||
	    text_copy(name, NET_NAME_SIZE, host) < 0)
		memcpy(name, "?", 2);
}
