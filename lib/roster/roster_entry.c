#include "roster/roster_entry.h"

#include "base/fault.h"
#include "base/text.h"
#include "roster/roster_value.h"

#include <openssl/evp.h>

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ATTRIBUTES_MAX 16
#define PIECES_MAX 8
#define ATTRIBUTE_MAX 128
#define VALUE_MAX 65536
#define DN_MAX_BYTES 8192
#define VALUES_MAX 10000u
#define MEMBERS_MAX 4000000u
#define LATE_MAX 16

enum role {
	ROLE_ACCOUNT = 1,
	ROLE_NAMES = 2,
	ROLE_GROUPS = 4,
	ROLE_UUID = 8,
	ROLE_MEMBERS = 16,
	ROLE_GROUP_NAME = 32
};

struct attribute {
	char *name; /* owned */
	size_t len;
	unsigned roles;
};

/* A text, and behind it the value of an attribute (-1: none). */
struct piece {
	char text[ATTRIBUTE_MAX];
	int attribute;
};

struct roster_plan {
	struct attribute attributes[ATTRIBUTES_MAX];
	char *list[ATTRIBUTES_MAX + 1];
	int count;
	struct piece principal[PIECES_MAX];
	int pieces;
	bool nested;	/* groups are named by DN */
	bool by_member; /* the entry's own DN has a number */
	bool groups;	/* it is for groups' entries */
	unsigned values_max;
	unsigned members_max;
};

void
roster_skip(struct roster_skips *skips, const char *where, const char *fmt, ...)
{
	char why[240], shown[240];
	va_list ap;

	skips->count++;
	if (skips->fn == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	(void)snprintf(shown, sizeof(shown), "%s", where);
	text_clean(why);
	text_clean(shown);
	skips->fn(skips->arg, skips->source, shown, why);
}

void
roster_uuid_of(const void *data, size_t len, uint8_t uuid[ROSTER_UUID])
{
	uint8_t digest[EVP_MAX_MD_SIZE] = { 0 };
	unsigned size = 0;

	if (EVP_Digest(data, len, digest, &size, EVP_sha256(), NULL) != 1 ||
	    size < ROSTER_UUID)
		abort();
	memcpy(uuid, digest, ROSTER_UUID);
}

static bool
is_attribute(const char *name, size_t len)
{
	if (len == 0 || len >= ATTRIBUTE_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
			(name[i] >= 'A' && name[i] <= 'Z') ||
			(name[i] >= '0' && name[i] <= '9') || name[i] == '-' ||
			name[i] == '.'))
			return false;
	return true;
}

/* The number of the attribute, which gets ${role} too; -1 and a fault. */
static int
want(struct roster_plan *plan, const char *name, size_t len, unsigned role,
    struct fault *f)
{
	struct attribute *a;

	if (!is_attribute(name, len))
		return fault_set(f, FAULT_CONFIG, "%.*s: not an attribute",
		    (int)(len < 80 ? len : 80), name);
	for (int i = 0; i < plan->count; i++) {
		a = &plan->attributes[i];
		if (a->len == len && strncasecmp(a->name, name, len) == 0) {
			a->roles |= role;
			return i;
		}
	}
	if (plan->count >= ATTRIBUTES_MAX)
		return fault_set(f, FAULT_CONFIG, "too many attributes");
	a = &plan->attributes[plan->count];
	if ((a->name = strndup(name, len)) == NULL)
		return fault_set(f, FAULT_MEMORY, "an attribute");
	a->len = len;
	a->roles = role;
	plan->list[plan->count] = a->name;
	return plan->count++;
}

static int
want_words(struct roster_plan *plan, const char *words, unsigned role,
    struct fault *f)
{
	for (;;) {
		size_t len;

		words += strspn(words, " \t,");
		if ((len = strcspn(words, " \t,")) == 0)
			return 0;
		if (want(plan, words, len, role, f) < 0)
			return -1;
		words += len;
	}
}

