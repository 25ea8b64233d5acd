#ifndef FRONT_ISSUED_H
#define FRONT_ISSUED_H

#include "base/buf.h"
#include "base/checked.h"
#include "base/wire.h"

/**
 * issued_write(certificate, chain, out, f):
 * Append MyProxy's certificate message: a count byte, the certificate, and of
 * ${chain} (certificates one after another) those that are neither roots nor
 * there already.  FAULT_INTERNAL if the bytes are no certificates.
 */
struct fault;
CHECKED int issued_write(struct wire_bytes certificate, struct wire_bytes chain,
    struct buf *out, struct fault *f);

#endif
