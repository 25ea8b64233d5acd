#include "x509/crl_sort.h"

#include "base/fault.h"
#include "x509/crl_index_part.h"

#include <stdlib.h>
#include <string.h>

#define RUN 512	       /* entries, sorted at once: some 50 microseconds */
#define SORTED_COST 16 /* of an entry in such a run, */
#define MERGED_COST 4  /* and in a pass: as many octets take as long */

static size_t
stride_of(const struct crl_index *x)
{
	return x->width + CRL_INDEX_TAIL;
}

static void
spend(size_t *left, size_t cost)
{
	*left -= cost < *left ? cost : *left;
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

static int
by_serial(const void *a, const void *b, void *width)
{
	return memcmp(a, b, *(const size_t *)width);
}

/* The runs [from, from + run) and the one behind it are the next to merge. */
static void
take_pair(struct crl_sort *s, const struct crl_index *x, size_t from)
{
	s->low = from;
	s->low_end = least(x->count, from + s->run);
	s->high = s->low_end;
	s->high_end = least(x->count, s->low_end + s->run);
}

static void
begin_pass(struct crl_sort *s, const struct crl_index *x, size_t run)
{
	s->run = run;
	s->out = 0;
	take_pair(s, x, 0);
}

static void
make_run(struct crl_sort *s, struct crl_index *x, size_t *left)
{
	size_t count = least(RUN, x->count - s->out);

	qsort_r(x->entries + s->out * stride_of(x), count, stride_of(x),
	    by_serial, &x->width);
	s->out += count;
	spend(left, count * SORTED_COST);
	if (s->out == x->count)
		begin_pass(s, x, RUN);
}

/* The lesser of the two that are next; of equals the one that came first. */
static const uint8_t *
pick(struct crl_sort *s, const struct crl_index *x)
{
	const uint8_t *low = x->entries + s->low * stride_of(x);
	const uint8_t *high = x->entries + s->high * stride_of(x);

	if (s->high == s->high_end ||
	    (s->low < s->low_end && memcmp(low, high, x->width) <= 0)) {
		s->low++;
		return low;
	}
	s->high++;
	return high;
}

static void
merge(struct crl_sort *s, struct crl_index *x, size_t *left)
{
	size_t stride = stride_of(x);
	uint8_t *merged = s->spare;

	while (s->out<x->count && * left> 0) {
		if (s->low == s->low_end && s->high == s->high_end)
			take_pair(s, x, s->out);
		memcpy(merged + s->out++ * stride, pick(s, x), stride);
		spend(left, MERGED_COST);
	}
	if (s->out < x->count)
		return;
	s->spare = x->entries;
	x->entries = merged;
	begin_pass(s, x, 2 * s->run);
}

int
crl_sort_step(struct crl_sort *s, struct crl_index *index, size_t *left,
    struct fault *f)
{
	while (*left > 0 && (s->run == 0 || s->run < index->count)) {
		if (s->run == 0) {
			make_run(s, index, left);
			continue;
		}
		/* As large as the other, whose place it takes. */
		if (s->spare == NULL &&
		    (s->spare = reallocarray(NULL, index->room,
			 stride_of(index))) == NULL)
			return fault_set(f, FAULT_MEMORY, "a CRL");
		merge(s, index, left);
	}
	return s->run > 0 && s->run >= index->count ? 1 : 0;
}

void
crl_sort_clear(struct crl_sort *s)
{
	free(s->spare);
	s->spare = NULL;
}
