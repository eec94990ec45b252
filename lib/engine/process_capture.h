/* What a command prints for one call: kept in memory, and in an unnamed file of $TMPDIR
 * once it outgrows that. */
#ifndef RYDE_ENGINE_PROCESS_CAPTURE_H
#define RYDE_ENGINE_PROCESS_CAPTURE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct ryde_err;

#define RYDE_PROCESS_CAPTURE_MEMORY (4u << 20)
#define RYDE_PROCESS_CAPTURE_MAX (INT64_C(1) << 30)

struct ryde_process_capture {
	struct ryde_buf buf;
	int file; /* takes over when buf is full, -1 before */
	int64_t file_bytes;
	void *map;
};

void ryde_process_capture_init(struct ryde_process_capture *c);
void ryde_process_capture_free(struct ryde_process_capture *c);
/* Forgets what was captured. */
void ryde_process_capture_clear(struct ryde_process_capture *c);
/* -1 with RYDE_EDATA where it is more than the most, or what writing says. */
int ryde_process_capture_add(
    struct ryde_process_capture *c, const char *p, size_t n, struct ryde_err *err);
/* All of it, good until the next call on c. -1 where the file cannot be mapped. */
int ryde_process_capture_view(
    struct ryde_process_capture *c, struct ryde_view *out, struct ryde_err *err);

#endif
