/*
 * Both sides of acknowledgement, in two processes: the child is a sink that follows a
 * script, the parent the reader. Each case is one of the rules of ryde-line(5).
 */
#include "flow/ack_going.h"
#include "flow/ack_server.h"
#include "flow/ack_sink.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/waits.h"
#include "check.h"
#include "line/envelope.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHARD "shardId-000000000000"

/* What a sink of this test does, in order: letters of a script. */
struct script {
	enum ryde_ack_role role;
	const char *fingerprint;
	const char *steps;
};

/*
 * 1-9 take record N; m take record 5 with `more`; a b c take lines 0 to 2 of record 5, n
 * line 1 with `more`; M take a mark at 9; E take the end
 * mark; d done with all tickets so far; D done with the second one only; e with the
 * first; w take a window's last row; ? ask whether the end is clean (exit 10 where not);
 * h hold after the first ticket; r resume; W wait until the shard goes to another reader;
 * g until it may; x drop the second ticket; l let it go; f finish; k die without taking
 * leave
 */
static void
make_line(struct ryde_buf *b, struct ryde_view token, char step)
{
	static const char *const seqs[] = {
	    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
	struct ryde_line_head h = {.stream = ryde_view_of("local:t"), .ack = token};
	bool part = strchr("abcn", step) != NULL;
	int n = step >= '1' && step <= '9' ? step - '0' : step == 'm' || part ? 5 : 9;

	if (step != 'w' && step != 'E') {
		h.shard = ryde_view_of(SHARD);
		h.seq = ryde_view_of(seqs[n]);
	}
	h.more = step == 'm' || step == 'n';
	h.has_sub = part;
	h.sub = step == 'n' ? 1 : (uint32_t)(step - 'a');
	h.last = step == 'c';
	h.mark = step == 'M' || step == 'E';
	h.end = step == 'E';
	if (step == 'w')
		h.at = ryde_view_of(
		    "{\"n\":1,\"window\":\"fp\",\"closed\":null,\"shards\":{\"" SHARD
		    "\":{\"from\":null,\"seen\":\"9\"}}}");
	ryde_buf_clear(b);
	ryde_line_put(b, &h, ryde_view_of("{}"), false);
}

/* Turns until a shard goes, or none does any more. */
static int
await_going(struct ryde_ack_sink *s, bool going)
{
	struct ryde_err err = RYDE_ERR_INIT;

	while (ryde_ack_going_any(s) != going) {
		struct ryde_waits w = {0};

		ryde_waits_begin(&w);
		ryde_ack_sink_wait(s, &w);
		if (ryde_waits_poll(&w, &err) != 0 || ryde_ack_sink_turn(s, &err) != 0)
			return ryde_err_status(&err);
	}
	return 0;
}

static int
step(struct ryde_ack_sink *s, struct ryde_view token, char c, uint64_t *tickets, int *n)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_line line;
	struct ryde_view ack, shard;
	struct ryde_buf b;
	size_t at = 0;
	bool clean;
	int rc = 0;

	ryde_buf_init(&b, 4096);
	switch (c) {
	case 'd':
		for (int i = 0; i < *n; i++)
			ryde_ack_sink_done(s, tickets[i]);
		break;
	case 'e':
		ryde_ack_sink_done(s, tickets[0]);
		break;
	case 'D':
		ryde_ack_sink_done(s, tickets[1]);
		break;
	case '?':
		rc = ryde_ack_sink_eof(s, &clean, &err) != 0 ? 20 : clean ? 0 : 10;
		break;
	case 'h':
		ryde_ack_sink_hold(s, tickets[0]);
		break;
	case 'r':
		ryde_ack_sink_resume(s, tickets[0]);
		break;
	case 'W':
	case 'g':
		rc = await_going(s, c == 'W');
		break;
	case 'x':
		ryde_ack_going_drop(s, tickets[1]);
		break;
	case 'l':
		rc = ryde_ack_going_next(s, &at, &ack, &shard) &&
			     ryde_view_is(shard, SHARD) && ryde_view_eq(ack, token)
			 ? 0
			 : 50;
		ryde_ack_going_let_go(s, at);
		break;
	case 'f':
		rc = ryde_ack_sink_finish(s, 1000, &err) != 0 ? 30 : 0;
		break;
	case 'k':
		_exit(40);
	default:
		make_line(&b, token, c);
		(void)ryde_line_parse(ryde_view_mem(b.p, b.n - 1), &line, &err);
		if (ryde_ack_sink_take(s, &line, &tickets[*n], &err) == RYDE_ACK_FAILED)
			rc = ryde_err_status(&err);
		else
			++*n;
		break;
	}
	ryde_buf_free(&b);
	if (rc == 0 && ryde_ack_sink_turn(s, &err) != 0)
		rc = ryde_err_status(&err);
	return rc;
}

