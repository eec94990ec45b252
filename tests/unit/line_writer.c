/* Lines to pipes, files and the full device. Source: line/writer.h. */
#include "line/writer.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/waits.h"
#include "check.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>

static const char line_text[] = "{\"Name\":\"Shadowfax\",\"Distance\":30.25}";

/* n lines; how many of them failed. */
static int
add_lines(struct ryde_writer *w, int n)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int failed = 0;

	for (int i = 0; i < n; i++)
		failed += ryde_writer_line(w, ryde_view_of(line_text), &err) != 0;
	return failed;
}

static void
check_file(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_writer *w;
	struct ryde_buf b;
	int fd = open("out", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	w = ryde_writer_new(fd, &err);
	CHECK(w != NULL, "%s", err.msg);
	CHECK(ryde_writer_line(w, ryde_view_of("one"), &err) == 0, "%s", err.msg);
	CHECK(ryde_writer_line(w, ryde_view_mem(NULL, 0), &err) == 0, "an empty line");
	CHECK(ryde_writer_line(w, ryde_view_mem("a\0b", 3), &err) == 0, "%s", err.msg);
	CHECK(ryde_writer_pending(w) == 9 && ryde_writer_bytes(w) == 0, "gathered");
	CHECK(ryde_writer_flush(w, &err) == 1 && ryde_writer_pending(w) == 0, "flushed");
	ryde_buf_puts(ryde_writer_buf(w), "two\n");
	CHECK(ryde_writer_added(w, &err) == 0 && ryde_writer_pending(w) == 4, "gathered");
	CHECK(ryde_writer_drain(w, &err) == 0 && ryde_writer_bytes(w) == 13, "drained");
	CHECK(ryde_writer_flush(w, &err) == 1, "nothing to do");
	/* from where they lie, behind what was gathered */
	ryde_buf_puts(ryde_writer_buf(w), "three\n");
	CHECK(ryde_writer_through(w, ryde_view_of("four\n"), &err) == 0 &&
		  ryde_writer_pending(w) == 0 && ryde_writer_bytes(w) == 24,
	    "through");
	/* more than a block goes out by itself */
	CHECK(add_lines(w, 10000) == 0, "taken");
	CHECK(ryde_writer_bytes(w) > 100000, "in large pieces");
	CHECK(!ryde_writer_check_closed(w) && !ryde_writer_closed(w), "open");
	CHECK(ryde_writer_drain(w, &err) == 0 && ryde_writer_close(w, &err) == 0, "%s",
	    err.msg);
	CHECK(fcntl(fd, F_GETFD) < 0 && errno == EBADF, "closed");
	CHECK(ryde_writer_line(w, ryde_view_of("late"), &err) == 0 &&
		  ryde_writer_flush(w, &err) == -1,
	    "nothing behind close");
	ryde_writer_free(w);
	ryde_writer_free(NULL);
	ryde_buf_init(&b, 1 << 20);
	CHECK(ryde_file_read("out", &b, &err) == 0 &&
		  memcmp(b.p, "one\n\na\0b\ntwo\nthree\nfour\n{\"Name\"", 31) == 0,
	    "%.20s", b.p);
	ryde_buf_free(&b);
}

/* A reader that has stopped must not stop us; one that goes on gets every byte. */
static void
check_full_pipe(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits waits = {0};
	struct ryde_writer *w;
	int64_t began = ryde_clock_mono_ms();
	uint64_t lines = 0, bytes = 0, read_bytes = 0;
	char piece[65536];
	ssize_t n;
	int p[2], flags, failed = 0;

	if (pipe(p) != 0)
		return;
	flags = fcntl(p[1], F_GETFL);
	w = ryde_writer_new(p[1], &err);
	for (; ryde_writer_pending(w) < RYDE_WRITER_HIGH; lines++)
		failed += add_lines(w, 1);
	CHECK(failed == 0, "taken");
	bytes = lines * sizeof(line_text); /* the NUL's place is the newline's */
	CHECK(ryde_clock_mono_ms() - began < 5000, "did not block");
	CHECK(ryde_writer_flush(w, &err) == 0, "some is left");
	CHECK(ryde_writer_pending(w) + ryde_writer_bytes(w) == bytes, "all is counted");
	CHECK(fcntl(p[1], F_GETFL) == flags, "a shared descriptor keeps its flags");
	ryde_waits_begin(&waits);
	ryde_writer_wait(w, &waits);
	ryde_waits_until(&waits, ryde_clock_mono_ms() + 20);
	CHECK(ryde_waits_poll(&waits, &err) == 0 && ryde_waits_ready(&waits, p[1]) == 0,
	    "not writable");
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	for (int turn = 0; turn < 10000 && read_bytes < bytes; turn++) {
		n = read(p[0], piece, sizeof(piece));
		for (ssize_t i = 0; i < n; i++)
			if (piece[i] !=
			    (line_text[(read_bytes + (uint64_t)i) % sizeof(line_text)] !=
					'\0'
				    ? line_text[(read_bytes + (uint64_t)i) %
						sizeof(line_text)]
				    : '\n'))
				turn = 20000;
		read_bytes += n > 0 ? (uint64_t)n : 0;
		failed += ryde_writer_flush(w, &err) < 0;
	}
	CHECK(failed == 0, "%s", err.msg);
	CHECK(read_bytes == bytes, "every byte, in order: %d", (int)read_bytes);
	CHECK(ryde_writer_pending(w) == 0 && ryde_writer_bytes(w) == bytes, "none left");
	ryde_waits_begin(&waits);
	ryde_writer_wait(w, &waits);
	CHECK(waits.n == 1 && waits.fds[0].events == 0, "watched, though nothing is due");
	ryde_writer_free(w);
	(void)close(p[0]);
	(void)close(p[1]);
}

/* drain waits as long as a slow reader takes. */
static void
check_slow_reader(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct timespec pause = {0, 2000000};
	struct ryde_writer *w;
	int p[2], status = -1;
	pid_t pid;

	if (pipe(p) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		static char piece[65536];
		size_t sum = 0;
		ssize_t n;

		(void)close(p[1]);
		while ((n = read(p[0], piece, sizeof(piece))) > 0) {
			sum += (size_t)n;
			(void)nanosleep(&pause, NULL);
		}
		_exit(sum == 100000 * sizeof(line_text) ? 0 : 1);
	}
	(void)close(p[0]);
	w = ryde_writer_new(p[1], &err);
	CHECK(add_lines(w, 100000) == 0, "taken");
	CHECK(ryde_writer_drain(w, &err) == 0, "%s", err.msg);
	CHECK(ryde_writer_close(w, &err) == 0, "%s", err.msg);
	ryde_writer_free(w);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0, "status %d", status);
}

