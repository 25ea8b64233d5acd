#include "own_cert.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/ask.h"
#include "x509/p12.h"
#include "x509/proxy.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT 1048576
#define TRIES 2

int
own_cert_place(const char *name, char path[PLACE_SIZE], struct fault *f)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home == NULL || *home == '\0') {
		pw = getpwuid(getuid());
		home = pw == NULL ? NULL : pw->pw_dir;
	}
	if (home == NULL)
		return fault_set(f, FAULT_SYSTEM,
		    "HOME is not set, and uid %u has no entry",
		    (unsigned)getuid());
	if (text_fmt(path, PLACE_SIZE, "%s/.globus/%s", home, name) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return 0;
}

/* ${option}, else the environment's ${variable}, else ~/.globus/${name}. */
static int
place(const char *option, const char *variable, const char *name,
    char path[PLACE_SIZE], struct fault *f)
{
	const char *value = option != NULL ? option : getenv(variable);

	if (value == NULL || *value == '\0')
		return own_cert_place(name, path, f);
	if (text_copy(path, PLACE_SIZE, value) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return 0;
}

bool
own_cert_is_bundle(const char *path)
{
	return text_ends(path, ".p12") || text_ends(path, ".pfx");
}

int
own_cert_find(const char *cert, const char *key, struct own_cert *own,
    struct fault *f)
{
	char bundle[PLACE_SIZE];
	bool given = cert != NULL || getenv("X509_USER_CERT") != NULL;

	if (place(cert, "X509_USER_CERT", "usercert.pem", own->cert, f) < 0 ||
	    place(key, "X509_USER_KEY", "userkey.pem", own->key, f) < 0 ||
	    own_cert_place("usercred.p12", bundle, f) < 0)
		return -1;
	if (own_cert_is_bundle(own->cert)) {
		own->key[0] = '\0';
		return 0;
	}
	if (access(own->cert, F_OK) == 0) {
		/* A credential file holds its own key. */
		if (cert != NULL && key == NULL &&
		    getenv("X509_USER_KEY") == NULL)
			memcpy(own->key, own->cert, sizeof(own->key));
		return 0;
	}
	if (!given && access(bundle, F_OK) == 0) {
		memcpy(own->cert, bundle, sizeof(bundle));
		own->key[0] = '\0';
		return 0;
	}
	return fault_set(f, FAULT_ABSENT, "there is no certificate in %s%s%s",
	    own->cert, given ? "" : " and no ", given ? "" : bundle);
}

int
own_cert_chain(const struct own_cert *own, struct credential *c,
    struct fault *f)
{
	OWN_BUF(pem, FILE_LIMIT);

	if (own->key[0] == '\0')
		return 0;
	if (file_read(own->cert, &pem, f) < 0)
		return -1;
	if (cert_list_read_pem(&c->chain, pem.data, pem.len, f) < 0)
		return fault_wrap(f, "%s", own->cert);
	if (c->chain.count == 0)
		return fault_set(f, FAULT_INPUT, "%s holds no certificate",
		    own->cert);
	return 0;
}

static struct secret *
get_phrase(const struct own_cert_ask *ask, const char *path, struct fault *f)
{
	struct secret *phrase = ask->from_stdin ? ask_secret_fd(STDIN_FILENO, f)
						: ask_secret(ask->prompt, f);

	if (phrase == NULL && f->code == FAULT_USAGE) {
		f->code = FAULT_LOGIN;
		(void)fault_wrap(f, "no pass phrase for %s", path);
	}
	return phrase;
}

/* One try at what ${text} holds. */
static int
open_with(const struct own_cert *own, const struct buf *text,
    const struct secret *phrase, struct credential *c, struct fault *f)
{
	if (own->key[0] == '\0')
		return p12_read(c, text->data, text->len, phrase, NULL, f);
	c->key = key_read_pem(text->data, text->len, phrase, f);
	return c->key == NULL ? -1 : 0;
}

static int
check_pair(const struct own_cert *own, const struct credential *c,
    struct fault *f)
{
	const struct spki *ours = key_spki(c->key);
	const struct spki *theirs = &c->chain.cert[0]->spki;

	if (ours->bits.len != theirs->bits.len ||
	    memcmp(ours->bits.data, theirs->bits.data, ours->bits.len) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the key in %s is not that of the certificate in %s",
		    own->key, own->cert);
	return 0;
}

/* Open ${text}, in two tries if a person can be asked. */
static int
open_key(const struct own_cert *own, const struct own_cert_ask *ask,
    const char *path, const struct buf *text, struct credential *c,
    struct fault *f)
{
	const bool encrypted =
	    own->key[0] == '\0' || key_is_encrypted(text->data, text->len);
	const int tries = encrypted && !ask->from_stdin ? TRIES : 1;

	for (int i = 1;; i++) {
		OWN_STRUCT(secret) phrase = NULL;

		if (encrypted && (phrase = get_phrase(ask, path, f)) == NULL)
			return -1;
		if (open_with(own, text, phrase, c, f) == 0)
			return 0;
		if (f->code != FAULT_LOGIN)
			return fault_wrap(f, "%s", path);
		if (i == tries)
			return fault_set(f, FAULT_LOGIN,
			    "wrong pass phrase for %s", path);
		fputs("That is not it; try again.\n", stderr);
	}
}

int
own_cert_key(const struct own_cert *own, const struct own_cert_ask *ask,
    struct credential *c, struct fault *f)
{
	const char *path = own->key[0] == '\0' ? own->cert : own->key;
	OWN_BUF(text, FILE_LIMIT);

	if (file_read_private(path, &text, f) < 0)
		return -1;
	if (open_key(own, ask, path, &text, c, f) < 0)
		return f->code == FAULT_ABSENT
		    ? fault_set(f, FAULT_INPUT, "there is no key in %s", path)
		    : -1;
	return check_pair(own, c, f);
}
