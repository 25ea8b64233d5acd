#include "signetd/keeper/heads.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "ledger/checkpoint.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define STEP 100   /* entries, about a millisecond */
#define PAUSE_MS 1 /* between steps: what others have said comes first */
#define FIRST_MS 2000
#define RETRY_MS 60000

struct heads {
	struct ledger *ledger;
	struct log_key *key;
	struct loop_timer *timer;
	int64_t interval;
	char dir[PATH_MAX];
	struct tree_frontier tree;
	/* The last one that was made, until the ledger was held against it;
	 * of size 0: there is none. */
	struct ledger_head kept;
};

static int
write_beside(const struct heads *h, const char *name, const struct buf *data,
    struct fault *f)
{
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/%s", h->dir, name) < 0)
		return fault_set(f, FAULT_CONFIG, "path too long");
	return file_write(path, 0644, data->data, data->len, f);
}

static int
sign(struct heads *h, struct fault *f)
{
	struct ledger_head head;
	OWN_BUF(text, CHECKPOINT_MAX);

	if (ledger_tree_head(h->ledger, &h->tree, &head, f) < 0 ||
	    checkpoint_write(&head, h->key, &text, f) < 0 ||
	    write_beside(h, "log.head", &text, f) < 0)
		return -1;
	LOG(HEAD_SIGNED, LOG_TEXT("log", log_key_pub(h->key)->name),
	    LOG_NUMBER("entries", head.size));
	return 0;
}

/* A head that does not add to the last one would be signed by us, and
 * believed. */
static int
hold_against_kept(struct heads *h, struct fault *f)
{
	struct ledger_head now;

	if (h->kept.size == 0 || h->tree.size != h->kept.size)
		return 0;
	if (ledger_tree_head(h->ledger, &h->tree, &now, f) < 0)
		return -1;
	if (memcmp(now.root, h->kept.root, sizeof(now.root)) != 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the first %llu entries are not those under log.head",
		    (unsigned long long)now.size);
	h->kept.size = 0;
	return 0;
}

/* 1 if there may be more. */
static int
grow(struct heads *h, struct fault *f)
{
	uint64_t most = STEP;
	int more;

	if (hold_against_kept(h, f) < 0)
		return -1;
	if (h->kept.size > h->tree.size && h->kept.size - h->tree.size < most)
		most = h->kept.size - h->tree.size;
	more = ledger_tree_grow(h->ledger, &h->tree, most, f);
	if (more == 0 && h->kept.size > h->tree.size)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the ledger has %llu entries, log.head %llu: if it came "
		    "from a backup, keep log.head elsewhere",
		    (unsigned long long)h->tree.size,
		    (unsigned long long)h->kept.size);
	/* What was reached in this step is held against it in the next. */
	return more == 0 && h->kept.size == h->tree.size && h->kept.size > 0
	    ? 1
	    : more;
}

/* Some entries more; at the end of them the head. */
static void
work(void *arg)
{
	struct heads *h = arg;
	struct fault f = { 0 };
	int more = grow(h, &f);

	if (more == 1) {
		loop_timer_set(h->timer, PAUSE_MS);
		return;
	}
	if (more == 0 && sign(h, &f) == 0) {
		loop_timer_set(h->timer, 1000 * h->interval);
		return;
	}
	LOG(LEDGER_FAULT, LOG_TEXT("text", f.text));
	loop_timer_set(h->timer, RETRY_MS);
}

static int
open_key(struct heads *h, struct wire_bytes pem, struct fault *f)
{
	OWN_BUF(text, LOG_FILE_MAX);

	h->key = log_key_read(pem.data, pem.len, "signet/ledger", f);
	if (h->key == NULL || log_pub_write(log_key_pub(h->key), &text, f) < 0)
		return fault_wrap(f, "log-key");
	return write_beside(h, "log.pub", &text, f);
}

/* The last head, if it is of this key; what else is in its place says nothing
 * of this log. */
static void
read_kept(struct heads *h)
{
	OWN_BUF(text, CHECKPOINT_MAX + 1);
	struct fault ignored = { 0 };
	struct checkpoint last;
	char path[PATH_MAX];

	if (text_fmt(path, sizeof(path), "%s/log.head", h->dir) < 0 ||
	    file_read(path, &text, &ignored) < 0 ||
	    checkpoint_read((struct wire_bytes){ text.data, text.len },
		log_key_pub(h->key), &last, &ignored) < 0)
		return;
	/* Else the tree was noted after it: it was held against it then. */
	if (last.head.size >= h->tree.size)
		h->kept = last.head;
}

struct heads *
heads_new(struct loop *loop, struct ledger *ledger, const char *dir,
    struct wire_bytes pem, int64_t interval, struct fault *f)
{
	OWN_STRUCT(heads) h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "heads");
		return NULL;
	}
	h->ledger = ledger;
	h->interval = interval;
	if (text_copy(h->dir, sizeof(h->dir), dir) < 0) {
		(void)fault_set(f, FAULT_CONFIG, "path too long");
		return NULL;
	}
	if (open_key(h, pem, f) < 0 ||
	    ledger_tree_load(ledger, &h->tree, f) < 0 ||
	    (h->timer = loop_timer_new(loop, work, h, f)) == NULL)
		return NULL;
	read_kept(h);
	/* Not before what the start itself writes. */
	loop_timer_set(h->timer, FIRST_MS);
	return TAKE(h);
}

void
heads_set_interval(struct heads *h, int64_t interval)
{
	if (h == NULL || h->interval == interval)
		return;
	h->interval = interval;
	loop_timer_set(h->timer, PAUSE_MS);
}

void
heads_free(struct heads *h)
{
	if (h == NULL)
		return;
	loop_timer_free(h->timer);
	log_key_free(h->key);
	free(h);
}
