#include "signetd/parent/doctor.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signetd/parent/gather.h"
#include "signetd/parent/rehearse.h"
#include "sys/console.h"
#include "sys/net.h"
#include "x509/authority.h"
#include "x509/crl.h"

#include <sys/timex.h>

#include <dirent.h>
#include <jansson.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY 86400
#define TCP_LISTEN 0x0A
#define PROC_NET_LIMIT (4u << 20) /* 4 MiB */

enum verdict {
	OK,
	WARN,
	FAIL
};

/* What is found, as it is found. */
struct report {
	json_t *list; /* NULL: for people */
	unsigned failed;
};

static const char *const verdicts[] = { "ok", "warn", "fail" };

static void __attribute__((format(printf, 5, 6))) say(struct report *r,
    enum verdict v, const char *check, const char *advice, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	if (v == FAIL)
		r->failed++;
	if (r->list != NULL) {
		(void)json_array_append_new(r->list,
		    json_pack("{s:s, s:s, s:s, s:s*}", "check", check,
			"verdict", verdicts[v], "text", text, "advice",
			v == OK ? NULL : advice));
		return;
	}
	printf("%-4s  %s: %s\n", verdicts[v], check, text);
	if (v != OK)
		printf("      %s\n", advice);
}

/* ---- the daemon's own files */

static void
check_crl(struct report *r, const struct gather *g, const struct authority *a)
{
	OWN_BUF(der, 64u << 20);
	struct fault f = { 0 };
	struct crl crl;
	char path[PATH_MAX];
	const char *slash = strrchr(g->conf.ledger, '/');
	time_t now = clock_wall();

	if (slash == NULL ||
	    text_fmt(path, sizeof(path), "%.*s/%s.crl",
		(int)(slash - g->conf.ledger), g->conf.ledger,
		a->conf.name) < 0)
		return;
	if (file_read(path, &der, &f) < 0 ||
	    crl_read(&crl, (struct wire_bytes){ der.data, der.len }, &f) < 0) {
		say(r, WARN, "crl", "signetd makes it when it runs", "%s",
		    f.text);
		return;
	}
	if (crl.next_update <= now)
		say(r, FAIL, "crl", "start signetd, or make one: signet-ca crl",
		    "the CRL of %s has expired", a->conf.name);
	else if (crl.next_update - now < (time_t)7 * DAY)
		say(r, WARN, "crl", "see that signetd runs",
		    "the CRL of %s expires in %ld hours", a->conf.name,
		    (long)((crl.next_update - now) / 3600));
	else
		say(r, OK, "crl", "", "the CRL of %s is good for %ld days",
		    a->conf.name, (long)((crl.next_update - now) / DAY));
}

/* The module alone: whether the token is there is known to the daemon that
 * holds it, and a second process might disturb it. */
static void
check_token(struct report *r, const struct authority_conf *a)
{
	struct fault f = { 0 };
	char path[256];

	if (rehearse_token_module(a, path, &f) < 0)
		say(r, FAIL, "token",
		    "install the module, root's and nobody else's to change",
		    "the PKCS#11 module of %s: %s", a->name, f.text);
	else
		say(r, OK, "token", "", "the PKCS#11 module of %s is %s",
		    a->name, path);
}

static void
check_ca(struct report *r, const struct gather *g, size_t n)
{
	struct authority *a = calloc(1, sizeof(*a));
	OWN_BUF(conf, MSG_MAX_FRAME);
	OWN_BUF(cert, MSG_MAX_FRAME);
	struct fault f = { 0 };
	char path[PATH_MAX];
	time_t now = clock_wall();
	long days;

	if (a == NULL)
		return;
	if (authority_path(g->conf.ca.item[n], "ca.conf", path, sizeof(path),
		&f) == 0 &&
	    file_read(path, &conf, &f) == 0 &&
	    conf_read(&authority_schema, &a->conf, (const char *)conf.data,
		conf.len, &f) == 0 &&
	    authority_path(g->conf.ca.item[n], a->conf.certificate, path,
		sizeof(path), &f) == 0 &&
	    file_read(path, &cert, &f) == 0 &&
	    authority_read(a, (const char *)conf.data, conf.len, cert.data,
		cert.len, &f) == 0) {
		days = (long)((a->cert->not_after - now) / DAY);
		say(r,
		    days < 0	    ? FAIL
			: days < 90 ? WARN
				    : OK,
		    "ca", "ask the root CA for a new certificate",
		    "the certificate of %s ends in %ld days", a->conf.name,
		    days);
		check_crl(r, g, a);
		if (g->token[n])
			check_token(r, &a->conf);
	} else {
		say(r, FAIL, "ca", "mend the CA's directory", "%s", f.text);
	}
	authority_clear(a);
	free(a);
}

