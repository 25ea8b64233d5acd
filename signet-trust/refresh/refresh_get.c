#include "refresh_get.h"

#include "base/fault.h"
#include "base/rand.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct telling {
	const char *what;
	bool on_terminal;
};

/* One line that is written over. */
static bool
progress(void *arg, const struct fetch_progress *p)
{
	const struct telling *t = arg;

	if (!t->on_terminal || p->total < 2)
		return true;
	fprintf(stderr, "\r\033[K%s: %zu/%zu", t->what, p->done, p->total);
	if (p->failed > 0)
		fprintf(stderr, ", %zu failed", p->failed);
	if (p->left_ms >= 0 && p->done < p->total)
		fprintf(stderr, ", %lld s left",
		    (long long)(p->left_ms + 999) / 1000);
	if (p->done == p->total)
		fprintf(stderr, "\r\033[K");
	(void)fflush(stderr);
	return true;
}

int
refresh_get(struct refresh *r, const struct fetch_job *jobs, size_t count,
    const char *what, struct fault *f)
{
	const struct trust_conf *c = &r->world->conf;
	struct telling telling = { what, r->on_terminal };
	const struct fetch_options options = {
		.parallel = (unsigned)c->parallel,
		.per_host = (unsigned)c->per_host,
		.connect_ms = (unsigned)c->connect_timeout * 1000,
		.total_ms = (unsigned)c->timeout * 1000,
		.proxy = *c->proxy == '\0'	    ? NULL
		    : strcmp(c->proxy, "none") == 0 ? ""
						    : c->proxy,
		.ip = (int)c->ip,
		.offline = r->offline,
		.impatient = r->force || r->on_terminal,
		.cache_dir = c->cache,
		.ca_file = *c->https_ca_file != '\0' ? c->https_ca_file : NULL,
		.progress = progress,
		.progress_arg = &telling,
	};

	if (count == 0)
		return 0;
	return fetch_run(jobs, count, &options, f);
}

bool
refresh_nothing_came(enum fault_code code)
{
	return code == FAULT_UNREACHABLE || code == FAULT_TIMEOUT ||
	    code == FAULT_ABSENT || code == FAULT_BUSY || code == FAULT_SYSTEM;
}

bool
refresh_unchecked(const struct refresh *r, const struct anchor_want *want)
{
	const conf_list *list = &r->world->conf.unchecked_https;

	return conf_list_has(list, want->hash) ||
	    (want->alias != NULL && conf_list_has(list, want->alias));
}
