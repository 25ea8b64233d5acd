#include "signetd/token/usb_watch.h"

#include "base/fault.h"
#include "x509/authority.h"

#include <errno.h>
#include <libudev.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS 4
#define DEVICES_MAX 64 /* of ours; what is beyond counts as not there */

struct usb_watch {
	struct udev *udev;
	struct udev_monitor *monitor;
	unsigned vendor;
	unsigned product;
	char *path[DEVICES_MAX]; /* in /sys, of those that are there */
};

static int
digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c == '\0' ? NULL : strchr(digits, c | ' ');

	return at == NULL ? -1 : (int)(at - digits);
}

/* A number of one to four hexadecimal digits; how many there were, or 0. */
static size_t
number(const char *text, unsigned *value)
{
	size_t n = 0;

	for (*value = 0; digit(text[n]) >= 0; n++) {
		if (n == DIGITS)
			return 0;
		*value = *value << 4 | (unsigned)digit(text[n]);
	}
	return n;
}

bool
usb_watch_is(const char *text, unsigned vendor, unsigned product)
{
	unsigned v, p;
	size_t n = number(text, &v), m;

	if (n == 0 || text[n] != '/' || v != vendor)
		return false;
	m = number(text + n + 1, &p);
	return m != 0 && p == product &&
	    (text[n + 1 + m] == '/' || text[n + 1 + m] == '\0');
}

static bool
is_ours(const struct usb_watch *w, const char *product)
{
	return product != NULL && usb_watch_is(product, w->vendor, w->product);
}

/* The place of ${path}; of none, NULL. */
static char **
find(struct usb_watch *w, const char *path)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (w->path[i] == NULL
			? path == NULL
			: path != NULL && strcmp(w->path[i], path) == 0)
			return &w->path[i];
	return NULL;
}

/* One that came while they were counted is told of once more. */
static void
enter(struct usb_watch *w, const char *path)
{
	char **place = find(w, path) != NULL ? NULL : find(w, NULL);

	if (place != NULL)
		*place = strdup(path);
}

/* Whether it was there. */
static bool
leave(struct usb_watch *w, const char *path)
{
	char **place = find(w, path);

	if (place == NULL)
		return false;
	free(*place);
	*place = NULL;
	return true;
}

static int
listen_to_udev(struct usb_watch *w, struct fault *f)
{
	if ((w->udev = udev_new()) == NULL ||
	    (w->monitor = udev_monitor_new_from_netlink(w->udev, "udev")) ==
		NULL ||
	    udev_monitor_filter_add_match_subsystem_devtype(w->monitor, "usb",
		"usb_device") < 0 ||
	    udev_monitor_enable_receiving(w->monitor) < 0)
		return fault_set(f, FAULT_SYSTEM, "udev: %s", strerror(errno));
	return 0;
}

static void
count_one(struct usb_watch *w, const char *path)
{
	struct udev_device *device =
	    udev_device_new_from_syspath(w->udev, path);

	if (device != NULL &&
	    is_ours(w, udev_device_get_property_value(device, "PRODUCT")))
		enter(w, path);
	if (device != NULL)
		(void)udev_device_unref(device);
}

static int
count(struct usb_watch *w, struct fault *f)
{
	struct udev_enumerate *all = udev_enumerate_new(w->udev);
	struct udev_list_entry *entry;

	if (all == NULL || udev_enumerate_add_match_subsystem(all, "usb") < 0 ||
	    udev_enumerate_add_match_property(all, "DEVTYPE", "usb_device") <
		0 ||
	    udev_enumerate_scan_devices(all) < 0) {
		if (all != NULL)
			(void)udev_enumerate_unref(all);
		return fault_set(f, FAULT_SYSTEM, "udev: no list of devices");
	}
	udev_list_entry_foreach(entry, udev_enumerate_get_list_entry(all))
	    count_one(w, udev_list_entry_get_name(entry));
	(void)udev_enumerate_unref(all);
	return 0;
}

struct usb_watch *
usb_watch_new(const char *device, struct fault *f)
{
	OWN_STRUCT(usb_watch) w = calloc(1, sizeof(*w));

	if (w == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a watch over the USB");
		return NULL;
	}
	if (authority_usb_read(device, &w->vendor, &w->product, f) < 0 ||
	    listen_to_udev(w, f) < 0 || count(w, f) < 0)
		return NULL;
	return TAKE(w);
}

void
usb_watch_free(struct usb_watch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < DEVICES_MAX; i++)
		free(w->path[i]);
	if (w->monitor != NULL)
		(void)udev_monitor_unref(w->monitor);
	if (w->udev != NULL)
		(void)udev_unref(w->udev);
	free(w);
}

unsigned
usb_watch_count(const struct usb_watch *w)
{
	unsigned count = 0;

	for (size_t i = 0; i < DEVICES_MAX; i++)
		count += w->path[i] != NULL;
	return count;
}

int
usb_watch_fd(const struct usb_watch *w)
{
	return udev_monitor_get_fd(w->monitor);
}

enum usb_event
usb_watch_heard(struct usb_watch *w, const char *action, const char *path,
    const char *product)
{
	const bool ours = is_ours(w, product);

	if (action == NULL || path == NULL)
		return USB_NONE;
	if (strcmp(action, "remove") == 0)
		return leave(w, path) || ours ? USB_REMOVED : USB_NONE;
	if (strcmp(action, "add") != 0 || !ours)
		return USB_NONE;
	enter(w, path);
	return USB_ADDED;
}

enum usb_event
usb_watch_next(struct usb_watch *w, bool *more)
{
	struct udev_device *device;
	enum usb_event event;

	errno = 0;
	device = udev_monitor_receive_device(w->monitor);
	*more = device != NULL;
	if (device == NULL)
		return errno == ENOBUFS ? USB_MISSED : USB_NONE;
	event = usb_watch_heard(w, udev_device_get_action(device),
	    udev_device_get_syspath(device),
	    udev_device_get_property_value(device, "PRODUCT"));
	(void)udev_device_unref(device);
	return event;
}
