#include "signet_verify.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "colour.h"
#include "knock.h"
#include "place.h"
#include "signet_conf.h"
#include "sys/net.h"
#include "trust/verify.h"
#include "verify_told.h"
#include "x509/der.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_LIMIT 1048576
#define PORT 7512

struct verify_options {
#define OPTION(field, names, KIND, ...) OPTION_C_##KIND field;
#include "verify.def"
#undef OPTION
};

struct verify {
	struct call *call;
	const struct verify_options *o;
	struct signet_conf conf;
	char trust_dir[PLACE_SIZE];
	struct trust_store *store;
	struct verify_question q;
	struct fault why; /* FAULT_NONE: accepted */
	json_t *told;
	char host[256];
	uint16_t port;
};

static const struct {
	const char *name;
	unsigned flags;
} purposes[] = { { "client", TRUST_CLIENT }, { "server", TRUST_SERVER },
	{ "ca", TRUST_CA }, { "any", 0 } };

static int
choose_purpose(struct verify *v, const char *fallback, struct fault *f)
{
	const char *name = v->o->purpose != NULL ? v->o->purpose : fallback;

	for (size_t i = 0; i < sizeof(purposes) / sizeof(purposes[0]); i++)
		if (strcmp(name, purposes[i].name) == 0) {
			v->q.purpose = purposes[i].name;
			v->q.flags = purposes[i].flags;
			if (v->o->crl_optional)
				v->q.flags |= TRUST_CRL_OPTIONAL;
			if (v->o->no_signing_policy)
				v->q.flags |= TRUST_NO_SIGNING_POLICY;
			return 0;
		}
	return fault_set(f, FAULT_USAGE,
	    "no such purpose: %s; there are client, server, ca and any", name);
}

/* What timegm() made of a day that its month does not have is another day. */
static bool
same_day(const struct tm *as_written, time_t when)
{
	struct tm tm;

	return gmtime_r(&when, &tm) != NULL &&
	    tm.tm_mday == as_written->tm_mday;
}

static int
choose_time(struct verify *v, struct fault *f)
{
	static const char *const forms[] = { "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d" };
	const char *text = v->o->time;
	int64_t seconds;

	v->q.time = clock_wall();
	if (text == NULL)
		return 0;
	if (text_number(text, 0, INT64_MAX / 2, &seconds) == 0) {
		v->q.time = (time_t)seconds;
		return 0;
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct tm tm = { 0 }, written;
		const char *end = strptime(text, forms[i], &tm);

		if (end == NULL || *end != '\0')
			continue;
		written = tm;
		v->q.time = timegm(&tm);
		if (!same_day(&written, v->q.time))
			break;
		return 0;
	}
	return fault_set(f, FAULT_USAGE,
	    "no time: %s; 2027-01-15T12:00:00Z is one", text);
}

static void
warn(void *arg, const char *file, const struct fault *why)
{
	struct verify *v = arg;

	call_verbose(v->call, "%s/%s: %s", v->trust_dir, file, why->text);
}

static int
load_store(struct verify *v, struct fault *f)
{
	const char *dir = v->o->certdir;

	if (signet_conf_load(&v->conf, f) < 0)
		return -1;
	if (dir == NULL && getenv("X509_CERT_DIR") == NULL &&
	    *v->conf.trust_dir != '\0')
		dir = v->conf.trust_dir;
	if (trust_default_dir(dir, v->trust_dir, sizeof(v->trust_dir), f) < 0)
		return -1;
	/* An empty one is no reason not to say what is missing there. */
	v->store = trust_load(v->trust_dir, true, warn, v, f);
	if (v->store == NULL)
		return -1;
	trust_demand(v->store, signet_conf_trust(&v->conf));
	return 0;
}

static int
judge(struct verify *v, const struct cert_list *chain, struct fault *f)
{
	json_decref(v->told);
	v->told = verify_told(v->store, chain, &v->q, &v->why, f);
	return v->told == NULL ? -1 : 0;
}

/* Whoever names a pipe waits for it: verify <(...), or /dev/stdin. */
static int
read_patiently(const char *path, struct buf *text, struct fault *f)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	int result;

	if (fd < 0)
		return fault_set(f,
		    errno == ENOENT ? FAULT_ABSENT : FAULT_SYSTEM, "%s: %s",
		    path, strerror(errno));
	result = file_read_fd(fd, path, text, f);
	(void)close(fd);
	return result;
}

