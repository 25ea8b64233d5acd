/* What came of it, for programs. */
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "refresh.h"

#include <sys/stat.h>

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define METRICS_MAX (8u << 20)

static const char *const states[] = { "good", "disabled", "broken", "failed" };

static json_t *
text_of(const char *text)
{
	OWN(char) copy = strdup(text != NULL ? text : "");

	if (copy == NULL)
		return json_null();
	text_clean(copy);
	return json_string(copy);
}

static json_t *
list_of(const struct want_list *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		(void)json_array_append_new(array, text_of(list->item[i]));
	return array;
}

static json_t *
time_of(time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	return json_string(text);
}

static json_t *
crls_of(const struct refresh_ca *ca)
{
	json_t *array = json_array();

	for (size_t i = 0; i < ca->want->crls; i++) {
		const struct refresh_crl *crl = &ca->crl[i];

		if (crl->have)
			(void)json_array_append_new(array,
			    json_pack("{s:I,s:o,s:o}", "number",
				(json_int_t)crl->number, "this_update",
				time_of(crl->this_update), "next_update",
				time_of(crl->next_update)));
	}
	return array;
}

static json_t *
ca_of(const struct refresh_ca *ca)
{
	json_t *object = json_pack("{s:s,s:o,s:o,s:o,s:s,s:o,s:o,s:o,s:o}",
	    "hash", ca->want->hash, "alias", text_of(ca->want->alias), "title",
	    text_of(ca->want->title), "described_by", text_of(ca->want->file),
	    "state", states[ca->state], "errors", list_of(&ca->errors),
	    "warnings", list_of(&ca->warnings), "notes", list_of(&ca->news),
	    "crls", crls_of(ca));

	if (ca->cert != NULL && object != NULL)
		(void)json_object_set_new(object, "not_after",
		    time_of(ca->cert->not_after));
	return object;
}

static json_t *
changes_of(const struct refresh *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->changes.count; i++) {
		const char *change = r->changes.item[i];
		const char *name = strchr(change, ' ');

		if (name != NULL)
			(void)json_array_append_new(array,
			    json_pack("{s:s#,s:o}", "what", change,
				(int)(name - change), "name",
				text_of(name + 1)));
	}
	return array;
}

json_t *
refresh_error(const struct fault *f)
{
	char code[32] = "";

	for (size_t i = 0; i < sizeof(code) - 1 && fault_name(f->code)[i]; i++)
		code[i] = (char)tolower((unsigned char)fault_name(f->code)[i]);
	return json_pack("{s:s,s:i,s:o}", "code", code, "exit",
	    fault_exit_status(f->code), "message", text_of(f->text));
}

void
refresh_json(const struct refresh *r, const struct fault *after, FILE *out)
{
	json_t *cas = json_array(), *all;

	for (size_t i = 0; i < r->count; i++)
		(void)json_array_append_new(cas, ca_of(&r->ca[i]));
	all = json_pack("{s:o,s:b,s:b,s:I,s:i,s:o,s:o}", "target",
	    text_of(r->world->conf.target), "changed", r->changed, "look",
	    r->look, "failed", (json_int_t)refresh_failed(r), "exit",
	    after != NULL ? fault_exit_status(after->code) : refresh_status(r),
	    "changes", changes_of(r), "cas", cas);
	if (all == NULL)
		return;
	if (after != NULL)
		(void)json_object_set_new(all, "error", refresh_error(after));
	(void)json_dumpf(all, out, JSON_COMPACT);
	fputc('\n', out);
	json_decref(all);
}

/* {hash="...",ca="..."}: quotes and backslashes as the format wants them. */
static void
put_labels(struct buf *out, const struct refresh_ca *ca)
{
	OWN(char) name = strdup(ca->want->alias != NULL ? ca->want->alias : "");

	buf_fmt(out, "{hash=\"%s\",ca=\"", ca->want->hash);
	if (name != NULL)
		text_clean(name);
	for (const char *at = name != NULL ? name : ""; *at != '\0'; at++) {
		if (*at == '"' || *at == '\\')
			buf_put_u8(out, '\\');
		buf_put_u8(out, (uint8_t)*at);
	}
	buf_text(out, "\"");
}

static void
put_head(struct buf *out, const char *name, const char *help)
{
	buf_fmt(out,
	    "# HELP signet_trust_%s %s\n# TYPE signet_trust_%s "
	    "gauge\n",
	    name, help, name);
}

static void
put_failed(const struct refresh *r, struct buf *out)
{
	put_head(out, "ca_failed", "Whether the last run found fault with it.");
	for (size_t i = 0; i < r->count; i++) {
		buf_text(out, "signet_trust_ca_failed");
		put_labels(out, &r->ca[i]);
		buf_fmt(out, "} %d\n",
		    r->ca[i].errors.count > 0 ||
			r->ca[i].state == REFRESH_FAILED);
	}
}

static void
put_ends(const struct refresh *r, struct buf *out)
{
	put_head(out, "ca_not_after_seconds", "End of the certificate.");
	for (size_t i = 0; i < r->count; i++) {
		if (r->ca[i].cert == NULL)
			continue;
		buf_text(out, "signet_trust_ca_not_after_seconds");
		put_labels(out, &r->ca[i]);
		buf_fmt(out, "} %lld\n", (long long)r->ca[i].cert->not_after);
	}
	put_head(out, "crl_next_update_seconds", "End of a revocation list.");
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < r->ca[i].want->crls; k++) {
			const struct refresh_crl *crl = &r->ca[i].crl[k];

			if (!crl->have)
				continue;
			buf_text(out, "signet_trust_crl_next_update_seconds");
			put_labels(out, &r->ca[i]);
			buf_fmt(out, ",crl=\"%zu\"} %lld\n", k,
			    (long long)crl->next_update);
		}
}

/* The file is replaced, which a device would not survive. */
static int
write_file(const char *path, const struct buf *text, struct fault *f)
{
	struct stat st;

	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return fault_set(f, FAULT_INPUT,
		    "metrics: %s is no regular file", path);
	return file_write(path, 0644, text->data, text->len, f);
}

int
refresh_metrics(const struct refresh *r, const char *path, struct fault *f)
{
	OWN_BUF(out, METRICS_MAX);

	put_head(&out, "cas", "CAs that were looked at.");
	buf_fmt(&out, "signet_trust_cas %zu\n", r->count);
	put_head(&out, "cas_failed", "CAs that something is wrong with.");
	buf_fmt(&out, "signet_trust_cas_failed %zu\n", refresh_failed(r));
	put_head(&out, "last_run_seconds", "When this was found out.");
	buf_fmt(&out, "signet_trust_last_run_seconds %lld\n",
	    (long long)r->world->rules.now);
	put_failed(r, &out);
	put_ends(r, &out);
	if (out.failed)
		return fault_set(f, FAULT_MEMORY, "metrics");
	if (strcmp(path, "-") != 0)
		return write_file(path, &out, f);
	(void)fwrite(out.data, 1, out.len, stdout);
	return 0;
}
