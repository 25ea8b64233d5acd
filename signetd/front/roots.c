#include "signetd/front/roots.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/text.h"
#include "myproxy/myproxy_text.h"
#include "myproxy/trustroots.h"
#include "signetd/front/reply.h"
#include "trust/store.h"
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
	struct trust_store *store;
	struct reply *reply; /* NULL: not made yet */
	int64_t checked;     /* clock_mono() of the last look */
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
	roots->store = trust_load(dir, true, complain, NULL, f);
	return roots->store != NULL ? TAKE(roots) : NULL;
}

void
roots_free(struct roots *roots)
{
	if (roots == NULL)
		return;
	trust_free(roots->store);
	reply_drop(roots->reply);
	free(roots->dir);
	free(roots);
}

void
roots_demand(struct roots *roots, unsigned flags)
{
	trust_demand(roots->store, flags);
}

void
roots_look(struct roots *roots, int64_t now)
{
	struct fault f = { 0 };
	struct trust_store *fresh;

	if (now - roots->checked < CHECK_MS)
		return;
	roots->checked = now;
	if (!trust_changed(roots->store))
		return;
	fresh = trust_reload(roots->store, complain, NULL, &f);
	if (fresh == NULL) {
		log_fault(&f, NULL);
		return;
	}
	trust_free(roots->store);
	roots->store = fresh;
	reply_drop(roots->reply);
	roots->reply = NULL;
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
	if (trust_verify(roots->store, chain, clock_wall(), 0, &verdict, f) < 0)
		return NULL;
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
		    trust_find_issuer(roots->store, top);

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
