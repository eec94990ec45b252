/*
 * ryde-process's engine in a group's pipe, against a reader played here: acknowledgement
 * only after success, and rule 7: a shard that fails for ever is put on hold, the other
 * goes on, and the held one continues when its command is mended. Source: rules 2 and 7
 * of ryde-line(5).
 */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "check.h"
#include "engine/process.h"
#include "flow/ack_server.h"
#include "flow/books.h"
#include "flow/intake.h"
#include "line/envelope.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECORDS 50000  /* of each shard: more than may be in hand, of either key */
#define TEST_MS 300000 /* nothing takes that long: it hangs */

struct shard {
	const char *id;
	int index;
	unsigned next;
	uint32_t gen;
	bool held;
	int holds, resumes;
};

struct reader {
	struct ryde_ack_server *server;
	struct shard shards[2];
	struct ryde_buf out;
	int fd;
	bool ended;
};

static char dir[] = "/tmp/ryde-test.XXXXXX";

/* The program, in a process of its own: its stdin is the pipe. */
static int
program(const char *script, int64_t parallel)
{
	char *const argv[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(script), NULL};
	const struct ryde_process_settings settings = {.argv = argv,
	    .batch_size = 1000,
	    .parallel = parallel,
	    .batch_bytes = 6 << 20,
	    .retries = -1,
	    .max_age_ms = -1,
	    .timeout_ms = TEST_MS,
	    .backoff_ms = 20,
	    .grace_ms = 5000};
	struct ryde_books books = {0};
	const struct ryde_intake_opts opts = {
	    .grace_ms = 5000, .role = RYDE_ACK_SINK, .program = "test", .books = &books};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_intake *in;
	int status = 0;

	ryde_signals_init(&err);
	in = ryde_intake_new(&opts, &err);
	if (in == NULL ||
	    ryde_process_run(&settings, in, NULL, &books, &status, &err) != 0)
		status = ryde_err_status(&err);
	ryde_intake_free(in);
	free(argv[2]);
	if (!ryde_books_balanced(&books))
		status = RYDE_ESOFTWARE;
	return status;
}

static void
put_record(struct reader *r, struct shard *s)
{
	char seq[24], data[32];
	struct ryde_line_head head = {.stream = ryde_view_of("local:test"),
	    .shard = ryde_view_of(s->id),
	    .ack = ryde_ack_server_token(r->server),
	    .gen = s->gen};
	struct ryde_pos pos;

	head.key = ryde_view_of(s->next % 2 == 0 ? "odd" : "even");
	snprintf(seq, sizeof seq, "%u", ++s->next);
	snprintf(data, sizeof data, "%u", s->next);
	head.seq = ryde_view_of(seq);
	ryde_line_put(&r->out, &head, ryde_view_of(data), false);
	ryde_pos_set(&pos, head.seq);
	ryde_ack_server_printed(r->server, s->index, s->gen, &pos, true);
}

static void
put_end(struct reader *r)
{
	const struct ryde_line_head head = {.stream = ryde_view_of("local:test"),
	    .ack = ryde_ack_server_token(r->server),
	    .mark = true,
	    .end = true};

	ryde_line_put(&r->out, &head, ryde_view_of(""), false);
	r->ended = true;
}

/* The shard's acknowledged position as a number, 0: none. */
static unsigned
position(struct reader *r, const struct shard *s)
{
	struct ryde_pos pos;
	uint32_t gen;
	unsigned n = 0;

	if (ryde_ack_server_position(r->server, s->index, &gen, &pos))
		for (unsigned i = 0; i < pos.n; i++)
			n = n * 10 + (unsigned)(pos.seq[i] - '0');
	return n;
}

static void
hear(struct reader *r)
{
	enum ryde_ack_server_event event;
	uint32_t gen;
	int index;

	while ((event = ryde_ack_server_next_event(r->server, &index, &gen)) !=
	       RYDE_ACK_SERVER_NONE) {
		struct shard *s = &r->shards[index == r->shards[1].index];

		if (event == RYDE_ACK_SERVER_HOLD) {
			s->held = true;
			s->holds++;
		} else {
			s->held = false;
			s->resumes++;
			s->gen++;
			s->next = position(r, s);
		}
	}
}

static void
fill(struct reader *r)
{
	for (int i = 0; r->out.n < 60000 && !r->ended && i < 1000; i++)
		for (int k = 0; k < 2; k++)
			if (!r->shards[k].held && r->shards[k].next < RECORDS)
				put_record(r, &r->shards[k]);
	if (!r->ended && !r->shards[0].held && !r->shards[1].held &&
	    r->shards[0].next == RECORDS && r->shards[1].next == RECORDS &&
	    position(r, &r->shards[0]) == RECORDS &&
	    position(r, &r->shards[1]) == RECORDS)
		put_end(r);
}

