/*
 * RFC 4533's values: each uuid of a set lies within it, and a cookie that was
 * read comes back from a request as it is.  Cookies joined once stay the same
 * when the same is said again.
 */
#include "roster/roster_sync.h"

#include "base/fault.h"
#include "roster/roster_csn.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_within(const uint8_t *data, size_t size, const uint8_t *at, size_t len)
{
	if (at != NULL && (at < data || at + len > data + size))
		abort();
}

static void
check_info(const uint8_t *data, size_t size)
{
	struct roster_sync_info info;
	struct fault f = { 0 };
	const uint8_t *uuid;

	if (roster_sync_info_read((struct wire_bytes){ data, size }, &info,
		&f) < 0)
		return;
	check_within(data, size, info.cookie.data, info.cookie.len);
	while ((uuid = roster_sync_uuid(&info.uuids)) != NULL)
		check_within(data, size, uuid, 16);
}

static void
check_cookie(const uint8_t *data, size_t size)
{
	OWN_BUF(one, 1 << 17);
	OWN_BUF(two, 1 << 17);
	size_t half = size / 2;

	roster_csn_join(data, half, data + half, size - half, &one);
	roster_csn_join(one.data, one.len, data + half, size - half, &two);
	if (!one.failed && half > 0 &&
	    (one.len != two.len ||
		(one.len > 0 && memcmp(one.data, two.data, one.len) != 0)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct roster_sync_state state;
	struct roster_sync_done done;
	struct fault f = { 0 };
	uint8_t *copy = malloc(size > 0 ? size : 1);

	if (copy == NULL)
		return 0;
	if (size > 0)
		memcpy(copy, data, size);
	if (roster_sync_state_read((struct wire_bytes){ copy, size }, &state,
		&f) == 0) {
		check_within(copy, size, state.uuid, 16);
		check_within(copy, size, state.cookie.data, state.cookie.len);
	}
	if (roster_sync_done_read((struct wire_bytes){ copy, size }, &done,
		&f) == 0)
		check_within(copy, size, done.cookie.data, done.cookie.len);
	check_info(copy, size);
	check_cookie(copy, size);
	free(copy);
	return 0;
}
