#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/net.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BACKLOG 128

static int
address_of(const char *path, struct sockaddr_un *address, struct fault *f)
{
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	if (*path != '/' ||
	    text_copy(address->sun_path, sizeof(address->sun_path), path) < 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: a socket's path is absolute and at most %zu long",
		    path, sizeof(address->sun_path) - 1);
	return 0;
}

static int
new_socket(int flags, struct fault *f)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | flags, 0);

	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "socket: %s",
		    strerror(errno));
	return fd;
}

/* 0 waits for ever, as sockets do. */
static int
be_patient(int fd, int ms)
{
	const struct timeval most = { .tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000 };

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most)) ==
		    0 &&
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof(most)) ==
		    0
	    ? 0
	    : -1;
}

int
net_connect_local(const char *path, struct fault *f)
{
	return net_connect_local_within(path, 0, f);
}

int
net_connect_local_within(const char *path, int within_ms, struct fault *f)
{
	struct sockaddr_un address;
	int fd;

	if (address_of(path, &address, f) < 0 || (fd = new_socket(0, f)) < 0)
		return -1;
	if (be_patient(fd, within_ms) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	(void)fault_set(f, FAULT_UNREACHABLE, "%s: %s", path, strerror(errno));
	(void)close(fd);
	return -1;
}

/* What a daemon that was killed left behind is taken away. */
static int
make_way(const char *path, struct fault *f)
{
	struct fault nobody = { 0 };
	struct stat st;
	int fd;

	if (lstat(path, &st) < 0)
		return 0;
	if (!S_ISSOCK(st.st_mode))
		return fault_set(f, FAULT_DENIED,
		    "%s is there already and is no socket", path);
	fd = net_connect_local(path, &nobody);
	if (fd >= 0) {
		(void)close(fd);
		return fault_set(f, FAULT_DENIED, "somebody else listens on %s",
		    path);
	}
	if (unlink(path) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

/* Whoever may write in it could put another socket in our place, or a link
 * that we would open to all. */
static int
check_directory(const char *dir, struct fault *f)
{
	struct stat st;

	if (stat(dir, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fault_set(f, FAULT_CONFIG, "%s is no directory", dir);
	if ((st.st_uid != 0 && st.st_uid != geteuid()) ||
	    (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return fault_set(f, FAULT_CONFIG,
		    "%s: others may write there; a socket needs a directory "
		    "of root's or our own",
		    dir);
	return 0;
}

/* Its directory is open to all, whatever our umask. */
static int
make_directory(const char *path, struct fault *f)
{
	char dir[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	char *slash;

	if (text_copy(dir, sizeof(dir), path) < 0 ||
	    (slash = strrchr(dir, '/')) == NULL || slash == dir)
		return fault_set(f, FAULT_CONFIG,
		    "%s: a socket needs a directory", path);
	*slash = '\0';
	if (access(dir, F_OK) == 0)
		return check_directory(dir, f);
	if (file_mkdir(dir, 0755, f) < 0)
		return -1;
	if (chmod(dir, 0755) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
	return 0;
}

int
net_listen_local(const char *path, struct fault *f)
{
	struct sockaddr_un address;
	int fd;

	if (address_of(path, &address, f) < 0 || make_directory(path, f) < 0 ||
	    make_way(path, f) < 0 || (fd = new_socket(SOCK_NONBLOCK, f)) < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
	    chmod(path, 0666) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	(void)fault_set(f, FAULT_SYSTEM, "cannot listen on %s: %s", path,
	    strerror(errno));
	(void)close(fd);
	return -1;
}

int
net_peer_uid(int fd, uid_t *uid, struct fault *f)
{
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
	    len != sizeof(who))
		return fault_set(f, FAULT_SYSTEM, "SO_PEERCRED: %s",
		    strerror(errno));
	*uid = who.uid;
	return 0;
}
