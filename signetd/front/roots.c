#include "signetd/front/roots.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "myproxy/myproxy_text.h"
#include "myproxy/trustroots.h"
#include "signetd/front/reply.h"
#include "sys/loop.h"
#include "trust/upkeep.h"
#include "trust/verify.h"
#include "x509/pem.h"

#include <sys/stat.h>

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define CHECK_MS 1000
#define REPLY_MAX (TRUSTROOTS_MAX + 4096)
#define CHAIN_STEPS 16

struct roots {
	char *dir;
	bool serve;
	struct upkeep *upkeep;
	const struct trust_store *shown; /* that ${reply} is of */
	struct reply *reply;		 /* NULL: not made yet */
	int64_t checked;		 /* clock_mono() of the last look */
	struct loop_timer *turn;	 /* NULL: not on a loop */
	roots_news_fn *news;
	void *arg;
};

static void
complain(void *arg, const char *file, const struct fault *f)
{
	struct fault told = *f;

	(void)arg;
	(void)fault_wrap(&told, "%s", file);
	log_fault(&told, NULL);
}

struct roots *
roots_new(const char *dir, bool serve, struct fault *f)
{
	OWN_STRUCT(roots) roots = calloc(1, sizeof(*roots));

	if (roots == NULL || (roots->dir = strdup(dir)) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for trust roots");
		return NULL;
	}
	roots->serve = serve;
	roots->checked = clock_mono();
	roots->upkeep = upkeep_new(dir, true, complain, NULL, f);
	if (roots->upkeep == NULL)
		return NULL;
	roots->shown = upkeep_store(roots->upkeep);
	return TAKE(roots);
}

void
roots_free(struct roots *roots)
{
	if (roots == NULL)
		return;
	upkeep_free(roots->upkeep);
	loop_timer_free(roots->turn);
	reply_drop(roots->reply);
	free(roots->dir);
	free(roots);
}

void
roots_demand(struct roots *roots, unsigned flags)
{
	trust_demand(upkeep_store(roots->upkeep), flags);
}

void
roots_serve(struct roots *roots, bool serve)
{
	roots->serve = serve;
}

/* After whatever may have changed something. */
static void
settle(struct roots *roots)
{
	const struct trust_store *store = upkeep_store(roots->upkeep);

	if (store != roots->shown) {
		roots->shown = store;
		reply_drop(roots->reply);
		roots->reply = NULL;
	}
	if (roots->turn != NULL && upkeep_busy(roots->upkeep))
		loop_timer_set(roots->turn, 0);
}

/* Others have their turn between one piece and the next. */
static void
take_turn(void *arg)
{
	struct roots *roots = arg;
	struct fault f = { 0 };

	if (upkeep_turn(roots->upkeep, &f) < 0)
		log_fault(&f, NULL);
	settle(roots);
	if (upkeep_news(roots->upkeep))
		roots->news(roots->arg);
}

int
roots_attend(struct roots *roots, struct loop *loop, roots_news_fn *news,
    void *arg, struct fault *f)
{
	roots->news = news;
	roots->arg = arg;
	roots->turn = loop_timer_new(loop, take_turn, roots, f);
	return roots->turn == NULL ? -1 : 0;
}

int
roots_renew(struct roots *roots, const char *dir, struct fault *f)
{
	char *path = strdup(dir);

	if (path == NULL)
		return fault_set(f, FAULT_MEMORY, "no room for trust roots");
	if (upkeep_renew(roots->upkeep, dir, f) < 0) {
		free(path);
		return -1;
	}
	free(roots->dir);
	roots->dir = path;
	settle(roots);
	return 0;
}

void
roots_look(struct roots *roots, int64_t now)
{
	struct fault f = { 0 };

	if (now - roots->checked < CHECK_MS)
		return;
	roots->checked = now;
	if (upkeep_look(roots->upkeep, &f) < 0)
		log_fault(&f, NULL);
	settle(roots);
}

