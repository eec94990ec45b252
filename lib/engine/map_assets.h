/* The files of the page, embedded when ryde-map is built, packed by gzip. */
#ifndef RYDE_ENGINE_MAP_ASSETS_H
#define RYDE_ENGINE_MAP_ASSETS_H

#include "base/view.h"

struct ryde_buf;
struct ryde_err;

struct ryde_map_asset {
	const char *name;      /* "style.css" */
	const char *type;      /* of its content */
	struct ryde_view gzip; /* what lies in the program, for ever */
	char etag[24];	       /* with its quotes; changes with the content */
};

/* The file of that name, NULL where there is none. Borrowed, for ever. */
const struct ryde_map_asset *ryde_map_assets_find(const char *name);
/* Appends the unpacked content: for clients that do not take gzip. */
int ryde_map_assets_unpack(
    const struct ryde_map_asset *a, struct ryde_buf *out, struct ryde_err *err);

#endif