/* A PIN in memory only, and for somebody who stands there only. */
static void
check_pin(struct report *r, const struct signetd_conf *c)
{
	struct fault f = { 0 };

	if (text_starts(c->pin_from, "credential:"))
		say(r, WARN, "pin",
		    "leave it only if the credential is encrypted "
		    "(systemd-creds), and nobody can be there at a start",
		    "the PIN is kept on this host's disk: pin-from %s",
		    c->pin_from);
	else if (strcmp(c->pin_from, "terminal") == 0)
		say(r, WARN, "pin", "set pin-from console",
		    "the PIN may be typed from afar: pin-from terminal");
	else if (geteuid() == 0 && console_check(CONSOLE_VIRTUAL, NULL, &f) < 0)
		say(r, FAIL, "pin", "let signetd open virtual terminals", "%s",
		    f.text);
	else
		say(r, OK, "pin", "", "it is asked for at the console");
}

/* What is swapped out is on the disk (seed 004: no swap is assumed). */
static void
check_swap(struct report *r)
{
	OWN_BUF(text, 65536);
	struct fault f = { 0 };
	const char *end;

	if (file_read("/proc/swaps", &text, &f) < 0 || buf_cstr(&text) == NULL)
		return;
	end = strchr((const char *)text.data, '\n');
	if (end != NULL && end[1] != '\0')
		say(r, WARN, "swap", "swapoff -a, or encrypt it",
		    "this host swaps: a module may leave a PIN there");
	else
		say(r, OK, "swap", "", "this host does not swap");
}

static void
check_configuration(struct report *r, const char *path, struct gather *g)
{
	struct fault f = { 0 };

	if (gather_read(g, path, &f) < 0) {
		say(r, FAIL, "configuration", "mend it; try: signetd --check",
		    "%s", f.text);
		return;
	}
	say(r, OK, "configuration", "", "%s and what it names", path);
	for (size_t i = 0; i < g->conf.ca.count; i++)
		check_ca(r, g, i);
	if (gather_has_token(g)) {
		check_pin(r, &g->conf);
		check_swap(r);
	}
}

static void
check_clock(struct report *r)
{
	struct timex t = { 0 };

	if (adjtimex(&t) < 0 || (t.status & STA_UNSYNC) != 0)
		say(r, WARN, "clock",
		    "run a time service such as chrony or systemd-timesyncd",
		    "the kernel does not know the clock to be synchronised");
	else
		say(r, OK, "clock", "", "synchronised");
}

/* ---- the host, as seed 003 wants a CA's host */

static bool
is_our_port(const struct signetd_conf *conf, unsigned port)
{
	char host[256];
	struct fault f = { 0 };

	for (size_t i = 0; i < conf->listen.count; i++) {
		const char *where = conf->listen.item[i];
		uint16_t ours = 0;
		int64_t alone;

		if (text_number(where, 0, 65535, &alone) == 0)
			ours = (uint16_t)alone;
		else if (net_split(where, 0, host, sizeof(host), &ours, &f) < 0)
			continue;
		if (ours == port)
			return true;
	}
	return false;
}

/* /proc/net/tcp: "0: 0100007F:1D58 00000000:0000 0A ...", addresses in the
 * machine's byte order. */
static bool
listening_line(const char *line, unsigned *port, bool *loopback)
{
	const char *at = strchr(line, ':');
	size_t len;
	char *end;

	if (at == NULL)
		return false;
	at += 1 + strspn(at + 1, " ");
	len = strcspn(at, ":");
	*port = (unsigned)strtoul(at + len + (at[len] == ':'), &end, 16);
	end += strspn(end, " ");
	end += strcspn(end, " "); /* the other end's */
	if (strtoul(end, NULL, 16) != TCP_LISTEN)
		return false;
	*loopback = (len == 8 && strncmp(at + 6, "7F", 2) == 0) ||
	    (len == 32 &&
		strncmp(at, "00000000000000000000000001000000", 32) == 0);
	return true;
}

