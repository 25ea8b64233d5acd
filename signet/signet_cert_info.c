#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "credential_json.h"
#include "own_cert.h"
#include "place.h"
#include "signet_cert.h"
#include "trust/store.h"
#include "x509/cert_text.h"
#include "x509/proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FILE_LIMIT 1048576

struct cert_info_options {
#define LETTERS(names) names " "
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "cert_info.def"
#undef OPTION
#undef LETTERS
};

struct cert_info {
	const struct cert_info_options *o;
	char path[PLACE_SIZE];
	struct cert_list chain;
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

static int
print_name(const char *label, const struct dn *dn, bool rfc2253,
    struct fault *f)
{
	char text[DN_TEXT_MAX];

	if ((rfc2253 ? dn_show_rfc2253(dn, text, sizeof(text))
		     : dn_show_slash(dn, text, sizeof(text))) < 0)
		return fault_set(f, FAULT_INPUT, "a name is too long to show");
	printf("%s%s\n", label, text);
	return 0;
}

static bool
asks_for_values(const struct cert_info_options *o)
{
	return o->subject || o->issuer || o->issuerhash || o->startdate ||
	    o->enddate;
}

static int
print_values(const struct cert_info *in, struct fault *f)
{
	const struct cert_info_options *o = in->o;
	const struct cert *cert = in->chain.cert[0];
	char hash[9];

	if (o->subject && print_name("", &cert->subject, o->rfc2253, f) < 0)
		return -1;
	if (o->issuer && print_name("", &cert->issuer, o->rfc2253, f) < 0)
		return -1;
	if (o->issuerhash) {
		if (dn_hash(&cert->issuer, hash, f) < 0)
			return -1;
		puts(hash);
	}
	if (o->startdate)
		print_date("", cert->not_before);
	if (o->enddate)
		print_date("", cert->not_after);
	return 0;
}

static int
print_summary(const struct cert_info *in, struct fault *f)
{
	const struct cert *cert = in->chain.cert[0];
	char serial[CERT_SERIAL_TEXT];

	cert_serial_text(cert, serial);
	if (print_name("subject : ", &cert->subject, in->o->rfc2253, f) < 0 ||
	    print_name("issuer  : ", &cert->issuer, in->o->rfc2253, f) < 0)
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
	object = credential_json(in->path, &c, store, clock_wall(), f);
	if (object == NULL)
		return -1;
	(void)json_dumpf(object, stdout, JSON_COMPACT);
	fputc('\n', stdout);
	json_decref(object);
	return 0;
}

static int
find(const struct call *call, struct cert_info *in, struct fault *f)
{
	const char *path = in->o->file;

	if (path == NULL && call->operand_count > 0)
		path = call->operand[0];
	if (path == NULL)
		path = getenv("X509_USER_CERT");
	if (path == NULL || *path == '\0')
		return own_cert_place("usercert.pem", in->path, f);
	if (text_copy(in->path, sizeof(in->path), path) < 0)
		return fault_set(f, FAULT_INPUT, "path too long");
	return 0;
}

static int
load(struct cert_info *in, struct fault *f)
{
	OWN_BUF(pem, FILE_LIMIT);

	if (file_read(in->path, &pem, f) < 0)
		return -1;
	if (cert_list_read_pem(&in->chain, pem.data, pem.len, f) < 0)
		return fault_wrap(f, "%s", in->path);
	if (in->chain.count == 0)
		return fault_set(f, FAULT_INPUT, "%s holds no certificate",
		    in->path);
	return 0;
}

static int
show(const struct call *call, const struct cert_info *in, struct fault *f)
{
	if (call->common.json)
		return print_json(in, f);
	if (in->o->all || (call->old && !asks_for_values(in->o)))
		return cert_text(in->chain.cert[0], stdout, f);
	if (asks_for_values(in->o))
		return print_values(in, f);
	return print_summary(in, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct cert_info *in = calloc(1, sizeof(*in));
	int result;

	if (in == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	in->o = options;
	result = find(call, in, f);
	if (result == 0)
		result = load(in, f);
	if (result == 0)
		result = show(call, in, f);
	if (result < 0 && f->code == FAULT_ABSENT)
		call_hint(call, "Name the file, or set X509_USER_CERT.");
	cert_list_free(&in->chain);
	free(in);
	return result;
}

static void
complain_old(const struct call *call, const struct fault *f)
{
	size_t len = strcspn(f->text, ":");

	(void)call;
	if (f->code == FAULT_ABSENT)
		fprintf(stderr,
		    "\nERROR: option -file : \"%.*s\" is not a valid "
		    "filename\n",
		    (int)len, f->text);
	else
		fprintf(stderr, "\nERROR: %s\n", f->text);
	fputs("\nSyntax : grid-cert-info [-help] [-file certfile] [-all] "
	      "[-subject] [...]\n\nUse -help to display full usage.\n\n",
	    stderr);
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
};
