/* signet-map add, remove, request: what users and administrators say to the
 * desk. */
#include "ask_args.h"
#include "base/fault.h"
#include "base/text.h"
#include "map_credential.h"
#include "map_talk.h"
#include "signet-map/base/map_conf.h"
#include "signet-map/base/map_proof.h"
#include "x509/pem.h"

#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct map_talk *
go(const struct ask_args *args, struct fault *f)
{
	struct map_conf conf;

	if (map_conf_open(args->config, &conf, f) < 0)
		return NULL;
	return map_talk_new(conf.desk_socket, f);
}

static int
fill(char *to, size_t size, const char *from, const char *what, struct fault *f)
{
	if (text_copy(to, size, from == NULL ? "" : from) < 0)
		return fault_set(f, FAULT_USAGE, "%s is too long", what);
	return 0;
}

static void
print_json(const struct map_answer *a)
{
	(void)json_dumpf(a->body, stdout, JSON_INDENT(1));
	putchar('\n');
}

/* What an answer's state means to who asked. */
static void
tell(const struct ask_args *args, const struct map_answer *a)
{
	const char *state = map_answer_get(a, "state");

	if (args->json) {
		print_json(a);
		return;
	}
	if (strcmp(state, "waiting") == 0)
		printf("%s\nwaits for an administrator, as request %s, to use "
		       "the account %s.\n",
		    map_answer_get(a, "name"), map_answer_get(a, "request"),
		    map_answer_get(a, "account"));
	else if (*map_answer_get(a, "name") != '\0')
		printf("%s\nmay use the account %s (request %s).\n",
		    map_answer_get(a, "name"), map_answer_get(a, "account"),
		    map_answer_get(a, "request"));
	else
		printf("%s %s\n", map_answer_get(a, "request"), state);
}

/* One question, one answer. */
static int
ask_once(const struct ask_args *args, const struct map_ask *ask,
    struct fault *f)
{
	OWN_STRUCT(map_talk) talk = go(args, f);
	struct map_answer answer = { .body = NULL };
	int result = -1;

	if (talk != NULL && map_talk_say(talk, ask, f) == 0 &&
	    (result = map_talk_hear(talk, &answer, f)) == 0)
		tell(args, &answer);
	map_answer_clear(&answer);
	return result;
}

/* ---- add */

static void
put_chain(const struct credential *c, struct buf *pem)
{
	for (size_t i = 0; i < c->chain.count; i++)
		pem_put(pem, "CERTIFICATE",
		    (struct wire_bytes){
			c->chain.cert[i]->der, c->chain.cert[i]->len });
}

/* Nobody else's: what was named, or what is ours. */
static int
check_account(const struct ask_args *args, const char *account, struct fault *f)
{
	const struct passwd *entry;

	if (args->account != NULL ? strcmp(account, args->account) == 0
				  : (entry = getpwnam(account)) != NULL &&
		    entry->pw_uid == getuid())
		return 0;
	return fault_set(f, FAULT_UNTRUSTED, "the desk speaks of %.64s, %s",
	    account,
	    args->account != NULL ? "which is not the account that was named"
				  : "which is not your account");
}

/* What is signed is made of what we know ourselves: nobody who answers on that
 * socket can have anything else signed (map_proof.h). */
static int
prove(struct map_talk *talk, const struct ask_args *args,
    const struct credential *c, const struct map_answer *challenge,
    struct map_ask *ask, struct fault *f)
{
	char name[1024];
	struct map_proof p = { .nonce = map_answer_get(challenge, "nonce"),
		.time = map_answer_get(challenge, "time"),
		.uid = getuid(),
		.account = map_answer_get(challenge, "account"),
		.name = name };

	if (challenge->kind != MAP_SAY_CHALLENGE)
		return fault_set(f, FAULT_INPUT,
		    "the desk asks for no proof: it is none");
	if (map_credential_name(c, name, sizeof(name), f) < 0)
		return -1;
	if (check_account(args, p.account, f) < 0)
		return -1;
	ask->verb = MAP_SAY_PROVE;
	ask->signature = BUF(4096);
	if (map_proof_sign(&p, c->key, &ask->signature, f) < 0)
		return -1;
	return map_talk_say(talk, ask, f);
}

static int
add_certificate(const struct ask_args *args, const struct credential *c,
    struct fault *f)
{
	struct map_ask ask = { .verb = MAP_SAY_ADD, .chain = BUF(65536) };
	OWN_STRUCT(map_talk) talk = go(args, f);
	struct map_answer challenge = { .body = NULL }, end = { .body = NULL };
	int result = -1;

