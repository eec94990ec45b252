/*
 * Answers of the map's web server, and what each of them carries so that a browser does
 * nothing with them that is not meant.
 */
#ifndef RYDE_ENGINE_MAP_ANSWER_H
#define RYDE_ENGINE_MAP_ANSWER_H

#include "base/view.h"
#include "engine/map_mhd.h"

struct ryde_buf;
struct ryde_err;
struct ryde_map_asset;

struct ryde_map_answers {
	const struct ryde_map_mhd *mhd; /* once it is loaded */
	const char *referrer;		/* Referrer-Policy */
	char csp[600];			/* Content-Security-Policy */
};

/* tiles is a URL of map tiles, NULL: none. -1 with RYDE_EUSAGE where it is not. */
int ryde_map_answer_init(
    struct ryde_map_answers *a, const char *tiles, struct ryde_err *err);

struct ryde_view ryde_map_answer_asked(
    const struct ryde_map_answers *a, struct MHD_Connection *c, const char *header);
void ryde_map_answer_header(const struct ryde_map_answers *a, struct MHD_Response *r,
    const char *name, const char *value);
/* A short text, a constant. NULL without memory, which send takes. */
struct MHD_Response *ryde_map_answer_text(
    const struct ryde_map_answers *a, const char *line);
/* What is in b, whose memory it takes over. NULL without memory. */
struct MHD_Response *ryde_map_answer_of(
    const struct ryde_map_answers *a, struct ryde_buf *b);
/* Queues r with what every answer carries, and lets go of it. */
enum MHD_Result ryde_map_answer_send(const struct ryde_map_answers *a,
    struct MHD_Connection *c, unsigned status, struct MHD_Response *r);
/* A file of the page, packed where the client takes it so; 304 where it has it. */
enum MHD_Result ryde_map_answer_asset(const struct ryde_map_answers *a,
    struct MHD_Connection *c, const struct ryde_map_asset *asset);

#endif
