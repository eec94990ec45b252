/*
 * Lines from files and pipes. One reader carries the whole toolkit: operands or stdin,
 * .gz unpacked, lines of up to RYDE_LINE_MAX bytes (envelopes: RYDE_LINE_ENVELOPE_MAX),
 * never more than that and one block in memory.
 */
#ifndef RYDE_LINE_READER_H
#define RYDE_LINE_READER_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_reader;
struct ryde_waits;

enum ryde_reader_event {
	RYDE_READER_LINE,  /* a line */
	RYDE_READER_AGAIN, /* nothing whole is buffered: wait, then fill */
	RYDE_READER_LONG,  /* a line over RYDE_LINE_MAX was passed over; its first bytes
			      are given */
	RYDE_READER_TORN,  /* the input ended inside a line (a pipe's writer died); its
			      bytes are given */
	RYDE_READER_END,   /* the end of the last input */
};

/*
 * A reader of the files (n of them; none: stdin; "-" is stdin), opened one after the
 * other. The names must outlive it. A pipe's last line without a newline is
 * RYDE_READER_TORN; a regular file's is a line.
 */
struct ryde_reader *ryde_reader_new(char *const *files, int n, struct ryde_err *err);
void ryde_reader_free(struct ryde_reader *r);

/* Behind each line that is given so many bytes may be read, whatever is in them. */
#define RYDE_READER_BEHIND ((size_t)128)

/* The next event from what is buffered. *line is good until the next call of fill, and
 * the lines given between two of them lie one behind the other, each with its newline. */
enum ryde_reader_event ryde_reader_next(struct ryde_reader *r, struct ryde_view *line);
/*
 * What next would look at: bytes that were read and not given, empty inside a line that
 * is too long. RYDE_READER_BEHIND bytes behind them may be read. Whoever takes whole
 * lines from its beginning himself says so: so many bytes with their newlines, so many
 * lines.
 */
struct ryde_view ryde_reader_rest(const struct ryde_reader *r);
void ryde_reader_took(struct ryde_reader *r, size_t bytes, uint64_t lines);
/* One read. Call it after AGAIN, when the descriptor is ready (it blocks otherwise). -1
 * when reading fails. */
int ryde_reader_fill(struct ryde_reader *r, struct ryde_err *err);
/* Adds the descriptor that fill would read from. */
void ryde_reader_wait(const struct ryde_reader *r, struct ryde_waits *w);
/* True when fill would not block now: data, end, or a regular file. */
bool ryde_reader_ready(const struct ryde_reader *r);

/* The number of the line that next gave last, from 1, over all files; and the name of its
 * file, NULL for stdin alone. */
uint64_t ryde_reader_line_number(const struct ryde_reader *r);
const char *ryde_reader_file(const struct ryde_reader *r);
/* Bytes read so far. */
uint64_t ryde_reader_bytes(const struct ryde_reader *r);
/* For progress: bytes whose lines were given (of packed files those read), and how many
 * there are in all files together, 0 where one of them is a pipe or the like. */
uint64_t ryde_reader_reached(const struct ryde_reader *r);
uint64_t ryde_reader_total_bytes(const struct ryde_reader *r);

#endif
