#include "maprule/maprule_accounts.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define NAME_SIZE 256
#define TEXT_LIMIT ((size_t)1 << 30)
#define ASK_LIMIT ((size_t)1 << 20) /* bytes of one getpwnam */
#define NOBODY UINT32_MAX	    /* asked for, and not there */

/* A hash table of offsets into ${text}, where names stand with their NULs. */
struct account {
	uint32_t at; /* 1 more than the offset; 0: free */
	uint32_t uid;
};

struct maprule_accounts {
	struct account *slots;
	size_t size; /* a power of two */
	size_t count;
	struct buf text;
	bool closed; /* nobody else is asked */
};

/* FNV-1a: names of accounts come from those who may make accounts. */
static size_t
hash(const char *name)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *name != '\0'; name++)
		h = (h ^ (uint8_t)*name) * 0x100000001b3;
	return (size_t)(h ^ h >> 32);
}

static struct account *
slot_of(const struct maprule_accounts *a, const char *name)
{
	size_t i = hash(name) & (a->size - 1);

	while (a->slots[i].at != 0 &&
	    strcmp((const char *)a->text.data + a->slots[i].at - 1, name) != 0)
		i = (i + 1) & (a->size - 1);
	return &a->slots[i];
}

static int
grow(struct maprule_accounts *a, struct fault *f)
{
	struct account *old = a->slots;
	size_t old_size = a->size;
	size_t size = old_size == 0 ? 256 : old_size * 2;

	if ((a->slots = calloc(size, sizeof(*a->slots))) == NULL) {
		a->slots = old;
		return fault_set(f, FAULT_MEMORY, "no memory for accounts");
	}
	a->size = size;
	for (size_t i = 0; i < old_size; i++)
		if (old[i].at != 0)
			*slot_of(a,
			    (const char *)a->text.data + old[i].at - 1) =
			    old[i];
	free(old);
	return 0;
}

/* The first entry of a name counts, as for getpwnam. */
static int
add(struct maprule_accounts *a, const char *name, uint32_t uid, struct fault *f)
{
	struct account *slot;
	size_t at = a->text.len;

	if ((a->count + 1) * 2 > a->size && grow(a, f) < 0)
		return -1;
	slot = slot_of(a, name);
	if (slot->at != 0)
		return 0;
	buf_put(&a->text, name, strlen(name) + 1);
	if (a->text.failed)
		return fault_set(f, FAULT_MEMORY, "no memory for accounts");
	slot->at = (uint32_t)at + 1;
	slot->uid = uid;
	a->count++;
	return 0;
}

void
maprule_accounts_free(struct maprule_accounts *a)
{
	if (a == NULL)
		return;
	free(a->slots);
	buf_free(&a->text);
	free(a);
}

static struct maprule_accounts *
accounts_new(struct fault *f)
{
	OWN_STRUCT(maprule_accounts) a = calloc(1, sizeof(*a));

	if (a == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no memory for accounts");
		return NULL;
	}
	a->text = BUF(TEXT_LIMIT);
	if (grow(a, f) < 0)
		return NULL;
	return TAKE(a);
}

static int
list_all(struct maprule_accounts *a, struct fault *f)
{
	struct passwd *pw;

	for (errno = 0; (pw = getpwent()) != NULL; errno = 0)
		if (add(a, pw->pw_name, pw->pw_uid, f) < 0)
			return -1;
	if (errno != 0 && errno != ENOENT)
		return fault_set(f, FAULT_SYSTEM,
		    "the accounts of this host cannot be listed: %s",
		    strerror(errno));
	return 0;
}

struct maprule_accounts *
maprule_accounts_open(struct fault *f)
{
	OWN_STRUCT(maprule_accounts) a = accounts_new(f);
	int result;

	if (a == NULL)
		return NULL;
	setpwent();
	result = list_all(a, f);
	endpwent();
	return result < 0 ? NULL : TAKE(a);
}

