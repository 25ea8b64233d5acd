#ifndef AUTH_POOL_H
#define AUTH_POOL_H

#include "base/checked.h"
#include "base/fault.h"
#include "ipc/msg.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Workers of one kind, each with at most one question at a time, and a queue
 * of the questions that wait.  A worker that dies, or answers too late, has
 * failed its question; the parent starts it anew and its channel arrives
 * again.
 */
struct role;
struct pool;

/* A question, inside the struct that asks it. */
struct pool_job {
	struct pool_job *next;
	void *owner;	   /* who asks */
	struct pool *pool; /* where it waits or is being answered, or NULL */
	bool running;
};

struct pool_spec {
	struct role *role;
	size_t queue_max;
	int64_t timeout_ms;
	/* It is ${job}'s turn: write the question to ${m}, all but its id, or
	 * return false if it need not be asked any more; then ${job} may have
	 * been freed. */
	bool (*begin)(struct pool_job *job, struct msg *m);
	/* The answer: ${code}, and a text that is borrowed. */
	void (*end)(struct pool_job *job, enum fault_code code,
	    const char *text);
};

CHECKED struct pool *pool_new(const struct pool_spec *spec, struct fault *f);

/* No question may wait in it or be with a worker.  auth's own live as long as
 * the process. */
void pool_free(struct pool *pool);

/* A channel to the worker called ${name}, "worker.N" or "pam.N". */
CHECKED int pool_attach(struct pool *pool, const char *name, int fd,
    struct fault *f);

/* Queue ${job}.  Its turn may come before this returns, so look at nothing that
 * begin() may free; end() is called later, on the loop.  FAULT_BUSY if the
 * queue is full. */
CHECKED int pool_ask(struct pool *pool, struct pool_job *job, struct fault *f);

/* Take ${job} out of the queue: true.  One that is being answered stays, and
 * will end(): false. */
bool pool_cancel(struct pool_job *job);

#endif
