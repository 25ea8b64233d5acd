/* log head, log check: what can be kept elsewhere, and is held against it. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_book.h"
#include "ca_log.h"
#include "signet-ca/base/ca_dir.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int
path_in(const struct ca_dir *d, const char *file, char path[PATH_MAX],
    struct fault *f)
{
	return ca_dir_path(d, file, path, PATH_MAX, f);
}

static int
open_dir(const struct ca_args *args, struct ca_log *log, char ledger[PATH_MAX],
    struct fault *f)
{
	OWN_STRUCT(ca_dir) d = ca_dir_open(args->operand[0], f);

	if (d == NULL ||
	    ca_dir_ledger(d, args->ledger, ledger, PATH_MAX, f) < 0 ||
	    path_in(d, "log.key", log->key, f) < 0 ||
	    path_in(d, "log.pub", log->pub, f) < 0 ||
	    path_in(d, "log.head", log->head, f) < 0)
		return -1;
	if (text_copy(log->dir, sizeof(log->dir), d->path) < 0 ||
	    text_copy(log->name, sizeof(log->name), d->authority.conf.name) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	return 0;
}

/* A key that is named stands for the one of the directory. */
static int
take_key(const char *path, struct ca_log *log, struct fault *f)
{
	if (path == NULL)
		return 0;
	if (text_copy(log->key, sizeof(log->key), path) < 0 ||
	    text_copy(log->pub, sizeof(log->pub), path) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	log->dir[0] = '\0';
	return 0;
}

int
ca_log_open(const struct ca_args *args, struct ca_log *log, struct fault *f)
{
	char ledger[PATH_MAX];

	*log = (struct ca_log){ .name = "ledger" };
	if (args->count == 0 && args->ledger == NULL)
		return fault_set(f, FAULT_USAGE,
		    "which ledger? Name the CA's directory, or --ledger FILE");
	if (args->count > 0
		? open_dir(args, log, ledger, f) < 0
		: text_copy(ledger, sizeof(ledger), args->ledger) < 0)
		return args->count > 0
		    ? -1
		    : fault_set(f, FAULT_USAGE, "path too long");
	if (take_key(args->log_key, log, f) < 0)
		return -1;
	log->ledger = ledger_open_read(ledger, f);
	return log->ledger == NULL ? -1 : 0;
}

void
ca_log_close(struct ca_log *log)
{
	ledger_free(log->ledger);
	log->ledger = NULL;
}

/* Write the public half beside the key, if it is not there. */
static int
write_pub(const struct ca_log *log, const struct log_key *key, struct fault *f)
{
	OWN_BUF(text, LOG_FILE_MAX);

	if (log->dir[0] == '\0' || access(log->pub, F_OK) == 0)
		return 0;
	if (log_pub_write(log_key_pub(key), &text, f) < 0)
		return -1;
	return file_write(log->pub, 0644, text.data, text.len, f);
}

static int
make_key(const struct ca_log *log, struct fault *f)
{
	char prefix[LOG_NAME_SIZE];
	OWN_STRUCT(log_key) key = NULL;
	OWN_BUF(pem, LOG_FILE_MAX);

	if (text_fmt(prefix, sizeof(prefix), "signet/%s", log->name) < 0)
		return fault_set(f, FAULT_INTERNAL, "log name");
	if ((key = log_key_make(prefix, f)) == NULL ||
	    log_key_write(key, &pem, f) < 0)
		return -1;
	if (file_write_new(log->key, 0600, pem.data, pem.len, f) < 0 &&
	    f->code != FAULT_DENIED) /* made by another meanwhile */
		return -1;
	return 0;
}

struct log_key *
ca_log_key(const struct ca_log *log, struct fault *f)
{
	OWN_STRUCT(log_key) key = NULL;
	OWN_BUF(pem, LOG_FILE_MAX);
	char prefix[LOG_NAME_SIZE];

	if (log->key[0] == '\0') {
		(void)fault_set(f, FAULT_USAGE,
		    "which key signs? Name the CA's directory, or --log-key "
		    "FILE");
		return NULL;
	}
	if (log->dir[0] != '\0' && access(log->key, F_OK) < 0 &&
	    errno == ENOENT && make_key(log, f) < 0)
		return NULL;
	if (file_read_private(log->key, &pem, f) < 0 ||
	    text_fmt(prefix, sizeof(prefix), "signet/%s", log->name) < 0 ||
	    (key = log_key_read(pem.data, pem.len, prefix, f)) == NULL) {
		(void)fault_wrap(f, "%s", log->key);
		return NULL;
	}
	if (write_pub(log, key, f) < 0)
		return NULL;
	return TAKE(key);
}

int
ca_log_pub_file(const char *path, struct log_pub *pub, struct fault *f)
{
	OWN_STRUCT(log_key) key = NULL;
	OWN_BUF(text, LOG_FILE_MAX);

	if (file_read(path, &text, f) < 0)
		return -1;
	if (memmem(text.data, text.len, "-----BEGIN", 10) == NULL)
		return log_pub_read(text.data, text.len, pub, f) < 0
		    ? fault_wrap(f, "%s", path)
		    : 0;
	if ((key = log_key_read(text.data, text.len, "signet/ledger", f)) ==
	    NULL)
		return fault_wrap(f, "%s", path);
	*pub = *log_key_pub(key);
	return 0;
}

int
ca_log_pub(const struct ca_log *log, struct log_pub *pub, struct fault *f)
{
	if (log->pub[0] == '\0')
		return fault_set(f, FAULT_USAGE,
		    "whose signature? Name the log's public key: --log-key "
		    "FILE");
	return ca_log_pub_file(log->pub, pub, f);
}

int
ca_log_head_file(const char *path, const struct log_pub *pub,
    struct checkpoint *c, struct fault *f)
{
	OWN_BUF(text, CHECKPOINT_MAX + 1);

	if (file_read(path, &text, f) < 0)
		return -1;
	if (checkpoint_read((struct wire_bytes){ text.data, text.len }, pub, c,
		f) < 0)
		return fault_wrap(f, "%s", path);
	return 0;
}

/* The heads that the ledger is held against: those given, and the last that
 * was made here.  The count, -1 after a fault. */
static int
kept_heads(const struct ca_log *log, const struct cmd_list *given,
    struct ledger_head heads[CMD_LIST_MAX + 1], struct fault *f)
{
	bool last = log->head[0] != '\0' && access(log->head, F_OK) == 0;
	struct checkpoint c;
	struct log_pub pub;
	int count = 0;

	if (given->count == 0 && !last)
		return 0;
	if (ca_log_pub(log, &pub, f) < 0)
		return -1;
	for (size_t i = 0; i < given->count; i++) {
		if (ca_log_head_file(given->item[i], &pub, &c, f) < 0)
			return -1;
		heads[count++] = c.head;
	}
	if (last && ca_log_head_file(log->head, &pub, &c, f) < 0)
		return -1;
	if (last)
		heads[count++] = c.head;
	return count;
}

static int
print_check(const struct ca_args *args, const char *chain,
    const struct ledger_head *now, int kept, struct fault *f)
{
	char base64[TEXT_BASE64_SIZE(TREE_HASH_SIZE)];
	json_t *out;
	int result;

	text_base64(now->root, TREE_HASH_SIZE, base64);
	if (!args->json) {
		printf("%llu entries, chain %s, root %s; %d kept %s right\n",
		    (unsigned long long)now->size, chain, base64, kept,
		    kept == 1 ? "head is" : "heads are");
		return 0;
	}
	out =
	    json_pack("{s:I, s:s, s:s, s:i}", "entries", (json_int_t)now->size,
		"chain", chain, "root", base64, "heads", kept);
	result =
	    out == NULL ? -1 : json_dumpf(out, stdout, JSON_PRESERVE_ORDER);
	json_decref(out);
	putchar('\n');
	return result < 0 ? fault_set(f, FAULT_MEMORY, "JSON") : 0;
}

int
ca_log_check(const struct ca_args *args, struct fault *f)
{
	struct ledger_head heads[CMD_LIST_MAX + 1], now;
	struct ca_log log;
	char chain[65];
	int kept, result = -1;

	if (ca_log_open(args, &log, f) < 0)
		return -1;
	kept = kept_heads(&log, &args->head, heads, f);
	if (kept >= 0)
		result = ledger_check_heads(log.ledger, heads, (size_t)kept,
		    chain, &now, f);
	ca_log_close(&log);
	return result < 0 ? -1 : print_check(args, chain, &now, kept, f);
}

/* The ledger is walked whole, and must be what the last head says: a head that
 * does not add to it would be signed by us, and believed. */
static int
make_head(const struct ca_log *log, struct buf *text, struct fault *f)
{
	OWN_STRUCT(log_key) key = ca_log_key(log, f);
	const struct cmd_list none = { 0 };
	struct ledger_head heads[CMD_LIST_MAX + 1], now;
	char chain[65];
	int kept;

	if (key == NULL || (kept = kept_heads(log, &none, heads, f)) < 0 ||
	    ledger_check_heads(log->ledger, heads, (size_t)kept, chain, &now,
		f) < 0 ||
	    checkpoint_write(&now, key, text, f) < 0)
		return -1;
	if (log->head[0] == '\0')
		return 0;
	return file_write(log->head, 0644, text->data, text->len, f);
}

int
ca_log_head(const struct ca_args *args, struct fault *f)
{
	struct ca_log log;
	int result;
	OWN_BUF(text, CHECKPOINT_MAX);

	if (ca_log_open(args, &log, f) < 0)
		return -1;
	result = make_head(&log, &text, f);
	ca_log_close(&log);
	if (result < 0)
		return -1;
	if (args->out != NULL)
		return file_write_new(args->out, 0644, text.data, text.len, f);
	(void)fwrite(text.data, 1, text.len, stdout);
	return 0;
}
