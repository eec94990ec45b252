#include "aws/curl.h"

#include "base/err.h"

#include <dlfcn.h>
#include <stddef.h>
#include <string.h>

static struct ryde_curl functions;
static void *handle;

static int
resolve(struct ryde_err *err)
{
	void *symbol;

	/* ISO C has no conversion from an object's address to a function's; POSIX
	 * promises that the bytes fit. */
#define RESOLVE(name)                  \
	symbol = dlsym(handle, #name); \
	if (symbol == NULL)            \
		goto missing;          \
	memcpy(&functions.name, &symbol, sizeof(symbol));
	RYDE_CURL_FUNCTIONS(RESOLVE)
#undef RESOLVE
	if (functions.curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		return 0;
	return ryde_err_set(err, RYDE_EUNAVAILABLE, "libcurl does not start");
missing:
	return ryde_err_set(
	    err, RYDE_EUNAVAILABLE, "this libcurl is too old: 7.62 or later is needed");
}

const struct ryde_curl *
ryde_curl_load(struct ryde_err *err)
{
	static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

	if (handle != NULL)
		return &functions;
	for (size_t i = 0; handle == NULL && i < sizeof(names) / sizeof(names[0]); i++)
		handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (handle == NULL) {
		(void)ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "the AWS engine needs libcurl (Debian: libcurl4): %s", dlerror());
		return NULL;
	}
	if (resolve(err) == 0)
		return &functions;
	dlclose(handle);
	handle = NULL;
	return NULL;
}
