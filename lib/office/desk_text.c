#include "office/desk_text.h"

#include "base/text.h"
#include "office/name.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define DEPTH_MAX 4

static const struct {
	const char *word;
	const char *may;
	const char *must;
} verbs[DESK_VERB_COUNT] = {
#define VERB(NAME, word, may, must) { word, may, must },
#include "office/desk_verb.def"
#undef VERB
};

enum kind {
	TEXT,
	NUMBER,
	FLAG,
	BLOB
};

static const struct member {
	const char *name;
	enum kind kind;
	size_t offset;
	uint64_t most; /* of TEXT with its NUL */
} members[] = {
#define AT(field) offsetof(struct desk_ask, field)
#define TEXT(field, name, size) { name, TEXT, AT(field), size },
#define NUMBER(field, name, most) { name, NUMBER, AT(field), most },
#define FLAG(field, name) { name, FLAG, AT(field), 1 },
#define BLOB(field, name, most) { name, BLOB, AT(field), most },
#include "office/desk_member.def"
#undef TEXT
#undef NUMBER
#undef FLAG
#undef BLOB
#undef AT
};

const char *
desk_verb_word(enum desk_verb verb)
{
	return verbs[verb].word;
}

static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = list; (at = strstr(at, word)) != NULL; at++)
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

void
desk_ask_clear(struct desk_ask *ask)
{
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (members[i].kind == BLOB)
			buf_free((struct buf *)(void *)((char *)ask +
			    members[i].offset));
	memset(ask, 0, sizeof(*ask));
}

/* A parser that calls itself must not be led deep, nor fed without end. */
static int
check_shape(struct wire_bytes line, struct fault *f)
{
	bool quoted = false;
	unsigned depth = 0;

	if (line.len > DESK_LINE_MAX)
		return fault_set(f, FAULT_INPUT, "a line of more than %d bytes",
		    DESK_LINE_MAX);
	for (size_t i = 0; i < line.len; i++) {
		uint8_t c = line.data[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '{' || c == '[') &&
		    ++depth > DEPTH_MAX)
			return fault_set(f, FAULT_INPUT,
			    "objects within objects");
		else if (!quoted && (c == '}' || c == ']') && depth > 0)
			depth--;
	}
	return 0;
}

static json_t *
read_object(struct wire_bytes line, struct fault *f)
{
	json_error_t error;
	json_t *object;

	if (check_shape(line, f) < 0)
		return NULL;
	object = json_loadb((const char *)line.data, line.len,
	    JSON_REJECT_DUPLICATES, &error);
	if (object == NULL) {
		(void)fault_set(f, FAULT_INPUT, "not JSON: %s at byte %d",
		    error.text, error.position);
		return NULL;
	}
	if (json_is_object(object))
		return object;
	json_decref(object);
	(void)fault_set(f, FAULT_INPUT, "not a JSON object");
	return NULL;
}

static int
wrong(const struct member *m, struct fault *f)
{
	return fault_set(f, FAULT_INPUT, "\"%s\" is of the wrong type or size",
	    m->name);
}

/* A file's lines may end; no other control character is in it (the parser has
 * seen to it that it is UTF-8). */
static bool
is_file_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && c != '\n') || c == 0x7f)
			return false;
	}
	return true;
}

static int
take_text(const struct member *m, const json_t *value, void *field,
    struct fault *f)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (text == NULL || len >= m->most || !text_utf8(text, len))
		return wrong(m, f);
	if (name_words_check(m->name, text, f) < 0)
		return -1;
	memcpy(field, text, len);
	((char *)field)[len] = '\0';
	return 0;
}

static int
take_blob(const struct member *m, const json_t *value, void *field,
    struct fault *f)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	struct buf *b = field;

	if (text == NULL || len > m->most || !is_file_text(text, len))
		return wrong(m, f);
	*b = BUF((size_t)m->most + 1);
	buf_put(b, text, len);
	return b->failed ? fault_set(f, FAULT_MEMORY, "%s", m->name) : 0;
}

static int
take(const struct member *m, const json_t *value, struct desk_ask *ask,
    struct fault *f)
{
	void *field = (char *)ask + m->offset;
	json_int_t number;

