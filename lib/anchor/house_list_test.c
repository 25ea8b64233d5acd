#include "anchor/house_list.h"

#include "base/fault.h"
#include "base/text.h"
#include "base/unit.h"

#include <stdlib.h>
#include <string.h>

static struct house_item
item(const char *name, const char *target)
{
	struct house_item i = { .mode = 0644, .size = 7 };

	assert_int_equal(text_copy(i.name, sizeof(i.name), name), 0);
	if (target != NULL) {
		i.link = true;
		assert_int_equal(text_copy(i.target, sizeof(i.target), target),
		    0);
	}
	return i;
}

static void
add(struct house_list *list, const char *name, const char *target)
{
	struct house_item i = item(name, target);
	struct fault f;

	assert_int_equal(house_list_add(list, &i, &f), 0);
}

static void
what_is_written_is_read_again(void **state)
{
	struct house_list list = { .number = 3, .made = 1000 };
	struct house_list again;
	OWN_BUF(text, 4096);
	struct fault f;

	(void)state;
	add(&list, "c.0", NULL);
	add(&list, "a.0", "c.0");
	add(&list, "b.0", NULL);
	assert_int_equal(house_list_write(&list, &text, &f), 0);
	assert_int_equal(house_list_read(&again, (const char *)text.data,
			     text.len, &f),
	    0);
	assert_int_equal(again.number, 3);
	assert_int_equal(again.made, 1000);
	assert_int_equal(again.count, 3);
	assert_string_equal(again.item[0]->name, "a.0");
	assert_string_equal(again.item[0]->target, "c.0");
	assert_true(house_item_same(house_list_find(&again, "c.0"),
	    house_list_find(&list, "c.0")));
	assert_null(house_list_find(&again, "d.0"));
	house_list_clear(&again);
	house_list_clear(&list);
}

/* Each cut and each byte that is another. */
static void
what_is_not_whole_is_not_believed(void **state)
{
	struct house_list list = { .number = 3, .made = 1000 };
	OWN_BUF(text, 4096);
	struct fault f;

	(void)state;
	add(&list, "a.0", NULL);
	add(&list, "b.0", "a.0");
	assert_int_equal(house_list_write(&list, &text, &f), 0);
	house_list_clear(&list);
	for (size_t len = 0; len < text.len; len++)
		assert_int_equal(house_list_read(&list, (const char *)text.data,
				     len, &f),
		    -1);
	for (size_t i = 0; i < text.len; i++) {
		text.data[i] ^= 1;
		assert_int_equal(house_list_read(&list, (const char *)text.data,
				     text.len, &f),
		    -1);
		text.data[i] ^= 1;
	}
	buf_text(&text, "x");
	assert_int_equal(house_list_read(&list, (const char *)text.data,
			     text.len, &f),
	    -1);
}

static void
one_name_has_one_meaning(void **state)
{
	struct house_list list = { .number = 1 };
	struct house_item i = item("a.0", NULL);
	struct fault f;

	(void)state;
	add(&list, "a.0", NULL);
	assert_int_equal(house_list_add(&list, &i, &f), 0);
	assert_int_equal(list.count, 1);
	i.size = 8;
	assert_int_equal(house_list_add(&list, &i, &f), -1);
	assert_int_equal(f.code, FAULT_DENIED);
	house_list_clear(&list);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read_again),
		cmocka_unit_test(what_is_not_whole_is_not_believed),
		cmocka_unit_test(one_name_has_one_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
