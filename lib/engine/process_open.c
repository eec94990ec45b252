#include "engine/process_open.h"

#include "base/err.h"
#include "base/random.h"
#include "engine/process.h"
#include "engine/process_event.h"
#include "engine/process_filter.h"
#include "engine/process_invoke.h"
#include "engine/process_lane.h"
#include "engine/process_spawn.h"
#include "flow/books.h"
#include "store/name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVIRONMENT_MORE 7 /* what a call adds, and the NULL */

extern char **environ;

/* Our environment without the variables that each call gets of its own. */
static int
open_environment(struct ryde_process_lane_common *c, struct ryde_err *err)
{
	static const char *const ours[] = {
	    "RYDE_STREAM=", "RYDE_SHARD_ID=", "RYDE_BATCH_SIZE=", "RYDE_ATTEMPT=",
	    "RYDE_FIRST_SEQUENCE=", "RYDE_LAST_SEQUENCE="};
	size_t n = 0;

	while (environ != NULL && environ[n] != NULL)
		n++;
	c->envp = malloc((n + ENVIRONMENT_MORE) * sizeof *c->envp);
	if (c->envp == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		bool own = false;

		for (size_t k = 0; k < sizeof ours / sizeof *ours; k++)
			own = own || ryde_view_starts(ryde_view_of(environ[i]), ours[k]);
		if (!own)
			c->envp[c->n_env++] = environ[i];
	}
	return 0;
}

static int
open_function(struct ryde_process_lane_common *c, const char *name, struct ryde_err *err)
{
	const char *base = strrchr(name, '/') != NULL ? strrchr(name, '/') + 1 : name;
	size_t size = sizeof "command:" + strlen(base);

	c->path = ryde_process_spawn_find(name, err);
	if (c->path == NULL)
		return -1;
	c->function = malloc(size);
	if (c->function == NULL)
		return ryde_err_nomem(err);
	snprintf(c->function, size, "command:%s", base);
	return 0;
}

static int
open_invoke(struct ryde_process_lane_common *c,
    const struct ryde_process_settings *settings, struct ryde_err *err)
{
	c->function = ryde_view_copy(ryde_view_of(settings->function));
	if (c->function == NULL)
		return ryde_err_nomem(err);
	c->invoke = ryde_process_invoke_open(settings->store, settings->function, err);
	return c->invoke != NULL ? 0 : -1;
}

static int
open_random(struct ryde_random *random, struct ryde_err *err)
{
	uint64_t seed;

	if (ryde_random_bytes(&seed, sizeof seed, err) != 0)
		return -1;
	ryde_random_seed(random, seed);
	return 0;
}

/* All of Lambda's counts are there from the start, so that a chart of them has no holes.
 */
static void
open_books(struct ryde_books *books)
{
	static const char *const names[] = {"Invocations", "Errors", "Duration",
	    "IteratorAge", "PolledEventCount", "FilteredOutEventCount",
	    "InvokedEventCount", "FailedInvokeEventCount", "DroppedEventCount",
	    "OnFailureDestinationDeliveredEventCount"};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		ryde_books_extra(books, names[i], 0);
}

static const char *
region_of(const struct ryde_store_settings *store)
{
	const char *names[] = {store != NULL ? store->region : NULL, getenv("AWS_REGION"),
	    getenv("AWS_DEFAULT_REGION")};

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		if (names[i] != NULL && *names[i] != '\0')
			return names[i];
	}
	return "us-east-1";
}

static void
open_limits(
    struct ryde_process_lane_common *c, const struct ryde_process_settings *settings)
{
	size_t bytes = (size_t)settings->batch_bytes;

	c->record_max = SIZE_MAX;
	c->limits = (struct ryde_process_batch_limits){
	    .records = (size_t)settings->batch_size, .bytes = bytes};
	if (settings->event != RYDE_PROCESS_EVENT_LAMBDA)
		return;
	if (bytes > RYDE_PROCESS_EVENT_AROUND)
		c->limits.bytes -= RYDE_PROCESS_EVENT_AROUND;
	c->record_max = RYDE_PROCESS_EVENT_MAX - RYDE_PROCESS_EVENT_AROUND;
	if (c->limits.bytes > c->record_max)
		c->record_max = c->limits.bytes;
}

int
ryde_process_open(struct ryde_process_lane_common *c, struct ryde_err *err)
{
	const struct ryde_process_settings *settings = c->settings;

	open_books(c->books);
	c->rules = (struct ryde_process_retry_rules){.retries = settings->retries,
	    .max_age_ms = settings->max_age_ms,
	    .bisect = settings->bisect,
	    .base_ms = settings->backoff_ms,
	    .cap_ms = RYDE_PROCESS_BACKOFF_CAP_MS};
	c->region = region_of(settings->store);
	c->response = settings->partial || settings->tumble_ms > 0;
	c->capture = c->out != NULL || c->response;
	open_limits(c, settings);
	if ((settings->handler == RYDE_PROCESS_INVOKE
		    ? open_invoke(c, settings, err)
		    : open_function(c, settings->argv[0], err)) != 0 ||
	    open_environment(c, err) != 0 || open_random(&c->random, err) != 0)
		return -1;
	if (settings->filter_criteria != NULL &&
	    (c->filter = ryde_process_filter_open(settings->filter_criteria, err)) ==
		NULL)
		return -1;
	if (settings->on_failure != NULL &&
	    (c->fail = ryde_process_fail_open(
		 settings->store, settings->on_failure, err)) == NULL)
		return -1;
	return 0;
}
