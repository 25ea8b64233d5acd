#include "verify_told.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/own.h"
#include "base/text.h"
#include "colour.h"
#include "trust/path.h"
#include "trust/verify.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is told while the path is walked. */
struct telling {
	const struct trust_store *store;
	json_t *path;  /* an array */
	json_t *rules; /* of the last certificate; borrowed */
};

static json_t *
name_json(const struct dn *dn)
{
	char text[DN_TEXT_MAX];

	if (dn_show_slash(dn, text, sizeof(text)) < 0)
		return json_null();
	return json_string(text);
}

static json_t *
text_json(const char *text)
{
	OWN(char) copy = strdup(text);

	if (copy == NULL)
		return json_null();
	text_clean(copy);
	return json_string(copy);
}

static json_t *
time_json(time_t when)
{
	char text[CLOCK_TEXT_SIZE];

	clock_text(when, text);
	return json_string(text);
}

static json_t *
crl_json(const struct trust_store *store, const struct cert *ca)
{
	const struct trust_anchor *record;
	size_t at = 0;

	while (ca->kind == CERT_CA &&
	    (record = trust_next_of(store, &ca->subject, &at)) != NULL) {
		const struct trust_lists *lists = trust_lists(store, record);

		if (lists != NULL && lists->crl != NULL) {
			const struct crl *head = crl_index_head(lists->crl);

			return json_pack("{s:I,s:o,s:o,s:I}", "number",
			    (json_int_t)head->number, "this_update",
			    time_json(head->this_update), "next_update",
			    time_json(head->next_update), "entries",
			    (json_int_t)crl_index_count(lists->crl));
		}
	}
	return json_null();
}

static json_t *
anchor_json(const struct trust_store *store, const struct trust_path *path,
    size_t i)
{
	char file[PATH_MAX];

	if (i + 1 != path->count || path->anchor == NULL)
		return json_null();
	if (text_fmt(file, sizeof(file), "%s/%s.0", trust_dir(store),
		path->anchor->hash) < 0)
		return json_null();
	return text_json(file);
}

static json_t *
signed_by(const struct trust_path *path, size_t i)
{
	if (i + 1 < path->count)
		return json_string("the next");
	return cert_is_self_issued(path->cert[i]) ? json_string("itself")
						  : json_null();
}

static void
tell_certificate(void *arg, const struct trust_path *path, size_t i)
{
	struct telling *t = arg;
	const struct cert *cert = path->cert[i];
	char serial[CERT_SERIAL_TEXT];

	cert_serial_text(cert, serial);
	t->rules = json_array();
	(void)json_array_append_new(t->path,
	    json_pack("{s:o,s:o,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o}", "subject",
		name_json(&cert->subject), "issuer", name_json(&cert->issuer),
		"serial", serial, "kind", cert_kind_text(cert->kind),
		"not_before", time_json(cert->not_before), "not_after",
		time_json(cert->not_after), "signed_by", signed_by(path, i),
		"anchor", anchor_json(t->store, path, i), "crl",
		crl_json(t->store, cert), "rules", t->rules));
}

static void
tell_rule(void *arg, const char *name, const char *text, bool good)
{
	struct telling *t = arg;

	(void)json_array_append_new(t->rules,
	    json_pack("{s:s,s:b,s:o}", "rule", name, "kept", good, "text",
		text_json(text)));
}

static void
put_verdict(json_t *told, const struct trust_verdict *verdict)
{
	(void)json_object_set_new(told, "identity",
	    name_json(&verdict->identity));
	(void)json_object_set_new(told, "proxy", json_boolean(verdict->proxy));
	(void)json_object_set_new(told, "limited",
	    json_boolean(verdict->limited));
	(void)json_object_set_new(told, "not_after",
	    time_json(verdict->not_after));
}

