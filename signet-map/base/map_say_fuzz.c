/*
 * What was read of either side is written and read again as the same.
 */
#include "signet-map/base/map_say.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_ask(struct wire_bytes line)
{
	struct map_ask ask, again;
	struct fault f = { 0 };
	OWN_BUF(out, 4 * MAP_SAY_MAX);
	OWN_BUF(twice, 4 * MAP_SAY_MAX);

	if (map_ask_read(line, &ask, &f) < 0)
		return;
	if (map_ask_write(&ask, &out, &f) < 0 ||
	    map_ask_read((struct wire_bytes){ out.data, out.len - 1 }, &again,
		&f) < 0) {
		/* A text that must be there may be empty, and is left out. */
		map_ask_clear(&ask);
		return;
	}
	if (map_ask_write(&again, &twice, &f) < 0 || twice.len != out.len ||
	    memcmp(twice.data, out.data, out.len) != 0)
		abort();
	map_ask_clear(&ask);
	map_ask_clear(&again);
}

static void
check_answer(struct wire_bytes line)
{
	struct map_answer answer, again;
	struct fault f = { 0 };
	OWN_BUF(out, 8 * MAP_SAY_MAX);

	if (map_answer_read(line, &answer, &f) < 0)
		return;
	if (answer.kind == MAP_SAY_FAULT) {
		if (map_fault_write(&answer.fault, &out, &f) < 0)
			abort();
	} else if (map_answer_write(answer.kind, json_incref(answer.body), &out,
		       &f) < 0) {
		map_answer_clear(&answer);
		return;
	}
	if (map_answer_read((struct wire_bytes){ out.data, out.len - 1 },
		&again, &f) < 0 ||
	    again.kind != answer.kind ||
	    !(answer.body == NULL || json_equal(again.body, answer.body)))
		abort();
	map_answer_clear(&answer);
	map_answer_clear(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_ask((struct wire_bytes){ data, size });
	check_answer((struct wire_bytes){ data, size });
	return 0;
}
