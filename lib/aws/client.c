#include "aws/client.h"

#include "aws/call.h"
#include "aws/config.h"
#include "aws/credentials.h"
#include "aws/sigv4.h"
#include "base/clock.h"
#include "base/waits.h"

#include <stdlib.h>
#include <string.h>

static struct ryde_aws *clients;

/* ---- opening ---- */

#define SETTINGS 7

static void
settings_of(struct ryde_store_settings *s, const char **strings[SETTINGS])
{
	const char **all[SETTINGS] = {&s->engine, &s->data, &s->region, &s->profile,
	    &s->endpoint_url, &s->identity_pool, &s->login};

	memcpy(strings, all, sizeof(all));
}

static bool
same_settings(struct ryde_store_settings a, struct ryde_store_settings b)
{
	const char **x[SETTINGS], **y[SETTINGS];

	settings_of(&a, x);
	settings_of(&b, y);
	for (size_t i = 2; i < SETTINGS; i++)
		if (!ryde_view_eq(ryde_view_of(*x[i]), ryde_view_of(*y[i])))
			return false;
	return true;
}

static void
free_client(struct ryde_aws *aws)
{
	const char **strings[SETTINGS];

	settings_of(&aws->settings, strings);
	for (size_t i = 0; i < SETTINGS; i++)
		free((void *)(uintptr_t)*strings[i]);
	ryde_aws_credentials_free(aws->credentials);
	ryde_aws_config_free(aws->config);
	ryde_sigv4_free(aws->sigv4);
	ryde_http_free(aws->http);
	free(aws);
}

static int
copy_settings(
    struct ryde_aws *aws, const struct ryde_store_settings *from, struct ryde_err *err)
{
	struct ryde_store_settings source = *from;
	const char **to[SETTINGS], **strings[SETTINGS];

	settings_of(&aws->settings, to);
	settings_of(&source, strings);
	for (size_t i = 0; i < SETTINGS; i++) {
		if (*strings[i] == NULL)
			continue;
		*to[i] = strdup(*strings[i]);
		if (*to[i] == NULL)
			return ryde_err_nomem(err);
	}
	return 0;
}

