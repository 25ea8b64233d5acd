#ifndef X509_OSSL_H
#define X509_OSSL_H

#include "base/checked.h"
#include "base/fault.h"

/* To be called before the walls of a process are raised, by one that holds no
 * files: OpenSSL never reads its configuration, whose modules it could not load
 * any more, and which would decide what our keys meet. */
CHECKED int ossl_start_alone(struct fault *f);

/* OpenSSL's failures become faults at once; its error queue never travels. */

/* fault_set with the reason of OpenSSL's oldest queued error appended; the
 * queue is emptied.  Returns -1. */
#define ossl_fault(f, code, ...) \
	(ossl_fault_at((f), (code), __FILE__, __LINE__, __VA_ARGS__), -1)
void ossl_fault_at(struct fault *f, enum fault_code code, const char *file,
    int line, const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
