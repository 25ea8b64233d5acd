#ifndef X509_CERT_TEXT_H
#define X509_CERT_TEXT_H

#include "base/checked.h"

#include <stdio.h>

/* Write all that ${cert} says to ${out}, as `openssl x509 -text -noout` does;
 * by OpenSSL, whose layout people know. */
struct cert;
struct fault;
CHECKED int cert_text(const struct cert *cert, FILE *out, struct fault *f);

#endif
