#include "engine/process_pool.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/waits.h"

#include <stdlib.h>
#include <string.h>

static void
end(struct ryde_process_instance *i)
{
	ryde_process_spawned_kill(&i->process);
	i->pool->ops->clear(i);
	free(i);
}

struct ryde_process_call *
ryde_process_pool_call(struct ryde_process_pool *pool,
    const struct ryde_process_call_task *task, struct ryde_err *err)
{
	struct ryde_process_instance *i = pool->idle;

	if (i != NULL)
		pool->idle = i->next;
	else
		i = pool->ops->start(pool, err);
	if (i == NULL)
		return NULL;
	i->call = (struct ryde_process_call){
	    .ops = i->call.ops, .started_ms = ryde_clock_mono_ms()};
	if (pool->ops->begin(i, task, err) == 0)
		return &i->call;
	end(i);
	return NULL;
}

void
ryde_process_pool_return(struct ryde_process_call *call)
{
	struct ryde_process_instance *i = (struct ryde_process_instance *)call;

	if (i->broken || i->process.pid == 0) {
		end(i);
		return;
	}
	i->next = i->pool->idle;
	i->pool->idle = i;
}

static void
say_gone(const struct ryde_process_instance *i)
{
	char what[80];

	ryde_process_spawn_describe(i->process.wait_status, what, sizeof what);
	ryde_log(i->process.wait_status == 0 ? RYDE_LOG_INFO : RYDE_LOG_WARNING,
	    "%s has ended between batches: %s; the next one starts it again",
	    i->pool->function, what);
}

void
ryde_process_pool_turn(struct ryde_process_pool *pool, int64_t now_mono_ms)
{
	struct ryde_process_instance **at = &pool->idle, *i;

	while ((i = *at) != NULL) {
		if (pool->ops->idle(i, now_mono_ms) && !i->broken) {
			at = &i->next;
			continue;
		}
		if (i->process.pid == 0)
			say_gone(i);
		*at = i->next;
		end(i);
	}
}

void
ryde_process_pool_wait(const struct ryde_process_pool *pool, struct ryde_waits *w)
{
	for (const struct ryde_process_instance *i = pool->idle; i != NULL; i = i->next)
		pool->ops->wait(i, w);
}

void
ryde_process_pool_close(struct ryde_process_pool *pool)
{
	int64_t now_ms = ryde_clock_mono_ms(),
		by_ms = now_ms + RYDE_PROCESS_SPAWN_KILL_MS;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits w = {.n = 0};
	struct ryde_process_instance *i;

	for (i = pool->idle; i != NULL; i = i->next)
		pool->ops->bye(i, now_ms);
	while ((i = pool->idle) != NULL) {
		now_ms = ryde_clock_mono_ms();
		if (pool->ops->idle(i, now_ms) && now_ms < by_ms) {
			ryde_waits_begin(&w);
			pool->ops->wait(i, &w);
			ryde_waits_until(&w, by_ms);
			if (ryde_waits_poll(&w, &err) == 0)
				continue;
		}
		if (i->process.pid == 0 && i->process.wait_status != 0 &&
		    !i->process.told)
			say_gone(i);
		pool->idle = i->next;
		end(i);
	}
}

/* The name of a variable with its "=". */
static size_t
name_length(const char *variable)
{
	const char *equals = strchr(variable, '=');

	return equals != NULL ? (size_t)(equals - variable) + 1 : strlen(variable);
}

static bool
is_among(const char *variable, const struct ryde_buf *more)
{
	for (size_t at = 0; at < more->n; at += strlen(more->p + at) + 1) {
		size_t n = name_length(more->p + at);

		if (strncmp(variable, more->p + at, n) == 0)
			return true;
	}
	return false;
}

char **
ryde_process_pool_environment(
    const struct ryde_process_pool *pool, struct ryde_buf *more, struct ryde_err *err)
{
	size_t n = 0, n_more = 0;
	char **env;

	if (ryde_buf_check(more, err) != 0)
		return NULL;
	for (size_t at = 0; at < more->n; at += strlen(more->p + at) + 1)
		n_more++;
	env = malloc((pool->n_env + n_more + 1) * sizeof *env);
	if (env == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < pool->n_env; i++) {
		if (!is_among(pool->envp[i], more))
			env[n++] = pool->envp[i];
	}
	for (size_t at = 0; at < more->n; at += strlen(more->p + at) + 1)
		env[n++] = more->p + at;
	env[n] = NULL;
	return env;
}
