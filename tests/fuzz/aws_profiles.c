/*
 * Fuzz target for the files of AWS settings (the first byte chooses which of the two
 * grammars): faults of memory, a fault names its line, and what was read is found again.
 */
#include "aws/profiles.h"

#include "base/err.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_profiles *p = ryde_profiles_new(NULL);
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_view text = ryde_view_mem((const char *)data, size);
	bool credentials = size > 0 && (data[0] & 1) != 0;
	int rc;

	MUST(p != NULL);
	if (size > 0) {
		text.p++;
		text.n--;
	}
	rc = ryde_profiles_parse(p, text, credentials, "FILE", &err);
	MUST((rc == 0) == (err.code == RYDE_OK));
	MUST(rc == 0 || (err.code == RYDE_ECONFIG && strncmp(err.msg, "FILE:", 5) == 0));
	/* one setting more behind whatever was read */
	if (rc == 0) {
		const char *got;

		MUST(ryde_profiles_parse(
			 p, ryde_view_of("[x]\nkey = v\n"), true, "FILE", &err) == 0);
		got = ryde_profiles_get(
		    p, RYDE_PROFILES_CREDENTIALS_PROFILE, "x", "key", NULL);
		MUST(got != NULL && strcmp(got, "v") == 0);
		(void)ryde_profiles_get(
		    p, RYDE_PROFILES_CONFIG_PROFILE, "default", "region", NULL);
		(void)ryde_profiles_get(
		    p, RYDE_PROFILES_SERVICES, "s", "kinesis", "endpoint_url");
	}
	ryde_profiles_free(p);
	return 0;
}
