/* A CA's description that is read dumps to one that reads the same, keeps the
 * walls between kinds, and can be published. */
#include "x509/authority.h"

#include "base/fault.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A root made for this. */
static const char pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIB6DCCAY2gAwIBAgIULRC2w+2LEQKvWBrcIaV56Om2NlQwCgYIKoZIzj0EAwIw\n"
    "QDETMBEGCgmSJomT8ixkARkWA29yZzELMAkGA1UEChMCRXgxCzAJBgNVBAsTAkNB\n"
    "MQ8wDQYDVQQDEwZSb290IDEwIBcNMjYxMTIyMDUzNjE5WhgPMjA1NjExMTQwNTM2\n"
    "MTlaMEAxEzARBgoJkiaJk/IsZAEZFgNvcmcxCzAJBgNVBAoTAkV4MQswCQYDVQQL\n"
    "EwJDQTEPMA0GA1UEAxMGUm9vdCAxMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n"
    "rv5RAtyV7cyBeq3HgeBDlUoEYpVMbjafPMnMvsXZsmiekGtU2cD3dWbSlzOFpgnr\n"
    "3cOEgPMXAnIfAb8Qg4A3maNjMGEwDwYDVR0TAQH/BAUwAwEB/zAOBgNVHQ8BAf8E\n"
    "BAMCAQYwHQYDVR0OBBYEFCTZjXF3Vmfdn+zCrUrw0U2OQeF4MB8GA1UdIwQYMBaA\n"
    "FCTZjXF3Vmfdn+zCrUrw0U2OQeF4MAoGCCqGSM49BAMCA0kAMEYCIQD4kzEm4Pvd\n"
    "6nl65wy+C0/4RhYdlVQST3wF3aWa0g5GOgIhANwk64OL1/BaT3RJIE5ivObrMeQw\n"
    "U0H0SqvI9YBZJsB2\n"
    "-----END CERTIFICATE-----\n";

static void
must(bool condition)
{
	if (!condition)
		abort();
}

static void
check_walls(const struct authority *a)
{
	const unsigned ca_bits = CERT_KU_KEY_CERT_SIGN | CERT_KU_CRL_SIGN;

	must(a->under_count > 0 && a->usage != 0 && *a->conf.name != '\0');
	must(a->signs_ca ? (a->usage & CERT_KU_KEY_CERT_SIGN) != 0
			 : (a->usage & ca_bits) == 0);
	must(!a->signs_ca || a->purpose == 0);
	must(a->serial_random ||
	    (a->serial_start > 0 && a->serial_span > 0 &&
		a->serial_start + (a->serial_span - 1) <= INT64_MAX));
	must(a->conf.max_lifetime >= 60);
}

/* Every name space is in it, between its quotes, and it ends as it must. */
static void
check_policy(const struct authority *a)
{
	OWN_BUF(policy, 1u << 20);
	struct fault f = { 0 };
	char name[DN_TEXT_MAX];
	const char *text;

	if (authority_signing_policy(a, &policy, &f) < 0)
		return;
	text = buf_cstr(&policy);
	must(text != NULL && text_ends(text, "'\n"));
	for (size_t i = 0; i < a->under_count; i++) {
		char want[DN_TEXT_MAX + 8];

		must(dn_show_slash(&a->under[i], name, sizeof(name)) == 0);
		must(text_fmt(want, sizeof(want), "\"%s/*\"", name) == 0);
		must(strstr(text, want) != NULL);
	}
}

static char *
dump(const struct authority *a, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	must(out != NULL);
	conf_dump(&authority_schema, &a->conf, out);
	must(fclose(out) == 0);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct authority *first = malloc(sizeof(*first));
	struct authority *second = malloc(sizeof(*second));
	struct fault f = { 0 };
	size_t len = 0;
	char *text;

	must(first != NULL && second != NULL);
	if (authority_read(first, (const char *)data, size, pem,
		sizeof(pem) - 1, &f) == 0) {
		check_walls(first);
		check_policy(first);
		text = dump(first, &len);
		must(authority_read(second, text, len, pem, sizeof(pem) - 1,
			 &f) == 0);
		must(memcmp(&first->conf, &second->conf, sizeof(first->conf)) ==
		    0);
		authority_clear(first);
		authority_clear(second);
		free(text);
	}
	free(first);
	free(second);
	return 0;
}