struct ryde_aws *
ryde_aws_open(const struct ryde_store_settings *settings, struct ryde_err *err)
{
	struct ryde_aws *aws = clients;
	uint64_t seed;

	while (aws != NULL && !same_settings(aws->settings, *settings))
		aws = aws->next;
	if (aws != NULL) {
		aws->opened++;
		return aws;
	}
	aws = calloc(1, sizeof(*aws));
	if (aws == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	if (copy_settings(aws, settings, err) != 0 ||
	    ryde_random_bytes(&seed, sizeof(seed), err) != 0) {
		free_client(aws);
		return NULL;
	}
	ryde_random_seed(&aws->random, seed);
	for (size_t i = 0; i < RYDE_AWS_SERVICES; i++)
		ryde_backoff_budget_init(&aws->quotas[i], RYDE_BACKOFF_BUDGET);
	aws->opened = 1;
	aws->next = clients;
	clients = aws;
	return aws;
}

void
ryde_aws_close(struct ryde_aws *aws)
{
	struct ryde_aws **at = &clients;

	if (aws == NULL || --aws->opened > 0)
		return;
	while (*at != aws)
		at = &(*at)->next;
	*at = aws->next;
	while (aws->calls != NULL)
		ryde_aws_free(aws->calls);
	free_client(aws);
}

static int
make_config(struct ryde_aws *aws, struct ryde_err *err)
{
	if (aws->config == NULL)
		aws->config = ryde_aws_config_new(&aws->settings, err);
	return aws->config != NULL ? 0 : -1;
}

/* What only a call needs. */
static int
make_ready(struct ryde_aws *aws, struct ryde_err *err)
{
	if (make_config(aws, err) != 0)
		return -1;
	if (aws->http == NULL)
		aws->http = ryde_http_new(err);
	if (aws->http != NULL && aws->sigv4 == NULL)
		aws->sigv4 = ryde_sigv4_new(err);
	if (aws->sigv4 != NULL && aws->credentials == NULL)
		aws->credentials =
		    ryde_aws_credentials_new(aws->config, aws->http, aws->sigv4, err);
	return aws->credentials != NULL ? 0 : -1;
}

const char *
ryde_aws_region(struct ryde_aws *aws, struct ryde_err *err)
{
	const char *region =
	    make_config(aws, err) == 0 ? ryde_aws_config_region(aws->config, NULL) : NULL;

	if (region == NULL && aws->config != NULL)
		(void)ryde_err_set(err, RYDE_ECONFIG,
		    "which region? Set --region, AWS_REGION, or region in ~/.aws/config");
	return region;
}

/* ---- calls ---- */

struct ryde_aws_call *
ryde_aws_start(
    struct ryde_aws *aws, const struct ryde_aws_request *request, struct ryde_err *err)
{
	struct ryde_aws_call *call = calloc(1, sizeof(*call));

	if (call == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	call->aws = aws;
	call->next = aws->calls;
	if (call->next != NULL)
		call->next->prev = call;
	aws->calls = call;
	if (make_ready(aws, err) == 0 && ryde_aws_call_prepare(call, request, err) == 0 &&
	    ryde_aws_call_attempt(call, err) == 0)
		return call;
	ryde_aws_free(call);
	return NULL;
}

int
ryde_aws_describe(struct ryde_aws *aws, const struct ryde_aws_request *request,
    struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_aws_request plain = *request;
	struct ryde_aws_call call = {.aws = aws};
	int rc = -1;

	plain.unsigned_call = true;
	if (make_ready(aws, err) == 0 && ryde_aws_call_prepare(&call, &plain, err) == 0)
		rc = ryde_aws_call_describe(&call, to, err);
	ryde_buf_free(&call.text);
	ryde_buf_free(&call.url);
	return rc;
}

bool
ryde_aws_done(const struct ryde_aws_call *call)
{
	return call->state == RYDE_AWS_CALL_SETTLED || call->state == RYDE_AWS_CALL_DONE;
}

void
ryde_aws_free(struct ryde_aws_call *call)
{
	if (call == NULL)
		return;
	ryde_http_end(call->exchange);
	if (call->prev != NULL)
		call->prev->next = call->next;
	else
		call->aws->calls = call->next;
	if (call->next != NULL)
		call->next->prev = call->prev;
	ryde_buf_free(&call->text);
	ryde_buf_free(&call->url);
	free(call);
}

void
ryde_aws_resume(struct ryde_aws_call *call)
{
	if (call->exchange != NULL)
		ryde_http_resume(call->exchange);
}

/* ---- the loop ---- */

static void
attempt_again(struct ryde_aws_call *call)
{
	if (ryde_aws_call_attempt(call, &call->err) == 0)
		return;
	call->reply.fault = (struct ryde_aws_fault){
	    .kind = call->err.code == RYDE_ENOPERM ? RYDE_AWS_DENIED : RYDE_AWS_TRANSIENT,
	    .retry_after_ms = -1};
	memcpy(call->reply.fault.message, call->err.msg,
	    sizeof(call->reply.fault.message) - 1);
	ryde_aws_call_settle(call);
}

/* Tells the owners of calls that are done. Each may free calls and start others: look
 * from the beginning again. */
static void
tell(struct ryde_aws *aws)
{
	struct ryde_aws_call *call = aws->calls;

	while (call != NULL) {
		if (call->state != RYDE_AWS_CALL_SETTLED) {
			call = call->next;
			continue;
		}
		call->state = RYDE_AWS_CALL_DONE;
		if (call->request.on_done != NULL)
			call->request.on_done(call->request.arg, call);
		call = aws->calls;
	}
}

int
ryde_aws_turn(struct ryde_aws *aws, struct ryde_err *err)
{
	int64_t now;

	if (aws->http == NULL)
		return 0;
	if (ryde_http_turn(aws->http, err) != 0)
		return -1;
	now = ryde_clock_mono_ms();
	for (struct ryde_aws_call *call = aws->calls; call != NULL; call = call->next) {
		if (call->state == RYDE_AWS_CALL_SENT &&
		    ryde_http_answer(call->exchange) != NULL)
			ryde_aws_call_judge(call);
		if (call->state == RYDE_AWS_CALL_WAITING && now >= call->due_mono_ms)
			attempt_again(call);
	}
	tell(aws);
	return 0;
}

void
ryde_aws_wait(struct ryde_aws *aws, struct ryde_waits *w)
{
	if (aws->http == NULL)
		return;
	ryde_http_wait(aws->http, w);
	for (const struct ryde_aws_call *call = aws->calls; call != NULL;
	     call = call->next) {
		if (call->state == RYDE_AWS_CALL_WAITING)
			ryde_waits_until(w, call->due_mono_ms);
		else if (call->state == RYDE_AWS_CALL_SETTLED)
			ryde_waits_until(w, 0);
	}
}

struct ryde_aws_call *
ryde_aws_do(
    struct ryde_aws *aws, const struct ryde_aws_request *request, struct ryde_err *err)
{
	struct ryde_aws_call *call = ryde_aws_start(aws, request, err);
	struct ryde_waits w = {.n = 0};

	while (call != NULL && !ryde_aws_done(call)) {
		ryde_waits_begin(&w);
		ryde_aws_wait(aws, &w);
		if (ryde_waits_poll(&w, err) != 0 || ryde_aws_turn(aws, err) != 0) {
			ryde_aws_free(call);
			return NULL;
		}
	}
	return call;
}

int64_t
ryde_aws_skew_ms(const struct ryde_aws *aws)
{
	return aws->skew_ms;
}
