/* MAP_ANONYMOUS is Linux's */
#define _GNU_SOURCE
/* Several processes on one stream: nothing lost, nothing twice, order and times as
 * promised; writers killed at any moment lose nothing that they were told is written; a
 * waiting reader wakes soon. Source: issue "the spine", 4; store/stream.h.
 * SQLite's handles must not cross a fork: here each process opens its own, after it. */
#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"
#include "check.h"
#include "scratch.h"
#include "store/catalog.h"
#include "store/name.h"
#include "store/stream.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { WRITERS = 4, READERS = 2, BATCHES = 150, BATCH = 20, SHARDS = 3 };

static struct ryde_store_settings settings;

static struct ryde_stream *
open_stream(const char *name)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream *s =
	    ryde_stream_open(&settings, name, RYDE_STREAM_WRITE, &err);

	if (s == NULL) {
		printf("%s\n", err.msg);
		exit(1);
	}
	return s;
}

static struct ryde_stream_reader *
open_reader(struct ryde_stream *s)
{
	const struct ryde_stream_start start = {.kind = RYDE_START_HORIZON};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream_reader *r = ryde_stream_reader_new(s, &err);
	const struct ryde_shard *shards;
	size_t n;

	if (r == NULL || ryde_stream_shards(s, &shards, &n, &err) != 0)
		exit(1);
	for (size_t i = 0; i < n; i++)
		if (ryde_stream_reader_start(r, (int)i, &start, NULL, NULL, NULL, &err) !=
		    0)
			exit(1);
	return r;
}

/* Records "WRITER NUMBER", keys of their own, several per write. */
static int
write_batches(int writer)
{
	struct ryde_stream *s = open_stream("many");
	struct ryde_record_in in[BATCH];
	static char data[BATCH][40], keys[BATCH][20];
	struct ryde_err err = RYDE_ERR_INIT;

	for (int b = 0; b < BATCHES; b++) {
		for (int i = 0; i < BATCH; i++) {
			(void)snprintf(
			    data[i], sizeof(data[i]), "%d %d", writer, b * BATCH + i);
			(void)snprintf(keys[i], sizeof(keys[i]), "w%d-%d", writer, i % 7);
			in[i] = (struct ryde_record_in){
			    .data = ryde_view_of(data[i]), .key = ryde_view_of(keys[i])};
		}
		if (ryde_stream_write(s, in, BATCH, &err) != 0) {
			printf("%s\n", err.msg);
			return 1;
		}
	}
	ryde_stream_close(s);
	return 0;
}

struct tally {
	int next[WRITERS]; /* the number that each writer's next record has */
	struct ryde_pos last[SHARDS];
	int64_t arrival_ms[SHARDS];
	struct ryde_pos last_of_all;
	int wrong;
	size_t n;
};

/* All records of one writer come in its order here, since one scan reads all shards. */
static void
take(struct tally *t, const struct ryde_record *r)
{
	char text[40];
	int writer = -1, number = -1;

	(void)snprintf(text, sizeof(text), "%.*s", (int)r->data.n, r->data.p);
	writer = text[0] - '0';
	number = 0;
	for (const char *p = text + 2; *p != '\0'; p++)
		number = number * 10 + (*p - '0');
	if (writer < 0 || writer >= WRITERS || r->shard < 0 || r->shard >= SHARDS) {
		t->wrong++;
		return;
	}
	t->wrong += number != t->next[writer];
	t->next[writer] = number + 1;
	t->wrong += ryde_pos_cmp(&t->last_of_all, &r->seq) >= 0;
	t->last_of_all = r->seq;
	t->wrong += r->arrival_ms < t->arrival_ms[r->shard];
	t->arrival_ms[r->shard] = r->arrival_ms;
	t->n++;
}

static int
read_all(void)
{
	struct ryde_stream *s = open_stream("many");
	struct ryde_stream_reader *r = open_reader(s);
	struct ryde_err err = RYDE_ERR_INIT;
	static struct tally t;
	int64_t start_ms = ryde_clock_mono_ms();
	const struct ryde_record *out;
	struct ryde_waits w = {.poll = NULL};
	size_t n;

	while (t.n < (size_t)WRITERS * BATCHES * BATCH) {
		if (ryde_clock_mono_ms() - start_ms > 60000)
			return 3;
		if (ryde_stream_reader_fetch(r, 100, 1 << 20, &out, &n, &err) != 0) {
			printf("%s\n", err.msg);
			return 2;
		}
		for (size_t i = 0; i < n; i++)
			take(&t, &out[i]);
		if (n > 0)
			continue;
		ryde_waits_begin(&w);
		ryde_stream_reader_wait(r, &w);
		(void)ryde_waits_poll(&w, &err);
	}
	if (ryde_stream_reader_fetch(r, 100, 1 << 20, &out, &n, &err) != 0 || n != 0)
		return 4;
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
	return t.wrong == 0 ? 0 : 5;
}

static void
test_many(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int status;

	CHECK(ryde_catalog_create_stream(&settings, "many", SHARDS, 0, &err) == 0, "%s",
	    err.msg);
	for (int i = 0; i < WRITERS + READERS; i++)
		if (fork() == 0)
			_exit(i < WRITERS ? write_batches(i) : read_all());
	for (int i = 0; i < WRITERS + READERS; i++) {
		status = -1;
		(void)wait(&status);
		CHECK(status == 0, "status %x", (unsigned)status);
	}
}

