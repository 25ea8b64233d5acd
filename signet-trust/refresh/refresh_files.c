/* What the directory is to have. */
#include "anchor/anchor_body.h"
#include "anchor/anchor_policy.h"
#include "base/fault.h"
#include "base/text.h"
#include "refresh.h"

#include <limits.h>
#include <string.h>

#define NAME_SIZE 64

/* How the files of a CA are named: by one hash, and by the other too. */
struct naming {
	struct house *house;
	const char *hash;
	const char *old; /* NULL: not wanted */
};

static int
put(const struct naming *n, const char *ending, const struct buf *body,
    struct fault *f)
{
	char file[NAME_SIZE], other[NAME_SIZE];

	if (body->failed)
		return fault_set(f, FAULT_MEMORY, "%s", ending);
	(void)snprintf(file, sizeof(file), "%s.%s", n->hash, ending);
	if (house_put(n->house, file,
		(struct wire_bytes){ body->data, body->len }, f) < 0)
		return -1;
	if (n->old == NULL)
		return 0;
	(void)snprintf(other, sizeof(other), "%s.%s", n->old, ending);
	return house_link(n->house, other, file, f);
}

static int
put_crl_url(const struct naming *n, const struct anchor_want *want,
    struct fault *f)
{
	OWN_BUF(text, 65536);

	for (size_t i = 0; i < want->crl[0].urls.count; i++)
		buf_fmt(&text, "%s\n", want->crl[0].urls.item[i]);
	return text.len > 0 ? put(n, "crl_url", &text, f) : 0;
}

static int
put_text(const struct naming *n, const char *ending, const char *text,
    struct fault *f)
{
	OWN_BUF(body, WANT_POLICY_MAX + 2);

	buf_text(&body, text);
	return put(n, ending, &body, f);
}

/* Whether our verifier is told that the CA needs no list.  Who installs by the
 * old name finds the files there that it had. */
static bool
may_lack_crl(const struct refresh_ca *ca)
{
	return ca->want->allow_missing_crl && !ca->run->world->old;
}

static int
put_policy(struct refresh_ca *ca, const struct naming *n, struct fault *f)
{
	const struct anchor_want *want = ca->want;
	OWN_BUF(policy, (size_t)4 * WANT_POLICY_MAX);

	if (want->policy == NULL && want->from != WANT_CADESC)
		return want_say(&ca->warnings, f,
		    "It has no signing_policy: Globus software refuses it");
	if (anchor_policy(want, ca->run->world->conf.gt3, &policy, f) < 0 ||
	    put(n, "signing_policy", &policy, f) < 0)
		return -1;
	if (want->signs_nobody)
		return want_say(&ca->warnings, f,
		    "Its signing_policy has no entry for it: nobody whom it "
		    "signed is accepted");
	if (want->from == WANT_CADESC && want->may_sign.count == 0)
		return want_say(&ca->errors, f, "No valid signing_policy");
	return 0;
}

/* Several CAs of one hash share these files: the first one's stay. */
static int
put_texts(struct refresh_ca *ca, const struct naming *n, struct fault *f)
{
	const struct anchor_want *want = ca->want;

	if (ca->place > 0)
		return 0;
	if (put_policy(ca, n, f) < 0)
		return -1;
	if (may_lack_crl(ca) &&
	    put_text(n, "crl_optional", "# By allow-missing-crl.\n", f) < 0)
		return -1;
	if (want->namespaces != NULL &&
	    put_text(n, "namespaces", want->namespaces, f) < 0)
		return -1;
	return ca->run->world->conf.crl_url_files ? put_crl_url(n, want, f) : 0;
}

static int
put_ca(struct refresh_ca *ca, struct fault *f)
{
	struct naming n = { ca->run->house, ca->want->hash, NULL };
	OWN_BUF(pem, (size_t)4 * CERT_MAX);
	char ending[16], old[9];

	if (ca->run->world->conf.old_hash) {
		if (dn_hash_old(&ca->cert->subject, old, f) < 0)
			return -1;
		n.old = old;
	}
	(void)snprintf(ending, sizeof(ending), "%zu", ca->place);
	body_cert_put(&pem, ca->cert);
	if (put(&n, ending, &pem, f) < 0)
		return -1;
	for (size_t i = 0; i < ca->want->crls; i++) {
		if (!ca->crl[i].have)
			continue;
		(void)snprintf(ending, sizeof(ending), "r%zu",
		    ca->crl[i].place);
		if (put(&n, ending, &ca->crl[i].pem, f) < 0)
			return -1;
		/* It may be large, and is in the house now. */
		buf_free(&ca->crl[i].pem);
	}
	return put_texts(ca, &n, f);
}

