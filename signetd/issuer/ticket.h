#ifndef SIGNETD_ISSUER_TICKET_H
#define SIGNETD_ISSUER_TICKET_H

#include "base/checked.h"
#include "base/own.h"
#include "ipc/msg.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Identities that auth has vouched for and that wait for the front end to come
 * with their ticket.  A ticket is good once, and not for long.
 */
struct fault;
struct ticket_table;

#define TICKET_SIZE 16
#define TICKETS_MAX 4096
#define TICKET_LONGEST_MS 600000

CHECKED struct ticket_table *ticket_table_new(size_t most, struct fault *f);
void ticket_table_free(struct ticket_table *table);

/**
 * ticket_put(table, vouch, now, f):
 * Keep what ${vouch} says until ${now} (milliseconds) and its valid_ms, at
 * most ten minutes.  FAULT_INPUT for a malformed one or one that is there
 * already (then both are void), FAULT_BUSY if the table is full.
 */
CHECKED int ticket_put(struct ticket_table *table,
    const struct msg_vouch *vouch, int64_t now, struct fault *f);

/* Take the identity out that ${ticket} stands for: false if it stands for none
 * (any more).  The bytes in ${vouch} are void, its texts are the caller's.
 * Tickets are compared in constant time. */
bool ticket_take(struct ticket_table *table, struct wire_bytes ticket,
    int64_t now, struct msg_vouch *vouch);

size_t ticket_count(const struct ticket_table *table);

OWN_FREE_STRUCT(ticket_table, ticket_table_free)

#endif
