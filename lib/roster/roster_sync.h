#ifndef ROSTER_ROSTER_SYNC_H
#define ROSTER_ROSTER_SYNC_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The values of RFC 4533's controls and messages, which are BER as RFC 4511 5.1
 * restricts it.
 */
struct fault;

#define ROSTER_SYNC_REQUEST "1.3.6.1.4.1.4203.1.9.1.1"
#define ROSTER_SYNC_STATE "1.3.6.1.4.1.4203.1.9.1.2"
#define ROSTER_SYNC_DONE "1.3.6.1.4.1.4203.1.9.1.3"
#define ROSTER_SYNC_INFO "1.3.6.1.4.1.4203.1.9.1.4"
#define ROSTER_SYNC_REFRESH_REQUIRED 4096

/* 2.2: the request control. */
void roster_sync_request(bool persist, const void *cookie, size_t len,
    struct buf *out);

/* 2.3: of an entry. */
enum roster_sync_what {
	ROSTER_SYNC_PRESENT,
	ROSTER_SYNC_ADD,
	ROSTER_SYNC_MODIFY,
	ROSTER_SYNC_DELETE
};
struct roster_sync_state {
	enum roster_sync_what what;
	const uint8_t *uuid;	  /* 16 bytes */
	struct wire_bytes cookie; /* data NULL: none */
};
CHECKED int roster_sync_state_read(struct wire_bytes value,
    struct roster_sync_state *out, struct fault *f);

/* 2.4: of the end of a refreshOnly. */
struct roster_sync_done {
	struct wire_bytes cookie;
	bool deletes;
};
CHECKED int roster_sync_done_read(struct wire_bytes value,
    struct roster_sync_done *out, struct fault *f);

/* 2.5: the intermediate message. */
enum roster_sync_kind {
	ROSTER_SYNC_NEW_COOKIE,
	ROSTER_SYNC_REFRESH_DELETE,
	ROSTER_SYNC_REFRESH_PRESENT,
	ROSTER_SYNC_ID_SET
};
struct roster_sync_info {
	enum roster_sync_kind kind;
	struct wire_bytes cookie;
	bool done;		 /* REFRESH_*: the refresh ends with this */
	bool deletes;		 /* ID_SET: they are gone, not present */
	struct wire_bytes uuids; /* ID_SET: for roster_sync_uuid() */
};
CHECKED int roster_sync_info_read(struct wire_bytes value,
    struct roster_sync_info *out, struct fault *f);

/* The next uuid of a set that has been read; NULL at its end. */
const uint8_t *roster_sync_uuid(struct wire_bytes *uuids);

#endif
