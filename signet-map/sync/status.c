#include "status.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"

#include <string.h>
#include <unistd.h>

#define STATUS_MAX ((size_t)1 << 20)

static json_t *
when_json(time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	if (when == 0)
		return json_null();
	clock_text(when, text);
	return json_string(text);
}

/* What others said may be no text that JSON takes; NULL: no fault. */
static json_t *
fault_json(const struct fault *f)
{
	struct fault clean = *f;

	if (f->code == FAULT_NONE)
		return NULL;
	text_clean(clean.text);
	return json_string(clean.text);
}

static json_t *
source_json(const struct mapper *m, const struct mapper_source *s)
{
	static const char *const kinds[] = { [ROSTER_LDAP] = "ldap",
		[ROSTER_FILE] = "file",
		[ROSTER_LIST] = "list",
		[ROSTER_REQUESTS] = "requests" };
	uint32_t id = roster_source_find(m->roster, s->conf.name);
	bool known = id != ROSTER_NONE;

	return json_pack("{s:s, s:s, s:I, s:o, s:b, s:o*}", "name",
	    s->conf.name, "kind", kinds[s->conf.kind], "people",
	    (json_int_t)(known ? roster_count_of(m->roster, id) : 0), "fresh",
	    when_json(known ? roster_source_fresh(m->roster, id) : 0),
	    "withdrawn", s->withdrawn, "fault", fault_json(&s->fault));
}

static json_t *
service_json(const struct mapper_out *o)
{
	struct out_status s;
	size_t lost = 0;

	out_status(o->out, &s);
	for (size_t i = 0; i < sizeof(s.stats.lost) / sizeof(s.stats.lost[0]);
	     i++)
		lost += s.stats.lost[i];
	return json_pack("{s:s, s:s, s:I, s:o, s:o, s:I, s:I, s:b, s:b, s:I, "
			 "s:I, s:I, s:f, "
			 "s:I, s:o*}",
	    "name", s.name, "file", s.path, "names", (json_int_t)s.names,
	    "made", when_json(s.made), "fresh", when_json(s.fresh), "index",
	    (json_int_t)s.seq, "beside", (json_int_t)s.beside, "text_late",
	    s.late, "held", s.held, "held_gone", (json_int_t)s.held_gone,
	    "conflicts", (json_int_t)s.stats.conflicts, "left_out",
	    (json_int_t)lost, "shrunk", s.shrunk, "shrunk_at",
	    (json_int_t)s.shrunk_at, "fault", fault_json(&o->fault));
}

static json_t *
alarms_json(const struct alarms *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->count; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:o}", "what", a->list[i].what,
			"text", a->list[i].text, "since",
			when_json(a->list[i].since)));
	return list;
}

json_t *
status_json(const struct mapper *m, time_t now)
{
	json_t *sources = json_array(), *services = json_array();

	for (size_t i = 0; i < m->source_count; i++)
		(void)json_array_append_new(sources,
		    source_json(m, &m->sources[i]));
	for (size_t i = 0; i < m->out_count; i++)
		(void)json_array_append_new(services,
		    service_json(&m->outs[i]));
	return json_pack("{s:o, s:o, s:i, s:b, s:o, s:o, s:o}", "time",
	    when_json(now), "began", when_json(m->began), "pid", (int)getpid(),
	    "ready", mapper_ready(m), "sources", sources, "services", services,
	    "alarms", alarms_json(&m->alarms));
}

/* A label's value in the exposition format. */
static void
put_label(struct buf *text, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			buf_put_u8(text, '\\');
		buf_put_u8(text, (uint8_t)*value);
	}
}

static int
write_metrics(const struct mapper *m, time_t now, struct fault *f)
{
	OWN_BUF(text, STATUS_MAX);

	if (m->conf->metrics[0] == '\0')
		return 0;
	buf_text(&text, "# TYPE signet_map_names gauge\n");
	for (size_t i = 0; i < m->out_count; i++) {
		struct out_status s;

		out_status(m->outs[i].out, &s);
		buf_text(&text, "signet_map_names{service=\"");
		put_label(&text, s.name);
		buf_fmt(&text, "\"} %zu\n", s.names);
	}
	buf_text(&text, "# TYPE signet_map_age_seconds gauge\n");
	for (size_t i = 0; i < m->source_count; i++) {
		uint32_t id =
		    roster_source_find(m->roster, m->sources[i].conf.name);
		time_t fresh =
		    id == ROSTER_NONE ? 0 : roster_source_fresh(m->roster, id);

		buf_text(&text, "signet_map_age_seconds{source=\"");
		put_label(&text, m->sources[i].conf.name);
		buf_fmt(&text, "\"} %lld\n", (long long)(now - fresh));
	}
	buf_fmt(&text,
	    "# TYPE signet_map_alarms gauge\nsignet_map_alarms %zu\n",
	    m->alarms.count);
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "metrics");
	return file_write(m->conf->metrics, 0644, text.data, text.len, f);
}

int
status_write(const struct mapper *m, time_t now, struct fault *f)
{
	char path[MAP_PATH_SIZE];
	json_t *status = status_json(m, now);
	char *text = status == NULL ? NULL : json_dumps(status, JSON_INDENT(1));
	int result;

	json_decref(status);
	if (text == NULL)
		return fault_set(f, FAULT_MEMORY, "status");
	if ((result = map_conf_state(m->conf, MAP_STATE_STATUS, path, f)) == 0)
		result = file_write(path, 0644, text, strlen(text), f);
	free(text);
	return result < 0 ? -1 : write_metrics(m, now, f);
}

static void
recall_service(struct mapper *m, const json_t *service)
{
	const char *name = json_string_value(json_object_get(service, "name"));

	for (size_t i = 0; name != NULL && i < m->out_count; i++)
		if (strcmp(out_name(m->outs[i].out), name) == 0)
			out_recall(m->outs[i].out,
			    json_number_value(json_object_get(service,
				"shrunk")),
			    json_integer_value(json_object_get(service,
				"shrunk_at")));
}

void
status_recall(struct mapper *m)
{
	char path[MAP_PATH_SIZE];
	OWN_BUF(text, STATUS_MAX);
	struct fault f = { 0 };
	json_t *status, *service;
	size_t i;

	if (map_conf_state(m->conf, MAP_STATE_STATUS, path, &f) < 0 ||
	    file_read(path, &text, &f) < 0)
		return;
	status = json_loadb((const char *)text.data, text.len, 0, NULL);
	json_array_foreach(json_object_get(status, "services"), i, service)
	    recall_service(m, service);
	json_decref(status);
}
