#include "aws/whoami.h"

#include "aws/client.h"
#include "aws/config.h"
#include "aws/credentials.h"
#include "aws/endpoint.h"
#include "aws/http.h"
#include "aws/keys.h"
#include "aws/sigv4.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "json/string.h"

#include <stdio.h>
#include <string.h>

static void
put(struct ryde_buf *out, const char *name, const char *value)
{
	ryde_buf_printf(out, ",\"%s\":", name);
	if (value != NULL)
		ryde_json_string_put(out, ryde_view_of(value));
	else
		ryde_buf_puts(out, "null");
}

static void
line(struct ryde_buf *out, const char *kind, const char *value, const char *from)
{
	ryde_buf_printf(out, "{\"kind\":\"%s\"", kind);
	put(out, "value", value);
	put(out, "from", from);
	ryde_buf_puts(out, "}\n");
}

static void
tell(void *arg, const char *source, bool used, const char *why)
{
	struct ryde_buf *out = arg;

	ryde_buf_puts(out, "{\"kind\":\"source\"");
	put(out, "value", source);
	ryde_buf_printf(out, ",\"used\":%s", used ? "true" : "false");
	put(out, "why", why);
	ryde_buf_puts(out, "}\n");
}

static void
put_keys(struct ryde_buf *out, const struct ryde_aws_keys *keys)
{
	char at[RYDE_TIMESTAMP_MAX];

	ryde_buf_puts(out, "{\"kind\":\"credentials\"");
	put(out, "value", keys->access);
	put(out, "from", keys->source);
	ryde_buf_printf(
	    out, ",\"temporary\":%s", keys->token[0] != '\0' ? "true" : "false");
	if (keys->expires_unix_ms != INT64_MAX)
		(void)ryde_timestamp_rfc3339(keys->expires_unix_ms, at);
	put(out, "expires", keys->expires_unix_ms != INT64_MAX ? at : NULL);
	ryde_buf_puts(out, "}\n");
}

static int
put_endpoints(
    const struct ryde_aws_config *config, struct ryde_buf *out, struct ryde_err *err)
{
	const char *region = ryde_aws_config_region(config, NULL);

	for (size_t i = 0; i < RYDE_AWS_SERVICES; i++) {
		enum ryde_aws_service service = (enum ryde_aws_service)i;
		struct ryde_aws_endpoint e;
		char from[64];

		if (service == RYDE_AWS_SSO || service == RYDE_AWS_SSO_OIDC)
			continue;
		if (region == NULL || !ryde_aws_region_valid(region))
			return ryde_err_set(err, RYDE_ECONFIG,
			    region == NULL
				? "which region? Set --region, AWS_REGION, or region in "
				  "~/.aws/config"
				: "the region is none: one is called us-east-1");
		if (ryde_aws_config_endpoint(config, service, region, &e, from, err) != 0)
			return -1;
		ryde_buf_puts(out, "{\"kind\":\"endpoint\"");
		put(out, "service", ryde_aws_service_facts(service)->prefix);
		ryde_buf_printf(out, ",\"value\":\"%s://%s%s\"", e.tls ? "https" : "http",
		    e.host, e.base);
		put(out, "from", from);
		ryde_buf_puts(out, "}\n");
	}
	return 0;
}

static int
put_credentials(
    struct ryde_aws_config *config, struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_http *http = ryde_http_new(err);
	struct ryde_sigv4 *sigv4 = http != NULL ? ryde_sigv4_new(err) : NULL;
	struct ryde_aws_credentials *c =
	    sigv4 != NULL ? ryde_aws_credentials_new(config, http, sigv4, err) : NULL;
	struct ryde_aws_keys keys = RYDE_AWS_KEYS_INIT;
	int rc = -1;

	if (c != NULL)
		rc = ryde_aws_credentials_explain(c, tell, out, &keys, err);
	if (rc == 0)
		put_keys(out, &keys);
	ryde_aws_keys_clear(&keys);
	ryde_aws_credentials_free(c);
	ryde_sigv4_free(sigv4);
	ryde_http_free(http);
	return rc;
}

static void
put_element(
    struct ryde_buf *out, struct ryde_view xml, const char *element, const char *name)
{
	struct ryde_view content = {0};
	struct ryde_buf text;

	(void)ryde_xml_find(xml, element, &content);
	ryde_buf_init(&text, 4096);
	ryde_xml_text(&text, content);
	put(out, name, ryde_buf_str(&text));
	ryde_buf_free(&text);
}

/* STS answers to everyone whom it knows, without a permission. */
static int
put_identity(const struct ryde_store_settings *settings, struct ryde_buf *out,
    struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = RYDE_AWS_STS,
	    .operation = "GetCallerIdentity",
	    .body = ryde_view_of("Action=GetCallerIdentity&Version=2011-06-15")};
	struct ryde_aws *aws = ryde_aws_open(settings, err);
	struct ryde_aws_call *call = aws != NULL ? ryde_aws_do(aws, &request, err) : NULL;
	const struct ryde_aws_reply *reply = call != NULL ? ryde_aws_reply(call) : NULL;
	int rc = -1;

	if (reply != NULL && reply->fault.kind == RYDE_AWS_FINE) {
		ryde_buf_puts(out, "{\"kind\":\"identity\"");
		put_element(out, reply->body, "Arn", "value");
		put_element(out, reply->body, "Account", "account");
		ryde_buf_puts(out, "}\n");
		rc = 0;
	} else if (reply != NULL) {
		(void)ryde_aws_reply_err(call, err);
	}
	ryde_aws_free(call);
	ryde_aws_close(aws);
	return rc;
}

int
ryde_aws_whoami(const struct ryde_store_settings *settings, bool ask,
    struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_aws_config *config = ryde_aws_config_new(settings, err);
	const char *from, *value;
	struct ryde_err endpoints = RYDE_ERR_INIT;
	int rc;

	if (config == NULL)
		return -1;
	value = ryde_aws_config_profile(config, &from);
	line(out, "profile", value, from);
	value = ryde_aws_config_region(config, &from);
	line(out, "region", value, from);
	(void)put_endpoints(config, out, &endpoints);
	if (ryde_aws_config_ca_bundle(config) != NULL)
		line(out, "certificates", ryde_aws_config_ca_bundle(config),
		    ryde_aws_config_variable("AWS_CA_BUNDLE") != NULL
			? "AWS_CA_BUNDLE"
			: "ca_bundle of the profile");
	rc = put_credentials(config, out, err);
	ryde_aws_config_free(config);
	if (rc == 0 && endpoints.code != RYDE_OK) {
		*err = endpoints;
		rc = -1;
	}
	if (rc == 0 && ask)
		rc = put_identity(settings, out, err);
	return rc == 0 ? ryde_buf_check(out, err) : -1;
}

bool
ryde_aws_whoami_region(const struct ryde_store_settings *settings, char *to, size_t max)
{
	struct ryde_err ignored = RYDE_ERR_INIT;
	struct ryde_aws_config *config = ryde_aws_config_new(settings, &ignored);
	const char *region = config != NULL ? ryde_aws_config_region(config, NULL) : NULL;
	bool found = region != NULL && ryde_aws_region_valid(region);

	if (found)
		(void)snprintf(to, max, "%s", region);
	ryde_aws_config_free(config);
	return found;
}
