#include "engine/process_call.h"

#include "base/random.h"
#include "base/waits.h"

#include <stdio.h>

void
ryde_process_call_timed_out(struct ryde_process_call *c, int64_t timeout_ms)
{
	snprintf(c->what, sizeof c->what, "timed out after %lld.%03lld s",
	    (long long)timeout_ms / 1000, (long long)timeout_ms % 1000);
}

int64_t
ryde_process_call_timeout_at(int64_t started_ms, int64_t timeout_ms)
{
	if (timeout_ms <= 0 || timeout_ms > RYDE_WAITS_FOREVER - started_ms)
		return RYDE_WAITS_FOREVER;
	return started_ms + timeout_ms;
}

int
ryde_process_call_id(char *to, struct ryde_err *err)
{
	unsigned char b[16];

	if (ryde_random_bytes(b, sizeof b, err) != 0)
		return -1;
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	snprintf(to, RYDE_PROCESS_CALL_ID_SIZE,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0],
	    b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
	    b[13], b[14], b[15]);
	return 0;
}
