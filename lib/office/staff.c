#include "office/staff.h"

#include "base/fault.h"
#include "base/text.h"
#include "office/name.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define WORDS_MAX 256
#define WORD_MAX 256
#define NOBODY ((size_t)-1)

static const struct {
	const char *name;
	unsigned bit;
} roles[] = {
	{ "requester", STAFF_REQUESTER },
	{ "approver", STAFF_APPROVER },
	{ "revoker", STAFF_REVOKER },
	{ "auditor", STAFF_AUDITOR },
};

struct person {
	char name[STAFF_NAME_SIZE];
	unsigned roles;
};

/* One way to know a person. */
struct sign {
	size_t person;
	const char *account;   /* or NULL */
	const char *principal; /* or NULL */
	bool exists;	       /* ${account} has a uid */
	uid_t uid;
};

struct rule {
	size_t person;
	const char *profile;
	const char *name;
};

/* A list that grows; its items are moved when it does. */
struct list {
	void *at;
	size_t count;
	size_t size;
};

struct staff {
	char *text; /* what signs and rules point into, cut into words */
	struct list people;
	struct list signs;
	struct list rules;
};

/* How accounts are looked up. */
struct finder {
	staff_uid_fn *uid_of;
	void *arg;
};

struct words {
	size_t count;
	char *at[WORDS_MAX];
};

/* Room for one more of ${size} bytes, zeroed. */
static void *
grow(struct list *list, size_t size, struct fault *f)
{
	if (list->count == list->size) {
		size_t more = list->size == 0 ? 16 : 2 * list->size;
		void *at = reallocarray(list->at, more, size);

		if (at == NULL) {
			(void)fault_set(f, FAULT_MEMORY, "staff");
			return NULL;
		}
		list->at = at;
		list->size = more;
	}
	return memset((char *)list->at + size * list->count++, 0, size);
}

static size_t
person_find(const struct staff *s, const char *name)
{
	const struct person *p = s->people.at;

	for (size_t i = 0; i < s->people.count; i++)
		if (strcmp(p[i].name, name) == 0)
			return i;
	return NOBODY;
}

static const char *
name_of(const struct staff *s, size_t person)
{
	const struct person *p = s->people.at;

	return p[person].name;
}

static int
look_up(void *arg, const char *account, uid_t *uid)
{
	const struct passwd *pw = getpwnam(account);

	(void)arg;
	if (pw == NULL)
		return -1;
	*uid = pw->pw_uid;
	return 0;
}

/* Whether the principal is ACCOUNT@REALM. */
static bool
is_account_of(const char *account, const char *principal)
{
	size_t len = strlen(account);

	return strncmp(account, principal, len) == 0 && principal[len] == '@';
}

/* Whether an account and a principal are likely to be one person's: who had
 * both, under two names, would be two who approve. */
static bool
look_alike(const struct sign *a, const struct sign *b)
{
	if (a->account != NULL && b->principal != NULL)
		return is_account_of(a->account, b->principal);
	if (a->principal != NULL && b->account != NULL)
		return is_account_of(b->account, a->principal);
	return false;
}

/* Nobody is two people.  Principals are compared as a directory compares them,
 * which gives ann@A.ORG a ticket as ANN@A.ORG. */
static int
check_sign(const struct staff *s, const struct sign *new, struct fault *f)
{
	const struct sign *old = s->signs.at;

	for (size_t i = 0; i < s->signs.count; i++) {
		bool same = new->principal != NULL &&old[i].principal != NULL
		    ? strcasecmp(new->principal, old[i].principal) == 0
		    : new->exists &&old[i].exists &&new->uid == old[i].uid;

		if (same ||
		    (new->account != NULL &&old[i].account !=
			NULL &&strcmp(new->account, old[i].account) == 0))
			return fault_set(f, FAULT_CONFIG, "%s is %s already",
			    new->account != NULL ? new->account
						 : new->principal,
			    name_of(s, old[i].person));
		if (old[i].person != new->person && look_alike(new, &old[i]))
			return fault_set(f, FAULT_CONFIG,
			    "account and principal of one person? %s is %s, "
			    "%s would be %s",
			    old[i].account != NULL ? old[i].account
						   : old[i].principal,
			    name_of(s, old[i].person),
			    new->account != NULL ? new->account
						 : new->principal,
			    name_of(s, new->person));
	}
	return 0;
}

