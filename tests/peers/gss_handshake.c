/*
 * A stock GSI peer: both ends of a GSS handshake made with the Grid Community
 * Toolkit's own libraries over a socket pair, each end in its own process.
 *
 *   gss_handshake -c HOSTCERT -k HOSTKEY [-p PROXY] [-d CERTDIR] [-t TARGET]
 *       [-D] [-s]
 *
 * The acceptor holds the host credential, the initiator PROXY (default
 * X509_USER_PROXY).  -D delegates and names the file that the acceptor got;
 * -s is a server that refuses limited proxies, as job services do; TARGET is
 * the name the initiator insists on, "host@a.org".
 *
 * Success prints `peer=/DC=...`, `limited=yes|no` and `server=/DC=...`, exit
 * 0.  A refusal prints the Toolkit's own reason on standard error, exit 1.
 */
#include <gssapi.h>

#include <sys/socket.h>
#include <sys/wait.h>

#include <globus_gss_assist.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE 30 /* seconds, for all of it */
#define GREETING "granted"

struct wish {
	const char *cert;
	const char *key;
	const char *proxy;
	const char *dir;
	const char *target;
	bool delegate;
	bool strict;
};

static int
refuse(const char *end, OM_uint32 major, OM_uint32 minor, int token)
{
	char *text = NULL;
	char comment[64];

	(void)snprintf(comment, sizeof(comment), "%s", end);
	(void)globus_gss_assist_display_status_str(&text, comment, major, minor,
	    token);
	fprintf(stderr, "%s\n", text != NULL ? text : "no reason given");
	free(text);
	return 1;
}

static void
set_or_unset(const char *name, const char *value)
{
	if (value != NULL)
		(void)setenv(name, value, 1);
	else
		(void)unsetenv(name);
}

/* The file that a delegated credential was written to. */
static int
show_delegated(gss_cred_id_t cred)
{
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	if (cred == GSS_C_NO_CREDENTIAL) {
		fprintf(stderr, "nothing was delegated\n");
		return 1;
	}
	major = gss_export_cred(&minor, cred, GSS_C_NO_OID, 1, &text);
	if (major != GSS_S_COMPLETE)
		return refuse("export", major, minor, 0);
	printf("delegated=%.*s\n", (int)text.length, (const char *)text.value);
	(void)gss_release_buffer(&minor, &text);
	(void)gss_release_cred(&minor, &cred);
	return 0;
}

static int
greet(FILE *peer, gss_ctx_id_t context)
{
	char greeting[] = GREETING;
	OM_uint32 major, minor;
	int token = 0;

	major = globus_gss_assist_wrap_send(&minor, context, greeting,
	    sizeof(greeting), &token, globus_gss_assist_token_send_fd, peer,
	    stderr);
	return major == GSS_S_COMPLETE ? 0
				       : refuse("wrap", major, minor, token);
}

static int
acceptor(FILE *peer, const struct wish *wish)
{
	gss_ctx_id_t context = GSS_C_NO_CONTEXT;
	gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
	gss_cred_id_t delegated = GSS_C_NO_CREDENTIAL;
	OM_uint32 flags =
	    wish->strict ? GSS_C_GLOBUS_DONT_ACCEPT_LIMITED_PROXY_FLAG : 0;
	OM_uint32 major, minor;
	char *name = NULL;
	int token = 0;
	int to_user = 0;

	(void)unsetenv("X509_USER_PROXY");
	set_or_unset("X509_USER_CERT", wish->cert);
	set_or_unset("X509_USER_KEY", wish->key);
	major = globus_gss_assist_acquire_cred(&minor, GSS_C_ACCEPT, &cred);
	if (major != GSS_S_COMPLETE)
		return refuse("acceptor's credential", major, minor, 0);
	major = globus_gss_assist_accept_sec_context(&minor, &context, cred,
	    &name, &flags, &to_user, &token, &delegated,
	    globus_gss_assist_token_get_fd, peer,
	    globus_gss_assist_token_send_fd, peer);
	if (major != GSS_S_COMPLETE)
		return refuse("acceptor", major, minor, token);
	printf("peer=%s\nlimited=%s\n", name,
	    (flags & GSS_C_GLOBUS_RECEIVED_LIMITED_PROXY_FLAG) != 0 ? "yes"
								    : "no");
	free(name);
	if (greet(peer, context) != 0)
		return 1;
	return wish->delegate ? show_delegated(delegated) : 0;
}

