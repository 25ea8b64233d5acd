#include "signetd/token/usb_watch.h"

#include "base/fault.h"
#include "base/unit.h"

#include <errno.h>
#include <libudev.h>

/* In the place of libudev's (meson.build): nothing comes, because of this. */
struct udev_device *__wrap_udev_monitor_receive_device(struct udev_monitor
	*monitor);

struct udev_device *
__wrap_udev_monitor_receive_device(struct udev_monitor *monitor)
{
	assert_non_null(monitor);
	errno = mock_type(int);
	return NULL;
}

static void
what_the_kernel_could_not_keep_is_told(void **state)
{
	static const struct {
		int error;
		enum usb_event event;
	} cases[] = {
		{ 0, USB_NONE },
		{ EAGAIN, USB_NONE },
		{ EINTR, USB_NONE },
		{ ENOBUFS, USB_MISSED },
	};
	struct fault f = { 0 };
	OWN_STRUCT(usb_watch) w = usb_watch_new("ffff:fffe", &f);

	(void)state;
	assert_non_null(w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool more = true;

		will_return(__wrap_udev_monitor_receive_device, cases[i].error);
		assert_int_equal(usb_watch_next(w, &more), cases[i].event);
		assert_false(more);
	}
}

static void
what_was_removed_is_known_by_its_product(void **state)
{
	(void)state;
	assert_true(usb_watch_is("529/620/100", 0x529, 0x620));
	assert_true(usb_watch_is("0529/0620/100", 0x529, 0x620));
	assert_true(usb_watch_is("529/620", 0x529, 0x620));
	assert_false(usb_watch_is("529/621/100", 0x529, 0x620));
	assert_false(usb_watch_is("529/6200/100", 0x529, 0x620));
	assert_false(usb_watch_is("1529/620/100", 0x529, 0x620));
	assert_false(usb_watch_is("529620/100", 0x529, 0x620));
	assert_false(usb_watch_is("", 0x529, 0x620));
	assert_false(usb_watch_is("529//100", 0x529, 0));
}

static void
a_watch_begins_where_nothing_is_plugged_in(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(usb_watch) w = usb_watch_new("ffff:fffe", &f);
	bool more = true;

	(void)state;
	if (w == NULL)
		fail_msg("%s", f.text);
	assert_int_equal(usb_watch_count(w), 0);
	assert_true(usb_watch_fd(w) >= 0);
	will_return(__wrap_udev_monitor_receive_device, EAGAIN);
	assert_int_equal(usb_watch_next(w, &more), USB_NONE);
	assert_false(more);
	assert_null(usb_watch_new("x", &f));
}

static void
each_that_is_there_is_counted_once(void **state)
{
	struct fault f = { 0 };
	OWN_STRUCT(usb_watch) w = usb_watch_new("ffff:fffe", &f);

	(void)state;
	assert_non_null(w);
	assert_int_equal(usb_watch_heard(w, "add", "/sys/a", "ffff/fffe/1"),
	    USB_ADDED);
	assert_int_equal(usb_watch_heard(w, "add", "/sys/a", "ffff/fffe/1"),
	    USB_ADDED);
	assert_int_equal(usb_watch_count(w), 1);
	assert_int_equal(usb_watch_heard(w, "add", "/sys/b", "ffff/fffd/1"),
	    USB_NONE);
	assert_int_equal(usb_watch_heard(w, "add", "/sys/b", NULL), USB_NONE);
	assert_int_equal(usb_watch_heard(w, "bind", "/sys/b", "ffff/fffe/1"),
	    USB_NONE);
	assert_int_equal(usb_watch_heard(w, NULL, NULL, NULL), USB_NONE);
	assert_int_equal(usb_watch_count(w), 1);
	assert_int_equal(usb_watch_heard(w, "add", "/sys/b", "ffff/fffe/1"),
	    USB_ADDED);
	assert_int_equal(usb_watch_count(w), 2);
	/* Of one that is gone there may be nothing but where it was. */
	assert_int_equal(usb_watch_heard(w, "remove", "/sys/a", NULL),
	    USB_REMOVED);
	assert_int_equal(usb_watch_heard(w, "remove", "/sys/a", NULL),
	    USB_NONE);
	assert_int_equal(usb_watch_count(w), 1);
	assert_int_equal(usb_watch_heard(w, "remove", "/sys/b", "ffff/fffe/1"),
	    USB_REMOVED);
	assert_int_equal(usb_watch_count(w), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_removed_is_known_by_its_product),
		cmocka_unit_test(a_watch_begins_where_nothing_is_plugged_in),
		cmocka_unit_test(each_that_is_there_is_counted_once),
		cmocka_unit_test(what_the_kernel_could_not_keep_is_told),
	};

	return cmocka_run_group_tests_name("token/usb_watch", tests, NULL,
	    NULL);
}