static int
add_sign(struct staff *s, size_t person, const char *what, const char *value,
    const struct finder *finder, struct fault *f)
{
	struct sign new = { .person = person }, *place;

	if (strcmp(what, "account") == 0) {
		new.account = value;
		new.exists = finder->uid_of(finder->arg, value, &new.uid) == 0;
	} else if (strcmp(what, "principal") == 0) {
		new.principal = value;
		if (strchr(value, '@') == NULL)
			return fault_set(f, FAULT_CONFIG,
			    "principal %s has no realm", value);
	} else {
		return fault_set(f, FAULT_CONFIG,
		    "account or principal, not \"%s\"", what);
	}
	if (check_sign(s, &new, f) < 0)
		return -1;
	if ((place = grow(&s->signs, sizeof(new), f)) == NULL)
		return -1;
	*place = new;
	return 0;
}

/* Whoever reads that ann and Ann have approved takes them for two. */
static bool
is_taken(const struct staff *s, const char *name)
{
	const struct person *p = s->people.at;

	for (size_t i = 0; i < s->people.count; i++)
		if (strcasecmp(p[i].name, name) == 0)
			return true;
	return false;
}

/* administrator NAME [account A]... [principal P]... */
static int
add_person(struct staff *s, const struct words *w, const struct finder *finder,
    struct fault *f)
{
	struct person *p;

	if (w->count % 2 != 0)
		return fault_set(f, FAULT_CONFIG,
		    "administrator NAME account ACCOUNT principal PRINCIPAL");
	if (is_taken(s, w->at[1]))
		return fault_set(f, FAULT_CONFIG,
		    "%s is there twice (capitals make no other name)",
		    w->at[1]);
	if (strlen(w->at[1]) >= STAFF_NAME_SIZE ||
	    strchr(w->at[1], ' ') != NULL)
		return fault_set(f, FAULT_CONFIG,
		    "an administrator's name has up to %d letters and no "
		    "blank",
		    STAFF_NAME_SIZE - 1);
	if ((p = grow(&s->people, sizeof(*p), f)) == NULL)
		return -1;
	if (text_copy(p->name, sizeof(p->name), w->at[1]) < 0)
		return fault_set(f, FAULT_INTERNAL, "name");
	for (size_t i = 2; i < w->count; i += 2)
		if (add_sign(s, s->people.count - 1, w->at[i], w->at[i + 1],
			finder, f) < 0)
			return -1;
	return 0;
}

static int
find_named(const struct staff *s, const struct words *w, size_t *person,
    struct fault *f)
{
	*person = person_find(s, w->at[1]);
	if (*person == NOBODY)
		return fault_set(f, FAULT_CONFIG,
		    "no line \"administrator %s\" is above", w->at[1]);
	return 0;
}

/* role NAME ROLE... */
static int
add_roles(struct staff *s, const struct words *w, const struct finder *finder,
    struct fault *f)
{
	struct person *people = s->people.at;
	size_t person = 0;

	(void)finder;
	if (find_named(s, w, &person, f) < 0)
		return -1;
	for (size_t i = 2; i < w->count; i++) {
		unsigned bit = 0;

		for (size_t j = 0; j < COUNT_OF(roles); j++)
			if (strcmp(roles[j].name, w->at[i]) == 0)
				bit = roles[j].bit;
		if (bit == 0)
			return fault_set(f, FAULT_CONFIG,
			    "no role \"%s\"; there are requester, approver, "
			    "revoker and auditor",
			    w->at[i]);
		people[person].roles |= bit;
	}
	return 0;
}

/* may-ask NAME PROFILE NAME... */
static int
add_rules(struct staff *s, const struct words *w, const struct finder *finder,
    struct fault *f)
{
	size_t person = 0;

