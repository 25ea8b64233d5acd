/* restore: a CA from its backup, which goes on above all that it ever did. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_backup.h"
#include "ca_since.h"
#include "ledger/ledger.h"
#include "ledger/log_key.h"
#include "signet-ca/base/ca_args.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_new.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is being restored. */
struct restoring {
	const struct ca_args *args;
	struct ca_new place;
	struct ca_contents *c; /* owned */
	struct ca_dir *d;      /* owned: in the place's temporary name */
	struct ca_since since;
	bool encrypted;
	uint64_t entries;
	char head[65];
};

/* The book: whole, and told what it cannot know. */
static int
mend_ledger(struct restoring *r, struct fault *f)
{
	char path[PATH_MAX], log_key[PATH_MAX];
	OWN_STRUCT(ledger) l = NULL;

	if (ca_dir_path(r->d, "ledger.db", path, sizeof(path), f) < 0 ||
	    ca_dir_path(r->d, "log.key", log_key, sizeof(log_key), f) < 0 ||
	    (l = ledger_open(path, NULL, f)) == NULL ||
	    ledger_check(l, r->head, &r->entries, f) < 0)
		return -1;
	return ca_since_apply(r->args, r->d, l, log_key, &r->since, f);
}

/* The public half of the log key is not in the backup: it is made again. */
static int
write_log_pub(const struct restoring *r, struct fault *f)
{
	OWN_BUF(pem, LOG_FILE_MAX);
	OWN_BUF(line, LOG_FILE_MAX);
	OWN_STRUCT(log_key) key = NULL;
	char path[PATH_MAX];

	if (!r->c->has[BUNDLE_LOG_KEY])
		return 0;
	if (ca_dir_path(r->d, "log.key", path, sizeof(path), f) < 0 ||
	    file_read_private(path, &pem, f) < 0 ||
	    (key = log_key_read(pem.data, pem.len, r->d->authority.conf.name,
		 f)) == NULL ||
	    log_pub_write(log_key_pub(key), &line, f) < 0 ||
	    ca_dir_path(r->d, "log.pub", path, sizeof(path), f) < 0)
		return -1;
	return file_write_new(path, 0644, line.data, line.len, f);
}

/* A key that is in no backup is seen to be where ca.conf says. */
static int
check_token(struct restoring *r, struct fault *f)
{
	if (!ca_dir_in_token(r->d) || r->args->without_token)
		return 0;
	if (ca_dir_unlock_token(r->d, false, f) == 0)
		return 0;
	return fault_wrap(f,
	    "the key is in no backup (--without-token "
	    "restores without it)");
}

static int
fill(struct restoring *r, struct fault *f)
{
	const char *dir = r->place.temporary;

	r->c = ca_backup_open(r->args->operand[0], r->args->passphrase_fd, dir,
	    true, f);
	if (r->c == NULL || (r->d = ca_dir_open(dir, f)) == NULL ||
	    ca_contents_check_key(r->c, r->d, &r->encrypted, f) < 0 ||
	    ca_since_given(r->args, r->d->authority.serial_random, f) < 0 ||
	    check_token(r, f) < 0 || write_log_pub(r, f) < 0)
		return -1;
	return mend_ledger(r, f);
}

static void
show(const struct restoring *r)
{
	const struct ca_since *s = &r->since;
	char made[128];

	printf("%s: %s as of %s, %llu entries, head %s\n", r->place.path,
	    r->d->authority.conf.name,
	    ca_contents_about(r->c, "made", made, sizeof(made)),
	    (unsigned long long)r->entries, r->head);
	if (s->missing > 0)
		printf("The head knows of %llu entries more.\n",
		    (unsigned long long)s->missing);
	if (s->adopted > 0)
		printf("Certificates taken over: %zu.\n", s->adopted);
	if (s->revoked > 0)
		printf("Revocations taken over: %zu.\n", s->revoked);
	if (s->lost > 0)
		printf("Revocations lost: %zu.\n", s->lost);
	if (s->serial > 0)
		printf("Serials go on above %llu.\n",
		    (unsigned long long)s->serial);
	if (s->crl > 0)
		printf("CRL numbers go on above %llu.\n",
		    (unsigned long long)s->crl);
	if (ca_dir_in_token(r->d))
		printf("Its key is in its token%s: %s\n",
		    r->args->without_token ? ", which was not looked at" : "",
		    r->d->authority.conf.key);
	if (r->d->authority.conf.online)
		printf("signetd's ledger is %s/ledger.db: signet-ca deploy "
		       "takes it from there.\n",
		    r->place.path);
}

int
ca_restore(const struct ca_args *args, struct fault *f)
{
	struct restoring *r = calloc(1, sizeof(*r));
	int result = -1;

	if (r == NULL)
		return fault_set(f, FAULT_MEMORY, "restore");
	r->args = args;
	/* What is wrong whatever the CA is shows before a pass phrase is asked
	 * for. */
	if (ca_since_given(args, true, f) == 0 &&
	    ca_new_begin(&r->place, args->operand[1], f) == 0) {
		result = fill(r, f);
		if (result == 0)
			result = ca_new_end(&r->place, f);
		if (result < 0)
			ca_new_cancel(&r->place);
	}
	if (result == 0)
		show(r);
	ca_dir_free(r->d);
	ca_contents_free(r->c);
	free(r);
	return result;
}
