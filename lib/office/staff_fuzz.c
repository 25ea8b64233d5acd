/* What is read and written again is the same. */
#include "office/staff.h"

#include "base/fault.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every account exists, and is its first letter's. */
static int
uid_of(void *arg, const char *account, uid_t *uid)
{
	(void)arg;
	*uid = (uid_t)(unsigned char)account[0];
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	OWN_BUF(once, MOST);
	OWN_BUF(twice, MOST);
	OWN_STRUCT(staff) s =
	    staff_read((const char *)data, size, uid_of, NULL, &f);
	OWN_STRUCT(staff) again = NULL;

	if (s == NULL)
		return 0;
	staff_write(s, &once);
	again = staff_read((const char *)once.data, once.len, uid_of, NULL, &f);
	if (once.failed || again == NULL)
		abort();
	staff_write(again, &twice);
	if (once.len != twice.len ||
	    (once.len > 0 && memcmp(once.data, twice.data, once.len) != 0))
		abort();
	return 0;
}
