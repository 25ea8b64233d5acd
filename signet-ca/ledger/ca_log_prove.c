/* log prove, log verify: proofs that travel as files. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_log.h"
#include "ca_proof.h"
#include "ledger/ledger_log.h"

#include <stdlib.h>
#include <string.h>

/* What both kinds of proof say: the head now, signed, and the path. */
static int
print_proof(const struct ca_log *log, const struct ca_args *args,
    const struct ledger_proof *proof, struct ca_proof *out, struct fault *f)
{
	OWN_STRUCT(log_key) key = ca_log_key(log, f);
	OWN_BUF(text, CA_PROOF_MAX);

	out->path = proof->path;
	if (key == NULL ||
	    checkpoint_write(&proof->head, key, &out->head, f) < 0 ||
	    ca_proof_write(out, &text, f) < 0)
		return -1;
	if (args->out != NULL)
		return file_write_new(args->out, 0644, text.data, text.len, f);
	if (buf_cstr(&text) == NULL)
		return fault_set(f, FAULT_MEMORY, "proof");
	puts(buf_cstr(&text));
	return 0;
}

/* The entry that issued a serial, or reserved it if nothing came of that. */
static int
find_issue(void *arg, const struct ledger_record *r)
{
	uint64_t *entry = arg;

	if (strcmp(r->kind, "issue") == 0 ||
	    (*entry == 0 && strcmp(r->kind, "reserve") == 0))
		*entry = r->entry;
	return 0;
}

static int
which_entry(const struct ca_log *log, const struct ca_args *args,
    uint64_t *entry, struct fault *f)
{
	const struct ledger_log_filter filter = { .serial = args->by_serial,
		.ca = args->ca };
	int64_t number = 0;

	*entry = 0;
	if (cmd_number(args->entry, "--entry", 1, INT64_MAX, 0, &number, f) < 0)
		return -1;
	*entry = (uint64_t)number;
	if (args->by_serial == NULL)
		return 0;
	if (ledger_log_each(log->ledger, &filter, find_issue, entry, f) < 0)
		return -1;
	if (*entry == 0)
		return fault_set(f, FAULT_ABSENT, "no serial %s in the ledger",
		    args->by_serial);
	return 0;
}

static int
prove_entry(const struct ca_log *log, const struct ca_args *args,
    struct ca_proof *out, struct fault *f)
{
	struct ledger_proof proof;

	if (which_entry(log, args, &out->entry, f) < 0 ||
	    ledger_prove_entry(log->ledger, out->entry, &proof, &out->leaf, f) <
		0)
		return -1;
	return print_proof(log, args, &proof, out, f);
}

static int
prove_growth(const struct ca_log *log, const struct ca_args *args,
    struct ca_proof *out, struct fault *f)
{
	struct ledger_proof proof;
	struct checkpoint old;
	struct log_pub pub;

	if (ca_log_pub(log, &pub, f) < 0 ||
	    ca_log_head_file(args->from, &pub, &old, f) < 0 ||
	    file_read(args->from, &out->from, f) < 0 ||
	    ledger_prove_growth(log->ledger, old.head.size, &proof, f) < 0)
		return -1;
	if (memcmp(proof.old.root, old.head.root, TREE_HASH_SIZE) != 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "%s: the first %llu entries are not those under this head",
		    args->from, (unsigned long long)old.head.size);
	return print_proof(log, args, &proof, out, f);
}

static int
prove(const struct ca_log *log, const struct ca_args *args, struct fault *f)
{
	struct ca_proof out =
	    ca_proof_none(args->from != NULL ? CA_PROOF_GROWTH
					     : CA_PROOF_ENTRY);
	int result = args->from != NULL ? prove_growth(log, args, &out, f)
					: prove_entry(log, args, &out, f);

	ca_proof_clear(&out);
	return result;
}

