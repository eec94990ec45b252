#include "engine/map_mhd.h"

#include "base/err.h"

#include <dlfcn.h>
#include <string.h>

static struct ryde_map_mhd mhd;

const struct ryde_map_mhd *
ryde_map_mhd(struct ryde_err *err)
{
	void *symbol;

	if (mhd.handle != NULL)
		return &mhd;
	mhd.handle = dlopen("libmicrohttpd.so.12", RTLD_NOW | RTLD_LOCAL);
	if (mhd.handle == NULL) {
		(void)ryde_err_set(err, RYDE_EUNAVAILABLE,
		    "the map is served with libmicrohttpd: %s", dlerror());
		return NULL;
	}
	/* ISO C has no conversion from an object's address to a function's; POSIX
	 * promises that the bytes fit. */
#define RESOLVE(name)                      \
	symbol = dlsym(mhd.handle, #name); \
	if (symbol == NULL)                \
		goto missing;              \
	memcpy(&mhd.name, &symbol, sizeof(symbol));
	RYDE_MAP_MHD_FUNCTIONS(RESOLVE)
#undef RESOLVE
	return &mhd;
missing:
	(void)dlclose(mhd.handle);
	mhd.handle = NULL;
	(void)ryde_err_set(
	    err, RYDE_EUNAVAILABLE, "this libmicrohttpd lacks what 0.9.75 has");
	return NULL;
}