/* Names of files that the house would remove. */
struct leaving {
	struct refresh *run;
	struct want_list names;
	struct fault *f;
	int result;
};

/* Whether the CAs of hash ${name} are ones that this run decides on, so that
 * what it does not put is to go. */
static bool
decided(const struct refresh *r, const char *name)
{
	bool found = false;

	for (size_t i = 0; i < r->count; i++) {
		const struct refresh_ca *ca = &r->ca[i];
		struct fault why = { 0 };
		char old[9] = "";

		if (ca->cert != NULL &&
		    dn_hash_old(&ca->cert->subject, old, &why) < 0)
			old[0] = '\0';
		if (strncmp(name, ca->want->hash, 8) != 0 &&
		    (old[0] == '\0' || strncmp(name, old, 8) != 0))
			continue;
		if (ca->state == REFRESH_BROKEN)
			return false;
		found = true;
	}
	return found || !r->only;
}

static void
note_leaving(void *arg, const struct house_note *note)
{
	struct leaving *l = arg;

	if (note->what != HOUSE_GONE || l->result < 0 ||
	    decided(l->run, note->name))
		return;
	l->result = want_list_add(&l->names, note->name, l->f);
}

/* What this run does not decide on stays as it is. */
static int
keep_others(struct refresh *r, struct fault *f)
{
	struct leaving l = { .run = r, .f = f };
	int result = house_compare(r->house, note_leaving, &l, f);

	if (result == 0)
		result = l.result;
	for (size_t i = 0; result == 0 && i < l.names.count; i++) {
		struct fault why = { 0 };

		if (house_keep(r->house, l.names.item[i], &why) < 0 &&
		    why.code != FAULT_ABSENT) {
			*f = why;
			result = -1;
		}
	}
	want_list_clear(&l.names);
	return result;
}

struct noting {
	struct refresh *run;
	struct fault *f;
	int result;
};

static void
note_change(void *arg, const struct house_note *note)
{
	struct noting *n = arg;

	if (n->result == 0)
		n->result = refresh_note(n->run, note, n->f);
	if (note->what != HOUSE_FOREIGN)
		n->run->changed = true;
}

int
refresh_note(struct refresh *r, const struct house_note *note, struct fault *f)
{
	char text[NAME_MAX + 32];

	if (text_fmt(text, sizeof(text), "%s %s", house_what_word(note->what),
		note->name) < 0)
		return fault_set(f, FAULT_INTERNAL, "a name too long");
	return want_list_add(&r->changes, text, f);
}

/* Where ${ca} goes beside ${before}, which has its hash and comes first. */
static void
go_behind(struct refresh_ca *ca, const struct refresh_ca *before)
{
	/* Of a broken one what is there stays. */
	bool stays = before->state == REFRESH_BROKEN;

	if (!stays && before->state != REFRESH_GOOD)
		return;
	ca->place++;
	for (size_t i = 0; i < before->want->crls; i++)
		if (stays || before->crl[i].have)
			ca->crl[0].place++;
}

/* Files of one hash are numbered through: who looks for them stops where a
 * number is missing. */
static void
number(struct refresh *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];

		for (size_t k = 0; k < i; k++)
			if (strcmp(r->ca[k].want->hash, ca->want->hash) == 0)
				go_behind(ca, &r->ca[k]);
		for (size_t k = 1; k < WANT_CRLS_MAX; k++)
			ca->crl[k].place =
			    ca->crl[k - 1].place + ca->crl[k - 1].have;
	}
}

int
refresh_files(struct refresh *r, struct fault *f)
{
	struct noting noting = { r, f, 0 };

	number(r);
	for (size_t i = 0; i < r->count; i++)
		if (r->ca[i].state == REFRESH_GOOD && put_ca(&r->ca[i], f) < 0)
			return fault_wrap(f, "%s", r->ca[i].want->hash);
	if (keep_others(r, f) < 0)
		return -1;
	if (house_compare(r->house, note_change, &noting, f) < 0)
		return -1;
	return noting.result;
}
