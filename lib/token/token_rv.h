#ifndef TOKEN_RV_H
#define TOKEN_RV_H

#include "base/fault.h"
#include "token/token.h"

#include <p11-kit/pkcs11.h>

/* For lib/token: what a module answers, in words. */

/* "CKR_DEVICE_REMOVED"; "CKR_0x80000001" of what has no name: static or in
 * ${text}. */
#define TOKEN_RV_SIZE 24
const char *token_rv_name(CK_RV rv, char text[TOKEN_RV_SIZE]);

/* What ${rv}, which is not CKR_OK, says of a token that was signing. */
enum token_state token_rv_state(CK_RV rv);

/* A fault of ${call} that answered ${rv}, of the kind in token_rv.def.  -1. */
int token_rv_fault(struct fault *f, CK_RV rv, const char *call);

#endif