	(void)finder;
	if (find_named(s, w, &person, f) < 0)
		return -1;
	if (w->count < 4)
		return fault_set(f, FAULT_CONFIG,
		    "may-ask NAME PROFILE NAME...");
	for (size_t i = 3; i < w->count; i++) {
		struct rule *r;

		if (strchr(w->at[i], '*') != NULL && strcmp(w->at[i], "*") != 0)
			return fault_set(f, FAULT_CONFIG,
			    "\"%s\": all names below ligo.org are written "
			    ".ligo.org, and any name *",
			    w->at[i]);
		if ((r = grow(&s->rules, sizeof(*r), f)) == NULL)
			return -1;
		r->person = person;
		r->profile = w->at[2];
		r->name = w->at[i];
	}
	return 0;
}

static const struct {
	const char *keyword;
	int (*add)(struct staff *s, const struct words *w,
	    const struct finder *finder, struct fault *f);
} entries[] = {
	{ "administrator", add_person },
	{ "role", add_roles },
	{ "may-ask", add_rules },
};

/* Cut ${line} into words, in place.  A quoted one may have blanks. */
static int
cut(char *line, struct words *w, struct fault *f)
{
	char *at = line;

	for (w->count = 0;; w->count++) {
		bool quoted;

		at += strspn(at, " \t");
		if (*at == '\0')
			return 0;
		if (w->count == WORDS_MAX)
			return fault_set(f, FAULT_CONFIG,
			    "more than %d words in a line", WORDS_MAX);
		quoted = *at == '"';
		w->at[w->count] = at += quoted;
		at += strcspn(at, quoted ? "\"" : " \t\"");
		if (quoted ? *at != '"' : *at == '"')
			return fault_set(f, FAULT_CONFIG,
			    "a quote that is not at both ends of a word");
		if (*at == '\0') {
			w->count++;
			break;
		}
		*at++ = '\0';
		if (quoted && *at != '\0' && *at != ' ' && *at != '\t')
			return fault_set(f, FAULT_CONFIG,
			    "no blank after a quoted word");
	}
	return 0;
}

static int
check_words(const struct words *w, struct fault *f)
{
	for (size_t i = 0; i < w->count; i++) {
		if (name_text_check("a word", w->at[i], f) < 0) {
			f->code = FAULT_CONFIG;
			return -1;
		}
		if (strlen(w->at[i]) >= WORD_MAX)
			return fault_set(f, FAULT_CONFIG,
			    "a word of %d letters or more", WORD_MAX);
	}
	return 0;
}

static int
read_line(struct staff *s, char *line, const struct finder *finder,
    struct fault *f)
{
	struct words w = { 0 };

	line += strspn(line, " \t");
	if (*line == '\0' || *line == '#')
		return 0;
	if (cut(line, &w, f) < 0 || check_words(&w, f) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(entries); i++) {
		if (w.count == 0 || strcmp(entries[i].keyword, w.at[0]) != 0)
			continue;
		if (w.count < 3)
			return fault_set(f, FAULT_CONFIG,
			    "\"%s\" is not complete", w.at[0]);
		return entries[i].add(s, &w, finder, f);
	}
	return fault_set(f, FAULT_CONFIG,
	    "administrator, role or may-ask, not \"%.40s\"", w.at[0]);
}

static int
read_lines(struct staff *s, size_t len, const struct finder *finder,
    struct fault *f)
{
	char *at = s->text, *end;

	if (memchr(s->text, '\0', len) != NULL)
		return fault_set(f, FAULT_CONFIG, "staff: a NUL");
	for (size_t line = 1; at < s->text + len; at = end + 1, line++) {
		end = at + strcspn(at, "\n");
		*end = '\0';
		if (read_line(s, at, finder, f) < 0)
			return fault_wrap(f, "line %zu", line);
	}
	return 0;
}

struct staff *
staff_read(const char *text, size_t len, staff_uid_fn *uid_of, void *arg,
    struct fault *f)
{
	const struct finder finder = { uid_of != NULL ? uid_of : look_up, arg };
	OWN_STRUCT(staff) s = NULL;

