#include "x509/proxy.h"

#include "base/fault.h"
#include "base/rand.h"
#include "x509/der.h"
#include "x509/mint.h"
#include "x509/pem.h"

#include <stdio.h>
#include <string.h>

#define PROXY_MAX 16384 /* bytes of a proxy: its names and its policy */
#define BACKDATE 300	/* seconds, for clocks that are behind */

#define OID_KEY_USAGE "2.5.29.15"
#define OID_AUTHORITY_KEY_ID "2.5.29.35"
#define OID_PROXY_CERT_INFO "1.3.6.1.5.5.7.1.14"
#define OID_DRAFT_CERT_INFO "1.3.6.1.4.1.3536.1.222"
#define OID_INHERIT_ALL "1.3.6.1.5.5.7.21.1"
#define OID_INDEPENDENT "1.3.6.1.5.5.7.21.2"
#define OID_LIMITED "1.3.6.1.4.1.3536.1.1.1.9"

/*
 * What each kind of proxy consists of, and which kind stands for it below a
 * proxy of another generation: those do not mix, and what a limited one signs
 * is limited.
 */
struct recipe {
	enum cert_kind kind;
	const char *info;     /* OID of the extension; NULL: legacy */
	const char *language; /* NULL: the wish's */
	const char *cn;	      /* NULL: the serial */
	bool limited;
	bool independent;
};

static const struct recipe recipes[] = {
	{ CERT_PROXY_IMPERSONATION, OID_PROXY_CERT_INFO, OID_INHERIT_ALL, NULL,
	    false, false },
	{ CERT_PROXY_INDEPENDENT, OID_PROXY_CERT_INFO, OID_INDEPENDENT, NULL,
	    false, true },
	{ CERT_PROXY_LIMITED, OID_PROXY_CERT_INFO, OID_LIMITED, NULL, true,
	    false },
	{ CERT_PROXY_RESTRICTED, OID_PROXY_CERT_INFO, NULL, NULL, false,
	    false },
	{ CERT_PROXY_DRAFT, OID_DRAFT_CERT_INFO, OID_INHERIT_ALL, NULL, false,
	    false },
	{ CERT_PROXY_DRAFT_INDEPENDENT, OID_DRAFT_CERT_INFO, OID_INDEPENDENT,
	    NULL, false, true },
	{ CERT_PROXY_DRAFT_LIMITED, OID_DRAFT_CERT_INFO, OID_LIMITED, NULL,
	    true, false },
	{ CERT_PROXY_DRAFT_RESTRICTED, OID_DRAFT_CERT_INFO, NULL, NULL, false,
	    false },
	{ CERT_PROXY_LEGACY, NULL, NULL, "proxy", false, false },
	{ CERT_PROXY_LEGACY_LIMITED, NULL, NULL, "limited proxy", true, false },
};
#define RECIPES (sizeof(recipes) / sizeof(recipes[0]))

static const struct recipe *
recipe_of(enum cert_kind kind)
{
	for (size_t i = 0; i < RECIPES; i++)
		if (recipes[i].kind == kind)
			return &recipes[i];
	return NULL;
}

static bool
same_info(const struct recipe *a, const struct recipe *b)
{
	if (a->info == NULL || b->info == NULL)
		return a->info == b->info;
	return strcmp(a->info, b->info) == 0;
}

static bool
is_restricted(const struct recipe *r)
{
	return r->info != NULL && r->language == NULL;
}

/* The recipe like ${wanted} in ${above}'s generation. */
static const struct recipe *
adapt(const struct recipe *wanted, const struct recipe *above)
{
	bool limited =
	    wanted->limited || (above->limited && !wanted->independent);

	for (size_t i = 0; i < RECIPES; i++) {
		const struct recipe *r = &recipes[i];

		if (same_info(r, above) && r->limited == limited &&
		    r->independent == wanted->independent &&
		    is_restricted(r) == is_restricted(wanted))
			return r;
	}
	return NULL;
}

static const struct recipe *
choose(const struct cert *issuer, const struct proxy_wish *wish,
    struct fault *f)
{
	const struct recipe *wanted = recipe_of(wish->kind);
	const struct recipe *above = recipe_of(issuer->kind);

