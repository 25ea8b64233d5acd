#include "myproxy/myproxy_bootstrap.h"

#include "anchor/root_files.h"
#include "base/fault.h"
#include "base/text.h"
#include "trust/verify.h"

#include <openssl/sha.h>

#include <string.h>

#define FINGERPRINT_SIZE (3 * SHA256_DIGEST_LENGTH)

static int
check_link(const struct cert *cert, const struct cert *issuer, struct fault *f)
{
	if (!dn_equal(&cert->issuer, &issuer->subject))
		return fault_set(f, FAULT_UNTRUSTED,
		    "its certificates are out of order");
	if (!issuer->ca)
		return fault_set(f, FAULT_UNTRUSTED,
		    "it is certified by what is no authority");
	return cert_check_signature(cert, issuer, f);
}

static int
check_name(const struct cert *leaf, const char *host, const char *server_dn,
    struct fault *f)
{
	char name[DN_TEXT_MAX];

	if (server_dn == NULL)
		return trust_check_host(leaf, host, f);
	if (dn_show_slash(&leaf->subject, name, sizeof(name)) < 0 ||
	    strcmp(name, server_dn) != 0)
		return fault_set(f, FAULT_UNTRUSTED, "it is %s", name);
	return 0;
}

int
myproxy_bootstrap_check(const struct cert_list *chain, const char *host,
    const char *server_dn, time_t now, struct fault *f)
{
	if (chain->count < 2)
		return fault_set(f, FAULT_UNTRUSTED,
		    "it does not show who certified it");
	if (check_name(chain->cert[0], host, server_dn, f) < 0)
		return -1;
	for (size_t i = 0; i < chain->count; i++) {
		const struct cert *cert = chain->cert[i];
		bool last = i + 1 == chain->count;

		if (now < cert->not_before || now > cert->not_after)
			return fault_set(f, FAULT_UNTRUSTED,
			    "one of its certificates is not valid now");
		if (last && !cert_is_self_issued(cert))
			return fault_set(f, FAULT_UNTRUSTED,
			    "it does not show its root");
		if (check_link(cert, chain->cert[last ? i : i + 1], f) < 0)
			return -1;
	}
	return 0;
}

bool
myproxy_bootstrap_known(const struct trust_store *store,
    const struct cert_list *chain)
{
	for (size_t i = 0; store != NULL && i < trust_count(store); i++)
		for (size_t k = 1; k < chain->count; k++)
			if (dn_equal(&trust_at(store, i)->cert->subject,
				&chain->cert[k]->subject))
				return true;
	return false;
}

static void
fingerprint(const struct cert *cert, char text[FINGERPRINT_SIZE])
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char digits[2 * SHA256_DIGEST_LENGTH + 1];

	SHA256(cert->der, cert->len, digest);
	text_hex(digest, sizeof(digest), digits);
	for (size_t i = 0; i < sizeof(digest); i++) {
		text[3 * i] = digits[2 * i];
		text[3 * i + 1] = digits[2 * i + 1];
		text[3 * i + 2] = i + 1 < sizeof(digest) ? ':' : '\0';
	}
}

/* Say whom it is now that is trusted. */
static void
tell_ca(const struct cert *cert, void (*say)(void *arg, const char *line),
    void *arg)
{
	char name[DN_TEXT_MAX];
	char print[FINGERPRINT_SIZE];
	char line[DN_TEXT_MAX + 200];
	char hash[9];
	struct fault ignored = { 0 };

	if (dn_show_slash(&cert->subject, name, sizeof(name)) < 0 ||
	    dn_hash(&cert->subject, hash, &ignored) < 0)
		return;
	fingerprint(cert, print);
	(void)snprintf(line, sizeof(line),
	    "New trusted CA (%s.0): %s\n  SHA-256 %s", hash, name, print);
	say(arg, line);
}

static int
install(const struct cert_list *chain, const char *dir, const char *host,
    struct fault *f)
{
	char by[sizeof("bootstrap:") + 64];
	const struct root_install how = { .by = by, .only_new = true };
	struct root_files roots = { 0, NULL };
	size_t installed;
	int result = 0;

	(void)snprintf(by, sizeof(by), "bootstrap:%.64s", host);
	for (size_t i = 1; i < chain->count && result == 0; i++)
		result = root_files_link(&roots, chain->cert[i],
		    chain->cert[i - 1], f);
	if (result == 0)
		result = root_files_install(&roots, dir, &how, &installed, f);
	root_files_clear(&roots);
	return result;
}

int
myproxy_bootstrap_install(const struct cert_list *chain, const char *dir,
    const char *host, void (*say)(void *arg, const char *line), void *arg,
    struct fault *f)
{
	char line[DN_TEXT_MAX + 200];
	char below[DN_TEXT_MAX];

	if (dn_show_slash(&chain->cert[0]->subject, below, sizeof(below)) < 0)
		return fault_set(f, FAULT_UNTRUSTED, "server name too long");
	if (install(chain, dir, host, f) < 0)
		return -1;
	(void)snprintf(line, sizeof(line), "New trusted MyProxy server: %s",
	    below);
	say(arg, line);
	for (size_t i = 1; i < chain->count; i++)
		tell_ca(chain->cert[i], say, arg);
	return 0;
}
