#ifndef SIGNETD_TOKEN_USB_WATCH_H
#define SIGNETD_TOKEN_USB_WATCH_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>

/*
 * A device on the USB, by vendor and product: when one such is pulled, and when
 * one is put in.  By libudev's monitor, which is a socket: opened before the
 * walls, and before the devices that are there are counted, so that none comes
 * or goes between (facts: PKCS11, 6).
 */
struct fault;
struct usb_watch;

enum usb_event {
	USB_NONE,  /* nothing that concerns us */
	USB_ADDED, /* one was put in */
	USB_REMOVED,
	USB_MISSED /* more was told than the kernel keeps: begin anew */
};

/* Whether ${product}, udev's "529/620/100", is of that one; a device that was
 * removed has nothing else. */
bool usb_watch_is(const char *text, unsigned vendor, unsigned product);

/* ${device} is as ca.conf names it. */
CHECKED struct usb_watch *usb_watch_new(const char *device, struct fault *f);
void usb_watch_free(struct usb_watch *w);

/* How many are there, as of what was taken last. */
unsigned usb_watch_count(const struct usb_watch *w);

/* Note that udev told ${action} of the device at ${path} in /sys; ${product} as
 * above, or NULL; what that is to us. */
enum usb_event usb_watch_heard(struct usb_watch *w, const char *action,
    const char *path, const char *product);

/* A descriptor that is readable when there is something to take; the next of
 * it, USB_NONE with *${more} false at the end. */
int usb_watch_fd(const struct usb_watch *w);
enum usb_event usb_watch_next(struct usb_watch *w, bool *more);

OWN_FREE_STRUCT(usb_watch, usb_watch_free)

#endif
