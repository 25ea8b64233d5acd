#include "signetd/parent/crew.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "signetd/parent/child.h"
#include "signetd/role.h"

#include <unistd.h>

/* ---- saying things to roles */

/* Whether ${p} is to have ${item}: a token hears of its own CA alone. */
static bool
is_for(const struct process *p, const struct gathered *item)
{
	char own[32];

	if ((item->roles & (1u << p->role)) == 0)
		return false;
	if (p->role != MSG_ROLE_TOKEN || !text_starts(item->name, "ca."))
		return true;
	return text_fmt(own, sizeof(own), "ca.%zu.", p->index) == 0 &&
	    text_starts(item->name, own);
}

static int
send_text(struct process *p, const struct gathered *item, struct fault *f)
{
	struct msg m = { .type = MSG_BOOT_TEXT };

	if (!is_for(p, item))
		return 0;
	if (text_copy(m.boot_text.name, sizeof(m.boot_text.name), item->name) <
	    0)
		return fault_set(f, FAULT_INTERNAL, "name too long");
	m.boot_text.data =
	    (struct wire_bytes){ item->data.data, item->data.len };
	return channel_say(p->control, &m, f);
}

/* Keys are gone after the start: a role that holds one is never started anew,
 * and a reload does not change them. */
static int
send_texts(struct daemon *d, struct process *p, bool also_once, struct fault *f)
{
	for (size_t i = 0; i < d->gather->count; i++) {
		const struct gathered *item = &d->gather->item[i];

		if (item->once && !also_once)
			continue;
		if (send_text(p, item, f) < 0)
			return -1;
	}
	return 0;
}

static int
send_fd(struct process *p, const char *name, int fd, struct fault *f)
{
	struct msg m = { .type = MSG_BOOT_FD };

	if (text_copy(m.boot_fd.name, sizeof(m.boot_fd.name), name) < 0)
		return fault_set(f, FAULT_INTERNAL, "name too long");
	return channel_say_fd(p->control, &m, fd, f);
}

static int
send_go(struct daemon *d, struct process *p, struct fault *f)
{
	struct msg m = { .type = MSG_BOOT_GO };

	m.boot_go.generation = d->generation;
	return channel_say(p->control, &m, f);
}

/* Give ${a} and ${b} a channel to one another. */
static int
join(struct process *a, struct process *b, struct fault *f)
{
	int fds[2], result;

	if (channel_pair(fds, f) < 0)
		return -1;
	result = send_fd(a, b->name, fds[0], f);
	if (result == 0)
		result = send_fd(b, a->name, fds[1], f);
	(void)close(fds[0]);
	(void)close(fds[1]);
	return result;
}

static struct process *
only(struct daemon *d, enum msg_role role)
{
	for (size_t i = 0; i < d->count; i++)
		if (d->process[i].role == role)
			return &d->process[i];
	return NULL;
}

/* The desk speaks to those who write down and who issue, and to nobody who
 * logs people in. */
static int
join_desk(struct daemon *d, struct process *p, struct fault *f)
{
	char name[32];

	if (join(p, only(d, MSG_ROLE_KEEPER), f) < 0 ||
	    join(p, only(d, MSG_ROLE_ISSUER), f) < 0 ||
	    send_fd(p, "local", d->office, f) < 0)
		return -1;
	for (size_t i = 0; i < d->office_listens; i++)
		if (text_fmt(name, sizeof(name), "krb.%zu", i) < 0 ||
		    send_fd(p, name, d->office_listen[i], f) < 0)
			return -1;
	return 0;
}

/* The intake is to callers what a front is to clients. */
static int
join_intake(struct daemon *d, struct process *p, struct fault *f)
{
	if (join(p, only(d, MSG_ROLE_AUTH), f) < 0 ||
	    join(p, only(d, MSG_ROLE_ISSUER), f) < 0)
		return -1;
	return d->issue < 0 ? 0 : send_fd(p, "issue", d->issue, f);
}

/* What a process of the kind that may be started anew is joined to. */
static int
join_replaceable(struct daemon *d, struct process *p, struct fault *f)
{
	char name[32];

	if (p->role == MSG_ROLE_DESK)
		return join_desk(d, p, f);
	if (p->role == MSG_ROLE_TOKEN)
		return join(p, only(d, MSG_ROLE_SIGNER), f);
	if (p->role == MSG_ROLE_INTAKE)
		return join_intake(d, p, f);
	if (join(p, only(d, MSG_ROLE_AUTH), f) < 0)
		return -1;
	if (p->role != MSG_ROLE_FRONT)
		return 0;
	if (join(p, only(d, MSG_ROLE_ISSUER), f) < 0)
		return -1;
	for (size_t i = 0; i < d->listens; i++)
		if (text_fmt(name, sizeof(name), "listen.%zu", i) < 0 ||
		    send_fd(p, name, d->listen[i], f) < 0)
			return -1;
	return 0;
}

bool
crew_is_replaceable(enum msg_role role)
{
	return role == MSG_ROLE_FRONT || role == MSG_ROLE_WORKER ||
	    role == MSG_ROLE_PAM || role == MSG_ROLE_DESK ||
	    role == MSG_ROLE_TOKEN || role == MSG_ROLE_INTAKE;
}

/* ---- starting */

