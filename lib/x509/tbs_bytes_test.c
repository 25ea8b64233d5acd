/* Each byte of what is to be signed, changed, cut off or added. */
#include "x509/tbs.h"
#include "x509/tbs_stage_probe.h"

/* Whether ${at} lies in a copy of the ${len} bytes ${what} inside ${tbs}. */
static bool
inside(const struct buf *tbs, size_t at, const void *what, size_t len)
{
	const uint8_t *from = tbs->data;

	while ((from = memmem(from, tbs->len - (size_t)(from - tbs->data), what,
		    len)) != NULL) {
		if (at >= (size_t)(from - tbs->data) &&
		    at < (size_t)(from - tbs->data) + len)
			return true;
		from++;
	}
	return false;
}

/* Where the writer has a choice: serial, times, the name below the space, the
 * bits of usage, names, addresses, policies. */
static bool
in_a_hole(const struct stage *s, const struct buf *tbs, size_t at)
{
	static const uint8_t usage[] = { 0x03, 0x02, 0x07, 0x80 };
	static const uint8_t policy[] = { 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x4c,
		0x05, 0x02 };
	static const uint8_t purpose[] = { 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
		0x03 };
	const struct dn *name = &s->m.subject;
	size_t space = s->ca.a.under[1].len - 2;
	struct dn holes;

	/* The last octets of an OID vary: one more than its known part. */
	for (size_t back = 0; back <= 3; back++)
		if (inside(tbs, at - back, policy, sizeof(policy)))
			return true;
	if (inside(tbs, at - 1, purpose, sizeof(purpose)) ||
	    inside(tbs, at, usage, sizeof(usage)))
		return true;
	/* The subject without its header and without the space above. */
	memcpy(holes.der, name->der + 2 + space, name->len - 2 - space);
	if (inside(tbs, at, holes.der, name->len - 2 - space))
		return true;
	return inside(tbs, at, "\x02\x01\x11", 3) ||
	    inside(tbs, at, "\x55\x1d\x20\x00", 4) || /* anyPolicy */
	    inside(tbs, at, "\xff\x02\x01\x00", 4) || /* path length */
	    inside(tbs, at, "http://e.org/c", 14) ||
	    inside(tbs, at, "http://e.org/i", 14) ||
	    inside(tbs, at, "\x30\x07\x30\x01", 4) || /* OCSP, caIssuers */
	    inside(tbs, at, "\x30\x07\x30\x02", 4) ||
	    inside(tbs, at, "\x01\x05\x05\x07\x30\x02", 6) ||
	    inside(tbs, at, "\x82\x0dh.example.org", 15) ||
	    inside(tbs, at, "\x81\x11o.p+s@example.org", 19) ||
	    inside(tbs, at, "270115075500Z", 13) ||
	    inside(tbs, at, "270115200000Z", 13);
}

/* Every byte, in every way of a few: refused, or a choice the writer has, and
 * then all rules still hold for another reader. */
static void
mutate(const struct stage *s)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x03, 0x10, 0x20, 0x40,
		0x80, 0xff };
	OWN_BUF(tbs, CERT_MAX);
	struct fault f = { 0 };
	unsigned accepted = 0;

	assert_int_equal(mint_tbs(&s->m, &tbs, &f), 0);
	for (size_t at = 0; at < tbs.len; at++) {
		for (size_t i = 0; i < sizeof(flips); i++) {
			struct wire_bytes bytes = { tbs.data, tbs.len };
			const char *broken;

			tbs.data[at] ^= flips[i];
			if (tbs_check(bytes, &s->ca.a, PROBE_NOW, &f) == 0) {
				broken =
				    probe_broken(bytes, &s->ca.a, PROBE_NOW);
				if (broken != NULL)
					fail_msg("byte %zu: %s", at, broken);
				accepted++;
				tbs.data[at] ^= flips[i];
				if (!in_a_hole(s, &tbs, at))
					fail_msg("byte %zu ^ %02x passed", at,
					    flips[i]);
				tbs.data[at] ^= flips[i];
			}
			tbs.data[at] ^= flips[i];
		}
	}
	/* The holes are there: this test can tell both. */
	assert_true(accepted > 20);
}

static void
no_changed_byte_passes_but_where_the_writer_has_a_choice(void **state)
{
	struct stage *host = stage_host();
	struct stage *ca = stage_ca();

	(void)state;
	mutate(host);
	stage_free(host);
	ca->ca.a.under[1] = ca->ca.a.under[0];
	mutate(ca);
	stage_free(ca);
}

static void
every_cut_and_every_excess_is_refused(void **state)
{
	struct stage *s = stage_host();
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_int_equal(mint_tbs(&s->m, &tbs, &f), 0);
	for (size_t len = 0; len < tbs.len; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, tbs.data, len);
		assert_int_equal(tbs_check((struct wire_bytes){ exact, len },
				     &s->ca.a, PROBE_NOW, &f),
		    -1);
		free(exact);
	}
	buf_put_u8(&tbs, 0);
	assert_int_equal(tbs_check((struct wire_bytes){ tbs.data, tbs.len },
			     &s->ca.a, PROBE_NOW, &f),
	    -1);
	stage_free(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    no_changed_byte_passes_but_where_the_writer_has_a_choice),
		cmocka_unit_test(every_cut_and_every_excess_is_refused),
	};

	return cmocka_run_group_tests_name("x509/tbs_bytes", tests, NULL, NULL);
}