	switch (m->kind) {
	case TEXT:
		return take_text(m, value, field, f);
	case BLOB:
		return take_blob(m, value, field, f);
	case FLAG:
		if (!json_is_boolean(value))
			return wrong(m, f);
		*(bool *)field = json_is_true(value);
		return 0;
	case NUMBER:
		number = json_integer_value(value);
		if (!json_is_integer(value) || number < 0 ||
		    (uint64_t)number > m->most)
			return wrong(m, f);
		*(uint64_t *)field = (uint64_t)number;
		return 0;
	}
	return wrong(m, f);
}

static const struct member *
find_member(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (strcmp(members[i].name, name) == 0)
			return &members[i];
	return NULL;
}

static int
read_verb(const json_t *object, enum desk_verb *verb, struct fault *f)
{
	const char *word = json_string_value(json_object_get(object, "do"));

	if (word == NULL)
		return fault_set(f, FAULT_INPUT, "no \"do\"");
	for (int i = 0; i < DESK_VERB_COUNT; i++)
		if (strcmp(verbs[i].word, word) == 0) {
			*verb = (enum desk_verb)i;
			return 0;
		}
	return fault_set(f, FAULT_INPUT, "no verb is called \"%.32s\"", word);
}

static int
take_all(json_t *object, struct desk_ask *ask, struct fault *f)
{
	const char *name;
	json_t *value;

	if (read_verb(object, &ask->verb, f) < 0)
		return -1;
	json_object_foreach(object, name, value)
	{
		const struct member *m = find_member(name);

		if (strcmp(name, "do") == 0)
			continue;
		if (m == NULL || !has_word(verbs[ask->verb].may, name))
			return fault_set(f, FAULT_INPUT,
			    "\"%s\" takes no \"%.32s\"", verbs[ask->verb].word,
			    name);
		if (take(m, value, ask, f) < 0)
			return -1;
	}
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (has_word(verbs[ask->verb].must, members[i].name) &&
		    json_object_get(object, members[i].name) == NULL)
			return fault_set(f, FAULT_INPUT, "\"%s\" needs \"%s\"",
			    verbs[ask->verb].word, members[i].name);
	return 0;
}

int
desk_ask_read(struct wire_bytes line, struct desk_ask *ask, struct fault *f)
{
	json_t *object = read_object(line, f);
	int result;

	memset(ask, 0, sizeof(*ask));
	if (object == NULL)
		return -1;
	result = take_all(object, ask, f);
	json_decref(object);
	if (result < 0)
		desk_ask_clear(ask);
	return result;
}

static json_t *
value_of(const struct member *m, const struct desk_ask *ask, bool must)
{
	const void *field = (const char *)ask + m->offset;
	const struct buf *b = field;

	switch (m->kind) {
	case TEXT:
		return *(const char *)field == '\0' && !must
		    ? NULL
		    : json_string(field);
	case BLOB:
		return json_stringn(b->data == NULL ? "" : (char *)b->data,
		    b->len);
	case FLAG:
		return *(const bool *)field ? json_true() : NULL;
	case NUMBER:
		return *(const uint64_t *)field == 0 && !must
		    ? NULL
		    : json_integer((json_int_t) * (const uint64_t *)field);
	}
	return NULL;
}

