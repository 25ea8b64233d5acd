/*
 * issuer: policy and minting.  No key, no network, no files.  Identities come
 * from auth, requests from the front ends, and the two meet here by ticket.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/issuer/ending.h"
#include "signetd/issuer/issue.h"
#include "signetd/issuer/office.h"
#include "signetd/issuer/publish.h"
#include "signetd/role.h"
#include "x509/ossl.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRE_EVERY_MS 1000

struct issuer {
	struct issue issue;
	struct publish *publish;
	struct office *office;
	struct loop_timer *tick;
	struct ending ending;
	bool draining;
};

static int
box(struct role *role, struct sandbox *box, struct fault *f)
{
	(void)role;
	if (ossl_start_alone(f) < 0)
		return -1;
	box->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(SEALED);
	box->no_processes = true;
	return 0;
}

static struct wire_bytes
ca_text(const struct role *role, size_t n, const char *part)
{
	char name[64];

	if (text_fmt(name, sizeof(name), "ca.%zu.%s", n, part) < 0)
		return (struct wire_bytes){ NULL, 0 };
	return role_text(role, name);
}

static bool
serves_people(const struct signetd_conf *conf)
{
	return conf->logins || *conf->issue_socket != '\0' ||
	    *conf->issue_directory != '\0';
}

static struct policy *
read_policy(const struct role *role, struct fault *f)
{
	OWN_STRUCT(policy) policy = policy_new(f);
	char name[64];

	if (policy == NULL)
		return NULL;
	for (size_t i = 0; i < role->conf.ca.count; i++)
		if (policy_add_ca(policy, ca_text(role, i, "conf"),
			ca_text(role, i, "cert"), ca_text(role, i, "chain"),
			f) < 0)
			return NULL;
	/* Profiles of people are sent where people are certified. */
	for (size_t i = 0;
	     serves_people(&role->conf) && i < role->conf.profile.count; i++)
		if (text_fmt(name, sizeof(name), "profile.%zu", i) < 0 ||
		    policy_add_profile(policy, role_text(role, name), f) < 0)
			return NULL;
	return TAKE(policy);
}

/* The profiles that administrators may ask for, if there is an office. */
static int
read_rules(const struct role *role, struct office *office, struct fault *f)
{
	OWN_STRUCT(office_rules) rules = office_rules_new(f);
	char name[64];

	if (rules == NULL)
		return -1;
	for (size_t i = 0; i < role->conf.ca.count; i++)
		if (office_rules_add_ca(rules, ca_text(role, i, "conf"),
			ca_text(role, i, "cert"), ca_text(role, i, "chain"),
			f) < 0)
			return -1;
	for (size_t i = 0; i < role->conf.office_profile.count; i++)
		if (text_fmt(name, sizeof(name), "office.%zu", i) < 0 ||
		    office_rules_add_profile(rules, role_text(role, name), f) <
			0)
			return -1;
	office_set_rules(office, TAKE(rules));
	return 0;
}

static void
drain_if_done(struct role *role)
{
	struct issuer *issuer = role->state;

	if (issuer->draining && job_count(issuer->issue.jobs) == 0 &&
	    office_count(issuer->office) == 0)
		role_drained(role);
}

static void
tick(void *arg)
{
	struct role *role = arg;
	struct issuer *issuer = role->state;

	if (issuer->issue.auth != NULL)
		channel_drain(issuer->issue.auth);
	issue_expire(&issuer->issue, clock_mono());
	office_expire(issuer->office, clock_mono());
	ending_look(&issuer->ending, issuer->issue.policy, clock_mono(),
	    clock_wall());
	drain_if_done(role);
	loop_timer_set(issuer->tick, EXPIRE_EVERY_MS);
}

static int
start(struct role *role, struct fault *f)
{
	struct issuer *issuer = calloc(1, sizeof(*issuer));

	if (issuer == NULL)
		return fault_set(f, FAULT_MEMORY, "issuer");
	role->state = issuer;
	issuer->issue.served = &role->served;
	if (issue_open(&issuer->issue, f) < 0 ||
	    (issuer->issue.policy = read_policy(role, f)) == NULL ||
	    (issuer->office = office_new(&issuer->issue.ready, f)) == NULL ||
	    read_rules(role, issuer->office, f) < 0)
		return -1;
	issuer->publish = publish_new(role->loop, issuer->issue.policy, f);
	issuer->tick = loop_timer_new(role->loop, tick, role, f);
	if (issuer->publish == NULL || issuer->tick == NULL)
		return -1;
	loop_timer_set(issuer->tick, EXPIRE_EVERY_MS);
	return 0;
}

static int
reload(struct role *role, struct fault *f)
{
	struct issuer *issuer = role->state;
	struct policy *fresh = read_policy(role, f);

	if (fresh == NULL)
		return -1;
	if (read_rules(role, issuer->office, f) < 0) {
		policy_free(fresh);
		return -1;
	}
	policy_free(issuer->issue.policy);
	issuer->issue.policy = fresh;
	issuer->ending.next_ms = 0;
	publish_reload(issuer->publish, fresh);
	return 0;
}

