/*
 * The books: what came in and what became of it. in = handled + filtered + late +
 * rejected + failed + pending, always; a difference at the end is our bug. Marks are not
 * counted; a line that a resumed reading makes stale is counted nowhere.
 */
#ifndef RYDE_FLOW_BOOKS_H
#define RYDE_FLOW_BOOKS_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

struct ryde_books {
	uint64_t in;	   /* payload lines taken in (records, for ryde-consume) */
	uint64_t handled;  /* what the program exists for was done */
	uint64_t filtered; /* dropped by -f or filter criteria, skipped because counted
			      before */
	uint64_t late;	   /* too late for their window */
	uint64_t rejected; /* bad lines */
	uint64_t failed;   /* given up: discarded to a dead-letter queue, or lost with a
			      failed destination */
	uint64_t
	    pending; /* taken in and not done when the program ended: they come again */
	uint64_t
	    out; /* lines printed, records or items written; not part of the balance */
	uint64_t bytes; /* payload bytes taken in */
	/* How far the work is, and its whole, in one unit (bytes of files, milliseconds
	 * of arrival, lines); whole is 0 where no end is known. For progress, printed
	 * nowhere else. */
	uint64_t reached, whole;
	/* more counts of a program: name, value; printed in this order */
	struct {
		const char *name; /* CamelCase as CloudWatch has it, or lower case */
		uint64_t value;
	} extra[16];
	int extras;
};

/* True where the sum is right. */
bool ryde_books_balanced(const struct ryde_books *b);
/* Adds to (or makes) the extra count name, a constant. */
void ryde_books_extra(struct ryde_books *b, const char *name, uint64_t add);
/* Sets it: what goes up and down. */
void ryde_books_extra_set(struct ryde_books *b, const char *name, uint64_t value);
/* The --stats line: {"program":…,"in":…,…,"seconds":…} with a newline. */
void ryde_books_json(const struct ryde_books *b, const char *program, double seconds,
    struct ryde_buf *out);
/* The --metrics text: ryde_lines_total{program="ryde-put",outcome="handled"} 12 and so
 * on. */
void ryde_books_prometheus(const struct ryde_books *b, const char *program,
    double seconds, int64_t now_unix_ms, struct ryde_buf *out);

#endif
