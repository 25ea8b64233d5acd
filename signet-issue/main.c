/*
 * signet-issue: the call-out of a MyProxy server beside signetd.  It passes on
 * who asks, for how long, and the certificate request; not the pass phrase.
 * See signet-issue(8).
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/secret.h"
#include "base/text.h"
#include "deliver.h"
#include "issue_conf.h"
#include "server_ask.h"
#include "x509/pem.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: signet-issue [--conf FILE]\n"
    "\n"
    "A MyProxy server starts this as its certificate_issuer_program, without\n"
    "arguments: key=value lines, an empty line and a certificate request in "
    "PEM\n"
    "on standard input, the certificate on standard output.\n"
    "\n"
    "      --conf FILE   settings; $SIGNET_ISSUE_CONF or\n"
    "                    /etc/signet/issue.conf if not given\n"
    "  -h, --help        this text\n"
    "  -V, --version     the version\n"
    "\n"
    "See signet-issue(8).\n";

static const struct option options[] = {
	{ "conf", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, 'V' },
	/* For the manual page and the shell, when they are built. */
	{ "man-settings", no_argument, NULL, 'M' },
	{ "completion", no_argument, NULL, 'B' },
	{ NULL, 0, NULL, 0 },
};

/* For bash: the options that people give, which are those before --man-. */
static void
complete(FILE *out)
{
	fputs("complete -o default -W '", out);
	for (size_t i = 0; options[i].val != 'M'; i++)
		fprintf(out, "%s--%s", i > 0 ? " " : "", options[i].name);
	fputs("' signet-issue\n", out);
}

static void
print(int option)
{
	if (option == 'h')
		fputs(usage, stdout);
	else if (option == 'V')
		printf("signet-issue %s\n", SIGNET_VERSION);
	else if (option == 'M')
		conf_man(&issue_schema, stdout);
	else
		complete(stdout);
}

/* 0, or -1 and a fault, or 1 if all is said and done. */
static int
read_options(int argc, char **argv, const char **conf, struct fault *f)
{
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":hV", options, NULL)) != -1) {
		if (option == ':')
			return fault_set(f, FAULT_USAGE, "%s needs a value",
			    argv[optind - 1]);
		/* Of several letters in one word only the one is known. */
		if (option == '?' && optopt != 0 &&
		    strchr("chVMB", optopt) == NULL)
			return fault_set(f, FAULT_USAGE, "unknown option -%c",
			    optopt);
		if (option == '?')
			return fault_set(f, FAULT_USAGE, "%s %s",
			    optopt != 0 ? "no value goes with"
					: "unknown option",
			    argv[optind - 1]);
		if (option != 'c') {
			print(option);
			return 1;
		}
		*conf = optarg;
	}
	if (optind < argc)
		return fault_set(f, FAULT_USAGE, "\"%s\" is one word too many",
		    argv[optind]);
	return 0;
}

/* A pass phrase comes by: no core dump, no debugger of the server's account. */
static void
hide(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)signal(SIGPIPE, SIG_IGN);
}

/* All of standard input: a server that is not read from would wait for ever. */
static int
read_input(struct secret *input, struct fault *f)
{
	size_t len = 0;
	ssize_t got;

	while (len < secret_size(input)) {
		got = read(STDIN_FILENO, secret_data(input) + len,
		    secret_size(input) - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return fault_set(f, FAULT_SYSTEM, "standard input: %s",
			    strerror(errno));
		if (got == 0)
			break;
		len += (size_t)got;
	}
	secret_set_len(input, len);
	if (len < secret_size(input))
		return 0;
	return fault_set(f, FAULT_INPUT, "what the server says is too long");
}

/* Read what the server asks, and write what is passed on. */
static int
make_request(struct buf *request, struct fault *f)
{
	OWN_STRUCT(secret) input = secret_new(SERVER_ASK_MAX, f);
	struct callout_request r = { 0 };
	struct server_ask ask;

	if (input == NULL || read_input(input, f) < 0)
		return -1;
	if (server_ask_read(&ask, secret_data(input), secret_len(input), f) ==
	    0) {
		memcpy(r.username, ask.username, sizeof(r.username));
		memcpy(r.profile, ask.profile, sizeof(r.profile));
		r.lifetime = ask.lifetime;
		r.csr = (struct wire_bytes){ ask.csr.data, ask.csr.len };
		callout_request_write(&r, request);
	}
	buf_free(&ask.csr);
	if (f->code != FAULT_NONE)
		return -1;
	return request->failed ? fault_set(f, FAULT_MEMORY, "request") : 0;
}

/* What a refusal says is for the log of the server: the sentence of the fault,
 * and the number under which signetd's log has the reason. */
static int
judge(const struct callout_answer *answer, struct fault *f)
{
	const enum fault_code code = (enum fault_code)answer->fault;

	if (code == FAULT_NONE)
		return 0;
	if (*answer->ref == '\0')
		return fault_set(f, code, "%s", fault_sentence(code));
	return fault_set(f, code, "%s (reference %s)", fault_sentence(code),
	    answer->ref);
}

/* The server takes the first certificate and adds what is above it itself
 * (certificate_issuer_subca_certfile). */
static int
hand_over(const struct callout_answer *answer, struct fault *f)
{
	OWN_BUF(pem, (size_t)2 * CALLOUT_CERTIFICATE_MAX);

	pem_put(&pem, "CERTIFICATE", answer->certificate);
	if (pem.failed)
		return fault_set(f, FAULT_MEMORY, "certificate");
	return file_write_all(STDOUT_FILENO, pem.data, pem.len, f);
}

static int
serve(const char *conf_path, struct fault *f)
{
	struct issue_conf conf;
	struct callout_answer answer;
	OWN_BUF(request, CALLOUT_REQUEST_MAX);
	OWN_BUF(bytes, (size_t)2 * CALLOUT_ANSWER_MAX);

	/* Input first: whatever is wrong, the server must get rid of it. */
	if (make_request(&request, f) < 0 ||
	    issue_conf_load(&conf, conf_path, f) < 0 ||
	    deliver(&conf, &request, &bytes, f) < 0 ||
	    callout_answer_read(&answer, bytes.data, bytes.len, f) < 0 ||
	    judge(&answer, f) < 0)
		return -1;
	return hand_over(&answer, f);
}

/* The exit status, when it is said what went wrong. */
static int
complain(struct fault *f)
{
	text_clean(f->text);
	fprintf(stderr, "signet-issue: %s\n", f->text);
	if (f->code == FAULT_USAGE)
		fputs("Try: signet-issue --help\n", stderr);
	return fault_exit_status(f->code);
}

int
main(int argc, char **argv)
{
	const char *conf = NULL;
	struct fault f = { 0 };
	int result = read_options(argc, argv, &conf, &f);

	if (result < 0)
		return complain(&f);
	if (result > 0 && fflush(stdout) == 0)
		return 0;
	if (result > 0)
		return fault_exit_status(FAULT_SYSTEM);
	hide();
	return serve(conf, &f) == 0 ? 0 : complain(&f);
}
