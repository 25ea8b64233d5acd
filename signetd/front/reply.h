#ifndef FRONT_REPLY_H
#define FRONT_REPLY_H

#include "base/buf.h"
#include "base/own.h"

/* An answer that is made once and sent to many: counted uses. */
struct reply {
	unsigned users;
	size_t files;
	struct buf data;
};

static inline struct reply *
reply_use(struct reply *reply)
{
	reply->users++;
	return reply;
}

static inline void
reply_drop(struct reply *reply)
{
	if (reply == NULL || --reply->users > 0)
		return;
	buf_free(&reply->data);
	free(reply);
}

OWN_FREE_STRUCT(reply, reply_drop)

#endif
