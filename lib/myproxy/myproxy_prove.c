#include "myproxy/myproxy_prove.h"

#include "base/fault.h"
#include "base/text.h"
#include "krb/krb_gss.h"
#include "sys/net.h"

#include <string.h>
#include <unistd.h>

#define SASL_MAX 20480 /* each way, base64 included */
#define MESSAGE_MAX 65536
#define CHALLENGE_DIGITS 32
#define MECHANISM "GSSAPI"
#define STEPS_MAX 10

/* A message begins with the number of its method, in one byte of four. */
static void
begin(struct buf *out, unsigned method)
{
	buf_clear(out);
	buf_put(out, (const uint8_t[4]){ (uint8_t)method }, 4);
}

/* The data of ${method} in ${offer}; NULL if it is not offered. */
static struct buf *
offered(struct myproxy_response *offer, unsigned method)
{
	for (size_t i = 0; i < offer->offer_count; i++)
		if (offer->offer[i].method == method)
			return &offer->offer[i].data;
	return NULL;
}

/* Send ${out}, and put the answer in the place of ${offer}. */
static int
exchange(struct myproxy_link *link, const struct buf *out,
    struct myproxy_response *offer, struct fault *f)
{
	if (myproxy_link_send(link, out, f) < 0)
		return -1;
	myproxy_response_clear(offer);
	return myproxy_link_answer(link, offer, f);
}

static void
put_base64(struct buf *out, const struct buf *data)
{
	uint8_t *room = buf_room(out, TEXT_BASE64_SIZE(data->len));

	if (room == NULL)
		return;
	text_base64(data->data, data->len, (char *)room);
	out->len += strlen((char *)room);
}

/* The bytes behind the server's next SASL message. */
static int
take_base64(struct myproxy_response *offer, struct buf *data, struct fault *f)
{
	struct buf *text = offered(offer, MYPROXY_METHOD_SASL);
	uint8_t *room;
	int len;

	buf_clear(data);
	if (text == NULL)
		return fault_set(f, FAULT_INPUT,
		    "the server leaves the Kerberos exchange");
	if (text->len == 0)
		return 0;
	if ((room = buf_room(data, text->len)) == NULL)
		return fault_set(f, FAULT_INPUT, "a SASL message too long");
	len =
	    text_unbase64((const char *)text->data, text->len, room, text->len);
	if (len < 0)
		return fault_set(f, FAULT_INPUT, "a SASL message not base64");
	data->len += (size_t)len;
	return 0;
}

static bool
has_word(struct buf *list, const char *word)
{
	const char *text = buf_cstr(list);
	size_t len = strlen(word);

	for (const char *at = text; at != NULL && *at != '\0';) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, word, n) == 0)
			return true;
		at += n + (at[n] == ' ');
	}
	return false;
}

/*
 * Whose ticket the server wants: myproxy/HOST.  On loopback a stock server
 * goes by the machine's own name, as its client does; a site on one machine
 * may well have a key for the name that was typed.
 */
static size_t
service_hosts(const struct myproxy_link *link, char own[256],
    const char *hosts[2])
{
	char peer[NET_NAME_SIZE];
	size_t count = 0;

	net_peer_host(link->fd, peer);
	if ((text_starts(peer, "127.") || strcmp(peer, "::1") == 0 ||
		strcmp(peer, "[::1]") == 0) &&
	    gethostname(own, 256) == 0) {
		own[255] = '\0';
		hosts[count++] = own;
	}
	hosts[count++] = link->host;
	return count;
}

/* Our end of the exchange with its first token, for the first host that the
 * KDC knows. */
static struct krb_gss *
first_token(const struct myproxy_link *link, const char *username,
    struct buf *token, struct fault *f)
{
	char own[256];
	const char *hosts[2];
	size_t count = service_hosts(link, own, hosts);

	for (size_t i = 0; i < count; i++) {
		struct wire_bytes none = { NULL, 0 };
		struct krb_gss *g = krb_gss_initiate(hosts[i], username, f);

		buf_clear(token);
		if (g == NULL)
			return NULL;
		if (krb_gss_step(g, none, token, f) != KRB_FAILED)
			return g;
		(void)fault_wrap(f, "Kerberos, myproxy/%s", hosts[i]);
		krb_gss_free(g);
	}
	return NULL;
}

/* From the first token to the server's OK. */
static int
sasl_steps(struct myproxy_link *link, struct krb_gss *g, struct buf *out,
    struct myproxy_response *offer, struct fault *f)
{
	OWN_BUF(theirs, SASL_MAX);
	OWN_BUF(ours, SASL_MAX);

	for (int i = 0; i < STEPS_MAX; i++) {
		struct wire_bytes token;

		if (exchange(link, out, offer, f) < 0)
			return -1;
		if (offer->answer == MYPROXY_OK)
			return 0;
		if (take_base64(offer, &theirs, f) < 0)
			return -1;
		token = (struct wire_bytes){ theirs.data, theirs.len };
		buf_clear(&ours);
		if (krb_gss_step(g, token, &ours, f) == KRB_FAILED)
			return fault_wrap(f, "Kerberos");
		begin(out, MYPROXY_METHOD_SASL);
		put_base64(out, &ours);
		buf_put_u8(out, 0);
	}
	return fault_set(f, FAULT_INPUT, "a Kerberos exchange without end");
}