static int
spawn(struct daemon *d, struct process *p, struct fault *f)
{
	int fds[2];

	if (channel_pair(fds, f) < 0)
		return -1;
	p->pid = child_spawn(p->role, fds[1], d->wish->keep, d->wish->kept, f);
	(void)close(fds[1]);
	if (p->pid < 0) {
		p->pid = 0;
		(void)close(fds[0]);
		return -1;
	}
	p->ready = 0;
	p->drained = false;
	p->balked = false;
	p->began_ms = clock_mono();
	p->control = channel_new(d->loop, fds[0], MSG_ROLE_PARENT, p->role,
	    d->heard, d->gone, p, f);
	if (p->control == NULL)
		return -1;
	LOG(ROLE_STARTED, LOG_TEXT("role", p->name), LOG_NUMBER("pid", p->pid));
	return 0;
}

static int
add_process(struct daemon *d, enum msg_role role, size_t index, struct fault *f)
{
	struct process *p = &d->process[d->count];
	int result;

	if (d->count == CREW_MAX)
		return fault_set(f, FAULT_CONFIG, "too many processes");
	p->daemon = d;
	p->role = role;
	p->index = index;
	result = crew_is_replaceable(role)
	    ? text_fmt(p->name, sizeof(p->name), "%s.%zu", msg_role_name(role),
		  index)
	    : text_copy(p->name, sizeof(p->name), msg_role_name(role));
	if (result < 0)
		return fault_set(f, FAULT_INTERNAL, "name too long");
	d->count++;
	if (spawn(d, p, f) < 0)
		return -1;
	return send_texts(d, p, true, f);
}

static int
add_processes(struct daemon *d, enum msg_role role, int64_t count,
    struct fault *f)
{
	for (int64_t i = 0; i < count; i++)
		if (add_process(d, role, (size_t)i, f) < 0)
			return -1;
	return 0;
}

/* All that people who log in need. */
static int
add_logins(struct daemon *d, struct fault *f)
{
	const struct signetd_conf *c = &d->gather->conf;
	int64_t fronts = c->front_workers;

	if (fronts == 0)
		fronts = sysconf(_SC_NPROCESSORS_ONLN);
	if (add_processes(d, MSG_ROLE_PAM,
		conf_list_has(&c->auth, "pam") ? c->pam_workers : 0, f) < 0)
		return -1;
	return add_processes(d, MSG_ROLE_FRONT, fronts, f);
}

/* Who vouches for people, and those who bring their requests. */
static int
add_people(struct daemon *d, struct fault *f)
{
	const struct signetd_conf *c = &d->gather->conf;

	if (!gather_has_auth(c))
		return 0;
	if (add_process(d, MSG_ROLE_AUTH, 0, f) < 0 ||
	    add_processes(d, MSG_ROLE_WORKER, c->auth_workers, f) < 0 ||
	    (c->logins && add_logins(d, f) < 0))
		return -1;
	return add_processes(d, MSG_ROLE_INTAKE, gather_has_intake(c) ? 1 : 0,
	    f);
}

/* One for each CA whose key is in a token, by the CA's number. */
static int
add_tokens(struct daemon *d, struct fault *f)
{
	for (size_t i = 0; i < d->gather->conf.ca.count; i++)
		if (d->gather->token[i] &&
		    add_process(d, MSG_ROLE_TOKEN, i, f) < 0)
			return -1;
	return 0;
}

int
crew_start(struct daemon *d, struct fault *f)
{
	const struct signetd_conf *c = &d->gather->conf;

	if (add_process(d, MSG_ROLE_KEEPER, 0, f) < 0 ||
	    add_process(d, MSG_ROLE_SIGNER, 0, f) < 0 ||
	    add_process(d, MSG_ROLE_ISSUER, 0, f) < 0 || add_tokens(d, f) < 0 ||
	    add_people(d, f) < 0 ||
	    add_processes(d, MSG_ROLE_DESK, *c->office_staff != '\0' ? 1 : 0,
		f) < 0)
		return -1;
	gather_forget_once(d->gather);
	if (join(only(d, MSG_ROLE_ISSUER), only(d, MSG_ROLE_KEEPER), f) < 0 ||
	    join(only(d, MSG_ROLE_ISSUER), only(d, MSG_ROLE_SIGNER), f) < 0 ||
	    (gather_has_auth(c) &&
		join(only(d, MSG_ROLE_AUTH), only(d, MSG_ROLE_ISSUER), f) < 0))
		return -1;
	for (size_t i = 0; i < d->count; i++)
		if (crew_is_replaceable(d->process[i].role) &&
		    join_replaceable(d, &d->process[i], f) < 0)
			return -1;
	for (size_t i = 0; i < d->count; i++)
		if (send_go(d, &d->process[i], f) < 0)
			return -1;
	return 0;
}

int
crew_restart(struct daemon *d, struct process *p, struct fault *f)
{
	if (spawn(d, p, f) < 0 || send_texts(d, p, false, f) < 0 ||
	    join_replaceable(d, p, f) < 0)
		return -1;
	return send_go(d, p, f);
}

void
crew_reload(struct daemon *d)
{
	struct fault f = { 0 };

	for (size_t i = 0; i < d->count; i++) {
		struct process *p = &d->process[i];

		if (p->control != NULL &&
		    (send_texts(d, p, false, &f) < 0 ||
			(*d->gather->conf.log_file != '\0' &&
			    send_fd(p, ROLE_LOG_FD, STDERR_FILENO, &f) < 0) ||
			send_go(d, p, &f) < 0))
			log_fault(&f, NULL);
	}
}
