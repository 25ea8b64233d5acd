/* log prove, log verify: proofs that travel as files. */
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "ca_book.h"
#include "ca_log.h"
#include "ledger/ledger_log.h"

#include <stdlib.h>
#include <string.h>

#define LEAF_MOST ((size_t)64 << 20) /* a list that was filed whole */
#define PROOF_MOST (2 * LEAF_MOST)

static json_t *
base64_json(const void *data, size_t len)
{
	OWN(char) text = malloc(TEXT_BASE64_SIZE(len));

	if (text == NULL)
		return NULL;
	text_base64(data, len, text);
	return json_string(text);
}

static json_t *
path_json(const struct tree_proof *path)
{
	json_t *out = json_array();

	for (size_t i = 0; i < path->count; i++)
		(void)json_array_append_new(out,
		    base64_json(path->node[i], TREE_HASH_SIZE));
	return out;
}

/* What both kinds of proof say: the head now, signed, and the path. */
static int
print_proof(const struct ca_log *log, const struct ca_args *args, json_t *out,
    const struct ledger_proof *proof, struct fault *f)
{
	OWN_STRUCT(log_key) key = ca_log_key(log, f);
	OWN(char) text = NULL;
	OWN_BUF(head, CHECKPOINT_MAX);

	if (key == NULL || checkpoint_write(&proof->head, key, &head, f) < 0)
		return -1;
	(void)json_object_set_new(out, "path", path_json(&proof->path));
	(void)json_object_set_new(out, "head",
	    json_stringn((const char *)head.data, head.len));
	text = json_dumps(out, JSON_PRESERVE_ORDER | JSON_INDENT(1));
	if (text == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	if (args->out != NULL)
		return file_write_new(args->out, 0644, text, strlen(text), f);
	puts(text);
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
	if (ca_number(args->entry, "--entry", 1, INT64_MAX, 0, &number, f) < 0)
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
    struct fault *f)
{
	struct ledger_proof proof;
	uint64_t entry;
	json_t *out;
	int result;
	OWN_BUF(leaf, LEAF_MOST);

	if (which_entry(log, args, &entry, f) < 0 ||
	    ledger_prove_entry(log->ledger, entry, &proof, &leaf, f) < 0)
		return -1;
	out = json_pack("{s:s, s:I, s:o}", "proof", "inclusion", "entry",
	    (json_int_t)entry, "leaf", base64_json(leaf.data, leaf.len));
	if (out == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	result = print_proof(log, args, out, &proof, f);
	json_decref(out);
	return result;
}

static int
prove_growth(const struct ca_log *log, const struct ca_args *args,
    struct fault *f)
{
	struct ledger_proof proof;
	struct checkpoint old;
	struct log_pub pub;
	json_t *out;
	int result;
	OWN_BUF(text, CHECKPOINT_MAX + 1);

	if (ca_log_pub(log, &pub, f) < 0 ||
	    ca_log_head_file(args->from, &pub, &old, f) < 0 ||
	    file_read(args->from, &text, f) < 0 ||
	    ledger_prove_growth(log->ledger, old.head.size, &proof, f) < 0)
		return -1;
	if (memcmp(proof.old.root, old.head.root, TREE_HASH_SIZE) != 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "%s: the first %llu entries are not those under this head",
		    args->from, (unsigned long long)old.head.size);
	out = json_pack("{s:s, s:o}", "proof", "consistency", "from",
	    json_stringn((const char *)text.data, text.len));
	if (out == NULL)
		return fault_set(f, FAULT_INPUT, "%s is no text", args->from);
	result = print_proof(log, args, out, &proof, f);
	json_decref(out);
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
	result = args->from != NULL ? prove_growth(&log, args, f)
				    : prove_entry(&log, args, f);
	ca_log_close(&log);
	return result;
}

static int
malformed(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_INPUT, "not a proof: %s", what);
}

static int
read_path(const json_t *in, struct tree_proof *path, struct fault *f)
{
	path->count = json_array_size(in);
	if (!json_is_array(in) || path->count > TREE_PROOF_MAX)
		return malformed(f, "path");
	for (size_t i = 0; i < path->count; i++) {
		const json_t *node = json_array_get(in, i);

		if (!json_is_string(node) ||
		    text_unbase64(json_string_value(node),
			json_string_length(node), path->node[i],
			TREE_HASH_SIZE) != TREE_HASH_SIZE)
			return malformed(f, "path");
	}
	return 0;
}

static int
read_head(const json_t *in, const struct log_pub *pub, struct checkpoint *c,
    struct fault *f)
{
	if (!json_is_string(in))
		return malformed(f, "head");
	return checkpoint_read((struct wire_bytes){ (const uint8_t *)
							json_string_value(in),
				   json_string_length(in) },
	    pub, c, f);
}

static int
verify_entry(const json_t *in, const struct ledger_proof *proof,
    const struct checkpoint *head, struct fault *f)
{
	const json_t *leaf = json_object_get(in, "leaf");
	json_int_t entry = json_integer_value(json_object_get(in, "entry"));
	size_t len = json_string_length(leaf);
	OWN(char) bytes = malloc(len + 1);
	int got;

	if (bytes == NULL)
		return fault_set(f, FAULT_MEMORY, "proof");
	if (!json_is_string(leaf) || entry < 1 ||
	    (got = text_unbase64(json_string_value(leaf), len, (uint8_t *)bytes,
		 len)) < 0)
		return malformed(f, "leaf or entry");
	if (ledger_proof_check_entry(proof, (uint64_t)entry,
		(struct wire_bytes){ (const uint8_t *)bytes, (size_t)got },
		f) < 0)
		return -1;
	printf("entry %lld is among the %llu of %s\n", (long long)entry,
	    (unsigned long long)head->head.size, head->origin);
	return 0;
}

/* The earlier head is the one that was kept (--head), or what the proof
 * carries: then only that they fit is shown. */
static int
verify_growth(const json_t *in, const struct ca_list *kept,
    const struct log_pub *pub, struct ledger_proof *proof,
    const struct checkpoint *head, struct fault *f)
{
	struct checkpoint old;
	int result = kept->count > 0
	    ? ca_log_head_file(kept->item[0], pub, &old, f)
	    : read_head(json_object_get(in, "from"), pub, &old, f);

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
check_kept(const struct ca_list *kept, const struct log_pub *pub,
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
verify(const json_t *in, const struct ca_args *args, struct fault *f)
{
	const char *kind = json_string_value(json_object_get(in, "proof"));
	struct ledger_proof proof = { 0 };
	struct checkpoint head;
	struct log_pub pub;

	if (ca_need(args->log_key, "--log-key", f) < 0 ||
	    ca_log_pub_file(args->log_key, &pub, f) < 0)
		return -1;
	if (args->head.count > 1)
		return fault_set(f, FAULT_USAGE,
		    "a proof is held against one --head");
	if (kind == NULL)
		return malformed(f, "it does not say of what");
	if (read_head(json_object_get(in, "head"), &pub, &head, f) < 0 ||
	    read_path(json_object_get(in, "path"), &proof.path, f) < 0)
		return -1;
	proof.head = head.head;
	if (strcmp(kind, "inclusion") == 0)
		return check_kept(&args->head, &pub, &head, f) < 0
		    ? -1
		    : verify_entry(in, &proof, &head, f);
	if (strcmp(kind, "consistency") == 0)
		return verify_growth(in, &args->head, &pub, &proof, &head, f);
	return malformed(f, "of a kind that is not known");
}

int
ca_log_verify(const struct ca_args *args, struct fault *f)
{
	json_error_t error;
	json_t *in;
	int result;
	OWN_BUF(text, PROOF_MOST);

	if (file_read(args->operand[0], &text, f) < 0)
		return -1;
	in = json_loadb((const char *)text.data, text.len,
	    JSON_REJECT_DUPLICATES, &error);
	if (in == NULL)
		return fault_set(f, FAULT_INPUT, "%s:%d: not JSON: %s",
		    args->operand[0], error.line, error.text);
	result = verify(in, args, f);
	json_decref(in);
	return result < 0 ? fault_wrap(f, "%s", args->operand[0]) : 0;
}
