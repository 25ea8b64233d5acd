/* An IGTF distribution becomes a set of cadesc files. */
#include "anchor/anchor_source.h"
#include "anchor/cadesc.h"
#include "anchor/spelling.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"
#include "signet-trust/base/trust_args.h"
#include "trust/anchor_text.h"
#include "trust/sigpolicy.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

static int
set_pins(struct anchor_want *want, struct fault *f)
{
	static const char *const names[WANT_PINS] = { "MD5", "SHA1", "SHA256",
		"SHA384" };
	char print[ANCHOR_PRINT_SIZE];

	for (size_t i = 0; i < WANT_PINS; i++)
		if (anchor_print(want->cert, names[i], print, f) < 0 ||
		    want_set(&want->pin[i], print, f) < 0)
			return -1;
	return 0;
}

static int
set_issuer(struct anchor_want *want, struct fault *f)
{
	OWN_BUF(name, (size_t)2 * DN_TEXT_MAX);
	char text[DN_TEXT_MAX];

	if (cert_is_self_issued(want->cert))
		return want_set(&want->issuer, "", f);
	if (dn_show_slash(&want->cert->issuer, text, sizeof(text)) < 0)
		return fault_set(f, FAULT_INPUT, "its issuer is too long");
	spelling_put(&name, SPELLING_GT4, text);
	if (buf_cstr(&name) == NULL)
		return fault_set(f, FAULT_MEMORY, "a name");
	return want_set(&want->issuer, (const char *)name.data, f);
}

static int
add_pattern(void *arg, const char *pattern, struct fault *f)
{
	struct anchor_want *want = arg;
	OWN_BUF(plain, 65536);
	OWN_BUF(name, 65536);

	spelling_mark(&plain, pattern, "");
	if (buf_cstr(&plain) == NULL)
		return fault_set(f, FAULT_MEMORY, "a pattern");
	spelling_put(&name, SPELLING_GT4, (const char *)plain.data);
	if (buf_cstr(&name) == NULL)
		return fault_set(f, FAULT_MEMORY, "a pattern");
	if (want_list_has(&want->may_sign, (const char *)name.data))
		return 0;
	return want_list_add(&want->may_sign, (const char *)name.data, f);
}

static int
set_patterns(struct anchor_want *want, struct fault *f)
{
	struct sigpolicy policy = { NULL };
	int result;

	if (want->policy == NULL)
		return fault_set(f, FAULT_INPUT, "it has no signing_policy");
	if (sigpolicy_read(&policy, want->policy, strlen(want->policy), f) < 0)
		return -1;
	result =
	    sigpolicy_patterns(&policy, want->subject, add_pattern, want, f);
	sigpolicy_clear(&policy);
	if (result == 0 && want->may_sign.count == 0)
		return fault_set(f, FAULT_INPUT,
		    "its signing_policy has no pattern for it");
	return result;
}

/* ca_url often is that of a page, or of another form: only where the site does
 * not say where its certificates are is it taken. */
static int
set_url(struct anchor_want *want, const char *base, struct fault *f)
{
	char url[PATH_MAX];

	if (base == NULL)
		return 0;
	if (text_fmt(url, sizeof(url), "%s%s%s.pem", base,
		text_ends(base, "/") ? "" : "/", want->alias) < 0)
		return fault_set(f, FAULT_USAGE, "--cert-url is too long");
	want_list_clear(&want->cert_urls);
	return want_list_add(&want->cert_urls, url, f);
}

/* What the distribution may say a cadesc file need not be able to. */
static int
check_readable(const struct anchor_want *want, const struct buf *text,
    struct fault *f)
{
	OWN_STRUCT(anchor_want) again = want_new(WANT_CADESC, want->file, f);

	if (again == NULL)
		return -1;
	memcpy(again->hash, want->hash, sizeof(again->hash));
	if (cadesc_read(again, (const char *)text->data, text->len, f) < 0)
		return -1;
	if (again->wrong.count > 0)
		return fault_set(f, FAULT_INPUT, "no cadesc can say it: %s",
		    again->wrong.item[0]);
	return 0;
}

static int
convert(struct anchor_want *want, const struct trust_args *args,
    struct fault *f)
{
	OWN_BUF(text, CADESC_MAX);
	char path[PATH_MAX];

	if (want->wrong.count > 0)
		return fault_set(f, FAULT_INPUT, "%s", want->wrong.item[0]);
	if (set_pins(want, f) < 0 || set_issuer(want, f) < 0 ||
	    set_patterns(want, f) < 0 || set_url(want, args->cert_url, f) < 0 ||
	    cadesc_write(want, &text, f) < 0)
		return -1;
	if (text_fmt(path, sizeof(path), "%s/%s.%s.cadesc", args->out,
		want->hash, want->alias) < 0)
		return fault_set(f, FAULT_USAGE, "path too long");
	if (check_readable(want, &text, f) < 0)
		return -1;
	return file_write(path, 0644, text.data, text.len, f);
}

static bool
asked_for(const struct anchor_want *want, const struct trust_args *args)
{
	if (want->meta || want->disabled)
		return false;
	for (size_t i = 0; i < args->profile.count; i++)
		if (want_has_profile(want, args->profile.item[i]))
			return true;
	return args->profile.count == 0;
}

static int
convert_all(struct anchor_set *set, const struct trust_args *args,
    struct fault *f)
{
	size_t written = 0, failed = 0;

	for (size_t i = 0; i < set->count; i++) {
		struct fault why = { 0 };

		if (!asked_for(set->item[i], args))
			continue;
		if (convert(set->item[i], args, &why) == 0) {
			written++;
			continue;
		}
		if (why.code == FAULT_SYSTEM || why.code == FAULT_MEMORY ||
		    why.code == FAULT_USAGE) {
			*f = why;
			return -1;
		}
		failed++;
		text_clean(why.text);
		fprintf(stderr, "signet-trust: %s: %s\n", set->item[i]->file,
		    why.text);
	}
	if (args->json)
		printf("{\"written\":%zu,\"failed\":%zu}\n", written, failed);
	else
		printf("%zu cadesc file%s in %s\n", written,
		    written == 1 ? "" : "s", args->out);
	return failed == 0
	    ? 0
	    : fault_exit_status(written > 0 ? FAULT_PARTLY : FAULT_FAILED);
}

int
trust_convert(const struct trust_args *args, struct fault *f)
{
	struct anchor_set set = { 0 };
	int result = 0;

	if (args->out == NULL)
		return fault_set(f, FAULT_USAGE, "--out is needed");
	for (size_t i = 0; i < args->count && result == 0; i++)
		result = source_directory(&set, args->operand[i], f);
	if (result == 0)
		result = source_relate(&set, f);
	if (result == 0)
		result = file_mkdir(args->out, 0755, f);
	anchor_set_sort(&set);
	if (result == 0)
		result = convert_all(&set, args, f);
	anchor_set_clear(&set);
	return result;
}
