#ifndef LEDGER_QUEUE_NOTE_H
#define LEDGER_QUEUE_NOTE_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A file in the queue of revocations: written by revoke-cert, read by the
 * keeper, who trusts no byte of it.
 *
 *	signet revocations 1
 *	ca NAME			may be wanting
 *	reason 1		RFC 5280 5.3.1; wanting: 0
 *	revoke 0a1b2c		one line a serial
 *	end
 *
 * There is one form for each content: what is read is written the same.
 */
struct fault;

#define QUEUE_NOTE_SERIALS 1024
#define QUEUE_NOTE_MAX 65536 /* octets of a file */
#define QUEUE_NOTE_SERIAL 20
#define QUEUE_NOTE_DIR "queue" /* beside the ledger */
/* Before the name of one that could not be carried out. */
#define QUEUE_NOTE_REFUSED "refused-"
#define QUEUE_NOTE_SUFFIX ".revoke"

struct queue_note {
	char ca[64]; /* "": whichever has the serial */
	int reason;
	size_t count;
	uint8_t serial[QUEUE_NOTE_SERIALS][QUEUE_NOTE_SERIAL]; /* leading
								  zeroes */
};

/* FAULT_INPUT names the line that is not of the form above. */
CHECKED int queue_note_read(struct queue_note *note, struct wire_bytes file,
    struct fault *f);

/* Append the file. */
CHECKED int queue_note_write(const struct queue_note *note, struct buf *file,
    struct fault *f);

/* ${serial} in hexadecimal, without leading zero octets. */
void queue_note_hex(const uint8_t serial[QUEUE_NOTE_SERIAL],
    char text[2 * QUEUE_NOTE_SERIAL + 1]);

#endif
