#ifndef FRONT_ROOTS_H
#define FRONT_ROOTS_H

#include "base/checked.h"
#include "base/own.h"
#include "x509/cert.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The trust directory as the front end uses it: to judge clients, to complete
 * the host's chain, and to hand out.  Looked at again when it is used, at most
 * once a second, and read again when it has changed: a piece at a time, while
 * the old state answers (trust/upkeep.h).
 */
struct fault;
struct loop;
struct reply;
struct roots;

/* Of the directory ${dir}, which may be empty or missing; ${serve}: whether
 * it is handed out. */
CHECKED struct roots *roots_new(const char *dir, bool serve, struct fault *f);
void roots_free(struct roots *roots);

/* Told when judgements that had to wait can be made. */
typedef void roots_news_fn(void *arg);

/* Do what takes long on ${loop}, and tell ${news}.  Without it, which is for
 * tests, only what is done in one piece is done. */
CHECKED int roots_attend(struct roots *roots, struct loop *loop,
    roots_news_fn *news, void *arg, struct fault *f);

/* Read ${dir} now; on a fault all stays as it was. */
CHECKED int roots_renew(struct roots *roots, const char *dir, struct fault *f);

/* Whether it is handed out. */
void roots_serve(struct roots *roots, bool serve);

/* What the site's settings add to every judgement: trust_demand(). */
void roots_demand(struct roots *roots, unsigned flags);

/* Who shows ${chain}: his identity in slash form, to be freed, and whether a
 * limited proxy is in it.  NULL and FAULT_UNTRUSTED or FAULT_EXPIRED; or
 * FAULT_BUSY: a revocation list must be read first, and there will be news. */
CHECKED char *roots_judge(struct roots *roots, const struct cert_list *chain,
    bool *limited, struct fault *f);

/* The OK answer with all of it, a use of it for the caller; NULL if nothing is
 * to be handed out. */
struct reply *roots_reply(struct roots *roots);

/* Look whether it has changed, if the last look was a second before ${now}
 * (clock_mono()); what cannot be read leaves the old.  Those above do so. */
void roots_look(struct roots *roots, int64_t now);

/**
 * roots_places(dir, places, most):
 * The folders that links in ${dir} lead to, at most ${most} and each once, to
 * be freed: bundles of authorities are often installed elsewhere and linked.
 * How many there are.
 */
size_t roots_places(const char *dir, char **places, size_t most);

/* Append to the PEM ${chain} what is above its last certificate, up to the
 * root, as far as it is known here. */
CHECKED int roots_complete(struct roots *roots, struct buf *chain,
    struct fault *f);

OWN_FREE_STRUCT(roots, roots_free)

#endif