static void
check_closed_reader(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_waits waits = {0};
	struct ryde_writer *w;
	int p[2];

	if (pipe(p) != 0)
		return;
	w = ryde_writer_new(p[1], &err);
	CHECK(!ryde_writer_check_closed(w), "open");
	CHECK(ryde_writer_line(w, ryde_view_of("x"), &err) == 0, "%s", err.msg);
	(void)close(p[0]);
	ryde_waits_begin(&waits);
	ryde_writer_wait(w, &waits);
	CHECK(ryde_waits_poll(&waits, &err) == 0 && ryde_waits_ready(&waits, p[1]) != 0,
	    "an idle program hears of it");
	CHECK(!ryde_writer_closed(w) && ryde_writer_check_closed(w),
	    "seen without a write");
	CHECK(ryde_writer_flush(w, &err) == -1 && err.code == RYDE_EIO, "%s", err.msg);
	CHECK(ryde_writer_closed(w), "it stays closed");
	CHECK(ryde_writer_drain(w, &err) == -1, "drain does not wait for it");
	ryde_writer_free(w);
	/* gone before the writer came: its second descriptor cannot be had */
	w = ryde_writer_new(p[1], &err);
	CHECK(w != NULL && ryde_writer_check_closed(w), "gone before we came");
	CHECK(ryde_writer_line(w, ryde_view_of("x"), &err) == 0 &&
		  ryde_writer_drain(w, &err) == -1 && ryde_writer_closed(w),
	    "%s", err.msg);
	ryde_writer_free(w);
	(void)close(p[1]);
}

