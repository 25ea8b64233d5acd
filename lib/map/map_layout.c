#include "map/map_layout.h"

#include "base/sip.h"

#include <string.h>

uint64_t
map_layout_hash(const uint64_t key[2], enum map_layout_use use, uint64_t where,
    const void *data, size_t len)
{
	const uint64_t words[2] = { key[0] ^ (uint64_t)use, key[1] ^ where };
	uint8_t turned[SIP_KEY];

	memcpy(turned, words, sizeof(turned));
	return sip_hash(turned, data, len);
}

uint64_t
map_layout_bucket_of(uint64_t hash, uint64_t buckets)
{
	return (hash >> 32) * buckets >> 32;
}
