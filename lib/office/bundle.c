#include "office/bundle.h"

#include "base/fault.h"

#include <stdbool.h>
#include <string.h>

#define NAME_SIZE 16

static const struct {
	const char *name;
	uint64_t most;
	bool needed;
} parts[] = {
#define PART(name, called, most, needed) { called, most, needed },
#include "office/bundle.def"
#undef PART
};

const char *
bundle_name(enum bundle_part part)
{
	return parts[part].name;
}

int
bundle_begin(struct bundle_out *b, enum bundle_part part, uint64_t size,
    struct fault *f)
{
	const char *name = parts[part].name;
	uint8_t head[1 + NAME_SIZE + 8];
	size_t len = strlen(name);

	if (b->left != 0)
		return fault_set(f, FAULT_INTERNAL, "a part is unfinished");
	if (size > parts[part].most)
		return fault_set(f, FAULT_INPUT, "%s is too large", name);
	head[0] = (uint8_t)len;
	memcpy(head + 1, name, len);
	for (int i = 0; i < 8; i++)
		head[1 + len + (size_t)i] = (uint8_t)(size >> (56 - 8 * i));
	b->left = size;
	return seal_put(b->seal, head, 1 + len + 8, f);
}

int
bundle_put(struct bundle_out *b, const void *data, size_t len, struct fault *f)
{
	if (len > b->left)
		return fault_set(f, FAULT_INPUT, "it grew while it was read");
	b->left -= len;
	return seal_put(b->seal, data, len, f);
}

int
bundle_end(struct bundle_out *b, struct fault *f)
{
	const uint8_t end = 0;

	if (b->left != 0)
		return fault_set(f, FAULT_INPUT,
		    "it became shorter while it was read");
	if (seal_put(b->seal, &end, 1, f) < 0)
		return -1;
	return seal_out_end(b->seal, f);
}

/* Exactly ${size} octets. */
static int
get_all(struct bundle_in *b, uint8_t *to, size_t size, struct fault *f)
{
	while (size > 0) {
		size_t len = 0;

		if (seal_get(b->seal, to, size, &len, f) < 0)
			return -1;
		if (len == 0)
			return fault_set(f, FAULT_INPUT,
			    "the backup ends in the middle of a part");
		to += len;
		size -= len;
	}
	return 0;
}

static int
pass_over(struct bundle_in *b, struct fault *f)
{
	uint8_t waste[4096];
	size_t len = 1;

	while (b->left > 0 && len > 0)
		if (bundle_get(b, waste, sizeof(waste), &len, f) < 0)
			return -1;
	secret_wipe(waste, sizeof(waste));
	return 0;
}

/* After the end mark nothing follows, and nothing needed was left out. */
static int
finish(struct bundle_in *b, struct fault *f)
{
	uint8_t more = 0;
	size_t len = 0;

	for (unsigned i = b->next; i < BUNDLE_COUNT; i++)
		if (parts[i].needed)
			return fault_set(f, FAULT_INPUT, "it has no %s",
			    parts[i].name);
	if (seal_get(b->seal, &more, 1, &len, f) < 0)
		return -1;
	if (len > 0)
		return fault_set(f, FAULT_INPUT,
		    "something follows after the last part");
	return 0;
}

static int
find_part(struct bundle_in *b, const char *name, enum bundle_part *part,
    struct fault *f)
{
	for (unsigned i = b->next; i < BUNDLE_COUNT; i++) {
		if (strcmp(parts[i].name, name) == 0) {
			*part = (enum bundle_part)i;
			b->next = i + 1;
			return 0;
		}
		if (parts[i].needed)
			return fault_set(f, FAULT_INPUT, "it has no %s",
			    parts[i].name);
	}
	return fault_set(f, FAULT_INPUT,
	    "a part that is unknown, out of order or there twice");
}

int
bundle_next(struct bundle_in *b, enum bundle_part *part, uint64_t *size,
    struct fault *f)
{
	char name[NAME_SIZE] = { 0 };
	uint8_t octets[8], len = 0;
	uint64_t value = 0;
	enum bundle_part found;

	if (pass_over(b, f) < 0 || get_all(b, &len, 1, f) < 0)
		return -1;
	if (len == 0)
		return finish(b, f);
	if (len >= NAME_SIZE)
		return fault_set(f, FAULT_INPUT, "a part's name is too long");
	if (get_all(b, (uint8_t *)name, len, f) < 0 ||
	    get_all(b, octets, sizeof(octets), f) < 0)
		return -1;
	if (strlen(name) != len)
		return fault_set(f, FAULT_INPUT, "a part's name has a NUL");
	if (find_part(b, name, &found, f) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(octets); i++)
		value = value << 8 | octets[i];
	if (value > parts[found].most)
		return fault_set(f, FAULT_INPUT, "%s is too large", name);
	b->left = value;
	*size = value;
	*part = found;
	return 1;
}

int
bundle_get(struct bundle_in *b, void *to, size_t size, size_t *len,
    struct fault *f)
{
	size_t want = b->left < size ? (size_t)b->left : size;

	*len = 0;
	if (want == 0)
		return 0;
	if (seal_get(b->seal, to, want, len, f) < 0)
		return -1;
	if (*len == 0)
		return fault_set(f, FAULT_INPUT,
		    "the backup ends in the middle of a part");
	b->left -= *len;
	return 0;
}
