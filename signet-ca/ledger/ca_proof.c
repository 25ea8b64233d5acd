#include "ca_proof.h"

#include "base/fault.h"
#include "base/own.h"
#include "base/text.h"
#include "ledger/checkpoint.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char *const kinds[] = {
	[CA_PROOF_ENTRY] = "inclusion",
	[CA_PROOF_GROWTH] = "consistency",
};

struct ca_proof
ca_proof_none(enum ca_proof_kind kind)
{
	struct ca_proof p = { .kind = kind };

	p.head = BUF(CHECKPOINT_MAX + 1);
	p.leaf = BUF(CA_PROOF_LEAF_MAX + 3); /* what decoding asks for */
	p.from = BUF(CHECKPOINT_MAX + 1);
	return p;
}

void
ca_proof_clear(struct ca_proof *p)
{
	buf_free(&p->head);
	buf_free(&p->leaf);
	buf_free(&p->from);
}

/* ---- writing */

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

static json_t *
text_json(const struct buf *text)
{
	return json_stringn((const char *)text->data, text->len);
}

static json_t *
proof_json(const struct ca_proof *p)
{
	json_t *out = json_pack("{s:s}", "proof", kinds[p->kind]);
	int result = 0;

	if (p->kind == CA_PROOF_ENTRY) {
		result = json_object_set_new(out, "entry",
		    json_integer((json_int_t)p->entry));
		result |= json_object_set_new(out, "leaf",
		    base64_json(p->leaf.data, p->leaf.len));
	} else if (p->from.len > 0) {
		result = json_object_set_new(out, "from", text_json(&p->from));
	}
	result |= json_object_set_new(out, "path", path_json(&p->path));
	result |= json_object_set_new(out, "head", text_json(&p->head));
	if (result == 0)
		return out;
	json_decref(out);
	return NULL;
}

int
ca_proof_write(const struct ca_proof *p, struct buf *out, struct fault *f)
{
	json_t *json = proof_json(p);
	OWN(char) text = NULL;

	if (json == NULL)
		return fault_set(f, FAULT_INPUT, "a head that is no text");
	text = json_dumps(json, JSON_PRESERVE_ORDER | JSON_INDENT(1));
	json_decref(json);
	if (text == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	buf_put(out, text, strlen(text));
	return out->failed ? fault_set(f, FAULT_MEMORY, "proof") : 0;
}

/* ---- reading */

static int
malformed(struct fault *f, const char *what)
{
	return fault_set(f, FAULT_INPUT, "not a proof: %s", what);
}

static int
read_kind(const json_t *in, enum ca_proof_kind *kind, struct fault *f)
{
	const char *word = json_string_value(json_object_get(in, "proof"));

	if (word == NULL)
		return malformed(f, "it does not say of what");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i], word) == 0) {
			*kind = (enum ca_proof_kind)i;
			return 0;
		}
	return malformed(f, "of a kind that is not known");
}

static int
read_path(const json_t *in, struct tree_proof *path, struct fault *f)
{
	size_t count = json_array_size(in);

	if (!json_is_array(in) || count > TREE_PROOF_MAX)
		return malformed(f, "path");
	for (size_t i = 0; i < count; i++) {
		const json_t *node = json_array_get(in, i);

		if (!json_is_string(node) ||
		    text_unbase64(json_string_value(node),
			json_string_length(node), path->node[i],
			TREE_HASH_SIZE) != TREE_HASH_SIZE)
			return malformed(f, "path");
	}
	path->count = count;
	return 0;
}

static int
read_text(const json_t *in, const char *what, struct buf *text, struct fault *f)
{
	size_t len = json_string_length(in);

	if (!json_is_string(in) || len == 0 || len > CHECKPOINT_MAX)
		return malformed(f, what);
	buf_put(text, json_string_value(in), len);
	return text->failed ? fault_set(f, FAULT_MEMORY, "proof") : 0;
}

static int
read_leaf(const json_t *in, struct ca_proof *p, struct fault *f)
{
	const json_t *leaf = json_object_get(in, "leaf");
	json_int_t entry = json_integer_value(json_object_get(in, "entry"));
	size_t len = json_string_length(leaf);
	uint8_t *room;
	int got;

	if (!json_is_string(leaf) || entry < 1)
		return malformed(f, "leaf or entry");
	p->entry = (uint64_t)entry;
	/* Three octets of four characters: it is enough. */
	if ((room = buf_room(&p->leaf, len / 4 * 3 + 3)) == NULL)
		return fault_set(f, FAULT_MEMORY, "proof");
	got =
	    text_unbase64(json_string_value(leaf), len, room, len / 4 * 3 + 3);
	if (got < 0)
		return malformed(f, "leaf or entry");
	p->leaf.len += (size_t)got;
	return 0;
}

static int
read_all(const json_t *in, struct ca_proof *p, struct fault *f)
{
	const json_t *from = json_object_get(in, "from");

	if (read_kind(in, &p->kind, f) < 0 ||
	    read_text(json_object_get(in, "head"), "head", &p->head, f) < 0 ||
	    read_path(json_object_get(in, "path"), &p->path, f) < 0)
		return -1;
	if (p->kind == CA_PROOF_ENTRY)
		return read_leaf(in, p, f);
	return from == NULL ? 0 : read_text(from, "from", &p->from, f);
}

int
ca_proof_read(struct wire_bytes text, struct ca_proof *p, struct fault *f)
{
	json_error_t error;
	json_t *in = json_loadb((const char *)text.data, text.len,
	    JSON_REJECT_DUPLICATES, &error);
	int result;

	*p = ca_proof_none(CA_PROOF_ENTRY);
	if (in == NULL)
		return fault_set(f, FAULT_INPUT, "line %d: not JSON: %s",
		    error.line, error.text);
	result = read_all(in, p, f);
	json_decref(in);
	return result;
}
