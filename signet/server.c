#include "server.h"

#include "base/fault.h"
#include "base/text.h"
#include "myproxy/myproxy_client.h"
#include "myproxy/myproxy_text.h"
#include "signet_conf.h"
#include "trust/store.h"

#include <stdlib.h>
#include <string.h>

static const char *
environment(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

static int
add_server(struct server *s, const char *name, struct fault *f)
{
	size_t len = strlen(s->list);

	if (text_fmt(s->list + len, sizeof(s->list) - len, "%s%s",
		len > 0 ? "," : "", name) < 0)
		return fault_set(f, FAULT_USAGE, "too many servers");
	return 0;
}

static int
choose_list(struct server *s, const struct server_options *given,
    const struct signet_conf *conf, struct fault *f)
{
	const char *named = environment("MYPROXY_SERVER");

	for (size_t i = 0; given->hosts != NULL && i < given->hosts->count; i++)
		if (add_server(s, given->hosts->item[i], f) < 0)
			return -1;
	if (*s->list != '\0')
		return 0;
	if (named != NULL)
		return add_server(s, named, f);
	for (size_t i = 0; i < conf->server.count; i++)
		if (add_server(s, conf->server.item[i], f) < 0)
			return -1;
	if (*s->list != '\0')
		return 0;
	return fault_set(f, FAULT_USAGE,
	    "no server is named: neither by an option, nor by MYPROXY_SERVER, "
	    "nor by a line \"server HOST\" in /etc/signet/signet.conf");
}

static int
choose_port(struct server *s, int64_t option, struct fault *f)
{
	const char *named = environment("MYPROXY_SERVER_PORT");
	int64_t port = MYPROXY_PORT;

	if (option != OPTION_UNSET)
		port = option;
	else if (named != NULL && text_number(named, 1, 65535, &port) < 0)
		return fault_set(f, FAULT_USAGE,
		    "MYPROXY_SERVER_PORT is no port: %s", named);
	s->port = (uint16_t)port;
	return 0;
}

static int
choose_trust(struct server *s, const char *option,
    const struct signet_conf *conf, struct fault *f)
{
	if (option == NULL && environment("X509_CERT_DIR") == NULL &&
	    *conf->trust_dir != '\0')
		option = conf->trust_dir;
	if (trust_default_dir(option, s->trust_dir, sizeof(s->trust_dir), f) <
	    0)
		return -1;
	return trust_install_dir(option, s->install_dir, sizeof(s->install_dir),
	    f);
}

/* Seconds for each address, as the stock client has it from the environment. */
static int
choose_timeout(struct server *s, const struct signet_conf *conf,
    struct fault *f)
{
	const char *named = environment("MYPROXY_SOCKET_TIMEOUT");
	int64_t seconds = conf->connect_timeout;

	if (named != NULL && text_number(named, 1, 3600, &seconds) < 0)
		return fault_set(f, FAULT_USAGE,
		    "MYPROXY_SOCKET_TIMEOUT is no number of seconds: %s",
		    named);
	s->timeout_ms = (int)seconds * 1000;
	return 0;
}

int
server_choose(struct server *s, const struct server_options *given,
    const struct signet_conf *conf, struct fault *f)
{
	memset(s, 0, sizeof(*s));
	s->dn =
	    given->dn != NULL ? given->dn : environment("MYPROXY_SERVER_DN");
	if (s->dn == NULL && *conf->server_dn != '\0')
		s->dn = conf->server_dn;
	if (choose_list(s, given, conf, f) < 0 ||
	    choose_port(s, given->port, f) < 0 ||
	    choose_timeout(s, conf, f) < 0)
		return -1;
	s->demands = signet_conf_trust(conf);
	return choose_trust(s, given->trust_dir, conf, f);
}

void
server_fill(const struct server *s, struct myproxy_wish *wish)
{
	wish->servers = s->list;
	wish->port = s->port;
	wish->server_dn = s->dn;
	wish->timeout_ms = s->timeout_ms;
	wish->trust_dir = s->trust_dir;
	wish->demands = s->demands;
	wish->install_dir = s->install_dir;
}
