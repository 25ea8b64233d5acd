/* What somebody should see to, found anew each time. */
#include "base/log.h"
#include "hook.h"
#include "mapper.h"
#include "status.h"

#include <stdio.h>
#include <string.h>

static void
find_source(struct mapper *m, const struct mapper_source *s, time_t now)
{
	uint32_t id = roster_source_find(m->roster, s->conf.name);
	time_t fresh =
	    id == ROSTER_NONE ? 0 : roster_source_fresh(m->roster, id);
	time_t since = fresh == 0 ? m->began : fresh;
	char what[96], text[ALARM_TEXT];

	if (!s->withdrawn && now - since <= m->conf->alarm_after)
		return;
	(void)snprintf(what, sizeof(what), "source %s", s->conf.name);
	(void)snprintf(text, sizeof(text), "%s for %lld s%s%s",
	    s->withdrawn     ? "silent, and its people are withdrawn"
		: fresh == 0 ? "not read once"
			     : "not current",
	    (long long)(now - since), s->fault.text[0] != '\0' ? ": " : "",
	    s->fault.text);
	alarms_find(&m->alarms, what, text, now);
}

static void
find_service(struct mapper *m, const struct mapper_out *o, time_t now)
{
	struct out_status s;
	char what[96], text[ALARM_TEXT];

	out_status(o->out, &s);
	(void)snprintf(what, sizeof(what), "service %s", s.name);
	if (o->fault.code != FAULT_NONE) {
		alarms_find(&m->alarms, what, o->fault.text, now);
	} else if (s.held) {
		(void)snprintf(text, sizeof(text),
		    "%zu of %zu names would go at once; if that is right: "
		    "signet-map sync --confirm %s",
		    s.held_gone, s.names, s.name);
		alarms_find(&m->alarms, what, text, now);
	}
}

static void
tell_hook(void *arg, const struct alarm *alarm, bool begins)
{
	hook_tell(*(const int *)arg, alarm, begins);
}

void
mapper_tell_to(struct mapper *m, int hook)
{
	m->hook = hook;
	m->alarms.fn = tell_hook;
	m->alarms.arg = &m->hook;
}

void
mapper_tell(struct mapper *m, time_t now)
{
	struct fault f = { 0 };

	alarms_begin(&m->alarms);
	if (m->rules_fault.code != FAULT_NONE)
		alarms_find(&m->alarms, "rules", m->rules_fault.text, now);
	if (m->state_fault.code != FAULT_NONE)
		alarms_find(&m->alarms, "state", m->state_fault.text, now);
	for (size_t i = 0; i < m->source_count; i++)
		find_source(m, &m->sources[i], now);
	for (size_t i = 0; i < m->out_count; i++)
		find_service(m, &m->outs[i], now);
	alarms_end(&m->alarms);
	if (status_write(m, now, &f) < 0)
		log_fault(&f, NULL);
}
