#include "signet_logon.h"

#include "asker.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "keygen.h"
#include "myproxy/myproxy_client.h"
#include "place.h"
#include "proxy_file.h"
#include "server.h"
#include "signet_conf.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEY "rsa:2048"
#define HOURS_12 43200
#define SHORTEST_PHRASE 6
#define FILE_MAX 1048576

struct logon_options {
#define OPTION(field, names, KIND, argument, min, max, doc) \
	OPTION_C_##KIND field;
#include "logon.def"
#undef OPTION
};

struct logon {
	const struct logon_options *o;
	struct call *call;
	struct signet_conf conf;
	struct server server;
	struct asker asker;
	char username[DN_TEXT_MAX];
	char out[PLACE_SIZE];
	struct keygen *keygen;
	struct credential shown;      /* in TLS; may be empty */
	struct credential renew_with; /* -a; may be empty */
	struct buf request;	      /* -Q: DER */
	struct credential got;
};

void
signet_logon_complain(const struct call *call, const struct fault *f)
{
	fprintf(stderr, "%s\n", f->text);
	if (*call->hint != '\0')
		fprintf(stderr, "%s\n", call->hint);
}

void
signet_logon_version(const struct call *call, FILE *out)
{
	fprintf(out, "%s version MYPROXYv2 (Signet %s)\n", call->name,
	    SIGNET_VERSION);
}

/* A credential from a file, if it is there and has not expired. */
static bool
read_usable(struct logon *l, const char *path, struct credential *c)
{
	struct fault f;

	if (proxy_file_read(path, c, &f) < 0) {
		call_verbose(l->call, "%s", f.text);
		return false;
	}
	if (c->key != NULL && credential_end(c) > clock_wall())
		return true;
	call_verbose(l->call, "%s is no longer valid", path);
	credential_clear(c);
	return false;
}

/* What the server is shown, if there is anything: repositories go by it. */
static void
choose_shown(struct logon *l)
{
	char path[PLACE_SIZE];
	struct fault f;

	if (place_proxy(NULL, path, &f) == 0 && read_usable(l, path, &l->shown))
		return;
	call_verbose(l->call, "the server is met anonymously");
}

static int
choose_username(struct logon *l, struct fault *f)
{
	const struct credential *c =
	    l->renew_with.chain.count > 0 ? &l->renew_with : &l->shown;
	const char *name = l->o->username;
	struct dn identity;

	if (l->o->dn_as_username && name == NULL) {
		if (c->chain.count == 0)
			return fault_set(f, FAULT_ABSENT,
			    "There is no credential to take a name from.");
		if (cert_identity(c->chain.cert[0], &c->chain, &identity, f) <
		    0)
			return -1;
		return dn_show_slash(&identity, l->username,
			   sizeof(l->username)) < 0
		    ? fault_set(f, FAULT_INPUT, "The name is too long.")
		    : 0;
	}
	if (name == NULL)
		name = getenv("LOGNAME");
	if (name == NULL || *name == '\0')
		return fault_set(f, FAULT_USAGE,
		    "Please specify a username with -l.");
	return text_copy(l->username, sizeof(l->username), name) < 0
	    ? fault_set(f, FAULT_USAGE, "The user name is too long.")
	    : 0;
}

static int
read_request(struct logon *l, struct fault *f)
{
	OWN_BUF(text, 65536);
	size_t at = 0;
	int found;

	if ((strcmp(l->o->request, "-") == 0
		    ? file_read_fd(STDIN_FILENO, "standard input", &text, f)
		    : file_read(l->o->request, &text, f)) < 0)
		return -1;
	l->request = BUF(65536);
	found = pem_next(text.data, text.len, &at, "CERTIFICATE REQUEST",
	    &l->request, f);
	if (found == 0) {
		at = 0;
		found = pem_next(text.data, text.len, &at,
		    "NEW CERTIFICATE REQUEST", &l->request, f);
	}
	if (found == 0)
		return fault_set(f, FAULT_INPUT,
		    "%s holds no certificate request in PEM", l->o->request);
	return found < 0 ? -1 : 0;
}

/* A pass phrase of the length that servers take; the empty one goes by other
 * means. */
static struct secret *
ask(void *arg, const char *server, struct fault *f)
{
	struct secret *phrase = asker_server(arg, server, f);

	if (phrase != NULL && secret_len(phrase) > 0 &&
	    secret_len(phrase) < SHORTEST_PHRASE) {
		(void)fault_set(f, FAULT_USAGE,
		    "Passphrase must be at least %d characters long.",
		    SHORTEST_PHRASE);
		secret_free(phrase);
		return NULL;
	}
	return phrase;
}

static int
plan(struct logon *l, struct fault *f)
{
	const struct logon_options *o = l->o;
	const struct server_options given = { &o->server, o->port, NULL, NULL };
	const char *bits = getenv("MYPROXY_KEYBITS");
	char kind[32] = KEY;

	if (o->voms.count > 0)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "VOMS attributes cannot be asked for here.");
	if (o->no_passphrase && o->stdin_pass)
		return fault_set(f, FAULT_USAGE,
		    "-n and -S exclude each other.");
	if (signet_conf_load(&l->conf, f) < 0 ||
	    server_choose(&l->server, &given, &l->conf, f) < 0 ||
	    place_proxy(o->out, l->out, f) < 0)
		return -1;
	if (o->request != NULL)
		return read_request(l, f);
	if (o->no_credentials)
		return 0;
	if (o->key != NULL ? text_copy(kind, sizeof(kind), o->key) < 0
			   : bits != NULL &&
		    text_fmt(kind, sizeof(kind), "rsa:%s", bits) < 0)
		return fault_set(f, FAULT_USAGE, "There is no such key.");
	if (strcmp(l->out, "-") != 0 && proxy_file_check(l->out, f) < 0)
		return -1;
	return (l->keygen = keygen_start(kind, f)) == NULL ? -1 : 0;
}

