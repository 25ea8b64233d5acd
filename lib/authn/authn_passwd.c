#include "authn/authn.h"
#include "authn/authn_passwd_line.h"
#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <crypt.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX 16777216
#define SETTING "$y$"
#define DECOY "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$"

/* crypt_r's 32 KiB to work in, which sees the pass phrase. */
struct scratch {
	struct crypt_data data;
};

static void
scratch_free(struct scratch *w)
{
	explicit_bzero(w, sizeof(*w));
	free(w);
}

OWN_FREE_STRUCT(scratch, scratch_free)

/* What others can read, others can guess passwords from at leisure. */
static int
check_mode(int fd, const char *path, struct fault *f)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0007) != 0)
		return fault_set(f, FAULT_DENIED,
		    "%s is open to everybody: chmod o= %s", path, path);
	return 0;
}

static int
read_users(const char *path, struct buf *users, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int result;

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	result = check_mode(fd, path, f);
	if (result == 0)
		result = file_read_fd(fd, path, users, f);
	(void)close(fd);
	return result;
}

/* Whether libxcrypt still calls the method of ${hash} a good one. */
static bool
is_sound(const char *hash)
{
	return hash[0] == '$' && crypt_checksalt(hash) == CRYPT_SALT_OK;
}

static bool
find(const struct buf *users, const char *user, struct authn_passwd_line *line)
{
	struct wire_in file = { .at = users->data, .left = users->len };
	struct wire_bytes raw;
	int said;

	while (authn_passwd_next(&file, &raw, &said, line))
		if (said == 1 && strcmp(line->user, user) == 0)
			return true;
	return false;
}

/*
 * What an unknown user's pass phrase is hashed with: the salt and cost of the
 * first user of the file, since that is what a known user costs here.
 */
static void
decoy(const struct buf *users, struct authn_passwd_line *line)
{
	struct wire_in file = { .at = users->data, .left = users->len };
	struct wire_bytes raw;
	int said;

	while (authn_passwd_next(&file, &raw, &said, line))
		if (said == 1 && is_sound(line->hash))
			return;
	memcpy(line->hash, DECOY, sizeof(DECOY));
}

/* In time that does not depend on where they differ. */
static bool
same_hash(const char *a, const char *b)
{
	size_t len = strlen(a);
	uint8_t differ = 0;

	if (len != strlen(b))
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (uint8_t)(a[i] ^ b[i]);
	return differ == 0;
}

/* Whether ${phrase} hashes to ${hash}; -1 when it cannot be hashed. */
static int
hashes_to(const struct secret *phrase, const char *hash, bool *same,
    struct fault *f)
{
	OWN_STRUCT(scratch) w = calloc(1, sizeof(*w));
	const char *made;

	if (w == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for crypt(3)");
	made = crypt_r(secret_text(phrase), hash, &w->data);
	if (made == NULL || made[0] == '*')
		return fault_set(f,
		    errno == ENOMEM ? FAULT_MEMORY : FAULT_LOGIN, "crypt: %s",
		    strerror(errno));
	*same = same_hash(made, hash);
	return 0;
}

int
authn_passwd(const char *path, const char *user, const struct secret *phrase,
    struct fault *f)
{
	OWN_BUF(users, FILE_MAX);
	struct authn_passwd_line line;
	const char *wrong = NULL;
	bool same = false;

	if (read_users(path, &users, f) < 0)
		return -1;
	if (!find(&users, user, &line))
		wrong = "no such user";
	else if (!is_sound(line.hash))
		wrong = "locked, or hashed by a method that is not safe";
	/* crypt(3) would stop at a NUL, and take the rest for granted. */
	else if (strlen(secret_text(phrase)) != secret_len(phrase))
		wrong = "NUL in the password";
	if (wrong != NULL)
		decoy(&users, &line);
	if (hashes_to(phrase, line.hash, &same, f) < 0)
		return -1;
	if (wrong == NULL && !same)
		wrong = "wrong password";
	if (wrong != NULL)
		return fault_set(f, FAULT_LOGIN, "%s", wrong);
	return 0;
}

/* "user:hash\n", with a salt of our own. */
static int
make_line(const char *user, const struct secret *phrase, struct buf *out,
    struct fault *f)
{
	OWN_STRUCT(scratch) w = calloc(1, sizeof(*w));
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];
	const char *made;

