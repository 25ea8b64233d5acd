#include "ca_args.h"

#include "base/fault.h"
#include "base/unit.h"

#include <string.h>

static const struct ca_command *
find(const char *first, const char *second)
{
	char program[] = "signet-ca";
	char a[32], b[32];
	char *argv[] = { program, a, b, NULL };
	struct fault f = { 0 };
	int words = 0;

	snprintf(a, sizeof(a), "%s", first);
	snprintf(b, sizeof(b), "%s", second);
	return ca_command_find(3, argv, &words, &f);
}

/* Read ${count} words as arguments of "init root". */
static int
read_words(const char *const *words, int count, struct ca_args *args,
    struct fault *f)
{
	static char copies[CA_LIST_MAX * 2 + 8][64];
	static char *argv[CA_LIST_MAX * 2 + 9];

	for (int i = 0; i < count; i++) {
		snprintf(copies[i], sizeof(copies[i]), "%s", words[i]);
		argv[i] = copies[i];
	}
	argv[count] = NULL;
	return ca_args_read(find("init", "root"), count, argv, args, f);
}

static void
a_command_is_found_by_one_word_or_two(void **state)
{
	(void)state;
	assert_ptr_equal(find("init", "root")->run, ca_init_root);
	assert_ptr_equal(find("ledger", "check")->run, ca_ledger_check);
	assert_ptr_equal(find("crl", "anything")->run, ca_crl);
	assert_null(find("init", "leaf"));
	assert_null(find("", ""));
	assert_null(find("ini", "root"));
}

static void
options_reach_their_fields(void **state)
{
	static const char *const words[] = { "root", "DIR", "--years", "7",
		"--may-sign-under", "/O=a", "--no-passphrase",
		"--may-sign-under", "/O=b" };
	struct ca_args args;
	struct fault f = { 0 };

	(void)state;
	assert_int_equal(read_words(words, 9, &args, &f), 0);
	assert_string_equal(args.years, "7");
	assert_int_equal(args.under.count, 2);
	assert_string_equal(args.under.item[1], "/O=b");
	assert_null(args.under.item[2]);
	assert_true(args.no_passphrase);
	assert_null(args.subject);
	assert_int_equal(args.count, 1);
	assert_string_equal(args.operand[0], "DIR");
}

static void
what_the_command_does_not_take_is_refused(void **state)
{
	static const struct {
		const char *words[4];
		int count;
		const char *says;
	} cases[] = {
		{ { "root", "D", "--dns", "x" }, 4, "unknown option" },
		{ { "root", "D", "--subject" }, 3, "needs a value" },
		{ { "root" }, 1, "usage" },
		{ { "root", "D", "E" }, 3, "usage" },
		{ { "root", "D", "--name=a", "--name=b" }, 4, "given twice" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ca_args args;
		struct fault f = { 0 };

		assert_int_equal(read_words(cases[i].words, cases[i].count,
				     &args, &f),
		    -1);
		assert_int_equal(f.code, FAULT_USAGE);
		assert_non_null(strstr(f.text, cases[i].says));
	}
}

static void
a_list_has_an_end(void **state)
{
	const char *words[2 * CA_LIST_MAX + 4] = { "root", "D" };
	struct ca_args args;
	struct fault f = { 0 };

	(void)state;
	for (int i = 0; i <= CA_LIST_MAX; i++) {
		words[2 + 2 * i] = "--may-sign-under";
		words[3 + 2 * i] = "/O=a";
	}
	assert_int_equal(read_words(words, 2 + 2 * CA_LIST_MAX, &args, &f), 0);
	assert_null(args.under.item[CA_LIST_MAX]);
	assert_int_equal(read_words(words, 4 + 2 * CA_LIST_MAX, &args, &f), -1);
}

static void
every_option_that_a_command_names_exists(void **state)
{
	static const char *const names[] = {
#define OPTION(field, name, KIND, argument, doc) name,
#include "ca_options.def"
#undef OPTION
	};
	unsigned used[sizeof(names) / sizeof(names[0])] = { 0 };

	(void)state;
	for (size_t i = 0; i < ca_commands_count; i++) {
		char list[512], *rest = list, *word;

		snprintf(list, sizeof(list), "%s", ca_commands[i].options);
		while ((word = strsep(&rest, " ")) != NULL) {
			size_t j = 0;

			while (j < sizeof(names) / sizeof(names[0]) &&
			    strcmp(names[j], word) != 0)
				j++;
			if (j == sizeof(names) / sizeof(names[0]))
				fail_msg("no option %s", word);
			used[j]++;
		}
	}
	for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++)
		if (used[j] == 0)
			fail_msg("no command takes %s", names[j]);
}

static void
numbers_and_dates_are_read_whole(void **state)
{
	struct fault f = { 0 };
	int64_t number;
	time_t when;

	(void)state;
	assert_int_equal(ca_number(NULL, "-n", 1, 5, 3, &number, &f), 0);
	assert_int_equal(number, 3);
	assert_int_equal(ca_number("5", "-n", 1, 5, 3, &number, &f), 0);
	assert_int_equal(number, 5);
	assert_int_equal(ca_number("6", "-n", 1, 5, 3, &number, &f), -1);
	assert_int_equal(ca_number("5x", "-n", 1, 5, 3, &number, &f), -1);
	assert_int_equal(ca_date("2026-11-22", "-d", &when, &f), 0);
	assert_int_equal(when, 1795305600);
	assert_int_equal(ca_date("2026-11-22T04:00:01Z", "-d", &when, &f), 0);
	assert_int_equal(when, 1795305600 + 14401);
	assert_int_equal(ca_date("2026-11-22 ", "-d", &when, &f), -1);
	assert_int_equal(ca_date("tomorrow", "-d", &when, &f), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_found_by_one_word_or_two),
		cmocka_unit_test(options_reach_their_fields),
		cmocka_unit_test(what_the_command_does_not_take_is_refused),
		cmocka_unit_test(a_list_has_an_end),
		cmocka_unit_test(every_option_that_a_command_names_exists),
		cmocka_unit_test(numbers_and_dates_are_read_whole),
	};

	return cmocka_run_group_tests_name("signet-ca/ca_args", tests, NULL,
	    NULL);
}
