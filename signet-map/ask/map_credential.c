#include "map_credential.h"

#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "sys/ask.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT 1048576
#define PATH_SIZE 1024
#define TRIES 2

struct paths {
	char cert[PATH_SIZE];
	char key[PATH_SIZE]; /* as ->cert if the file holds both */
	bool proxy;
};

static int
at_home(const char *name, char path[PATH_SIZE], struct fault *f)
{
	const char *home = getenv("HOME");
	const struct passwd *pw;

	if (home == NULL || *home == '\0') {
		pw = getpwuid(getuid());
		home = pw == NULL ? "" : pw->pw_dir;
	}
	if (text_fmt(path, PATH_SIZE, "%s/.globus/%s", home, name) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return 0;
}

static int
place(const char *option, const char *variable, const char *name,
    char path[PATH_SIZE], struct fault *f)
{
	const char *value = option != NULL ? option : getenv(variable);

	if (value == NULL || *value == '\0')
		return at_home(name, path, f);
	if (text_copy(path, PATH_SIZE, value) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return 0;
}

static int
place_proxy(const char *option, struct paths *at, struct fault *f)
{
	const char *value = option != NULL ? option : getenv("X509_USER_PROXY");
	char usual[PATH_SIZE];

	if (text_fmt(usual, sizeof(usual), "/tmp/x509up_u%lu",
		(unsigned long)getuid()) < 0 ||
	    text_copy(at->cert, PATH_SIZE,
		value == NULL || *value == '\0' ? usual : value) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	memcpy(at->key, at->cert, PATH_SIZE);
	at->proxy = true;
	return 0;
}

/* A proxy lies where others, too, may put files: one that is not ours alone
 * would be somebody else's name. */
static int
read_chain(const struct paths *at, struct cert_list *chain, struct fault *f)
{
	OWN_BUF(pem, FILE_LIMIT);

	if ((at->proxy ? file_read_private(at->cert, &pem, f)
		       : file_read(at->cert, &pem, f)) < 0)
		return -1;
	if (cert_list_read_pem(chain, pem.data, pem.len, f) < 0)
		return fault_wrap(f, "%s", at->cert);
	if (chain->count == 0)
		return fault_set(f, FAULT_INPUT, "%s holds no certificate",
		    at->cert);
	return 0;
}

static int
find(const struct map_credential_wish *wish, struct paths *at, struct fault *f)
{
	const bool said = wish->certificate != NULL || wish->key != NULL;
	char cert[PATH_SIZE];

	if (wish->proxy != NULL && said)
		return fault_set(f, FAULT_USAGE,
		    "--proxy and --certificate both say which");
	if (wish->proxy != NULL)
		return place_proxy(wish->proxy, at, f);
	if (place(wish->certificate, "X509_USER_CERT", "usercert.pem", at->cert,
		f) < 0 ||
	    place(wish->key, "X509_USER_KEY", "userkey.pem", at->key, f) < 0)
		return -1;
	/* A credential file holds its own key. */
	if (wish->certificate != NULL && wish->key == NULL &&
	    getenv("X509_USER_KEY") == NULL)
		memcpy(at->key, at->cert, PATH_SIZE);
	if (said || access(at->cert, F_OK) == 0)
		return 0;
	memcpy(cert, at->cert, PATH_SIZE);
	if (place_proxy(NULL, at, f) < 0)
		return -1;
	if (access(at->cert, F_OK) < 0)
		return fault_set(f, FAULT_ABSENT,
		    "there is no certificate in %.100s and no proxy in %.100s",
		    cert, at->cert);
	return 0;
}

static int
open_key(const struct map_credential_wish *wish, const struct paths *at,
    struct credential *c, struct fault *f)
{
	OWN_BUF(pem, FILE_LIMIT);
	const bool stdin_too = wish->phrase_stdin;
	bool locked;

	if (file_read_private(at->key, &pem, f) < 0)
		return -1;
	locked = key_is_encrypted(pem.data, pem.len);
	for (int i = 1;; i++) {
		OWN_STRUCT(secret) phrase = NULL;

		if (locked &&
		    (phrase = stdin_too
			    ? ask_secret_fd(STDIN_FILENO, f)
			    : ask_secret("Pass phrase of your key: ", f)) ==
			NULL)
			return fault_wrap(f, "%s", at->key);
		c->key = key_read_pem(pem.data, pem.len, phrase, f);
		if (c->key != NULL)
			return 0;
		if (f->code != FAULT_LOGIN || stdin_too || i == TRIES)
			return fault_wrap(f, "%s", at->key);
		fputs("That is not it; try again.\n", stderr);
	}
}

int
map_credential_open(const struct map_credential_wish *wish,
    struct credential *c, struct fault *f)
{
	struct paths at = { .proxy = false };
	const struct spki *ours, *theirs;

	memset(c, 0, sizeof(*c));
	if (find(wish, &at, f) < 0 || read_chain(&at, &c->chain, f) < 0)
		return -1;
	if (wish->no_key)
		return 0;
	if (open_key(wish, &at, c, f) < 0)
		return -1;
	ours = key_spki(c->key);
	theirs = &c->chain.cert[0]->spki;
	if (ours->bits.len != theirs->bits.len ||
	    memcmp(ours->bits.data, theirs->bits.data, ours->bits.len) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the key in %.100s is not that of the certificate in "
		    "%.100s",
		    at.key, at.cert);
	return 0;
}

int
map_credential_name(const struct credential *c, char *name, size_t size,
    struct fault *f)
{
	struct dn identity;

	if (cert_identity(c->chain.cert[0], &c->chain, &identity, f) < 0)
		return -1;
	if (dn_show_slash(&identity, name, size) < 0)
		return fault_set(f, FAULT_NAME, "its name is too long");
	return 0;
}