json_t *
verify_told(const struct trust_store *store, const struct cert_list *chain,
    const struct verify_question *q, struct fault *why, struct fault *f)
{
	struct telling t = { store, json_array(), NULL };
	const struct trust_listener to = { tell_certificate, tell_rule, &t };
	struct trust_verdict verdict = { 0 };
	OWN(char) what = strdup(q->what);
	OWN(char) dir = strdup(trust_dir(store));
	json_t *told;
	int answer;

	if (what == NULL || dir == NULL) {
		json_decref(t.path);
		(void)fault_set(f, FAULT_MEMORY, "a JSON object");
		return NULL;
	}
	/* A file may be called anything, and JSON is UTF-8. */
	text_clean(what);
	text_clean(dir);

	*why = (struct fault){ .code = FAULT_NONE };
	answer =
	    trust_explain(store, chain, q->time, q->flags, &to, &verdict, why);
	/* What the verifier lets a CA do, an end entity may do too. */
	if (answer == 0 && (q->flags & TRUST_CA) != 0 &&
	    chain->cert[0]->kind != CERT_CA)
		answer = fault_set(why, FAULT_UNTRUSTED,
		    "it is not the certificate of a CA");
	if (answer == 0 && q->host != NULL)
		answer = trust_check_host(chain->cert[0], q->host, why);
	told = json_pack("{s:b,s:s,s:s,s:o,s:s,s:o}", "accepted", answer == 0,
	    "what", what, "trust_dir", dir, "time", time_json(q->time),
	    "purpose", q->purpose, "path", t.path);
	if (told == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a JSON object");
		return NULL;
	}
	if (answer == 0)
		put_verdict(told, &verdict);
	else
		(void)json_object_set_new(told, "error", text_json(why->text));
	return told;
}

static const char *
text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text != NULL ? text : "";
}

static void
print_crl(const json_t *crl)
{
	if (!json_is_object(crl))
		return;
	printf("   its CRL    number %lld of %s, until %s, %lld revoked\n",
	    (long long)json_integer_value(json_object_get(crl, "number")),
	    text_of(crl, "this_update"), text_of(crl, "next_update"),
	    (long long)json_integer_value(json_object_get(crl, "entries")));
}

static void
print_rules(const json_t *rules, bool colour)
{
	size_t i;
	const json_t *rule;

	json_array_foreach(rules, i, rule)
	{
		bool kept = json_is_true(json_object_get(rule, "kept"));

		printf("   ");
		colour_print(stdout, colour, kept ? COLOUR_GOOD : COLOUR_BAD, 4,
		    kept ? "ok" : "NO");
		printf("%-12s %s\n", text_of(rule, "rule"),
		    text_of(rule, "text"));
	}
}

static void
print_certificate(size_t i, const json_t *cert, bool colour)
{
	const char *by = text_of(cert, "signed_by");

	printf("%zu. %s\n   %s, serial %s, %s to %s\n", i + 1,
	    text_of(cert, "subject"), text_of(cert, "kind"),
	    text_of(cert, "serial"), text_of(cert, "not_before"),
	    text_of(cert, "not_after"));
	if (strcmp(by, "the next") == 0)
		printf("   signed by  %zu, whose key made this signature\n",
		    i + 2);
	else if (*text_of(cert, "anchor") != '\0')
		printf("   trusted    by %s\n", text_of(cert, "anchor"));
	else
		printf("   signed by  %s, which is not trusted here\n",
		    *by != '\0' ? by : text_of(cert, "issuer"));
	print_crl(json_object_get(cert, "crl"));
	print_rules(json_object_get(cert, "rules"), colour);
}

void
verify_print(const json_t *told, bool colour)
{
	bool accepted = json_is_true(json_object_get(told, "accepted"));
	const json_t *cert;
	size_t i;

	printf("%s, for %s, at %s, by %s\n", text_of(told, "what"),
	    text_of(told, "purpose"), text_of(told, "time"),
	    text_of(told, "trust_dir"));
	json_array_foreach(json_object_get(told, "path"), i, cert)
	    print_certificate(i, cert, colour);
	colour_print(stdout, colour, accepted ? COLOUR_GOOD : COLOUR_BAD, 0,
	    accepted ? "accepted" : "refused");
	if (accepted)
		printf(": %s%s, until %s\n", text_of(told, "identity"),
		    json_is_true(json_object_get(told, "limited"))
			? " (a limited proxy)"
			: "",
		    text_of(told, "not_after"));
	else
		printf(": %s\n", text_of(told, "error"));
}