/* One piece of the principal's template; how long it is there. */
static ssize_t
take_piece(struct roster_plan *plan, const char *at, struct fault *f)
{
	struct piece *piece = &plan->principal[plan->pieces];
	size_t text = strcspn(at, "{"), word = 0;

	if (plan->pieces >= PIECES_MAX || text >= sizeof(piece->text))
		return fault_set(f, FAULT_CONFIG, "principal: too long");
	memcpy(piece->text, at, text);
	piece->text[text] = '\0';
	piece->attribute = -1;
	plan->pieces++;
	if (at[text] == '\0')
		return (ssize_t)text;
	word = strcspn(at + text + 1, "}");
	if (at[text + 1 + word] != '}')
		return fault_set(f, FAULT_CONFIG, "principal: no '}'");
	piece->attribute = want(plan, at + text + 1, word, 0, f);
	return piece->attribute < 0 ? -1 : (ssize_t)(text + word + 2);
}

static int
plan_principal(struct roster_plan *plan, const char *text, struct fault *f)
{
	if (strchr(text, '{') == NULL) {
		plan->principal[0].attribute =
		    want(plan, text, strlen(text), 0, f);
		plan->pieces = 1;
		return plan->principal[0].attribute < 0 ? -1 : 0;
	}
	while (*text != '\0') {
		ssize_t len = take_piece(plan, text, f);

		if (len < 0)
			return -1;
		text += len;
	}
	return 0;
}

static const char *
or_else(const char *text, const char *otherwise)
{
	return text != NULL && text[0] != '\0' ? text : otherwise;
}

static int
plan_person(struct roster_plan *plan, const struct roster_source_conf *conf,
    struct fault *f)
{
	const char *groups = NULL;

	if (conf->groups == ROSTER_GROUPS_NAMES)
		groups = or_else(conf->group_attribute, "isMemberOf");
	if (conf->groups == ROSTER_GROUPS_DNS)
		groups = or_else(conf->group_attribute, "memberOf");
	if (want_words(plan, or_else(conf->account, "uid"), ROLE_ACCOUNT, f) <
		0 ||
	    plan_principal(plan,
		or_else(conf->principal, "eduPersonPrincipalName"), f) < 0)
		return -1;
	if (conf->names != NULL &&
	    want_words(plan, conf->names, ROLE_NAMES, f) < 0)
		return -1;
	return groups == NULL ? 0 : want_words(plan, groups, ROLE_GROUPS, f);
}

static int
plan_group(struct roster_plan *plan, const struct roster_source_conf *conf,
    struct fault *f)
{
	const char *members = conf->groups == ROSTER_GROUPS_MEMBER
	    ? or_else(conf->group_attribute, "member")
	    : "member";

	return want_words(plan, or_else(conf->group_name, "cn"),
		   ROLE_GROUP_NAME, f) < 0 ||
		want_words(plan, members, ROLE_MEMBERS, f) < 0
	    ? -1
	    : 0;
}

struct roster_plan *
roster_plan_new(const struct roster_source_conf *conf, bool groups,
    struct fault *f)
{
	OWN_STRUCT(roster_plan) plan = calloc(1, sizeof(*plan));

	if (plan == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "a source");
		return NULL;
	}
	plan->groups = groups;
	plan->nested = conf->groups == ROSTER_GROUPS_DNS;
	plan->by_member = groups || conf->groups == ROSTER_GROUPS_MEMBER;
	plan->values_max = conf->values_max > 0 ? conf->values_max : VALUES_MAX;
	plan->members_max =
	    conf->values_max > 0 ? conf->values_max : MEMBERS_MAX;
	if (want(plan, "entryUUID", strlen("entryUUID"), ROLE_UUID, f) < 0 ||
	    (groups ? plan_group(plan, conf, f) : plan_person(plan, conf, f)) <
		0)
		return NULL;
	return TAKE(plan);
}

void
roster_plan_free(struct roster_plan *plan)
{
	if (plan == NULL)
		return;
	for (int i = 0; i < plan->count; i++)
		free(plan->attributes[i].name);
	free(plan);
}

char **
roster_plan_attributes(const struct roster_plan *plan)
{
	return (char **)(uintptr_t)plan->list;
}

/* An entry being read. */
struct reading {
	const struct roster_plan *plan;
	struct roster *r;
	struct roster_draft *d;
	struct roster_skips *skips;
	struct berval first[ATTRIBUTES_MAX]; /* value, for the principal */
	size_t values[ATTRIBUTES_MAX];
	/* Values with names, to be looked at when the principal is known. */
	struct berval late[LATE_MAX];
	int late_of[LATE_MAX];
	size_t late_count; /* more than LATE_MAX: go through all again */
	struct buf *names; /* go behind the accounts */
	struct buf *folded;
	bool uuid; /* is known */
};

