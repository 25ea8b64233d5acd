#include "signetd/auth/talk.h"

#include "base/fault.h"

#include <stdlib.h>
#include <string.h>

#define ROWS 4096

struct talk_table {
	size_t count; /* those that nobody listens to any more, too */
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

void
talk_free(struct talk_table *t, struct talk *talk)
{
	take_out(t, talk);
	t->count--;
	secret_free(talk->phrase);
	krb_gss_free(talk->gss);
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