/* ---- killed writers ---- */

/* Writes "0 NUMBER" for ever from *told on; *told becomes what is acknowledged. */
static void
write_for_ever(volatile int *told)
{
	struct ryde_stream *s = open_stream("killed");
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_record_in in[3];
	static char data[3][40];

	for (;;) {
		int from = *told;

		for (int i = 0; i < 3; i++) {
			(void)snprintf(data[i], sizeof(data[i]), "0 %d", from + i);
			in[i] = (struct ryde_record_in){
			    .data = ryde_view_of(data[i]), .key = ryde_view_of("k")};
		}
		if (ryde_stream_write(s, in, 3, &err) != 0)
			_exit(1);
		*told = from + 3;
	}
}

static void
test_killed(void)
{
	enum { ROUNDS = 40 };
	void *shared = mmap(
	    NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	volatile int *told = shared;
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_record *out;
	int expected = 0;
	size_t n;

	if (shared == MAP_FAILED)
		exit(1);
	*told = 0;
	for (int k = 0; k < ROUNDS; k++) {
		const struct timespec tick = {0, 100000};
		struct timespec ts = {0, (1 + k * 7 % 23) * 100000};
		pid_t pid = fork();
		struct ryde_stream *s;
		struct ryde_stream_reader *r;
		int before = expected, wrong = 0;

		if (pid == 0)
			write_for_ever(told);
		/* once it writes, at some moment of its work */
		while (*told == expected && waitpid(pid, NULL, WNOHANG) == 0)
			(void)nanosleep(&tick, NULL);
		(void)nanosleep(&ts, NULL);
		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		/* all that was told, and at most the one write that was under way */
		s = open_stream("killed");
		r = open_reader(s);
		expected = 0;
		do {
			if (ryde_stream_reader_fetch(r, 100, 1 << 20, &out, &n, &err) !=
			    0) {
				printf("%s\n", err.msg);
				exit(1);
			}
			for (size_t i = 0; i < n; i++) {
				char want[40];

				(void)snprintf(want, sizeof(want), "0 %d", expected++);
				wrong += !ryde_view_is(out[i].data, want);
			}
		} while (n > 0);
		CHECK(wrong == 0 && (expected == *told || expected == *told + 3),
		    "round %d: %d read, %d told, %d before", k, expected, *told, before);
		*told = expected;
		ryde_stream_reader_free(r);
		ryde_stream_close(s);
	}
	CHECK(expected > 0, "nothing was written");
	(void)munmap(shared, sizeof(int));
}

/* ---- waking ---- */

static int
compare(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

enum { WAKES = 200 };

/* Writes its own monotonic time, now and then. */
static void
write_times(void)
{
	struct ryde_stream *s = open_stream("wake");
	struct ryde_err err = RYDE_ERR_INIT;

	for (int i = 0; i < WAKES; i++) {
		struct timespec ts = {0, 2000000 + i % 7 * 500000};
		struct ryde_record_in in = {.key = ryde_view_of("k")};
		int64_t now_us;

		(void)nanosleep(&ts, NULL);
		now_us = ryde_clock_mono_us();
		in.data = ryde_view_mem((const char *)&now_us, sizeof(now_us));
		if (ryde_stream_write(s, &in, 1, &err) != 0)
			_exit(1);
	}
	_exit(0);
}

static void
test_wake(void)
{
	static int64_t waited_us[WAKES];
	struct ryde_stream_reader *r;
	struct ryde_stream *s;
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_record *out;
	struct ryde_waits w = {.poll = NULL};
	size_t got = 0, n;
	pid_t pid = fork();

	if (pid == 0)
		write_times();
	s = open_stream("wake");
	r = open_reader(s);
	while (got < WAKES) {
		if (ryde_stream_reader_fetch(r, 100, 1 << 20, &out, &n, &err) != 0)
			exit(1);
		for (size_t i = 0; i < n && got < WAKES; i++) {
			int64_t at_us;

			memcpy(&at_us, out[i].data.p, sizeof(at_us));
			waited_us[got++] = ryde_clock_mono_us() - at_us;
		}
		if (n > 0)
			continue;
		ryde_waits_begin(&w);
		ryde_stream_reader_wait(r, &w);
		(void)ryde_waits_poll(&w, &err);
	}
	(void)waitpid(pid, NULL, 0);
	qsort(waited_us, WAKES, sizeof(waited_us[0]), compare);
	/* generous, for machines that do other things at the time: make bench measures */
	CHECK(waited_us[WAKES / 2] < 20000, "%lld us", (long long)waited_us[WAKES / 2]);
	if (getenv("RYDE_TEST_FIGURES") != NULL)
		printf("write to read: p50 %lld us, p99 %lld us, most %lld us\n",
		    (long long)waited_us[WAKES / 2],
		    (long long)waited_us[WAKES * 99 / 100],
		    (long long)waited_us[WAKES - 1]);
	ryde_stream_reader_free(r);
	ryde_stream_close(s);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	settings.data = scratch_dir;
	test_many();
	test_killed();
	test_wake();
	scratch_end();
	return check_end("local_stream_processes");
}
