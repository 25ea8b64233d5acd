/* backup: all that makes a CA, in one sealed file. */
#include "ca_backup.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ledger/ledger.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_new.h"
#include "signet-ca/base/ca_phrase.h"
#include "signet-ca/ledger/ca_book.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PART_MOST (1u << 20)
#define ABOUT_MOST 65536
#define STEP 65536
#define SHOWN_FROM ((uint64_t)16 << 20) /* what takes less is not shown */

/* What is being made. */
struct making {
	const struct ca_args *args;
	struct ca_dir *d; /* owned */
	struct ca_new place;
	char ledger[PATH_MAX];
	char copy[PATH_MAX];   /* of the ledger */
	char sealed[PATH_MAX]; /* the file, until it has its name */
	bool signed_nothing;   /* there is no ledger yet */
	uint64_t entries;
	char head[65];
};

struct secret *
ca_backup_phrase(const char *fd, bool fresh, struct fault *f)
{
	struct secret *phrase;

	if (!fresh)
		return ca_phrase_ask("the backup", fd, f);
	return ca_phrase_new(false, fd, "the backup", &phrase, f) < 0 ? NULL
								      : phrase;
}

/* A backup holds what is in the directory: settings that lead out of it would
 * lead elsewhere on another machine. */
static int
check_names(const struct ca_dir *d, struct fault *f)
{
	const struct authority_conf *conf = &d->authority.conf;

	if (strcmp(conf->certificate, "ca.pem") == 0 &&
	    (ca_dir_in_token(d) || strcmp(conf->key, "ca.key") == 0) &&
	    strcmp(conf->chain, "chain.pem") == 0)
		return 0;
	return fault_set(f, FAULT_CONFIG,
	    "%s/ca.conf keeps certificate, key or chain elsewhere; a backup "
	    "is of ca.pem, ca.key and chain.pem in the directory",
	    d->path);
}

/* The ledger as it is at one moment, whoever writes in it; and whole.  A CA
 * that has signed nothing yet has none. */
static int
copy_ledger(struct making *m, struct fault *f)
{
	OWN_STRUCT(ledger) l = ledger_open_read(m->ledger, f);
	OWN_STRUCT(ledger) copy = NULL;

	m->signed_nothing =
	    l == NULL && f->code == FAULT_ABSENT && m->args->ledger == NULL;
	if (m->signed_nothing)
		return 0;
	if (l == NULL || ledger_copy(l, m->copy, f) < 0)
		return -1;
	if ((copy = ledger_open_read(m->copy, f)) == NULL)
		return -1;
	return ledger_check(copy, m->head, &m->entries, f);
}

static void
show_progress(const char *what, uint64_t done, uint64_t size)
{
	if (size < SHOWN_FROM || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%s: %3d %%%s", what, (int)(done * 100 / size),
	    done == size ? "\n" : "");
}

int
ca_backup_put_file(struct bundle_out *b, enum bundle_part part, int fd,
    uint64_t size, struct fault *f)
{
	OWN(char) some = malloc(STEP);
	uint64_t done = 0;

	if (some == NULL)
		return fault_set(f, FAULT_MEMORY, "%s", bundle_name(part));
	if (bundle_begin(b, part, size, f) < 0)
		return -1;
	for (;;) {
		ssize_t got = read(fd, some, STEP);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(f, FAULT_SYSTEM, "%s: %s",
			    bundle_name(part), strerror(errno));
		if (got == 0)
			return 0;
		if (bundle_put(b, some, (size_t)got, f) < 0)
			return fault_wrap(f, "%s", bundle_name(part));
		done += (uint64_t)got;
		show_progress(bundle_name(part), done, size);
	}
}

static int
put_buf(struct bundle_out *b, enum bundle_part part, const struct buf *data,
    struct fault *f)
{
	if (data->failed)
		return fault_set(f, FAULT_MEMORY, "%s", bundle_name(part));
	if (bundle_begin(b, part, data->len, f) < 0)
		return -1;
	return bundle_put(b, data->data, data->len, f);
}

static int
put_about(const struct making *m, struct bundle_out *b, struct fault *f)
{
	OWN_BUF(about, ABOUT_MOST);
	char made[CLOCK_TEXT_SIZE];

	clock_text(clock_wall(), made);
	buf_fmt(&about, "made %s\n", made);
	buf_fmt(&about, "signet %s\n", SIGNET_VERSION);
	buf_fmt(&about, "entries %llu\n", (unsigned long long)m->entries);
	buf_fmt(&about, "head %s\n", m->head);
	return put_buf(b, BUNDLE_ABOUT, &about, f);
}

/* A small file of the CA; one that it need not have may be absent. */
static int
put_small(const struct making *m, struct bundle_out *b, enum bundle_part part,
    struct fault *f)
{
	bool private = part == BUNDLE_KEY || part == BUNDLE_LOG_KEY;
	bool optional = part == BUNDLE_CHAIN || part == BUNDLE_LOG_KEY;
	OWN_BUF(data, PART_MOST);
	char path[PATH_MAX];
	int result;

