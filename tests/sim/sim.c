#include "sim.h"

#include <inttypes.h>
#include <stdio.h>

#define SLOTS 65536 /* one a millisecond; what is later waits in the last one */
#define SHOWN 5	    /* of each fault */
#define CHECKS_MAX 32

static struct event *slots[SLOTS];
static int64_t now_ms;
static uint64_t state = 1;
/* what was to be true, and how often it was not */
static struct {
	const char *what;
	unsigned failed;
} checks[CHECKS_MAX];

int64_t
sim_now(void)
{
	return now_ms;
}

void
sim_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15U + 1;
}

uint64_t
sim_any(uint64_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (state >> 8) % below;
}

double
sim_unit(void)
{
	return (double)sim_any(1U << 24) / (1U << 24);
}

void
sim_check(bool good, const char *what)
{
	size_t i = 0;

	while (checks[i].what != NULL && checks[i].what != what)
		i++;
	checks[i].what = what;
	checks[i].failed += !good;
	if (!good && checks[i].failed <= SHOWN)
		printf("at %" PRId64 " ms: not so: %s\n", now_ms, what);
}

static unsigned
count(bool failed)
{
	unsigned n = 0;

	for (size_t i = 0; i < CHECKS_MAX && checks[i].what != NULL; i++)
		n += (checks[i].failed > 0) == failed;
	return n;
}

unsigned
sim_passed(void)
{
	return count(false);
}

unsigned
sim_failed(void)
{
	return count(true);
}

void
sim_cancel(struct event *e)
{
	if (e->at == NULL)
		return;
	*e->at = e->next;
	if (e->next != NULL)
		e->next->at = e->at;
	e->at = NULL;
}

static void
put(struct event *e)
{
	int64_t away = e->due_ms - now_ms;
	struct event **slot =
	    &slots[(now_ms + (away < SLOTS ? away : SLOTS - 1)) % SLOTS];

	e->next = *slot;
	if (e->next != NULL)
		e->next->at = &e->next;
	e->at = slot;
	*slot = e;
}

void
sim_at(struct event *e, int64_t due_ms)
{
	sim_cancel(e);
	e->due_ms = due_ms > now_ms ? due_ms : now_ms + 1;
	put(e);
}

void
sim_run(int64_t ms)
{
	for (int64_t end = now_ms + ms; now_ms < end;) {
		struct event **slot = &slots[++now_ms % SLOTS];

		while (*slot != NULL) {
			struct event *e = *slot;

			sim_cancel(e);
			if (e->due_ms > now_ms)
				put(e);
			else
				e->happen(e);
		}
	}
}