static const char *
where_of(struct reading *in)
{
	const char *where = buf_cstr(&in->d->where);

	return where != NULL ? where : "?";
}

static const char *
attribute_of(const struct reading *in, int i)
{
	return in->plan->attributes[i].name;
}

static int
unhex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 4530 2.1: "597ae2f6-16a6-1027-98f4-d28b5365dc14". */
static void
take_uuid(struct reading *in, const struct berval *v)
{
	uint8_t made[ROSTER_UUID];
	size_t digits = 0;

	if (in->uuid || v->bv_len != 36)
		return;
	for (size_t i = 0; i < 36; i++) {
		int digit = unhex(v->bv_val[i]);

		if (i == 8 || i == 13 || i == 18 || i == 23)
			continue;
		if (digit < 0)
			return;
		made[digits / 2] =
		    (uint8_t)(digits % 2 == 0 ? digit << 4
					      : made[digits / 2] | digit);
		digits++;
	}
	memcpy(in->d->uuid, made, ROSTER_UUID);
	in->uuid = true;
}

static void
take_account(struct reading *in, int i, const struct berval *v)
{
	if (!roster_value_account(v->bv_val, v->bv_len, false)) {
		roster_skip(in->skips, where_of(in),
		    "%s is not an account's name and is passed over",
		    attribute_of(in, i));
		return;
	}
	buf_put(&in->d->lists, v->bv_val, v->bv_len);
	buf_put_u8(&in->d->lists, 0);
	in->d->accounts++;
}

/* Whether ${name} is in the list already. */
static bool
has_name(const struct reading *in, const char *name)
{
	const char *at = (const char *)in->names->data;

	for (uint16_t i = 0; i < in->d->names; i++, at += strlen(at) + 1)
		if (strcmp(at, name) == 0)
			return true;
	return false;
}

static void
take_name(struct reading *in, int i, const struct berval *v)
{
	const struct roster_source *s = &in->r->sources[in->d->source];
	char text[ROSTER_NAME_SIZE];
	struct fault f;
	int read = roster_value_name(v->bv_val, v->bv_len, text, &f);

	if (read < 0) {
		roster_skip(in->skips, where_of(in), "%s is passed over: %s",
		    attribute_of(in, i), f.text);
		return;
	}
	if (read == 0 || has_name(in, text))
		return;
	if (s->subject_before != NULL && roster_subject_could(s, text)) {
		char own[ROSTER_NAME_SIZE];
		const char *principal = buf_cstr(&in->d->principal);

		/* Its own subject comes from the template. */
		if (principal == NULL || in->d->accounts == 0 ||
		    !roster_subject(s, principal,
			(const char *)in->d->lists.data, own) ||
		    strcmp(own, text) != 0)
			roster_skip(in->skips, where_of(in),
			    "%s claims a subject of the site's own CA and is "
			    "passed over",
			    attribute_of(in, i));
		return;
	}
	buf_put(in->names, text, strlen(text) + 1);
	in->d->names++;
}

static int
take_number(struct reading *in, uint32_t number, struct fault *f)
{
	return number == ROSTER_NONE ? -1
				     : roster_draft_number(in->d, number, f);
}

static int
take_dn(struct reading *in, int i, const struct berval *v, struct fault *f)
{
	if (v->bv_len > DN_MAX_BYTES || !text_utf8(v->bv_val, v->bv_len)) {
		roster_skip(in->skips, where_of(in),
		    "%s is not a DN and is passed over", attribute_of(in, i));
		return 0;
	}
	buf_clear(in->folded);
	roster_dn_fold(v->bv_val, v->bv_len, in->folded);
	if (in->folded->failed)
		return fault_set(f, FAULT_MEMORY, "a DN");
	return take_number(in,
	    roster_intern_add(&in->r->dns, 0, (const char *)in->folded->data,
		in->folded->len, f),
	    f);
}

