#ifndef ANCHOR_CRL_POINTS_H
#define ANCHOR_CRL_POINTS_H

#include "anchor/want.h"
#include "base/checked.h"

/*
 * Where ${cert} says that its issuer's revocation list is (RFC 5280 4.2.1.13):
 * append to ${urls} the http, https and ftp addresses of distribution points
 * that are for all reasons and of the issuer itself.  A malformed extension
 * has none.
 */
struct fault;

CHECKED int crl_points(const struct cert *cert, struct want_list *urls,
    struct fault *f);

#endif
