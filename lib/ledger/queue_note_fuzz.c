#include "ledger/queue_note.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read is written again octet for octet. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct queue_note note;
	OWN_BUF(again, QUEUE_NOTE_MAX + 1);
	struct fault f = { 0 };

	if (queue_note_read(&note, (struct wire_bytes){ data, size }, &f) < 0)
		return 0;
	if (queue_note_write(&note, &again, &f) < 0 || again.len != size ||
	    memcmp(again.data, data, size) != 0)
		abort();
	return 0;
}
