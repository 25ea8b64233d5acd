#ifndef FRONT_VISIT_PROBE_H
#define FRONT_VISIT_PROBE_H

/*
 * For _test.c and _fuzz.c: a house that writes down what a visit says, through
 * the codec, so that what it may not say cannot be said here either.
 */

#include "signetd/front/reply.h"
#include "signetd/front/visit.h"

#include <stdlib.h>
#include <string.h>

#define PROBE_SAID 8

struct probe {
	struct visit_house house;
	struct visit visit;
	bool deaf; /* no message gets through */
	struct reply *roots;
	unsigned served;
	size_t said;
	struct probe_frame {
		enum msg_type type;
		size_t len;
		uint8_t *bytes;
	} frame[PROBE_SAID]; /* the latest ones */
};

static inline enum msg_role
probe_hearer(enum msg_type type)
{
	return type == MSG_SIGN_ASK ? MSG_ROLE_ISSUER : MSG_ROLE_AUTH;
}

static inline int
probe_say(void *arg, const struct msg *m, struct fault *f)
{
	struct probe *p = arg;
	struct probe_frame *frame = &p->frame[p->said % PROBE_SAID];
	uint8_t *bytes = malloc(MSG_MAX_FRAME);
	int len = msg_encode(m, bytes, MSG_MAX_FRAME, f);

	if (p->deaf || len < 0) {
		free(bytes);
		return p->deaf ? fault_set(f, FAULT_BUSY, "deaf") : -1;
	}
	free(frame->bytes);
	*frame = (struct probe_frame){ m->type, (size_t)len, bytes };
	p->said++;
	return 0;
}

static inline struct reply *
probe_trustroots(void *arg)
{
	struct probe *p = arg;

	return p->roots == NULL ? NULL : reply_use(p->roots);
}

static inline void
probe_served(void *arg)
{
	struct probe *p = arg;

	p->served++;
}

static inline void
probe_begin(struct probe *p)
{
	struct fault f = { 0 };

	memset(p, 0, sizeof(*p));
	p->house = (struct visit_house){ p, probe_say, probe_trustroots,
		probe_served };
	if (visit_begin(&p->visit, &p->house, 7, "192.0.2.1:4711", &f) < 0)
		abort();
}

static inline void
probe_end(struct probe *p)
{
	visit_end(&p->visit);
	reply_drop(p->roots);
	for (size_t i = 0; i < PROBE_SAID; i++)
		free(p->frame[i].bytes);
}

/* The latest message, as its hearer reads it; MSG_COUNT if there is none. */
static inline enum msg_type
probe_heard(const struct probe *p, struct msg *m)
{
	const struct probe_frame *frame;
	struct fault f = { 0 };

	if (p->said == 0)
		return MSG_COUNT;
	frame = &p->frame[(p->said - 1) % PROBE_SAID];
	if (msg_decode(m, frame->bytes, frame->len, MSG_ROLE_FRONT,
		probe_hearer(frame->type), &f) < 0)
		abort();
	return m->type;
}

#endif
