#include "ca_token_talk.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
same_info(const struct ca_token_info *a, const struct ca_token_info *b)
{
	return strcmp(a->label, b->label) == 0 &&
	    strcmp(a->manufacturer, b->manufacturer) == 0 &&
	    strcmp(a->model, b->model) == 0 &&
	    strcmp(a->serial, b->serial) == 0 && a->pin_low == b->pin_low &&
	    a->pin_final == b->pin_final && a->pin_locked == b->pin_locked &&
	    a->pin_pad == b->pin_pad;
}

/* What reads as an answer, written again, reads the same. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct talk_answer a, again;
	uint8_t room[TALK_MAX];
	struct fault f = { 0 };
	size_t len;

	if (talk_read(&a, (struct wire_bytes){ data, size }, &f) < 0)
		return 0;
	len = talk_write(&a, room, sizeof(room));
	if (len == 0 ||
	    talk_read(&again, (struct wire_bytes){ room, len }, &f) < 0 ||
	    a.code != again.code || strcmp(a.text, again.text) != 0 ||
	    !same_info(&a.info, &again.info) || a.data.len != again.data.len)
		abort();
	if (a.data.len > 0 &&
	    memcmp(a.data.data, again.data.data, a.data.len) != 0)
		abort();
	return 0;
}
