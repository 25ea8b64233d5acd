/* Files of a trust directory: what each must be, and which belong together. */
#include "anchor/root_files.h"

#include "anchor/anchor_body.h"
#include "anchor/anchor_policy.h"
#include "anchor/judge.h"
#include "anchor/root_part.h"
#include "base/fault.h"
#include "base/text.h"
#include "trust/namespaces.h"
#include "trust/sigpolicy.h"
#include "x509/pem.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 65536
#define HASH_LEN 8

bool
root_name_good(const char *name, size_t len)
{
	if (len == 0 || len >= ROOT_NAME_SIZE || name[0] == '.' ||
	    name[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = name[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr("._-+", c) == NULL))
			return false;
	}
	return true;
}

/* Today's hash of a name, or the one of old OpenSSL: directories hold both. */
static int
hash_check(const char *name, const struct dn *dn, struct fault *f)
{
	char hash[HASH_LEN + 1];

	if (dn_hash(dn, hash, f) < 0)
		return -1;
	if (memcmp(name, hash, HASH_LEN) == 0)
		return 0;
	if (dn_hash_old(dn, hash, f) < 0)
		return -1;
	if (memcmp(name, hash, HASH_LEN) == 0)
		return 0;
	return fault_set(f, FAULT_INPUT, "holds another name");
}

typedef int check_fn(const char *name, struct wire_bytes body,
    struct buf *again, struct fault *f);

/* OpenSSL believes every certificate that stands in such a file, whatever its
 * label: so one is written, and nothing else. */
static int
check_cert(const char *name, struct wire_bytes body, struct buf *again,
    struct fault *f)
{
	struct cert_list list = { 0 };
	int result;

	if (cert_list_read_pem(&list, body.data, body.len, f) < 0)
		return -1;
	result = list.count == 1
	    ? hash_check(name, &list.cert[0]->subject, f)
	    : fault_set(f, FAULT_INPUT, "not one certificate");
	if (result == 0)
		body_cert_put(again, list.cert[0]);
	cert_list_free(&list);
	return result;
}

/* Some authorities publish DER under that name, which few readers take. */
static int
check_crl(const char *name, struct wire_bytes body, struct buf *again,
    struct fault *f)
{
	OWN_BUF(decoded, ROOT_FILE_MAX);
	struct wire_bytes der;
	struct crl crl;

	if (body_crl(body, &decoded, &der, f) < 0 ||
	    crl_read(&crl, der, f) < 0 || hash_check(name, &crl.issuer, f) < 0)
		return -1;
	pem_put(again, "X509 CRL", der);
	return 0;
}

static int
check_policy(const char *name, struct wire_bytes body, struct buf *again,
    struct fault *f)
{
	struct sigpolicy policy = { 0 };

	(void)name;
	if (sigpolicy_read(&policy, (const char *)body.data, body.len, f) < 0)
		return -1;
	sigpolicy_clear(&policy);
	buf_put(again, body.data, body.len);
	return 0;
}

static int
check_namespaces(const char *name, struct wire_bytes body, struct buf *again,
    struct fault *f)
{
	struct namespaces rules = { 0 };

	(void)name;
	if (namespaces_read(&rules, (const char *)body.data, body.len, f) < 0)
		return -1;
	namespaces_clear(&rules);
	buf_put(again, body.data, body.len);
	return 0;
}

static int
check_text(const char *name, struct wire_bytes body, struct buf *again,
    struct fault *f)
{
	(void)name;
	if (body.len > TEXT_MAX)
		return fault_set(f, FAULT_INPUT, "too long");
	for (size_t i = 0; i < body.len; i++)
		if ((body.data[i] < 0x20 && body.data[i] != '\n' &&
			body.data[i] != '\r' && body.data[i] != '\t') ||
		    body.data[i] == 0x7f)
			return fault_set(f, FAULT_INPUT, "no text");
	buf_put(again, body.data, body.len);
	return 0;
}

/* "<hash>.<prefix><digits>" */
static bool
is_numbered(const char *name, const char *prefix)
{
	const char *p = name + HASH_LEN;

	if (strspn(name, "0123456789abcdef") != HASH_LEN || *p++ != '.' ||
	    !text_starts(p, prefix))
		return false;
	p += strlen(prefix);
	return *p != '\0' && p[strspn(p, "0123456789")] == '\0';
}

bool
root_file_is_crl(const struct root_file *file)
{
	return is_numbered(file->name, "r");
}

