/*
 * verify_bench: a proxy's chain against a trust directory with many CAs, each
 * with a long CRL; as one JSON object.
 *
 *   verify_bench PLACE CAS ENTRIES rsa|ec
 *
 * Times of one check: ours, warm (directory in memory) and cold (a new store,
 * with the one list that it takes); the two signatures that must be checked
 * each time, with keys made before (the floor); OpenSSL with the directory
 * looked up anew.  Then the same with all lists read, a reload with nothing and
 * with one CRL changed, the longest turn in which a process that answers others
 * does such a reload, and what memory the process has.  With 0 CAS: a single
 * CRL of ENTRIES is read, and what that takes is told.
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "trust/upkeep.h"
#include "trust/verify.h"
#include "x509/crl_source.h"
#include "x509/der.h"
#include "x509/key_ssl.h"
#include "x509/own_ssl.h"
#include "x509/pem.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECKS 2000
#define COLD 5
#define DAY 86400

#define NEED(what)                                                    \
	do {                                                          \
		if (!(what)) {                                        \
			fprintf(stderr, "%d: %s\n", __LINE__, #what); \
			exit(1);                                      \
		}                                                     \
	} while (0)

static double
cpu(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static long
memory_kb(const char *what)
{
	OWN(FILE) in = fopen("/proc/self/status", "re");
	char line[256];

	while (in != NULL && fgets(line, sizeof(line), in) != NULL)
		if (strncmp(line, what, strlen(what)) == 0)
			return strtol(line + strlen(what) + 1, NULL, 10);
	return -1;
}

static EVP_PKEY *
new_key(bool rsa)
{
	EVP_PKEY *key = rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");

	NEED(key != NULL);
	return key;
}

static void
extend(X509 *x, const char *name, const char *value)
{
	CONF *conf = NCONF_new(NULL);
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, x, x, NULL, NULL, 0);
	X509V3_set_nconf(&ctx, conf);
	NEED((e = X509V3_EXT_nconf(NULL, &ctx, name, value)) != NULL);
	NEED(X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
	NCONF_free(conf);
}

/* ${kind}: 0 a CA, 1 a person, 2 a proxy. */
static X509 *
certify(const char *cn, X509 *above, EVP_PKEY *key, EVP_PKEY *by, int kind)
{
	X509 *x = X509_new();
	X509_NAME *name = kind == 2
	    ? X509_NAME_dup(X509_get_subject_name(above))
	    : X509_NAME_new();

	if (kind != 2)
		NEED(X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC,
			 (const unsigned char *)"Farm", -1, -1, 0) == 1);
	NEED(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
		 (const unsigned char *)cn, -1, -1, 0) == 1);
	NEED(X509_set_version(x, 2) == 1);
	NEED(ASN1_INTEGER_set(X509_get_serialNumber(x), 77) == 1);
	NEED(X509_set_subject_name(x, name) == 1);
	NEED(X509_set_issuer_name(x,
		 above == NULL ? name : X509_get_subject_name(above)) == 1);
	NEED(X509_gmtime_adj(X509_getm_notBefore(x), -3600) != NULL);
	NEED(X509_gmtime_adj(X509_getm_notAfter(x), 30 * DAY) != NULL);
	NEED(X509_set_pubkey(x, key) == 1);
	if (kind == 0)
		extend(x, "basicConstraints", "critical,CA:TRUE");
	extend(x, "keyUsage",
	    kind == 0 ? "critical,keyCertSign,cRLSign"
		      : "critical,digitalSignature");
	if (kind == 2)
		extend(x, "proxyCertInfo",
		    "critical,language:1.3.6.1.5.5.7.21.1");
	NEED(X509_sign(x, by, EVP_sha256()) > 0);
	X509_NAME_free(name);
	return x;
}

static struct wire_bytes
subject_of(X509 *x)
{
	const unsigned char *der;
	size_t len;

	NEED(X509_NAME_get0_der(X509_get_subject_name(x), &der, &len) == 1);
	return (struct wire_bytes){ der, len };
}

/* The entries of every list: serials of nine octets, none of them 77. */
static void
make_entries(struct buf *out, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t n = (uint64_t)i * 2654435761u;
		uint8_t serial[9] = { 1 };
		size_t entry = der_open(out, DER_SEQUENCE);

		for (int k = 0; k < 8; k++)
			serial[1 + k] = (uint8_t)(n >> (56 - 8 * k));
		der_put_positive(out, serial, sizeof(serial));
		der_put_time(out, 1700000000);
		der_close(out, entry);
	}
}

