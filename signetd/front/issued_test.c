#include "signetd/front/issued.h"

#include "base/fault.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

/* Certificates as far as is looked at: SEQUENCE { SEQUENCE { [0] {}, serial,
 * {}, issuer, {}, subject } }, with a number in place of each name. */
#define CERT(serial, issuer, subject)                                         \
	{                                                                     \
		0x30, 0x15, 0x30, 0x13, 0xa0, 0x00, 0x02, 0x01, serial, 0x30, \
		    0x00, 0x30, 0x03, 0x02, 0x01, issuer, 0x30, 0x00, 0x30,   \
		    0x03, 0x02, 0x01, subject                                 \
	}
#define CERT_SIZE 23

static const uint8_t leaf[] = CERT(9, 2, 3);
static const uint8_t middle[] = CERT(8, 1, 2);
static const uint8_t root[] = CERT(7, 1, 1);

static struct wire_bytes
bytes(const uint8_t *data, size_t len)
{
	return (struct wire_bytes){ data, len };
}

static void
roots_and_what_is_there_already_are_left_out(void **state)
{
	uint8_t chain[4 * CERT_SIZE];
	struct fault f = { 0 };
	OWN_BUF(out, 4096);

	(void)state;
	memcpy(chain, middle, CERT_SIZE);
	memcpy(chain + CERT_SIZE, root, CERT_SIZE);
	memcpy(chain + 2 * CERT_SIZE, leaf, CERT_SIZE);
	memcpy(chain + 3 * CERT_SIZE, middle, CERT_SIZE);
	assert_int_equal(issued_write(bytes(leaf, sizeof(leaf)),
			     bytes(chain, sizeof(chain)), &out, &f),
	    0);
	assert_int_equal(out.len, 1 + 2 * CERT_SIZE);
	assert_int_equal(out.data[0], 2);
	assert_memory_equal(out.data + 1, leaf, CERT_SIZE);
	assert_memory_equal(out.data + 1 + CERT_SIZE, middle, CERT_SIZE);
}

static void
without_a_chain_the_certificate_goes_alone(void **state)
{
	struct fault f = { 0 };
	OWN_BUF(out, 4096);

	(void)state;
	assert_int_equal(issued_write(bytes(leaf, sizeof(leaf)), bytes(NULL, 0),
			     &out, &f),
	    0);
	assert_int_equal(out.len, 1 + CERT_SIZE);
	assert_int_equal(out.data[0], 1);
}

static void
what_is_cut_or_lengthened_is_refused(void **state)
{
	uint8_t longer[CERT_SIZE + 1] = { 0 };

	(void)state;
	memcpy(longer, leaf, CERT_SIZE);
	for (size_t len = 0; len <= CERT_SIZE + 1; len++) {
		uint8_t *exact = malloc(len > 0 ? len : 1);
		struct fault f = { 0 };
		OWN_BUF(one, 4096);
		OWN_BUF(two, 4096);
		bool whole = len == CERT_SIZE;

		memcpy(exact, longer, len);
		assert_int_equal(issued_write(bytes(exact, len), bytes(NULL, 0),
				     &one, &f),
		    whole ? 0 : -1);
		assert_int_equal(issued_write(bytes(middle, CERT_SIZE),
				     bytes(exact, len), &two, &f),
		    whole || len == 0 ? 0 : -1);
		free(exact);
	}
}

static void
more_certificates_than_a_byte_counts_are_refused(void **state)
{
	struct fault f = { 0 };
	OWN_BUF(chain, 65536);
	OWN_BUF(out, 65536);

	(void)state;
	for (int i = 0; i < 255; i++) {
		const uint8_t cert[] = CERT((uint8_t)i, 5, 6);

		buf_put(&chain, cert, sizeof(cert));
	}
	assert_int_equal(issued_write(bytes(leaf, sizeof(leaf)),
			     bytes(chain.data, chain.len), &out, &f),
	    -1);
	buf_clear(&out);
	assert_int_equal(issued_write(bytes(leaf, sizeof(leaf)),
			     bytes(chain.data, chain.len - CERT_SIZE), &out,
			     &f),
	    0);
	assert_int_equal(out.data[0], 255);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_and_what_is_there_already_are_left_out),
		cmocka_unit_test(without_a_chain_the_certificate_goes_alone),
		cmocka_unit_test(what_is_cut_or_lengthened_is_refused),
		cmocka_unit_test(
		    more_certificates_than_a_byte_counts_are_refused),
	};

	return cmocka_run_group_tests_name("front/issued", tests, NULL, NULL);
}
