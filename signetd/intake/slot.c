/*
 * The request directory: what is announced there is taken, and the answer laid
 * beside it.
 */
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "signetd/intake/intake.h"

#include <stdlib.h>
#include <string.h>

#define TURN 8 /* requests taken before others have a chance */
#define SWEEP_MS 5000
#define SWEEP_MOST 4096u

/* A request that is being worked on. */
struct letter {
	struct letter *next;
	struct letter **at; /* what points to it */
	struct slot *slot;
	char id[DROP_ID_SIZE];
};

struct slot {
	struct intake *intake;
	struct drop drop;
	bool claimed;
	bool waited; /* it was said that another serves it */
	struct loop_watch *watch;
	struct loop_timer *again;
	struct letter *letters;
	struct drop_taken taken;
	int64_t sweep_at;
};

struct slot *
slot_open(struct intake *in, const char *path, uid_t owner, gid_t group,
    struct fault *f)
{
	struct slot *slot = calloc(1, sizeof(*slot));

	if (slot == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "no room for requests");
		return NULL;
	}
	slot->intake = in;
	if (drop_open(&slot->drop, path, owner, group, f) == 0)
		return slot;
	(void)fault_wrap(f, "issue-directory");
	free(slot);
	return NULL;
}

/* ---- letters */

static struct letter *
new_letter(struct slot *slot, const char id[DROP_ID_SIZE])
{
	struct letter *letter = calloc(1, sizeof(*letter));

	if (letter == NULL)
		return NULL;
	letter->slot = slot;
	memcpy(letter->id, id, sizeof(letter->id));
	letter->next = slot->letters;
	letter->at = &slot->letters;
	if (letter->next != NULL)
		letter->next->at = &letter->next;
	slot->letters = letter;
	return letter;
}

static void
answer(void *arg, const struct buf *bytes)
{
	struct letter *letter = arg;
	struct slot *slot = letter->slot;
	struct fault f = { 0 };

	if (drop_answer(&slot->drop, letter->id, bytes, &f) < 0)
		log_fault(&f, NULL);
	*letter->at = letter->next;
	if (letter->next != NULL)
		letter->next->at = letter->at;
	free(letter);
	intake_ended(slot->intake);
}

/* ---- what is announced */

/* It is ours: who it is from decides what becomes of it. */
static void
open_letter(struct slot *slot, enum drop_found found, const struct fault *why)
{
	const struct drop_taken *taken = &slot->taken;
	struct letter *letter = new_letter(slot, taken->id);
	struct call_from from = { "directory", answer, letter };

	/* With no memory its client hears by the next sweep. */
	if (letter == NULL)
		return;
	if (found == DROP_BAD) {
		call_refuse(&from, why);
		return;
	}
	from.account = intake_account(slot->intake, taken->owner);
	if (from.account == NULL) {
		intake_turn_away(slot->intake, taken->owner, false, answer,
		    letter);
		return;
	}
	drop_seen(&slot->drop, taken);
	call_begin(slot->intake->calls, &from, taken->data, taken->len,
	    clock_mono());
}

static bool
take_one(struct slot *slot)
{
	struct fault f = { 0 };
	enum drop_found found = drop_take(&slot->drop, &slot->taken, &f);

	if (found == DROP_TAKEN || found == DROP_BAD)
		open_letter(slot, found, &f);
	else if (f.code == FAULT_DENIED)
		log_fault(&f, NULL);
	return found != DROP_NONE;
}

static void
look(struct slot *slot)
{
	int turn = 0;

	if (!slot->claimed || slot->intake->draining ||
	    slot->intake->auth == NULL || slot->intake->issuer == NULL)
		return;
	/* When there is no room, the link stays, and who comes next waits. */
	while (turn < TURN && call_room(slot->intake->calls) && take_one(slot))
		turn++;
	if (turn == TURN)
		slot_wake(slot);
}

/* Not from within a handler of ours: answers would nest in answers. */
void
slot_wake(struct slot *slot)
{
	loop_timer_set(slot->again, 0);
}

static void
announced(void *arg, int fd, unsigned what)
{
	struct slot *slot = arg;

	(void)fd;
	(void)what;
	drop_quiet(&slot->drop);
	look(slot);
}

static void
look_again(void *arg)
{
	look(arg);
}

/* ---- what is left */

static bool
busy(void *arg, const char id[DROP_ID_SIZE])
{
	const struct slot *slot = arg;

	for (const struct letter *l = slot->letters; l != NULL; l = l->next)
		if (strcmp(l->id, id) == 0)
			return true;
	return false;
}

/* Whether it was signed we do not know, so it is not begun again. */
static void
lost(void *arg, const char id[DROP_ID_SIZE])
{
	struct slot *slot = arg;
	const struct call_from from = { "directory", answer,
		new_letter(slot, id) };
	struct fault f = { 0 };

	if (from.arg == NULL)
		return;
	(void)fault_set(&f, FAULT_FAILED,
	    "it was taken by a process that has ended since");
	call_refuse(&from, &f);
}

static void
sweep(struct slot *slot)
{
	const struct drop_keeper keeper = { busy, lost, slot };
	struct fault f = { 0 };

	if (drop_sweep(&slot->drop, &keeper, clock_wall(), SWEEP_MOST, &f) < 0)
		log_fault(&f, NULL);
}

/* While another serves it, which may be one who is about to end, we wait. */
static int
claim(struct slot *slot, struct fault *f)
{
	if (drop_claim(&slot->drop, f) == 0) {
		slot->claimed = true;
		sweep(slot);
		look(slot);
		return 0;
	}
	if (f->code != FAULT_DENIED)
		return -1;
	if (!slot->waited)
		log_fault(f, NULL);
	slot->waited = true;
	f->code = FAULT_NONE;
	return 0;
}

int
slot_start(struct slot *slot, struct fault *f)
{
	struct loop *loop = slot->intake->role->loop;

	slot->again = loop_timer_new(loop, look_again, slot, f);
	slot->watch = loop_watch_new(loop, slot->drop.watch, LOOP_READ,
	    announced, slot, f);
	if (slot->again == NULL || slot->watch == NULL)
		return -1;
	return claim(slot, f);
}

void
slot_tick(struct slot *slot, int64_t now)
{
	struct fault f = { 0 };

	if (!slot->claimed) {
		if (claim(slot, &f) < 0)
			log_fault(&f, NULL);
		return;
	}
	if (now >= slot->sweep_at) {
		slot->sweep_at = now + SWEEP_MS;
		sweep(slot);
	}
	/* Should the kernel have had more events than it keeps. */
	look(slot);
}