/* What the office asked for, or waits for. */
static void
heard_office(struct issuer *issuer, struct channel *ch, const struct msg *m)
{
	if (m->type == MSG_OFFICE_SIGN)
		office_sign(issuer->office, ch, &m->office_sign);
	if (m->type == MSG_OFFICE_FOUND)
		office_found(issuer->office, &m->office_found);
	if (m->type == MSG_RESERVED)
		office_reserved(issuer->office, &m->reserved);
	if (m->type == MSG_TBS_DONE)
		office_signed(issuer->office, &m->tbs_done);
	if (m->type == MSG_COMMITTED)
		office_committed(issuer->office, &m->committed);
}

/* Whether ${m} is the office's, by the number that it carries. */
static bool
is_offices(const struct msg *m)
{
	const uint32_t id = m->type == MSG_RESERVED ? m->reserved.id
	    : m->type == MSG_TBS_DONE		    ? m->tbs_done.id
	    : m->type == MSG_COMMITTED		    ? m->committed.id
						    : 0;

	return m->type == MSG_OFFICE_SIGN || m->type == MSG_OFFICE_FOUND ||
	    ((id & OFFICE_ID) != 0 && (id & PUBLISH_ID) == 0);
}

/* Lists wait for the token as certificates do; the keeper begins them. */
static void
tell_keeper(const struct issue *issue, const char ca[64], bool ready)
{
	struct msg m = { .type = MSG_CA_SIGNS };
	struct fault f = { 0 };

	memcpy(m.ca_signs.ca, ca, sizeof(m.ca_signs.ca));
	m.ca_signs.ready = ready;
	if (issue->keeper != NULL && channel_say(issue->keeper, &m, &f) < 0)
		log_fault(&f, NULL);
}

static void
heard_ready(struct issue *issue, const struct msg_ca_ready *m)
{
	ready_hear(&issue->ready, m);
	tell_keeper(issue, m->ca, m->ready != 0);
}

static void
heard(void *arg, struct channel *ch, const struct msg *m, int fd)
{
	struct role *role = arg;
	struct issuer *issuer = role->state;
	struct issue *issue = &issuer->issue;

	if (is_offices(m)) {
		heard_office(issuer, ch, m);
		drain_if_done(role);
		return;
	}
	if (m->type == MSG_SIGN_ASK)
		issue_ask(issue, ch, &m->sign_ask);
	if (m->type == MSG_CALL_SIGN)
		issue_call(issue, ch, &m->call_sign);
	if (m->type == MSG_VOUCH)
		issue_vouch(issue, &m->vouch);
	if (m->type == MSG_RESERVED)
		issue_reserved(issue, &m->reserved);
	if (m->type == MSG_COMMITTED)
		issue_committed(issue, &m->committed);
	if (m->type == MSG_CRL_LIST)
		publish_listed(issuer->publish, &m->crl_list, fd);
	if (m->type == MSG_CA_READY)
		heard_ready(issue, &m->ca_ready);
	if (m->type == MSG_CRL_SIGNED)
		publish_signed(issuer->publish, &m->crl_signed);
	if (m->type == MSG_TBS_DONE)
		issue_signed(issue, &m->tbs_done);
	drain_if_done(role);
}

static void
front_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct role *role = arg;
	struct issuer *issuer = role->state;

	(void)f;
	issue_front_gone(&issuer->issue, ch);
	channel_free(ch);
}

static void
desk_gone(void *arg, struct channel *ch, const struct fault *f)
{
	struct role *role = arg;
	struct issuer *issuer = role->state;

	(void)f;
	office_desk_gone(issuer->office, ch);
	channel_free(ch);
}

static int
attach(struct role *role, const char *name, int fd, struct fault *f)
{
	struct issuer *issuer = role->state;
	struct issue *issue = &issuer->issue;
	struct channel **only = strcmp(name, "auth") == 0 ? &issue->auth
	    : strcmp(name, "keeper") == 0		  ? &issue->keeper
	    : strcmp(name, "signer") == 0		  ? &issue->signer
							  : NULL;
	struct channel *ch;

	if (text_starts(name, "desk."))
		return role_channel(role, name, fd, heard, desk_gone, role,
			   f) != NULL
		    ? 0
		    : -1;
	if (only != NULL && *only != NULL)
		return fault_set(f, FAULT_INTERNAL, "a second %s", name);
	ch = role_channel(role, name, fd, heard,
	    only == NULL ? front_gone : NULL, role, f);
	if (ch == NULL)
		return -1;
	if (only == NULL)
		return 0;
	*only = ch;
	/*
	 * What auth vouches for is heard when somebody comes with a ticket,
	 * and each second: it need not wake us for each login.
	 */
	if (ch == issue->auth)
		channel_pause(ch, true);
	for (size_t i = 0; ch == issue->keeper && i < issue->ready.count; i++)
		tell_keeper(issue, issue->ready.said[i].ca,
		    issue->ready.said[i].ready);
	if (issue->keeper != NULL && issue->signer != NULL && ch != issue->auth)
		publish_attach(issuer->publish, issue->keeper, issue->signer);
	office_attach(issuer->office, issue->keeper, issue->signer);
	return 0;
}

static void
drain(struct role *role)
{
	struct issuer *issuer = role->state;

	issuer->draining = true;
	drain_if_done(role);
}

int
main(int argc, char **argv)
{
	static const struct role_spec spec = {
		.self = MSG_ROLE_ISSUER,
		.box = box,
		.start = start,
		.attach = attach,
		.reload = reload,
		.drain = drain,
	};

	return role_main(argc, argv, &spec);
}
