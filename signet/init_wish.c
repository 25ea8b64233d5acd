#include "init_wish.h"

#include "base/fault.h"
#include "base/file.h"

#define USUAL_LIFETIME INT64_C(43200) /* seconds */

/* At most one of ${count} turns may be taken; ${names} of the last one is
 * blamed. */
static int
check_one(const uint64_t *turns, const char *const *names, size_t count,
    const char *says, struct fault *f)
{
	size_t given = 0, last = 0;

	for (size_t i = 0; i < count; i++) {
		given += turns[i] != 0;
		if (turns[i] > turns[last])
			last = i;
	}
	return given > 1
	    ? fault_set(f, FAULT_USAGE, "-%s: %s", names[last], says)
	    : 0;
}

/* At most one kind may be asked for, and one generation. */
static int
check_kind(const struct init_options *o, struct fault *f)
{
	const uint64_t kinds[] = { o->limited, o->independent,
		o->policy != NULL || o->policy_language != NULL ? UINT64_MAX
								: 0 };
	const char *const kind_names[] = { "limited", "independent", "policy" };
	const uint64_t ages[] = { o->draft, o->legacy, o->rfc };
	const char *const age_names[] = { "draft", "old", "rfc" };

	if (check_one(kinds, kind_names, 3,
		"-independent, -limited and -policy/-policy-language are "
		"mutually exclusive",
		f) < 0 ||
	    check_one(ages, age_names, 3,
		"-old, -rfc, and -draft are mutually exclusive", f) < 0)
		return -1;
	if (o->legacy != 0 && o->independent != 0)
		return fault_set(f, FAULT_USAGE,
		    "-independent: legacy proxies know no such thing");
	if (o->legacy != 0 && kinds[2] != 0)
		return fault_set(f, FAULT_USAGE,
		    "-policy: legacy proxies know no such thing");
	return 0;
}

static int
read_kind(const struct init_options *o, struct proxy_wish *wish,
    struct fault *f)
{
	const struct {
		bool wanted;
		enum cert_kind full, limited, independent, restricted;
	} generations[] = {
		{ o->draft != 0, CERT_PROXY_DRAFT, CERT_PROXY_DRAFT_LIMITED,
		    CERT_PROXY_DRAFT_INDEPENDENT, CERT_PROXY_DRAFT_RESTRICTED },
		{ o->legacy != 0, CERT_PROXY_LEGACY, CERT_PROXY_LEGACY_LIMITED,
		    CERT_PROXY_LEGACY, CERT_PROXY_LEGACY },
		{ true, CERT_PROXY_IMPERSONATION, CERT_PROXY_LIMITED,
		    CERT_PROXY_INDEPENDENT, CERT_PROXY_RESTRICTED },
	};
	size_t g = 0;

	if (check_kind(o, f) < 0)
		return -1;
	while (!generations[g].wanted)
		g++;
	wish->kind = o->limited != 0	 ? generations[g].limited
	    : o->independent != 0	 ? generations[g].independent
	    : o->policy_language != NULL ? generations[g].restricted
					 : generations[g].full;
	return 0;
}

/* A policy file, and the language it is in; a language may say it all. */
static int
read_policy(const struct init_options *o, struct proxy_wish *wish,
    struct buf *policy, struct fault *f)
{
	if (o->policy != NULL && o->policy_language == NULL)
		return fault_set(f, FAULT_USAGE,
		    "If you specify a policy file you also need to specify a "
		    "policy language.");
	if (o->policy != NULL && file_read(o->policy, policy, f) < 0) {
		f->code = FAULT_INPUT; /* not that there is no credential */
		return fault_wrap(f, "Unable to open policies file");
	}
	wish->policy = (struct wire_bytes){ policy->data, policy->len };
	wish->policy_language = o->policy_language;
	return 0;
}

static int
check_bits(const struct init_options *o, bool old, struct fault *f)
{
	const char *name = old ? "-bits" : "--bits";
	const int bits = (int)o->bits;

	if (bits == 512 || bits == 1024)
		return fault_set(f, FAULT_USAGE,
		    "%s: keys of %d bits are no longer safe; value must be one "
		    "of 2048,3072,4096",
		    name, bits);
	if (bits != OPTION_UNSET && bits != 2048 && bits != 3072 &&
	    bits != 4096)
		return fault_set(f, FAULT_USAGE,
		    "%s: \"%d\" is none of 2048, 3072 and 4096", name, bits);
	return 0;
}

int
init_wish_read(const struct init_options *o, bool old, struct proxy_wish *wish,
    struct buf *policy, struct fault *f)
{
	if (check_bits(o, old, f) < 0 || read_kind(o, wish, f) < 0 ||
	    read_policy(o, wish, policy, f) < 0)
		return -1;
	wish->lifetime = o->valid != OPTION_UNSET ? o->valid
	    : o->hours != OPTION_UNSET		  ? o->hours
						  : USUAL_LIFETIME;
	wish->path_length =
	    o->path_length == OPTION_UNSET ? -1 : (int)o->path_length;
	return 0;
}