	if (wanted != NULL && above != NULL)
		wanted = adapt(wanted, above);
	if (wanted == NULL) {
		(void)fault_set(f, FAULT_DENIED,
		    "no such proxy can be made here");
		return NULL;
	}
	if (is_restricted(wanted) && wish->policy_language == NULL) {
		(void)fault_set(f, FAULT_USAGE,
		    "a restricted proxy needs a policy language");
		return NULL;
	}
	if (!is_restricted(wanted) && wish->policy.len > 0) {
		(void)fault_set(f, FAULT_USAGE,
		    "only restricted proxies have a policy");
		return NULL;
	}
	if (wanted->info == NULL && wish->path_length >= 0) {
		(void)fault_set(f, FAULT_USAGE,
		    "legacy proxies have no path length");
		return NULL;
	}
	return wanted;
}

/* What verifiers will ask of the issuer, asked before (RFC 3820 4.1). */
static int
check_issuer(const struct credential *from, struct fault *f)
{
	const struct cert *issuer;

	if (from->chain.count == 0 || from->key == NULL)
		return fault_set(f, FAULT_ABSENT,
		    "a proxy needs a certificate and its key");
	issuer = from->chain.cert[0];
	if (issuer->kind == CERT_CA)
		return fault_set(f, FAULT_DENIED,
		    "a CA cannot have a proxy (RFC 3820 3.1)");
	if (issuer->has_key_usage &&
	    (issuer->key_usage & CERT_KU_DIGITAL_SIGNATURE) == 0)
		return fault_set(f, FAULT_DENIED,
		    "the certificate's key may not sign (RFC 3820 3.6)");
	for (size_t i = 0; i < from->chain.count; i++) {
		const struct cert *c = from->chain.cert[i];

		if (cert_is_proxy(c) && c->path_length >= 0 &&
		    (size_t)c->path_length <= i)
			return fault_set(f, FAULT_DENIED,
			    "a proxy above allows only %d below it "
			    "(RFC 3820 3.8.1)",
			    c->path_length);
	}
	return 0;
}

static int
put_times(const struct credential *from, const struct proxy_wish *wish,
    time_t now, struct buf *tbs, struct fault *f)
{
	time_t end = credential_end(from);
	time_t start = now - BACKDATE;
	size_t mark;

	if (end <= now)
		return fault_set(f, FAULT_EXPIRED,
		    "the certificate that a proxy is made from has expired");
	if (wish->lifetime < 0)
		return fault_set(f, FAULT_USAGE, "a negative lifetime");
	if (start < from->chain.cert[0]->not_before)
		start = from->chain.cert[0]->not_before;
	if (wish->lifetime > 0 && wish->lifetime < end - now)
		end = now + (time_t)wish->lifetime;
	mark = der_open(tbs, DER_SEQUENCE);
	der_put_time(tbs, start);
	der_put_time(tbs, end);
	der_close(tbs, mark);
	return 0;
}

static void
put_key_usage(const struct cert *issuer, enum key_kind kind, struct buf *tbs)
{
	unsigned allowed = issuer->has_key_usage ? issuer->key_usage : ~0u;
	bool encipher =
	    kind == KEY_RSA && (allowed & CERT_KU_KEY_ENCIPHERMENT) != 0;
	/* Bit 0 and perhaps 2 of a BIT STRING without trailing zero bits. */
	const uint8_t bits[] = { encipher ? 5 : 7, encipher ? 0xa0 : 0x80 };
	size_t ext = der_open(tbs, DER_SEQUENCE);
	size_t value;

	der_put_oid(tbs, OID_KEY_USAGE);
	der_put_bool(tbs, true);
	value = der_open(tbs, DER_OCTET_STRING);
	der_put(tbs, DER_BIT_STRING, bits, sizeof(bits));
	der_close(tbs, value);
	der_close(tbs, ext);
}

/* RFC 5280 4.2.1.1: which of the issuer's keys signed. */
static void
put_authority(const struct cert *issuer, struct buf *tbs)
{
	uint8_t id[KEY_ID_SIZE];
	struct wire_bytes key_id = issuer->key_id;
	size_t ext = der_open(tbs, DER_SEQUENCE);
	size_t value, list;

	if (key_id.len == 0) {
		spki_id(&issuer->spki, id);
		key_id = (struct wire_bytes){ id, sizeof(id) };
	}
	der_put_oid(tbs, OID_AUTHORITY_KEY_ID);
	value = der_open(tbs, DER_OCTET_STRING);
	list = der_open(tbs, DER_SEQUENCE);
	der_put(tbs, DER_CONTEXT(0), key_id.data, key_id.len);
	der_close(tbs, list);
	der_close(tbs, value);
	der_close(tbs, ext);
}

