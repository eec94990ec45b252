/*
 * A day of a shared group: 200 readers of 1,000 shards, in simulated time. What decides
 * is the real code, flow/share.c and flow/pace.c; the service, the table of groups, the
 * network and the clocks are simulated. Readers come, die, stand still and leave, all are
 * replaced one by one, shards are split and merged, both services refuse requests for a
 * while. Everything follows from the seed.
 *
 * It fails where a promise is broken: a shard is delivered by one that does not own it,
 * or before its parents; a record is passed over; a shard is without a reader for a
 * minute; the shards are not divided evenly a minute after something happened.
 *
 * usage: share [SEED [MINUTES]]
 * Lines that begin with "page: " stand in ryde(7), word for word: tests/sim/run.
 */
#include "base/num.h"
#include "base/view.h"
#include "dynamodb.h"
#include "reader.h"
#include "stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHARDS 1000
#define READERS 200
#define READERS_MAX 20000
#define MINUTE_MS 60000
#define DAY_MINUTES 1440
#define RESHARDED 10 /* splits, and as many merges, each time */

static struct reader *readers[READERS_MAX];
static size_t n_readers;

static void
come(size_t n)
{
	for (; n > 0; n--) {
		if (n_readers == READERS_MAX)
			exit(70);
		readers[n_readers++] = reader_come();
	}
}

static size_t
running(void)
{
	size_t n = 0;

	for (size_t i = 0; i < n_readers; i++)
		n += reader_runs(readers[i]);
	return n;
}

static struct reader *
any_running(void)
{
	struct reader *r;

	do
		r = readers[sim_any(n_readers)];
	while (!reader_runs(r));
	return r;
}

/* ---- balance ---- */

static bool
balanced(void)
{
	static size_t held[READERS_MAX];
	size_t least = SIZE_MAX, most = 0, sum = 0, ready = 0;

	stream_ready();
	for (size_t i = 0; i < stream_n; i++) {
		ready += stream_leases[i].ready;
		/* its children are to come */
		if (stream_shards[i].closed_ms != INT64_MAX && !stream_leases[i].done)
			return false;
	}
	for (size_t i = 0; i < n_readers; i++) {
		if (!reader_runs(readers[i]))
			continue;
		held[i] = reader_holds(readers[i]);
		least = held[i] < least ? held[i] : least;
		most = held[i] > most ? held[i] : most;
		sum += held[i];
	}
	return sum == ready && most <= least + 1;
}

/* Until the shards are divided evenly: how many tenths of a second that took. */
static int64_t
until_balanced(const char *what)
{
	int64_t from = sim_now(), took;
	uint64_t moved = reader_deeds()->moved;

	while (!balanced() && sim_now() < from + 5 * MINUTE_MS)
		sim_run(100);
	took = sim_now() - from;
	printf("%-52s even after %5.1f s, %4" PRIu64 " shards moved\n", what,
	    (double)took / 1000, reader_deeds()->moved - moved);
	sim_check(took <= MINUTE_MS, "the shards are divided evenly within a minute");
	return took;
}

/* ---- what happens ---- */

static void
reshard(void)
{
	for (int i = 0; i < RESHARDED; i++) {
		size_t a = stream_any_open(SIZE_MAX);

		stream_split(stream_any_open(SIZE_MAX));
		while (stream_shards[a].closed_ms != INT64_MAX)
			a = stream_any_open(SIZE_MAX);
		stream_merge(a, stream_any_open(a));
	}
}

static void
die(size_t n)
{
	for (; n > 0; n--)
		reader_die(any_running());
}

static void
stand_still(size_t n, int64_t ms)
{
	for (; n > 0; n--)
		reader_stop(any_running(), ms);
}

/* All readers are replaced, one every three seconds. */
static void
deploy(void)
{
	size_t until = n_readers;

	for (size_t i = 0; i < until; i++) {
		if (!reader_runs(readers[i]))
			continue;
		reader_leave(readers[i]);
		come(1);
		sim_run(3000);
	}
}

