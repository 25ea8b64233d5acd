#include "myproxy/myproxy_client.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/text.h"
#include "myproxy/myproxy_bootstrap.h"
#include "myproxy/myproxy_link.h"
#include "myproxy/myproxy_prove.h"
#include "myproxy/trustroots.h"
#include "sys/net.h"
#include "trust/verify.h"
#include "x509/csr.h"

#include <string.h>

#define SERVERS_MAX 16
#define SUBJECT "/CN=signet"
#define LAST_MS 5000 /* for what comes after all that is needed */

/* One errand to one server after another. */
struct errand {
	const struct myproxy_wish *wish;
	struct myproxy_result *result;
	struct trust_store *store;
	const char *host;
	uint16_t port;
	bool judged;	  /* the server's certificates were found good */
	bool is_stranger; /* -b: we know no authority of this server */
};

static void
say(const struct myproxy_wish *wish, const char *line)
{
	if (wish->say != NULL)
		wish->say(wish->say_arg, line);
}

static void
tell(void *arg, const char *line)
{
	const struct errand *e = arg;

	say(e->wish, line);
}

static const char *
install_dir(const struct myproxy_wish *wish)
{
	return wish->install_dir != NULL ? wish->install_dir : wish->trust_dir;
}

static int
load_trust(struct errand *e, const char *dir, struct fault *f)
{
	trust_free(e->store);
	e->store = trust_load(dir, e->wish->bootstrap, NULL, NULL, f);
	if (e->store == NULL)
		return -1;
	trust_demand(e->store, e->wish->demands);
	return 0;
}

/* MYPROXY_SERVER_DN stands for the check of the name. */
static int
check_identity(const struct errand *e, const struct trust_verdict *verdict,
    const struct cert *leaf, struct fault *f)
{
	const char *wanted = e->wish->server_dn;
	char name[DN_TEXT_MAX];

	if (dn_show_slash(&verdict->identity, name, sizeof(name)) < 0)
		return fault_set(f, FAULT_UNTRUSTED, "server name too long");
	if (wanted != NULL) {
		if (strcmp(name, wanted) == 0)
			return 0;
		return fault_set(f, FAULT_UNTRUSTED, "the server is %s, not %s",
		    name, wanted);
	}
	if (trust_check_host(leaf, e->host, f) < 0)
		return fault_wrap(f, "the server is %s", name);
	return 0;
}