	if (len > STAFF_FILE_MAX) {
		(void)fault_set(f, FAULT_CONFIG, "larger than %zu bytes",
		    STAFF_FILE_MAX);
		return NULL;
	}
	if ((s = calloc(1, sizeof(*s))) == NULL ||
	    (s->text = malloc(len + 1)) == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "staff");
		return NULL;
	}
	if (len > 0)
		memcpy(s->text, text, len);
	s->text[len] = '\0';
	if (read_lines(s, len, &finder, f) < 0)
		return NULL;
	if (s->people.count == 0) {
		(void)fault_set(f, FAULT_CONFIG,
		    "no administrator is in it: nobody could do anything");
		return NULL;
	}
	return TAKE(s);
}

void
staff_free(struct staff *s)
{
	if (s == NULL)
		return;
	free(s->text);
	free(s->people.at);
	free(s->signs.at);
	free(s->rules.at);
	free(s);
}

static void
put_person(const struct staff *s, size_t person, struct buf *out)
{
	const struct person *p = s->people.at;
	const struct sign *sign = s->signs.at;

	buf_fmt(out, "administrator \"%s\"", p[person].name);
	for (size_t i = 0; i < s->signs.count; i++) {
		bool account = sign[i].account != NULL;

		if (sign[i].person == person)
			buf_fmt(out, " %s \"%s\"",
			    account ? "account" : "principal",
			    account ? sign[i].account : sign[i].principal);
	}
	buf_text(out, "\n");
	if (p[person].roles == 0)
		return;
	buf_fmt(out, "role \"%s\"", p[person].name);
	for (size_t i = 0; i < COUNT_OF(roles); i++)
		if ((p[person].roles & roles[i].bit) != 0)
			buf_fmt(out, " %s", roles[i].name);
	buf_text(out, "\n");
}

void
staff_write(const struct staff *s, struct buf *out)
{
	const struct rule *r = s->rules.at;

	for (size_t i = 0; i < s->people.count; i++)
		put_person(s, i, out);
	for (size_t i = 0; i < s->rules.count; i++)
		buf_fmt(out, "may-ask \"%s\" \"%s\" \"%s\"\n",
		    name_of(s, r[i].person), r[i].profile, r[i].name);
}

const char *
staff_by_uid(const struct staff *s, uid_t uid)
{
	const struct sign *sign = s->signs.at;

	for (size_t i = 0; i < s->signs.count; i++)
		if (sign[i].exists && sign[i].uid == uid)
			return name_of(s, sign[i].person);
	return NULL;
}

const char *
staff_by_principal(const struct staff *s, const char *principal)
{
	const struct sign *sign = s->signs.at;

	for (size_t i = 0; i < s->signs.count; i++)
		if (sign[i].principal != NULL &&
		    strcmp(sign[i].principal, principal) == 0)
			return name_of(s, sign[i].person);
	return NULL;
}

unsigned
staff_roles(const struct staff *s, const char *name)
{
	const struct person *p = s->people.at;
	size_t person = person_find(s, name);

	return person == NOBODY ? 0 : p[person].roles;
}

/* Whether ${host} is ${rule}, or is below it where that begins with a dot or,
 * if it is a mail address, with an at sign. */
static bool
covers(const char *rule, const char *host)
{
	size_t len = strlen(host), tail = strlen(rule);

	if (strcmp(rule, "*") == 0 || strcasecmp(rule, host) == 0)
		return true;
	/* A mail address is below no host; "@ligo.org" is for all there. */
	if (*rule != (strchr(host, '@') == NULL ? '.' : '@') ||
	    strchr(host, ' ') != NULL)
		return false;
	return len > tail && strcasecmp(host + len - tail, rule) == 0;
}

bool
staff_may_ask(const struct staff *s, const char *name, const char *profile,
    const char *host)
{
	const struct rule *r = s->rules.at;
	size_t person = person_find(s, name);

	for (size_t i = 0; person != NOBODY && i < s->rules.count; i++)
		if (r[i].person == person &&
		    (strcmp(r[i].profile, "*") == 0 ||
			strcmp(r[i].profile, profile) == 0) &&
		    covers(r[i].name, host))
			return true;
	return false;
}
