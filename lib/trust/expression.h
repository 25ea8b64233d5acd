#ifndef TRUST_EXPRESSION_H
#define TRUST_EXPRESSION_H

#include "base/checked.h"
#include "base/own.h"

#include <stdbool.h>

/*
 * Expressions for names: what `.namespaces` files use of POSIX's extended ones,
 * matched whole, without regard to case, in time that is bounded by the product
 * of both lengths.  (A library's own engine may take gigabytes for "a++++".)
 *
 * . [class] [^class] (a|b) and * + ? behind one of these; a backslash before
 * what is no letter or digit takes its meaning away; ^ first and $ last say
 * what is so anyway.  Refused: { and [: and a quantifier behind another.
 */
struct fault;
struct expression;

#define EXPRESSION_MAX 1024 /* bytes */

/* FAULT_INPUT if ${text} is no such expression. */
CHECKED struct expression *expression_new(const char *text, struct fault *f);
void expression_free(struct expression *e);
OWN_FREE_STRUCT(expression, expression_free)

/* Whether all of ${text} fits. */
bool expression_fits(const struct expression *e, const char *text);

#endif
