/*
 * What a roster is made of a source, one line a person, and what changes in it:
 *   roster_says [-s STATE] [-f] [-g] KEY=VALUE ...
 * The keys are those of struct roster_source_conf.  -f: follow it (RFC 4533);
 * each change is a line, and a line of standard input asks for everyone, for a
 * retry ("retry"), for the state to be saved ("save") or for the end ("quit").
 * -q: numbers alone.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "roster/roster.h"
#include "roster/roster_ldap.h"
#include "roster/roster_source.h"
#include "roster/roster_state.h"

#include <sys/resource.h>

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
say_person(const struct roster *r, const struct roster_person *p,
    const char *before)
{
	char name[ROSTER_NAME_SIZE];
	size_t at = 0;

	printf("%s%s|%s", before, p->where, p->account);
	for (size_t i = 1; i < p->account_count; i++)
		printf(",%s", roster_account_at(p, i));
	printf("|%s|", p->principal);
	for (size_t i = 0; i < p->group_count; i++)
		printf("%s%s", i > 0 ? ";" : "",
		    roster_group_name(r, p->groups[i]));
	while (roster_name_next(r, p, &at, name))
		printf("|%s", name);
	printf("\n");
}

static int
say_one(void *arg, const struct roster_person *p)
{
	say_person(arg, p, "");
	return 0;
}

static int
count_one(void *arg, const struct roster_person *p)
{
	(void)p;
	++*(size_t *)arg;
	return 0;
}

static void
skipped(void *arg, const char *source, const char *where, const char *why)
{
	(void)arg;
	fprintf(stderr, "skipped: %s: %s: %s\n", source, where, why);
}

static bool
set_text(const char *word, const char *key, const char **to)
{
	size_t len = strlen(key);

	if (strncmp(word, key, len) != 0 || word[len] != '=')
		return false;
	*to = word + len + 1;
	return true;
}

static void
set_kinds(struct roster_source_conf *c, const char *key, const char *value)
{
	static const char *const kinds[] = { "ldap", "file", "list",
		"requests" };
	static const char *const binds[] = { "anonymous", "simple", "gssapi" };
	static const char *const groups[] = { "none", "isMemberOf", "memberOf",
		"member" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(key, "kind") == 0 && strcmp(value, kinds[i]) == 0)
			c->kind = (enum roster_kind)i;
		if (strcmp(key, "groups") == 0 && strcmp(value, groups[i]) == 0)
			c->groups = (enum roster_groups)i;
		if (strcmp(key, "bind") == 0 && i < 3 &&
		    strcmp(value, binds[i]) == 0)
			c->bind = (enum roster_bind)i;
	}
}

static void
set(struct roster_source_conf *c, const char *word)
{
	const char *kind = NULL, *bind = NULL, *groups = NULL, *page = NULL;

	if (set_text(word, "kind", &kind))
		set_kinds(c, "kind", kind);
	else if (set_text(word, "bind", &bind))
		set_kinds(c, "bind", bind);
	else if (set_text(word, "groups", &groups))
		set_kinds(c, "groups", groups);
	else if (set_text(word, "page", &page))
		c->page = (unsigned)strtoul(page, NULL, 10);
	else if (set_text(word, "silence", &page))
		c->silence_s = (unsigned)strtoul(page, NULL, 10);
	else if (set_text(word, "connect", &page))
		c->connect_s = (unsigned)strtoul(page, NULL, 10);
	else if (strcmp(word, "plain") == 0)
		c->plain = true;
	else if (strcmp(word, "starttls") == 0)
		c->start_tls = true;
	else if (strcmp(word, "nosync") == 0)
		c->no_sync = true;
	else if (!set_text(word, "name", &c->name) &&
	    !set_text(word, "servers", &c->servers) &&
	    !set_text(word, "base", &c->base) &&
	    !set_text(word, "filter", &c->filter) &&
	    !set_text(word, "ca_file", &c->ca_file) &&
	    !set_text(word, "bind_dn", &c->bind_dn) &&
	    !set_text(word, "password_file", &c->password_file) &&
	    !set_text(word, "account", &c->account) &&
	    !set_text(word, "principal", &c->principal) &&
	    !set_text(word, "subject", &c->subject) &&
	    !set_text(word, "names", &c->names) &&
	    !set_text(word, "group_attribute", &c->group_attribute) &&
	    !set_text(word, "group_base", &c->group_base) &&
	    !set_text(word, "group_filter", &c->group_filter) &&
	    !set_text(word, "group_name", &c->group_name) &&
	    !set_text(word, "path", &c->path) &&
	    !set_text(word, "cache_dir", &c->cache_dir))
		fprintf(stderr, "unknown: %s\n", word);
}

static void
say_status(const struct roster_ldap *l, enum roster_ldap_state *last)
{
	static const char *const names[] = { "connecting", "refreshing",
		"current", "waiting", "lost" };
	struct roster_ldap_status status;

	roster_ldap_status(l, &status);
	if (status.state == *last)
		return;
	*last = status.state;
	printf("! %s %s%s%s\n", names[status.state], status.server,
	    status.fault != NULL ? " " : "",
	    status.fault != NULL ? status.fault->text : "");
	fflush(stdout);
}

struct following {
	struct roster *r;
	struct roster_ldap *l;
	enum roster_ldap_state last;
};

static void
changed(void *arg, const struct roster_person *before,
    const struct roster_person *after)
{
	struct following *now = arg;
	const struct roster *r = now->r;

	/* In the order in which things happen. */
	say_status(now->l, &now->last);
	if (before == NULL || after == NULL)
		say_person(r, before == NULL ? after : before,
		    before == NULL ? "+ " : "- ");
	else
		say_person(r, after, "= ");
}

