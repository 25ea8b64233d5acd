#ifndef KRB_KRB_GSS_PART_H
#define KRB_KRB_GSS_PART_H

#include "base/checked.h"
#include "base/fault.h"

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_krb5.h>

#include <stddef.h>

/* libgssapi's objects and its errors.  For lib/krb only. */

void own_gss_buffer(gss_buffer_desc *b);
void own_gss_name(gss_name_t *name);

#define OWN_GSS_BUFFER(name)                                            \
	__attribute__((cleanup(own_gss_buffer))) gss_buffer_desc name = \
	    GSS_C_EMPTY_BUFFER
#define OWN_GSS_NAME(name) \
	__attribute__((cleanup(own_gss_name))) gss_name_t name = GSS_C_NO_NAME

/* What kind of failure this is for the initiating end, who can help it. */
enum fault_code krb_gss_code(OM_uint32 major, OM_uint32 minor);

/* A fault in the library's own words.  Returns -1. */
#define krb_gss_fault(f, code, major, minor, doing) \
	(krb_gss_fault_set((f), (code), (major), (minor), (doing)), -1)
void krb_gss_fault_set(struct fault *f, enum fault_code code, OM_uint32 major,
    OM_uint32 minor, const char *doing);

/* One name of a context as text, name@REALM; those with escapes are none of
 * ours, and are FAULT_LOGIN. */
CHECKED int krb_gss_name(gss_name_t name, char *text, size_t size,
    struct fault *f);

#endif
