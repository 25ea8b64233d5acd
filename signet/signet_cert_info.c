#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "credential_json.h"
#include "old_grid.h"
#include "own_cert.h"
#include "place.h"
#include "signet_cert.h"
#include "signet_conf.h"
#include "sys/ask.h"
#include "trust/store.h"
#include "turns.h"
#include "x509/cert_text.h"
#include "x509/p12.h"
#include "x509/proxy.h"

#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FILE_LIMIT 1048576

struct cert_info_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "cert_info.def"
#undef OPTION
};

struct cert_info {
	const struct cert_info_options *o;
	const struct call *call;
	char path[PLACE_SIZE];
	struct cert_list chain;
};

static const struct old_grid_value old_values[] = {
	{ "-file -f", "needs a file name argument", NULL },
};

static const struct old_grid old_tool = {
	"grid-cert-info [-help] [-file certfile] [-all] [-subject] [...]",
	"Syntax : ", "\n", "unrecognized option", old_values, 1
};

/* OpenSSL's layout, which the old tool printed: "Nov 22 02:37:03 2026 GMT". */
static void
print_date(const char *label, time_t when)
{
	char text[40];
	struct tm tm;

	if (gmtime_r(&when, &tm) == NULL ||
	    strftime(text, sizeof(text), "%b %e %H:%M:%S %Y GMT", &tm) == 0)
		text[0] = '\0';
	printf("%s%s\n", label, text);
}

/* The old tool does not show the proxy levels of legacy proxies. */
static void
drop_word(char *text, const char *word)
{
	size_t len = strlen(word);

	for (char *at = text; (at = strstr(at, word)) != NULL;)
		memmove(at, at + len, strlen(at + len) + 1);
}

static int
print_name(const struct cert_info *in, const char *label, const struct dn *dn,
    struct fault *f)
{
	char text[DN_TEXT_MAX];

	if ((in->o->rfc2253 ? dn_show_rfc2253(dn, text, sizeof(text))
			    : dn_show_slash(dn, text, sizeof(text))) < 0)
		return fault_set(f, FAULT_INPUT, "a name is too long to show");
	if (in->call->old) {
		drop_word(text, "/CN=proxy");
		drop_word(text, "/CN=limited proxy");
	}
	printf("%s%s\n", label, text);
	return 0;
}

static int
print_all(const void *arg, struct fault *f)
{
	const struct cert_info *in = arg;

	return cert_text(in->chain.cert[0], false, stdout, f);
}

static int
print_subject(const void *arg, struct fault *f)
{
	const struct cert_info *in = arg;

	return print_name(in, "", &in->chain.cert[0]->subject, f);
}

static int
print_issuer(const void *arg, struct fault *f)
{
	const struct cert_info *in = arg;

	return print_name(in, "", &in->chain.cert[0]->issuer, f);
}

static int
print_issuerhash(const void *arg, struct fault *f)
{
	const struct cert_info *in = arg;
	char hash[9];

	if (dn_hash(&in->chain.cert[0]->issuer, hash, f) < 0)
		return -1;
	puts(hash);
	return 0;
}

static int
print_startdate(const void *arg, struct fault *f)
{
	const struct cert_info *in = arg;

	(void)f;
	print_date("", in->chain.cert[0]->not_before);
	return 0;
}

static int
print_enddate(const void *arg, struct fault *f)
{
	const struct cert_info *in = arg;

	(void)f;
	print_date("", in->chain.cert[0]->not_after);
	return 0;
}

static const struct turn values[] = {
	{ offsetof(struct cert_info_options, all), print_all },
	{ offsetof(struct cert_info_options, subject), print_subject },
	{ offsetof(struct cert_info_options, issuer), print_issuer },
	{ offsetof(struct cert_info_options, issuerhash), print_issuerhash },
	{ offsetof(struct cert_info_options, startdate), print_startdate },
	{ offsetof(struct cert_info_options, enddate), print_enddate },
};
#define VALUES (sizeof(values) / sizeof(values[0]))

static int
print_summary(const struct cert_info *in, struct fault *f)
{
	const struct cert *cert = in->chain.cert[0];
	char serial[CERT_SERIAL_TEXT];

	cert_serial_text(cert, serial);
	if (print_name(in, "subject : ", &cert->subject, f) < 0 ||
	    print_name(in, "issuer  : ", &cert->issuer, f) < 0)
		return -1;
	printf("serial  : %s\n", serial);
	printf("kind    : %s\n", cert_kind_text(cert->kind));
	printf("key     : %u bits, %s\n", cert->spki.size,
	    cert->spki.kind == KEY_RSA ? "RSA" : "EC");
	print_date("from    : ", cert->not_before);
	print_date("until   : ", cert->not_after);
	printf("path    : %s\n", in->path);
	return 0;
}