static void
put_crl(const char *path, X509 *ca, EVP_PKEY *key, const struct buf *entries,
    time_t now)
{
	OWN_STRUCT(key) signer = NULL;
	OWN_BUF(tbs, CRL_BYTES_MAX);
	OWN_BUF(der, CRL_BYTES_MAX);
	OWN_BUF(pem, CRL_BYTES_MAX);
	OWN_BUF(signature, 4096);
	struct fault f = { 0 };
	struct wire_bytes name = subject_of(ca), algorithm;
	size_t whole, list;

	NEED(EVP_PKEY_up_ref(key) == 1);
	NEED((signer = key_take(key, &f)) != NULL);
	algorithm = key_signature_algorithm(key_kind_of(signer));
	whole = der_open(&tbs, DER_SEQUENCE);
	der_put_u64(&tbs, 1);
	buf_put(&tbs, algorithm.data, algorithm.len);
	buf_put(&tbs, name.data, name.len);
	der_put_time(&tbs, now - 3600);
	der_put_time(&tbs, now + DAY);
	list = der_open(&tbs, DER_SEQUENCE);
	buf_put(&tbs, entries->data, entries->len);
	der_close(&tbs, list);
	der_close(&tbs, whole);
	NEED(key_sign(signer, (struct wire_bytes){ tbs.data, tbs.len },
		 &signature, &f) == 0);
	whole = der_open(&der, DER_SEQUENCE);
	buf_put(&der, tbs.data, tbs.len);
	buf_put(&der, algorithm.data, algorithm.len);
	der_put_bits(&der, signature.data, signature.len);
	der_close(&der, whole);
	pem_put(&pem, "X509 CRL", (struct wire_bytes){ der.data, der.len });
	NEED(!pem.failed && file_write(path, 0644, pem.data, pem.len, &f) == 0);
}

static void
place_of(char path[PATH_MAX], const char *dir, X509 *ca, const char *ending)
{
	(void)snprintf(path, PATH_MAX, "%s/%08lx.%s", dir,
	    X509_NAME_hash_ex(X509_get_subject_name(ca), NULL, NULL, NULL),
	    ending);
}

static void
put_ca(const char *dir, X509 *ca, EVP_PKEY *key, const struct buf *entries,
    time_t now)
{
	static const char policy[] =
	    "access_id_ANYBODY\npos_rights globus CA:sign\n"
	    "cond_subjects globus '\"/O=Farm/*\"'\n";
	struct fault f = { 0 };
	char path[PATH_MAX];
	FILE *out;

	place_of(path, dir, ca, "0");
	NEED((out = fopen(path, "we")) != NULL);
	NEED(PEM_write_X509(out, ca) == 1 && fclose(out) == 0);
	place_of(path, dir, ca, "signing_policy");
	NEED(file_write(path, 0644, policy, sizeof(policy) - 1, &f) == 0);
	place_of(path, dir, ca, "r0");
	put_crl(path, ca, key, entries, now);
}

static struct cert *
to_cert(X509 *x)
{
	struct fault f = { 0 };
	unsigned char *der = NULL;
	int len = i2d_X509(x, &der);
	struct cert *cert =
	    cert_read((struct wire_bytes){ der, (size_t)len }, &f);

	NEED(cert != NULL);
	OPENSSL_free(der);
	return cert;
}

/* Microseconds of CPU that ${count} of ${fn} take, each. */
static double
each_us(void (*fn)(void *arg), void *arg, int count)
{
	double from = cpu();

	for (int i = 0; i < count; i++)
		fn(arg);
	return (cpu() - from) / count * 1e6;
}

struct bench {
	const char *dir;
	time_t now;
	X509 *ca, *person, *proxy;
	EVP_PKEY *ca_key, *person_key;
	struct cert_list chain;
	struct trust_store *store;
};

static void
check_warm(void *arg)
{
	const struct bench *b = arg;
	struct trust_verdict verdict;
	struct fault f = { 0 };

	NEED(trust_verify(b->store, &b->chain, b->now, TRUST_CLIENT, &verdict,
		 &f) == 0);
}

static void
check_cold(void *arg)
{
	struct bench *b = arg;
	struct fault f = { 0 };

	trust_free(b->store);
	NEED((b->store = trust_load(b->dir, false, NULL, NULL, &f)) != NULL);
	check_warm(b);
}

