#include "office/request.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/rand.h"
#include "base/text.h"
#include "office/name.h"
#include "x509/pem.h"

#include <openssl/sha.h>

#include <stdlib.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define FIRST_LINE "Signet certificate request 1\n"
#define CSR_LABEL "CERTIFICATE REQUEST"
#define SIGNATURE_LABEL "REQUEST SIGNATURE"
#define SIGNATURE_MAX 4096
#define LIFETIME_MAX 1000000000

enum kind {
	TEXT,
	NAMES,
	DATE,
	SECONDS,
	YES
};

static const struct row {
	const char *keyword;
	enum kind kind;
	bool needed;
	size_t offset;
	size_t size;
} rows[] = {
#define REQUEST_FIELD(field, keyword, KIND, needed)               \
	{ keyword, KIND, needed, offsetof(struct request, field), \
		sizeof(((struct request *)0)->field) },
#include "office/request_field.def"
#undef REQUEST_FIELD
};

struct request *
request_new(struct fault *f)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "request");
		return NULL;
	}
	r->der = BUF(CSR_MAX);
	r->text = BUF(REQUEST_FILE_MAX + 1);
	return r;
}

void
request_free(struct request *r)
{
	if (r == NULL)
		return;
	buf_free(&r->der);
	buf_free(&r->text);
	free(r);
}

void
request_fingerprint(const struct spki *spki,
    char text[REQUEST_FINGERPRINT_SIZE])
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	char *at = text;

	SHA256(spki->der.data, spki->der.len, hash);
	for (size_t i = 0; i < sizeof(hash); i++) {
		*at++ = "0123456789ABCDEF"[hash[i] >> 4];
		*at++ = "0123456789ABCDEF"[hash[i] & 15];
		*at++ = i + 1 < sizeof(hash) ? ':' : '\0';
	}
}

void
request_hash(struct wire_bytes file, uint8_t hash[REQUEST_HASH_SIZE])
{
	SHA256(file.data, file.len, hash);
}

static void
put_row(const struct request *r, const struct row *row, struct buf *out)
{
	const void *field = (const char *)r + row->offset;
	const struct request_names *names = field;
	char when[CLOCK_TEXT_SIZE];

	switch (row->kind) {
	case TEXT:
		if (*(const char *)field != '\0')
			buf_fmt(out, "%s: %s\n", row->keyword,
			    (const char *)field);
		return;
	case NAMES:
		for (size_t i = 0; i < names->count; i++)
			buf_fmt(out, "%s: %s\n", row->keyword, names->item[i]);
		return;
	case DATE:
		clock_text(*(const time_t *)field, when);
		buf_fmt(out, "%s: %s\n", row->keyword, when);
		return;
	case SECONDS:
		if (*(const int64_t *)field != 0)
			buf_fmt(out, "%s: %lld\n", row->keyword,
			    (long long)*(const int64_t *)field);
		return;
	case YES:
		buf_fmt(out, "%s: %s\n", row->keyword,
		    *(const bool *)field ? "yes" : "no");
		return;
	}
}

/* All that is signed: the lines and the PKCS#10 request. */
static void
put_head(const struct request *r, struct buf *out)
{
	buf_text(out, FIRST_LINE);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		put_row(r, &rows[i], out);
	pem_put(out, CSR_LABEL, (struct wire_bytes){ r->der.data, r->der.len });
}

static int
take_names(struct request_names *names, char *value, const char *keyword,
    struct fault *f)
{
	if (names->count == REQUEST_NAMES_MAX)
		return fault_set(f, FAULT_INPUT, "more than %d lines \"%s\"",
		    REQUEST_NAMES_MAX, keyword);
	names->item[names->count++] = value;
	return 0;
}

