#include "signet-map/base/map_say.h"

#include "base/text.h"
#include "command/cmd.h"

#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define DEPTH_MAX 3

static const struct {
	const char *word;
	const char *may;
	const char *must;
} verbs[MAP_SAY_VERBS] = {
#define VERB(NAME, word, may, must) { word, may, must },
#include "signet-map/base/map_say_verb.def"
#undef VERB
};

static const struct member {
	const char *name;
	size_t offset;
	size_t most; /* with a NUL of a text */
	bool blob;
} members[] = {
#define AT(field) offsetof(struct map_ask, field)
#define TEXT(field, name, size) { name, AT(field), size, false },
#define BLOB(field, name, most) { name, AT(field), most, true },
#include "signet-map/base/map_say_member.def"
#undef TEXT
#undef BLOB
#undef AT
};

static const char *const kinds[] = {
	[MAP_SAY_ITEM] = "item",
	[MAP_SAY_CHALLENGE] = "challenge",
	[MAP_SAY_END] = "end",
	[MAP_SAY_FAULT] = "fault",
};

const char *
map_say_word(enum map_say_verb verb)
{
	return verbs[verb].word;
}

void
map_ask_clear(struct map_ask *ask)
{
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (members[i].blob)
			buf_free((struct buf *)(void *)((char *)ask +
			    members[i].offset));
	memset(ask, 0, sizeof(*ask));
}

/* Depth costs a parser its stack. */
static int
check_shape(struct wire_bytes line, struct fault *f)
{
	bool quoted = false;
	unsigned depth = 0;

	if (line.len > MAP_SAY_MAX)
		return fault_set(f, FAULT_INPUT, "a line of more than %d bytes",
		    MAP_SAY_MAX);
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
	if (json_is_object(object))
		return object;
	json_decref(object);
	(void)fault_set(f, FAULT_INPUT, "not a JSON object");
	return NULL;
}

/* A blob's lines may end; no other control character is in any text. */
static bool
good_text(const char *text, size_t len, bool blob)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c < 0x20 && !(blob && (c == '\n' || c == '\r'))) ||
		    c == 0x7f)
			return false;
	}
	return blob || text_utf8(text, len);
}

/* What a terminal acts upon, or shows as if it were other text: C1 controls
 * (U+0080 to U+009F), and what parts lines or turns their direction (U+200E,
 * U+200F, U+2028 to U+202E, U+2066 to U+2069).  ${text} is UTF-8. */
static bool
is_plain(const char *text)
{
	for (const uint8_t *p = (const uint8_t *)text; *p != '\0'; p++) {
		if (*p == 0xc2 && p[1] < 0xa0)
			return false;
		if (*p == 0xe2 && p[1] == 0x80 &&
		    (p[2] == 0x8e || p[2] == 0x8f ||
			(p[2] >= 0xa8 && p[2] <= 0xae)))
			return false;
		if (*p == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
			return false;
	}
	return true;
}

static int
take(const struct member *m, const json_t *value, struct map_ask *ask,
    struct fault *f)
{
	void *field = (char *)ask + m->offset;
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);
	struct buf *b = field;

	if (text == NULL || len >= m->most || !good_text(text, len, m->blob) ||
	    (!m->blob && !is_plain(text)))
		return fault_set(f, FAULT_INPUT,
		    "\"%s\" is of the wrong type or size", m->name);
	if (!m->blob) {
		memcpy(field, text, len);
		((char *)field)[len] = '\0';
		return 0;
	}
	*b = BUF(m->most + 1);
	buf_put(b, text, len);
	return b->failed ? fault_set(f, FAULT_MEMORY, "%s", m->name) : 0;
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
read_verb(const json_t *object, enum map_say_verb *verb, struct fault *f)
{
	const char *word = json_string_value(json_object_get(object, "do"));

	for (unsigned i = 0; word != NULL && i < MAP_SAY_VERBS; i++)
		if (strcmp(verbs[i].word, word) == 0) {
			*verb = (enum map_say_verb)i;
			return 0;
		}
	return fault_set(f, FAULT_INPUT, "no verb of the desk");
}

static int
take_all(json_t *object, struct map_ask *ask, struct fault *f)
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
		if (m == NULL || !cmd_has_word(verbs[ask->verb].may, name))
			return fault_set(f, FAULT_INPUT,
			    "\"%s\" takes no such member",
			    verbs[ask->verb].word);
		if (take(m, value, ask, f) < 0)
			return -1;
	}
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (cmd_has_word(verbs[ask->verb].must, members[i].name) &&
		    json_object_get(object, members[i].name) == NULL)
			return fault_set(f, FAULT_INPUT, "\"%s\" needs \"%s\"",
			    verbs[ask->verb].word, members[i].name);
	return 0;
}