	put_chain(c, &ask.chain);
	if (ask.chain.failed)
		(void)fault_set(f, FAULT_INPUT, "the chain is too long");
	else if (talk != NULL &&
	    fill(ask.account, sizeof(ask.account), args->account, "--account",
		f) == 0 &&
	    fill(ask.reason, sizeof(ask.reason), args->reason, "--reason", f) ==
		0 &&
	    map_talk_say(talk, &ask, f) == 0 &&
	    map_talk_hear(talk, &challenge, f) == 0 &&
	    prove(talk, args, c, &challenge, &ask, f) == 0 &&
	    (result = map_talk_hear(talk, &end, f)) == 0)
		tell(args, &end);
	map_answer_clear(&challenge);
	map_answer_clear(&end);
	map_ask_clear(&ask);
	return result;
}

static int
add_name(const struct ask_args *args, struct fault *f)
{
	struct map_ask ask = { .verb = MAP_SAY_ADD };

	if (fill(ask.name, sizeof(ask.name), args->operand[0], "NAME", f) < 0 ||
	    fill(ask.account, sizeof(ask.account), args->account, "--account",
		f) < 0 ||
	    fill(ask.reason, sizeof(ask.reason), args->reason, "--reason", f) <
		0)
		return -1;
	return ask_once(args, &ask, f);
}

/* The directory's library is in a program of its own, beside us. */
static int
become_ldap(const struct ask_args *args, const char *word, const char *name,
    struct fault *f)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 32);
	char *slash;
	char *argv[32 + CMD_LIST_MAX];
	size_t n = 0;

	path[len < 0 ? 0 : len] = '\0';
	if ((slash = strrchr(path, '/')) == NULL)
		return fault_set(f, FAULT_SYSTEM, "where are we?");
	memcpy(slash, "/signet-map-ldap", sizeof("/signet-map-ldap"));
	argv[n++] = path;
	argv[n++] = (char *)(uintptr_t)word;
	argv[n++] = (char *)(uintptr_t)name;
#define PASS(field, option)                                 \
	if (args->field != NULL) {                          \
		argv[n++] = (char *)(uintptr_t)option;      \
		argv[n++] = (char *)(uintptr_t)args->field; \
	}
	PASS(config, "--config")
	PASS(dn_attribute, "--dn-attribute")
	PASS(ca_file, "--ca-file")
#undef PASS
	for (size_t i = 0; i < args->server.count && i < 16; i++) {
		argv[n++] = (char *)(uintptr_t) "--server";
		argv[n++] = (char *)(uintptr_t)args->server.item[i];
	}
	if (args->starttls)
		argv[n++] = (char *)(uintptr_t) "--starttls";
	if (args->json)
		argv[n++] = (char *)(uintptr_t) "--json";
	argv[n] = NULL;
	(void)fflush(NULL);
	(void)execv(path, argv);
	return fault_set(f, FAULT_ABSENT, "%.200s is not installed", path);
}

int
ask_add(const struct ask_args *args, struct fault *f)
{
	struct map_credential_wish wish = { args->certificate, args->key,
		args->proxy, args->passphrase_stdin, args->ldap };
	struct credential c;
	char name[1024];
	int result;

	if (args->count > 0 && !args->ldap)
		return add_name(args, f);
	if (args->count > 0)
		return become_ldap(args, "add", args->operand[0], f);
	result = map_credential_open(&wish, &c, f);
	if (result == 0 && args->ldap) {
		result = map_credential_name(&c, name, sizeof(name), f);
		if (result == 0)
			result = become_ldap(args, "add", name, f);
	} else if (result == 0) {
		result = add_certificate(args, &c, f);
	}
	credential_clear(&c);
	return result;
}

/* ---- remove */

/* The name given, or that of one's own certificate. */
static int
name_meant(const struct ask_args *args, char *name, size_t size,
    struct fault *f)
{
	struct map_credential_wish wish = { .no_key = true };
	struct credential c;
	int result;

	if (args->count > 0)
		return fill(name, size, args->operand[0], "NAME", f);
	result = map_credential_open(&wish, &c, f);
	if (result == 0)
		result = map_credential_name(&c, name, size, f);
	credential_clear(&c);
	return result;
}