static int
judge_file(struct verify *v, const char *path, struct fault *f)
{
	struct cert_list chain = { 0 };
	OWN_BUF(text, FILE_LIMIT);
	int result = 0;

	if (choose_purpose(v, "client", f) < 0)
		return -1;
	if (read_patiently(path, &text, f) < 0) {
		if (f->code == FAULT_ABSENT)
			call_hint(v->call, "A server is named HOST:PORT.");
		return -1;
	}
	if (text.len > 0 && text.data[0] == DER_SEQUENCE) {
		chain.cert[0] =
		    cert_read((struct wire_bytes){ text.data, text.len }, f);
		result = chain.cert[0] == NULL ? -1 : 0;
		chain.count = result == 0 ? 1 : 0;
	} else {
		result = cert_list_read_pem(&chain, text.data, text.len, f);
	}
	if (result < 0)
		return fault_wrap(f, "%s", path);
	if (chain.count == 0)
		return fault_set(f, FAULT_INPUT, "%s holds no certificate",
		    path);
	v->q.what = path;
	result = judge(v, &chain, f);
	cert_list_free(&chain);
	return result;
}

/* During the handshake: the certificates are not there later. */
static int
judge_peer(void *arg, const struct cert_list *chain, struct fault *f)
{
	struct verify *v = arg;

	if (chain->count == 0)
		return fault_set(f, FAULT_UNTRUSTED, "it shows no certificate");
	if (judge(v, chain, f) < 0)
		return -1;
	if (v->why.code == FAULT_NONE)
		return 0;
	*f = v->why;
	return -1;
}

static int
judge_host(struct verify *v, const char *where, struct fault *f)
{
	if (choose_purpose(v, "server", f) < 0 ||
	    net_split(where, PORT, v->host, sizeof(v->host), &v->port, f) < 0)
		return -1;
	v->q.what = where;
	v->q.host = v->host;
	if (knock(v->host, v->port, (int)v->conf.connect_timeout * 1000,
		judge_peer, v, f) < 0 &&
	    v->told == NULL)
		return fault_wrap(f, "%s", where);
	return 0;
}

/* "host:port", and no file that is there. */
static bool
is_host(const char *what)
{
	const char *colon = strrchr(what, ':');

	return colon != NULL && colon[1] != '\0' &&
	    colon[1 + strspn(colon + 1, "0123456789")] == '\0' &&
	    strchr(what, '/') == NULL && access(what, F_OK) < 0;
}

/* The verdict is the answer; that it is a refusal is told by the status. */
static int
answer(struct verify *v, struct fault *f)
{
	if (v->call->common.json) {
		(void)json_dumpf(v->told, stdout, JSON_COMPACT);
		fputc('\n', stdout);
		v->call->exit_status = fault_exit_status(v->why.code);
		return 0;
	}
	if (!v->call->common.quiet)
		verify_print(v->told,
		    colour_on_stdout(v->call->common.no_color));
	if (v->why.code == FAULT_NONE)
		return 0;
	if (v->why.code == FAULT_EXPIRED)
		call_hint(v->call, "If it is yours, run: signet login");
	*f = v->why;
	return -1;
}

static int
look(struct verify *v, struct fault *f)
{
	const char *what =
	    v->call->operand_count > 0 ? v->call->operand[0] : NULL;

	if (what == NULL)
		return fault_set(f, FAULT_USAGE,
		    "name a file with certificates, or HOST:PORT");
	if (choose_time(v, f) < 0 || load_store(v, f) < 0)
		return -1;
	if ((is_host(what) ? judge_host : judge_file)(v, what, f) < 0)
		return -1;
	return answer(v, f);
}

static int
run(struct call *call, const void *options, struct fault *f)
{
	struct verify *v = calloc(1, sizeof(*v));
	int result;

	if (v == NULL)
		return fault_set(f, FAULT_MEMORY, "out of memory");
	v->call = call;
	v->o = options;
	result = look(v, f);
	json_decref(v->told);
	trust_free(v->store);
	free(v);
	return result;
}

static const struct option_row rows[] = {
#define OPTION(...) OPTION_ROW(struct verify_options, __VA_ARGS__)
#include "verify.def"
#undef OPTION
};

const struct command signet_verify = {
	.verb = "verify",
	.summary = "Say who a certificate or a server is, and why, or why not",
	.operands = "FILE|HOST:PORT",
	.operands_max = 1,
	.options = { rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(struct verify_options) },
	.run = run,
};
