/*
 * The call-out for the Toolkit's services: in gsi-authz.conf
 *
 *   globus_mapping libsignet_gridmap signet_gridmap_callout
 *
 * It answers as their own look-up in a grid-mapfile does, from the index beside
 * the file if there is one.  It is loaded into servers that are not ours: it
 * keeps nothing, prints nothing, and never ends the process.
 */
#include "base/fault.h"
#include "signet-map/callout/map_answer.h"

#include <gssapi.h>

#include <globus_common.h>
#include <globus_gridmap_callout_error.h>
#include <globus_gss_assist.h>
#include <stdarg.h>
#include <string.h>

__attribute__((visibility("default"))) globus_result_t
signet_gridmap_callout(va_list ap);

/* What the Toolkit hands to every mapping call-out, in this order. */
struct call {
	gss_ctx_id_t context;
	const char *service;
	const char *account; /* wanted, or NULL */
	char *answer;
	unsigned size;
};

/* Who is at the other end: the identity, whatever proxies it came with. */
static OM_uint32
peer_name(gss_ctx_id_t context, gss_buffer_t name, OM_uint32 *minor)
{
	gss_name_t source = GSS_C_NO_NAME, target = GSS_C_NO_NAME;
	OM_uint32 major, none;
	int ours = 0;

	major = gss_inquire_context(minor, context, &source, &target, NULL,
	    NULL, NULL, &ours, NULL);
	if (!GSS_ERROR(major))
		major =
		    gss_display_name(minor, ours ? target : source, name, NULL);
	(void)gss_release_name(&none, &source);
	(void)gss_release_name(&none, &target);
	return major;
}

/*
 * What becomes of a look-up for the peer, who is a stranger: told that there is
 * no account for it, but not what is wrong with the map.
 */
static globus_result_t
refuse(const struct fault *f)
{
	globus_result_t result = GLOBUS_SUCCESS;

	if (f->code == FAULT_NAME)
		GLOBUS_GRIDMAP_CALLOUT_ERROR(result,
		    GLOBUS_GRIDMAP_CALLOUT_BUFFER_TOO_SMALL, ("%s", f->text))
	else if (f->code == FAULT_DENIED)
		GLOBUS_GRIDMAP_CALLOUT_ERROR(result,
		    GLOBUS_GRIDMAP_CALLOUT_LOOKUP_FAILED, ("%s", f->text))
	else
		GLOBUS_GRIDMAP_CALLOUT_ERROR(result,
		    GLOBUS_GRIDMAP_CALLOUT_LOOKUP_FAILED,
		    ("the map of names to accounts cannot be read (%s): its "
		     "administrator should see what signet-map check says",
			fault_name(f->code)))
	return result;
}

static globus_result_t
answer(const struct call *call)
{
	gss_buffer_desc name = GSS_C_EMPTY_BUFFER;
	struct map_question question = { NULL, call->account };
	globus_result_t result = GLOBUS_SUCCESS;
	OM_uint32 major, minor = 0;
	struct fault f = { 0 };

	major = peer_name(call->context, &name, &minor);
	if (GSS_ERROR(major)) {
		GLOBUS_GRIDMAP_CALLOUT_GSS_ERROR(result, major, minor);
		return result;
	}
	question.dn = name.value;
	if (map_answer(&question, call->answer, call->size, &f) < 0)
		result = refuse(&f);
	(void)gss_release_buffer(&minor, &name);
	return result;
}

globus_result_t
signet_gridmap_callout(va_list ap)
{
	globus_result_t result;
	struct call call;
	struct fault sharing = { .code = FAULT_DENIED,
		.text = "access by another's certificate is not for this map" };

	call.context = va_arg(ap, gss_ctx_id_t);
	call.service = va_arg(ap, const char *);
	call.account = va_arg(ap, const char *);
	call.answer = va_arg(ap, char *);
	call.size = va_arg(ap, unsigned);
	if (globus_module_activate(GLOBUS_GRIDMAP_CALLOUT_ERROR_MODULE) !=
	    GLOBUS_SUCCESS)
		return (globus_result_t)GLOBUS_FAILURE;
	/* Sharing: whose account it is says a certificate that was handed over,
	 * and not the peer's. */
	if (call.service != NULL && strcmp(call.service, "sharing") == 0)
		result = refuse(&sharing);
	else
		result = answer(&call);
	(void)globus_module_deactivate(GLOBUS_GRIDMAP_CALLOUT_ERROR_MODULE);
	return result;
}