static int
judge(void *arg, const struct cert_list *chain, struct fault *f)
{
	struct errand *e = arg;
	struct trust_verdict verdict;

	if (chain->count == 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the server shows no certificate");
	if (e->wish->bootstrap && !myproxy_bootstrap_known(e->store, chain)) {
		e->is_stranger = true;
		return myproxy_bootstrap_check(chain, e->host,
		    e->wish->server_dn, clock_wall(), f);
	}
	/* A server certificate past its end is a server not to be trusted; the
	 * person's own has not expired. */
	if (trust_verify(e->store, chain, clock_wall(), TRUST_SERVER, &verdict,
		f) < 0) {
		f->code = FAULT_UNTRUSTED;
		return -1;
	}
	if (check_identity(e, &verdict, chain->cert[0], f) < 0)
		return -1;
	e->judged = true;
	return 0;
}

/* Meet the server once without belief, and install what it shows. */
static int
bootstrap(struct errand *e, struct myproxy_link *link, struct fault *f)
{
	struct cert_list chain = { .count = 0 };
	int result;

	if (tls_peer_chain(link->tls, &chain, f) < 0)
		return -1;
	say(e->wish, "Bootstrapping MyProxy server root of trust.");
	result = myproxy_bootstrap_install(&chain, install_dir(e->wish),
	    e->host, tell, e, f);
	cert_list_free(&chain);
	if (result < 0)
		return fault_wrap(f, "%s", install_dir(e->wish));
	return load_trust(e, install_dir(e->wish), f);
}

/* Connected to a server that is believed, or -1. */
static int
meet(struct errand *e, const struct credential *credential,
    struct myproxy_link *link, struct fault *f)
{
	e->judged = false;
	e->is_stranger = false;
	if (myproxy_link_open(link, e->host, e->port, e->wish->timeout_ms,
		credential, judge, e, f) < 0)
		return -1;
	if (e->is_stranger) {
		if (bootstrap(e, link, f) < 0)
			return -1;
		myproxy_link_close(link);
		e->is_stranger = false;
		if (myproxy_link_open(link, e->host, e->port,
			e->wish->timeout_ms, credential, judge, e, f) < 0)
			return -1;
	}
	/* A peer that was never judged is anonymous, or a stranger still. */
	if (!e->judged)
		return fault_set(f, FAULT_UNTRUSTED,
		    "%s has not shown who it is", e->host);
	return 0;
}

static int
fill_request(const struct myproxy_wish *wish, enum myproxy_command command,
    const struct secret *phrase, struct myproxy_request *request,
    struct fault *f)
{
	memset(request, 0, sizeof(*request));
	request->command = command;
	request->lifetime = wish->lifetime;
	request->trusted_certs = wish->want_trustroots || wish->bootstrap;
	if (wish->username != NULL &&
	    text_copy(request->username, sizeof(request->username),
		wish->username) < 0)
		return fault_set(f, FAULT_USAGE, "the user name is too long");
	if (wish->cred_name != NULL &&
	    text_copy(request->cred_name, sizeof(request->cred_name),
		wish->cred_name) < 0)
		return fault_set(f, FAULT_USAGE,
		    "the credential name is too long");
	if (phrase != NULL &&
	    text_copy(request->passphrase, sizeof(request->passphrase),
		secret_text(phrase)) < 0)
		return fault_set(f, FAULT_USAGE, "the pass phrase is too long");
	return 0;
}

static int
send_request(struct myproxy_link *link, const struct myproxy_wish *wish,
    enum myproxy_command command, const struct secret *phrase, struct fault *f)
{
	OWN_BUF(out, MYPROXY_REQUEST_MAX);
	struct myproxy_request request;
	int result = fill_request(wish, command, phrase, &request, f);

	if (result == 0)
		result = myproxy_request_write(&request, &out, f);
	myproxy_request_wipe(&request);
	if (result < 0 || myproxy_link_flag(link, f) < 0)
		return -1;
	return myproxy_link_send(link, &out, f);
}

static void
tell_left_out(void *arg, const char *name, const struct fault *why)
{
	const struct errand *e = arg;
	char line[512];

	(void)snprintf(line, sizeof(line), "The server's %s was left out: %s",
	    name, why->text);
	say(e->wish, line);
}

/* The trust roots that came in an OK.  What this server handed out before, and
 * does no more, goes. */
static int
install_trustroots(struct errand *e, const struct buf *lines, struct fault *f)
{
	const char *dir = install_dir(e->wish);
	char by[sizeof("trustroots:") + 64];
	char stopgap[sizeof("bootstrap:") + 64];
	const struct root_install how = {
		.by = by, .stopgap = stopgap, .note = tell_left_out, .arg = e
	};

	/* As long as house.h lets them be. */
	(void)snprintf(by, sizeof(by), "trustroots:%.64s", e->host);
	(void)snprintf(stopgap, sizeof(stopgap), "bootstrap:%.64s", e->host);
	if (lines->len == 0)
		return 0;
	if (trustroots_install((const char *)lines->data, lines->len, dir, &how,
		&e->result->trustroots, f) < 0)
		return fault_wrap(f, "trust roots");
	return text_copy(e->result->install_dir, sizeof(e->result->install_dir),
		   dir) < 0
	    ? fault_set(f, FAULT_SYSTEM, "directory name too long")
	    : 0;
}

static int
write_csr(const struct myproxy_wish *wish, struct buf *out, struct fault *f)
{
	struct dn subject;

	if (wish->key == NULL) {
		buf_put(out, wish->csr.data, wish->csr.len);
		return 0;
	}
	if (dn_read_slash(&subject, SUBJECT, f) < 0)
		return -1;
	return csr_write(&subject, wish->key, (struct wire_bytes){ NULL, 0 },
	    out, f);
}

/* A certificate for another key would be of no use, and a sign of mischief. */
static int
check_key(const struct cert *leaf, const struct buf *csr, struct fault *f)
{
	struct csr ours;

	if (csr_read(&ours, (struct wire_bytes){ csr->data, csr->len }, f) < 0)
		return fault_wrap(f, "the certificate request");
	if (ours.spki.der.len != leaf->spki.der.len ||
	    memcmp(ours.spki.der.data, leaf->spki.der.data,
		ours.spki.der.len) != 0)
		return fault_set(f, FAULT_UNTRUSTED,
		    "the server certified another key than ours");
	return 0;
}

/*
 * The certificate, and the OK behind it.  Some servers close without that OK,
 * and the certificate counts; one that sends an error there takes it back.
 */
static int
fetch(struct myproxy_link *link, const struct myproxy_wish *wish,
    struct cert_list *chain, struct fault *f)
{
	OWN_BUF(csr, CSR_MAX);
	struct myproxy_response last;
	struct fault end = { .code = FAULT_NONE };

	if (write_csr(wish, &csr, f) < 0 ||
	    myproxy_link_send(link, &csr, f) < 0)
		return -1;
	if (myproxy_link_chain(link, chain, f) < 0)
		return -1;
	link->patience = LAST_MS;
	if (myproxy_link_answer(link, &last, &end) < 0 &&
	    last.answer == MYPROXY_ERROR) {
		myproxy_response_clear(&last);
		*f = end;
		return -1;
	}
	myproxy_response_clear(&last);
	return check_key(chain->cert[0], &csr, f);
}

/* GET on a connection that stands. */
static int
converse(struct errand *e, struct myproxy_link *link,
    const struct secret *phrase, struct fault *f)
{
	struct myproxy_response response;
	int result;

	if (send_request(link, e->wish, MYPROXY_GET, phrase, f) < 0)
		return -1;
	result = myproxy_link_answer(link, &response, f);
	if (result == 0)
		result = myproxy_prove(link, e->wish, phrase, &response, f);
	if (result == 0 && (e->wish->want_trustroots || e->wish->bootstrap))
		result = install_trustroots(e, &response.rest, f);
	myproxy_response_clear(&response);
	if (result < 0 || e->wish->authenticate_only)
		return result;
	result = fetch(link, e->wish, &e->result->chain, f);
	if (result < 0)
		cert_list_free(&e->result->chain);
	return result;
}

static int
ask(const struct errand *e, struct secret **phrase, struct fault *f)
{
	const struct myproxy_wish *wish = e->wish;

	if (wish->ask == NULL || *phrase != NULL)
		return 0;
	*phrase = wish->ask(wish->ask_arg, e->host, f);
	return *phrase == NULL ? -1 : 0;
}

typedef int talk_fn(struct errand *e, const struct credential *credential,
    struct secret **phrase, bool *answered, struct fault *f);

/* Close ${link}; what the server said, if it refused, is kept. */
static int
part(const struct errand *e, struct myproxy_link *link, int result)
{
	memcpy(e->result->words, link->words, sizeof(link->words));
	myproxy_link_close(link);
	return result;
}

static int
talk_logon(struct errand *e, const struct credential *credential,
    struct secret **phrase, bool *answered, struct fault *f)
{
	struct myproxy_link link;
	int result = meet(e, credential, &link, f);

	*answered = false;
	/* A person who gives no pass phrase ends the errand. */
	if (result == 0 && (result = ask(e, phrase, f)) < 0)
		*answered = true;
	if (result == 0) {
		result = converse(e, &link, *phrase, f);
		*answered = link.answered;
	}
	return part(e, &link, result);
}

static int
talk_trustroots(struct errand *e, const struct credential *credential,
    struct secret **phrase, bool *answered, struct fault *f)
{
	struct myproxy_response response;
	struct myproxy_link link;
	int result = meet(e, credential, &link, f);

	(void)phrase;
	*answered = false;
	if (result == 0)
		result = send_request(&link, e->wish, MYPROXY_GET_TRUSTROOTS,
		    NULL, f);
	if (result == 0) {
		result = myproxy_link_answer(&link, &response, f);
		if (result == 0)
			result = install_trustroots(e, &response.rest, f);
		myproxy_response_clear(&response);
		*answered = link.answered;
	}
	return part(e, &link, result);
}

/*
 * One server: with the credential that the person holds, and anonymously if
 * the server turns that down (or drops the connection over it).
 */
static int
try_server(struct errand *e, talk_fn *talk, bool *answered, struct fault *f)
{
	OWN_STRUCT(secret) phrase = NULL;
	const struct credential *credential = e->wish->credential;
	int result = talk(e, credential, &phrase, answered, f);

	if (result == 0 || credential == NULL || *answered || !e->judged)
		return result;
	return talk(e, NULL, &phrase, answered, f);
}

/* Whether the next server may do better. */
static bool
may_go_on(const struct fault *f, bool answered)
{
	return f->code == FAULT_BUSY || f->code == FAULT_UNREACHABLE ||
	    (!answered && f->code == FAULT_UNTRUSTED);
}

/* The next of "host1:port1,host2": 1, or 0 at the end. */
static int
next_server(const char **at, char *where, size_t size, struct fault *f)
{
	size_t len;

	*at += strspn(*at, ", ");
	len = strcspn(*at, ", ");
	if (len == 0)
		return 0;
	if (text_fmt(where, size, "%.*s", (int)len, *at) < 0)
		return fault_set(f, FAULT_USAGE, "a server's name is too long");
	*at += len;
	return 1;
}

static int
note_server(const struct errand *e, struct fault *f)
{
	if (text_copy(e->result->server, sizeof(e->result->server), e->host) <
	    0)
		return fault_set(f, FAULT_USAGE, "a server's name is too long");
	return 0;
}

static int
try_all(struct errand *e, talk_fn *talk, struct fault *f)
{
	char host[256];
	char where[280];
	const char *at = e->wish->servers;
	struct fault previous;
	size_t tried = 0;

	while (at != NULL && tried < SERVERS_MAX) {
		bool answered = false;
		int more;

		if (tried > 0)
			previous = *f;
		if ((more = next_server(&at, where, sizeof(where), f)) < 0)
			return -1;
		if (more == 0)
			break;
		if (tried++ > 0)
			say(e->wish, previous.text);
		if (net_split(where, e->wish->port, host, sizeof(host),
			&e->port, f) < 0)
			return -1;
		e->host = host;
		if (try_server(e, talk, &answered, f) == 0)
			return note_server(e, f);
		if (!may_go_on(f, answered))
			return -1;
	}
	if (tried == 0)
		return fault_set(f, FAULT_USAGE, "no server is named");
	return -1;
}

static int
run(const struct myproxy_wish *wish, struct myproxy_result *result,
    talk_fn *talk, struct fault *f)
{
	struct errand e = { .wish = wish, .result = result };
	int done;

	memset(result, 0, sizeof(*result));
	if (load_trust(&e, wish->trust_dir, f) < 0)
		return -1;
	done = try_all(&e, talk, f);
	trust_free(e.store);
	return done;
}

int
myproxy_logon(const struct myproxy_wish *wish, struct myproxy_result *result,
    struct fault *f)
{
	return run(wish, result, talk_logon, f);
}

int
myproxy_trustroots(const struct myproxy_wish *wish,
    struct myproxy_result *result, struct fault *f)
{
	return run(wish, result, talk_trustroots, f);
}

void
myproxy_result_clear(struct myproxy_result *result)
{
	cert_list_free(&result->chain);
	memset(result, 0, sizeof(*result));
}
