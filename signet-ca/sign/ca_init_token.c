#include "ca_init_token.h"

#include "base/fault.h"
#include "base/text.h"
#include "signet-ca/base/ca_dir.h"
#include "signet-ca/base/ca_form.h"
#include "signet-ca/token/ca_token.h"
#include "token/token_uri.h"

#include <stdlib.h>
#include <string.h>

#define SPKI_MAX 1024

struct ca_key_place {
	struct token_uri which;
	struct ca_token *token; /* owned */
	bool made;
	struct buf spki;
};

int
ca_key_place_check(const struct ca_args *args, struct fault *f)
{
	if (args->token == NULL)
		return args->key_module == NULL && !args->use_existing
		    ? 0
		    : fault_set(f, FAULT_USAGE,
			  "--key-module and --use-existing go with --token");
	if (args->passphrase || args->no_passphrase ||
	    args->passphrase_fd != NULL)
		return fault_set(f, FAULT_USAGE,
		    "a key in a token has no pass phrase: its PIN is asked for "
		    "at the terminal, and nowhere else");
	return 0;
}

/* A slot may be another tomorrow: ca.conf names the token that is in it. */
static int
name_token(struct ca_key_place *p, struct fault *f)
{
	const struct ca_token_info *info = ca_token_info(p->token);
	struct token_uri *uri = &p->which;

	if (!uri->has_slot || *info->label == '\0')
		return 0;
	uri->has_slot = false;
	uri->slot = 0;
	if (text_copy(uri->token, sizeof(uri->token), info->label) < 0 ||
	    text_copy(uri->serial, sizeof(uri->serial), info->serial) < 0)
		return fault_set(f, FAULT_INTERNAL, "the token's name");
	return 0;
}

static int
read_which(struct ca_key_place *p, const struct ca_args *args, const char *name,
    struct fault *f)
{
	const char *module = args->key_module == NULL ? "" : args->key_module;

	if (!token_uri_named(args->token, module))
		return fault_set(f, FAULT_USAGE,
		    "--token is a PKCS#11 URI (pkcs11:token=NAME;object=KEY"
		    "?module-path=FILE), or SLOT:ID with --key-module");
	if (token_uri_read_named(&p->which, args->token, module, f) < 0)
		return fault_wrap(f, "--token");
	if (*p->which.object == '\0' && p->which.id_len == 0 &&
	    text_copy(p->which.object, sizeof(p->which.object), name) < 0)
		return fault_set(f, FAULT_USAGE, "--name is too long");
	return 0;
}

static int
make(struct ca_key_place *p, const char *kind, struct fault *f)
{
	if (ca_token_make(p->token, kind, &p->spki, f) == 0) {
		p->made = true;
		return 0;
	}
	if (f->code != FAULT_DENIED)
		return -1;
	return fault_wrap(f, "--use-existing takes the key that is there");
}

/* The one that is there, which must be of the kind that was asked for. */
static int
take(struct ca_key_place *p, const char *wanted, struct fault *f)
{
	struct spki spki;
	char kind[32];

	if (ca_token_show(p->token, &p->spki, f) < 0)
		return -1;
	if (spki_read(&spki, (struct wire_bytes){ p->spki.data, p->spki.len },
		f) < 0)
		return -1;
	if (text_fmt(kind, sizeof(kind),
		spki.kind == KEY_RSA ? "rsa:%u" : "ec:P-%u", spki.size) < 0)
		return fault_set(f, FAULT_INTERNAL, "kind of key");
	if (wanted != NULL && strcmp(wanted, kind) != 0)
		return fault_set(f, FAULT_KEY,
		    "the key in the token is %s, and --key says %s", kind,
		    wanted);
	return 0;
}

/* Log in, with the key at hand whose CA this becomes. */
static int
begin(struct ca_key_place *p, const struct ca_args *args, const char *name,
    const char *kind, struct fault *f)
{
	char what[128];
	struct spki spki;

	if (read_which(p, args, name, f) < 0)
		return -1;
	if (text_fmt(what, sizeof(what), "the new CA %s", name) < 0)
		return fault_set(f, FAULT_USAGE, "--name is too long");
	if ((p->token = ca_token_open(&p->which, f)) == NULL ||
	    name_token(p, f) < 0 || ca_token_ask(p->token, what, true, f) < 0)
		return -1;
	if ((args->use_existing ? take(p, args->key, f) : make(p, kind, f)) < 0)
		return -1;
	if (spki_read(&spki, (struct wire_bytes){ p->spki.data, p->spki.len },
		f) < 0 ||
	    ca_token_login(p->token, &spki, f) < 0)
		return -1;
	return 0;
}

struct ca_key_place *
ca_key_place_new(const struct ca_args *args, const char *name, const char *kind,
    struct fault *f)
{
	OWN_STRUCT(ca_key_place) p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)fault_set(f, FAULT_MEMORY, "token");
		return NULL;
	}
	p->spki = BUF(SPKI_MAX);
	if (begin(p, args, name, kind, f) < 0) {
		ca_key_place_abandon(p);
		return NULL;
	}
	return TAKE(p);
}

void
ca_key_place_free(struct ca_key_place *p)
{
	if (p == NULL)
		return;
	ca_token_close(p->token);
	buf_free(&p->spki);
	free(p);
}

struct key *
ca_key_place_key(struct ca_key_place *p, struct fault *f)
{
	return ca_token_key(p->token, f);
}

void
ca_key_place_conf(const struct ca_key_place *p, struct buf *conf)
{
	buf_text(conf, "key ");
	token_uri_write(&p->which, conf);
	buf_text(conf, "\n");
}

void
ca_key_place_settle(struct ca_key_place *p, const struct cert *cert)
{
	ca_dir_put_beside(p->token,
	    (struct wire_bytes){ cert->der, cert->len });
}

void
ca_key_place_show(const struct ca_key_place *p, const struct key *key,
    FILE *out)
{
	const struct ca_token_info *info = ca_token_info(p->token);
	OWN_BUF(uri, TOKEN_URI_MAX + 1);
	uint8_t id[KEY_ID_SIZE];
	char hex[2 * KEY_ID_SIZE + 1], kind[CA_FORM_KEY_SIZE];

	token_uri_write(&p->which, &uri);
	spki_id(key_spki(key), id);
	text_hex(id, sizeof(id), hex);
	ca_form_key(key_spki(key), kind);
	fprintf(out,
	    "Its key, %s, %s the token \"%s\" (%s, serial %s):\n  %s\n"
	    "  key identifier %s\n",
	    kind, p->made ? "was made in" : "was there already, in",
	    info->label, info->model, info->serial,
	    buf_cstr(&uri) == NULL ? "" : buf_cstr(&uri), hex);
}

void
ca_key_place_abandon(const struct ca_key_place *p)
{
	if (p->made)
		fprintf(stderr,
		    "signet-ca: the new key stays in the token: "
		    "--use-existing takes it\n");
}