static int
take_date(time_t *when, const char *value)
{
	struct tm tm = { 0 };
	const char *end = strptime(value, "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (end == NULL || *end != '\0')
		return -1;
	*when = timegm(&tm);
	return 0;
}

static int
take_value(struct request *r, const struct row *row, char *value,
    struct fault *f)
{
	void *field = (char *)r + row->offset;
	int result = 0;

	switch (row->kind) {
	case TEXT:
		result = text_copy(field, row->size, value);
		break;
	case NAMES:
		return take_names(field, value, row->keyword, f);
	case DATE:
		result = take_date(field, value);
		break;
	case SECONDS:
		result = text_number(value, 1, LIFETIME_MAX, field);
		break;
	case YES:
		*(bool *)field = strcmp(value, "yes") == 0;
		break;
	}
	if (result < 0)
		return fault_set(f, FAULT_INPUT,
		    "the value of \"%s\" is too long or malformed",
		    row->keyword);
	return 0;
}

/* One line, "keyword: value", with a NUL for its newline. */
static int
take_line(struct request *r, char *line, struct fault *f)
{
	char *value = strstr(line, ": ");

	if (value == NULL)
		return fault_set(f, FAULT_INPUT,
		    "neither \"keyword: value\" "
		    "nor a PEM block");
	*value = '\0';
	value += 2;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (strcmp(rows[i].keyword, line) != 0)
			continue;
		return take_value(r, &rows[i], value, f);
	}
	return fault_set(f, FAULT_INPUT, "unknown keyword \"%.40s\"", line);
}

static size_t
line_of(const uint8_t *data, size_t at)
{
	size_t line = 1;

	for (size_t i = 0; i < at; i++)
		line += data[i] == '\n';
	return line;
}

/* Text of printable ASCII; a file that went through mail or an editor shows. */
static int
check_bytes(struct wire_bytes file, struct fault *f)
{
	if (file.len > REQUEST_FILE_MAX)
		return fault_set(f, FAULT_INPUT,
		    "a request file of %zu bytes; %d are the most", file.len,
		    REQUEST_FILE_MAX);
	if (file.len < strlen(FIRST_LINE) ||
	    memcmp(file.data, FIRST_LINE, strlen(FIRST_LINE)) != 0)
		return fault_set(f, FAULT_INPUT,
		    "not a request file of "
		    "Signet");
	for (size_t i = 0; i < file.len; i++) {
		if (file.data[i] == '\n' ||
		    (file.data[i] >= 0x20 && file.data[i] <= 0x7e))
			continue;
		return fault_set(f, FAULT_INPUT,
		    "line %zu: byte %02x is not printable ASCII%s",
		    line_of(file.data, i), file.data[i],
		    file.data[i] == '\r' ? ": line ends were changed on the "
					   "way"
					 : "");
	}
	if (file.data[file.len - 1] != '\n')
		return fault_set(f, FAULT_INPUT, "line %zu is cut off",
		    line_of(file.data, file.len));
	return 0;
}

/* The lines before the PKCS#10 request, taken from a copy of the file. */
static int
read_lines(struct request *r, struct wire_bytes file, struct fault *f)
{
	size_t line = 2;
	char *at, *end;

	buf_put(&r->text, file.data, file.len);
	if (buf_cstr(&r->text) == NULL)
		return fault_set(f, FAULT_MEMORY, "request");
	at = (char *)r->text.data + strlen(FIRST_LINE);
	for (; !text_starts(at, "-----"); at = end + 1, line++) {
		if ((end = strchr(at, '\n')) == NULL)
			return fault_set(f, FAULT_INPUT,
			    "cut off after line %zu: the PKCS#10 request is "
			    "missing",
			    line - 1);
		*end = '\0';
		if (take_line(r, at, f) < 0)
			return fault_wrap(f, "line %zu", line);
	}
	return 0;
}

static int
check_needed(const struct request *r, struct fault *f)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].needed && rows[i].kind == TEXT &&
		    *((const char *)r + rows[i].offset) == '\0')
			return fault_set(f, FAULT_INPUT, "no \"%s\" is given",
			    rows[i].keyword);
	return 0;
}

static int
check_texts(const struct request *r, struct fault *f)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const void *field = (const char *)r + rows[i].offset;
		const struct request_names *names = field;

		if (rows[i].kind == TEXT && *(const char *)field != '\0' &&
		    name_text_check(rows[i].keyword, field, f) < 0)
			return -1;
		if (rows[i].kind != NAMES)
			continue;
		for (size_t j = 0; j < names->count; j++)
			if (name_text_check(rows[i].keyword, names->item[j],
				f) < 0)
				return -1;
	}
	return 0;
}

static bool
only_of(const char *text, const char *allowed)
{
	return *text != '\0' && strspn(text, allowed) == strlen(text);
}

