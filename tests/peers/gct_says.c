/*
 * What the Grid Community Toolkit says of many chains, in one process.
 *
 *   gct_says <<< "CERTDIR CHAIN.pem" lines
 *
 * Of each line one word: `accepted`, or `refused` and the Toolkit's first
 * sentence.  The chain has no key; its leaf comes first.
 */
#include <openssl/pem.h>

#include <globus_common.h>
#include <globus_gsi_callback.h>
#include <globus_gsi_cert_utils.h>
#include <globus_gsi_credential.h>
#include <globus_gsi_proxy.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE 4096

static STACK_OF(X509) * read_chain(const char *path, X509 **leaf)
{
	STACK_OF(X509) *chain = sk_X509_new_null();
	FILE *in = fopen(path, "re");
	X509 *cert;

	*leaf = in == NULL ? NULL : PEM_read_X509(in, NULL, NULL, NULL);
	while (in != NULL &&
	    (cert = PEM_read_X509(in, NULL, NULL, NULL)) != NULL)
		(void)sk_X509_push(chain, cert);
	if (in != NULL)
		(void)fclose(in);
	return chain;
}

/* 0, or the result of who refused. */
static globus_result_t
judge(char *dir, X509 *leaf, STACK_OF(X509) * chain)
{
	globus_gsi_callback_data_t data = NULL;
	globus_gsi_cred_handle_t handle = NULL;
	globus_result_t r = globus_gsi_callback_data_init(&data);

	/* An expired CRL is read again from the directory of the environment,
	 * not from the caller's: if there is none, the Toolkit takes it for
	 * withdrawn and is content. */
	if (setenv("X509_CERT_DIR", dir, 1) < 0)
		abort();
	if (r == GLOBUS_SUCCESS)
		r = globus_gsi_callback_set_cert_dir(data, dir);
	if (r == GLOBUS_SUCCESS)
		r = globus_gsi_cred_handle_init(&handle, NULL);
	if (r == GLOBUS_SUCCESS)
		r = globus_gsi_cred_set_cert(handle, leaf);
	if (r == GLOBUS_SUCCESS)
		r = globus_gsi_cred_set_cert_chain(handle, chain);
	if (r == GLOBUS_SUCCESS)
		r = globus_gsi_cred_verify_cert_chain_when(handle, data,
		    time(NULL));
	if (handle != NULL)
		(void)globus_gsi_cred_handle_destroy(handle);
	if (data != NULL)
		(void)globus_gsi_callback_data_destroy(data);
	return r;
}

static void
say(globus_result_t r)
{
	char *text;

	if (r == GLOBUS_SUCCESS) {
		puts("accepted");
		return;
	}
	text = globus_error_print_chain(globus_error_peek(r));
	for (char *c = text; c != NULL && *c != '\0'; c++)
		if (*c == '\n' || *c == '\t')
			*c = ' ';
	printf("refused %s\n", text == NULL ? "" : text);
	free(text);
}

int
main(void)
{
	char line[LINE], *rest;

	if (globus_module_activate(GLOBUS_GSI_CREDENTIAL_MODULE) !=
		GLOBUS_SUCCESS ||
	    globus_module_activate(GLOBUS_GSI_CERT_UTILS_MODULE) !=
		GLOBUS_SUCCESS ||
	    globus_module_activate(GLOBUS_GSI_PROXY_MODULE) != GLOBUS_SUCCESS ||
	    globus_module_activate(GLOBUS_GSI_CALLBACK_MODULE) !=
		GLOBUS_SUCCESS)
		return 1;
	while (fgets(line, sizeof(line), stdin) != NULL) {
		char *dir = strtok_r(line, " \n", &rest);
		char *path = strtok_r(NULL, " \n", &rest);
		STACK_OF(X509) * chain;
		X509 *leaf = NULL;

		if (dir == NULL || path == NULL)
			return 2;
		chain = read_chain(path, &leaf);
		if (leaf == NULL)
			return 3;
		say(judge(dir, leaf, chain));
		X509_free(leaf);
		sk_X509_pop_free(chain, X509_free);
	}
	return 0;
}
