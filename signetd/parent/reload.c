#include "signetd/parent/reload.h"

#include "base/fault.h"
#include "base/log.h"
#include "signetd/parent/crew.h"
#include "sys/notify.h"

#include <stdlib.h>
#include <string.h>

/* Settings that are fixed while the daemon runs. */
static const char *
unreloadable_change(const struct signetd_conf *a, const struct signetd_conf *b)
{
	if (memcmp(&a->listen, &b->listen, sizeof(a->listen)) != 0)
		return "listen";
	if (memcmp(&a->ca, &b->ca, sizeof(a->ca)) != 0)
		return "ca";
	if (strcmp(a->ledger, b->ledger) != 0)
		return "ledger";
	if (memcmp(&a->auth, &b->auth, sizeof(a->auth)) != 0)
		return "auth";
	if (a->front_workers != b->front_workers ||
	    a->auth_workers != b->auth_workers ||
	    a->pam_workers != b->pam_workers)
		return "a number of workers";
	return NULL;
}

static int
read_anew(struct daemon *d, struct gather *fresh, struct fault *f)
{
	const char *fixed;

	if (gather_read(fresh, d->wish->conf_path, f) < 0)
		return -1;
	fixed = unreloadable_change(&d->gather->conf, &fresh->conf);
	if (fixed != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "%s changed: that takes a restart", fixed);
	return 0;
}

void
reload_all(struct daemon *d)
{
	struct gather *fresh = calloc(1, sizeof(*fresh));
	struct fault f = { 0 };

	if (fresh == NULL || !d->started || d->draining || d->ending) {
		free(fresh);
		return;
	}
	notify_send("RELOADING=1");
	if (read_anew(d, fresh, &f) < 0) {
		LOG(RELOAD_REFUSED, LOG_TEXT("text", f.text));
		gather_clear(fresh);
		free(fresh);
		notify_send("READY=1");
		return;
	}
	gather_forget_once(fresh);
	gather_clear(d->gather);
	memcpy(d->gather, fresh, sizeof(*fresh));
	free(fresh);
	d->generation++;
	log_open("signetd", (int)d->gather->conf.log_level);
	crew_reload(d);
	LOG(RELOADED, LOG_NUMBER("generation", d->generation));
}