/* What each value must be, whoever asks for what. */
static int
check_values(const struct request *r, struct fault *f)
{
	const char *hex = "0123456789abcdef";
	char shown[DN_TEXT_MAX];
	struct dn dn;

	if (check_texts(r, f) < 0)
		return -1;
	if (strlen(r->id) != REQUEST_ID_SIZE - 1 || !only_of(r->id, hex))
		return fault_set(f, FAULT_INPUT,
		    "id is not of %d hexadecimal digits", REQUEST_ID_SIZE - 1);
	if (*r->renews != '\0' && !only_of(r->renews, hex))
		return fault_set(f, FAULT_INPUT,
		    "renews is no serial in hexadecimal");
	if (strpbrk(r->profile, "/ ") != NULL)
		return fault_set(f, FAULT_INPUT, "profile is no name");
	if (name_mail_check(r->contact_mail, f) < 0)
		return fault_wrap(f, "contact-mail");
	if (*r->ca_conf_space != '\0' &&
	    dn_read_slash(&dn, r->ca_conf_space, f) < 0)
		return fault_wrap(f, "name-space");
	if (dn_read_slash(&dn, r->subject, f) < 0)
		return fault_wrap(f, "subject");
	if (dn_show_slash(&dn, shown, sizeof(shown)) < 0 ||
	    strcmp(shown, r->subject) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the subject is not in its one form, \"%.120s\"", shown);
	return 0;
}

/* The PKCS#10 request, which is of the same subject, or of none. */
static int
check_csr(struct request *r, struct fault *f)
{
	char shown[DN_TEXT_MAX];

	if (csr_read(&r->csr, (struct wire_bytes){ r->der.data, r->der.len },
		f) < 0)
		return -1;
	if (dn_depth(&r->csr.subject) == 0 && !r->proved)
		return 0;
	if (dn_show_slash(&r->csr.subject, shown, sizeof(shown)) < 0 ||
	    strcmp(shown, r->subject) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the PKCS#10 request is for another subject, \"%.120s\"",
		    shown);
	return 0;
}

/* Where ${file} is not what would have been written. */
static int
refuse_difference(struct wire_bytes file, const struct buf *again,
    struct fault *f)
{
	size_t at = 0;

	if (again->failed)
		return fault_set(f, FAULT_MEMORY, "request");
	while (at < file.len && at < again->len &&
	    file.data[at] == again->data[at])
		at++;
	if (at == file.len && at == again->len)
		return 0;
	if (at == file.len)
		return fault_set(f, FAULT_INPUT, "cut off in line %zu",
		    line_of(file.data, at));
	return fault_set(f, FAULT_INPUT,
	    "line %zu is not as it was written: the file was altered",
	    line_of(file.data, at));
}

/* What the key signed was what is there. */
static int
prove(const struct request *r, struct wire_bytes file, struct fault *f)
{
	OWN_BUF(again, REQUEST_FILE_MAX);
	OWN_BUF(signature, SIGNATURE_MAX);
	size_t at = 0, head;
	int found;

	put_head(r, &again);
	head = again.len;
	if (r->proved) {
		found = pem_next(file.data, file.len, &at, SIGNATURE_LABEL,
		    &signature, f);
		if (found < 0)
			return fault_wrap(f, "signature");
		if (found == 0)
			return fault_set(f, FAULT_INPUT,
			    "cut off: the signature of the key is missing");
		pem_put(&again, SIGNATURE_LABEL,
		    (struct wire_bytes){ signature.data, signature.len });
	}
	if (refuse_difference(file, &again, f) < 0)
		return -1;
	if (!r->proved)
		return 0;
	if (spki_verify(&r->csr.spki, key_signature_algorithm(r->csr.spki.kind),
		(struct wire_bytes){ again.data, head },
		(struct wire_bytes){ signature.data, signature.len }, f) < 0) {
		if (f->code != FAULT_INPUT)
			return -1;
		return fault_set(f, FAULT_INPUT,
		    "the key did not sign these lines: the file was altered");
	}
	return 0;
}

static int
check_fingerprint(const struct request *r, struct fault *f)
{
	char fingerprint[REQUEST_FINGERPRINT_SIZE];

	request_fingerprint(&r->csr.spki, fingerprint);
	if (strcmp(fingerprint, r->fingerprint) != 0)
		return fault_set(f, FAULT_INPUT,
		    "the fingerprint is not that of the key");
	return 0;
}

static int
read_all(struct request *r, struct wire_bytes file, struct fault *f)
{
	size_t at = 0;
	int found;

	if (check_bytes(file, f) < 0 || read_lines(r, file, f) < 0 ||
	    check_needed(r, f) < 0)
		return -1;
	found = pem_next(file.data, file.len, &at, CSR_LABEL, &r->der, f);
	if (found < 0)
		return fault_wrap(f, "PKCS#10 request");
	if (found == 0)
		return fault_set(f, FAULT_INPUT,
		    "the PKCS#10 request is missing");
	if (check_csr(r, f) < 0 || check_fingerprint(r, f) < 0 ||
	    check_values(r, f) < 0)
		return -1;
	return prove(r, file, f);
}

