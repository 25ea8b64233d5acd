/*
 * Whatever chain is shown to a directory with one root, whose key was thrown
 * away, is accepted only if OpenSSL finds the same signatures good, one by
 * one, from the leaf up to that root.
 */
#include "trust/verify.h"

#include "base/fault.h"
#include "base/file.h"
#include "x509/own_ssl.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW 1800000000 /* the corpus is valid then */
#define ROOT_FILE "5b78a8d2.0"
#define ROOT_POLICY "5b78a8d2.signing_policy"
#define SUB_POLICY "a3e413d2.signing_policy"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char root_pem[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBrDCCAVKgAwIBAgICA+gwCgYIKoZIzj0EAwIwPTETMBEGCgmSJomT8ixkARkW\n"
    "A29yZzEXMBUGCgmSJomT8ixkARkWB2V4YW1wbGUxDTALBgNVBAMMBFJvb3QwHhcN\n"
    "MjcwMTE0MDgwMDAwWhcNMjcwMTIwMDgwMDAwWjA9MRMwEQYKCZImiZPyLGQBGRYD\n"
    "b3JnMRcwFQYKCZImiZPyLGQBGRYHZXhhbXBsZTENMAsGA1UEAwwEUm9vdDBZMBMG\n"
    "ByqGSM49AgEGCCqGSM49AwEHA0IABGeVm2q0pJg2C2rlquwteOOvlwe1GmE3I3KV\n"
    "ZA6Xnzyag2R+/WWECjeES2f7XWth8v5xWi53Tv46TWjlNl/rUqqjQjBAMA8GA1Ud\n"
    "EwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBSIze9KHWd2zoyO\n"
    "h+ch33MSvqg/fDAKBggqhkjOPQQDAgNIADBFAiEAoojwWe37JDupT3mJAzCx2c7/\n"
    "ALCIIZp0UI2Y+wU2c0MCIDyX50M2zqt+Ym55F8aj3mXBQ8vliHvXMljN9d1cbhFz\n"
    "-----END CERTIFICATE-----\n";

static const char policy[] =
    "access_id_ANYBODY\npos_rights globus CA:sign\ncond_subjects globus "
    "'\"/DC=org/DC=example/*\"'\n";

static void
put(const char *dir, const char *name, const char *text)
{
	struct fault f = { 0 };
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (text == NULL)
		(void)unlink(path);
	else if (file_write(path, 0600, text, strlen(text), &f) < 0)
		abort();
}

/* Made once: the directory is gone again when it has been read. */
static const struct trust_store *
the_store(void)
{
	static struct trust_store *store;
	char dir[] = "/tmp/signet_fuzz.XXXXXX";
	struct fault f = { 0 };

	if (store != NULL)
		return store;
	if (mkdtemp(dir) == NULL)
		abort();
	put(dir, ROOT_FILE, root_pem);
	put(dir, ROOT_POLICY, policy);
	put(dir, SUB_POLICY, policy);
	store = trust_load(dir, false, NULL, NULL, &f);
	put(dir, ROOT_FILE, NULL);
	put(dir, ROOT_POLICY, NULL);
	put(dir, SUB_POLICY, NULL);
	(void)rmdir(dir);
	if (store == NULL)
		abort();
	return store;
}

static X509 *
to_x509(const struct cert *cert)
{
	const unsigned char *at = cert->der;

	return d2i_X509(NULL, &at, (long)cert->len);
}

/* Whether OpenSSL finds the signature of ${of} good with the key of ${by}. */
static bool
signed_by(const struct cert *of, const struct cert *by)
{
	OWN(X509) below = to_x509(of);
	OWN(X509) above = to_x509(by);

	return below != NULL && above != NULL &&
	    dn_equal(&of->issuer, &by->subject) &&
	    X509_verify(below, X509_get0_pubkey(above)) == 1;
}

/* Whether some way of good signatures leads from ${at} to the root. */
static bool
leads_home(const struct cert_list *chain, size_t at, const struct cert *root,
    unsigned depth)
{
	if (signed_by(chain->cert[at], root))
		return true;
	for (size_t i = 0; i < chain->count && depth < CERT_LIST_MAX; i++)
		if (i != at && signed_by(chain->cert[at], chain->cert[i]) &&
		    leads_home(chain, i, root, depth + 1))
			return true;
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct trust_store *store = the_store();
	struct trust_verdict verdict = { 0 };
	struct cert_list chain = { 0 };
	struct fault f = { 0 };

	if (cert_list_read_pem(&chain, data, size, &f) < 0)
		return 0;
	if (trust_verify(store, &chain, NOW, TRUST_CLIENT, &verdict, &f) == 0) {
		if (verdict.anchor != trust_at(store, 0) ||
		    verdict.not_after < NOW ||
		    !leads_home(&chain, 0, trust_at(store, 0)->cert, 0))
			abort();
	} else if (f.text[0] == '\0') {
		abort();
	}
	cert_list_free(&chain);
	return 0;
}
