#include "turns.h"

#include "options.h"

#include <stdint.h>
#include <string.h>

static uint64_t
bits_of(const struct turn *turn, const void *options)
{
	uint64_t bits;

	memcpy(&bits, (const char *)options + turn->at, sizeof(bits));
	return bits;
}

bool
turns_asked(const struct turn *turns, size_t count, const void *options)
{
	for (size_t i = 0; i < count; i++)
		if (bits_of(&turns[i], options) != 0)
			return true;
	return false;
}

int
turns_print(const struct turn *turns, size_t count, const void *options,
    const void *arg, struct fault *f)
{
	for (unsigned turn = 0; turn < OPTION_TURNS; turn++)
		for (size_t i = 0; i < count; i++)
			if ((bits_of(&turns[i], options) >> turn & 1) != 0 &&
			    turns[i].print(arg, f) < 0)
				return -1;
	return 0;
}
