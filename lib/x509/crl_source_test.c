#include "x509/crl_source.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

#define BEGIN "-----BEGIN X509 CRL-----"
#define END "-----END X509 CRL-----"

/* What comes of ${text}, or why nothing. */
static const char *
got(const char *text, char out[64])
{
	static struct fault f;
	struct crl_source s;
	uint8_t piece[48];
	size_t have = 0, len;

	crl_source_memory(&s, text, strlen(text));
	do {
		if (crl_source_get(&s, piece, sizeof(piece), &len, &f) < 0)
			return f.text;
		assert_true(have + len < 64);
		memcpy(out + have, piece, len);
		have += len;
	} while (len > 0);
	out[have] = '\0';
	return out;
}

static void
octets_come_of_either_form(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(got("0abc", out), "0abc");
	assert_string_equal(got(BEGIN "\nMGFiYw==\n" END "\n", out), "0abc");
	assert_string_equal(got("x\n" BEGIN " \r\nMGFi Yw\r\n==\r\n" END "\r\n"
				"more",
				out),
	    "0abc");
	assert_string_equal(got(BEGIN "\nMGFi\n" END, out), "0ab");
}

static void
malformed_text_is_refused(void **state)
{
	char out[64];

	(void)state;
	assert_string_equal(got("", out), "no CRL");
	assert_string_equal(got(" " BEGIN "\nMGFi\n" END, out), "no CRL");
	assert_non_null(strstr(got(BEGIN "\nMGFi\n", out), "no END"));
	assert_non_null(strstr(got(BEGIN "\nMGFi\n-----END X-----\n", out),
	    "no END"));
	assert_non_null(strstr(got(BEGIN "\nMGF\n" END, out), "base64"));
	assert_non_null(strstr(got(BEGIN "\nMGFiYw==MGFi\n" END, out),
	    "base64"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(octets_come_of_either_form),
		cmocka_unit_test(malformed_text_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