	if (w == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for crypt(3)");
	if (!authn_passwd_user_ok(user))
		return fault_set(f, FAULT_USAGE,
		    "a user name is 1 to %d bytes without ':' and control "
		    "characters",
		    AUTHN_USER_SIZE - 1);
	if (secret_len(phrase) == 0 ||
	    strlen(secret_text(phrase)) != secret_len(phrase))
		return fault_set(f, FAULT_USAGE, "empty password");
	if (crypt_gensalt_rn(SETTING, 0, NULL, 0, setting, sizeof(setting)) ==
	    NULL)
		return fault_set(f, FAULT_SYSTEM, "crypt_gensalt: %s",
		    strerror(errno));
	made = crypt_r(secret_text(phrase), setting, &w->data);
	if (made == NULL || made[0] == '*')
		return fault_set(f, FAULT_USAGE, "the password is too long");
	buf_fmt(out, "%s:%s\n", user, made);
	return 0;
}

/* All lines of ${old}, that of ${user} replaced by ${line} or ${line} added. */
static void
replace_line(const struct buf *old, const char *user, const struct buf *line,
    struct buf *out)
{
	struct wire_in file = { .at = old->data, .left = old->len };
	struct authn_passwd_line entry;
	struct wire_bytes raw;
	bool done = false;
	int said;

	while (authn_passwd_next(&file, &raw, &said, &entry)) {
		if (said == 1 && strcmp(entry.user, user) == 0) {
			/* A second line of the same user goes. */
			buf_put(out, line->data, done ? 0 : line->len);
			done = true;
			continue;
		}
		buf_put(out, raw.data, raw.len);
		buf_put_u8(out, '\n');
	}
	buf_put(out, line->data, done ? 0 : line->len);
}

/* Put ${out} in the place of ${path}, which was as ${st} says. */
static int
rewrite(const char *path, const struct stat *st, const struct buf *out,
    struct fault *f)
{
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "%s is too large", path);
	if (file_write(path, st->st_mode & 0770, out->data, out->len, f) < 0)
		return -1;
	/* root edits the file of the user that the workers are. */
	if (lchown(path, st->st_uid, st->st_gid) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

/*
 * The directory of ${path}, locked against a second editor until it is closed;
 * ${st} is how the file is, or, if there is none, how it is to be: the
 * directory's owner's alone, for he is the one who is to read it.
 */
static int
lock_and_look(const char *path, struct stat *st, bool *exists, struct fault *f)
{
	char directory[PATH_MAX];
	char *slash;
	int fd;

	if (text_copy(directory, sizeof(directory), path) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	if ((slash = strrchr(directory, '/')) == NULL)
		memcpy(directory, ".", 2);
	else
		slash[slash == directory ? 1 : 0] = '\0';
	fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, st) < 0) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", directory,
		    strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	st->st_mode = 0600;
	if (geteuid() != 0) {
		st->st_uid = geteuid();
		st->st_gid = getegid();
	}
	*exists = stat(path, st) == 0;
	return fd;
}

static int
set_line(const char *path, const char *user, const struct buf *line,
    const struct stat *st, bool exists, struct fault *f)
{
	OWN_BUF(old, FILE_MAX);
	OWN_BUF(out, FILE_MAX);

	if (exists && read_users(path, &old, f) < 0)
		return -1;
	replace_line(&old, user, line, &out);
	return rewrite(path, st, &out, f);
}

int
authn_passwd_set(const char *path, const char *user,
    const struct secret *phrase, struct fault *f)
{
	OWN_BUF(line, AUTHN_USER_SIZE + AUTHN_HASH_SIZE);
	struct stat st;
	bool exists = false;
	int lock, result;

	if (make_line(user, phrase, &line, f) < 0)
		return -1;
	if (line.failed)
		return fault_set(f, FAULT_MEMORY, "%s is too large", path);
	if ((lock = lock_and_look(path, &st, &exists, f)) < 0)
		return -1;
	result = set_line(path, user, &line, &st, exists, f);
	(void)close(lock);
	return result;
}

int
authn_passwd_delete(const char *path, const char *user, struct fault *f)
{
	OWN_BUF(old, FILE_MAX);
	OWN_BUF(out, FILE_MAX);
	const struct buf nothing = { 0 };
	struct authn_passwd_line line;
	struct stat st;
	bool exists = false;
	int lock = lock_and_look(path, &st, &exists, f);
	int result;

	if (lock < 0)
		return -1;
	result = read_users(path, &old, f);
	if (result == 0 && !find(&old, user, &line))
		result = fault_set(f, FAULT_ABSENT, "%s: no user \"%s\"", path,
		    user);
	if (result == 0) {
		replace_line(&old, user, &nothing, &out);
		result = rewrite(path, &st, &out, f);
	}
	(void)close(lock);
	return result;
}