	if (part == BUNDLE_KEY && ca_dir_in_token(m->d))
		return 0;
	if (ca_dir_path(m->d, bundle_name(part), path, sizeof(path), f) < 0)
		return -1;
	result = private ? file_read_private(path, &data, f)
			 : file_read(path, &data, f);
	if (result < 0)
		return optional && f->code == FAULT_ABSENT ? 0 : -1;
	return put_buf(b, part, &data, f);
}

static int
put_ledger(const struct making *m, struct bundle_out *b, struct fault *f)
{
	int fd = open(m->copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	int result;

	if (fd < 0 || fstat(fd, &st) < 0) {
		(void)fault_set(f, FAULT_SYSTEM, "%s: %s", m->copy,
		    strerror(errno));
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	result =
	    ca_backup_put_file(b, BUNDLE_LEDGER, fd, (uint64_t)st.st_size, f);
	(void)close(fd);
	return result;
}

static int
put_all(const struct making *m, int fd, const struct secret *phrase,
    struct fault *f)
{
	OWN_STRUCT(seal_out) seal = seal_out_new(fd, phrase, f);
	struct bundle_out b = { .seal = seal };

	if (seal == NULL || put_about(m, &b, f) < 0)
		return -1;
	for (enum bundle_part p = BUNDLE_CONF; p < BUNDLE_LEDGER; p++)
		if (put_small(m, &b, p, f) < 0)
			return -1;
	if (!m->signed_nothing && put_ledger(m, &b, f) < 0)
		return -1;
	return bundle_end(&b, f);
}

/* What was written can be read: media that forget show it now. */
static int
read_back(int fd, const struct secret *phrase, struct fault *f)
{
	OWN_STRUCT(seal_in) seal = NULL;
	struct bundle_in b = { 0 };
	enum bundle_part part;
	uint64_t size;
	int found;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return fault_set(f, FAULT_SYSTEM, "lseek: %s", strerror(errno));
	if ((seal = seal_in_new(fd, phrase, f)) == NULL)
		return -1;
	b.seal = seal;
	while ((found = bundle_next(&b, &part, &size, f)) == 1)
		continue;
	return found < 0 ? fault_wrap(f, "reading it back") : 0;
}

static int
write_sealed(const struct making *m, const struct secret *phrase,
    struct fault *f)
{
	int fd = open(m->sealed,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	int result;

	if (fd < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", m->sealed,
		    strerror(errno));
	result = put_all(m, fd, phrase, f);
	if (result == 0 && fsync(fd) < 0)
		result = fault_set(f, FAULT_SYSTEM, "%s: %s", m->sealed,
		    strerror(errno));
	if (result == 0)
		result = read_back(fd, phrase, f);
	if (close(fd) < 0 && result == 0)
		result = fault_set(f, FAULT_SYSTEM, "%s: %s", m->sealed,
		    strerror(errno));
	return result;
}

static int
prepare(struct making *m, struct fault *f)
{
	const struct ca_args *args = m->args;

	if (cmd_need(args->out, "--out", f) < 0 ||
	    (m->d = ca_dir_open(args->operand[0], f)) == NULL ||
	    check_names(m->d, f) < 0 ||
	    ca_dir_ledger(m->d, args->ledger, m->ledger, sizeof(m->ledger), f) <
		0)
		return -1;
	return 0;
}

/* All happens in FILE.new, of which a killed one leaves nothing that the next
 * does not take away; the file gets its name when it is whole. */
static int
make(struct making *m, const struct secret *phrase, struct fault *f)
{
	if (authority_path(m->place.temporary, "ledger.db", m->copy,
		sizeof(m->copy), f) < 0 ||
	    authority_path(m->place.temporary, "backup", m->sealed,
		sizeof(m->sealed), f) < 0 ||
	    copy_ledger(m, f) < 0 || write_sealed(m, phrase, f) < 0)
		return -1;
	if (renameat2(AT_FDCWD, m->sealed, AT_FDCWD, m->place.path,
		RENAME_NOREPLACE) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", m->place.path,
		    strerror(errno));
	return 0;
}

int
ca_backup(const struct ca_args *args, struct fault *f)
{
	struct making *m = calloc(1, sizeof(*m));
	OWN_STRUCT(secret) phrase = NULL;
	int result = -1;

	if (m == NULL)
		return fault_set(f, FAULT_MEMORY, "backup");
	m->args = args;
	if (prepare(m, f) == 0 &&
	    (phrase = ca_backup_phrase(args->passphrase_fd, true, f)) != NULL &&
	    ca_new_begin(&m->place, args->out, f) == 0) {
		result = make(m, phrase, f);
		ca_new_cancel(&m->place);
		if (result == 0)
			result = file_sync_directory(m->place.path, f);
	}
	if (result == 0 && m->signed_nothing)
		printf("%s: backup of %s, which has signed nothing\n",
		    m->place.path, m->d->authority.conf.name);
	else if (result == 0)
		printf("%s: backup of %s, %llu entries, head %s\n",
		    m->place.path, m->d->authority.conf.name,
		    (unsigned long long)m->entries, m->head);
	if (result == 0 && ca_dir_in_token(m->d))
		printf("The key is not in it: it stays in its token, %s\n",
		    m->d->authority.conf.key);
	ca_dir_free(m->d);
	free(m);
	return result;
}