static check_fn *
check_of(const char *name)
{
	static const struct {
		const char *suffix;
		check_fn *check;
	} texts[] = {
		{ ".signing_policy", check_policy },
		{ ".namespaces", check_namespaces },
		{ ".info", check_text },
		{ ".crl_url", check_text },
	};

	if (is_numbered(name, ""))
		return check_cert;
	if (is_numbered(name, "r"))
		return check_crl;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (text_ends(name, texts[i].suffix))
			return texts[i].check;
	return NULL;
}

bool
root_name_known(const char *name)
{
	return check_of(name) != NULL;
}

int
root_file_check(const char *name, struct wire_bytes body, struct buf *again,
    struct fault *f)
{
	check_fn *check = check_of(name);

	if (check == NULL)
		return fault_set(f, FAULT_INPUT, "not a kind of trust root");
	if (check(name, body, again, f) < 0)
		return -1;
	return again->failed ? fault_set(f, FAULT_MEMORY, "trust roots") : 0;
}

int
root_files_add(struct root_files *r, const char *name, struct buf *body,
    struct fault *f)
{
	struct root_file *more;

	if (!root_name_good(name, strlen(name)))
		return fault_set(f, FAULT_INPUT,
		    "a trust root has an unsafe file name");
	if (r->count == ROOT_FILES_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d trust roots",
		    ROOT_FILES_MAX);
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->file[i].name, name) == 0)
			return fault_set(f, FAULT_INPUT, "%s comes twice",
			    name);
	if (body->failed)
		return fault_set(f, FAULT_MEMORY, "trust roots");
	more = reallocarray(r->file, r->count + 1, sizeof(*more));
	if (more == NULL)
		return fault_set(f, FAULT_MEMORY, "trust roots");
	r->file = more;
	more += r->count++;
	memset(more, 0, sizeof(*more));
	(void)snprintf(more->name, sizeof(more->name), "%s", name);
	more->body = *body;
	*body = BUF(body->limit);
	return 0;
}

void
root_files_clear(struct root_files *r)
{
	for (size_t i = 0; i < r->count; i++) {
		buf_free(&r->file[i].body);
		cert_free(r->file[i].cert);
	}
	free(r->file);
	*r = (struct root_files){ 0, NULL };
}

static int
judge_list(struct wire_bytes der, const struct cert *cert,
    const struct crl *old, struct crl *crl, struct fault *f)
{
	struct judge_rules rules = { 0 };

	/* As it was when it was made: when it ends, its reader looks. */
	if (crl_read(crl, der, f) < 0)
		return -1;
	rules.now = crl->this_update;
	return judge_crl(&rules, cert, der, old, crl, f);
}

/* The certificate among ${r} by whose key ${der} is signed. */
static const struct cert *
signer_of(const struct root_files *r, struct wire_bytes der, struct fault *f)
{
	const struct cert *signer = NULL;
	struct crl crl;

	if (crl_read(&crl, der, f) < 0)
		return NULL;
	(void)fault_set(f, FAULT_UNTRUSTED,
	    "its CA's certificate is not with it");
	for (size_t i = 0; i < r->count && signer == NULL; i++) {
		const struct cert *cert = r->file[i].cert;

		if (cert != NULL && dn_equal(&cert->subject, &crl.issuer) &&
		    judge_list(der, cert, NULL, &crl, f) == 0)
			signer = cert;
	}
	return signer;
}

/* The list in ${body}; it has one. */
static int
list_in(const struct buf *body, struct buf *decoded, struct wire_bytes *der,
    struct fault *f)
{
	return body_crl((struct wire_bytes){ body->data, body->len }, decoded,
	    der, f);
}

static int
keep_cert(struct root_file *file, struct fault *f)
{
	struct cert_list list = { 0 };

	if (!is_numbered(file->name, ""))
		return 0;
	if (cert_list_read_pem(&list, file->body.data, file->body.len, f) < 0)
		return -1;
	file->cert = TAKE(list.cert[0]);
	cert_list_free(&list);
	return 0;
}

static int
judge_file(struct root_file *file, struct fault *f)
{
	struct buf again = BUF(ROOT_FILE_MAX);

	if (root_file_check(file->name,
		(struct wire_bytes){ file->body.data, file->body.len }, &again,
		f) < 0) {
		buf_free(&again);
		return -1;
	}
	buf_free(&file->body);
	file->body = again;
	return keep_cert(file, f);
}