struct request *
request_read(struct wire_bytes file, struct fault *f)
{
	OWN_STRUCT(request) r = request_new(f);

	if (r == NULL)
		return NULL;
	if (read_all(r, file, f) < 0) {
		(void)fault_wrap(f, "request");
		return NULL;
	}
	request_hash(file, r->hash);
	return TAKE(r);
}

/* Extensions with the names in subjectAltName (RFC 5280 4.2.1.6), or nothing:
 * for others who read the PKCS#10 request. */
static void
put_alt_names(const struct request *r, struct buf *out)
{
	size_t list, one, value, names;

	if (r->dns.count + r->emails.count == 0)
		return;
	list = der_open(out, DER_SEQUENCE);
	one = der_open(out, DER_SEQUENCE);
	der_put_oid(out, "2.5.29.17");
	value = der_open(out, DER_OCTET_STRING);
	names = der_open(out, DER_SEQUENCE);
	for (size_t i = 0; i < r->emails.count; i++)
		der_put(out, DER_CONTEXT(1), r->emails.item[i],
		    strlen(r->emails.item[i]));
	for (size_t i = 0; i < r->dns.count; i++)
		der_put(out, DER_CONTEXT(2), r->dns.item[i],
		    strlen(r->dns.item[i]));
	der_close(out, names);
	der_close(out, value);
	der_close(out, one);
	der_close(out, list);
}

static int
make_csr(struct request *r, const struct dn *subject, const struct key *key,
    struct fault *f)
{
	OWN_BUF(extensions, CSR_MAX);

	put_alt_names(r, &extensions);
	if (extensions.failed)
		return fault_set(f, FAULT_INPUT, "too many names");
	buf_clear(&r->der);
	return csr_write(subject, key,
	    (struct wire_bytes){ extensions.data, extensions.len }, &r->der, f);
}

/* What the caller left to us. */
static int
complete(struct request *r, const struct key *key, struct fault *f)
{
	uint8_t id[(REQUEST_ID_SIZE - 1) / 2];
	struct dn subject;

	if (dn_read_slash(&subject, r->subject, f) < 0)
		return fault_wrap(f, "subject");
	if (dn_show_slash(&subject, r->subject, sizeof(r->subject)) < 0)
		return fault_set(f, FAULT_INPUT, "the subject is too long");
	if (*r->id == '\0') {
		rand_bytes(id, sizeof(id));
		text_hex(id, sizeof(id), r->id);
	}
	r->proved = key != NULL;
	if (key != NULL && make_csr(r, &subject, key, f) < 0)
		return -1;
	if (check_csr(r, f) < 0)
		return -1;
	request_fingerprint(&r->csr.spki, r->fingerprint);
	if (check_needed(r, f) < 0)
		return -1;
	return check_values(r, f);
}

static int
sign(const struct key *key, struct buf *file, struct fault *f)
{
	OWN_BUF(signature, SIGNATURE_MAX);

	if (key == NULL)
		return 0;
	if (key_sign(key, (struct wire_bytes){ file->data, file->len },
		&signature, f) < 0)
		return -1;
	pem_put(file, SIGNATURE_LABEL,
	    (struct wire_bytes){ signature.data, signature.len });
	return 0;
}

int
request_write(struct request *r, const struct key *key, struct buf *out,
    struct fault *f)
{
	OWN_STRUCT(request) again = NULL;
	OWN_BUF(file, REQUEST_FILE_MAX);
	struct wire_bytes bytes;

	if (complete(r, key, f) < 0)
		return fault_wrap(f, "request");
	put_head(r, &file);
	if (!file.failed && sign(key, &file, f) < 0)
		return fault_wrap(f, "request");
	if (file.failed)
		return fault_set(f, FAULT_INPUT,
		    "a request file of more than %d bytes", REQUEST_FILE_MAX);
	bytes = (struct wire_bytes){ file.data, file.len };
	/* What cannot be read at the other end is not sent. */
	again = request_read(bytes, f);
	if (again == NULL)
		return -1;
	request_hash(bytes, r->hash);
	buf_put(out, file.data, file.len);
	if (out->failed)
		return fault_set(f, FAULT_MEMORY, "request");
	return 0;
}
