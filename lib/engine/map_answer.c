#include "engine/map_answer.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/map_assets.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The origin of the tiles as a Content-Security-Policy names it: {s} is any label. */
static int
tiles_origin(const char *tiles, char *to, size_t n, struct ryde_err *err)
{
	const char *scheme = strncmp(tiles, "https://", 8) == 0	 ? "https://"
			     : strncmp(tiles, "http://", 7) == 0 ? "http://"
								 : NULL;
	const char *host = scheme != NULL ? tiles + strlen(scheme) : "";
	size_t host_n = strcspn(host, "/");
	bool any = strncmp(host, "{s}.", 4) == 0;

	if (any) {
		host += 3;
		host_n -= 3;
	}
	if (host_n == 0 || host_n > 200 ||
	    strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
			 "-.:[]") < host_n ||
	    strstr(tiles, "{z}") == NULL || strstr(tiles, "{x}") == NULL ||
	    strstr(tiles, "{y}") == NULL)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--tiles: '%.200s' is no URL of tiles, such as "
		    "https://tile.openstreetmap.org/{z}/{x}/{y}.png",
		    tiles);
	(void)snprintf(
	    to, n, " data: %s%s%.*s", scheme, any ? "*" : "", (int)host_n, host);
	return 0;
}

int
ryde_map_answer_init(struct ryde_map_answers *a, const char *tiles, struct ryde_err *err)
{
	char origin[256] = "";

	if (tiles != NULL && tiles_origin(tiles, origin, sizeof(origin), err) != 0)
		return -1;
	/* tile servers want to know who asks; they see the origin, never the path */
	a->referrer = tiles != NULL ? "strict-origin-when-cross-origin" : "same-origin";
	(void)snprintf(a->csp, sizeof(a->csp),
	    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src "
	    "'self'; "
	    "img-src 'self'%s; base-uri 'none'; form-action 'none'; frame-ancestors "
	    "'none'",
	    origin);
	return 0;
}

void
ryde_map_answer_header(const struct ryde_map_answers *a, struct MHD_Response *r,
    const char *name, const char *value)
{
	(void)a->mhd->MHD_add_response_header(r, name, value);
}

enum MHD_Result
ryde_map_answer_send(const struct ryde_map_answers *a, struct MHD_Connection *c,
    unsigned status, struct MHD_Response *r)
{
	enum MHD_Result rc;

	if (r == NULL)
		return MHD_NO;
	ryde_map_answer_header(a, r, "Content-Security-Policy", a->csp);
	ryde_map_answer_header(a, r, "X-Content-Type-Options", "nosniff");
	ryde_map_answer_header(a, r, "X-Frame-Options", "DENY");
	ryde_map_answer_header(a, r, "Cross-Origin-Opener-Policy", "same-origin");
	ryde_map_answer_header(a, r, "Cross-Origin-Resource-Policy", "same-origin");
	ryde_map_answer_header(a, r, "Referrer-Policy", a->referrer);
	rc = a->mhd->MHD_queue_response(c, status, r);
	a->mhd->MHD_destroy_response(r);
	return rc;
}

struct MHD_Response *
ryde_map_answer_text(const struct ryde_map_answers *a, const char *line)
{
	union {
		const char *in;
		void *out; /* libmicrohttpd's pointer is not const; it does not write */
	} bytes = {.in = line};
	struct MHD_Response *r = a->mhd->MHD_create_response_from_buffer(
	    strlen(line), bytes.out, MHD_RESPMEM_PERSISTENT);

	if (r != NULL) {
		ryde_map_answer_header(a, r, "Content-Type", "text/plain; charset=utf-8");
		ryde_map_answer_header(a, r, "Cache-Control", "no-store");
	}
	return r;
}

struct ryde_view
ryde_map_answer_asked(
    const struct ryde_map_answers *a, struct MHD_Connection *c, const char *name)
{
	return ryde_view_of(
	    a->mhd->MHD_lookup_connection_value(c, MHD_HEADER_KIND, name));
}

static bool
takes_gzip(const struct ryde_map_answers *a, struct MHD_Connection *c)
{
	const char *accept =
	    a->mhd->MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept-Encoding");
	const char *gzip = accept != NULL ? strstr(accept, "gzip") : NULL;

	return gzip != NULL && strncmp(gzip, "gzip;q=0", 8) != 0;
}

struct MHD_Response *
ryde_map_answer_of(const struct ryde_map_answers *a, struct ryde_buf *b)
{
	struct MHD_Response *r;

	if (b->failed || b->p == NULL)
		return NULL;
	r = a->mhd->MHD_create_response_from_buffer(b->n, b->p, MHD_RESPMEM_MUST_FREE);
	if (r != NULL)
		ryde_buf_init(b, b->max);
	return r;
}

enum MHD_Result
ryde_map_answer_asset(const struct ryde_map_answers *a, struct MHD_Connection *c,
    const struct ryde_map_asset *asset)
{
	bool gzip = takes_gzip(a, c);
	struct MHD_Response *r = NULL;
	struct ryde_buf b;
	union {
		const char *in;
		void *out;
	} bytes = {.in = asset->gzip.p};
	unsigned status = MHD_HTTP_OK;

	ryde_buf_init(&b, 64u << 20);
	if (ryde_view_is(ryde_map_answer_asked(a, c, "If-None-Match"), asset->etag)) {
		status = MHD_HTTP_NOT_MODIFIED;
		r = a->mhd->MHD_create_response_from_buffer(
		    0, bytes.out, MHD_RESPMEM_PERSISTENT);
	} else if (gzip) {
		r = a->mhd->MHD_create_response_from_buffer(
		    asset->gzip.n, bytes.out, MHD_RESPMEM_PERSISTENT);
	} else if (ryde_map_assets_unpack(asset, &b, NULL) == 0) {
		r = ryde_map_answer_of(a, &b);
	}
	ryde_buf_free(&b);
	if (r == NULL)
		return MHD_NO;
	if (status == MHD_HTTP_OK) {
		ryde_map_answer_header(a, r, "Content-Type", asset->type);
		if (gzip)
			ryde_map_answer_header(a, r, "Content-Encoding", "gzip");
	}
	ryde_map_answer_header(a, r, "Vary", "Accept-Encoding");
	ryde_map_answer_header(a, r, "ETag", asset->etag);
	ryde_map_answer_header(a, r, "Cache-Control", "private, no-cache");
	return ryde_map_answer_send(a, c, status, r);
}
