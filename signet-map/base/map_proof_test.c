#include "signet-map/base/map_proof.h"

#include "base/fault.h"
#include "base/unit.h"
#include "x509/key.h"

#include <string.h>

#define NONCE "00112233445566778899aabbccddeeff"

static const struct map_proof good = { NONCE, "2026-11-22T04:28:00Z", 1000,
	"ann", "/DC=org/CN=ann" };

static int
check(const struct map_proof *p, const struct key *key, const struct buf *s)
{
	struct fault f = { 0 };

	return map_proof_check(p, key_spki(key),
	    (struct wire_bytes){ s->data, s->len }, &f);
}

static void
a_proof_is_of_one_request_and_one_key(void **state)
{
	static const char *const kinds[] = { "ec:P-256", "ec:P-384",
		"rsa:2048" };
	struct map_proof other[] = { good, good, good, good, good };

	(void)state;
	other[0].nonce = "10112233445566778899aabbccddeeff";
	other[1].time = "2026-11-22T04:28:01Z";
	other[2].uid = 1001;
	other[3].account = "anna";
	other[4].name = "/DC=org/CN=anna";
	for (size_t i = 0; i < 3; i++) {
		struct fault f = { 0 };
		OWN_STRUCT(key) key = key_make(kinds[i], &f);
		OWN_STRUCT(key) wrong = key_make(kinds[i], &f);
		OWN_BUF(signature, 4096);

		assert_int_equal(map_proof_sign(&good, key, &signature, &f), 0);
		assert_int_equal(check(&good, key, &signature), 0);
		assert_int_equal(check(&good, wrong, &signature), -1);
		for (size_t j = 0; j < 5; j++)
			assert_int_equal(check(&other[j], key, &signature), -1);
		signature.data[8] = signature.data[8] == 'A' ? 'B' : 'A';
		assert_int_equal(check(&good, key, &signature), -1);
		signature.len--;
		assert_int_equal(check(&good, key, &signature), -1);
		signature.len = 0;
		assert_int_equal(check(&good, key, &signature), -1);
	}
}

static void
a_part_cannot_pass_for_another(void **state)
{
	struct map_proof bad[] = { good, good, good, good };

	(void)state;
	bad[0].account = "ann\nname: /CN=b";
	bad[1].name = "";
	bad[2].nonce = "short";
	bad[3].time = "x\n";
	for (size_t i = 0; i < 4; i++) {
		struct fault f = { 0 };
		OWN_BUF(text, 8192);

		assert_int_equal(map_proof_text(&bad[i], &text, &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_is_of_one_request_and_one_key),
		cmocka_unit_test(a_part_cannot_pass_for_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
