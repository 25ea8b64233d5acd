#include "ca_sysconfig.h"

#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static struct sysconfig_line
one(const char *text)
{
	struct sysconfig_line line;
	size_t len = strlen(text);
	uint8_t *copy = malloc(len == 0 ? 1 : len);
	struct wire_bytes rest = { copy, len };

	assert_non_null(copy);
	memcpy(copy, text, len);
	assert_true(sysconfig_next(&rest, &line));
	free(copy);
	return line;
}

static void
set_to(const char *text, const char *value)
{
	const struct sysconfig_line line = one(text);

	if (line.kind != SYSCONFIG_SET || strcmp(line.name, "KEY") != 0 ||
	    strcmp(line.value, value) != 0)
		fail_msg("%s: kind %d, %s=<%s>, %s", text, (int)line.kind,
		    line.name, line.value, line.why == NULL ? "" : line.why);
}

static void
not_understood(const char *text, const char *why)
{
	const struct sysconfig_line line = one(text);

	if (line.kind != SYSCONFIG_OTHER || strstr(line.why, why) == NULL)
		fail_msg("%s: kind %d, %s", text, (int)line.kind,
		    line.why == NULL ? "" : line.why);
}

static void
values_are_quoted_as_in_the_shell(void **state)
{
	(void)state;
	set_to("KEY=0:45\n", "0:45");
	set_to("KEY=0:45", "0:45");
	set_to("  KEY=\"0:45\"  \n", "0:45");
	set_to("KEY='a b'\r\n", "a b");
	set_to("KEY=\"a b\"'c'd\n", "a bcd");
	set_to("KEY=\n", "");
	set_to("KEY=''\n", "");
	set_to("KEY='$HOME `id`'\n", "$HOME `id`");
	set_to("KEY=\"a\\\"b\\\\c\\$d\\e\"\n", "a\"b\\c$d\\e");
	set_to("KEY=a\\ b\n", "a b");
	set_to("export KEY=1\n", "1");
	set_to("KEY=1 # why\n", "1");
	set_to("KEY=a#b\n", "a#b");
	set_to("KEY=/DC=org/CN=%s\n", "/DC=org/CN=%s");
}

static void
what_a_shell_would_do_is_not_understood(void **state)
{
	(void)state;
	not_understood("KEY=$OTHER\n", "expand");
	not_understood("KEY=\"$OTHER\"\n", "expand");
	not_understood("KEY=`id`\n", "expand");
	not_understood("KEY=\"`id`\"\n", "expand");
	not_understood("KEY=$(id)\n", "expand");
	not_understood("KEY=~root\n", "expand");
	not_understood("KEY=a;id\n", "operator");
	not_understood("KEY=a&\n", "operator");
	not_understood("KEY=a>b\n", "operator");
	not_understood("KEY=*\n", "operator");
	not_understood("KEY=(a b)\n", "operator");
	not_understood("KEY=a b\n", "command after");
	not_understood("KEY=a \\\n", "command after");
	not_understood("KEY=a\\\n", "goes on");
	not_understood("KEY=\"a\n", "closing");
	not_understood("KEY='a\n", "closing");
	not_understood("KEY=a\tb\n", "command after");
	not_understood("KEY='a\tb'\n", "printable");
	not_understood("KEY=\xc3\xa9\n", "printable");
	not_understood("id\n", "no assignment");
	not_understood("KEY =1\n", "no assignment");
	not_understood("1KEY=1\n", "no assignment");
	not_understood("=1\n", "no assignment");
	not_understood("if true; then\n", "no assignment");
}

static void
what_is_too_long_is_said_to_be_so(void **state)
{
	char text[3000] = "KEY=";

	(void)state;
	memset(text + 4, 'a', 1023);
	text[4 + 1023] = '\0';
	set_to(text, text + 4);
	text[4 + 1023] = 'a';
	text[4 + 1024] = '\0';
	not_understood(text, "too long");
	memset(text + 4, 'a', sizeof(text) - 5);
	text[sizeof(text) - 1] = '\0';
	not_understood(text, "too long");
	memset(text, 'A', 64);
	memcpy(text + 64, "=1", 3);
	not_understood(text, "name that is too long");
}

static void
lines_are_read_one_by_one(void **state)
{
	static const char text[] = "# a\n\nA=1\nid\nB=2";
	static const enum sysconfig_kind kinds[] = { SYSCONFIG_EMPTY,
		SYSCONFIG_EMPTY, SYSCONFIG_SET, SYSCONFIG_OTHER,
		SYSCONFIG_SET };
	struct wire_bytes rest = { (const uint8_t *)text, strlen(text) };
	struct sysconfig_line line;

	(void)state;
	for (size_t i = 0; i < 5; i++) {
		assert_true(sysconfig_next(&rest, &line));
		assert_int_equal(line.kind, kinds[i]);
	}
	assert_string_equal(line.name, "B");
	assert_false(sysconfig_next(&rest, &line));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_quoted_as_in_the_shell),
		cmocka_unit_test(what_a_shell_would_do_is_not_understood),
		cmocka_unit_test(what_is_too_long_is_said_to_be_so),
		cmocka_unit_test(lines_are_read_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