static int64_t longest_loss_ms, longest_reshard_ms;
/* Since all readers are there. */
static struct deeds at_start;
static int64_t started_ms;

static void
note(int64_t *longest, int64_t took)
{
	if (took > *longest)
		*longest = took;
}

static int64_t
seconds(int64_t ms)
{
	return (ms + 999) / 1000;
}

/* The first minutes: each thing once, alone. */
static void
begin(void)
{
	int64_t took;

	come(1);
	took = until_balanced("one reader");
	printf("page: One reader that is alone takes 1,000 shards in %" PRId64
	       " seconds\n",
	    seconds(took));
	come(READERS - 1);
	took = until_balanced("199 more at once");
	printf("page: the shards are divided after %" PRId64 " seconds\n", seconds(took));
	at_start = *reader_deeds();
	started_ms = sim_now();
	sim_run(MINUTE_MS);
	die(20);
	note(&longest_loss_ms, until_balanced("twenty die"));
	come(20);
	took = until_balanced("twenty come");
	stand_still(20, 20000);
	note(&longest_loss_ms, until_balanced("twenty stand still for 20 s"));
	printf("page: their shards are read by others after %" PRId64 " seconds\n",
	    seconds(longest_loss_ms));
	sim_run(25000);
	come(READERS - running());
	(void)until_balanced("they were replaced, and twenty come");
	reshard();
	took = until_balanced("ten splits and ten merges");
	note(&longest_reshard_ms, took);
	printf("page: their children are divided after %" PRId64 " seconds\n",
	    seconds(took));
	dynamodb_trouble(sim_now() + MINUTE_MS);
	die(10);
	come(10);
	(void)until_balanced("ten die, ten come, half of DynamoDB's answers are errors");
	stream_trouble(sim_now() + MINUTE_MS);
	sim_run(MINUTE_MS);
}

/* An hour: one thing after the other at random times, and a reshard. */
static void
hour(int number)
{
	int64_t end = sim_now() + 60 * MINUTE_MS;

	reshard();
	note(&longest_reshard_ms, until_balanced("ten splits and ten merges"));
	if (number == 12) {
		deploy();
		(void)until_balanced("all were replaced, one every 3 s");
	}
	while (sim_now() < end) {
		sim_run((int64_t)sim_any(8 * MINUTE_MS));
		switch (sim_any(6)) {
		case 0:
			die(1 + sim_any(5));
			note(&longest_loss_ms, until_balanced("some die"));
			break;
		case 1:
			stand_still(1 + sim_any(5), 1000 + (int64_t)sim_any(60000));
			note(&longest_loss_ms, until_balanced("some stand still"));
			break;
		case 2:
			reader_leave(any_running());
			(void)until_balanced("one leaves");
			break;
		case 3:
			dynamodb_trouble(sim_now() + (int64_t)sim_any(2 * MINUTE_MS));
			break;
		case 4:
			stream_trouble(sim_now() + (int64_t)sim_any(2 * MINUTE_MS));
			break;
		default:
			break;
		}
		if (running() < READERS) {
			come(READERS - running());
			(void)until_balanced("others come in their place");
		}
	}
}

/* ---- what it costs ---- */

static const char *const names[REQUESTS] = {"beats", "looks at members", "looks at all",
    "deletions", "takes", "gives", "positions"};

static double
usd(const struct usage *u)
{
	return u->read_units * USD_PER_READ_UNIT + u->write_units * USD_PER_WRITE_UNIT;
}