int
ask_remove(const struct ask_args *args, struct fault *f)
{
	struct map_ask ask = { .verb = MAP_SAY_REMOVE };

	if (args->all && (args->ldap || args->count > 0) &&
	    (args->ldap || args->account != NULL))
		return fault_set(f, FAULT_USAGE,
		    "--all takes no name, and is not for --ldap");
	if ((!args->all || args->count > 0) &&
	    name_meant(args, ask.name, sizeof(ask.name), f) < 0)
		return -1;
	if (args->ldap)
		return become_ldap(args, "remove", ask.name, f);
	if (fill(ask.account, sizeof(ask.account), args->account, "--account",
		f) < 0 ||
	    fill(ask.reason, sizeof(ask.reason), args->reason, "--reason", f) <
		0 ||
	    fill(ask.all, sizeof(ask.all), args->all ? "yes" : "", "--all", f) <
		0)
		return -1;
	return ask_once(args, &ask, f);
}

/* ---- request */

static void
print_item(const struct map_answer *a)
{
	printf("%s  %-8s %-16s %s\n", map_answer_get(a, "request"),
	    map_answer_get(a, "state"), map_answer_get(a, "account"),
	    map_answer_get(a, "name"));
}

/* All that is there, in pieces as the desk gives them. */
static int
list(const struct ask_args *args, struct map_talk *talk, json_t *items,
    struct fault *f)
{
	struct map_ask ask = { .verb = MAP_SAY_LIST };

	if (fill(ask.all, sizeof(ask.all), args->all ? "yes" : "", "--all", f) <
		0 ||
	    map_talk_say(talk, &ask, f) < 0)
		return -1;
	for (;;) {
		struct map_answer a;
		char after[17] = "";
		int result = map_talk_hear(talk, &a, f);

		if (result < 0)
			return -1;
		if (a.kind == MAP_SAY_ITEM) {
			if (!args->json)
				print_item(&a);
			else if (json_array_append(items, a.body) < 0)
				result = fault_set(f, FAULT_MEMORY, "the list");
			map_answer_clear(&a);
			if (result < 0)
				return -1;
			continue;
		}
		result = fill(after, sizeof(after), map_answer_get(&a, "after"),
		    "a number", f);
		map_answer_clear(&a);
		if (result < 0 || *after == '\0')
			return result;
		memcpy(ask.after, after, sizeof(after));
		if (map_talk_say(talk, &ask, f) < 0)
			return -1;
	}
}

int
ask_list(const struct ask_args *args, struct fault *f)
{
	OWN_STRUCT(map_talk) talk = go(args, f);
	json_t *items = json_array();
	int result =
	    talk == NULL || items == NULL ? -1 : list(args, talk, items, f);

	if (result == 0 && args->json) {
		(void)json_dumpf(items, stdout, JSON_INDENT(1));
		putchar('\n');
	}
	json_decref(items);
	return result;
}

static int
about(const struct ask_args *args, enum map_say_verb verb, struct map_ask *ask,
    struct fault *f)
{
	ask->verb = verb;
	if (fill(ask->request, sizeof(ask->request), args->operand[0], "ID",
		f) < 0)
		return -1;
	return fill(ask->reason, sizeof(ask->reason), args->reason, "--reason",
	    f);
}

int
ask_show(const struct ask_args *args, struct fault *f)
{
	OWN_STRUCT(map_talk) talk = go(args, f);
	struct map_ask ask = { 0 };
	struct map_answer a = { .body = NULL };
	const char *name;
	json_t *value;

	if (talk == NULL || about(args, MAP_SAY_SHOW, &ask, f) < 0 ||
	    map_talk_say(talk, &ask, f) < 0 || map_talk_hear(talk, &a, f) < 0)
		return -1;
	if (args->json)
		print_json(&a);
	else
		json_object_foreach(a.body, name, value)
		{
			printf("%-16s %s\n", name, json_string_value(value));
		}
	map_answer_clear(&a);
	return 0;
}

int
ask_approve(const struct ask_args *args, struct fault *f)
{
	struct map_ask ask = { 0 };

	if (about(args, MAP_SAY_APPROVE, &ask, f) < 0)
		return -1;
	return ask_once(args, &ask, f);
}

int
ask_refuse(const struct ask_args *args, struct fault *f)
{
	struct map_ask ask = { 0 };

	if (about(args, MAP_SAY_REFUSE, &ask, f) < 0)
		return -1;
	return ask_once(args, &ask, f);
}