static pid_t
start(const struct script *sc, struct ryde_view token)
{
	pid_t pid = fork();
	struct ryde_ack_sink *s;
	struct ryde_err err;
	uint64_t tickets[64];
	int n = 0, rc = 0;

	if (pid != 0)
		return pid;
	s = ryde_ack_sink_new(sc->role, "a test", &err);
	if (sc->fingerprint != NULL)
		ryde_ack_sink_fingerprint(s, sc->fingerprint);
	if (strchr(sc->steps, 'l') != NULL)
		ryde_ack_going_heed(s);
	for (const char *p = sc->steps; *p != '\0' && rc == 0; p++)
		rc = step(s, token, *p, tickets, &n);
	ryde_ack_sink_free(s);
	_exit(rc);
}

static struct ryde_ack_server *
server(int sinks, bool ended)
{
	struct ryde_ack_server_opts o = {.sinks = sinks,
	    .can_hold = true,
	    .out_fd = STDOUT_FILENO,
	    .sink_wait_ms = 60000};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_ack_server *s = ryde_ack_server_new(&o, &err);
	struct ryde_pos pos;
	int shard;

	CHECK(s != NULL, "%s", err.msg);
	if (s == NULL)
		exit(check_end("flow_ack"));
	shard = ryde_ack_server_shard(s, ryde_view_of(SHARD));
	(void)ryde_pos_set(&pos, ryde_view_of("9"));
	ryde_ack_server_printed(s, shard, 0, &pos, true);
	if (ended)
		ryde_ack_server_ended(s);
	return s;
}

/* Turns until the child is gone and all it said is heard, or the server freezes. Returns
 * the child's status. */
static int
serve(struct ryde_ack_server *s, pid_t pid, struct ryde_err *err)
{
	int status = -1, rc = 0;

	for (;;) {
		bool gone = waitpid(pid, &status, WNOHANG) == pid;
		struct ryde_waits w = {0};

		/* all that a dead one said is there: a turn each for its coming, what it
		 * said and its end are enough, and more do no harm */
		for (int i = 0; rc == 0 && i < (gone ? 10 : 1); i++)
			rc = ryde_ack_server_turn(s, err);
		if (gone)
			break;
		ryde_waits_begin(&w);
		ryde_ack_server_wait(s, &w);
		ryde_waits_until(&w, ryde_clock_mono_ms() + 5);
		(void)ryde_waits_poll(&w, err);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static const struct {
	const char *rule;
	struct script sink;
	bool ended;
	int sink_status;
	enum ryde_err_code frozen; /* RYDE_OK: not */
	const char *position;	   /* NULL: none */
	bool complete;
} cases[] = {
    {"all is acknowledged", {RYDE_ACK_SINK, NULL, "123456789df"}, true, 0, RYDE_OK, "9",
	true},
    {"a line waits for the one before it", {RYDE_ACK_SINK, NULL, "12Df"}, true, 0,
	RYDE_OK, NULL, false},
    {"5: more is never acknowledged by itself", {RYDE_ACK_SINK, NULL, "123mdf"}, true, 0,
	RYDE_OK, "3", false},
    {"5: what follows more acknowledges it", {RYDE_ACK_SINK, NULL, "m6df"}, true, 0,
	RYDE_OK, "6", false},
    {"a line of an aggregate is acknowledged by itself", {RYDE_ACK_SINK, NULL, "34abdf"},
	true, 0, RYDE_OK, "5.1", false},
    {"the last one is the whole record", {RYDE_ACK_SINK, NULL, "abcdf"}, true, 0, RYDE_OK,
	"5", false},
    {"lines of an aggregate wait for each other", {RYDE_ACK_SINK, NULL, "1abceDf"}, true,
	0, RYDE_OK, "5.0", false},
    {"5: more than one of a line of an aggregate", {RYDE_ACK_SINK, NULL, "andf"}, true, 0,
	RYDE_OK, "5.0", false},
    {"5: the last of them", {RYDE_ACK_SINK, NULL, "anbdf"}, true, 0, RYDE_OK, "5.1",
	false},
    {"a mark is done once what is before it is", {RYDE_ACK_SINK, NULL, "1Mf"}, true, 0,
	RYDE_OK, NULL, false},
    {"a mark carries the position past dropped lines", {RYDE_ACK_SINK, NULL, "1dMf"},
	true, 0, RYDE_OK, "9", true},
    {"1: a sink that dies with lines outstanding freezes", {RYDE_ACK_SINK, NULL, "12dk"},
	false, 40, RYDE_ETEMPFAIL, "2", false},
    {"3: the last line printed was received: clean", {RYDE_ACK_SINK, NULL, "19d?f"}, true,
	0, RYDE_OK, "9", true},
    {"3: the last line printed was not received", {RYDE_ACK_SINK, NULL, "18d?f"}, true,
	10, RYDE_ETEMPFAIL, "8", false},
    {"3: not clean while the reader still reads", {RYDE_ACK_SINK, NULL, "19d?f"}, false,
	10, RYDE_OK, "9", true},
    {"3: the end mark is clean", {RYDE_ACK_SINK, NULL, "19Ed?f"}, true, 0, RYDE_OK, "9",
	true},
    {"a window's positions are handed back", {RYDE_ACK_SINK, NULL, "wdf"}, true, 0,
	RYDE_OK, NULL, true},
};

static void
check_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ryde_ack_server *s = server(1, cases[i].ended);
		struct ryde_err err = RYDE_ERR_INIT;
		struct ryde_pos pos = {0}, want = {0};
		uint32_t gen;
		bool has;
		int status;

		status = serve(s, start(&cases[i].sink, ryde_ack_server_token(s)), &err);
		CHECK(status == cases[i].sink_status, "%s: status %d", cases[i].rule,
		    status);
		CHECK(err.code == cases[i].frozen, "%s: %s", cases[i].rule, err.msg);
		has = ryde_ack_server_position(s, 0, &gen, &pos);
		CHECK(has == (cases[i].position != NULL), "%s", cases[i].rule);
		if (cases[i].position != NULL)
			CHECK(ryde_pos_parse(&want, ryde_view_of(cases[i].position)));
		CHECK(!has || ryde_pos_cmp(&pos, &want) == 0, "%s: %.*s, %u",
		    cases[i].rule, (int)pos.n, pos.seq, (unsigned)pos.lines);
		CHECK(ryde_ack_server_complete(s) == cases[i].complete, "%s",
		    cases[i].rule);
		ryde_ack_server_free(s);
	}
}