static int
print_json(const struct cert_info *in, struct fault *f)
{
	const struct credential c = { .chain = in->chain };
	char dir[PLACE_SIZE];
	OWN_STRUCT(trust_store) store = NULL;
	json_t *object;

	if (trust_default_dir(NULL, dir, sizeof(dir), f) == 0)
		store = trust_load(dir, true, NULL, NULL, f);
	if (signet_conf_demand(store, f) < 0)
		return -1;
	object = credential_json(in->path, &c, store, clock_wall(), f);
	if (object == NULL)
		return -1;
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

/* ${option}, else X509_USER_CERT, else ~/.globus: usercert.pem or, if only
 * that is there, usercred.p12. */
static int
find(struct cert_info *in, struct fault *f)
{
	const char *path = in->o->file;
	struct own_cert own;
	struct stat st;
	int result;

	if (path == NULL && in->call->operand_count > 0)
		path = in->call->operand[0];
	/* The old tool's first question, whatever the file is for. */
	if (path != NULL && in->call->old &&
	    (stat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
		access(path, R_OK) < 0))
		return fault_set(f, FAULT_ABSENT, "%s", path);
	result = own_cert_find(path, NULL, &own, f);
	memcpy(in->path, own.cert, sizeof(in->path));
	return result;
}

/* A bundle is under a pass phrase, certificates and all. */
static int
load_bundle(struct cert_info *in, const struct buf *der, struct fault *f)
{
	char prompt[PLACE_SIZE + 32];
	struct credential c = { .key = NULL };
	OWN_STRUCT(secret) phrase = NULL;

	if (text_fmt(prompt, sizeof(prompt), "Pass phrase of %s: ", in->path) <
		0 ||
	    (phrase = ask_secret(prompt, f)) == NULL)
		return -1;
	if (p12_read(&c, der->data, der->len, phrase, NULL, f) < 0) {
		if (f->code == FAULT_LOGIN)
			return fault_set(f, FAULT_LOGIN,
			    "wrong pass phrase for %s", in->path);
		return fault_wrap(f, "%s", in->path);
	}
	in->chain = c.chain;
	memset(&c.chain, 0, sizeof(c.chain));
	credential_clear(&c);
	return 0;
}

static int
load(struct cert_info *in, struct fault *f)
{
	OWN_BUF(text, FILE_LIMIT);

	if (file_read(in->path, &text, f) < 0)
		return -1;
	if (own_cert_is_bundle(in->path))
		return load_bundle(in, &text, f);
	if (cert_list_read_pem(&in->chain, text.data, text.len, f) < 0)
		return fault_wrap(f, "%s", in->path);
	if (in->chain.count == 0)
		return fault_set(f, FAULT_INPUT, "%s holds no certificate",
		    in->path);
	return 0;
}

static int
show(const struct cert_info *in, struct fault *f)
{
	if (in->call->common.json)
		return print_json(in, f);
	if (turns_asked(values, VALUES, in->o))
		return turns_print(values, VALUES, in->o, in, f);
	return in->call->old ? print_all(in, f) : print_summary(in, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct cert_info *in = calloc(1, sizeof(*in));
	int result;

	if (in == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	in->o = options;
	in->call = call;
	result = find(in, f);
	if (result == 0)
		result = load(in, f);
	if (result == 0)
		result = show(in, f);
	if (result < 0 && f->code == FAULT_ABSENT)
		call_hint(call, "Name the file, or set X509_USER_CERT.");
	cert_list_free(&in->chain);
	free(in);
	return result;
}

static void
complain_old(const struct call *call, const struct fault *f)
{
	char says[PLACE_SIZE + 40];

	(void)call;
	if (f->code == FAULT_USAGE)
		old_grid_usage(&old_tool, f);
	else if (f->code == FAULT_ABSENT && strchr(f->text, ' ') == NULL &&
	    text_fmt(says, sizeof(says), "\"%s\" is not a valid filename",
		f->text) == 0)
		old_grid_option(&old_tool, "-file", says);
	else if (f->code == FAULT_ABSENT)
		fputs("Error: Cannot locate certificate\n", stderr);
	else
		fprintf(stderr, "ERROR: Cannot read certificate file: %s\n",
		    f->text);
}

static void
help_old(const struct call *call, FILE *out)
{
	old_grid_help(&old_tool, call, out);
}

static void
version_old(const struct call *call, FILE *out)
{
	fprintf(out, "%s: %s\n", call->name, SIGNET_VERSION);
}

static const struct option_row rows[] = {
#define LETTERS(names)
#define OPTION(...) OPTION_ROW(struct cert_info_options, __VA_ARGS__)
#include "cert_info.def"
#undef OPTION
#undef LETTERS
};

static const struct option_row old_rows[] = {
#define LETTERS(names) names " "
#define OPTION(...) OPTION_ROW(struct cert_info_options, __VA_ARGS__)
#include "cert_info.def"
#undef OPTION
#undef LETTERS
};

const struct command signet_cert_info = {
	.verb = "cert info",
	.summary = "Show a certificate",
	.operands = "[FILE]",
	.operands_max = 1,
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct cert_info_options) },
	.run = run,
};

const struct command grid_cert_info = {
	.old_names = "grid-cert-info",
	.summary = "Show a certificate",
	.operands = "",
	.options = { old_rows, sizeof(old_rows) / sizeof(old_rows[0]),
	    sizeof(struct cert_info_options) },
	.old_style = OPTIONS_SINGLE_DASH,
	.compatible = true,
	.run = run,
	.complain = complain_old,
	.old_help = help_old,
	.old_version = version_old,
};