static void
check_openssl(void *arg)
{
	const struct bench *b = arg;
	OWN(X509_STORE) store = X509_STORE_new();
	OWN(X509_STORE_CTX) ctx = X509_STORE_CTX_new();
	STACK_OF(X509) *chain = sk_X509_new_null();

	NEED(X509_STORE_load_path(store, b->dir) == 1);
	NEED(sk_X509_push(chain, b->person) > 0);
	NEED(X509_STORE_CTX_init(ctx, store, b->proxy, chain) == 1);
	X509_STORE_CTX_set_flags(ctx,
	    X509_V_FLAG_ALLOW_PROXY_CERTS | X509_V_FLAG_CRL_CHECK |
		X509_V_FLAG_CRL_CHECK_ALL);
	NEED(X509_verify_cert(ctx) == 1);
	sk_X509_free(chain);
}

static void
verify_one(const struct cert *cert, EVP_PKEY *key)
{
	OWN(EVP_MD_CTX) ctx = EVP_MD_CTX_new();

	NEED(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1);
	NEED(EVP_DigestVerify(ctx, cert->signature.data, cert->signature.len,
		 cert->tbs.data, cert->tbs.len) == 1);
}

static void
check_floor(void *arg)
{
	const struct bench *b = arg;

	verify_one(b->chain.cert[0], b->person_key);
	verify_one(b->chain.cert[1], b->ca_key);
}

static void
reload(void *arg)
{
	struct bench *b = arg;
	struct fault f = { 0 };
	struct trust_store *fresh = trust_reload(b->store, NULL, NULL, &f);

	NEED(fresh != NULL);
	trust_free(b->store);
	b->store = fresh;
}

/* All files look as if they were written long ago. */
static void
settle(const char *dir, X509 *ca, long second)
{
	static const char *const endings[] = { "0", "r0", "signing_policy" };
	struct timespec past[2] = { { second, 0 }, { second, 0 } };
	char path[PATH_MAX];

	for (size_t i = 0; i < 3; i++) {
		place_of(path, dir, ca, endings[i]);
		NEED(utimensat(AT_FDCWD, path, past, 0) == 0);
	}
}

static void
load_only(void *arg)
{
	struct bench *b = arg;
	struct fault f = { 0 };

	trust_free(b->store);
	NEED((b->store = trust_load(b->dir, false, NULL, NULL, &f)) != NULL);
}

static void
read_lists(void *arg)
{
	const struct bench *b = arg;

	trust_read_lists(b->store);
}

/* Microseconds of CPU of the longest turn, and how many there are. */
struct turns {
	double longest;
	long count;
};

static void
take_turns(struct upkeep *u, struct turns *t)
{
	struct fault f = { 0 };

	while (upkeep_busy(u)) {
		double from = cpu(), took;

		NEED(upkeep_turn(u, &f) == 0);
		took = (cpu() - from) * 1e6;
		t->longest = took > t->longest ? took : t->longest;
		t->count++;
	}
}

/* A list that is in use changes, beside what a process does for others. */
static void
keep_up(const struct bench *b, const struct buf *entries, struct turns *t)
{
	struct fault f = { 0 };
	struct upkeep *u = upkeep_new(b->dir, false, NULL, NULL, &f);
	struct trust_verdict verdict;
	char path[PATH_MAX];
	double from;

	NEED(u != NULL);
	(void)malloc_trim(0);
	while (trust_verify(upkeep_store(u), &b->chain, b->now, TRUST_CLIENT,
		   &verdict, &f) < 0) {
		NEED(f.code == FAULT_BUSY);
		take_turns(u, t);
	}
	place_of(path, b->dir, b->ca, "r0");
	put_crl(path, b->ca, b->ca_key, entries, b->now);
	t->count = 1;
	(void)malloc_trim(0); /* of what it took to make the list */
	from = cpu();
	NEED(upkeep_look(u, &f) == 0);
	from = (cpu() - from) * 1e6;
	t->longest = from > t->longest ? from : t->longest;
	take_turns(u, t);
	upkeep_free(u);
}

