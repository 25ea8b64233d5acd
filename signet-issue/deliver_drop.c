#include "base/clock.h"
#include "base/fault.h"
#include "callout/drop.h"
#include "deliver.h"

#include <poll.h>

/* How often we look whether signetd is still there, and how long it may be
 * away: a role that has died is started anew within less. */
#define LOOK_MS 500
#define AWAY_MS 2000

struct errand {
	struct drop_client client;
	bool announced;
	int64_t seen; /* when signetd was there last */
};

/* Take the next step if there is one: 1 when the answer is read. */
static int
step(struct errand *e, struct buf *answer, struct fault *f)
{
	int done;

	/* Before the look, so that what comes after it wakes us. */
	drop_client_quiet(&e->client);
	if (!e->announced) {
		if ((done = drop_client_announce(&e->client, f)) < 0)
			return -1;
		e->announced = done == 1;
	}
	return e->announced ? drop_client_answer(&e->client, answer, f) : 0;
}

static int
check_served(const struct issue_conf *conf, struct errand *e, int64_t now,
    struct fault *f)
{
	if (drop_client_served(&e->client))
		e->seen = now;
	if (now - e->seen < AWAY_MS)
		return 0;
	return fault_set(f, FAULT_UNREACHABLE,
	    "signetd is not there: nobody serves %s", conf->directory);
}

static int
wait_for_answer(const struct issue_conf *conf, struct errand *e,
    int64_t deadline, struct buf *answer, struct fault *f)
{
	int result;

	while ((result = step(e, answer, f)) == 0) {
		struct pollfd wait = { .fd = e->client.watch,
			.events = POLLIN };
		int64_t now = clock_mono();
		int64_t left = deadline - now;

		if (left <= 0)
			return deliver_late(conf, f);
		if (check_served(conf, e, now, f) < 0)
			return -1;
		(void)poll(&wait, 1, (int)(left < LOOK_MS ? left : LOOK_MS));
	}
	return result < 0 ? -1 : 0;
}

int
deliver_drop(const struct issue_conf *conf, int64_t deadline,
    const struct buf *request, struct buf *answer, struct fault *f)
{
	struct errand e = { .seen = clock_mono() };
	int result;

	if (drop_client_open(&e.client, conf->directory, f) < 0)
		return -1;
	result = drop_client_put(&e.client, request, f);
	if (result == 0)
		result = wait_for_answer(conf, &e, deadline, answer, f);
	drop_client_close(&e.client);
	return result;
}