static int
obey(struct roster *r, struct roster_ldap *l, const char *state,
    struct fault *f)
{
	char line[64];
	ssize_t len = read(0, line, sizeof(line) - 1);

	if (len <= 0)
		return 1;
	line[len] = '\0';
	if (strcmp(line, "quit\n") == 0)
		return 1;
	if (strcmp(line, "retry\n") == 0)
		roster_ldap_retry(l);
	else if (strcmp(line, "save\n") == 0 && state != NULL) {
		if (roster_save(r, state, f) < 0)
			return -1;
		printf("! saved\n");
	} else {
		(void)roster_each(r, say_one, r);
		printf(".\n");
	}
	fflush(stdout);
	return 0;
}

static int
follow(const struct roster_source_conf *c, struct roster *r, const char *state,
    struct fault *f)
{
	OWN_STRUCT(roster_ldap) l = roster_ldap_begin(c, r, skipped, NULL, f);
	struct following now = { r, l, ROSTER_LDAP_WAITING };

	if (l == NULL)
		return -1;
	roster_watch(r, changed, &now);
	for (;;) {
		int64_t ms = roster_ldap_wait_ms(l);
		struct pollfd p[2] = { { .fd = 0, .events = POLLIN },
			{ .fd = roster_ldap_fd(l), .events = POLLIN } };
		int said = 0;

		say_status(l, &now.last);
		if (poll(p, 2, ms < 0 ? -1 : (int)ms) < 0 ||
		    roster_ldap_step(l, f) < 0)
			return -1;
		fflush(stdout);
		if (p[0].revents != 0)
			said = obey(r, l, state, f);
		if (said != 0)
			return said < 0 ? -1 : 0;
	}
}

static int
once(const struct roster_source_conf *c, struct roster *r, bool quiet,
    struct fault *f)
{
	int64_t began = clock_mono();
	struct rusage used;
	size_t count = 0;

	if (roster_source_read(c, r, skipped, NULL, f) < 0)
		return -1;
	if (!quiet)
		return roster_each(r, say_one, r);
	(void)roster_each(r, count_one, &count);
	(void)getrusage(RUSAGE_SELF, &used);
	printf("%zu people, %.3f s, CPU %ld ms user %ld ms system, %zu MB of "
	       "people, %ld MB in all\n",
	    count, (double)(clock_mono() - began) / 1e3,
	    used.ru_utime.tv_sec * 1000 + used.ru_utime.tv_usec / 1000,
	    used.ru_stime.tv_sec * 1000 + used.ru_stime.tv_usec / 1000,
	    roster_memory(r) >> 20, used.ru_maxrss >> 10);
	return 0;
}

static struct roster *
begin(const char *state, struct fault *f)
{
	struct roster *r;

	if (state == NULL)
		return roster_new(f);
	if ((r = roster_load(state, f)) != NULL)
		return r;
	if (f->code != FAULT_ABSENT)
		fprintf(stderr, "state: %s\n", f->text);
	return roster_new(f);
}

int
main(int argc, char **argv)
{
	struct roster_source_conf c = { .name = "x" };
	const char *state = NULL;
	bool following = false, quiet = false;
	struct fault f = { 0 };
	OWN_STRUCT(roster) r = NULL;
	int option;

	while ((option = getopt(argc, argv, "s:fq")) != -1) {
		if (option == 's')
			state = optarg;
		else if (option == 'f')
			following = true;
		else
			quiet = true;
	}
	for (int i = optind; i < argc; i++)
		set(&c, argv[i]);
	r = begin(state, &f);
	if (r == NULL ||
	    (following ? follow(&c, r, state, &f) : once(&c, r, quiet, &f)) <
		0 ||
	    (state != NULL && roster_save(r, state, &f) < 0)) {
		fprintf(stderr, "roster_says: %s\n", f.text);
		return fault_exit_status(f.code);
	}
	return 0;
}
