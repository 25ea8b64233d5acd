#ifndef SIGNET_MAP_SYNC_OUT_PIPE_H
#define SIGNET_MAP_SYNC_OUT_PIPE_H

#include "base/checked.h"
#include "base/own.h"
#include "maprule/maprule_part.h"

/*
 * Lines on their way from who works them out to who writes them, each in a
 * thread of its own: with a million people neither waits for the other.
 */
struct fault;
struct out_pipe;

/* What is done with a line, in the other thread; -1 and a fault ends it. */
typedef int out_pipe_fn(void *arg, const struct maprule_line *line,
    struct fault *f);

CHECKED struct out_pipe *out_pipe_new(out_pipe_fn *fn, void *arg,
    struct fault *f);

/* Hand on a copy of ${line}; -1 if there is no use in more: out_pipe_end says
 * why. */
CHECKED int out_pipe_put(struct out_pipe *p, const struct maprule_line *line);

/* All were put: wait until all is done.  -1 and the fault of whoever failed.
 * The pipe is gone then. */
CHECKED int out_pipe_end(struct out_pipe *p, struct fault *f);

#endif
