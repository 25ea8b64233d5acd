#ifndef SYS_NET_H
#define SYS_NET_H

#include "base/checked.h"

#include <sys/types.h>

#include <stdint.h>

/* Sockets: listening, connecting with a deadline, and what an address says. */
struct fault;
struct sockaddr;

#define NET_NAME_SIZE 64 /* "[2001:db8::1]:7512" and its NUL */

/**
 * net_listen(where, f):
 * A non-blocking TCP socket that listens on ${where}: "host:port",
 * "[v6]:port" or "port" alone (all addresses).  Port 0 takes a free one.
 * SO_REUSEADDR and TCP_NODELAY are set (accepted sockets inherit the latter).
 * The descriptor is the caller's.
 */
CHECKED int net_listen(const char *where, struct fault *f);

/**
 * net_listen_local(path, f):
 * A non-blocking Unix stream socket that listens at the absolute ${path}, mode
 * 0666: who is there is told by the kernel, not by a file's mode.  The
 * directory is made (0755) if it is missing.  A socket that nobody listens on
 * any more is replaced; FAULT_DENIED if somebody does, or if there is anything
 * else.
 */
CHECKED int net_listen_local(const char *path, struct fault *f);

/* Connect to the Unix socket at ${path}.  FAULT_UNREACHABLE says why not.
 * With ${within_ms} neither this, if too many are waiting there, nor any later
 * call that sends or receives takes longer than that. */
CHECKED int net_connect_local(const char *path, struct fault *f);
CHECKED int net_connect_local_within(const char *path, int within_ms,
    struct fault *f);

/* Who is at the other end of the Unix socket ${fd}, as the kernel had it when
 * he connected. */
CHECKED int net_peer_uid(int fd, uid_t *uid, struct fault *f);

/* The port that ${fd} listens on, or -1. */
int net_port(int fd);

/**
 * net_connect(host, port, timeout_ms, f):
 * Connect to ${host} (name or address), each of its addresses in turn, at
 * most ${timeout_ms} each.  A blocking descriptor with TCP_NODELAY, the
 * caller's to close.  FAULT_UNREACHABLE says which host and why.
 */
CHECKED int net_connect(const char *host, uint16_t port, int timeout_ms,
    struct fault *f);

/* Split "host:port", "[v6]:port" or "host" (then ${fallback}).  */
CHECKED int net_split(const char *where, uint16_t fallback, char *host,
    uint64_t size, uint16_t *port, struct fault *f);

/* The address of the far end of ${fd}, as "127.0.0.1:4711"; "?" if unknown.
 * net_peer_host leaves the port out. */
void net_peer(int fd, char name[NET_NAME_SIZE]);
void net_peer_host(int fd, char name[NET_NAME_SIZE]);

/* Make ${fd} non-blocking and close-on-exec. */
CHECKED int net_nonblock(int fd, struct fault *f);

#endif
