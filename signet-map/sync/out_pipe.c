#include "out_pipe.h"

#include "base/buf.h"
#include "base/fault.h"

#include <pthread.h>
#include <string.h>

#define CHUNKS 4
#define CHUNK_SIZE ((size_t)1 << 20)
#define FIELDS 6 /* of a line */

/* Chunks go round: the maker fills those that are empty, the taker empties
 * those that are full. */
struct out_pipe {
	out_pipe_fn *fn;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct buf chunk[CHUNKS];
	size_t full; /* chunks that were handed on, ever */
	size_t done; /* of them, emptied */
	bool ended;  /* no more will be handed on */
	bool failed;
	struct fault fault;
};

/* The line at ${at}, which is moved past it. */
static struct maprule_line
unpack(const char **at)
{
	const char *field[FIELDS];

	for (size_t i = 0; i < FIELDS; i++) {
		field[i] = *at;
		*at += strlen(*at) + 1;
	}
	return (struct maprule_line){ field[0], field[1], field[2], field[3],
		field[4], field[5] };
}

static int
empty(struct out_pipe *p, const struct buf *chunk)
{
	const char *at = (const char *)chunk->data;
	const char *end = at + chunk->len;

	while (at < end) {
		struct maprule_line line = unpack(&at);

		if (p->fn(p->arg, &line, &p->fault) < 0)
			return -1;
	}
	return 0;
}

static void *
take_all(void *arg)
{
	struct out_pipe *p = arg;

	(void)pthread_mutex_lock(&p->lock);
	for (;;) {
		int result;

		while (p->done == p->full && !p->ended)
			(void)pthread_cond_wait(&p->changed, &p->lock);
		if (p->done == p->full)
			break;
		(void)pthread_mutex_unlock(&p->lock);
		result = p->failed ? -1 : empty(p, &p->chunk[p->done % CHUNKS]);
		(void)pthread_mutex_lock(&p->lock);
		p->failed = p->failed || result < 0;
		p->done++;
		(void)pthread_cond_signal(&p->changed);
	}
	(void)pthread_mutex_unlock(&p->lock);
	return NULL;
}

struct out_pipe *
out_pipe_new(out_pipe_fn *fn, void *arg, struct fault *f)
{
	struct out_pipe *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "lines of a map");
		return NULL;
	}
	p->fn = fn;
	p->arg = arg;
	for (size_t i = 0; i < CHUNKS; i++)
		p->chunk[i] = BUF((size_t)1 << 28);
	(void)pthread_mutex_init(&p->lock, NULL);
	(void)pthread_cond_init(&p->changed, NULL);
	if (pthread_create(&p->thread, NULL, take_all, p) != 0) {
		(void)fault_set(f, FAULT_SYSTEM, "cannot start a thread");
		(void)pthread_cond_destroy(&p->changed);
		(void)pthread_mutex_destroy(&p->lock);
		free(p);
		return NULL;
	}
	return p;
}

/* The chunk that is being filled goes to the other side; then there is an empty
 * one.  False if that failed. */
static bool
hand_on(struct out_pipe *p)
{
	bool failed;

	(void)pthread_mutex_lock(&p->lock);
	p->full++;
	(void)pthread_cond_signal(&p->changed);
	while (p->full - p->done == CHUNKS)
		(void)pthread_cond_wait(&p->changed, &p->lock);
	failed = p->failed;
	(void)pthread_mutex_unlock(&p->lock);
	p->chunk[p->full % CHUNKS].len = 0;
	return !failed;
}

static void
pack(struct buf *chunk, const char *text)
{
	buf_put(chunk, text, strlen(text) + 1);
}

int
out_pipe_put(struct out_pipe *p, const struct maprule_line *line)
{
	struct buf *chunk = &p->chunk[p->full % CHUNKS];

	pack(chunk, line->name);
	pack(chunk, line->accounts);
	pack(chunk, line->rule);
	pack(chunk, line->source);
	pack(chunk, line->entry);
	pack(chunk, line->principal);
	if (chunk->failed)
		return -1;
	return chunk->len < CHUNK_SIZE || hand_on(p) ? 0 : -1;
}

int
out_pipe_end(struct out_pipe *p, struct fault *f)
{
	bool failed, memory = p->chunk[p->full % CHUNKS].failed;

	if (!memory)
		(void)hand_on(p);
	(void)pthread_mutex_lock(&p->lock);
	p->ended = true;
	(void)pthread_cond_signal(&p->changed);
	(void)pthread_mutex_unlock(&p->lock);
	(void)pthread_join(p->thread, NULL);
	failed = p->failed;
	if (failed)
		*f = p->fault;
	for (size_t i = 0; i < CHUNKS; i++)
		buf_free(&p->chunk[i]);
	(void)pthread_cond_destroy(&p->changed);
	(void)pthread_mutex_destroy(&p->lock);
	free(p);
	if (!failed && memory)
		return fault_set(f, FAULT_MEMORY, "lines of a map");
	return failed ? -1 : 0;
}
