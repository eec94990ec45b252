#include "aws/ask.h"

#include "base/buf.h"
#include "base/err.h"

#define TIMEOUT_MS 10000

struct ryde_aws_call *
ryde_ask(const struct ryde_ask *ask, struct ryde_aws_fault *fault, struct ryde_err *err)
{
	struct ryde_aws_request request = {.service = ask->service,
	    .operation = ask->operation,
	    .what = ask->what,
	    .region = ask->region,
	    .timeout_ms = ask->timeout_ms > 0 ? ask->timeout_ms : TIMEOUT_MS,
	    .attempts = ask->attempts};
	struct ryde_aws_call *call;

	if (fault != NULL)
		*fault = (struct ryde_aws_fault){.kind = RYDE_AWS_FINE};
	if (ryde_buf_check(ask->body, err) != 0)
		return NULL;
	request.body = ryde_buf_as_view(ask->body);
	call = ryde_aws_do(ask->aws, &request, err);
	if (call == NULL || ryde_aws_reply(call)->fault.kind == RYDE_AWS_FINE)
		return call;
	if (fault != NULL)
		*fault = ryde_aws_reply(call)->fault;
	(void)ryde_aws_reply_err(call, err);
	ryde_aws_free(call);
	return NULL;
}
