/*
 * What a handler answers: its response, read in each mode, and Lambda's error. Never is
 * more done than there is, a partial answer is told from a whole one, and a window's
 * state is an object of the text itself.
 */
#include "engine/process_response.h"
#include "base/err.h"
#include "engine/process_batch.h"

#include <stdlib.h>
#include <string.h>

#define RECORDS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool holds)
{
	if (!holds)
		abort();
}

/* Records 1 to 5. */
static struct ryde_process_batch
batch(void)
{
	static const char *const numbers[RECORDS] = {"1", "2", "3", "4",
	    "49590338271490256608559692538361571095921575989136588898"};
	const struct ryde_process_batch_limits limits = {
	    .records = RECORDS, .bytes = (size_t)1 << 20};
	struct ryde_process_batch b = {0};

	for (size_t i = 0; i < RECORDS; i++) {
		const struct ryde_process_batch_record r = {
		    .data = ryde_view_of("{}"), .seq = ryde_view_of(numbers[i])};

		must(ryde_process_batch_add(&b, &r, NULL) == 0);
	}
	ryde_process_batch_cut(&b, &limits);
	return b;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ryde_view text = ryde_view_mem((const char *)data, size);
	struct ryde_process_batch b = batch();
	char why[40];

	for (int mode = 0; mode < 4; mode++) {
		struct ryde_process_response r;
		bool partial = (mode & 1) != 0, stateful = (mode & 2) != 0;

		ryde_process_response_read(&r, text, &b, RECORDS, partial, stateful);
		must(r.done <= RECORDS && (r.what[0] == '\0') == (r.done == RECORDS));
		must(strlen(r.what) < sizeof(r.what));
		if (r.state.n > 0)
			must(r.state.p >= text.p &&
			     r.state.p + r.state.n <= text.p + text.n &&
			     r.state.p[0] == '{' && r.state.p[r.state.n - 1] == '}');
		must(!stateful || r.done == 0 || r.state.n > 0);
	}
	if (ryde_process_response_error(text, why, sizeof(why)))
		must(memchr(why, '\0', sizeof(why)) != NULL);
	ryde_process_batch_free(&b);
	return 0;
}