static int
take_group(struct reading *in, int i, const struct berval *v, struct fault *f)
{
	if (in->plan->nested)
		return take_dn(in, i, v, f);
	if (!roster_value_group(v->bv_val, v->bv_len)) {
		roster_skip(in->skips, where_of(in),
		    "%s is not a group's name and is passed over",
		    attribute_of(in, i));
		return 0;
	}
	return take_number(in,
	    roster_intern_add(&in->r->groups, in->d->source, v->bv_val,
		v->bv_len, f),
	    f);
}

static void
take_group_name(struct reading *in, int i, const struct berval *v)
{
	if (!roster_value_group(v->bv_val, v->bv_len)) {
		roster_skip(in->skips, where_of(in),
		    "%s is not a group's name and is passed over",
		    attribute_of(in, i));
		return;
	}
	if (in->d->accounts > 0)
		return;
	buf_put(&in->d->lists, v->bv_val, v->bv_len);
	buf_put_u8(&in->d->lists, 0);
	in->d->accounts++;
}

static int
take_value(struct reading *in, int i, const struct berval *v, struct fault *f)
{
	unsigned roles = in->plan->attributes[i].roles;

	if (v->bv_len > VALUE_MAX || in->d->names > VALUES_MAX) {
		roster_skip(in->skips, where_of(in),
		    "%s of %zu bytes is passed over", attribute_of(in, i),
		    (size_t)v->bv_len);
		return 0;
	}
	if (roles & ROLE_UUID)
		take_uuid(in, v);
	if (roles & ROLE_NAMES && in->late_count++ < LATE_MAX) {
		in->late[in->late_count - 1] = *v;
		in->late_of[in->late_count - 1] = i;
	}
	if (roles & ROLE_ACCOUNT)
		take_account(in, i, v);
	if (roles & ROLE_GROUP_NAME)
		take_group_name(in, i, v);
	if (roles & ROLE_GROUPS && take_group(in, i, v, f) < 0)
		return -1;
	return roles & ROLE_MEMBERS ? take_dn(in, i, v, f) : 0;
}

static int
find_attribute(const struct roster_plan *plan, const struct berval *name)
{
	for (int i = 0; i < plan->count; i++)
		if (plan->attributes[i].len == name->bv_len &&
		    strncasecmp(plan->attributes[i].name, name->bv_val,
			name->bv_len) == 0)
			return i;
	return -1;
}

/* The values of one attribute, up to where it is too much. */
static int
take_values(struct reading *in, const struct berval *name,
    const struct berval *values, bool late, struct fault *f)
{
	int i = find_attribute(in->plan, name);
	unsigned roles = i < 0 ? 0 : in->plan->attributes[i].roles;
	size_t max =
	    roles & ROLE_MEMBERS ? in->plan->members_max : in->plan->values_max;

	if (i < 0 || values == NULL)
		return 0;
	for (size_t n = 0; values[n].bv_val != NULL; n++) {
		if (n >= max) {
			roster_skip(in->skips, where_of(in),
			    "of %s only %zu values are taken",
			    attribute_of(in, i), max);
			break;
		}
		if (late) {
			if (values[n].bv_len > VALUE_MAX)
				continue; /* said the first time */
			take_name(in, i, &values[n]);
			continue;
		}
		if (in->values[i]++ == 0)
			in->first[i] = values[n];
		if (take_value(in, i, &values[n], f) < 0)
			return -1;
	}
	return 0;
}

/* Go through the attributes; ${late}: for the names alone, which are looked at
 * when the principal is known. */
static int
each_attribute(struct reading *in, LDAP *ld, LDAPMessage *m, bool late,
    struct fault *f)
{
	BerElement *ber = NULL;
	struct berval dn, name, *values = NULL;
	int result = 0;

	if (ldap_get_dn_ber(ld, m, &ber, &dn) != LDAP_SUCCESS)
		return 0;
	while (result == 0 &&
	    ldap_get_attribute_ber(ld, m, ber, &name, &values) ==
		LDAP_SUCCESS &&
	    name.bv_val != NULL) {
		int i = find_attribute(in->plan, &name);

		if (!late ||
		    (i >= 0 && in->plan->attributes[i].roles & ROLE_NAMES))
			result = take_values(in, &name, values, late, f);
		ber_memfree(values);
		values = NULL;
	}
	ber_free(ber, 0);
	return result;
}

