#include "x509/crl_index.h"

#include "x509/crl_list.h"
#include "x509/crl_reading.h"
#include "x509/crl_source.h"
#include "x509/mint_probe.h"
#include "x509/pem.h"

#define MANY 30000u /* some megabytes: more than one window */

static const struct crl_span span = { 7, MINT_NOW - 300, MINT_NOW + 86400 };

struct probe_list {
	struct made ca;
	struct authority *a;
	struct made list;
};

/* The ${n}th serial: in no order, of ${least} to 20 octets. */
static struct crl_entry
entry_of(uint32_t n, uint8_t least)
{
	uint32_t mixed = n * 2654435761u;
	struct crl_entry e = { .serial_len =
				   (uint8_t)(least + mixed % (20u - least)),
		.reason = (uint8_t)(n % 6),
		.when = MINT_NOW - n };

	e.serial[0] = (uint8_t)(mixed >> 25 | 1);
	e.serial[1] = (uint8_t)(n >> 16);
	e.serial[2] = (uint8_t)(n >> 8);
	e.serial[3] = (uint8_t)n;
	return e;
}

static void
make(struct probe_list *p, uint32_t count, const char *key)
{
	OWN_STRUCT(crl_list) list = NULL;
	struct fault f = { 0 };

	p->ca = probe_make("root", key, PROBE_ROOT, NULL, NULL, NULL, NULL);
	p->a = probe_authority(&p->ca, PROBE_ROOT_CONF);
	p->list = (struct made){ NULL, BUF(CRL_BYTES_MAX), BUF(CRL_BYTES_MAX) };
	assert_non_null(list = crl_list_new(&f));
	for (uint32_t i = 0; i < count; i++) {
		struct crl_entry e = entry_of(i, 4);

		assert_int_equal(crl_list_add(list, &e, &f), 0);
	}
	assert_int_equal(crl_list_open(list, p->a, &span, &p->list.tbs, &f), 0);
	assert_int_equal(crl_list_write(list, count + 1, &p->list.tbs, &f), 0);
	probe_sign(&p->list, NULL, p->ca.key);
}

static void
unmake(struct probe_list *p)
{
	authority_clear(p->a);
	free(p->a);
	made_free(&p->ca);
	made_free(&p->list);
}

static struct crl_index *
index_of(const void *data, size_t len, struct fault *f)
{
	struct crl_source source;

	crl_source_memory(&source, data, len);
	return crl_index_read(&source, f);
}

static void
every_serial_is_found_and_no_other(void **state)
{
	OWN_STRUCT(crl_index) index = NULL;
	struct fault f = { 0 };
	struct crl_entry found;
	struct probe_list p;

	(void)state;
	make(&p, MANY, "ec:P-256");
	index = index_of(p.list.der.data, p.list.der.len, &f);
	if (index == NULL)
		fail_msg("%s", f.text);
	assert_int_equal(crl_index_count(index), MANY);
	assert_true(crl_index_memory(index) < MANY * 25u + 16384);
	for (uint32_t i = 0; i < MANY; i++) {
		struct crl_entry e = entry_of(i, 4);
		struct wire_bytes serial = { e.serial, e.serial_len };

		assert_int_equal(crl_index_find(index, serial, &found), 1);
		assert_int_equal(found.reason, e.reason);
		assert_int_equal(found.when, e.when);
		e.serial[0] ^= 0x80; /* which none has */
		assert_int_equal(crl_index_find(index, serial, &found), 0);
	}
	assert_int_equal(crl_index_head(index)->number, 7);
	assert_int_equal(crl_index_head(index)->next_update, MINT_NOW + 86400);
	assert_int_equal(crl_index_check(index, p.a->cert, &f), 0);
	unmake(&p);
}

static void
a_list_that_was_altered_is_not_the_cas(void **state)
{
	static const char *const keys[] = { "ec:P-256", "ec:P-384",
		"rsa:2048" };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		OWN_STRUCT(crl_index) index = NULL;
		OWN_STRUCT(crl_index) altered = NULL;
		struct fault f = { 0 };
		struct probe_list p;

		make(&p, 500, keys[i]);
		index = index_of(p.list.der.data, p.list.der.len, &f);
		assert_non_null(index);
		assert_int_equal(crl_index_check(index, p.a->cert, &f), 0);
		p.list.der.data[600] ^= 1; /* in a serial or a date */
		altered = index_of(p.list.der.data, p.list.der.len, &f);
		if (altered != NULL)
			assert_int_equal(crl_index_check(altered, p.a->cert,
					     &f),
			    -1);
		unmake(&p);
	}
}