static int
who(struct logon *l, struct fault *f)
{
	choose_shown(l);
	if (l->o->renew_with != NULL &&
	    proxy_file_read(l->o->renew_with, &l->renew_with, f) < 0)
		return -1;
	if (choose_username(l, f) < 0)
		return -1;
	l->asker.from_stdin = l->o->stdin_pass;
	return text_copy(l->asker.prompt, sizeof(l->asker.prompt),
	    "Enter MyProxy pass phrase:");
}

static void
say(void *arg, const char *line)
{
	call_note(arg, "%s", line);
}

static void
fill(struct logon *l, struct myproxy_wish *wish)
{
	memset(wish, 0, sizeof(*wish));
	server_fill(&l->server, wish);
	wish->username = l->username;
	wish->cred_name = l->o->cred_name;
	wish->lifetime = l->o->hours == OPTION_UNSET ? HOURS_12 : l->o->hours;
	wish->use_kerberos = true;
	if (l->renew_with.key != NULL)
		wish->renew_with = &l->renew_with;
	if (l->shown.key != NULL)
		wish->credential = &l->shown;
	else if (l->renew_with.key != NULL)
		wish->credential = &l->renew_with;
	if (!l->o->no_passphrase && l->renew_with.key == NULL) {
		wish->ask = ask;
		wish->ask_arg = &l->asker;
	}
	wish->say = say;
	wish->say_arg = l->call;
	wish->authenticate_only = l->o->no_credentials;
	wish->want_trustroots = l->o->trustroots;
	wish->bootstrap = l->o->bootstrap;
	wish->csr = (struct wire_bytes){ l->request.data, l->request.len };
}

/* Certificate, key and chain; certificates only for a request (-Q). */
static int
write_out(const struct logon *l, struct fault *f)
{
	OWN_BUF(text, FILE_MAX);
	struct wire_bytes bytes;

	if (l->got.key != NULL && credential_write(&l->got, &text, f) < 0)
		return -1;
	for (size_t i = 0; l->got.key == NULL && i < l->got.chain.count; i++)
		pem_put(&text, "CERTIFICATE",
		    (struct wire_bytes){
			l->got.chain.cert[i]->der, l->got.chain.cert[i]->len });
	if (text.failed)
		return fault_set(f, FAULT_MEMORY, "the credential");
	bytes = (struct wire_bytes){ text.data, text.len };
	if (strcmp(l->out, "-") == 0)
		return file_write_all(STDOUT_FILENO, text.data, text.len, f);
	if (proxy_file_write_text(l->out, bytes, f) < 0)
		return -1;
	if (!l->call->common.quiet)
		printf("A credential has been received for user %s in %s.\n",
		    l->username, l->out);
	return 0;
}

static int
fetch(struct logon *l, struct fault *f)
{
	struct myproxy_result result;
	struct myproxy_wish wish;
	OWN_STRUCT(key) key = NULL;
	int done;

	fill(l, &wish);
	if (l->keygen != NULL && (key = keygen_take(l->keygen, f)) == NULL)
		return -1;
	wish.key = key;
	done = myproxy_logon(&wish, &result, f);
	if (done < 0 && *result.words != '\0')
		(void)fault_set(f, f->code,
		    "Failed to receive credentials.\n"
		    "ERROR from myproxy-server:\n%s",
		    result.words);
	l->got.chain = result.chain;
	l->got.key = TAKE(key);
	memset(&result.chain, 0, sizeof(result.chain));
	if (done == 0 && !l->o->no_credentials)
		done = write_out(l, f);
	if (done == 0 && result.trustroots > 0 && !l->call->common.quiet)
		printf("Trust roots have been installed in %s/.\n",
		    result.install_dir);
	myproxy_result_clear(&result);
	return done;
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct logon *l = calloc(1, sizeof(*l));
	int result;

	if (l == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	l->o = options;
	l->call = call;
	result = plan(l, f);
	if (result == 0)
		result = who(l, f);
	if (result == 0)
		result = fetch(l, f);
	keygen_free(l->keygen);
	credential_clear(&l->shown);
	credential_clear(&l->renew_with);
	credential_clear(&l->got);
	buf_free(&l->request);
	asker_clear(&l->asker);
	free(l);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct logon_options, __VA_ARGS__)
#include "logon.def"
#undef OPTION
};

const struct command signet_logon = {
	.old_names = "myproxy-logon myproxy-get-delegation",
	.summary = "Get a credential from a MyProxy server",
	.operands = "",
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct logon_options) },
	.old_style = OPTIONS_GNU_OLD,
	.compatible = true,
	.run = run,
	.complain = signet_logon_complain,
	.old_version = signet_logon_version,
};