static int
prove_kerberos(struct myproxy_link *link, const struct myproxy_wish *wish,
    struct myproxy_response *offer, struct fault *f)
{
	OWN_STRUCT(krb_gss) g = NULL;
	OWN_BUF(mechanisms, SASL_MAX);
	OWN_BUF(first, SASL_MAX);
	OWN_BUF(token, SASL_MAX);
	OWN_BUF(out, MESSAGE_MAX);

	/* The ticket first: without one nothing needs to be said. */
	if ((g = first_token(link, wish->username, &token, f)) == NULL)
		return -1;
	begin(&out, MYPROXY_METHOD_SASL);
	buf_put_u8(&out, 0);
	if (exchange(link, &out, offer, f) < 0)
		return -1;
	if (take_base64(offer, &mechanisms, f) < 0)
		return -1;
	if (!has_word(&mechanisms, MECHANISM))
		return fault_set(f, FAULT_UNSUPPORTED,
		    "%s does not speak Kerberos", link->host);
	buf_put(&first, MECHANISM, sizeof(MECHANISM)); /* with its NUL */
	buf_put(&first, token.data, token.len);
	begin(&out, MYPROXY_METHOD_SASL);
	put_base64(&out, &first);
	buf_put_u8(&out, 0);
	return sasl_steps(link, g, &out, offer, f);
}

/* The server's challenge, signed, and the certificates to check it by. */
static int
put_proof(const struct credential *c, const struct buf *challenge,
    struct buf *out, struct fault *f)
{
	OWN_BUF(signature, 4096);
	struct wire_bytes digits = { challenge->data, challenge->len };
	uint8_t len[4];

	if (challenge->len != CHALLENGE_DIGITS)
		return fault_set(f, FAULT_INPUT, "a malformed challenge");
	if (key_kind_of(c->key) == KEY_P384)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "the protocol has no way to prove a P-384 key");
	if (key_sign(c->key, digits, &signature, f) < 0)
		return -1;
	for (int i = 0; i < 4; i++)
		len[i] = (uint8_t)(signature.len >> (24 - 8 * i));
	buf_put(out, len, sizeof(len));
	buf_put(out, signature.data, signature.len);
	buf_put_u8(out, (uint8_t)c->chain.count);
	for (size_t i = 0; i < c->chain.count; i++)
		buf_put(out, c->chain.cert[i]->der, c->chain.cert[i]->len);
	return out->failed
	    ? fault_set(f, FAULT_INPUT, "the credential's chain is too long")
	    : 0;
}

static int
prove_certificate(struct myproxy_link *link, const struct credential *c,
    struct myproxy_response *offer, struct fault *f)
{
	OWN_BUF(out, MESSAGE_MAX);
	const struct buf *challenge =
	    offered(offer, MYPROXY_METHOD_X509_SHA256);

	begin(&out, MYPROXY_METHOD_X509_SHA256);
	if (put_proof(c, challenge, &out, f) < 0)
		return fault_wrap(f, "renewal");
	return exchange(link, &out, offer, f);
}

static int
prove_phrase(struct myproxy_link *link, const struct secret *phrase,
    struct myproxy_response *offer, struct fault *f)
{
	OWN_BUF(out, MESSAGE_MAX);

	begin(&out, MYPROXY_METHOD_PASSWORD);
	buf_put(&out, secret_text(phrase), secret_len(phrase) + 1);
	return exchange(link, &out, offer, f);
}

static int
no_way_in(const struct myproxy_link *link, struct myproxy_response *offer,
    const struct myproxy_wish *wish, struct fault *f)
{
	if (wish->renew_with != NULL &&
	    offered(offer, MYPROXY_METHOD_X509_SHA1) != NULL)
		return fault_set(f, FAULT_UNSUPPORTED,
		    "%s wants a SHA-1 signature, which proves nothing today",
		    link->host);
	if (offered(offer, MYPROXY_METHOD_SASL) != NULL)
		return fault_set(f, FAULT_LOGIN, "%s wants a Kerberos ticket",
		    link->host);
	return fault_set(f, FAULT_LOGIN,
	    "%s offers no way to log in that can be used here", link->host);
}

int
myproxy_prove(struct myproxy_link *link, const struct myproxy_wish *wish,
    const struct secret *phrase, struct myproxy_response *offer,
    struct fault *f)
{
	/* A server may want more than one proof. */
	for (unsigned i = 0; offer->answer == MYPROXY_AUTHORIZATION; i++) {
		int result;

		if (i == MYPROXY_OFFER_MAX)
			return fault_set(f, FAULT_INPUT,
			    "%s asks for proof after proof", link->host);
		if (wish->renew_with != NULL &&
		    offered(offer, MYPROXY_METHOD_X509_SHA256) != NULL)
			result =
			    prove_certificate(link, wish->renew_with, offer, f);
		else if (wish->use_kerberos &&
		    offered(offer, MYPROXY_METHOD_SASL) != NULL)
			result = prove_kerberos(link, wish, offer, f);
		else if (phrase != NULL &&
		    offered(offer, MYPROXY_METHOD_PASSWORD) != NULL)
			result = prove_phrase(link, phrase, offer, f);
		else
			return no_way_in(link, offer, wish, f);
		if (result < 0)
			return -1;
	}
	return 0;
}
