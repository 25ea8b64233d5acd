#include "ca_form.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "x509/pem.h"

#include <string.h>

#define DAY 86400
#define CSR_FILE_MOST (1u << 20)

/* Where option and field belong together. */
static const struct {
	size_t option;
	size_t field;
	size_t size;
	const char *name;
} texts[] = {
#define PAIR(option, field, name)                              \
	{                                                      \
		offsetof(struct ca_args, option),              \
		    offsetof(struct request, field),           \
		    sizeof(((struct request *)0)->field), name \
	}
	PAIR(profile, profile, "--profile"),
	PAIR(subject, subject, "--subject"),
	PAIR(contact, contact_name, "--contact"),
	PAIR(contact_mail, contact_mail, "--contact-mail"),
	PAIR(contact_phone, contact_phone, "--contact-phone"),
	PAIR(purpose, purpose, "--purpose"),
#undef PAIR
};

static int
take_names(struct request_names *names, const struct cmd_list *list,
    struct fault *f)
{
	for (size_t i = 0; i < list->count; i++) {
		if (names->count == REQUEST_NAMES_MAX)
			return fault_set(f, FAULT_USAGE, "more than %d names",
			    REQUEST_NAMES_MAX);
		names->item[names->count++] = list->item[i];
	}
	return 0;
}

int
ca_form_need(const struct ca_args *args, struct fault *f)
{
	if (cmd_need(args->contact, "--contact (a person's name)", f) < 0 ||
	    cmd_need(args->contact_mail, "--contact-mail", f) < 0)
		return -1;
	return cmd_need(args->purpose, "--purpose", f);
}

int
ca_form_fill(struct request *r, const struct ca_args *args, struct fault *f)
{
	int64_t days = 0;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *value;

		memcpy(&value, (const char *)args + texts[i].option,
		    sizeof(value));
		if (value != NULL &&
		    text_copy((char *)r + texts[i].field, texts[i].size,
			value) < 0)
			return fault_set(f, FAULT_USAGE,
			    "%s has more than %zu characters", texts[i].name,
			    texts[i].size - 1);
	}
	if (cmd_number(args->days, "--days", 1, 11000, 0, &days, f) < 0)
		return -1;
	r->lifetime = days * DAY;
	r->created = clock_wall();
	if (take_names(&r->dns, &args->dns, f) < 0)
		return -1;
	return take_names(&r->emails, &args->email, f);
}

struct request *
ca_form_read(const char *path, struct buf *file, struct fault *f)
{
	struct request *r;

	if (file_read(path, file, f) < 0)
		return NULL;
	r = request_read((struct wire_bytes){ file->data, file->len }, f);
	if (r == NULL)
		(void)fault_wrap(f, "%s", path);
	return r;
}

int
ca_form_csr(const char *path, struct buf *der, struct fault *f)
{
	OWN_BUF(file, CSR_FILE_MOST);
	size_t at = 0;
	int found;

	if (file_read(path, &file, f) < 0)
		return -1;
	found =
	    pem_next(file.data, file.len, &at, "CERTIFICATE REQUEST", der, f);
	if (found < 0)
		return fault_wrap(f, "%s", path);
	if (found == 0)
		buf_put(der, file.data, file.len);
	if (der->failed)
		return fault_set(f, FAULT_INPUT, "%s is too large", path);
	return 0;
}

void
ca_form_key(const struct spki *spki, char text[CA_FORM_KEY_SIZE])
{
	int result = -1;

	switch (spki->kind) {
	case KEY_RSA:
		result = text_fmt(text, CA_FORM_KEY_SIZE, "RSA %u", spki->size);
		break;
	case KEY_P256:
	case KEY_P384:
		result =
		    text_fmt(text, CA_FORM_KEY_SIZE, "EC P-%u", spki->size);
		break;
	case KEY_OTHER:
		break;
	}
	if (result < 0)
		memcpy(text, "unknown", sizeof("unknown"));
}

void
ca_form_groups(const char *fingerprint, const char *indent, FILE *out)
{
	size_t digits = 0;

	for (const char *at = fingerprint; *at != '\0'; at++) {
		if (*at == ':')
			continue;
		if (digits % 32 == 0)
			fprintf(out, "%s%s", digits == 0 ? "" : "\n", indent);
		else if (digits % 4 == 0)
			fputc(' ', out);
		fputc(*at, out);
		digits++;
	}
	fputc('\n', out);
}

static void
show_line(const char *indent, const char *what, const char *value, FILE *out)
{
	if (*value != '\0')
		fprintf(out, "%s%-12s %s\n", indent, what, value);
}

static void
show_names(const char *indent, const char *what,
    const struct request_names *names, FILE *out)
{
	for (size_t i = 0; i < names->count; i++)
		show_line(indent, what, names->item[i], out);
}

void
ca_form_show(const struct request *r, const char *indent, FILE *out)
{
	char when[CLOCK_TEXT_SIZE], key[CA_FORM_KEY_SIZE], deep[32];

	clock_text(r->created, when);
	ca_form_key(&r->csr.spki, key);
	show_line(indent, "request", r->id, out);
	show_line(indent, "made", when, out);
	show_line(indent, "subject", r->subject, out);
	show_names(indent, "host name", &r->dns, out);
	show_names(indent, "mail", &r->emails, out);
	show_line(indent, "profile", r->profile, out);
	show_line(indent, "name space", r->ca_conf_space, out);
	show_line(indent, "serials", r->serials, out);
	show_line(indent, "renews", r->renews, out);
	if (r->lifetime != 0)
		fprintf(out, "%s%-12s %lld days\n", indent, "for",
		    (long long)(r->lifetime / DAY));
	show_line(indent, "contact", r->contact_name, out);
	show_line(indent, "", r->contact_mail, out);
	show_line(indent, "", r->contact_phone, out);
	show_line(indent, "purpose", r->purpose, out);
	if (!r->proved)
		show_line(indent, "NOT PROVED",
		    "the key signed its PKCS#10 request, not these lines", out);
	show_line(indent, "key", key, out);
	fprintf(out, "%sfingerprint (SHA-256 of the key):\n", indent);
	if (text_fmt(deep, sizeof(deep), "%s    ", indent) == 0)
		ca_form_groups(r->fingerprint, deep, out);
}

static json_t *
json_names(const struct request_names *names)
{
	json_t *list = json_array();

	for (size_t i = 0; list != NULL && i < names->count; i++)
		if (json_array_append_new(list, json_string(names->item[i])) <
		    0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *
ca_form_json(const struct request *r)
{
	char when[CLOCK_TEXT_SIZE], key[CA_FORM_KEY_SIZE];

	clock_text(r->created, when);
	ca_form_key(&r->csr.spki, key);
	return json_pack("{ss ss ss ss so so ss ss ss ss ss ss ss sI sb ss "
			 "ss}",
	    "id", r->id, "created", when, "profile", r->profile, "subject",
	    r->subject, "dns", json_names(&r->dns), "emails",
	    json_names(&r->emails), "contact", r->contact_name, "contact_mail",
	    r->contact_mail, "contact_phone", r->contact_phone, "purpose",
	    r->purpose, "renews", r->renews, "name_space", r->ca_conf_space,
	    "serials", r->serials, "lifetime", (json_int_t)r->lifetime,
	    "proved", r->proved, "key", key, "fingerprint", r->fingerprint);
}