/* Whether ${result} of a look at ${file} makes it good; memory alone fails. */
static int
conclude(struct root_file *file, int result, const struct fault *why,
    root_note_fn *note, void *arg, struct fault *f)
{
	file->good = result == 0;
	if (result == 0)
		return 0;
	if (why->code == FAULT_MEMORY) {
		*f = *why;
		return -1;
	}
	if (note != NULL)
		note(arg, file->name, why);
	return 0;
}

int
root_files_judge(struct root_files *r, root_note_fn *note, void *arg,
    struct fault *f)
{
	for (size_t i = 0; i < r->count; i++) {
		struct fault why = { 0 };
		int result = judge_file(&r->file[i], &why);

		if (conclude(&r->file[i], result, &why, note, arg, f) < 0)
			return -1;
	}
	for (size_t i = 0; i < r->count; i++) {
		struct root_file *file = &r->file[i];
		OWN_BUF(decoded, ROOT_FILE_MAX);
		struct fault why = { 0 };
		struct wire_bytes der;
		int result;

		if (!file->good || !root_file_is_crl(file))
			continue;
		result = list_in(&file->body, &decoded, &der, &why);
		if (result == 0 && signer_of(r, der, &why) == NULL)
			result = -1;
		if (conclude(file, result, &why, note, arg, f) < 0)
			return -1;
	}
	return 0;
}

int
root_files_follows(const struct root_files *r, const struct root_file *file,
    const struct buf *there, struct fault *f)
{
	OWN_BUF(decoded, ROOT_FILE_MAX);
	OWN_BUF(decoded_old, ROOT_FILE_MAX);
	struct wire_bytes der, der_old;
	struct fault ignored = { 0 };
	const struct cert *signer;
	struct crl crl, old;

	if (!root_file_is_crl(file))
		return 0;
	if (list_in(&file->body, &decoded, &der, f) < 0 ||
	    (signer = signer_of(r, der, f)) == NULL)
		return -1;
	/* One that is broken, or of an earlier key, holds nobody back. */
	if (list_in(there, &decoded_old, &der_old, &ignored) < 0 ||
	    judge_list(der_old, signer, NULL, &old, &ignored) < 0)
		return 0;
	return judge_list(der, signer, &old, &crl, f);
}

/* A name that could end the quoting of a policy, or fit more than itself, is
 * written into none. */
static int
policy_of(const struct cert *above, const struct cert *below, struct buf *out,
    struct fault *f)
{
	OWN_STRUCT(anchor_want) want = want_new(WANT_PLAIN, "", f);
	char theirs[DN_TEXT_MAX], ours[DN_TEXT_MAX];

	if (want == NULL)
		return -1;
	if (dn_show_slash(&above->subject, theirs, sizeof(theirs)) < 0 ||
	    dn_show_slash(&below->subject, ours, sizeof(ours)) < 0 ||
	    strpbrk(theirs, "'\"*?") != NULL || strpbrk(ours, "'\"*?") != NULL)
		return fault_set(f, FAULT_UNTRUSTED,
		    "a name that no signing policy can hold");
	if (want_set(&want->subject, theirs, f) < 0 ||
	    want_set(&want->title, theirs, f) < 0 ||
	    want_list_add(&want->may_sign, ours, f) < 0)
		return -1;
	return anchor_policy(want, false, out, f);
}

static int
add_good(struct root_files *r, const char *hash, const char *ending,
    struct buf *body, struct fault *f)
{
	char name[ROOT_NAME_SIZE];

	(void)snprintf(name, sizeof(name), "%s.%s", hash, ending);
	if (root_files_add(r, name, body, f) < 0)
		return -1;
	r->file[r->count - 1].good = true;
	return keep_cert(&r->file[r->count - 1], f);
}

int
root_files_link(struct root_files *r, const struct cert *above,
    const struct cert *below, struct fault *f)
{
	OWN_BUF(policy, 4 * (size_t)TEXT_MAX);
	OWN_BUF(pem, 4 * (size_t)CERT_MAX);
	OWN_BUF(none, 64);
	char hash[HASH_LEN + 1];

	if (dn_hash(&above->subject, hash, f) < 0 ||
	    policy_of(above, below, &policy, f) < 0)
		return -1;
	body_cert_put(&pem, above);
	buf_text(&none, "# Its CRL is not known here yet.\n");
	if (add_good(r, hash, "signing_policy", &policy, f) < 0 ||
	    add_good(r, hash, "crl_optional", &none, f) < 0)
		return -1;
	return add_good(r, hash, "0", &pem, f);
}