/* Per hour, of what was used between two times. */
static double
report_usage(
    const char *when, const struct usage *from, const struct usage *to, double hours)
{
	double writes = (to->write_units - from->write_units) / hours;
	double reads = (to->read_units - from->read_units) / hours;

	printf("%s, an hour:", when);
	for (size_t i = 0; i < REQUESTS; i++)
		printf("%s %.0f %s", i == 0 ? "" : ",",
		    (double)(to->n[i] - from->n[i]) / hours, names[i]);
	printf("; %.0f were refused\n", (double)(to->refused - from->refused) / hours);
	printf("%s, an hour: %.0f read units, %.0f write units, %.3f USD\n", when, reads,
	    writes, (usd(to) - usd(from)) / hours);
	return (usd(to) - usd(from)) / hours;
}

/* Nothing happens but records. */
static void
rest(int64_t minutes)
{
	struct usage from = *dynamodb_usage();
	uint64_t moved = reader_deeds()->moved;
	double writes, leases;

	sim_run(minutes * MINUTE_MS);
	printf("page: USD %.2f an hour\n",
	    report_usage("at rest", &from, dynamodb_usage(), (double)minutes / 60));
	writes = dynamodb_usage()->write_units - from.write_units;
	leases =
	    writes - (double)(dynamodb_usage()->n[REQUEST_STORE] - from.n[REQUEST_STORE]);
	printf("at rest: %.3f writes per shard and 5 s, %.3f of them for leases\n",
	    writes / SHARDS / ((double)minutes * 12),
	    leases / SHARDS / ((double)minutes * 12));
	sim_check(reader_deeds()->moved == moved, "nothing moves at rest");
	sim_check(writes <= (SHARDS + 2.0 * READERS) * ((double)minutes * 12 + 1),
	    "a write per shard and 5 seconds, and the beats, at most");
}

static void
report(bool day)
{
	const struct deeds *d = reader_deeds();
	double shard_ms = (double)(sim_now() - started_ms) * SHARDS, waiting = 0, lost,
	       twice;

	reader_count_unread();
	for (size_t i = 0; i < stream_n; i++)
		waiting += (double)(stream_count(i) - stream_shards[i].high);
	lost = 100 * (double)(d->unread_ms - at_start.unread_ms) / shard_ms;
	twice = 100 * (double)d->twice / (double)d->records;
	printf("records: %" PRIu64 " delivered, %" PRIu64
	       " of them again (%.4f %%), %.0f not yet\n",
	    d->records, d->twice, twice, waiting);
	printf(
	    "throughput lost: shards without a reader for %.4f %% of their time, one for "
	    "%.1f s at most\n",
	    lost, (double)d->longest_ms / 1000);
	printf("GetRecords: %" PRIu64 " calls, %.3f %% refused\n", stream_calls(),
	    100 * (double)stream_refused() / (double)stream_calls());
	printf("balance took at most: %.1f s after losses, %.1f s after resharding\n",
	    (double)longest_loss_ms / 1000, (double)longest_reshard_ms / 1000);
	if (day)
		printf("page: shards were without a reader for %.3f %% of the time, and "
		       "%.3f %% of the "
		       "records were delivered twice\n",
		    lost, twice);
	/* a minute's worth of records, of 125 a second and shard */
	sim_check(waiting < 60.0 * 125 * SHARDS, "readers keep up");
}

int
main(int argc, char **argv)
{
	static const struct usage none;
	uint64_t seed = 7, minutes = 0;

	if ((argc > 1 && !ryde_num_u64(ryde_view_of(argv[1]), UINT64_MAX, &seed)) ||
	    (argc > 2 && !ryde_num_u64(ryde_view_of(argv[2]), 100000, &minutes)))
		return 64;
	sim_seed(seed);
	stream_make(SHARDS);
	begin();
	rest(5);
	for (int i = 0; sim_now() < (int64_t)minutes * MINUTE_MS; i++)
		hour(i);
	(void)report_usage(
	    "all in all", &none, dynamodb_usage(), (double)sim_now() / 3600000);
	report(minutes >= DAY_MINUTES);
	for (size_t i = 0; i < n_readers; i++)
		reader_free(readers[i]);
	printf("share: %u passed, %u failed\n", sim_passed(), sim_failed());
	return sim_failed() != 0;
}
