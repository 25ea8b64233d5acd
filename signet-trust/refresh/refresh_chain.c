/* A CA that another one signed is of use only with that one. */
#include "anchor/anchor_source.h"
#include "base/fault.h"
#include "base/text.h"
#include "refresh.h"

#include <string.h>

/* Whether ${parent} is above ${ca}.  A signature that nobody can check any
 * more is told: the pins said which certificate it is. */
static bool
is_above(struct refresh_ca *ca, const struct cert *parent)
{
	struct fault why = { 0 }, ignored = { 0 };

	if (!dn_equal(&ca->cert->issuer, &parent->subject))
		return false;
	if (judge_parent(ca->cert, parent, &why) == 0)
		return true;
	if (why.code != FAULT_UNSUPPORTED)
		return false;
	(void)!want_say(&ca->news, &ignored,
	    "the signature of its issuer cannot be checked: %s", why.text);
	return true;
}

/* Whether the run has a good one above ${ca}, which rests itself: two that
 * signed one another rest on nothing. */
static bool
above_here(struct refresh_ca *ca)
{
	const struct refresh *r = ca->run;

	for (size_t i = 0; i < r->count; i++)
		if (r->ca[i].grounded && &r->ca[i] != ca &&
		    is_above(ca, r->ca[i].cert))
			return true;
	return false;
}

/* Whether a certificate of ${hash} is ours, so that it goes unless it is asked
 * for. */
struct ours {
	const char *hash;
	bool found;
};

static void
note_ours(void *arg, const struct house_note *note)
{
	struct ours *o = arg;
	const char *ending = note->name + strlen(o->hash);

	if (note->what == HOUSE_GONE && text_starts(note->name, o->hash) &&
	    ending[0] == '.' && ending[1] >= '0' && ending[1] <= '9')
		o->found = true;
}

/* Whether this run leaves what is installed of ${hash} where it is: it has no
 * good description, was not chosen this time, or is somebody else's.  Of ours,
 * what nobody asks for any more goes. */
static int
stays(const struct refresh *r, const char *hash, struct fault *f)
{
	struct ours ours = { .hash = hash };
	bool looked_at = false;

	for (size_t i = 0; i < r->count; i++) {
		if (strcmp(r->ca[i].want->hash, hash) != 0)
			continue;
		if (r->ca[i].state == REFRESH_BROKEN)
			return 1;
		looked_at = true;
	}
	if (looked_at)
		return 0;
	if (!r->only && house_compare(r->house, note_ours, &ours, f) < 0)
		return -1;
	return !ours.found;
}

/* Whether one that stays installed is above it. */
static int
above_there(struct refresh_ca *ca, const struct anchor_set *there,
    struct fault *f)
{
	int answer = 0;

	for (size_t i = 0; answer == 0 && i < there->count; i++)
		if (there->item[i]->cert != NULL &&
		    is_above(ca, there->item[i]->cert))
			answer = stays(ca->run, there->item[i]->hash, f);
	return answer;
}

/* Whether who signed it will be installed, or nobody else had to. */
static int
rests(struct refresh_ca *ca, const struct anchor_set *there, struct fault *f)
{
	if (cert_is_self_issued(ca->cert) || above_here(ca))
		return 1;
	return above_there(ca, there, f);
}

/* One round: *${again} if a CA was found to rest, since those below it may rest
 * on it. */
static int
look(struct refresh *r, const struct anchor_set *there, bool *again,
    struct fault *f)
{
	*again = false;
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];
		int holds;

		if (ca->state != REFRESH_GOOD || ca->grounded)
			continue;
		if ((holds = rests(ca, there, f)) < 0)
			return -1;
		ca->grounded = holds > 0;
		*again = *again || ca->grounded;
	}
	return 0;
}

/* Those that rest on nothing are not installed. */
static int
drop(struct refresh *r, struct fault *f)
{
	for (size_t i = 0; i < r->count; i++) {
		struct refresh_ca *ca = &r->ca[i];
		char name[DN_TEXT_MAX];

		if (ca->state != REFRESH_GOOD || ca->grounded)
			continue;
		ca->state = REFRESH_FAILED;
		if (dn_show_slash(&ca->cert->issuer, name, sizeof(name)) < 0)
			memcpy(name, "?", 2);
		if (want_say(&ca->errors, f,
			"Dependency check failed: its issuer \"%s\" is not "
			"installed",
			name) < 0)
			return -1;
	}
	return 0;
}

int
refresh_chain(struct refresh *r, struct fault *f)
{
	struct anchor_set there = { 0 };
	struct fault why = { 0 };
	bool again = true;
	int result = 0;

	/* A directory that does not exist has nothing. */
	(void)!source_directory(&there, r->world->conf.target, &why);
	while (result == 0 && again)
		result = look(r, &there, &again, f);
	anchor_set_clear(&there);
	return result == 0 ? drop(r, f) : -1;
}
