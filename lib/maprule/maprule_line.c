/* What becomes of a name that is claimed. */
#include "base/fault.h"
#include "maprule/maprule_work.h"

#include <stdlib.h>
#include <string.h>

static struct maprule_line
line_of(const struct maprule_making *m, const struct maprule_claim *claim,
    const char *accounts)
{
	const struct maprule_part *part = m->part;

	return (struct maprule_line){ .name = m->name,
		.accounts = accounts,
		.rule = part->uses[claim->use].rule->label,
		.source =
		    roster_source_name(part->roster, claim->person.source),
		.entry = claim->person.where,
		.principal = claim->person.principal };
}

static void
lose(struct maprule_making *m, enum maprule_loss loss, const char *account)
{
	struct maprule_line line = line_of(m, m->claim, "");

	if (m->stats != NULL)
		m->stats->lost[loss]++;
	if (m->hear->loss != NULL)
		m->hear->loss(m->hear->arg, loss, &line, account);
}

static bool
has_account(const struct buf *accounts, const char *account)
{
	const char *at = (const char *)accounts->data;
	const char *end = at + accounts->len;
	size_t want = strlen(account);

	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		size_t len =
		    comma == NULL ? (size_t)(end - at) : (size_t)(comma - at);

		if (len == want && memcmp(at, account, len) == 0)
			return true;
		at += len + 1;
	}
	return false;
}

static int
add_account(void *arg, const char *account)
{
	struct maprule_making *m = arg;
	enum maprule_loss loss;
	int good;

	if (has_account(m->accounts, account))
		return 0;
	good = maprule_account_judge(m->part, m->claim, account, &loss, m->f);
	if (good < 0)
		return -1;
	if (good == 0) {
		lose(m, loss, account);
		return 0;
	}
	if (m->count == MAPRULE_LINE_ACCOUNTS)
		return 0;
	if (m->accounts->len > 0)
		buf_put_u8(m->accounts, ',');
	buf_text(m->accounts, account);
	m->count++;
	return 0;
}

static int
add_accounts(struct maprule_making *m, const struct maprule_claim *claim)
{
	m->claim = claim;
	return maprule_claim_accounts(m->part, claim, add_account, m, m->f);
}

/* The bans have their last word, on what is about to leave. */
static int
last_look(struct maprule_making *m, const struct maprule_line *line,
    bool *forbidden)
{
	const struct maprule_ban *ban;
	char account[ROSTER_ACCOUNT_SIZE];
	const char *at = line->accounts;
	int result = maprule_forbids(m->part, line->name, NULL, &ban, m->f);

	while (result == 0 && *at != '\0') {
		size_t len = strcspn(at, ",");

		if (len >= sizeof(account))
			return fault_set(m->f, FAULT_INTERNAL,
			    "a long account");
		memcpy(account, at, len);
		account[len] = '\0';
		result = maprule_forbids(m->part, NULL, account, &ban, m->f);
		at += len + (at[len] == ',');
	}
	*forbidden = result > 0;
	return result < 0 ? -1 : 0;
}

/* Whether ${claim} gives the same default as the line that won. */
static int
same_default(void *arg, const char *account)
{
	const struct maprule_line *won = arg;
	size_t len = strcspn(won->accounts, ",");

	return strlen(account) == len &&
		memcmp(account, won->accounts, len) == 0
	    ? 1
	    : 2;
}

static bool
has_others(const struct maprule_part *part, const struct maprule_claim *won)
{
	for (size_t i = 0; i < part->found_count; i++)
		if (part->found[i].person.id != won->person.id)
			return true;
	return false;
}

/* Each other claimant once: claims of one person stand under several rules. */
static int
tell_conflicts(struct maprule_making *m, const struct maprule_claim *won,
    const struct maprule_line *line)
{
	const struct maprule_part *part = m->part;
	bool all = part->service->accounts == MAPRULE_ACCOUNTS_ALL;

	for (size_t i = 0; i < part->found_count; i++) {
		const struct maprule_claim *c = &part->found[i];
		struct maprule_line other = line_of(m, c, "");
		struct maprule_conflict conflict = { line, &other };
		bool seen = c->person.id == won->person.id ||
		    (all && (c->line || won->line));

		for (size_t j = 0; j < i && !seen; j++)
			seen = part->found[j].person.id == c->person.id;
		if (seen ||
		    maprule_claim_accounts(m->part, c, same_default,
			&(struct maprule_line){ .accounts = line->accounts },
			m->f) != 2)
			continue;
		if (m->stats != NULL)
			m->stats->conflicts++;
		if (m->hear->conflict != NULL)
			m->hear->conflict(m->hear->arg, &conflict);
	}
	return 0;
}

/*
 * A name belongs to the person who has the best claim; what others say of it is
 * a conflict.  Lines of files and lists are nobody's: they stand beside.
 */
static const struct maprule_claim *
owner_of(const struct maprule_part *part)
{
	for (size_t i = 0; i < part->found_count; i++)
		if (!part->found[i].line)
			return &part->found[i];
	return NULL;
}

static int
collect(struct maprule_making *m, const struct maprule_claim **won)
{
	const struct maprule_part *part = m->part;
	const struct maprule_claim *owner = owner_of(part);
	bool all = part->service->accounts == MAPRULE_ACCOUNTS_ALL;

	for (size_t i = 0; i < part->found_count; i++) {
		const struct maprule_claim *c = &part->found[i];

		if (!c->line && c->person.id != owner->person.id)
			continue;
		if (add_accounts(m, c) < 0)
			return -1;
		if (m->accounts->len == 0)
			continue;
		if (*won == NULL)
			*won = c;
		if (!all)
			break;
	}
	return 0;
}

int
maprule_make_line(struct maprule_making *m)
{
	const struct maprule_claim *won = NULL;
	struct maprule_line line;
	bool forbidden;

	m->accounts = &m->part->text;
	buf_clear(m->accounts);
	m->count = 0;
	if (collect(m, &won) < 0)
		return -1;
	if (won == NULL) {
		if (m->hear->gone != NULL)
			m->hear->gone(m->hear->arg, m->name);
		return 0;
	}
	if (buf_cstr(m->accounts) == NULL)
		return fault_set(m->f, FAULT_MEMORY, "no memory for accounts");
	line = line_of(m, won, (const char *)m->accounts->data);
	if (last_look(m, &line, &forbidden) < 0)
		return -1;
	if (forbidden) {
		m->claim = won;
		lose(m, MAPRULE_LOSS_INTERNAL, line.accounts);
		if (m->hear->gone != NULL)
			m->hear->gone(m->hear->arg, m->name);
		return 0;
	}
	if (m->stats != NULL)
		m->stats->names++;
	if (has_others(m->part, won) && tell_conflicts(m, won, &line) < 0)
		return -1;
	return m->hear->line != NULL ? m->hear->line(m->hear->arg, &line) : 0;
}
