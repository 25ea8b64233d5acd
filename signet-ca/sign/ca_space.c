/* What may not be in the name space of a CA below a root. */
#include "ca_space.h"

#include "base/fault.h"

static int
refuse_covered(const char *space, const struct dn *base, const struct dn *dn,
    const char *what, struct fault *f)
{
	char name[DN_TEXT_MAX];

	if (!dn_equal(dn, base) && !dn_under(dn, base))
		return 0;
	if (dn_show_slash(dn, name, sizeof(name)) < 0)
		name[0] = '\0';
	return fault_set(f, FAULT_DENIED,
	    "may-sign-under %.150s has names of CAs in it: %s %.150s; give a "
	    "name space of its own",
	    space, what, name);
}

int
ca_space_check(const char *space, const struct dn *subject,
    const struct authority *above, struct fault *f)
{
	struct dn base;

	if (dn_read_slash(&base, space, f) < 0) {
		f->code = FAULT_CONFIG;
		return fault_wrap(f, "may-sign-under");
	}
	if (refuse_covered(space, &base, subject, "the CA's own subject", f) <
	    0)
		return -1;
	if (above == NULL)
		return 0;
	if (refuse_covered(space, &base, &above->cert->subject,
		"the root's subject", f) < 0)
		return -1;
	for (size_t i = 0; i < above->under_count; i++)
		if (refuse_covered(space, &base, &above->under[i],
			"the root's name space", f) < 0)
			return -1;
	return 0;
}
