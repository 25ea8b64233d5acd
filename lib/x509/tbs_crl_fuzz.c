/* The same for revocation lists. */
#include "x509/tbs.h"
#include "x509/tbs_probe.h"

#include <stdio.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In pieces, with the same end. */
static int
check_in_pieces(struct wire_bytes tbs, const struct authority *a,
    struct fault *f)
{
	struct tbs_crl c;
	int more;

	if (tbs_crl_open(&c, tbs, a, PROBE_NOW, f) < 0)
		return -1;
	while ((more = tbs_crl_step(&c, 1, f)) == 1)
		;
	return more;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fault f = { 0 };
	struct wire_bytes tbs;
	struct probe *p;
	uint8_t *exact;
	const char *broken = NULL;

	if (size < 1 || size > 16384 || (p = malloc(sizeof(*p))) == NULL ||
	    (exact = malloc(size)) == NULL)
		return 0;
	probe_fill(p, (data[0] & 1) != 0);
	memcpy(exact, data + 1, size - 1);
	tbs = (struct wire_bytes){ exact, size - 1 };
	if (tbs_check_crl(tbs, &p->a, PROBE_NOW, &f) == 0)
		broken = probe_crl_broken(tbs, &p->a, PROBE_NOW);
	else if (f.code != FAULT_DENIED || f.text[0] == '\0')
		broken = "a refusal names its rule";
	if ((check_in_pieces(tbs, &p->a, &f) < 0) !=
	    (tbs_check_crl(tbs, &p->a, PROBE_NOW, &f) < 0))
		broken = "in pieces it is judged otherwise";
	free(exact);
	free(p);
	if (broken != NULL) {
		fprintf(stderr, "broken: %s\n", broken);
		abort();
	}
	return 0;
}