/* Where the pipe cannot be opened a second time: no descriptor is left for it. */
static void
check_borrowed_pipe(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_writer *w;
	char piece[65536];
	size_t sum = 0;
	ssize_t n;
	struct rlimit was, few;
	int p[2], failed = 0;

	if (pipe(p) != 0 || getrlimit(RLIMIT_NOFILE, &was) != 0)
		return;
	few = was;
	few.rlim_cur = 3;
	(void)setrlimit(RLIMIT_NOFILE, &few);
	w = ryde_writer_new(p[1], &err);
	(void)setrlimit(RLIMIT_NOFILE, &was);
	CHECK(w != NULL, "%s", err.msg);
	CHECK(add_lines(w, 100000) == 0, "taken");
	CHECK(ryde_writer_flush(w, &err) == 0, "full, and it did not block");
	(void)fcntl(p[0], F_SETFL, O_NONBLOCK);
	while (sum < 100000 * sizeof(line_text) &&
	       (n = read(p[0], piece, sizeof(piece))) > 0) {
		sum += (size_t)n;
		failed += ryde_writer_flush(w, &err) < 0;
	}
	CHECK(failed == 0, "%s", err.msg);
	CHECK(sum == 100000 * sizeof(line_text), "%zu", sum);
	(void)close(p[0]);
	CHECK(ryde_writer_line(w, ryde_view_of("x"), &err) == 0 &&
		  ryde_writer_drain(w, &err) == -1 && ryde_writer_closed(w),
	    "%s", err.msg);
	ryde_writer_free(w);
	(void)close(p[1]);
}

static void
check_errors(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_writer *w;

	w = ryde_writer_new(open("/dev/full", O_WRONLY), &err);
	CHECK(ryde_writer_line(w, ryde_view_of("x"), &err) == 0, "only gathered");
	CHECK(
	    ryde_writer_flush(w, &err) == -1 && err.code == RYDE_EIO && err.sys == ENOSPC,
	    "%s", err.msg);
	CHECK(!ryde_writer_closed(w), "full is not closed");
	CHECK(ryde_writer_pending(w) == 2 && ryde_writer_bytes(w) == 0, "nothing went");
	CHECK(ryde_writer_drain(w, &err) == -1, "drain does not hang");
	(void)ryde_writer_close(w, &err);
	ryde_writer_free(w);
	w = ryde_writer_new(999, &err);
	CHECK(ryde_writer_line(w, ryde_view_of("x"), &err) == 0 &&
		  ryde_writer_drain(w, &err) == -1 && err.sys == EBADF,
	    "%s", err.msg);
	CHECK(ryde_writer_close(w, &err) == -1, "close tells too");
	ryde_writer_free(w);
	/* beyond what may gather, it is an error, not memory without end */
	w = ryde_writer_new(open("/dev/full", O_WRONLY), &err);
	ryde_buf_room(ryde_writer_buf(w), SIZE_MAX / 2);
	CHECK(ryde_writer_flush(w, &err) == -1 && err.code == RYDE_EDATA, "%s", err.msg);
	(void)ryde_writer_close(w, &err);
	ryde_writer_free(w);
}

int
main(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	if (scratch_begin() != 0)
		return 1;
	check_file();
	check_full_pipe();
	check_slow_reader();
	check_closed_reader();
	check_borrowed_pipe();
	check_errors();
	scratch_end();
	return check_end("line_writer");
}
