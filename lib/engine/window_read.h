/* One payload as a window sees it: its time, its key, and what the columns' paths point
 * at. */
#ifndef RYDE_ENGINE_WINDOW_READ_H
#define RYDE_ENGINE_WINDOW_READ_H

#include "base/buf.h"
#include "base/view.h"
#include "engine/window_agg.h"
#include "engine/window_def.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;
struct ryde_json_shapes;
struct ryde_window_record;

#define RYDE_WINDOW_READ_TIME 32   /* of the text of a time that is kept */
#define RYDE_WINDOW_READ_MINUTE 16 /* "YYYY-MM-DD HH:MM" */

struct ryde_window_read {
	const struct ryde_window_def *def;
	struct ryde_json_value *values;
	struct ryde_json_shapes *shapes; /* of the records before */
	/* Good until the next record. */
	struct ryde_window_agg_input *inputs; /* by path */
	bool *passes;			      /* by condition */
	bool filtered; /* the condition on all records is not true: there is no key */
	bool has_time; /* only a filtered one may have none */
	int64_t at_ms;
	/* Equal keys are equal bytes in key; written is the key as it stands in the
	 * record. The same view where keys read in one way only. */
	struct ryde_view key, written;

	struct ryde_buf key_buf, written_buf;
	char minute[RYDE_WINDOW_READ_MINUTE]; /* of the last time that was read */
	int64_t minute_ms;
	bool has_minute;
	char time[RYDE_WINDOW_READ_TIME]; /* all of it, where it is short enough */
	size_t time_n;
	int64_t time_ms;
	uint64_t tail; /* of the last time of a line: what follows the minute */
	int64_t tail_ms;
};

int ryde_window_read_start(
    struct ryde_window_read *r, const struct ryde_window_def *def, struct ryde_err *err);
void ryde_window_read_free(struct ryde_window_read *r);
/* -1 with RYDE_EDATA and a message that names the field where the payload is wrong; the
 * payload is checked whole. */
int ryde_window_read(struct ryde_window_read *r, const struct ryde_window_record *record,
    struct ryde_err *err);
/* The same of a payload without an arrival, whose values were found already; what is
 * wrong with it is not told. */
bool ryde_window_read_found(
    struct ryde_window_read *r, const struct ryde_json_value *values);
/* The time that a string without escapes tells, or a number, behind which eight bytes may
 * be read. False: none, or one that is out of bounds. */
bool ryde_window_read_time(
    struct ryde_window_read *r, struct ryde_view text, int64_t *out_ms);

#endif