static void
make_principal(struct reading *in)
{
	struct buf *to = &in->d->principal;

	for (int p = 0; p < in->plan->pieces; p++) {
		const struct piece *piece = &in->plan->principal[p];
		int i = piece->attribute;

		buf_text(to, piece->text);
		if (i < 0)
			continue;
		if (in->values[i] != 1) {
			if (in->values[i] > 1)
				roster_skip(in->skips, where_of(in),
				    "several values of %s: no principal",
				    attribute_of(in, i));
			buf_clear(to);
			return;
		}
		if (in->first[i].bv_len < ROSTER_ACCOUNT_SIZE)
			buf_put(to, in->first[i].bv_val, in->first[i].bv_len);
		else
			buf_put_u8(to, 0); /* refused below */
	}
	if (to->len > 0 && !to->failed &&
	    roster_value_principal((const char *)to->data, to->len))
		return;
	if (to->len > 0)
		roster_skip(in->skips, where_of(in),
		    "what should be its principal is none");
	buf_free(to);
}

/* Where it is in the directory, in words and by number. */
static int
take_where(struct reading *in, LDAP *ld, LDAPMessage *m, struct fault *f)
{
	BerElement *ber = NULL;
	struct berval dn = { 0, NULL };
	char *clean;

	if (ldap_get_dn_ber(ld, m, &ber, &dn) != LDAP_SUCCESS)
		return 0;
	ber_free(ber, 0);
	if (dn.bv_val == NULL || dn.bv_len == 0 || dn.bv_len > DN_MAX_BYTES ||
	    memchr(dn.bv_val, '\0', dn.bv_len) != NULL)
		return 0;
	buf_put(&in->d->where, dn.bv_val, dn.bv_len);
	if (in->plan->by_member) {
		size_t before = in->d->count;

		if (take_dn(in, 0, &dn, f) < 0)
			return -1;
		if (in->d->count > before)
			in->d->dn = in->d->numbers[--in->d->count];
	}
	if (!in->uuid)
		roster_uuid_of(dn.bv_val, dn.bv_len, in->d->uuid);
	if ((clean = (char *)(uintptr_t)buf_cstr(&in->d->where)) == NULL)
		return fault_set(f, FAULT_MEMORY, "a DN");
	text_clean(clean);
	return 1;
}

/* The names, of which most people have few. */
static int
take_names(struct reading *in, LDAP *ld, LDAPMessage *m, struct fault *f)
{
	if (in->late_count > LATE_MAX)
		return each_attribute(in, ld, m, true, f);
	for (size_t i = 0; i < in->late_count; i++)
		take_name(in, in->late_of[i], &in->late[i]);
	return 0;
}

static int
read_all(struct reading *in, LDAP *ld, LDAPMessage *m, struct fault *f)
{
	int result = take_where(in, ld, m, f);

	if (result <= 0)
		return result;
	if (each_attribute(in, ld, m, false, f) < 0)
		return -1;
	if (in->plan->pieces > 0)
		make_principal(in);
	if (take_names(in, ld, m, f) < 0)
		return -1;
	if (in->names->len > 0)
		buf_put(&in->d->lists, in->names->data, in->names->len);
	roster_draft_order(in->d);
	/* What has no name is what the groups are kept in. */
	if (in->plan->groups && in->d->accounts == 0)
		return 0;
	if (in->names->failed || in->d->lists.failed) {
		roster_skip(in->skips, where_of(in),
		    "the entry is too large and is passed over");
		return 0;
	}
	return 1;
}

int
roster_entry_read(const struct roster_plan *plan, struct roster *r, LDAP *ld,
    LDAPMessage *m, const uint8_t *uuid, struct roster_draft *d,
    struct roster_skips *skips, struct fault *f)
{
	OWN_BUF(names, ROSTER_ENTRY_MAX);
	OWN_BUF(folded, (size_t)8 * DN_MAX_BYTES);
	struct reading in = { .plan = plan,
		.r = r,
		.d = d,
		.skips = skips,
		.names = &names,
		.folded = &folded,
		.uuid = uuid != NULL };

	roster_draft_begin(d);
	if (uuid != NULL)
		memcpy(d->uuid, uuid, ROSTER_UUID);
	return read_all(&in, ld, m, f);
}
