#include "signetd/parent/reload.h"

#include "base/fault.h"
#include "base/log.h"
#include "signetd/parent/crew.h"
#include "signetd/parent/log_file.h"
#include "sys/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Texts that are fixed while the daemon runs: a role's walls, once raised, let
 * it see the paths that were named then and no others. */
static const struct {
	const char *keyword;
	size_t at;
} fixed_texts[] = {
	{ "ledger", offsetof(struct signetd_conf, ledger) },
	{ "trust-dir", offsetof(struct signetd_conf, trust_dir) },
	{ "passwd-file", offsetof(struct signetd_conf, passwd_file) },
	{ "keytab", offsetof(struct signetd_conf, keytab) },
	{ "pam-dir", offsetof(struct signetd_conf, pam_dir) },
	{ "subject-from", offsetof(struct signetd_conf, subject_from) },
	{ "mapfile", offsetof(struct signetd_conf, mapfile) },
	{ "map-program", offsetof(struct signetd_conf, map_program) },
	{ "ldap-search-password-file",
	    offsetof(struct signetd_conf, ldap_search_password) },
	{ "ldap-ca-file", offsetof(struct signetd_conf, ldap_ca_file) },
	{ "user-front", offsetof(struct signetd_conf, user_front) },
	{ "user-auth", offsetof(struct signetd_conf, user_auth) },
	{ "user-worker", offsetof(struct signetd_conf, user_worker) },
	{ "user-pam", offsetof(struct signetd_conf, user_pam) },
	{ "user-issuer", offsetof(struct signetd_conf, user_issuer) },
	{ "user-signer", offsetof(struct signetd_conf, user_signer) },
	{ "user-keeper", offsetof(struct signetd_conf, user_keeper) },
	{ "office-socket", offsetof(struct signetd_conf, office_socket) },
	{ "office-keytab", offsetof(struct signetd_conf, office_keytab) },
	{ "user-desk", offsetof(struct signetd_conf, user_desk) },
	{ "user-token", offsetof(struct signetd_conf, user_token) },
	{ "user-intake", offsetof(struct signetd_conf, user_intake) },
	{ "token-preset", offsetof(struct signetd_conf, token_preset) },
	{ "issue-socket", offsetof(struct signetd_conf, issue_socket) },
	{ "issue-directory", offsetof(struct signetd_conf, issue_directory) },
	{ "seccomp", offsetof(struct signetd_conf, seccomp) },
	{ "log-file", offsetof(struct signetd_conf, log_file) },
};

const char *
reload_fixed(const struct signetd_conf *a, const struct signetd_conf *b)
{
	if (memcmp(&a->listen, &b->listen, sizeof(a->listen)) != 0)
		return "listen";
	if (memcmp(&a->ca, &b->ca, sizeof(a->ca)) != 0)
		return "ca";
	if (memcmp(&a->auth, &b->auth, sizeof(a->auth)) != 0)
		return "auth";
	if (memcmp(&a->office_listen, &b->office_listen,
		sizeof(a->office_listen)) != 0)
		return "office-listen";
	if ((*a->office_staff == '\0') != (*b->office_staff == '\0'))
		return "office-staff";
	if (a->logins != b->logins)
		return "logins";
	if (a->front_workers != b->front_workers ||
	    a->auth_workers != b->auth_workers ||
	    a->pam_workers != b->pam_workers)
		return "a number of workers";
	if (a->auth_free_tries != b->auth_free_tries)
		return "auth-free-tries";
	if (a->auth_free_tries_address != b->auth_free_tries_address)
		return "auth-free-tries-address";
	if (a->auth_longest_wait != b->auth_longest_wait)
		return "auth-longest-wait";
	if (memcmp(&a->token_path, &b->token_path, sizeof(a->token_path)) != 0)
		return "token-path";
	if (a->auth_timeout != b->auth_timeout)
		return "auth-timeout";
	for (size_t i = 0; i < sizeof(fixed_texts) / sizeof(fixed_texts[0]);
	     i++)
		if (strcmp((const char *)a + fixed_texts[i].at,
			(const char *)b + fixed_texts[i].at) != 0)
			return fixed_texts[i].keyword;
	return NULL;
}

static int
read_anew(struct daemon *d, struct gather *fresh, struct fault *f)
{
	const char *fixed;

	if (gather_read(fresh, d->wish->conf_path, f) < 0)
		return -1;
	fixed = reload_fixed(&d->gather->conf, &fresh->conf);
	/* The key's process was started for it, or the key was read then. */
	if (fixed == NULL &&
	    memcmp(d->gather->token, fresh->token, sizeof(fresh->token)) != 0)
		fixed = "whether a CA's key is in a token";
	if (fixed != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "%s changed: that takes a restart", fixed);
	return 0;
}

void
reload_all(struct daemon *d)
{
	struct gather *fresh = calloc(1, sizeof(*fresh));
	struct fault f = { 0 };

	if (fresh == NULL || !d->started || d->draining || d->ending) {
		free(fresh);
		return;
	}
	notify_send("RELOADING=1");
	if (read_anew(d, fresh, &f) < 0) {
		LOG(RELOAD_REFUSED, LOG_TEXT("text", f.text));
		gather_clear(fresh);
		free(fresh);
		notify_send("READY=1");
		return;
	}
	gather_forget_once(fresh);
	gather_clear(d->gather);
	memcpy(d->gather, fresh, sizeof(*fresh));
	free(fresh);
	d->generation++;
	/* Without room for a new log the old one goes on. */
	if (log_file_open(d->gather->conf.log_file, &f) < 0)
		log_fault(&f, NULL);
	log_open("signetd", (int)d->gather->conf.log_level);
	crew_reload(d);
	LOG(RELOADED, LOG_NUMBER("generation", d->generation));
}
