#include "base/unit.h"
#include "x509/crl.h"
#include "x509/tbs.h"
#include "x509/tbs_probe.h"

static const struct crl_entry some[] = {
	{ { 0x05 }, 1, 0, PROBE_NOW - 200 },
	{ { 0x05, 0x01 }, 2, 1, PROBE_NOW - 100 },
};

static void
make(const struct probe *p, time_t now, struct buf *tbs)
{
	struct crl_entry entries[2];
	struct fault f = { 0 };

	memcpy(entries, some, sizeof(some));
	assert_int_equal(crl_tbs(&p->a, entries, 2, 7, now, tbs, &f), 0);
}

static const char *
verdict(const struct probe *p, const struct buf *tbs, struct fault *f)
{
	struct wire_bytes bytes = { tbs->data, tbs->len };

	f->text[0] = '\0';
	if (tbs_check_crl(bytes, &p->a, PROBE_NOW, f) == 0)
		return "";
	assert_int_equal(f->code, FAULT_DENIED);
	return f->text;
}

static void
a_list_of_this_ca_and_of_now_passes(void **state)
{
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	make(p, PROBE_NOW, &tbs);
	assert_string_equal(verdict(p, &tbs, &f), "");
	assert_null(probe_crl_broken((struct wire_bytes){ tbs.data, tbs.len },
	    &p->a, PROBE_NOW));
	free(p);
}

static void
times_that_are_off_are_refused(void **state)
{
	static const struct {
		time_t now;
		const char *says;
	} cases[] = {
		{ PROBE_NOW + 173101, "thisUpdate" },
		{ PROBE_NOW - 86400, "thisUpdate" },
	};
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	for (size_t i = 0; i < 2; i++) {
		OWN_BUF(tbs, CERT_MAX);

		make(p, cases[i].now, &tbs);
		assert_non_null(strstr(verdict(p, &tbs, &f), cases[i].says));
	}
	OWN_BUF(tbs, CERT_MAX);
	make(p, PROBE_NOW, &tbs);
	p->a.conf.crl_lifetime -= 3600;
	assert_non_null(strstr(verdict(p, &tbs, &f), "crl-lifetime"));
	free(p);
}

static void
another_cas_list_is_refused(void **state)
{
	struct probe *p = malloc(sizeof(*p)), *q = malloc(sizeof(*q));
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_non_null(p);
	assert_non_null(q);
	probe_fill(p, false);
	probe_fill(q, false);
	make(p, PROBE_NOW, &tbs);
	probe_dn(&q->cert.subject, "/CN=other");
	assert_non_null(strstr(verdict(q, &tbs, &f), "issuer"));
	probe_fill(q, false);
	q->cert.spki.kind = KEY_P384;
	assert_non_null(strstr(verdict(q, &tbs, &f), "algorithm"));
	probe_fill(q, false);
	q->a.key_id[3] ^= 1;
	assert_non_null(strstr(verdict(q, &tbs, &f), "authorityKeyIdentifier"));
	free(p);
	free(q);
}

/* Whatever byte is changed: refused, or all rules still hold. */
static void
no_changed_byte_breaks_a_rule_unseen(void **state)
{
	static const uint8_t flips[] = { 0x01, 0x02, 0x10, 0x20, 0x80, 0xff };
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };
	unsigned accepted = 0, refused = 0;
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	make(p, PROBE_NOW, &tbs);
	for (size_t at = 0; at < tbs.len; at++) {
		for (size_t i = 0; i < sizeof(flips); i++) {
			struct wire_bytes bytes = { tbs.data, tbs.len };
			const char *broken = NULL;

			tbs.data[at] ^= flips[i];
			if (tbs_check_crl(bytes, &p->a, PROBE_NOW, &f) == 0) {
				accepted++;
				broken =
				    probe_crl_broken(bytes, &p->a, PROBE_NOW);
			} else {
				refused++;
			}
			if (broken != NULL)
				fail_msg("byte %zu: %s", at, broken);
			tbs.data[at] ^= flips[i];
		}
	}
	/* Serials, times, reason and number may differ; little else. */
	assert_true(accepted > 5);
	assert_true(refused > 6 * accepted);
	free(p);
}

static void
every_cut_and_every_excess_is_refused(void **state)
{
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	make(p, PROBE_NOW, &tbs);
	for (size_t len = 0; len < tbs.len; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);

		assert_non_null(exact);
		memcpy(exact, tbs.data, len);
		assert_int_equal(tbs_check_crl((struct wire_bytes){ exact,
						   len },
				     &p->a, PROBE_NOW, &f),
		    -1);
		free(exact);
	}
	buf_put_u8(&tbs, 0);
	assert_string_not_equal(verdict(p, &tbs, &f), "");
	free(p);
}

static void
entries_out_of_order_are_refused(void **state)
{
	static const uint8_t swapped[] = { 0x30, 0x12, 0x02, 0x01, 0x05 };
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };
	uint8_t *first;
	OWN_BUF(tbs, CERT_MAX);

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	make(p, PROBE_NOW, &tbs);
	first = memmem(tbs.data, tbs.len, swapped, sizeof(swapped));
	assert_non_null(first);
	first[4] = 0x06; /* 6 is still less than 0x0501 */
	assert_string_equal(verdict(p, &tbs, &f), "");
	/* Both of one length: equal is not sorted either. */
	struct crl_entry pair[2] = { some[0], some[0] };
	pair[1].serial[0] = 0x06;
	buf_clear(&tbs);
	assert_int_equal(crl_tbs(&p->a, pair, 2, 7, PROBE_NOW, &tbs, &f), 0);
	first = memmem(tbs.data, tbs.len, swapped, sizeof(swapped));
	assert_non_null(first);
	first[4] = 0x06;
	assert_non_null(strstr(verdict(p, &tbs, &f), "sorted"));
	first[4] = 0x07;
	assert_non_null(strstr(verdict(p, &tbs, &f), "sorted"));
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_of_this_ca_and_of_now_passes),
		cmocka_unit_test(times_that_are_off_are_refused),
		cmocka_unit_test(another_cas_list_is_refused),
		cmocka_unit_test(no_changed_byte_breaks_a_rule_unseen),
		cmocka_unit_test(every_cut_and_every_excess_is_refused),
		cmocka_unit_test(entries_out_of_order_are_refused),
	};

	return cmocka_run_group_tests_name("x509/tbs_crl", tests, NULL, NULL);
}
