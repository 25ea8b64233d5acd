/* Which slot has the token that is meant. */
#include "base/text.h"
#include "token/token_part.h"
#include "token/token_rv.h"

#include <string.h>

#define SLOTS_MAX 256
#define LABELS_SIZE 100

/* A field of CK_TOKEN_INFO: padded with blanks, some pad with NULs. */
static void
unpad(char *to, const CK_UTF8CHAR *field, size_t len)
{
	while (len > 0 && (field[len - 1] == ' ' || field[len - 1] == '\0'))
		len--;
	memcpy(to, field, len);
	to[len] = '\0';
	/* What is no text matches nothing and is not shown. */
	if (!text_utf8(to, len))
		to[0] = '\0';
}

CK_RV
token_look(struct token *token, CK_SLOT_ID slot, CK_TOKEN_INFO *raw,
    struct token_info *info)
{
	CK_RV rv = token->module->call->C_GetTokenInfo(slot, raw);

	if (rv != CKR_OK)
		return rv;
	unpad(info->label, raw->label, sizeof(raw->label));
	unpad(info->manufacturer, raw->manufacturerID,
	    sizeof(raw->manufacturerID));
	unpad(info->model, raw->model, sizeof(raw->model));
	unpad(info->serial, raw->serialNumber, sizeof(raw->serialNumber));
	info->slot = slot;
	info->pin_low = (raw->flags & CKF_USER_PIN_COUNT_LOW) != 0;
	info->pin_final = (raw->flags & CKF_USER_PIN_FINAL_TRY) != 0;
	info->pin_locked = (raw->flags & CKF_USER_PIN_LOCKED) != 0;
	info->pin_pad = (raw->flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	return CKR_OK;
}

/* What is not said matches anything. */
static bool
fits(const char *said, const char *found)
{
	return said[0] == '\0' || strcmp(said, found) == 0;
}

static bool
is_named(const struct token_uri *which, const struct token_info *info)
{
	return fits(which->token, info->label) &&
	    fits(which->manufacturer, info->manufacturer) &&
	    fits(which->model, info->model) &&
	    fits(which->serial, info->serial) &&
	    (!which->has_slot || which->slot == info->slot);
}

bool
token_matches(const struct token *token, const struct token_info *info)
{
	return is_named(&token->which, info) &&
	    fits(token->pinned, info->serial);
}

struct search {
	unsigned found;
	bool stranger; /* what is named, but for the serial of before */
	char serial[17];
	char labels[LABELS_SIZE]; /* of others, in quotes */
	struct token_info info;
	CK_RV rv; /* the last answer of a slot that could not be read */
};

/* As many labels as there is room for. */
static void
note_label(struct search *search, const char *label)
{
	char *end = search->labels + strlen(search->labels);
	const size_t room =
	    sizeof(search->labels) - (size_t)(end - search->labels);

	if (text_fmt(end, room, "%s\"%s\"", end == search->labels ? "" : ", ",
		label) < 0)
		*end = '\0';
}

static void
look_into(struct token *token, CK_SLOT_ID slot, struct search *search)
{
	struct token_info info = token->info;
	CK_TOKEN_INFO raw;
	CK_RV rv = token_look(token, slot, &raw, &info);

	if (rv != CKR_OK && rv != CKR_TOKEN_NOT_PRESENT)
		search->rv = rv;
	if (rv != CKR_OK || (raw.flags & CKF_TOKEN_INITIALIZED) == 0)
		return;
	if (token_matches(token, &info)) {
		search->found++;
		search->info = info;
		return;
	}
	if (is_named(&token->which, &info)) {
		search->stranger = true;
		memcpy(search->serial, info.serial, sizeof(info.serial));
	} else {
		note_label(search, info.label);
	}
}

static CK_RV
list_slots(struct token *token, CK_SLOT_ID slots[SLOTS_MAX], CK_ULONG *count)
{
	CK_FUNCTION_LIST *call = token->module->call;
	/* Only this question makes a module look for new slots (PKCS#11 2.40,
	 * 5.5). */
	CK_RV rv = call->C_GetSlotList(CK_TRUE, NULL, count);

	*count = SLOTS_MAX;
	return rv != CKR_OK ? rv : call->C_GetSlotList(CK_TRUE, slots, count);
}

/* A label that is misspelt is seen beside those that there are. */
static void
say_absent(const struct token *token, const struct search *search,
    struct fault *f)
{
	const struct token_uri *which = &token->which;
	const bool narrow = which->serial[0] != '\0' ||
	    which->model[0] != '\0' || which->manufacturer[0] != '\0' ||
	    which->has_slot;
	const bool others = search->labels[0] != '\0';

	if (which->token[0] != '\0')
		(void)fault_set(f, FAULT_ABSENT,
		    "there is no token \"%s\"%s: the module has %s",
		    which->token, narrow ? " as it is described" : "",
		    others ? search->labels : "none");
	else if (others)
		(void)fault_set(f, FAULT_ABSENT,
		    "the token is not there: the module has %s",
		    search->labels);
	else
		(void)fault_set(f, FAULT_ABSENT, "the token is not there");
}

static void
conclude(struct token *token, const struct search *search)
{
	struct fault f = { 0 };

	if (search->found == 1) {
		token->slot = (CK_SLOT_ID)search->info.slot;
		(void)pthread_mutex_lock(&token->lock);
		token->info = search->info;
		(void)pthread_mutex_unlock(&token->lock);
		(void)fault_set(&f, FAULT_SUSPENDED,
		    "token %s waits for its PIN", search->info.serial);
		token_enter(token, TOKEN_NEEDS_PIN, &f);
		return;
	}
	if (search->found > 1)
		(void)fault_set(&f, FAULT_CONFIG,
		    "%u tokens match: say which by serial=", search->found);
	else if (search->stranger)
		(void)fault_set(&f, FAULT_CONFIG,
		    "there is a token with serial number %s, not %s",
		    search->serial, token->pinned);
	else if (search->rv != CKR_OK)
		(void)token_rv_fault(&f, search->rv, "C_GetTokenInfo");
	else
		say_absent(token, search, &f);
	token_enter(token, TOKEN_ABSENT, &f);
}

void
token_find(struct token *token)
{
	struct search search = { .rv = CKR_OK };
	CK_SLOT_ID slots[SLOTS_MAX];
	CK_ULONG count = 0;
	CK_RV rv = list_slots(token, slots, &count);
	struct fault f = { 0 };

	if (rv != CKR_OK) {
		(void)token_rv_fault(&f, rv, "C_GetSlotList");
		token_enter(token, TOKEN_BROKEN, &f);
		return;
	}
	for (CK_ULONG i = 0; i < count; i++)
		look_into(token, slots[i], &search);
	conclude(token, &search);
}