int
ca_log_prove(const struct ca_args *args, struct fault *f)
{
	int wishes = (args->from != NULL) + (args->entry != NULL) +
	    (args->by_serial != NULL);
	struct ca_log log;
	int result;

	if (wishes != 1)
		return fault_set(f, FAULT_USAGE,
		    "one of --entry, --with-serial and --from says what is to "
		    "be proved");
	if (ca_log_open(args, &log, f) < 0)
		return -1;
	result = prove(&log, args, f);
	ca_log_close(&log);
	return result;
}

static int
verify_entry(const struct ca_proof *in, const struct ledger_proof *proof,
    const struct checkpoint *head, struct fault *f)
{
	if (ledger_proof_check_entry(proof, in->entry,
		(struct wire_bytes){ in->leaf.data, in->leaf.len }, f) < 0)
		return -1;
	printf("entry %llu is among the %llu of %s\n",
	    (unsigned long long)in->entry, (unsigned long long)head->head.size,
	    head->origin);
	return 0;
}

/* A head that the proof carries. */
static int
read_head(const struct buf *text, const struct log_pub *pub,
    struct checkpoint *c, struct fault *f)
{
	return checkpoint_read((struct wire_bytes){ text->data, text->len },
	    pub, c, f);
}

/* The earlier head is the one that was kept (--head), or what the proof
 * carries: then only that they fit is shown. */
static int
verify_growth(const struct ca_proof *in, const struct cmd_list *kept,
    const struct log_pub *pub, struct ledger_proof *proof,
    const struct checkpoint *head, struct fault *f)
{
	struct checkpoint old;
	int result = kept->count > 0
	    ? ca_log_head_file(kept->item[0], pub, &old, f)
	    : read_head(&in->from, pub, &old, f);

	if (result < 0)
		return -1;
	proof->old = old.head;
	if (ledger_proof_check_growth(proof, f) < 0)
		return -1;
	printf("the %llu entries of %s begin with the %llu of the earlier "
	       "head\n",
	    (unsigned long long)head->head.size, head->origin,
	    (unsigned long long)old.head.size);
	return 0;
}

/* A head that was kept is the one that the proof leads to, or it says nothing
 * of it: whoever has the log's key can sign others. */
static int
check_kept(const struct cmd_list *kept, const struct log_pub *pub,
    const struct checkpoint *head, struct fault *f)
{
	struct checkpoint c;

	if (kept->count == 0)
		return 0;
	if (ca_log_head_file(kept->item[0], pub, &c, f) < 0)
		return -1;
	if (c.head.size == head->head.size &&
	    memcmp(c.head.root, head->head.root, TREE_HASH_SIZE) == 0)
		return 0;
	return fault_set(f, FAULT_UNTRUSTED,
	    "the proof leads to another head (of %llu entries) than %s (of "
	    "%llu)",
	    (unsigned long long)head->head.size, kept->item[0],
	    (unsigned long long)c.head.size);
}

static int
verify(const struct ca_proof *in, const struct ca_args *args, struct fault *f)
{
	struct ledger_proof proof = { .path = in->path };
	struct checkpoint head;
	struct log_pub pub;

	if (cmd_need(args->log_key, "--log-key", f) < 0 ||
	    ca_log_pub_file(args->log_key, &pub, f) < 0)
		return -1;
	if (args->head.count > 1)
		return fault_set(f, FAULT_USAGE,
		    "a proof is held against one --head");
	if (read_head(&in->head, &pub, &head, f) < 0)
		return -1;
	proof.head = head.head;
	if (in->kind == CA_PROOF_GROWTH)
		return verify_growth(in, &args->head, &pub, &proof, &head, f);
	if (check_kept(&args->head, &pub, &head, f) < 0)
		return -1;
	return verify_entry(in, &proof, &head, f);
}

int
ca_log_verify(const struct ca_args *args, struct fault *f)
{
	struct ca_proof in;
	int result;
	OWN_BUF(text, CA_PROOF_MAX);

	if (file_read(args->operand[0], &text, f) < 0)
		return -1;
	result =
	    ca_proof_read((struct wire_bytes){ text.data, text.len }, &in, f);
	if (result == 0)
		result = verify(&in, args, f);
	ca_proof_clear(&in);
	return result < 0 ? fault_wrap(f, "%s", args->operand[0]) : 0;
}
