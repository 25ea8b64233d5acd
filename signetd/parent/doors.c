#include "signetd/parent/doors.h"

#include "base/fault.h"
#include "signetd/parent/crew.h"
#include "sys/net.h"
#include "sys/notify.h"

#include <unistd.h>

static int
open_listeners(struct daemon *d, struct fault *f)
{
	const conf_list *where = &d->gather->conf.listen;
	int passed = notify_listen_fds();

	if (!d->gather->conf.logins)
		return 0;

	for (int i = 0; i < passed && d->listens < CONF_LIST_MAX; i++)
		d->listen[d->listens++] = 3 + i;
	for (size_t i = 0; passed == 0 && i < where->count; i++) {
		int fd = net_listen(where->item[i], f);

		if (fd < 0)
			return -1;
		d->listen[d->listens++] = fd;
	}
	return 0;
}

static int
open_office(struct daemon *d, struct fault *f)
{
	const struct signetd_conf *c = &d->gather->conf;

	if (*c->office_staff == '\0')
		return 0;
	if ((d->office = net_listen_local(c->office_socket, f)) < 0)
		return fault_wrap(f, "office-socket");
	for (size_t i = 0; i < c->office_listen.count; i++) {
		int fd = net_listen(c->office_listen.item[i], f);

		if (fd < 0)
			return fault_wrap(f, "office-listen");
		d->office_listen[d->office_listens++] = fd;
	}
	return 0;
}

static int
open_issue(struct daemon *d, struct fault *f)
{
	const char *path = d->gather->conf.issue_socket;

	if (*path == '\0')
		return 0;
	if ((d->issue = net_listen_local(path, f)) < 0)
		return fault_wrap(f, "issue-socket");
	return 0;
}

static void
close_issue(struct daemon *d)
{
	if (d->issue < 0)
		return;
	(void)close(d->issue);
	(void)unlink(d->gather->conf.issue_socket);
}

static void
close_office(struct daemon *d)
{
	for (size_t i = 0; i < d->office_listens; i++)
		(void)close(d->office_listen[i]);
	if (d->office < 0)
		return;
	(void)close(d->office);
	(void)unlink(d->gather->conf.office_socket);
}

int
doors_open(struct daemon *d, struct fault *f)
{
	if (open_listeners(d, f) < 0 || open_office(d, f) < 0)
		return -1;
	return open_issue(d, f);
}

void
doors_close(struct daemon *d)
{
	for (size_t i = 0; i < d->listens; i++)
		(void)close(d->listen[i]);
	close_office(d);
	close_issue(d);
}
