/* Fuzz target for requests of the Runtime API: faults of memory, and that what was used
 * and found lies in the input. */
#include "engine/process_http.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MUST(condition)           \
	do {                      \
		if (!(condition)) \
			abort();  \
	} while (0)

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view in = ryde_view_mem((const char *)data, size);
	struct ryde_process_http_request r;
	struct ryde_buf body;
	size_t used = 0;

	ryde_buf_init(&body, RYDE_PROCESS_HTTP_BODY_MAX);
	while (ryde_process_http_parse(in, &r, &body, &used) == RYDE_PROCESS_HTTP_DONE) {
		MUST(used > 0 && used <= in.n && r.head <= used && body.n <= used);
		MUST(r.method.p >= in.p && r.path.p + r.path.n <= in.p + in.n);
		MUST(!body.failed);
		in.p += used;
		in.n -= used;
	}
	ryde_buf_free(&body);
	return 0;
}