/* The folder that the link ${name} of ${dir} leads to; NULL if it is none. */
static char *
place_of(const char *dir, const char *name)
{
	OWN(char) target = NULL;
	struct stat st;
	char path[PATH_MAX];
	char *slash;

	if (text_fmt(path, sizeof(path), "%s/%s", dir, name) < 0 ||
	    lstat(path, &st) < 0 || !S_ISLNK(st.st_mode) ||
	    (target = realpath(path, NULL)) == NULL ||
	    (slash = strrchr(target, '/')) == NULL || slash == target)
		return NULL;
	*slash = '\0';
	return TAKE(target);
}

size_t
roots_places(const char *dir, char **places, size_t most)
{
	OWN(char) here = realpath(dir, NULL);
	DIR *d = opendir(dir);
	struct dirent *entry;
	size_t count = 0;

	while (d != NULL && count < most && (entry = readdir(d)) != NULL) {
		OWN(char) place = place_of(dir, entry->d_name);
		bool known =
		    place == NULL || (here != NULL && strcmp(place, here) == 0);

		for (size_t i = 0; i < count && !known; i++)
			known = strcmp(place, places[i]) == 0;
		if (!known)
			places[count++] = TAKE(place);
	}
	if (d != NULL)
		(void)closedir(d);
	return count;
}

char *
roots_judge(struct roots *roots, const struct cert_list *chain, bool *limited,
    struct fault *f)
{
	struct trust_verdict verdict;
	char text[DN_TEXT_MAX];
	char *identity;

	roots_look(roots, clock_mono());
	/* Old user certificates have usages that fit no rule: who it is
	 * matters here, not what the certificate was made for. */
	if (trust_verify(upkeep_store(roots->upkeep), chain, clock_wall(), 0,
		&verdict, f) < 0) {
		settle(roots); /* a list may be wanted now */
		return NULL;
	}
	if (dn_show_slash(&verdict.identity, text, sizeof(text)) < 0) {
		(void)fault_set(f, FAULT_UNTRUSTED, "a name too long to tell");
		return NULL;
	}
	if ((identity = strdup(text)) == NULL)
		(void)fault_set(f, FAULT_MEMORY, "a client's identity");
	*limited = verdict.limited;
	return identity;
}

/* What is not handed out, because it is not what its name says. */
static void
left_out(void *arg, const char *name, const struct fault *why)
{
	struct fault told = *why;

	(void)arg;
	(void)fault_wrap(&told, "not handed out: %s", name);
	log_fault(&told, NULL);
}

static struct reply *
reply_make(const char *dir, struct fault *f)
{
	OWN_STRUCT(reply) reply = calloc(1, sizeof(*reply));
	OWN_BUF(lines, REPLY_MAX);

	if (reply == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "trust roots");
		return NULL;
	}
	reply->users = 1;
	reply->data = BUF(REPLY_MAX);
	if (trustroots_write(dir, &lines, &reply->files, left_out, NULL, f) < 0)
		return NULL;
	myproxy_write_ok_lines(&reply->data, lines.data, lines.len);
	if (reply->data.failed) {
		(void)fault_set(f, FAULT_MEMORY, "trust roots");
		return NULL;
	}
	return TAKE(reply);
}

struct reply *
roots_reply(struct roots *roots)
{
	struct fault f = { 0 };

	if (!roots->serve)
		return NULL;
	roots_look(roots, clock_mono());
	if (roots->reply == NULL &&
	    (roots->reply = reply_make(roots->dir, &f)) == NULL) {
		log_fault(&f, NULL);
		return NULL;
	}
	return reply_use(roots->reply);
}

int
roots_complete(struct roots *roots, struct buf *chain, struct fault *f)
{
	struct cert_list list = { 0 };
	const struct cert *top;

	if (cert_list_read_pem(&list, chain->data, chain->len, f) < 0)
		return -1;
	if (list.count == 0)
		return 0;
	top = list.cert[list.count - 1];
	for (int i = 0; i < CHAIN_STEPS && !cert_is_self_issued(top); i++) {
		const struct trust_anchor *above =
		    trust_find_issuer(upkeep_store(roots->upkeep), top);

		if (above == NULL)
			break;
		top = above->cert;
		pem_put(chain, "CERTIFICATE",
		    (struct wire_bytes){ top->der, top->len });
	}
	cert_list_free(&list);
	if (chain->failed)
		return fault_set(f, FAULT_MEMORY, "the host's chain");
	return 0;
}