static const struct script all = {RYDE_ACK_SINK, NULL, "123456789df"};
static const struct script some = {RYDE_ACK_SINK, NULL, "123df"};

/* Rule 1: exactly --sinks in a life. */
static void
check_sinks(void)
{
	struct ryde_ack_server *s = server(1, true);
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_pos pos;
	uint32_t gen;

	CHECK(serve(s, start(&all, ryde_ack_server_token(s)), &err) == 0, "%s", err.msg);
	CHECK(serve(s, start(&all, ryde_ack_server_token(s)), &err) == RYDE_ETEMPFAIL,
	    "a second one");
	CHECK(err.code == RYDE_ETEMPFAIL, "frozen");
	ryde_ack_server_free(s);

	s = server(2, true);
	err = (struct ryde_err)RYDE_ERR_INIT;
	CHECK(serve(s, start(&all, ryde_ack_server_token(s)), &err) == 0, "%s", err.msg);
	CHECK(!ryde_ack_server_position(s, 0, &gen, &pos), "one of two is not enough");
	CHECK(serve(s, start(&some, ryde_ack_server_token(s)), &err) == 0, "%s", err.msg);
	CHECK(ryde_ack_server_position(s, 0, &gen, &pos) &&
		  ryde_view_is(ryde_pos_view(&pos), "3"),
	    "the position follows the slower one");
	CHECK(!ryde_ack_server_complete(s), "not all");
	ryde_ack_server_free(s);
}

/* One window per group, of one definition, and no plain sink beside it. */
static void
check_windows(void)
{
	static const struct script window = {RYDE_ACK_WINDOW, "fp", "1"},
				   other = {RYDE_ACK_WINDOW, "xx", "1"};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_ack_server *s = server(1, false);

	(void)ryde_ack_server_window(
	    s, ryde_view_of("{\"n\":1}"), ryde_view_of("fp"), &err);
	CHECK(
	    serve(s, start(&window, ryde_ack_server_token(s)), &err) == 0, "%s", err.msg);
	CHECK(ryde_ack_server_has_window(s), "known");
	CHECK(serve(s, start(&window, ryde_ack_server_token(s)), &err) == RYDE_ECONFIG,
	    "two windows");
	ryde_ack_server_free(s);

	s = server(1, false);
	(void)ryde_ack_server_window(
	    s, ryde_view_of("{\"n\":1}"), ryde_view_of("fp"), &err);
	CHECK(serve(s, start(&other, ryde_ack_server_token(s)), &err) == RYDE_ECONFIG,
	    "another definition");
	ryde_ack_server_free(s);

	s = server(1, false);
	(void)ryde_ack_server_window(
	    s, ryde_view_of("{\"n\":1}"), ryde_view_of("fp"), &err);
	CHECK(serve(s, start(&all, ryde_ack_server_token(s)), &err) == RYDE_ECONFIG,
	    "a plain sink");
	ryde_ack_server_free(s);
}