/* Text before the block, other blocks, blanks behind the lines. */
static void
pem_is_the_same(void **state)
{
	OWN_STRUCT(crl_index) index = NULL;
	OWN_BUF(pem, CRL_BYTES_MAX);
	struct fault f = { 0 };
	struct probe_list p;

	(void)state;
	make(&p, MANY, "ec:P-256");
	buf_text(&pem, "Certificate Revocation List (CRL):\n  Version 2\r\n");
	pem_put(&pem, "CERTIFICATE",
	    (struct wire_bytes){ p.list.tbs.data, 99 });
	pem_put(&pem, "X509 CRL",
	    (struct wire_bytes){ p.list.der.data, p.list.der.len });
	index = index_of(pem.data, pem.len, &f);
	if (index == NULL)
		fail_msg("%s", f.text);
	assert_int_equal(crl_index_count(index), MANY);
	assert_int_equal(crl_index_check(index, p.a->cert, &f), 0);
	unmake(&p);
}

static void
what_is_cut_or_too_long_is_refused(void **state)
{
	OWN_BUF(pem, CRL_BYTES_MAX);
	OWN_BUF(longer, CRL_BYTES_MAX);
	struct fault f = { 0 };
	struct probe_list p;

	(void)state;
	make(&p, 300, "ec:P-256");
	for (size_t n = 0; n < p.list.der.len; n += 97)
		assert_null(index_of(p.list.der.data, n, &f));
	buf_put(&longer, p.list.der.data, p.list.der.len);
	buf_put_u8(&longer, 0);
	assert_null(index_of(longer.data, longer.len, &f));
	pem_put(&pem, "X509 CRL",
	    (struct wire_bytes){ p.list.der.data, p.list.der.len });
	for (size_t n = 0; n + 2 < pem.len; n += 97)
		assert_null(index_of(pem.data, n, &f));
	pem.data[pem.len / 2] = '*';
	assert_null(index_of(pem.data, pem.len, &f));
	assert_null(index_of("hello\n", 6, &f));
	assert_string_equal(f.text, "no CRL");
	unmake(&p);
}

/* However small the pieces, what comes of them is the same, and none of them
 * is more than was asked for and a window. */
static void
pieces_make_the_same_index(void **state)
{
	static const size_t sizes[] = { 1000, 65536, 1000000 };
	struct fault f = { 0 };
	struct probe_list p;

	(void)state;
	make(&p, MANY, "ec:P-256");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		OWN_STRUCT(crl_reading) r = NULL;
		OWN_STRUCT(crl_index) index = NULL;
		struct crl_source source;
		size_t turns = 0;
		int done = 0;

		crl_source_memory(&source, p.list.der.data, p.list.der.len);
		assert_non_null(r = crl_reading_new(&source, &f));
		while (done == 0) {
			size_t before = source.left, left = sizes[i];

			done = crl_reading_step(r, &left, &f);
			assert_true(before - source.left <= sizes[i] + 131072);
			turns++;
		}
		assert_int_equal(done, 1);
		assert_true(turns >= p.list.der.len / (sizes[i] + 131072));
		assert_non_null(index = crl_reading_take(r));
		assert_int_equal(crl_index_check(index, p.a->cert, &f), 0);
		for (uint32_t n = 0; n < MANY; n += 7) {
			struct crl_entry e = entry_of(n, 4), found;

			assert_int_equal(crl_index_find(index,
					     (struct wire_bytes){
						 e.serial, e.serial_len },
					     &found),
			    1);
			assert_int_equal(found.when, e.when);
		}
	}
	unmake(&p);
}

/* One that was begun may be given up at any moment. */
static void
a_reading_that_is_given_up_leaves_nothing(void **state)
{
	struct fault f = { 0 };
	struct probe_list p;

	(void)state;
	make(&p, 3000, "ec:P-256");
	for (size_t turns = 0; turns < 60; turns++) {
		OWN_STRUCT(crl_reading) r = NULL;
		struct crl_source source;

		crl_source_memory(&source, p.list.der.data, p.list.der.len);
		assert_non_null(r = crl_reading_new(&source, &f));
		for (size_t i = 0; i < turns; i++) {
			size_t left = 4000;

			assert_true(crl_reading_step(r, &left, &f) >= 0);
		}
	}
	unmake(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_serial_is_found_and_no_other),
		cmocka_unit_test(a_list_that_was_altered_is_not_the_cas),
		cmocka_unit_test(pem_is_the_same),
		cmocka_unit_test(what_is_cut_or_too_long_is_refused),
		cmocka_unit_test(pieces_make_the_same_index),
		cmocka_unit_test(a_reading_that_is_given_up_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
