/*
 * Fuzz target for what a service answers: faults of memory; that codes and messages are
 * one line, whatever was sent; that elements lie inside their text; that keys are whole
 * or none.
 */
#include "aws/endpoint.h"
#include "aws/fault.h"
#include "aws/http_date.h"
#include "aws/keys.h"
#include "aws/xml.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

static void
one_line(const char *text, size_t max)
{
	size_t n = strnlen(text, max);

	MUST(n < max);
	for (size_t i = 0; i < n; i++)
		MUST((unsigned char)text[i] >= ' ' && text[i] != 0x7f);
}

static void
fault(struct ryde_view text, int status)
{
	struct ryde_aws_fault f;

	ryde_aws_fault_read(&f, status, ryde_view_mem(NULL, 0), text, text);
	MUST(f.kind != RYDE_AWS_FINE);
	one_line(f.code, sizeof(f.code));
	one_line(f.message, sizeof(f.message));
	ryde_aws_fault_read(
	    &f, status, text, ryde_view_mem(NULL, 0), ryde_view_mem(NULL, 0));
	one_line(f.code, sizeof(f.code));
}

static void
xml(struct ryde_view text)
{
	struct ryde_view found;
	struct ryde_buf b;
	size_t at = 0, before = 0;

	while (ryde_xml_next(text, &at, "Key", &found)) {
		MUST(at > before && at <= text.n);
		MUST(found.p >= text.p && found.p + found.n <= text.p + text.n);
		before = at;
	}
	ryde_buf_init(&b, 1 << 20);
	ryde_xml_text(&b, text);
	ryde_buf_free(&b);
}

static void
keys(struct ryde_view text)
{
	static const struct ryde_aws_keys_names names = {
	    ".AccessKeyId", ".SecretAccessKey", ".SessionToken", ".Expiration"};
	struct ryde_aws_keys k = RYDE_AWS_KEYS_INIT;
	struct ryde_err err = RYDE_ERR_INIT;

	for (int i = 0; i < 2; i++) {
		int rc = i == 0 ? ryde_aws_keys_json(&k, text, &names, "F", &err)
				: ryde_aws_keys_xml(&k, text, "F", &err);

		MUST((rc == 0) ==
		     (k.access != NULL && k.secret != NULL && k.token != NULL));
		MUST(rc == 0 || err.code == RYDE_ENOPERM);
		ryde_aws_keys_clear(&k);
	}
}

static void
endpoint(struct ryde_view text)
{
	struct ryde_aws_endpoint e;
	char url[300];

	if (text.n >= sizeof(url))
		return;
	memcpy(url, text.n > 0 ? text.p : "", text.n);
	url[text.n] = '\0';
	if (ryde_aws_endpoint_parse(url, "F", &e, NULL) == 0) {
		one_line(e.host, sizeof(e.host));
		one_line(e.base, sizeof(e.base));
		MUST(strpbrk(e.host, "/@? ") == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view text = ryde_view_mem((const char *)data, size);

	fault(text, 400);
	fault(text, 503);
	xml(text);
	keys(text);
	endpoint(text);
	(void)ryde_http_date(text);
	return 0;
}
