#include "signetd/issuer/job.h"

#include "base/fault.h"
#include "base/text.h"
#include "x509/cert.h"

#include <stdio.h>
#include <string.h>

#define TBS_MAX 16000
#define CERTIFICATE_MAX 16384

/* The name that is certified is the one that auth vouched for. */
static int
check_subject(struct job *job, struct fault *f)
{
	const struct authority *a = &job->ca->authority;

	if (dn_read_slash(&job->subject, job->who.subject, f) < 0)
		return -1;
	for (size_t i = 0; i < a->under_count; i++)
		if (dn_under(&job->subject, &a->under[i]))
			return 0;
	return fault_set(f, FAULT_DENIED, "%s is outside the name space of %s",
	    job->who.subject, a->conf.name);
}

int
job_check(struct job *job, const struct msg_sign_ask *ask, time_t now,
    struct fault *f)
{
	struct wire_bytes request;

	if (policy_find(job->policy, job->who.profile, &job->profile, &job->ca,
		f) < 0 ||
	    check_subject(job, f) < 0)
		return -1;
	job->request = BUF(CSR_MAX);
	buf_put(&job->request, ask->csr.data, ask->csr.len);
	if (job->request.failed)
		return fault_set(f, FAULT_MEMORY, "request");
	request = (struct wire_bytes){ job->request.data, job->request.len };
	/* The rules are cheap, the signature is not: but a key must have been
	 * read before it can be judged, and csr_read does both. */
	if (csr_read(&job->csr, request, f) < 0 ||
	    spki_check(&job->csr.spki, &job->profile->keys, f) < 0)
		return fault_wrap(f, "certificate request");
	if (mint_times(job->profile, &job->ca->authority, now, ask->lifetime,
		&job->not_before, &job->not_after, f) == 0)
		return 0;
	/* What has expired is the CA, not anything of the stranger's. */
	if (f->code == FAULT_EXPIRED)
		f->code = FAULT_SUSPENDED;
	return -1;
}

/* USER@DOMAIN, where the profile names a domain. */
static int
email_of(const struct job *job, char email[512], struct fault *f)
{
	const char *domain = job->profile->conf.email_domain;
	int user = (int)strcspn(job->who.principal, "@");

	*email = '\0';
	if (*domain != '\0' &&
	    text_fmt(email, 512, "%.*s@%s", user, job->who.principal, domain) <
		0)
		return fault_set(f, FAULT_DENIED, "e-mail address too long");
	return 0;
}

int
job_mint(struct job *job, struct fault *f)
{
	char email[512];
	const char *const emails[] = { email, NULL };
	struct mint m = {
		.profile = job->profile,
		.issuer = &job->ca->authority,
		.subject = job->subject,
		.serial = job->serial,
		.serial_len = job->serial_len,
		.not_before = job->not_before,
		.not_after = job->not_after,
		.spki = job->csr.spki,
		.signer_kind = job->ca->authority.cert->spki.kind,
	};

	if (email_of(job, email, f) < 0)
		return -1;
	if (*email != '\0')
		m.emails = emails;
	job->tbs = BUF(TBS_MAX);
	return mint_tbs(&m, &job->tbs, f);
}

static bool
is_what_was_asked(const struct job *job, const struct cert *cert)
{
	const struct spki *key = &job->csr.spki;

	return cert->spki.der.len == key->der.len &&
	    memcmp(cert->spki.der.data, key->der.data, key->der.len) == 0 &&
	    dn_equal(&cert->subject, &job->subject) &&
	    dn_equal(&cert->issuer, &job->ca->authority.cert->subject) &&
	    cert->serial_len == job->serial_len &&
	    memcmp(cert->serial, job->serial, job->serial_len) == 0 &&
	    cert->not_after == job->not_after && !cert->ca;
}

int
job_finish(struct job *job, struct wire_bytes signature, struct fault *f)
{
	struct wire_bytes tbs = { job->tbs.data, job->tbs.len };
	OWN_STRUCT(cert) cert = NULL;

	/*
	 * Whether it is good is the signer's to know: to verify it here would
	 * cost as much as all the rest.
	 */
	if (signature.len == 0)
		return fault_set(f, FAULT_INTERNAL, "an empty signature");
	job->certificate = BUF(CERTIFICATE_MAX);
	if (mint_finish(tbs, job->ca->authority.cert->spki.kind, signature,
		&job->certificate, f) < 0)
		return -1;
	cert = cert_read((struct wire_bytes){ job->certificate.data,
			     job->certificate.len },
	    f);
	if (cert == NULL)
		return fault_wrap(f, "certificate that was made");
	if (!is_what_was_asked(job, cert))
		return fault_set(f, FAULT_INTERNAL,
		    "the certificate that was made is not what was asked for");
	return 0;
}