/* NAME:PASSWORD:UID:... */
static int
read_line(struct maprule_accounts *a, const char *text, size_t len,
    struct fault *f)
{
	char name[NAME_SIZE], digits[16];
	const char *colon = memchr(text, ':', len);
	const char *end = text + len, *uid, *behind;
	int64_t number;

	if (len == 0 || text[0] == '#')
		return 0;
	if (colon == NULL || (size_t)(colon - text) >= sizeof(name) ||
	    memchr(text, '\0', len) != NULL ||
	    (uid = memchr(colon + 1, ':', (size_t)(end - colon - 1))) == NULL)
		return fault_set(f, FAULT_INPUT, "no line of passwd(5)");
	uid++;
	behind = memchr(uid, ':', (size_t)(end - uid));
	if (behind == NULL || (size_t)(behind - uid) >= sizeof(digits))
		return fault_set(f, FAULT_INPUT, "no line of passwd(5)");
	memcpy(digits, uid, (size_t)(behind - uid));
	digits[behind - uid] = '\0';
	if (text_number(digits, 0, UINT32_MAX - 1, &number) < 0)
		return fault_set(f, FAULT_INPUT, "no uid");
	memcpy(name, text, (size_t)(colon - text));
	name[colon - text] = '\0';
	return add(a, name, (uint32_t)number, f);
}

struct maprule_accounts *
maprule_accounts_read(const char *text, size_t len, struct fault *f)
{
	OWN_STRUCT(maprule_accounts) a = accounts_new(f);

	if (a == NULL)
		return NULL;
	a->closed = true;
	for (int number = 1; len > 0; number++) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text);

		if (read_line(a, text, n, f) < 0) {
			(void)fault_wrap(f, "line %d", number);
			return NULL;
		}
		n += newline != NULL;
		text += n;
		len -= n;
	}
	return TAKE(a);
}

/* Others of the ways in getpwnam(3) to say that there is none are also ways to
 * say that nobody could be asked. */
static bool
means_nobody(int error)
{
	return error == 0 || error == ENOENT || error == ESRCH;
}

static int
ask_system(const char *name, uint32_t *uid, struct fault *f)
{
	struct passwd pw, *found = NULL;
	OWN_BUF(room, ASK_LIMIT);

	for (size_t size = 1024;; size *= 2) {
		uint8_t *text = buf_room(&room, size);
		int error;

		if (text == NULL)
			return fault_set(f, FAULT_SYSTEM,
			    "account %s: its entry is too long", name);
		error = getpwnam_r(name, &pw, (char *)text, size, &found);
		if (error == ERANGE)
			continue;
		if (found == NULL && !means_nobody(error))
			return fault_set(f, FAULT_SYSTEM,
			    "account %s cannot be asked for: %s", name,
			    strerror(error));
		*uid = found == NULL ? NOBODY : pw.pw_uid;
		return 0;
	}
}

int
maprule_accounts_find(struct maprule_accounts *a, const char *name, bool ask,
    uint32_t *uid, struct fault *f)
{
	const struct account *slot = slot_of(a, name);
	uint32_t found = NOBODY;

	if (slot->at != 0) {
		found = slot->uid;
	} else if (ask && !a->closed) {
		if (ask_system(name, &found, f) < 0 ||
		    add(a, name, found, f) < 0)
			return -1;
	}
	if (found == NOBODY)
		return 0;
	*uid = found;
	return 1;
}

bool
maprule_account_root(const char *name)
{
	return strcmp(name, "root") == 0 ||
	    (name[0] != '\0' && name[strspn(name, "0")] == '\0');
}

bool
maprule_account_good(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= NAME_SIZE || name[0] == '-' || name[0] == '.')
		return false;
	for (; *name != '\0'; name++)
		if (*name <= ' ' || *name > '~' ||
		    strchr(",#\"\\/:'", *name) != NULL)
			return false;
	return true;
}
