#ifndef OFFICE_OFFICE_PROBE_H
#define OFFICE_OFFICE_PROBE_H

/* For _test.c and _fuzz.c only: requests as people make them. */

#include "base/fault.h"
#include "base/text.h"
#include "office/request.h"

#include <stdlib.h>
#include <string.h>

/* A host's request, not written yet. */
static inline struct request *
probe_request(void)
{
	struct fault f = { 0 };
	struct request *r = request_new(&f);

	if (r == NULL ||
	    text_copy(r->profile, sizeof(r->profile), "host") < 0 ||
	    text_copy(r->subject, sizeof(r->subject),
		"/DC=org/DC=example/OU=Services/CN=gw.example.org") < 0 ||
	    text_copy(r->contact_name, sizeof(r->contact_name), "Ann Other") <
		0 ||
	    text_copy(r->contact_mail, sizeof(r->contact_mail),
		"ann@example.org") < 0 ||
	    text_copy(r->purpose, sizeof(r->purpose), "GridFTP server") < 0)
		abort();
	r->created = 1795320000;
	r->dns.item[r->dns.count++] = "gw.example.org";
	r->dns.item[r->dns.count++] = "data.example.org";
	return r;
}

static inline struct key *
probe_key(const char *kind)
{
	struct fault f = { 0 };
	struct key *key = key_make(kind, &f);

	if (key == NULL)
		abort();
	return key;
}

#endif
