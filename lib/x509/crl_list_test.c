#include "x509/crl_list.h"

#include "base/unit.h"
#include "x509/tbs.h"
#include "x509/tbs_probe.h"

#include <string.h>

#define MANY 20000u

static const struct crl_span span = { 7, PROBE_NOW - 300, PROBE_NOW + 86400 };

/* The ${n}th of MANY serials, in no order, of four to nineteen octets. */
static struct crl_entry
entry_of(uint32_t n)
{
	uint32_t mixed = n * 2654435761u;
	struct crl_entry e = { .serial_len = (uint8_t)(4 + mixed % 16),
		.reason = (uint8_t)(n % 11 == 7 || n % 11 == 8 ? 0 : n % 11),
		.when = PROBE_NOW - n * 997 };

	e.serial[0] = (uint8_t)(mixed >> 24 | 1);
	e.serial[1] = (uint8_t)(n >> 16);
	e.serial[2] = (uint8_t)(n >> 8);
	e.serial[3] = (uint8_t)n;
	return e;
}

static struct crl_list *
list_of(uint32_t count)
{
	struct fault f = { 0 };
	struct crl_list *list = crl_list_new(&f);

	assert_non_null(list);
	for (uint32_t i = 0; i < count; i++) {
		struct crl_entry e = entry_of(i);

		assert_int_equal(crl_list_add(list, &e, &f), 0);
	}
	assert_int_equal(crl_list_count(list), count);
	return list;
}

/* All of it, ${most} entries a time. */
static void
write_all(struct crl_list *list, const struct authority *a, size_t most,
    struct buf *out)
{
	struct fault f = { 0 };
	int more;

	assert_int_equal(crl_list_open(list, a, &span, out, &f), 0);
	while ((more = crl_list_write(list, most, out, &f)) == 1)
		;
	if (more < 0)
		fail_msg("%s", f.text);
	assert_int_equal(out->len, crl_list_size(list));
	crl_list_free(list);
}

static void
pieces_make_the_list_that_the_strict_reader_takes(void **state)
{
	static const uint32_t counts[] = { 0, 1, 2, 4095, 4096, 4097, MANY };
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		OWN_BUF(tbs, 4u << 20);
		struct tbs_crl c;
		int more;

		write_all(list_of(counts[i]), &p->a, 1000, &tbs);
		if (tbs_crl_open(&c, (struct wire_bytes){ tbs.data, tbs.len },
			&p->a, PROBE_NOW, &f) < 0)
			fail_msg("%u: %s", counts[i], f.text);
		while ((more = tbs_crl_step(&c, 333, &f)) == 1)
			;
		if (more < 0)
			fail_msg("%u: %s", counts[i], f.text);
		assert_int_equal(c.count, counts[i]);
		assert_int_equal(c.number, span.number);
		assert_int_equal(c.this_update, span.this_update);
		assert_int_equal(c.next_update, span.next_update);
	}
	free(p);
}

static void
the_size_of_the_pieces_changes_nothing(void **state)
{
	struct probe *p = malloc(sizeof(*p));
	OWN_BUF(one, 4u << 20);
	OWN_BUF(other, 4u << 20);

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	write_all(list_of(5000), &p->a, 1, &one);
	write_all(list_of(5000), &p->a, SIZE_MAX, &other);
	assert_int_equal(one.len, other.len);
	assert_memory_equal(one.data, other.data, one.len);
	free(p);
}

/* The hand-written entry, beside der.c's. */
static void
entries_are_what_der_makes_of_them(void **state)
{
	static const time_t times[] = { 0, PROBE_NOW, 2524607999, 2524608000,
		253402300799 };
	struct probe *p = malloc(sizeof(*p));
	struct fault f = { 0 };

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
		struct crl_entry e = { .serial = { 0x80 + (uint8_t)i, 2 },
			.serial_len = 2,
			.reason = (uint8_t)i,
			.when = times[i] };
		OWN_BUF(tbs, 65536);
		OWN_BUF(want, 256);
		size_t mark = der_open(&want, DER_SEQUENCE), list;
		struct crl_list *l = crl_list_new(&f);

		der_put_positive(&want, e.serial, e.serial_len);
		der_put_time(&want, e.when);
		if (e.reason > 0) {
			list = der_open(&want, DER_SEQUENCE);
			size_t x = der_open(&want, DER_SEQUENCE), value;
			der_put_oid(&want, "2.5.29.21");
			value = der_open(&want, DER_OCTET_STRING);
			der_put(&want, DER_ENUMERATED, &e.reason, 1);
			der_close(&want, value);
			der_close(&want, x);
			der_close(&want, list);
		}
		der_close(&want, mark);
		assert_non_null(l);
		assert_int_equal(crl_list_add(l, &e, &f), 0);
		write_all(l, &p->a, 9, &tbs);
		assert_non_null(memmem(tbs.data, tbs.len, want.data, want.len));
	}
	free(p);
}

static void
what_is_no_entry_is_refused(void **state)
{
	static const struct crl_entry bad[] = {
		{ .serial_len = 0, .when = 1 },
		{ .serial = { 0, 1 }, .serial_len = 2, .when = 1 },
		{ .serial = { 1 }, .serial_len = 21, .when = 1 },
		{ .serial = { 1 }, .serial_len = 1, .when = -1 },
		{ .serial = { 1 }, .serial_len = 1, .when = 253402300800 },
		{ .serial = { 1 }, .serial_len = 1, .reason = 11, .when = 1 },
	};
	struct fault f = { 0 };
	OWN_STRUCT(crl_list) list = crl_list_new(&f);

	(void)state;
	assert_non_null(list);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(crl_list_add(list, &bad[i], &f), -1);
		assert_int_equal(f.code, FAULT_INTERNAL);
	}
	assert_int_equal(crl_list_count(list), 0);
}

static void
a_serial_that_comes_twice_is_found(void **state)
{
	struct probe *p = malloc(sizeof(*p));
	struct crl_list *list = list_of(10000);
	struct crl_entry again = entry_of(17);
	struct fault f = { 0 };
	OWN_BUF(tbs, 4u << 20);

	(void)state;
	assert_non_null(p);
	probe_fill(p, false);
	assert_int_equal(crl_list_add(list, &again, &f), 0);
	assert_int_equal(crl_list_open(list, &p->a, &span, &tbs, &f), 0);
	assert_int_equal(crl_list_write(list, SIZE_MAX, &tbs, &f), -1);
	crl_list_free(list);
	free(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    pieces_make_the_list_that_the_strict_reader_takes),
		cmocka_unit_test(the_size_of_the_pieces_changes_nothing),
		cmocka_unit_test(entries_are_what_der_makes_of_them),
		cmocka_unit_test(what_is_no_entry_is_refused),
		cmocka_unit_test(a_serial_that_comes_twice_is_found),
	};

	return cmocka_run_group_tests_name("x509/crl_list", tests, NULL, NULL);
}
