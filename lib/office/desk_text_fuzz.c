/*
 * What is read as a line to the desk is written and read again as the same; the
 * same bytes taken as an answer do no harm, and what is taken for one is
 * bounded.
 */
#include "office/desk_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same(const struct desk_ask *a, const struct desk_ask *b)
{
	bool result = a->verb == b->verb;

#define TEXT(field, name, size) \
	result = result && strcmp(a->field, b->field) == 0;
#define NUMBER(field, name, most) \
	result = result && a->field == b->field && a->field <= (most);
#define FLAG(field, name) result = result && a->field == b->field;
#define BLOB(field, name, most)                            \
	result = result && a->field.len == b->field.len && \
	    a->field.len <= (most) &&                      \
	    (a->field.len == 0 ||                          \
		memcmp(a->field.data, b->field.data, a->field.len) == 0);
#include "office/desk_member.def"
#undef TEXT
#undef NUMBER
#undef FLAG
#undef BLOB
	return result;
}

static void
check_ask(struct wire_bytes line)
{
	struct desk_ask first, second;
	struct fault f = { 0 };
	OWN_BUF(out, (size_t)4 * DESK_LINE_MAX);

	if (desk_ask_read(line, &first, &f) < 0)
		return;
	/* Escapes may make a file's line longer than a line may be. */
	if (desk_ask_write(&first, &out, &f) == 0) {
		if (desk_ask_read((struct wire_bytes){ out.data, out.len },
			&second, &f) < 0 ||
		    !same(&first, &second))
			abort();
		desk_ask_clear(&second);
	}
	desk_ask_clear(&first);
}

static void
check_answer(struct wire_bytes line)
{
	struct desk_answer a;
	struct fault f = { 0 };

	if (desk_answer_read(line, &a, &f) < 0)
		return;
	if ((a.kind == DESK_FAULT) != (a.body == NULL) ||
	    (a.kind == DESK_FAULT && a.fault == FAULT_NONE) ||
	    (a.body != NULL && !json_is_object(a.body)))
		abort();
	desk_answer_clear(&a);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct wire_bytes line = { data, size };

	check_ask(line);
	check_answer(line);
	return 0;
}