static void
turn(struct reader *r, struct ryde_waits *w)
{
	struct ryde_err err = RYDE_ERR_INIT;
	ssize_t n;

	CHECK(ryde_ack_server_turn(r->server, &err) == 0, "%s", err.msg);
	hear(r);
	fill(r);
	if (r->fd >= 0 && r->out.n > 0) {
		n = write(r->fd, r->out.p, r->out.n);
		if (n > 0)
			ryde_buf_drop(&r->out, (size_t)n);
	}
	if (r->fd >= 0 && r->ended && r->out.n == 0) {
		close(r->fd);
		r->fd = -1;
		ryde_ack_server_ended(r->server);
	}
	ryde_waits_begin(w);
	if (r->fd >= 0 && r->out.n > 0)
		ryde_waits_fd(w, r->fd, POLLOUT);
	ryde_ack_server_wait(r->server, w);
	ryde_waits_until(w, ryde_clock_mono_ms() + 20);
	ryde_waits_poll(w, &err);
}

static void
test_hold(const char *script, int64_t parallel)
{
	struct reader r = {.shards = {{.id = "a"}, {.id = "b"}}};
	struct ryde_waits w = {.n = 0};
	struct ryde_err err = RYDE_ERR_INIT;
	int64_t give_up_ms = ryde_clock_mono_ms() + TEST_MS;
	struct ryde_ack_server_opts opts = {
	    .sinks = 1, .can_hold = true, .sink_wait_ms = 30000};
	int fds[2], status = -1;
	pid_t pid;

	if (pipe(fds) != 0)
		return;
	r.fd = opts.out_fd = fds[1];
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		dup2(fds[0], 0);
		_exit(program(script, parallel));
	}
	close(fds[0]);
	fcntl(fds[1], F_SETFL, O_NONBLOCK);
	ryde_buf_init(&r.out, 1 << 20);
	r.server = ryde_ack_server_new(&opts, &err);
	CHECK(r.server != NULL, "%s", err.msg);
	for (int i = 0; i < 2; i++)
		r.shards[i].index =
		    ryde_ack_server_shard(r.server, ryde_view_of(r.shards[i].id));
	while (waitpid(pid, &status, WNOHANG) == 0 && ryde_clock_mono_ms() < give_up_ms) {
		turn(&r, &w);
		/* The sound shard is done while the other one is held: mend that. */
		if (r.shards[0].held && position(&r, &r.shards[1]) == RECORDS) {
			CHECK(position(&r, &r.shards[0]) == 0,
			    "nothing of a is acknowledged");
			close(open("mended", O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
		}
	}
	CHECK(status == 0, "status %x", (unsigned)status);
	CHECK(r.shards[0].holds == 1 && r.shards[0].resumes == 1, "%d, %d",
	    r.shards[0].holds, r.shards[0].resumes);
	CHECK(r.shards[1].holds == 0, "the sound shard was never held");
	CHECK(position(&r, &r.shards[0]) == RECORDS, "%u", position(&r, &r.shards[0]));
	CHECK(position(&r, &r.shards[1]) == RECORDS, "%u", position(&r, &r.shards[1]));
	CHECK(ryde_ack_server_complete(r.server), "all is acknowledged");
	ryde_ack_server_free(r.server);
	ryde_buf_free(&r.out);
}

/* The lines of a file are 1 to RECORDS, each in its place, where repeats of a first batch
 * are left out. */
static void
check_order(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[64], want[64];
	unsigned next = 1;

	CHECK(f != NULL, "%s", path);
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		snprintf(want, sizeof want, "%u\n", next);
		if (strcmp(line, want) == 0)
			next++;
		else
			next = strcmp(line, "1\n") == 0 ? 2 : 0;
	}
	CHECK(next == RECORDS + 1, "%s ends before %u", path, next);
	if (f != NULL)
		fclose(f);
}

/* The lines of a file are 1 to RECORDS, each once, in the order of its key. */
static void
check_once(const char *path)
{
	unsigned n, next[2] = {2, 1}, lines = 0;
	FILE *f = fopen(path, "re");
	char line[64];

	CHECK(f != NULL, "%s", path);
	while (f != NULL && fgets(line, sizeof line, f) != NULL) {
		n = (unsigned)strtoul(line, NULL, 10);
		if (n != next[n % 2])
			break;
		next[n % 2] += 2;
		lines++;
	}
	CHECK(lines == RECORDS, "%s: %u lines, then %s", path, lines, line);
	if (f != NULL)
		fclose(f);
}

static void
clean(void)
{
	remove("all.a");
	remove("all.b");
	remove("mended");
}

int
main(void)
{
	if (mkdtemp(dir) == NULL || chdir(dir) != 0 || setenv("RYDE_RUN", dir, 1) != 0)
		return 1;
	signal(SIGPIPE, SIG_IGN);
	test_hold(
	    "cat >> all.$RYDE_SHARD_ID; [ $RYDE_SHARD_ID = b ] || [ -e mended ]", 1);
	check_order("all.a");
	check_order("all.b");
	clean();
	/* Of two keys one is poisoned, and they are handled side by side: what was done
	 * of the other one is not done again. */
	test_hold("read one; { echo $one; cat; } > now.$$; "
		  "[ $RYDE_SHARD_ID = b ] || [ $((one % 2)) = 0 ] || [ -e mended ] || "
		  "{ rm now.$$; exit 1; }; "
		  "cat now.$$ >> all.$RYDE_SHARD_ID; rm now.$$",
	    2);
	check_once("all.a");
	check_once("all.b");
	clean();
	if (chdir("/") != 0 || rmdir(dir) != 0)
		CHECK(0, "the test left something in %s", dir);
	return check_end("engine_process_group");
}