static void
put_policy(const struct recipe *recipe, const struct proxy_wish *wish,
    struct buf *tbs)
{
	size_t mark = der_open(tbs, DER_SEQUENCE);

	der_put_oid(tbs,
	    recipe->language != NULL ? recipe->language
				     : wish->policy_language);
	if (recipe->language == NULL)
		der_put(tbs, DER_OCTET_STRING, wish->policy.data,
		    wish->policy.len);
	der_close(tbs, mark);
}

/* ProxyCertInfo (RFC 3820 3.8); the draft has the path length last and
 * tagged. */
static void
put_info(const struct recipe *recipe, const struct proxy_wish *wish,
    struct buf *tbs)
{
	bool draft = strcmp(recipe->info, OID_DRAFT_CERT_INFO) == 0;
	bool path = wish->path_length >= 0;
	size_t ext = der_open(tbs, DER_SEQUENCE);
	size_t value, info, tagged;

	der_put_oid(tbs, recipe->info);
	der_put_bool(tbs, true);
	value = der_open(tbs, DER_OCTET_STRING);
	info = der_open(tbs, DER_SEQUENCE);
	if (path && !draft)
		der_put_u64(tbs, (uint64_t)wish->path_length);
	put_policy(recipe, wish, tbs);
	if (path && draft) {
		tagged = der_open(tbs, DER_CONTEXT_C(1));
		der_put_u64(tbs, (uint64_t)wish->path_length);
		der_close(tbs, tagged);
	}
	der_close(tbs, info);
	der_close(tbs, value);
	der_close(tbs, ext);
}

static void
put_extensions(const struct recipe *recipe, const struct proxy_wish *wish,
    const struct cert *issuer, enum key_kind kind, struct buf *tbs)
{
	size_t tagged = der_open(tbs, DER_CONTEXT_C(3));
	size_t list = der_open(tbs, DER_SEQUENCE);

	put_key_usage(issuer, kind, tbs);
	if (recipe->info != NULL) {
		put_authority(issuer, tbs);
		put_info(recipe, wish, tbs);
	}
	der_close(tbs, list);
	der_close(tbs, tagged);
}

/* 31 random bits, as old grid software has it, and never 0. */
static uint32_t
new_serial(void)
{
	uint32_t serial = 0;

	while ((serial & 0x7fffffffu) == 0)
		rand_bytes(&serial, sizeof(serial));
	return serial & 0x7fffffffu;
}

static int
put_tbs(const struct credential *from, const struct spki *spki,
    const struct recipe *recipe, const struct proxy_wish *wish, time_t now,
    struct buf *tbs, struct fault *f)
{
	const struct cert *issuer = from->chain.cert[0];
	struct wire_bytes algorithm =
	    key_signature_algorithm(key_kind_of(from->key));
	struct dn subject = issuer->subject;
	uint32_t serial = new_serial();
	char number[16];
	size_t whole, version;

	(void)snprintf(number, sizeof(number), "%u", serial);
	if (dn_add_cn(&subject, recipe->cn != NULL ? recipe->cn : number, f) <
	    0)
		return -1;
	whole = der_open(tbs, DER_SEQUENCE);
	version = der_open(tbs, DER_CONTEXT_C(0));
	der_put_u64(tbs, 2);
	der_close(tbs, version);
	der_put_u64(tbs, serial);
	buf_put(tbs, algorithm.data, algorithm.len);
	buf_put(tbs, issuer->subject.der, issuer->subject.len);
	if (put_times(from, wish, now, tbs, f) < 0)
		return -1;
	buf_put(tbs, subject.der, subject.len);
	buf_put(tbs, spki->der.data, spki->der.len);
	put_extensions(recipe, wish, issuer, spki->kind, tbs);
	der_close(tbs, whole);
	return tbs->failed
	    ? fault_set(f, FAULT_INPUT, "the proxy would be too large")
	    : 0;
}

int
proxy_sign(const struct credential *from, const struct spki *spki,
    const struct proxy_wish *wish, time_t now, struct buf *der, struct fault *f)
{
	OWN_BUF(tbs, PROXY_MAX);
	OWN_BUF(signature, 4096);
	const struct recipe *recipe;

	if (check_issuer(from, f) < 0 ||
	    (recipe = choose(from->chain.cert[0], wish, f)) == NULL ||
	    put_tbs(from, spki, recipe, wish, now, &tbs, f) < 0 ||
	    key_sign(from->key, (struct wire_bytes){ tbs.data, tbs.len },
		&signature, f) < 0)
		return -1;
	return mint_finish((struct wire_bytes){ tbs.data, tbs.len },
	    key_kind_of(from->key),
	    (struct wire_bytes){ signature.data, signature.len }, der, f);
}

