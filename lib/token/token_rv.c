#include "token/token_rv.h"

#include <stdio.h>

static const struct {
	CK_RV rv;
	const char *name;
	enum fault_code code;
	enum token_state state;
} answers[] = {
#define RV(name, fault, state) \
	{ CKR_##name, "CKR_" #name, FAULT_##fault, TOKEN_##state },
#include "token/token_rv.def"
#undef RV
};

#define ANSWERS (sizeof(answers) / sizeof(answers[0]))

/* Which of ${answers} it is, ANSWERS if none. */
static size_t
find(CK_RV rv)
{
	size_t i = 0;

	while (i < ANSWERS && answers[i].rv != rv)
		i++;
	return i;
}

const char *
token_rv_name(CK_RV rv, char text[TOKEN_RV_SIZE])
{
	size_t i = find(rv);

	if (i < ANSWERS)
		return answers[i].name;
	(void)snprintf(text, TOKEN_RV_SIZE, "CKR_0x%lx", rv);
	return text;
}

enum token_state
token_rv_state(CK_RV rv)
{
	size_t i = find(rv);

	return i < ANSWERS ? answers[i].state : TOKEN_BROKEN;
}

int
token_rv_fault(struct fault *f, CK_RV rv, const char *call)
{
	size_t i = find(rv);
	char text[TOKEN_RV_SIZE];

	return fault_set(f, i < ANSWERS ? answers[i].code : FAULT_FAILED,
	    "%s: %s", call, token_rv_name(rv, text));
}