static void
measure(struct bench *b, const struct buf *entries)
{
	double floor, warm, load, cold, theirs, all, same, one;
	struct turns turns = { 0 };
	char path[PATH_MAX];
	long rss, rss_all;

	load = each_us(load_only, b, 1);
	cold = each_us(check_cold, b, 1);
	rss = memory_kb("VmRSS:");
	floor = each_us(check_floor, b, CHECKS);
	warm = each_us(check_warm, b, CHECKS);
	theirs = each_us(check_openssl, b, COLD);
	keep_up(b, entries, &turns);
	all = each_us(read_lists, b, 1);
	rss_all = memory_kb("VmRSS:");
	settle(b->dir, b->ca, 1600000000);
	reload(b);
	same = each_us(reload, b, 20);
	place_of(path, b->dir, b->ca, "r0");
	put_crl(path, b->ca, b->ca_key, entries, b->now);
	one = each_us(reload, b, 1);
	printf("{\"floor_us\": %.1f, \"warm_us\": %.1f, \"openssl_us\": %.1f, "
	       "\"load_us\": %.1f, \"cold_us\": %.1f, \"rss_kb\": %ld, "
	       "\"all_us\": %.1f, \"rss_all_kb\": %ld, \"reload_us\": %.1f, "
	       "\"reload_one_us\": %.1f, \"turn_us\": %.1f, \"turns\": %ld}\n",
	    floor, warm, theirs, load, cold, rss, all, rss_all, same, one,
	    turns.longest, turns.count);
}

/* A single list, read and asked. */
static void
measure_list(const char *dir, const struct buf *entries, bool rsa, time_t now)
{
	EVP_PKEY *key = new_key(rsa);
	X509 *ca = certify("Big", NULL, key, key, 0);
	char path[PATH_MAX];
	pid_t child;

	place_of(path, dir, ca, "r0");
	put_crl(path, ca, key, entries, now);
	(void)fflush(stdout);
	/* In a process that has no more memory than it needs. */
	if ((child = fork()) == 0) {
		int fd = open(path, O_RDONLY);

		if (fd >= 0 && dup2(fd, STDIN_FILENO) >= 0)
			(void)execl("/proc/self/exe", "verify_bench", "list",
			    NULL);
		_exit(1);
	}
	NEED(child > 0 && wait4(child, NULL, 0, NULL) == child);
	X509_free(ca);
	EVP_PKEY_free(key);
}

static void
read_list(int fd)
{
	static struct crl_source source;
	struct fault f = { 0 };
	OWN_STRUCT(crl_index) index = NULL;
	long before = memory_kb("VmRSS:");
	double from = cpu(), took;

	crl_source_file(&source, fd, CRL_BYTES_MAX * 2);
	index = crl_index_read(&source, &f);
	NEED(index != NULL);
	took = cpu() - from;
	printf("{\"entries\": %zu, \"read_ms\": %.1f, \"index_kb\": %zu, "
	       "\"before_kb\": %ld, \"peak_kb\": %ld}\n",
	    crl_index_count(index), took * 1e3, crl_index_memory(index) / 1024,
	    before, memory_kb("VmHWM:"));
}

int
main(int argc, char **argv)
{
	OWN_BUF(entries, CRL_BYTES_MAX);
	struct bench b = { .now = clock_wall() };
	long cas, count;
	bool rsa;

	if (argc == 2 && strcmp(argv[1], "list") == 0) {
		read_list(STDIN_FILENO);
		return 0;
	}
	if (argc != 5)
		return 2;
	b.dir = argv[1];
	cas = strtol(argv[2], NULL, 10);
	count = strtol(argv[3], NULL, 10);
	rsa = strcmp(argv[4], "rsa") == 0;
	make_entries(&entries, (size_t)count);
	if (cas == 0) {
		measure_list(b.dir, &entries, rsa, b.now);
		return 0;
	}
	b.ca_key = new_key(rsa);
	b.person_key = new_key(rsa);
	for (long i = 0; i < cas; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "CA %ld", i);
		X509_free(b.ca);
		b.ca = certify(name, NULL, b.ca_key, b.ca_key, 0);
		put_ca(b.dir, b.ca, b.ca_key, &entries, b.now);
		settle(b.dir, b.ca, 1500000000 + i);
	}
	b.person = certify("Alice", b.ca, b.person_key, b.ca_key, 1);
	b.proxy = certify("1234", b.person, b.ca_key, b.person_key, 2);
	b.chain.cert[b.chain.count++] = to_cert(b.proxy);
	b.chain.cert[b.chain.count++] = to_cert(b.person);
	measure(&b, &entries);
	cert_list_free(&b.chain);
	trust_free(b.store);
	X509_free(b.ca);
	X509_free(b.person);
	X509_free(b.proxy);
	EVP_PKEY_free(b.ca_key);
	EVP_PKEY_free(b.person_key);
	return 0;
}
