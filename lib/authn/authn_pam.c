#include "authn/authn.h"
#include "base/fault.h"
#include "base/text.h"

#include <security/pam_appl.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the conversation may answer, and whether it has. */
struct talk {
	const struct secret *phrase;
	bool asked;
};

/* Wipe and free the first ${count} answers. */
static void
free_answers(struct pam_response *answers, int count)
{
	for (int i = 0; i < count; i++) {
		if (answers[i].resp == NULL)
			continue;
		explicit_bzero(answers[i].resp, strlen(answers[i].resp));
		free(answers[i].resp);
	}
	free(answers);
}

/* The one question we can answer is the first for a password. */
static int
answer(struct talk *talk, const struct pam_message *question,
    struct pam_response *reply)
{
	if (question->msg_style == PAM_TEXT_INFO ||
	    question->msg_style == PAM_ERROR_MSG)
		return PAM_SUCCESS;
	if (question->msg_style != PAM_PROMPT_ECHO_OFF || talk->asked)
		return PAM_CONV_ERR;
	talk->asked = true;
	/* PAM's interface takes a string of malloc, and wipes it. */
	reply->resp = strdup(secret_text(talk->phrase));
	return reply->resp == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

static int
converse(int count, const struct pam_message **questions,
    struct pam_response **replies, void *arg)
{
	struct pam_response *answers;

	if (count <= 0 || count > PAM_MAX_NUM_MSG)
		return PAM_CONV_ERR;
	if ((answers = calloc((size_t)count, sizeof(*answers))) == NULL)
		return PAM_BUF_ERR;
	for (int i = 0; i < count; i++) {
		int result = answer(arg, questions[i], &answers[i]);

		if (result != PAM_SUCCESS) {
			free_answers(answers, i);
			return result;
		}
	}
	*replies = answers;
	return PAM_SUCCESS;
}

/* Guesses are slowed before a worker sees them; none sleeps here. */
static void
no_delay(int result, unsigned microseconds, void *arg)
{
	(void)result;
	(void)microseconds;
	(void)arg;
}

/* Whether ${result} says something about the user, or about the system. */
static enum fault_code
code_of(int result)
{
	switch (result) {
	case PAM_AUTH_ERR:
	case PAM_USER_UNKNOWN:
	case PAM_MAXTRIES:
	case PAM_PERM_DENIED:
	case PAM_ACCT_EXPIRED:
	case PAM_CRED_EXPIRED:
	case PAM_NEW_AUTHTOK_REQD:
	case PAM_AUTHTOK_EXPIRED:
	case PAM_CRED_INSUFFICIENT:
		return FAULT_LOGIN;
	default:
		return FAULT_FAILED;
	}
}

static int
set_items(pam_handle_t *pam, const char *peer)
{
	/* An item may not be a function to C, but is one to PAM. */
	union {
		void (*function)(int, unsigned, void *);
		const void *item;
	} delay = { .function = no_delay };
	int result = pam_set_item(pam, PAM_RHOST, peer);

	if (result == PAM_SUCCESS)
		result = pam_set_item(pam, PAM_FAIL_DELAY, delay.item);
	return result;
}

static int
check(pam_handle_t *pam, const char *peer, const char **doing)
{
	int result = set_items(pam, peer);

	*doing = "authentication";
	if (result == PAM_SUCCESS)
		result = pam_authenticate(pam,
		    PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
	if (result != PAM_SUCCESS)
		return result;
	*doing = "account";
	return pam_acct_mgmt(pam, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
}

/* PAM_USER, which a module may have changed. */
static int
get_name(pam_handle_t *pam, char *name, size_t size, struct fault *f)
{
	const void *item = NULL;
	int result = pam_get_item(pam, PAM_USER, &item);

	if (result != PAM_SUCCESS || item == NULL ||
	    text_copy(name, size, item) < 0)
		return fault_set(f, FAULT_LOGIN, "PAM left no usable name");
	return 0;
}

int
authn_pam(const char *dir, const char *service, const char *user,
    const char *peer, const struct secret *phrase, char *name, size_t size,
    struct fault *f)
{
	struct talk talk = { .phrase = phrase };
	const struct pam_conv conv = { converse, &talk };
	const char *doing = "start";
	pam_handle_t *pam = NULL;
	int result, done = 0;

	if (user[0] == '\0' ||
	    strlen(secret_text(phrase)) != secret_len(phrase))
		return fault_set(f, FAULT_LOGIN, "no user, or a NUL");
	result = pam_start_confdir(service, user, &conv,
	    dir == NULL || dir[0] == '\0' ? NULL : dir, &pam);
	if (result != PAM_SUCCESS)
		return fault_set(f, FAULT_FAILED, "PAM %s: cannot start: %d",
		    service, result);
	result = check(pam, peer, &doing);
	if (result != PAM_SUCCESS)
		done = fault_set(f, code_of(result), "PAM %s: %s: %s", service,
		    doing, pam_strerror(pam, result));
	else
		done = get_name(pam, name, size, f);
	(void)pam_end(pam, result | PAM_DATA_SILENT);
	return done;
}

struct authn_pam_kept {
	pam_handle_t *pam;
};

/* It is never asked anything. */
static int
converse_never(int count, const struct pam_message **questions,
    struct pam_response **replies, void *arg)
{
	(void)count;
	(void)questions;
	(void)replies;
	(void)arg;
	return PAM_CONV_ERR;
}

struct authn_pam_kept *
authn_pam_keep(const char *dir, const char *service)
{
	static const struct pam_conv conv = { converse_never, NULL };
	const char *where = dir == NULL || dir[0] == '\0' ? NULL : dir;
	struct authn_pam_kept *kept;

	/* Without the directory libpam fails too, and forgets some memory. */
	if (where != NULL && access(where, R_OK | X_OK) < 0)
		return NULL;
	kept = calloc(1, sizeof(*kept));
	if (kept != NULL &&
	    pam_start_confdir(service, NULL, &conv, where, &kept->pam) ==
		PAM_SUCCESS)
		return kept;
	free(kept);
	return NULL;
}

void
authn_pam_kept_free(struct authn_pam_kept *kept)
{
	if (kept == NULL)
		return;
	(void)pam_end(kept->pam, PAM_SUCCESS | PAM_DATA_SILENT);
	free(kept);
}
