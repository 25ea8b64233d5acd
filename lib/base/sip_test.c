#include "base/sip.h"

#include "base/unit.h"

/* Appendix A of the paper, and the first of its authors' test vectors. */
static void
it_is_the_published_one(void **state)
{
	uint8_t key[SIP_KEY], data[15];

	(void)state;
	for (uint8_t i = 0; i < SIP_KEY; i++)
		key[i] = i;
	for (uint8_t i = 0; i < sizeof(data); i++)
		data[i] = i;
	assert_true(sip_hash(key, data, 15) == 0xa129ca6149be45e5);
	assert_true(sip_hash(key, data, 0) == 0x726fdb47dd0e0e31);
	assert_true(sip_hash(key, data, 8) == 0x93f5f5799a932462);
	key[0] = 1;
	assert_true(sip_hash(key, data, 15) != 0xa129ca6149be45e5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_published_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