/* Append ${object}, which is taken. */
static int
dump(json_t *object, struct buf *out, struct fault *f)
{
	OWN(char) text = object == NULL
	    ? NULL
	    : json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(object);
	if (text == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	if (strlen(text) > DESK_LINE_MAX)
		return fault_set(f, FAULT_INPUT, "a line of more than %d bytes",
		    DESK_LINE_MAX);
	buf_text(out, text);
	return out->failed ? fault_set(f, FAULT_MEMORY, "JSON") : 0;
}

int
desk_ask_write(const struct desk_ask *ask, struct buf *out, struct fault *f)
{
	json_t *object = json_object();
	bool good = object != NULL &&
	    json_object_set_new(object, "do",
		json_string(verbs[ask->verb].word)) == 0;

	for (size_t i = 0; good && i < COUNT_OF(members); i++) {
		const struct member *m = &members[i];
		json_t *value;

		if (!has_word(verbs[ask->verb].may, m->name))
			continue;
		value =
		    value_of(m, ask, has_word(verbs[ask->verb].must, m->name));
		if (value != NULL)
			good = json_object_set_new(object, m->name, value) == 0;
	}
	if (!good) {
		json_decref(object);
		return fault_set(f, FAULT_INPUT,
		    "what is to be said is not UTF-8");
	}
	return dump(object, out, f);
}

/* ---- answers */

static const char *const kinds[] = { "item", "end", "fault" };

static const char *const codes[FAULT_COUNT] = {
#define FAULT(name, exit_status, http_status, sentence) #name,
#include "base/fault.def"
#undef FAULT
};

static int
read_fault(const json_t *object, const json_t *code, struct desk_answer *a,
    struct fault *f)
{
	const char *text = json_string_value(json_object_get(object, "text"));
	const char *name = json_string_value(code);

	a->kind = DESK_FAULT;
	a->fault = FAULT_FAILED;
	if (name == NULL || text == NULL || json_object_size(object) != 2 ||
	    !text_utf8(text, strlen(text)) ||
	    text_copy(a->text, sizeof(a->text), text) < 0)
		return fault_set(f, FAULT_INPUT, "a fault without its text");
	/* One that a newer daemon knows is a failure here too. */
	for (int i = 1; i < FAULT_COUNT; i++)
		if (strcmp(codes[i], name) == 0)
			a->fault = (enum fault_code)i;
	return 0;
}

static bool is_plain(const json_t *value);

static bool
is_plain_object(const json_t *object)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)(uintptr_t)object, name, value)
	{
		if (!text_printable(name) || !is_plain(value))
			return false;
	}
	return true;
}

/* Whether a terminal may see it: what the daemon says is not believed to be
 * text before.  Files have line ends.  As deep as check_shape() allows. */
static bool
is_plain(const json_t *value)
{
	const json_t *item;
	size_t i;

	if (json_is_object(value))
		return is_plain_object(value);
	json_array_foreach(value, i, item)
	{
		if (!is_plain(item))
			return false;
	}
	if (!json_is_string(value))
		return true;
	for (const char *s = json_string_value(value); *s != '\0';) {
		size_t len = strcspn(s, "\n");

		if (!text_utf8(s, len))
			return false;
		s += len + (s[len] == '\n');
	}
	return true;
}

static int
read_answer(json_t *object, struct desk_answer *a, struct fault *f)
{
	json_t *code = json_object_get(object, kinds[DESK_FAULT]);

	if (code != NULL)
		return read_fault(object, code, a, f);
	for (int i = DESK_ITEM; i <= DESK_END; i++) {
		json_t *body = json_object_get(object, kinds[i]);

		if (body == NULL || !json_is_object(body) ||
		    json_object_size(object) != 1)
			continue;
		if (!is_plain(body))
			return fault_set(f, FAULT_INPUT,
			    "an answer with control characters");
		a->kind = (enum desk_kind)i;
		a->body = json_incref(body);
		return 0;
	}
	return fault_set(f, FAULT_INPUT, "neither item nor end nor fault");
}

int
desk_answer_read(struct wire_bytes line, struct desk_answer *a, struct fault *f)
{
	json_t *object = read_object(line, f);
	int result;

	memset(a, 0, sizeof(*a));
	if (object == NULL)
		return -1;
	result = read_answer(object, a, f);
	json_decref(object);
	return result;
}

void
desk_answer_clear(struct desk_answer *a)
{
	json_decref(a->body);
	memset(a, 0, sizeof(*a));
}

int
desk_answer_write(enum desk_kind kind, struct json_t *body, struct buf *out,
    struct fault *f)
{
	if (body == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	return dump(json_pack("{s:o}", kinds[kind], body), out, f);
}

void
desk_put(struct json_t *object, const char *name, const char *text)
{
	OWN_BUF(safe, 65536);

	if (*text == '\0')
		return;
	if (text_utf8(text, strlen(text))) {
		(void)json_object_set_new(object, name, json_string(text));
		return;
	}
	for (const char *p = text; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		if (c >= 0x20 && c < 0x7f)
			buf_put_u8(&safe, c);
		else
			buf_fmt(&safe, "\\x%02x", c);
	}
	if (buf_cstr(&safe) != NULL)
		(void)json_object_set_new(object, name,
		    json_string(buf_cstr(&safe)));
}

int
desk_fault_write(const struct fault *why, struct buf *out, struct fault *f)
{
	json_t *object =
	    json_pack("{s:s, s:s}", "fault", codes[why->code], "text", "?");

	if (object == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	desk_put(object, "text", why->text);
	return dump(object, out, f);
}
