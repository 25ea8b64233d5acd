/* Templates and what becomes of them. */
#include "ca_page.h"

#include "base/fault.h"
#include "base/unit.h"
#include "ca_page_probe.h"

static void
make(const char *text, bool html, struct buf *missing, struct buf *out)
{
	struct fault f = { 0 };
	struct page p;

	assert_int_equal(page_read(&p, text, strlen(text), &f), 0);
	assert_int_equal(html
		? page_html(&p, &probe_source, false, missing, out, &f)
		: page_plain(&p, &probe_source, false, missing, out, &f),
	    0);
	page_clear(&p);
}

/* What stands in <main>. */
static void
html_is(const char *text, const char *wanted)
{
	OWN_BUF(missing, 1000);
	OWN_BUF(out, 65536);
	const char *from;
	char *to;

	make(text, true, &missing, &out);
	from = strstr(buf_cstr(&out), "<main>\n");
	assert_non_null(from);
	from += strlen("<main>\n");
	to = strstr((char *)out.data, "</main>");
	assert_non_null(to);
	*to = '\0';
	assert_string_equal(from, wanted);
}

static void
plain_is(const char *text, const char *wanted)
{
	OWN_BUF(missing, 1000);
	OWN_BUF(out, 65536);

	make(text, false, &missing, &out);
	assert_string_equal(buf_cstr(&out), wanted);
}

static void
blocks_become_elements(void **state)
{
	(void)state;
	html_is("# T\n\na\n  b\n\n- one\n  more\n- two\n\n    x <y>\n    z\n",
	    "<h1>T</h1>\n<p>a b</p>\n<ul>\n<li>one more</li>\n"
	    "<li>two</li>\n</ul>\n<pre>x &lt;y&gt;\nz</pre>\n");
	plain_is("# T\n\na\n  b\n\n- one\n  more\n- two\n\n    x <y>\n    z\n",
	    "T\n=\n\na b\n\n- one more\n- two\n\n    x <y>\n    z\n\n");
}

static void
links_lead_to_nothing_that_runs(void **state)
{
	(void)state;
	html_is("# T\n[a](http://h/?a&b) [b](x.html) `c<`\n",
	    "<h1>T</h1>\n<p><a href=\"http://h/?a&amp;b\">a</a> "
	    "<a href=\"x.html\">b</a> <code>c&lt;</code></p>\n");
	html_is("# T\n[a](javascript:alert) [b](data:x)\n",
	    "<h1>T</h1>\n<p>[a](javascript:alert) [b](data:x)</p>\n");
	plain_is("# T\n[a](http://h/) [same](same)\n",
	    "T\n=\n\na <http://h/> same\n\n");
}

static void
values_are_text_only(void **state)
{
	(void)state;
	html_is("# T\n{evil}\n",
	    "<h1>T</h1>\n<p>&lt;b&gt;&amp;&quot;&#39;`x` "
	    "[y](javascript:z) {gone} ](http://h/)</p>\n");
	html_is("# T\n[{evil}](x{evil})\n",
	    "<h1>T</h1>\n<p>[&lt;b&gt;&amp;&quot;&#39;`x` [y](javascript:z) "
	    "{gone} ](http://h/)](x&lt;b&gt;&amp;&quot;&#39;`x` "
	    "[y](javascript:z) {gone} ](http://h/))</p>\n");
}

static void
lists_repeat(void **state)
{
	(void)state;
	html_is("# T\n@ca\n- {n} {word}\n@end\n@none\nnever {bad}\n@end\n",
	    "<h1>T</h1>\n<ul>\n<li>0 word</li>\n<li>1 word</li>\n</ul>\n");
}

static void
what_is_missing_is_marked_and_named_once(void **state)
{
	OWN_BUF(missing, 1000);
	OWN_BUF(out, 65536);

	(void)state;
	make("# T\n{gone} {gone}\n", true, &missing, &out);
	assert_string_equal(buf_cstr(&missing), "gone");
	assert_non_null(strstr(buf_cstr(&out), "<mark>[missing: gone]</mark>"));
}

static void
long_lines_are_broken_between_words(void **state)
{
	char text[400] = "# T\n";
	OWN_BUF(missing, 1000);
	OWN_BUF(out, 65536);
	size_t column = 0;

	(void)state;
	for (int i = 0; i < 60; i++)
		memcpy(text + 4 + 6 * i,
		    "\xc3\xa4"
		    "bcd ",
		    7);
	make(text, false, &missing, &out);
	for (size_t i = 0; i < out.len; i++) {
		column = out.data[i] == '\n'
		    ? 0
		    : column + ((out.data[i] & 0xc0) != 0x80);
		assert_true(column <= 78);
	}
}

static void
bad_templates_are_refused(void **state)
{
	static const char *const bad[] = { "####\n", "#x\n", "@ca\n", "@end\n",
		"@ca\n@ca\n@end\n@end\n", "@Ca\n", "a\001b\n", "\xff\n" };
	static const char *const worse[] = { "# T\n{bad}\n", "# T\n{n}\n",
		"# T\n{word\n", "# T\n@other\n@end\n", "no title\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fault f = { 0 };
		struct page p;

		assert_int_equal(page_read(&p, bad[i], strlen(bad[i]), &f), -1);
		assert_int_equal(f.code, FAULT_INPUT);
	}
	for (size_t i = 0; i < sizeof(worse) / sizeof(worse[0]); i++) {
		OWN_BUF(missing, 1000);
		OWN_BUF(out, 65536);
		struct fault f = { 0 };
		struct page p;

		assert_int_equal(page_read(&p, worse[i], strlen(worse[i]), &f),
		    0);
		assert_int_equal(page_html(&p, &probe_source, false, &missing,
				     &out, &f),
		    -1);
		assert_int_equal(f.code, FAULT_INPUT);
		page_clear(&p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_become_elements),
		cmocka_unit_test(links_lead_to_nothing_that_runs),
		cmocka_unit_test(values_are_text_only),
		cmocka_unit_test(lists_repeat),
		cmocka_unit_test(what_is_missing_is_marked_and_named_once),
		cmocka_unit_test(long_lines_are_broken_between_words),
		cmocka_unit_test(bad_templates_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
