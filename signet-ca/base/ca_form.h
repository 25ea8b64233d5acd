#ifndef SIGNET_CA_CA_FORM_H
#define SIGNET_CA_CA_FORM_H

#include "base/checked.h"
#include "ca_args.h"
#include "office/request.h"

#include <jansson.h>
#include <stdio.h>

/* Requests as people fill them in and read them. */
struct fault;

/* Contact, purpose and names from the options; texts are borrowed. */
CHECKED int ca_form_fill(struct request *r, const struct ca_args *args,
    struct fault *f);

/* FAULT_USAGE unless contact, its mail address and a purpose were given. */
CHECKED int ca_form_need(const struct ca_args *args, struct fault *f);

/* Read and prove the file ${path}, whose bytes ${file} gets. */
CHECKED struct request *ca_form_read(const char *path, struct buf *file,
    struct fault *f);

/* Append the DER of the PKCS#10 request in ${path}, PEM or DER. */
CHECKED int ca_form_csr(const char *path, struct buf *der, struct fault *f);

/* What is to be compared over the telephone: a line each, ${indent} before. */
void ca_form_show(const struct request *r, const char *indent, FILE *out);

/* The same as JSON; NULL if memory is short. */
json_t *ca_form_json(const struct request *r);

/* "RSA 2048", "EC P-256". */
#define CA_FORM_KEY_SIZE 32
void ca_form_key(const struct spki *spki, char text[CA_FORM_KEY_SIZE]);

/* AA:BB:... in groups that can be read aloud, in two lines. */
void ca_form_groups(const char *fingerprint, const char *indent, FILE *out);

#endif
