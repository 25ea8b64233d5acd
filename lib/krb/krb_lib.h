#ifndef KRB_KRB_LIB_H
#define KRB_KRB_LIB_H

#include "base/checked.h"

#include <krb5/krb5.h>

/* libkrb5's objects of one errand, and its errors.  For lib/krb only. */
struct fault;

struct krb_lib {
	krb5_context context;
	krb5_principal client;
	krb5_get_init_creds_opt *options;
	krb5_ccache cache;
	krb5_ccache input;
	krb5_address **addresses;
	krb5_keytab keytab;
	krb5_creds creds; /* contents owned */
};

/* A context; krb_lib_close() gives back all that was put in ${k}. */
CHECKED int krb_lib_open(struct krb_lib *k, struct fault *f);
void krb_lib_close(struct krb_lib *k);

#define OWN_KRB_LIB(name) \
	__attribute__((cleanup(krb_lib_close))) struct krb_lib name = { 0 }

/**
 * krb_lib_fault(k, code, doing, f):
 * Make a fault of libkrb5's ${code}: FAULT_LOGIN, FAULT_UNREACHABLE, ... with
 * what a person can do about it in the text.  Return -1.
 */
int krb_lib_fault(const struct krb_lib *k, krb5_error_code code,
    const char *doing, struct fault *f);

#endif
