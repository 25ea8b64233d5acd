#include "authn/authn_passwd_line.h"

#include "base/fault.h"
#include "base/text.h"

#include <string.h>

bool
authn_passwd_user_ok(const char *user)
{
	size_t len = strlen(user);

	return len > 0 && len < AUTHN_USER_SIZE && text_utf8(user, len) &&
	    strchr(user, ':') == NULL && user[0] != '#' && user[0] != ' ' &&
	    user[len - 1] != ' ';
}

bool
authn_passwd_user_can_log_in(const char *user)
{
	return authn_passwd_user_ok(user) && user[0] != '-' &&
	    strpbrk(user, "@/\\") == NULL;
}

static int
copy_part(char *to, size_t size, const char *from, size_t len)
{
	if (len >= size || memchr(from, '\0', len) != NULL)
		return -1;
	memcpy(to, from, len);
	to[len] = '\0';
	return 0;
}

int
authn_passwd_line_read(struct authn_passwd_line *line, const char *text,
    size_t len, struct fault *f)
{
	const char *colon;
	size_t user;

	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL &&
	    text[len - 1] != '\0')
		len--;
	if (len == 0 || text[0] == '#')
		return 0;
	if ((colon = memchr(text, ':', len)) == NULL)
		return fault_set(f, FAULT_INPUT, "no colon");
	user = (size_t)(colon - text);
	if (copy_part(line->user, sizeof(line->user), text, user) < 0 ||
	    !authn_passwd_user_ok(line->user))
		return fault_set(f, FAULT_INPUT, "no user name");
	if (copy_part(line->hash, sizeof(line->hash), colon + 1,
		len - user - 1) < 0 ||
	    !text_printable(line->hash) || strchr(line->hash, ':') != NULL ||
	    strchr(line->hash, ' ') != NULL)
		return fault_set(f, FAULT_INPUT, "no crypt(3) string");
	return 1;
}

bool
authn_passwd_next(struct wire_in *file, struct wire_bytes *raw, int *said,
    struct authn_passwd_line *line)
{
	const uint8_t *newline;
	struct fault passed_over;

	if (file->left == 0)
		return false;
	newline = memchr(file->at, '\n', file->left);
	raw->data = file->at;
	raw->len = newline == NULL ? file->left : (size_t)(newline - file->at);
	*said = authn_passwd_line_read(line, (const char *)raw->data, raw->len,
	    &passed_over);
	file->at += raw->len + (newline != NULL);
	file->left -= raw->len + (newline != NULL);
	return true;
}
