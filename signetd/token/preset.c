#include "signetd/token/preset.h"

#include "base/buf.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define CONF_MAX 65536
#define SOFTHSM_CONF "/etc/softhsm/softhsm2.conf"
#define SOFTHSM_TOKENS "/var/lib/softhsm/tokens"
#define TOKENS_KEY "directories.tokendir"

/* Where modules and what they load are. */
static const char *const libraries[] = { "/usr/lib", "/lib", "/usr/lib64",
	"/lib64", "/usr/local/lib", "/etc/ld.so.cache", NULL };

static const char *const pcsc[] = { "/run/pcscd", "/etc/opensc",
	"/usr/share/opensc", NULL };
static const char *const network[] = { "/etc/resolv.conf", "/etc/hosts",
	"/etc/nsswitch.conf", "/etc/gai.conf", "/etc/ssl", NULL };
static const char *const none[] = { NULL };

static const struct {
	const char *name;
	uint64_t promises;
	const char *const *paths;
} presets[] = {
	{ "softhsm", 0, none },
	{ "pcsc", 0, pcsc },
	{ "network", SANDBOX_PROMISE(CONNECT), network },
	{ "custom", 0, none },
};

static int
add(struct sandbox *box, const char *path, bool write, struct fault *f)
{
	for (size_t i = 0; i < SANDBOX_PATHS_MAX; i++)
		if (box->paths[i].path == NULL) {
			box->paths[i] = (struct sandbox_path){ path, write };
			return 0;
		}
	return fault_set(f, FAULT_CONFIG, "too many lines token-path");
}

static int
add_all(struct sandbox *box, const char *const *paths, struct fault *f)
{
	for (; *paths != NULL; paths++)
		if (add(box, *paths, false, f) < 0)
			return -1;
	return 0;
}

/* The value of "KEY = VALUE" in the line, without blanks; false if it is
 * another line. */
static bool
value_of(const char *line, size_t len, const char *key, const char **value,
    size_t *value_len)
{
	const size_t key_len = strlen(key);
	const char *end = line + len;

	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	if ((size_t)(end - line) <= key_len || memcmp(line, key, key_len) != 0)
		return false;
	line += key_len;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	if (line == end || *line++ != '=')
		return false;
	while (line < end && (*line == ' ' || *line == '\t'))
		line++;
	while (end > line &&
	    (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r'))
		end--;
	*value = line;
	*value_len = (size_t)(end - line);
	return true;
}

int
preset_read_softhsm(const char *text, size_t len, char tokens[PATH_MAX],
    struct fault *f)
{
	const char *value;
	size_t value_len;

	*tokens = '\0';
	while (len > 0) {
		const char *newline = memchr(text, '\n', len);
		size_t n = newline == NULL ? len : (size_t)(newline - text);

		if (value_of(text, n, TOKENS_KEY, &value, &value_len)) {
			if (value_len == 0 || *value != '/' ||
			    value_len >= PATH_MAX ||
			    memchr(value, '\0', value_len) != NULL)
				return fault_set(f, FAULT_CONFIG,
				    TOKENS_KEY " is no absolute path");
			memcpy(tokens, value, value_len);
			tokens[value_len] = '\0';
		}
		n += newline != NULL;
		text += n;
		len -= n;
	}
	return 0;
}

/* As SoftHSM finds them; its home directory is not ours. */
static int
find_softhsm(struct preset *preset, struct sandbox *box, struct fault *f)
{
	const char *conf = secure_getenv("SOFTHSM2_CONF");
	OWN_BUF(text, CONF_MAX);

	if (text_copy(preset->conf, sizeof(preset->conf),
		conf != NULL ? conf : SOFTHSM_CONF) < 0)
		return fault_set(f, FAULT_CONFIG, "SOFTHSM2_CONF is too long");
	if (file_read(preset->conf, &text, f) < 0)
		return fault_wrap(f, "SoftHSM's configuration");
	if (preset_read_softhsm((const char *)text.data, text.len,
		preset->tokens, f) < 0)
		return fault_wrap(f, "%s", preset->conf);
	if (*preset->tokens == '\0' &&
	    text_copy(preset->tokens, sizeof(preset->tokens), SOFTHSM_TOKENS) <
		0)
		return -1;
	return add(box, preset->conf, false, f) < 0
	    ? -1
	    : add(box, preset->tokens, true, f);
}

static int
add_given(const struct signetd_conf *conf, struct sandbox *box, struct fault *f)
{
	for (size_t i = 0; i < conf->token_path.count; i++) {
		const char *path = conf->token_path.item[i];
		const bool write = text_starts(path, "rw ");

		if (write)
			path += 3;
		if (*path != '/')
			return fault_set(f, FAULT_CONFIG,
			    "token-path \"%s\" is not absolute",
			    conf->token_path.item[i]);
		if (add(box, path, write, f) < 0)
			return -1;
	}
	return 0;
}

static int
add_module(struct preset *preset, const char *module, struct sandbox *box,
    struct fault *f)
{
	char *slash;

	if (text_copy(preset->module_dir, sizeof(preset->module_dir), module) <
		0 ||
	    *module != '/' ||
	    (slash = strrchr(preset->module_dir, '/')) == preset->module_dir)
		return fault_set(f, FAULT_CONFIG,
		    "the module \"%s\" is not in a directory of its own",
		    module);
	*slash = '\0';
	return add(box, preset->module_dir, false, f);
}

int
preset_box(struct preset *preset, const struct signetd_conf *conf,
    const char *module, struct sandbox *box, struct fault *f)
{
	const size_t count = sizeof(presets) / sizeof(presets[0]);
	size_t i = 0;

	while (i < count && strcmp(presets[i].name, conf->token_preset) != 0)
		i++;
	if (i == count)
		return fault_set(f, FAULT_CONFIG,
		    "token-preset cannot be \"%s\"", conf->token_preset);
	box->promises = SANDBOX_PROMISE(STDIO) | SANDBOX_PROMISE(RPATH) |
	    SANDBOX_PROMISE(WPATH) | SANDBOX_PROMISE(LOCAL) |
	    SANDBOX_PROMISE(LIBRARIES) | SANDBOX_PROMISE(THREADS) |
	    presets[i].promises;
	if (add_all(box, libraries, f) < 0 ||
	    add_module(preset, module, box, f) < 0 ||
	    add_all(box, presets[i].paths, f) < 0)
		return -1;
	if (strcmp(conf->token_preset, "softhsm") == 0 &&
	    find_softhsm(preset, box, f) < 0)
		return -1;
	return add_given(conf, box, f);
}
