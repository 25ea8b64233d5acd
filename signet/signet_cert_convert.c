#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "credential_show.h"
#include "own_cert.h"
#include "signet_cert.h"
#include "sys/ask.h"
#include "x509/key.h"
#include "x509/p12.h"
#include "x509/pem.h"
#include "x509/proxy.h"

#include <sys/stat.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BUNDLE_LIMIT 1048576
#define TRIES 2 /* at a terminal */
#define CERT_MODE 0644
#define KEY_MODE 0600 /* seed 002: for your account to read, no one else */

struct convert_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "cert_convert.def"
#undef OPTION
};

struct convert {
	struct call *call;
	const struct convert_options *o;
	char cert[PLACE_SIZE];
	char key[PLACE_SIZE];
	struct secret *phrase;
	struct credential c;
	bool legacy;
};

static int
place(const char *option, const char *name, char path[PLACE_SIZE],
    struct fault *f)
{
	if (option == NULL)
		return own_cert_place(name, path, f);
	if (text_copy(path, PLACE_SIZE, option) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return 0;
}

/* Nothing is overwritten unless asked for, and then the old is kept. */
static int
make_room(const struct convert *v, const char *path, struct fault *f)
{
	char kept[PLACE_SIZE + 8];

	if (access(path, F_OK) < 0)
		return 0;
	if (!v->o->force) {
		call_hint(v->call, "Use --force to replace it.");
		return fault_set(f, FAULT_DENIED, "%s is there already", path);
	}
	if (text_fmt(kept, sizeof(kept), "%s.old", path) < 0 ||
	    rename(path, kept) < 0)
		return fault_set(f, FAULT_SYSTEM, "%s: %s", path,
		    strerror(errno));
	return 0;
}

static int
plan(struct convert *v, struct fault *f)
{
	if (v->call->operand_count == 0)
		return fault_set(f, FAULT_USAGE, "no PKCS#12 file was named");
	if (place(v->o->out_cert, "usercert.pem", v->cert, f) < 0 ||
	    place(v->o->out_key, "userkey.pem", v->key, f) < 0)
		return -1;
	/* Before a pass phrase is asked for in vain. */
	if (!v->o->force &&
	    (make_room(v, v->cert, f) < 0 || make_room(v, v->key, f) < 0))
		return -1;
	return 0;
}

/* ~/.globus holds a key: nobody else need look in. */
static int
make_dir(const struct convert *v, struct fault *f)
{
	char dir[PLACE_SIZE];

	if (v->o->out_cert != NULL && v->o->out_key != NULL)
		return 0;
	if (own_cert_place("", dir, f) < 0)
		return -1;
	return access(dir, F_OK) < 0 ? file_mkdir(dir, 0700, f) : 0;
}

/* One try; FAULT_LOGIN if the pass phrase is wrong. */
static int
try_phrase(struct convert *v, const struct buf *der, struct fault *f)
{
	secret_free(v->phrase);
	v->phrase = v->o->password_stdin
	    ? ask_secret_fd(STDIN_FILENO, f)
	    : ask_secret("Pass phrase of the bundle: ", f);
	if (v->phrase == NULL)
		return -1;
	return p12_read(&v->c, der->data, der->len, v->phrase, &v->legacy, f);
}

static int
open_bundle(struct convert *v, struct fault *f)
{
	const char *path = v->call->operand[0];
	const int tries = v->o->password_stdin ? 1 : TRIES;
	int result = -1;
	OWN_BUF(der, BUNDLE_LIMIT);

	if (file_read(path, &der, f) < 0) {
		call_hint(v->call, "Look at the name of the bundle.");
		return -1;
	}
	for (int i = 1; i <= tries; i++) {
		result = try_phrase(v, &der, f);
		if (result == 0 || v->phrase == NULL || f->code != FAULT_LOGIN)
			break;
		if (i < tries)
			fputs("That is not it; try again.\n", stderr);
	}
	if (result < 0 && v->phrase == NULL)
		return -1;
	if (result < 0 && f->code == FAULT_LOGIN) {
		call_hint(v->call,
		    "It is the one that the bundle was saved "
		    "with.");
		return fault_set(f, FAULT_LOGIN, "wrong pass phrase for %s",
		    path);
	}
	if (result < 0)
		return fault_wrap(f, "%s", path);
	if (v->legacy)
		call_note(v->call,
		    "%s is encrypted in an old, weak way; what is written now "
		    "is not.",
		    path);
	return 0;
}

static int
write_key(const struct convert *v, struct fault *f)
{
	OWN_BUF(pem, BUNDLE_LIMIT);

	if (v->c.key == NULL)
		return fault_set(f, FAULT_INPUT, "the bundle holds no key");
	if (key_write_pem(v->c.key, v->o->no_passphrase ? NULL : v->phrase,
		&pem, f) < 0)
		return -1;
	if (make_room(v, v->key, f) < 0)
		return -1;
	return file_write_new(v->key, KEY_MODE, pem.data, pem.len, f);
}

static int
write_cert(const struct convert *v, struct fault *f)
{
	OWN_BUF(pem, BUNDLE_LIMIT);

	for (size_t i = 0; i < v->c.chain.count; i++)
		pem_put(&pem, "CERTIFICATE",
		    (struct wire_bytes){
			v->c.chain.cert[i]->der, v->c.chain.cert[i]->len });
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "the certificates");
	if (make_room(v, v->cert, f) < 0)
		return -1;
	return file_write_new(v->cert, CERT_MODE, pem.data, pem.len, f);
}

static int
report(const struct convert *v, struct fault *f)
{
	struct credential_names names;
	json_t *object;

	if (credential_names(&v->c, false, &names, f) < 0)
		return -1;
	if (!v->call->common.json) {
		if (!v->call->common.quiet)
			printf("Your identity: %s\n"
			       "Your certificate is in %s,\n"
			       "its key in %s.\n",
			    names.subject, v->cert, v->key);
		return 0;
	}
	object = json_pack("{s:i,s:s,s:s,s:s,s:s,s:b}", "version", 1, "kind",
	    "converted", "subject", names.subject, "certificate", v->cert,
	    "key", v->key, "legacy", v->legacy);
	if (object == NULL)
		return fault_set(f, FAULT_INPUT,
		    "a path is not UTF-8, and JSON takes nothing else");
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(object);
	return 0;
}

static int
walk(struct convert *v, struct fault *f)
{
	if (plan(v, f) < 0 || open_bundle(v, f) < 0 || make_dir(v, f) < 0)
		return -1;
	/* The key first: a certificate without one would look finished. */
	if (write_key(v, f) < 0 || write_cert(v, f) < 0)
		return -1;
	return report(v, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct convert *v = calloc(1, sizeof(*v));
	int result;

	if (v == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	v->call = call;
	v->o = options;
	result = walk(v, f);
	secret_free(v->phrase);
	credential_clear(&v->c);
	free(v);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct convert_options, __VA_ARGS__)
#include "cert_convert.def"
#undef OPTION
};

const struct command signet_cert_convert = {
	.verb = "cert convert",
	.summary = "Put a PKCS#12 bundle where grid software looks for it",
	.operands = "BUNDLE",
	.operands_max = 1,
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct convert_options) },
	.run = run,
};
