/*
 * A line of a history that was read is written again to the byte.
 */
#include "map/map_book_line.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct map_book_line line;
	struct fault f = { 0 };
	OWN_BUF(again, 4 * (size_t)MAP_BOOK_LINE_MAX);

	if (map_book_line_read(&line, (const char *)data, size, &f) == 0) {
		buf_put(&again, data, MAP_BOOK_HASH_SIZE - 1);
		map_book_line_write(&line.entry, &again);
		if (again.len != size || memcmp(again.data, data, size) != 0)
			abort();
	}
	map_book_line_free(&line);
	return 0;
}
