/* A list that is believed is, byte for byte, the one that would be written. */
#include "anchor/house_list.h"

#include "base/fault.h"
#include "base/text.h"

#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
look(const char *text, size_t len)
{
	struct house_list list;
	OWN_BUF(again, HOUSE_LIST_BYTES);
	struct fault f;

	if (house_list_read(&list, text, len, &f) < 0)
		return;
	if (house_list_write(&list, &again, &f) < 0 || again.len != len ||
	    memcmp(again.data, text, len) != 0)
		abort();
	for (size_t i = 0; i < list.count; i++)
		if (!house_name_good(list.item[i]->name) ||
		    house_list_find(&list, list.item[i]->name) != list.item[i])
			abort();
	house_list_clear(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t digest[HOUSE_DIGEST];
	char hex[2 * HOUSE_DIGEST + 1];
	OWN_BUF(mended, 1u << 20);

	look((const char *)data, size);
	/* No mutation finds a digest: give each the one it needs. */
	buf_put(&mended, data, size);
	if (mended.failed ||
	    EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return 0;
	text_hex(digest, sizeof(digest), hex);
	buf_fmt(&mended, "end %s\n", hex);
	look((const char *)mended.data, mended.len);
	return 0;
}