int
map_ask_read(struct wire_bytes line, struct map_ask *ask, struct fault *f)
{
	json_t *object = read_object(line, f);
	int result;

	memset(ask, 0, sizeof(*ask));
	if (object == NULL)
		return -1;
	result = take_all(object, ask, f);
	json_decref(object);
	if (result < 0)
		map_ask_clear(ask);
	return result;
}

/* Append ${object}, which is taken, as a line. */
static int
dump(json_t *object, struct buf *out, struct fault *f)
{
	OWN(char) text = object == NULL
	    ? NULL
	    : json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);

	json_decref(object);
	if (text == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	if (strlen(text) > MAP_SAY_MAX)
		return fault_set(f, FAULT_INPUT, "a line of more than %d bytes",
		    MAP_SAY_MAX);
	buf_text(out, text);
	buf_put_u8(out, '\n');
	return out->failed ? fault_set(f, FAULT_MEMORY, "JSON") : 0;
}

int
map_ask_write(const struct map_ask *ask, struct buf *out, struct fault *f)
{
	json_t *object = json_object();
	int bad = json_object_set_new(object, "do",
	    json_string(verbs[ask->verb].word));

	for (size_t i = 0; bad == 0 && i < COUNT_OF(members); i++) {
		const struct member *m = &members[i];
		const void *field = (const char *)ask + m->offset;
		const struct buf *b = field;
		const char *text = field;
		size_t len = m->blob ? b->len : strlen(text);

		if (m->blob)
			text = (const char *)b->data;
		if ((len > 0 && cmd_has_word(verbs[ask->verb].may, m->name)) ||
		    cmd_has_word(verbs[ask->verb].must, m->name))
			bad = json_object_set_new(object, m->name,
			    json_stringn(text == NULL ? "" : text, len));
	}
	if (bad == 0)
		return dump(object, out, f);
	json_decref(object);
	return fault_set(f, FAULT_INPUT, "what is no UTF-8 cannot be asked");
}

/* ---- answers */

static int
take_fault(const json_t *object, struct fault *to, struct fault *f)
{
	const char *name = json_string_value(json_object_get(object, "fault"));
	const char *text = json_string_value(json_object_get(object, "text"));

	if (name == NULL || text == NULL)
		return fault_set(f, FAULT_INPUT, "no answer of a desk");
	for (unsigned i = FAULT_FAILED; i < FAULT_COUNT; i++)
		if (strcmp(fault_name((enum fault_code)i), name) == 0) {
			(void)fault_set(to, (enum fault_code)i, "%s", text);
			text_clean(to->text);
			return 0;
		}
	return fault_set(f, FAULT_INPUT, "a fault of no kind");
}

/* What is meant to be printed. */
static bool
good_body(json_t *body)
{
	const char *name;
	json_t *value;

	json_object_foreach(body, name, value)
	{
		const char *text = json_string_value(value);

		if (text == NULL ||
		    !good_text(text, json_string_length(value), false) ||
		    !text_printable(name))
			return false;
	}
	return json_is_object(body);
}

int
map_answer_read(struct wire_bytes line, struct map_answer *answer,
    struct fault *f)
{
	json_t *object = read_object(line, f);
	json_t *body;
	int result = -1;

	*answer = (struct map_answer){ .kind = MAP_SAY_FAULT };
	if (object == NULL)
		return -1;
	for (unsigned i = 0; i < MAP_SAY_FAULT && result < 0; i++)
		if ((body = json_object_get(object, kinds[i])) != NULL &&
		    good_body(body)) {
			answer->kind = (enum map_say_kind)i;
			answer->body = json_incref(body);
			result = 0;
		}
	if (result < 0)
		result = take_fault(object, &answer->fault, f);
	json_decref(object);
	return result;
}

void
map_answer_clear(struct map_answer *answer)
{
	json_decref(answer->body);
	answer->body = NULL;
}

const char *
map_answer_get(const struct map_answer *answer, const char *name)
{
	const char *text =
	    json_string_value(json_object_get(answer->body, name));

	return text == NULL ? "" : text;
}

int
map_answer_write(enum map_say_kind kind, json_t *body, struct buf *out,
    struct fault *f)
{
	if (body == NULL)
		return fault_set(f, FAULT_MEMORY, "JSON");
	return dump(json_pack("{s:o}", kinds[kind], body), out, f);
}

int
map_fault_write(const struct fault *why, struct buf *out, struct fault *f)
{
	char text[sizeof(why->text)];

	memcpy(text, why->text, sizeof(text));
	text_clean(text);
	return dump(json_pack("{s:s, s:s}", "fault", fault_name(why->code),
			"text", text),
	    out, f);
}
