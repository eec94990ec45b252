#include "aws/endpoint.h"

#include "base/err.h"
#include "base/num.h"
#include "base/view.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

bool
ryde_aws_region_valid(const char *text)
{
	size_t n = strlen(text);

	return n >= 1 && n <= 63 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == n &&
	       text[0] != '-' && text[n - 1] != '-';
}

static int
no_url(const char *url, const char *from, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ECONFIG,
	    "%s: '%.200s' is no endpoint: it must be http://HOST[:PORT] or "
	    "https://HOST[:PORT]",
	    from, url);
}

/* "host", "host:port", "[::1]:port": the length of the host, 0 where it is none; *port 0
 * where there is none. */
static size_t
host_of(struct ryde_view authority, int64_t *port)
{
	static const char allowed[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";
	const char *end = ryde_view_end(authority), *p = authority.p;

	*port = 0;
	if (p < end && *p == '[') {
		while (p < end && *p != ']')
			if (strchr("[0123456789abcdefABCDEF:.", *p++) == NULL)
				return 0;
		if (p == end)
			return 0;
		p++;
	} else {
		while (p < end && *p != ':')
			if (*p == '\0' || strchr(allowed, *p++) == NULL)
				return 0;
	}
	if (p == end)
		return authority.n;
	if (*p != ':' ||
	    !ryde_num_i64(ryde_view_mem(p + 1, (size_t)(end - p - 1)), 1, 65535, port))
		return 0;
	return (size_t)(p - authority.p);
}

int
ryde_aws_endpoint_parse(const char *url, const char *from, struct ryde_aws_endpoint *out,
    struct ryde_err *err)
{
	struct ryde_view rest = ryde_view_of(url);
	size_t authority_n, host_n;
	int64_t port;
	bool tls = ryde_view_starts(rest, "https://");

	if (!tls && !ryde_view_starts(rest, "http://"))
		return no_url(url, from, err);
	rest.p += tls ? 8 : 7;
	rest.n -= tls ? 8 : 7;
	authority_n = strcspn(rest.p, "/?#");
	host_n = host_of(ryde_view_mem(rest.p, authority_n), &port);
	if (host_n == 0 || host_n >= RYDE_AWS_HOST_MAX ||
	    strpbrk(rest.p, "?# \t\r\n\\\"") != NULL)
		return no_url(url, from, err);
	out->tls = tls;
	out->own = true;
	if (port == 0 || port == (tls ? 443 : 80))
		(void)snprintf(out->host, sizeof(out->host), "%.*s", (int)host_n, rest.p);
	else
		(void)snprintf(out->host, sizeof(out->host), "%.*s:%d", (int)host_n,
		    rest.p, (int)port);
	rest.p += authority_n;
	rest.n -= authority_n;
	while (rest.n > 0 && rest.p[rest.n - 1] == '/')
		rest.n--;
	if (rest.n >= sizeof(out->base))
		return no_url(url, from, err);
	(void)snprintf(
	    out->base, sizeof(out->base), "%.*s", (int)rest.n, rest.n > 0 ? rest.p : "");
	return 0;
}

/* Source: the partitions of botocore's partitions.json. */
static const char *
domain_of(const char *region, bool dual_stack)
{
	if (strncmp(region, "cn-", 3) == 0)
		return dual_stack ? "api.amazonwebservices.com.cn" : "amazonaws.com.cn";
	if (strncmp(region, "us-iso-", 7) == 0)
		return "c2s.ic.gov";
	if (strncmp(region, "us-isob-", 8) == 0)
		return "sc2s.sgov.gov";
	if (strncmp(region, "eusc-", 5) == 0)
		return "amazonaws.eu";
	return dual_stack ? "api.aws" : "amazonaws.com";
}

void
ryde_aws_endpoint_default(enum ryde_aws_service service, const char *region, bool fips,
    bool dual_stack, struct ryde_aws_endpoint *out)
{
	const char *prefix = ryde_aws_service_facts(service)->prefix;

	*out = (struct ryde_aws_endpoint){.tls = true};
	if (service == RYDE_AWS_S3)
		(void)snprintf(out->host, sizeof(out->host), "s3%s%s.%.63s.%s",
		    fips ? "-fips" : "", dual_stack ? ".dualstack" : "", region,
		    domain_of(region, false));
	else
		(void)snprintf(out->host, sizeof(out->host), "%s%s.%.63s.%s", prefix,
		    fips ? "-fips" : "", region, domain_of(region, dual_stack));
}