/* Rule 7: requests become events, in order. */
static void
check_hold(void)
{
	static const struct script holds = {RYDE_ACK_SINK, NULL, "12hdrf"};
	struct ryde_ack_server *s = server(1, false);
	struct ryde_err err = RYDE_ERR_INIT;
	uint32_t gen = 9;
	int shard = -1;

	(void)serve(s, start(&holds, ryde_ack_server_token(s)), &err);
	CHECK(ryde_ack_server_next_event(s, &shard, &gen) == RYDE_ACK_SERVER_HOLD &&
		  shard == 0 && gen == 0,
	    "hold");
	CHECK(ryde_ack_server_next_event(s, &shard, &gen) == RYDE_ACK_SERVER_RESUME,
	    "resume");
	CHECK(ryde_ack_server_next_event(s, &shard, &gen) == RYDE_ACK_SERVER_NONE,
	    "no more");
	ryde_ack_server_free(s);
}

/* Turns until record 1 is acknowledged, lets the shard go, and until all have forgotten
 * it; the position that this came to. */
static void
let_go(struct ryde_ack_server *s, const char *steps, const char *position)
{
	const struct script sc = {RYDE_ACK_SINK, NULL, steps};
	pid_t pid = start(&sc, ryde_ack_server_token(s));
	struct ryde_err err = RYDE_ERR_INIT;
	bool told = false;
	struct ryde_pos pos;
	uint32_t gen;

	while (!ryde_ack_server_forgotten(s, 0)) {
		struct ryde_waits w = {0};

		CHECK(ryde_ack_server_turn(s, &err) == 0, "%s", err.msg);
		if (!told && ryde_ack_server_position(s, 0, &gen, &pos)) {
			ryde_ack_server_gone(s, 0, 0);
			told = true;
		}
		ryde_waits_begin(&w);
		ryde_ack_server_wait(s, &w);
		ryde_waits_until(&w, ryde_clock_mono_ms() + 5);
		(void)ryde_waits_poll(&w, &err);
	}
	CHECK(ryde_ack_server_position(s, 0, &gen, &pos) &&
		  ryde_view_is(ryde_pos_view(&pos), position),
	    "%s: %.*s", steps, (int)pos.n, pos.seq);
	ryde_ack_server_forget(s, 0, 1);
	CHECK(ryde_ack_server_complete(s) && !ryde_ack_server_position(s, 0, &gen, &pos));
	CHECK(serve(s, pid, &err) == 0, "%s", steps);
	ryde_ack_server_free(s);
}

/* Sharing: a shard goes once nothing of it is under way; what is dropped of it is not
 * acknowledged. */
static void
check_gone(void)
{
	static const struct script late = {RYDE_ACK_SINK, NULL, "1gf"};
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_ack_server *s = server(1, true);
	struct ryde_pos pos;
	uint32_t gen;

	ryde_ack_server_gone(s, 0, 0);
	CHECK(!ryde_ack_server_forgotten(s, 0), "nobody has come");
	CHECK(serve(s, start(&late, ryde_ack_server_token(s)), &err) == 0);
	CHECK(ryde_ack_server_forgotten(s, 0), "told when it came");
	CHECK(!ryde_ack_server_position(s, 0, &gen, &pos), "its line was stale");
	ryde_ack_server_free(s);

	let_go(server(1, true), "12eWdgf", "2");
	/* 3 is taken for nothing, being behind the one that is dropped */
	let_go(server(1, true), "123eWxldgf", "1");
	let_go(server(1, true), "12eWldg3f", "2");
}

/* Rule 2: without a reader there is no first effect. */
static void
check_nobody(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char token[RYDE_RANDOM_TOKEN + 1];
	int status = 0;
	pid_t pid;

	CHECK(ryde_random_token(token, &err) == 0, "%s", err.msg);
	pid = start(&all, ryde_view_of(token));
	(void)waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == RYDE_ETEMPFAIL, "status %d",
	    status);
	pid = start(&all, ryde_view_of("../../etc/passwd"));
	(void)waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == RYDE_ETEMPFAIL, "status %d",
	    status);
}

int
main(void)
{
	char dir[] = "/tmp/ryde-ack-XXXXXX";

	if (mkdtemp(dir) == NULL || setenv("RYDE_RUN", dir, 1) != 0)
		return 70;
	check_cases();
	check_sinks();
	check_windows();
	check_hold();
	check_gone();
	check_nobody();
	(void)rmdir(dir);
	return check_end("flow_ack");
}
