#ifndef X509_AUTHORITY_PROBE_H
#define X509_AUTHORITY_PROBE_H

/* CAs made of constants, for tests and fuzz targets: no key, no chance. */

#include "base/fault.h"
#include "x509/authority.h"
#include "x509/der.h"
#include "x509/dn.h"

#include <stdlib.h>
#include <string.h>

#define PROBE_NOW ((time_t)1800000000) /* 2027-01-15T08:00:00Z */
#define PROBE_BITS 65

struct probe {
	struct authority a;
	struct cert cert;
	uint8_t bits[PROBE_BITS];
};

static inline void
probe_dn(struct dn *dn, const char *text)
{
	struct fault f = { 0 };

	if (dn_read_slash(dn, text, &f) < 0)
		abort();
}

/* An online CA for people, or with ${signs_ca} a root. */
static inline void
probe_fill(struct probe *p, bool signs_ca)
{
	struct authority *a = &p->a;

	memset(p, 0, sizeof(*p));
	memset(p->bits, 0x5a, sizeof(p->bits));
	a->cert = &p->cert;
	a->signs_ca = signs_ca;
	a->serial_random = true;
	a->under_count = 2;
	a->conf.crl_lifetime = 30 * 86400;
	memcpy(a->conf.name, "probe", 6);
	if (signs_ca) {
		probe_dn(&a->under[0], "/DC=org/DC=ex/O=Ex/OU=CA");
		probe_dn(&a->under[1], "/DC=net/O=Ex/OU=CA");
		a->usage = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;
		a->conf.max_lifetime = 20 * 31536000;
	} else {
		probe_dn(&a->under[0], "/DC=org/DC=ex/O=Ex/OU=People");
		probe_dn(&a->under[1], "/DC=org/DC=ex/O=Ex/OU=Services");
		a->usage = CERT_KU_DIGITAL_SIGNATURE | CERT_KU_KEY_ENCIPHERMENT;
		a->purpose = CERT_EKU_CLIENT_AUTH | CERT_EKU_SERVER_AUTH;
		a->conf.max_lifetime = 400 * 86400;
	}
	memset(a->key_id, 0xa5, sizeof(a->key_id));
	probe_dn(&p->cert.subject, "/DC=org/DC=ex/O=Ex/OU=CA/CN=Probe 1");
	p->cert.ca = true;
	p->cert.path_length = signs_ca ? -1 : 0;
	p->cert.not_before = PROBE_NOW - 86400;
	p->cert.not_after = PROBE_NOW + (time_t)25 * 31536000;
	p->cert.spki.kind = KEY_P256;
	p->cert.spki.bits = (struct wire_bytes){ p->bits, PROBE_BITS };
}

#endif