/* ${leaf} and a copy of ${chain} after it. */
static int
join_chain(struct cert_list *out, struct wire_bytes leaf,
    const struct cert_list *chain, struct fault *f)
{
	if (chain->count >= CERT_LIST_MAX)
		return fault_set(f, FAULT_DENIED,
		    "more than %d certificates in a chain", CERT_LIST_MAX);
	if ((out->cert[0] = cert_read(leaf, f)) == NULL)
		return fault_wrap(f, "the new proxy");
	out->count = 1;
	for (size_t i = 0; i < chain->count; i++) {
		struct wire_bytes der = { chain->cert[i]->der,
			chain->cert[i]->len };

		if ((out->cert[out->count] = cert_read(der, f)) == NULL)
			return -1;
		out->count++;
	}
	return 0;
}

int
proxy_make(const struct credential *from, struct key *key,
    const struct proxy_wish *wish, time_t now, struct credential *out,
    struct fault *f)
{
	OWN_STRUCT(key) ours = key;
	OWN_BUF(der, CERT_MAX);
	struct credential made = { 0 };

	if (proxy_sign(from, key_spki(ours), wish, now, &der, f) < 0)
		return -1;
	if (join_chain(&made.chain, (struct wire_bytes){ der.data, der.len },
		&from->chain, f) < 0) {
		credential_clear(&made);
		return -1;
	}
	made.key = TAKE(ours);
	*out = made;
	return 0;
}

static bool
has_key(const void *pem, size_t len)
{
	static const char mark[] = "PRIVATE KEY-----";

	return memmem(pem, len, mark, sizeof(mark) - 1) != NULL;
}

/* The certificates, the key if there is one, and that they belong together. */
static int
read_parts(struct credential *c, const void *pem, size_t len,
    const struct secret *phrase, struct fault *f)
{
	if (cert_list_read_pem(&c->chain, pem, len, f) < 0)
		return -1;
	if (c->chain.count == 0)
		return fault_set(f, FAULT_INPUT, "no certificate");
	if (!has_key(pem, len))
		return 0;
	if ((c->key = key_read_pem(pem, len, phrase, f)) == NULL)
		return -1;
	if (!der_bytes_equal(key_spki(c->key)->der, c->chain.cert[0]->spki.der))
		return fault_set(f, FAULT_KEY,
		    "the private key is not that of the first certificate");
	return 0;
}

int
credential_read(struct credential *c, const void *pem, size_t len,
    const struct secret *phrase, struct fault *f)
{
	struct credential made = { 0 };

	if (read_parts(&made, pem, len, phrase, f) < 0) {
		credential_clear(&made);
		return -1;
	}
	*c = made;
	return 0;
}

/*
 * The Toolkit reads "RSA PRIVATE KEY" and "PRIVATE KEY" and stumbles over "EC
 * PRIVATE KEY", so that EC keys go out as PKCS#8.
 */
static int
write_key(const struct key *key, struct buf *out, struct fault *f)
{
	if (key_kind_of(key) == KEY_RSA)
		return key_write_traditional(key, out, f);
	return key_write_pem(key, NULL, out, f);
}

int
credential_write(const struct credential *c, struct buf *out, struct fault *f)
{
	for (size_t i = 0; i < c->chain.count; i++) {
		const struct cert *cert = c->chain.cert[i];

		pem_put(out, "CERTIFICATE",
		    (struct wire_bytes){ cert->der, cert->len });
		if (i == 0 && c->key != NULL && write_key(c->key, out, f) < 0)
			return -1;
	}
	return out->failed
	    ? fault_set(f, FAULT_MEMORY, "the credential is too large")
	    : 0;
}

void
credential_clear(struct credential *c)
{
	cert_list_free(&c->chain);
	key_free(c->key);
	*c = (struct credential){ 0 };
}

time_t
credential_end(const struct credential *c)
{
	time_t end = c->chain.count > 0 ? c->chain.cert[0]->not_after : 0;

	for (size_t i = 1; i < c->chain.count; i++)
		if (c->chain.cert[i]->not_after < end)
			end = c->chain.cert[i]->not_after;
	return end;
}
