#ifndef ANCHOR_ANCHOR_PROBE_H
#define ANCHOR_ANCHOR_PROBE_H

/* For tests: a description that fits the root of a test's PKI. */
#include "anchor/judge.h"
#include "trust/anchor_text.h"
#include "trust/pki_probe.h"

static PKI_UNUSED struct anchor_want *
probe_want(const struct cert *cert)
{
	static const char *const digests[] = { "MD5", "SHA1", "SHA256",
		"SHA384" };
	struct fault f = { 0 };
	struct anchor_want *want = want_new(WANT_CADESC, "x.cadesc", &f);
	char text[DN_TEXT_MAX];

	assert_non_null(want);
	assert_int_equal(dn_hash(&cert->subject, want->hash, &f), 0);
	assert_int_equal(dn_show_slash(&cert->subject, text, sizeof(text)), 0);
	assert_int_equal(want_set(&want->subject, text, &f), 0);
	assert_int_equal(want_set(&want->alias, "root", &f), 0);
	assert_int_equal(want_set(&want->title, "Root", &f), 0);
	for (size_t i = 0; i < WANT_PINS; i++) {
		char print[ANCHOR_PRINT_SIZE];

		assert_int_equal(anchor_print(cert, digests[i], print, &f), 0);
		assert_int_equal(want_set(&want->pin[i], print, &f), 0);
	}
	return want;
}

static const struct judge_rules probe_rules = { .now = PKI_NOW,
	.warn_ca = 30 * PKI_DAY };

#endif
