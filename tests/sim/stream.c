#include "stream.h"

#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALLS_PER_S 5
#define BYTES_PER_S 2000000
#define PAGE_RECORDS 10000
#define PAGE_BYTES 10000000

struct shard stream_shards[SHARDS_MAX];
struct ryde_share_lease stream_leases[SHARDS_MAX];
size_t stream_n;
struct ryde_share_member stream_members[MEMBERS_MAX];
size_t stream_n_members;

static int64_t trouble_ms;
static uint64_t calls, refused;

static void
add(int a, int b, int64_t per_s)
{
	struct shard *s = &stream_shards[stream_n];
	struct ryde_share_lease *l = &stream_leases[stream_n];

	if (stream_n == SHARDS_MAX)
		exit(70);
	*s = (struct shard){.parents = {a, b},
	    .opened_ms = sim_now(),
	    .closed_ms = INT64_MAX,
	    .per_s = per_s,
	    .calls = 1000 * CALLS_PER_S,
	    .bytes = BYTES_PER_S,
	    .filled_ms = sim_now(),
	    .read_ms = sim_now()};
	(void)snprintf(l->shard, sizeof(l->shard), "shardId-%012zu", stream_n);
	l->ready = a < 0;
	stream_n++;
}

void
stream_make(size_t shards)
{
	for (size_t i = 0; i < shards; i++)
		add(-1, -1, i % 50 == 0 ? 1000 : (int64_t)(5 + sim_any(200)));
}

void
stream_split(size_t i)
{
	stream_shards[i].closed_ms = sim_now();
	add((int)i, -1, stream_shards[i].per_s / 2);
	add((int)i, -1, stream_shards[i].per_s - stream_shards[i].per_s / 2);
}

void
stream_merge(size_t i, size_t k)
{
	stream_shards[i].closed_ms = stream_shards[k].closed_ms = sim_now();
	add((int)i, (int)k, stream_shards[i].per_s + stream_shards[k].per_s);
}

size_t
stream_any_open(size_t but)
{
	size_t i;

	do
		i = sim_any(stream_n);
	while (i == but || stream_shards[i].closed_ms != INT64_MAX);
	return i;
}

int64_t
stream_count(size_t i)
{
	const struct shard *s = &stream_shards[i];
	int64_t until = s->closed_ms < sim_now() ? s->closed_ms : sim_now();

	return (until - s->opened_ms) * s->per_s / 1000;
}

size_t
stream_number(const char *shard)
{
	return (size_t)strtoul(shard + strlen("shardId-"), NULL, 10);
}

static void
fill(struct shard *s)
{
	int64_t ms = sim_now() - s->filled_ms;

	s->calls += ms * CALLS_PER_S;
	s->bytes += ms * (BYTES_PER_S / 1000);
	if (s->calls > 1000 * CALLS_PER_S)
		s->calls = 1000 * CALLS_PER_S;
	if (s->bytes > BYTES_PER_S)
		s->bytes = BYTES_PER_S;
	s->filled_ms = sim_now();
}

int64_t
stream_get(size_t i, int64_t from)
{
	struct shard *s = &stream_shards[i];
	int64_t n = stream_count(i) - from;

	calls++;
	fill(s);
	/* a page may be larger than what is left; then the next calls are refused */
	if (s->calls < 1000 || s->bytes <= 0 ||
	    (sim_now() < trouble_ms && sim_any(5) == 0)) {
		refused++;
		return -1;
	}
	if (n > PAGE_RECORDS)
		n = PAGE_RECORDS;
	if (n > PAGE_BYTES / RECORD_BYTES)
		n = PAGE_BYTES / RECORD_BYTES;
	s->calls -= 1000;
	s->bytes -= n * RECORD_BYTES;
	return n;
}

void
stream_trouble(int64_t until_ms)
{
	trouble_ms = until_ms;
}

uint64_t
stream_calls(void)
{
	return calls;
}

uint64_t
stream_refused(void)
{
	return refused;
}

void
stream_ready(void)
{
	for (size_t i = 0; i < stream_n; i++) {
		const int *p = stream_shards[i].parents;
		struct ryde_share_lease *l = &stream_leases[i];
		bool ready = !l->done && (p[0] < 0 || stream_leases[p[0]].done) &&
			     (p[1] < 0 || stream_leases[p[1]].done);

		if (ready && !l->ready)
			stream_shards[i].read_ms = sim_now();
		l->ready = ready;
	}
}

struct ryde_share_member *
stream_member(const char *id)
{
	for (size_t i = 0; i < stream_n_members; i++)
		if (strcmp(stream_members[i].id, id) == 0)
			return &stream_members[i];
	return NULL;
}

void
stream_remove(struct ryde_share_member *m)
{
	memmove(m, m + 1, (size_t)(&stream_members[--stream_n_members] - m) * sizeof(*m));
}
