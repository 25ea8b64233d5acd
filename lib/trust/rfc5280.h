#ifndef TRUST_RFC5280_H
#define TRUST_RFC5280_H

#include "base/checked.h"
#include "trust/path.h"

#include <time.h>

struct fault;

/**
 * rfc5280_check(path, now, flags, f):
 * Judge ${path}, whose signatures and names fit, by RFC 5280 section 6.1:
 * validity, critical extensions, CA flags and path lengths, key usages and
 * purposes.  Keys of less than 2048 bits RSA are refused.  The anchor is held
 * to the rules as well, its own signature excepted.
 */
CHECKED int rfc5280_check(const struct trust_path *path, time_t now,
    unsigned flags, struct fault *f);

#endif
