#include "signetd/auth/talk.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 4096
#define SPARES 16

struct talk_table {
	size_t count; /* those that nobody listens to any more, too */
	/* Empty ones for the next pass phrases: a locked page costs several
	 * system calls to make and to give back. */
	size_t spares;
	struct secret *spare[SPARES];
	struct talk *row[ROWS];
};

struct talk_table *
talk_table_new(struct fault *f)
{
	struct talk_table *t = calloc(1, sizeof(*t));

	if (t == NULL)
		(void)fault_set(f, FAULT_MEMORY, "no room for conversations");
	return t;
}

void
talk_table_free(struct talk_table *t)
{
	if (t == NULL)
		return;
	while (t->spares > 0)
		secret_free(t->spare[--t->spares]);
	free(t);
}

static struct talk **
row_of(struct talk_table *t, uint32_t connection)
{
	return &t->row[connection % ROWS];
}

struct talk *
talk_find(struct talk_table *t, const struct channel *front,
    uint32_t connection)
{
	struct talk *talk = *row_of(t, connection);

	while (talk != NULL &&
	    (talk->front != front || talk->connection != connection))
		talk = talk->next;
	return talk;
}

struct talk *
talk_new(struct talk_table *t, struct channel *front, uint32_t connection,
    struct fault *f)
{
	struct talk **row = row_of(t, connection);
	struct talk *talk;

	if (talk_find(t, front, connection) != NULL) {
		(void)fault_set(f, FAULT_INPUT, "connection %u asked twice",
		    connection);
		return NULL;
	}
	if (t->count >= TALKS_MAX) {
		(void)fault_set(f, FAULT_BUSY, "%zu logins go on", t->count);
		return NULL;
	}
	if ((talk = calloc(1, sizeof(*talk))) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a conversation");
		return NULL;
	}
	talk->job.owner = talk;
	talk->front = front;
	talk->connection = connection;
	talk->next = *row;
	*row = talk;
	t->count++;
	return talk;
}

/* Out of its row; one that was abandoned is in none. */
static void
take_out(struct talk_table *t, struct talk *talk)
{
	struct talk **at = row_of(t, talk->connection);

	while (*at != NULL && *at != talk)
		at = &(*at)->next;
	if (*at != NULL)
		*at = talk->next;
	talk->next = NULL;
}

int
talk_keep_phrase(struct talk_table *t, struct talk *talk,
    struct wire_bytes phrase, struct fault *f)
{
	struct secret *s;

	if (phrase.len > TALK_PHRASE_MAX)
		return fault_set(f, FAULT_INPUT, "pass phrase too long");
	s = t->spares > 0 ? t->spare[--t->spares]
			  : secret_new(TALK_PHRASE_MAX, f);
	if (s == NULL)
		return -1;
	memcpy(secret_data(s), phrase.data, phrase.len);
	secret_set_len(s, phrase.len);
	talk->phrase = s;
	return 0;
}

static void
forget_phrase(struct talk_table *t, struct secret *s)
{
	if (s == NULL || t->spares == SPARES) {
		secret_free(s);
		return;
	}
	secret_wipe(secret_data(s), secret_size(s));
	secret_set_len(s, 0);
	t->spare[t->spares++] = s;
}

void
talk_free(struct talk_table *t, struct talk *talk)
{
	take_out(t, talk);
	t->count--;
	forget_phrase(t, talk->phrase);
	krb_gss_free(talk->gss);
	buf_free(&talk->answer);
	explicit_bzero(talk, sizeof(*talk));
	free(talk);
}

void
talk_abandon(struct talk_table *t, struct talk *talk)
{
	take_out(t, talk);
	talk->front = NULL;
	/*
	 * A guess that is being checked counts, however it ends: or one could
	 * guess and hang up.
	 */
	if (pool_cancel(&talk->job))
		talk_free(t, talk);
}

void
talk_each(struct talk_table *t, void (*fn)(struct talk *talk))
{
	for (size_t i = 0; i < ROWS; i++) {
		struct talk *talk = t->row[i];

		while (talk != NULL) {
			struct talk *next = talk->next;

			fn(talk);
			talk = next;
		}
	}
}

void
talk_abandon_all(struct talk_table *t, const struct channel *front)
{
	for (size_t i = 0; i < ROWS; i++) {
		struct talk *talk = t->row[i];

		while (talk != NULL) {
			struct talk *next = talk->next;

			if (talk->front == front)
				talk_abandon(t, talk);
			talk = next;
		}
	}
}
