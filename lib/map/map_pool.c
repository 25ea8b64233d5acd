#include "map/map_pool.h"

#include "base/fault.h"
#include "base/text.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Another's lease of the same account ends in this time: it links, looks, and
 * unlinks (see settle). */
#define SETTLE_TRIES 50
#define SETTLE_WAIT_US 2000

struct pool {
	int fd; /* of the directory; locked by those who change it */
};

static bool
is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static uint8_t
lower(uint8_t c)
{
	return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

void
map_pool_key(const char *dn, struct buf *key)
{
	for (; *dn != '\0'; dn++) {
		uint8_t c = lower((uint8_t)*dn);

		if (is_plain(c))
			buf_put_u8(key, c);
		else
			buf_fmt(key, "%%%02x", (unsigned)c);
	}
}

static int
lease_name(const char *dn, char name[NAME_MAX + 1], struct fault *f)
{
	OWN_BUF(key, NAME_MAX + 1);

	if (dn[0] != '/')
		return fault_set(f, FAULT_INPUT, "not a name");
	map_pool_key(dn, &key);
	if (buf_cstr(&key) == NULL ||
	    text_copy(name, NAME_MAX + 1, buf_cstr(&key)) < 0)
		return fault_set(f, FAULT_NAME,
		    "the name is too long for a gridmapdir");
	return 0;
}

static int
pool_open(struct pool *p, const char *dir, bool change, struct fault *f)
{
	p->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
	while (change && flock(p->fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", dir,
		    strerror(errno));
		(void)close(p->fd);
		return -1;
	}
	return 0;
}

static void
pool_close(struct pool *p)
{
	(void)close(p->fd);
}

/* The file itself, never what a symbolic link leads to. */
static int
look(const struct pool *p, const char *name, struct stat *st)
{
	return fstatat(p->fd, name, st, AT_SYMLINK_NOFOLLOW);
}

static bool
is_account(const char *name)
{
	return name[0] != '\0' && strchr("%.~", name[0]) == NULL &&
	    strcmp(name, "root") != 0 && strlen(name) < MAP_POOL_ACCOUNT_SIZE;
}

/* ${prefix} and digits: not of another pool whose name begins so. */
static bool
is_of(const char *name, const char *prefix)
{
	const char *rest;

	if (!is_account(name))
		return false;
	if (prefix == NULL)
		return true;
	if (!text_starts(name, prefix))
		return false;
	rest = name + strlen(prefix);
	return rest[0] != '\0' && rest[strspn(rest, "0123456789")] == '\0';
}

/* Each name in the directory; what ${fn} returns, if not 0, ends it. */
typedef int name_fn(struct pool *p, const char *name, void *arg);

static int
each_name(struct pool *p, name_fn *fn, void *arg, struct fault *f)
{
	int copy = openat(p->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *entry;
	int said = 0;

	if (dir == NULL) {
		(void)fault_set(f, FAULT_SYSTEM, "gridmapdir: %s",
		    strerror(errno));
		if (copy >= 0)
			(void)close(copy);
		return -1;
	}
	errno = 0;
	while (said == 0 && (entry = readdir(dir)) != NULL) {
		said = fn(p, entry->d_name, arg);
		errno = 0;
	}
	if (said == 0 && errno != 0)
		said = fault_set(f, FAULT_SYSTEM, "gridmapdir: %s",
		    strerror(errno));
	(void)closedir(dir);
	return said;
}

/* Another link of a file. */
struct sought {
	struct stat st;
	bool lease; /* of a DN, else of an account */
	char name[NAME_MAX + 1];
};

static int
match_link(struct pool *p, const char *name, void *arg)
{
	struct sought *s = arg;
	struct stat st;

	if ((name[0] == '%') != s->lease || (!s->lease && !is_account(name)) ||
	    look(p, name, &st) < 0 || st.st_ino != s->st.st_ino)
		return 0;
	return text_copy(s->name, sizeof(s->name), name) == 0;
}

/* The other name of ${name}: 1, 0 if there is none, -1. */
static int
other_link(struct pool *p, struct sought *s, struct fault *f)
{
	return each_name(p, match_link, s, f);
}

/*
 * Wait until the links of ${name} are two: a lease that stands.  Whoever takes
 * a free account links it, looks whether another did too, and unlinks if so;
 * both may see three for a moment.  How many there are then; 0: it is not
 * there.
 */
static nlink_t
settle(struct pool *p, const char *name, struct stat *st)
{
	for (int i = 0; i < SETTLE_TRIES; i++) {
		if (look(p, name, st) < 0)
			return 0;
		if (!S_ISREG(st->st_mode))
			return 1;
		if (st->st_nlink <= 2)
			break;
		(void)usleep(SETTLE_WAIT_US);
	}
	return st->st_nlink;
}

/*
 * The account that is leased as ${lease}: 1, 0 or -1.  *stale: the lease is
 * there and stands for nothing.  Three links that stay were left by one who
 * knows no lock and was killed between linking and looking: who of the two had
 * the account before cannot be told, so neither has it.
 */
static int
find_held(struct pool *p, const char *lease,
    char account[MAP_POOL_ACCOUNT_SIZE], bool *stale, struct fault *f)
{
	struct sought s = { .lease = false };
	nlink_t links = settle(p, lease, &s.st);
	int found = 0;

	*stale = false;
	if (links == 0)
		return 0;
	if (links > 2)
		return fault_set(f, FAULT_DENIED,
		    "gridmapdir: %s: its account has another holder too: "
		    "remove one of the links",
		    lease);
	if (links == 2)
		found = other_link(p, &s, f);
	if (found < 0)
		return -1;
	*stale = found == 0;
	if (found == 1 && text_copy(account, MAP_POOL_ACCOUNT_SIZE, s.name) < 0)
		return fault_set(f, FAULT_INPUT, "an account's name");
	return found;
}

static int
wrong_pool(const char *account, struct fault *f)
{
	return fault_set(f, FAULT_DENIED,
	    "the name has %s already, of another pool", account);
}

int
map_pool_find(const char *dir, const char *prefix, const char *dn,
    char account[MAP_POOL_ACCOUNT_SIZE], struct fault *f)
{
	char lease[NAME_MAX + 1], held[MAP_POOL_ACCOUNT_SIZE] = "";
	struct pool p;
	bool stale;
	int found;

	if (lease_name(dn, lease, f) < 0 || pool_open(&p, dir, false, f) < 0)
		return -1;
	found = find_held(&p, lease, held, &stale, f);
	pool_close(&p);
	if (found < 0)
		return -1;
	if (found == 0 || !is_of(held, prefix))
		return fault_set(f, FAULT_ABSENT,
		    "the name has no account of this pool");
	memcpy(account, held, sizeof(held));
	return 0;
}

/* Who wants an account. */
struct claim {
	const char *prefix;
	const char *lease;
	char account[NAME_MAX + 1];
	int error; /* of the system; 0 */
};

/* Take ${name} if it is free: 1, or 0. */
static int
take(struct pool *p, const char *name, void *arg)
{
	struct claim *c = arg;
	struct stat st;

	if (!is_of(name, c->prefix) || look(p, name, &st) < 0 ||
	    !S_ISREG(st.st_mode) || st.st_nlink != 1)
		return 0;
	if (linkat(p->fd, name, p->fd, c->lease, 0) < 0) {
		c->error = errno;
		return errno != ENOENT;
	}
	/* One of the Toolkit's may have linked it too: then neither has it. */
	if (look(p, c->lease, &st) == 0 && st.st_nlink == 2)
		return text_copy(c->account, sizeof(c->account), name) == 0;
	(void)unlinkat(p->fd, c->lease, 0);
	return 0;
}

/* A free account for a lease that is not there. */
static int
take_free(struct pool *p, struct claim *c, struct fault *f)
{
	int got = each_name(p, take, c, f);

	if (got < 0)
		return -1;
	if (c->error == EEXIST)
		return 0;
	if (c->error != 0 && c->account[0] == '\0')
		return fault_set(f, FAULT_SYSTEM, "gridmapdir: %s",
		    strerror(c->error));
	if (c->account[0] == '\0')
		return fault_set(f, FAULT_ABSENT,
		    "no account of the pool %s is free", c->prefix);
	if (fsync(p->fd) < 0)
		return fault_set(f, FAULT_SYSTEM, "gridmapdir: %s",
		    strerror(errno));
	return 1;
}

/*
 * What ${lease} holds, or a free account: 1, 0 (one that knows no lock was
 * there before us: look again), -1.
 */
static int
hold(struct pool *p, const char *prefix, const char *lease,
    char account[MAP_POOL_ACCOUNT_SIZE], struct fault *f)
{
	struct claim c = { .prefix = prefix, .lease = lease };
	char held[MAP_POOL_ACCOUNT_SIZE];
	bool stale;
	int found = find_held(p, lease, held, &stale, f);

	if (found < 0)
		return -1;
	if (found == 1) {
		if (!is_of(held, prefix))
			return wrong_pool(held, f);
		(void)utimensat(p->fd, lease, NULL, AT_SYMLINK_NOFOLLOW);
		memcpy(account, held, sizeof(held));
		return 1;
	}
	if (stale && unlinkat(p->fd, lease, 0) < 0 && errno != ENOENT)
		return fault_set(f, FAULT_SYSTEM, "gridmapdir: %s",
		    strerror(errno));
	if ((found = take_free(p, &c, f)) == 1) {
		(void)utimensat(p->fd, lease, NULL, AT_SYMLINK_NOFOLLOW);
		if (text_copy(account, MAP_POOL_ACCOUNT_SIZE, c.account) < 0)
			return fault_set(f, FAULT_INPUT, "an account's name");
	}
	return found;
}

int
map_pool_lease(const char *dir, const char *prefix, const char *dn,
    char account[MAP_POOL_ACCOUNT_SIZE], struct fault *f)
{
	char lease[NAME_MAX + 1];
	struct pool p;
	int got = 0;

	if (prefix[0] == '\0')
		return fault_set(f, FAULT_INPUT, "a pool has a name");
	if (lease_name(dn, lease, f) < 0 || pool_open(&p, dir, true, f) < 0)
		return -1;
	for (int i = 0; got == 0 && i < SETTLE_TRIES; i++)
		got = hold(&p, prefix, lease, account, f);
	pool_close(&p);
	if (got == 0)
		return fault_set(f, FAULT_BUSY, "gridmapdir: too many at once");
	return got < 0 ? -1 : 0;
}

int
map_pool_release(const char *dir, const char *dn, struct fault *f)
{
	char lease[NAME_MAX + 1];
	struct pool p;
	int error = 0;

	if (lease_name(dn, lease, f) < 0 || pool_open(&p, dir, true, f) < 0)
		return -1;
	if (unlinkat(p.fd, lease, 0) < 0 || fsync(p.fd) < 0)
		error = errno;
	pool_close(&p);
	if (error == 0)
		return 0;
	return fault_set(f, error == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM,
	    "gridmapdir: %s", strerror(error));
}

/* The DN that ${lease} is named by. */
static int
put_dn(const char *lease, struct buf *dn, struct fault *f)
{
	while (*lease != '\0') {
		char hex[3] = { 0 };
		uint8_t byte = (uint8_t)*lease++;

		if (byte == '%') {
			memcpy(hex, lease, strnlen(lease, 2));
			if (text_unhex(hex, &byte, 1) != 1 || byte == '\0')
				return fault_set(f, FAULT_INPUT,
				    "a lease whose name is none");
			lease += 2;
		}
		buf_put_u8(dn, byte);
	}
	if (buf_cstr(dn) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a name");
	return 0;
}

static int
put_holder(struct pool *p, const char *account, struct buf *dn, struct fault *f)
{
	struct sought s = { .lease = true };
	int found = 0;

	if (is_account(account) && look(p, account, &s.st) == 0 &&
	    S_ISREG(s.st.st_mode) && s.st.st_nlink == 2)
		found = other_link(p, &s, f);
	if (found < 0)
		return -1;
	if (found == 0)
		return fault_set(f, FAULT_ABSENT, "nobody has %s of a pool",
		    account);
	return put_dn(s.name, dn, f);
}

int
map_pool_holder(const char *dir, const char *account, struct buf *dn,
    struct fault *f)
{
	struct pool p;
	int result;

	if (strchr(account, '/') != NULL)
		return fault_set(f, FAULT_ABSENT, "not an account");
	if (pool_open(&p, dir, false, f) < 0)
		return -1;
	result = put_holder(&p, account, dn, f);
	pool_close(&p);
	return result;
}

/* Every name of the directory with its file. */
struct member {
	ino_t inode;
	time_t used;
	bool lease;
	char *name;
};

struct members {
	struct member *at;
	size_t count;
	size_t room;
	bool failed;
};

static int
add_member(struct pool *p, const char *name, void *arg)
{
	struct members *m = arg;
	struct stat st;

	if ((name[0] != '%' && !is_account(name)) || look(p, name, &st) < 0 ||
	    !S_ISREG(st.st_mode))
		return 0;
	if (m->count == m->room) {
		size_t room = m->room > 0 ? 2 * m->room : 64;
		struct member *more =
		    reallocarray(m->at, room, sizeof(m->at[0]));

		if (more == NULL) {
			m->failed = true;
			return 1;
		}
		m->at = more;
		m->room = room;
	}
	m->at[m->count] = (struct member){ st.st_ino, st.st_mtim.tv_sec,
		name[0] == '%', strdup(name) };
	m->failed = m->at[m->count].name == NULL;
	m->count += !m->failed;
	return m->failed;
}

static void
members_free(struct members *m)
{
	for (size_t i = 0; i < m->count; i++)
		free(m->at[i].name);
	free(m->at);
}

static int
by_name(const void *a, const void *b)
{
	const struct member *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static int
by_inode(const void *a, const void *b)
{
	const struct member *left = *(const struct member *const *)a,
			    *right = *(const struct member *const *)b;

	return (left->inode > right->inode) - (left->inode < right->inode);
}

/* The leases, by the file they are links of. */
static struct member **
leases_of(struct members *m, size_t *count)
{
	struct member **leases = calloc(m->count + 1, sizeof(void *));

	*count = 0;
	for (size_t i = 0; leases != NULL && i < m->count; i++) {
		if (m->at[i].lease)
			leases[(*count)++] = &m->at[i];
	}
	if (leases != NULL)
		qsort(leases, *count, sizeof(void *), by_inode);
	return leases;
}

static int
tell_members(struct members *m, map_pool_fn *fn, void *arg, struct fault *f)
{
	struct member **leases;
	size_t count;
	int said = 0;

	if (m->count > 0)
		qsort(m->at, m->count, sizeof(m->at[0]), by_name);
	if ((leases = leases_of(m, &count)) == NULL)
		return fault_set(f, FAULT_MEMORY, "no memory for a pool");
	for (size_t i = 0; said == 0 && i < m->count; i++) {
		OWN_BUF(dn, NAME_MAX + 1);
		struct member *key = &m->at[i], **lease;
		struct map_pool_entry entry = { key->name, "", key->used };

		if (key->lease)
			continue;
		lease = bsearch(&key, leases, count, sizeof(void *), by_inode);
		if (lease != NULL &&
		    (said = put_dn((*lease)->name, &dn, f)) < 0)
			break;
		if (lease != NULL)
			entry.dn = buf_cstr(&dn);
		said = fn(arg, &entry);
	}
	free(leases);
	return said;
}

int
map_pool_each(const char *dir, map_pool_fn *fn, void *arg, struct fault *f)
{
	struct members m = { 0 };
	struct pool p;
	int said;

	if (pool_open(&p, dir, false, f) < 0)
		return -1;
	said = each_name(&p, add_member, &m, f);
	pool_close(&p);
	if (m.failed)
		said = fault_set(f, FAULT_MEMORY, "no memory for a pool");
	if (said >= 0)
		said = tell_members(&m, fn, arg, f);
	members_free(&m);
	return said;
}