static unsigned
check_listeners_of(struct report *r, const struct signetd_conf *conf,
    const char *path)
{
	OWN_BUF(text, PROC_NET_LIMIT);
	struct fault f = { 0 };
	unsigned found = 0;
	char *line, *rest;

	if (file_read(path, &text, &f) < 0 || buf_cstr(&text) == NULL)
		return 0;
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		unsigned port;
		bool loopback;

		if (!listening_line(line, &port, &loopback) || loopback ||
		    is_our_port(conf, port))
			continue;
		found++;
		say(r, port == 22 ? WARN : FAIL, "services",
		    port == 22 ? "leave it only if the host's console is far"
			       : "stop it: a CA's host runs nothing else",
		    "something listens on TCP port %u", port);
	}
	return found;
}

static void
check_services(struct report *r, const struct signetd_conf *conf)
{
	if (check_listeners_of(r, conf, "/proc/net/tcp") +
		check_listeners_of(r, conf, "/proc/net/tcp6") ==
	    0)
		say(r, OK, "services", "", "nothing else listens");
}

static bool
can_log_in(const struct passwd *pw)
{
	return pw->pw_shell[0] != '\0' && !text_ends(pw->pw_shell, "nologin") &&
	    !text_ends(pw->pw_shell, "/false") &&
	    !text_ends(pw->pw_shell, "/sync");
}

static void
check_accounts(struct report *r, const struct signetd_conf *conf)
{
	unsigned strangers = 0;
	struct passwd *pw;

	setpwent();
	while ((pw = getpwent()) != NULL) {
		if (pw->pw_uid == 0 && strcmp(pw->pw_name, "root") == 0)
			continue;
		if (pw->pw_uid != 0 &&
		    (!can_log_in(pw) ||
			conf_list_has(&conf->administrator, pw->pw_name)))
			continue;
		strangers++;
		say(r, FAIL, "accounts",
		    "remove it, or name it: administrator NAME in signetd.conf",
		    "%s can log in%s", pw->pw_name,
		    pw->pw_uid == 0 ? " as root" : "");
	}
	endpwent();
	if (strangers == 0)
		say(r, OK, "accounts", "", "only administrators can log in");
}

/* The first PermitRootLogin counts (sshd_config(5)); 0 none, 1 no, 2 other. */
static int
root_login_in(const char *path)
{
	OWN_BUF(text, 1u << 20);
	struct fault f = { 0 };
	char *line, *rest;

	if (file_read(path, &text, &f) < 0 || buf_cstr(&text) == NULL)
		return 0;
	rest = (char *)text.data;
	while ((line = strsep(&rest, "\n")) != NULL) {
		line = text_trim(line);
		if (strncasecmp(line, "PermitRootLogin", 15) != 0)
			continue;
		line = text_trim(line + 15);
		return strcasecmp(line, "no") == 0 ? 1 : 2;
	}
	return 0;
}

static int
root_login_in_dir(const char *dir)
{
	struct dirent **names = NULL;
	int found = 0;
	int count = scandir(dir, &names, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (found == 0 && text_ends(names[i]->d_name, ".conf") &&
		    text_fmt(path, sizeof(path), "%s/%s", dir,
			names[i]->d_name) == 0)
			found = root_login_in(path);
		free(names[i]);
	}
	free(names);
	return found;
}

static void
check_root_login(struct report *r)
{
	int found;

	if (access("/usr/sbin/sshd", X_OK) < 0) {
		say(r, OK, "root login", "", "there is no sshd");
		return;
	}
	/* Debian includes the directory at the top of the file. */
	found = root_login_in_dir("/etc/ssh/sshd_config.d");
	if (found == 0)
		found = root_login_in("/etc/ssh/sshd_config");
	say(r, found == 1 ? OK : FAIL, "root login",
	    "set PermitRootLogin no in /etc/ssh/sshd_config",
	    found == 1 ? "sshd refuses root" : "root may log in by sshd");
}

int
doctor_run(const char *conf_path, bool json, struct fault *f)
{
	struct gather *g = calloc(1, sizeof(*g));
	struct report r = { json ? json_array() : NULL, 0 };

	if (g == NULL)
		return fault_set(f, FAULT_MEMORY, "no room");
	check_configuration(&r, conf_path, g);
	check_clock(&r);
	check_services(&r, &g->conf);
	check_accounts(&r, &g->conf);
	check_root_login(&r);
	if (r.list != NULL) {
		(void)json_dumpf(r.list, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(r.list);
	}
	gather_clear(g);
	free(g);
	if (r.failed > 0)
		return fault_set(f, FAULT_FAILED, "%u checks failed", r.failed);
	return 0;
}
