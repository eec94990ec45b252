/* Groups of the embedded store: leases between processes, fencing, positions. Source:
 * store/group.h; DESIGN section 3, rule 8. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "check.h"
#include "scratch.h"
#include "store/group.h"
#include "store/group_share.h"
#include "store/name.h"
#include "store/stream.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>

static struct ryde_store_settings settings;
static const struct ryde_view none;

static void
pause_ms(long ms)
{
	struct timespec ts = {ms / 1000, ms % 1000 * 1000000};

	(void)nanosleep(&ts, NULL);
}

static struct ryde_stream *
open_stream(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream *s = ryde_stream_open(&settings, "s", RYDE_STREAM_WRITE, &err);

	if (s == NULL) {
		printf("%s\n", err.msg);
		exit(1);
	}
	return s;
}

static struct ryde_group *
open_group(struct ryde_stream *s, const char *name)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_group *g = ryde_group_open(s, name, &err);

	if (g == NULL) {
		printf("%s\n", err.msg);
		exit(1);
	}
	return g;
}

static struct ryde_group_position
position(const char *shard, const char *seq)
{
	struct ryde_group_position p = {.pos.n = 0};

	(void)snprintf(p.shard, sizeof(p.shard), "%s", shard);
	if (seq[0] != '\0')
		(void)ryde_pos_set(&p.pos, ryde_view_of(seq));
	return p;
}

static void
test_positions(void)
{
	struct ryde_stream *s = open_stream();
	struct ryde_group *g = open_group(s, "positions");
	struct ryde_group_position p[2] = {
	    position("shard-1", "12"), position("shard-0", "")};
	const struct ryde_group_position *out;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_buf at, print;
	size_t n = 9;

	ryde_buf_init(&at, 1000);
	ryde_buf_init(&print, 1000);
	CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 0);
	/* without a lease */
	CHECK(ryde_group_store(g, p, 2, none, none, true, &err) == RYDE_GROUP_LOST);
	CHECK(ryde_group_store(g, p, 1, none, none, false, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_acquire(g, NULL, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_acquire(g, NULL, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_store(g, p, 2, ryde_view_of("{\"n\":1}"), ryde_view_of("print"),
		  true, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 2);
	CHECK(strcmp(out[0].shard, "shard-0") == 0 && out[0].pos.n == 0);
	CHECK(ryde_view_is(ryde_pos_view(&out[1].pos), "12") && out[1].updated_ms > 0);
	CHECK(ryde_group_load_window(g, &at, &print, &err) == 0);
	CHECK(strcmp(ryde_buf_str(&at), "{\"n\":1}") == 0);
	CHECK(strcmp(ryde_buf_str(&print), "print") == 0);
	/* one shard alone changes, the window stays */
	p[0] = position("shard-1", "13");
	CHECK(ryde_group_store(g, p, 1, none, none, true, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 2);
	CHECK(ryde_view_is(ryde_pos_view(&out[1].pos), "13") && out[1].pos.lines == 0);
	/* inside a record, and all of it again */
	for (uint32_t lines = 3; lines < 4; lines--) {
		p[0].pos.lines = lines;
		CHECK(
		    ryde_group_store(g, p, 1, none, none, true, &err) == RYDE_GROUP_HELD);
		CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 2);
		CHECK(ryde_pos_cmp(&out[1].pos, &p[0].pos) == 0);
	}
	ryde_buf_clear(&at);
	ryde_buf_clear(&print);
	CHECK(ryde_group_delete(g, true, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_load_window(g, &at, &print, &err) == 0 && at.n == 0 &&
	      print.n == 0);
	CHECK(ryde_group_delete(g, false, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 0);
	CHECK(ryde_group_renew(g, &err) == RYDE_GROUP_HELD);
	ryde_buf_free(&at);
	ryde_buf_free(&print);
	ryde_group_close(g);
	ryde_stream_close(s);
}

static void
test_two_handles(void)
{
	struct ryde_stream *s = open_stream();
	struct ryde_group *a = open_group(s, "two"), *b = open_group(s, "two");
	struct ryde_group_position p = position("shard-0", "1");
	struct ryde_err err = RYDE_ERR_INIT;
	char owner[64] = "";

	CHECK(ryde_group_owner(a, owner, &err) == 0 && owner[0] == '\0');
	CHECK(ryde_group_acquire(a, owner, &err) == RYDE_GROUP_HELD);
	owner[0] = '\0';
	CHECK(ryde_group_acquire(b, owner, &err) == RYDE_GROUP_BUSY && owner[0] != '\0');
	CHECK(ryde_group_store(b, &p, 1, none, none, true, &err) == RYDE_GROUP_LOST);
	CHECK(ryde_group_store(b, &p, 1, none, none, false, &err) == RYDE_GROUP_BUSY);
	CHECK(ryde_group_delete(b, false, &err) == RYDE_GROUP_BUSY);
	ryde_group_release(a);
	CHECK(ryde_group_acquire(b, owner, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_renew(a, &err) == RYDE_GROUP_LOST);
	CHECK(ryde_group_store(a, &p, 1, none, none, true, &err) == RYDE_GROUP_LOST);
	CHECK(ryde_group_acquire(a, owner, &err) == RYDE_GROUP_BUSY);
	ryde_group_close(b);
	CHECK(ryde_group_owner(a, owner, &err) == 0 && owner[0] == '\0');
	CHECK(ryde_group_open(s, "a/b", &err) == NULL && err.code == RYDE_EUSAGE);
	ryde_group_close(a);
	ryde_stream_close(s);
}

/* A process that takes the lease, says so, renews it for ever or not, and at SIGUSR1 (it
 * has been stopped, and goes on) says what became of it by its exit status. */
static pid_t
holder(const char *group, int *ready)
{
	int fds[2];
	pid_t pid;
	char c = 0;

	if (pipe(fds) != 0 || (pid = fork()) < 0)
		exit(1);
	if (pid == 0) {
		struct ryde_group *g = open_group(open_stream(), group);
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_group_position p = position("shard-0", "7");

		if (ryde_group_acquire(g, NULL, &err) != RYDE_GROUP_HELD)
			_exit(2);
		if (write(fds[1], "x", 1) != 1)
			_exit(3);
		while (ryde_group_renew(g, &err) == RYDE_GROUP_HELD)
			pause_ms(20);
		_exit(
		    ryde_group_store(g, &p, 1, none, none, true, &err) == RYDE_GROUP_LOST
			? 42
			: 4);
	}
	(void)close(fds[1]);
	*ready = read(fds[0], &c, 1) == 1;
	(void)close(fds[0]);
	return pid;
}

static int64_t
take_over(struct ryde_group *g, int64_t patience_ms)
{
	int64_t start = ryde_clock_mono_ms();
	struct ryde_err err = RYDE_ERR_INIT;

	while (ryde_clock_mono_ms() - start < patience_ms) {
		if (ryde_group_acquire(g, NULL, &err) == RYDE_GROUP_HELD)
			return ryde_clock_mono_ms() - start;
		pause_ms(10);
	}
	return -1;
}

/* A dead holder's lease is free at once, whatever the lease's time. */
static void
test_dead_holder(void)
{
	struct ryde_stream *s = open_stream();
	struct ryde_group *g = open_group(s, "dead");
	int64_t waited_ms;
	int ready;
	pid_t pid;

	ryde_group_set_lease_ms(60000);
	pid = holder("dead", &ready);
	CHECK(ready && take_over(g, 300) < 0, "taken from a living holder");
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	waited_ms = take_over(g, 5000);
	CHECK(waited_ms >= 0 && waited_ms < 1000, "%lld ms", (long long)waited_ms);
	ryde_group_close(g);
	ryde_stream_close(s);
}

/* A stopped holder loses it after the lease's time, and notices when it goes on; one that
 * renews keeps it. */
static void
test_stopped_holder(void)
{
	struct ryde_stream *s = open_stream();
	struct ryde_group *g = open_group(s, "stopped");
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_group_position p = position("shard-0", "5");
	const struct ryde_group_position *out;
	int64_t waited_ms;
	int ready, status = 0;
	pid_t pid;
	size_t n;

	ryde_group_set_lease_ms(400);
	pid = holder("stopped", &ready);
	CHECK(ready && take_over(g, 1200) < 0, "taken from one that renews");
	(void)kill(pid, SIGSTOP);
	waited_ms = take_over(g, 5000);
	CHECK(waited_ms >= 200 && waited_ms < 1500, "%lld ms", (long long)waited_ms);
	CHECK(ryde_group_store(g, &p, 1, none, none, true, &err) == RYDE_GROUP_HELD);
	(void)kill(pid, SIGCONT);
	(void)waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 42, "status %x",
	    (unsigned)status);
	CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 1 &&
	      ryde_view_is(ryde_pos_view(&out[0].pos), "5"));
	CHECK(ryde_group_renew(g, &err) == RYDE_GROUP_HELD);
	ryde_group_close(g);
	ryde_stream_close(s);
}

/* Many at once: never two with the lease. Each adds one to a position, which none loses.
 */
static void
test_race(void)
{
	enum { PROCESSES = 6, ROUNDS = 20 };
	const struct ryde_group_position *out;
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_stream *s;
	struct ryde_group *g;
	size_t n = 0;

	ryde_group_set_lease_ms(60000);
	for (int i = 0; i < PROCESSES; i++) {
		if (fork() != 0)
			continue;
		g = open_group(open_stream(), "race");
		for (int k = 0; k < ROUNDS; k++) {
			struct ryde_group_position p = position("count", "1");
			char digits[24];

			if (take_over(g, 60000) < 0 ||
			    ryde_group_load(g, &out, &n, &err) != 0)
				_exit(1);
			if (n == 1) {
				long v = 0;

				for (int d = 0; d < out[0].pos.n; d++)
					v = v * 10 + (out[0].pos.seq[d] - '0');
				(void)snprintf(digits, sizeof(digits), "%ld", v + 1);
				p = position("count", digits);
			}
			if (ryde_group_store(g, &p, 1, none, none, true, &err) !=
			    RYDE_GROUP_HELD)
				_exit(2);
			ryde_group_release(g);
		}
		_exit(0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = 0;

		(void)wait(&status);
		CHECK(status == 0, "status %x", (unsigned)status);
	}
	s = open_stream();
	g = open_group(s, "race");
	CHECK(ryde_group_load(g, &out, &n, &err) == 0 && n == 1 &&
		  ryde_view_is(ryde_pos_view(&out[0].pos), "120"),
	    "%.*s", n == 1 ? out[0].pos.n : 0, n == 1 ? out[0].pos.seq : "");
	ryde_group_close(g);
	ryde_stream_close(s);
}

static bool
joins(struct ryde_group *g, char *id)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char owner[64];

	return ryde_group_share_join(g, id, owner, &err) == RYDE_GROUP_HELD;
}

/* Members, leases under epochs, positions under leases. Source: store/group_share.h. */
static void
test_share(void)
{
	struct ryde_stream *s = open_stream();
	struct ryde_group *a = open_group(s, "shared"), *b = open_group(s, "shared");
	struct ryde_group_position at, p = position("shard-1", "12");
	struct ryde_share_lease lease = {.shard = "shard-1"};
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_share_member *members;
	const struct ryde_share_lease *leases;
	char ia[RYDE_SHARE_ID_MAX + 1], ib[RYDE_SHARE_ID_MAX + 1];
	size_t n_members, n_leases;
	int64_t epoch = 0, old;
	bool placed = true;

	CHECK(joins(a, ia) && joins(b, ib) && strcmp(ia, ib) != 0);
	CHECK(ryde_group_share_take(a, &lease, &epoch, &at, &placed, &err) ==
		  RYDE_SHARE_DONE &&
	      epoch == 1 && !placed);
	CHECK(ryde_group_share_take(b, &lease, &epoch, &at, &placed, &err) ==
		  RYDE_SHARE_REFUSED,
	    "it is not free any more");
	epoch = old = 1;
	CHECK(ryde_group_share_store(b, &p, &epoch, 1, &err) == RYDE_GROUP_LOST);
	CHECK(ryde_group_share_store(a, &p, &epoch, 1, &err) == RYDE_GROUP_HELD);
	CHECK(ryde_group_share_found(b, &p, 1, &err) == RYDE_SHARE_REFUSED);
	CHECK(ryde_group_share_look(b, &members, &n_members, &leases, &n_leases, &err) ==
		  0 &&
	      n_members == 2 && n_leases == 1 && strcmp(leases[0].owner, ia) == 0 &&
	      !members[0].gone && !members[1].gone);
	lease = leases[0];
	CHECK(ryde_group_share_look(b, &members, &n_members, NULL, NULL, &err) == 0 &&
		  n_members == 2,
	    "at the members only");
	CHECK(ryde_group_share_take(b, &lease, &epoch, &at, &placed, &err) ==
		  RYDE_SHARE_REFUSED,
	    "its owner is a member");
	CHECK(ryde_group_share_beat(a, &err) == RYDE_SHARE_DONE);
	CHECK(ryde_group_share_expel(b, &members[0], &err) == RYDE_SHARE_REFUSED,
	    "it has beaten");
	CHECK(ryde_group_share_look(b, &members, &n_members, &leases, &n_leases, &err) ==
		  0 &&
	      ryde_group_share_expel(b, &members[0], &err) == RYDE_SHARE_DONE);
	CHECK(ryde_group_share_beat(a, &err) == RYDE_SHARE_REFUSED, "it was deleted");
	CHECK(ryde_group_share_take(b, &lease, &epoch, &at, &placed, &err) ==
		  RYDE_SHARE_DONE &&
	      epoch == 2 && placed && ryde_view_is(ryde_pos_view(&at.pos), "12"));
	CHECK(ryde_group_share_store(a, &p, &old, 1, &err) == RYDE_GROUP_LOST);
	CHECK(
	    ryde_group_share_give(a, "shard-1", old, false, &err) == RYDE_SHARE_REFUSED);
	CHECK(ryde_group_share_give(b, "shard-1", epoch, true, &err) == RYDE_SHARE_DONE);
	lease = (struct ryde_share_lease){.shard = "shard-1", .epoch = epoch};
	CHECK(ryde_group_share_take(b, &lease, &epoch, &at, &placed, &err) ==
		  RYDE_SHARE_REFUSED,
	    "it is read to its end");
	ryde_group_close(a);
	a = open_group(s, "shared");
	CHECK(ryde_group_acquire(a, NULL, &err) == RYDE_GROUP_FAILED &&
	      err.code == RYDE_ECONFIG);
	ryde_group_close(a);
	ryde_group_share_leave(b);
	ryde_group_close(b);
	ryde_stream_close(s);
}

int
main(void)
{
	if (scratch_begin() != 0)
		return 1;
	settings.data = scratch_dir;
	ryde_stream_close(open_stream());
	test_positions();
	test_two_handles();
	test_dead_holder();
	test_stopped_holder();
	test_race();
	test_share();
	scratch_end();
	return check_end("local_group");
}