static int
show_server(gss_ctx_id_t context)
{
	gss_name_t name = GSS_C_NO_NAME;
	gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
	OM_uint32 major, minor;

	major = gss_inquire_context(&minor, context, NULL, &name, NULL, NULL,
	    NULL, NULL, NULL);
	if (major == GSS_S_COMPLETE)
		major = gss_display_name(&minor, name, &text, NULL);
	if (major != GSS_S_COMPLETE)
		return refuse("server's name", major, minor, 0);
	printf("server=%.*s\n", (int)text.length, (const char *)text.value);
	(void)gss_release_buffer(&minor, &text);
	(void)gss_release_name(&minor, &name);
	return 0;
}

/* With TLS 1.3 a server's refusal arrives after the handshake, in place of
 * the greeting. */
static int
await_greeting(FILE *peer, gss_ctx_id_t context)
{
	OM_uint32 major, minor;
	char *data = NULL;
	size_t len = 0;
	int token = 0;
	bool same;

	major = globus_gss_assist_get_unwrap(&minor, context, &data, &len,
	    &token, globus_gss_assist_token_get_fd, peer, NULL);
	if (major != GSS_S_COMPLETE)
		return refuse("greeting", major, minor, token);
	same = len == sizeof(GREETING) && memcmp(data, GREETING, len) == 0;
	free(data);
	if (!same)
		fprintf(stderr, "the greeting was altered\n");
	return same ? 0 : 1;
}

static int
initiator(FILE *peer, const struct wish *wish)
{
	gss_ctx_id_t context = GSS_C_NO_CONTEXT;
	gss_cred_id_t cred = GSS_C_NO_CREDENTIAL;
	OM_uint32 wanted = GSS_C_MUTUAL_FLAG | GSS_C_CONF_FLAG;
	OM_uint32 major, minor, flags = 0;
	char target[256];
	int token = 0;

	if (wish->proxy != NULL)
		set_or_unset("X509_USER_PROXY", wish->proxy);
	if (wish->delegate)
		wanted |= GSS_C_DELEG_FLAG;
	(void)snprintf(target, sizeof(target), "%s",
	    wish->target != NULL ? wish->target : "GSI-NO-TARGET");
	major = globus_gss_assist_acquire_cred(&minor, GSS_C_INITIATE, &cred);
	if (major != GSS_S_COMPLETE)
		return refuse("initiator's credential", major, minor, 0);
	major = globus_gss_assist_init_sec_context(&minor, cred, &context,
	    target, wanted, &flags, &token, globus_gss_assist_token_get_fd,
	    peer, globus_gss_assist_token_send_fd, peer);
	if (major != GSS_S_COMPLETE)
		return refuse("initiator", major, minor, token);
	if (show_server(context) != 0)
		return 1;
	return await_greeting(peer, context);
}

static int
run_end(int fd, int other, const struct wish *wish,
    int (*end)(FILE *, const struct wish *))
{
	FILE *peer = fdopen(fd, "r+b");
	int status;

	(void)close(other);
	if (peer == NULL)
		return 1;
	(void)setvbuf(peer, NULL, _IONBF, 0);
	(void)globus_module_activate(GLOBUS_GSI_GSS_ASSIST_MODULE);
	status = end(peer, wish);
	(void)fflush(stdout);
	(void)fclose(peer);
	return status;
}

static int
read_options(int argc, char **argv, struct wish *wish)
{
	int c;

	while ((c = getopt(argc, argv, "c:k:p:d:t:Ds")) != -1) {
		switch (c) {
		case 'c':
			wish->cert = optarg;
			break;
		case 'k':
			wish->key = optarg;
			break;
		case 'p':
			wish->proxy = optarg;
			break;
		case 'd':
			wish->dir = optarg;
			break;
		case 't':
			wish->target = optarg;
			break;
		case 'D':
			wish->delegate = true;
			break;
		case 's':
			wish->strict = true;
			break;
		default:
			return -1;
		}
	}
	return wish->cert != NULL && wish->key != NULL && optind == argc ? 0
									 : -1;
}

int
main(int argc, char **argv)
{
	struct wish wish = { 0 };
	int pair[2];
	int ours, theirs = 1;
	pid_t pid;

	if (read_options(argc, argv, &wish) < 0) {
		fprintf(stderr,
		    "usage: gss_handshake -c CERT -k KEY "
		    "[-p PROXY] [-d DIR] [-t TARGET] [-D] [-s]\n");
		return 2;
	}
	if (wish.dir != NULL)
		set_or_unset("X509_CERT_DIR", wish.dir);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0 ||
	    (pid = fork()) < 0) {
		perror("gss_handshake");
		return 1;
	}
	(void)alarm(PATIENCE);
	if (pid == 0)
		return run_end(pair[0], pair[1], &wish, acceptor);
	ours = run_end(pair[1], pair[0], &wish, initiator);
	if (waitpid(pid, &theirs, 0) < 0)
		theirs = 1;
	return ours == 0 && theirs == 0 ? 0 : 1;
}
