/*
 * An owned, growing buffer with a ceiling. Adding is unconditional: the first failure (no
 * memory, over the ceiling) sets `failed`, later calls then do nothing, and the caller
 * asks once, at the end.
 */
#ifndef RYDE_BASE_BUF_H
#define RYDE_BASE_BUF_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;

struct ryde_buf {
	char *p; /* NULL until something is added; not NUL-ended except by ryde_buf_str */
	size_t n;
	size_t cap;
	size_t max; /* n never grows beyond */
	bool failed;
	bool over; /* it failed because of max */
};

/* An empty buffer that holds at most max bytes. Allocates nothing. */
void ryde_buf_init(struct ryde_buf *b, size_t max);
/* Frees what it holds; it can be used again, with the same ceiling. */
void ryde_buf_free(struct ryde_buf *b);
/* Empties it, keeps its memory, forgets a failure. */
void ryde_buf_clear(struct ryde_buf *b);

/* Makes room for n more bytes and returns where they go (then ryde_buf_added), or NULL on
 * failure. */
char *ryde_buf_room(struct ryde_buf *b, size_t n);
/* Says that n bytes of the room were written. */
static inline void
ryde_buf_added(struct ryde_buf *b, size_t n)
{
	b->n += n;
}

void ryde_buf_add(struct ryde_buf *b, const void *p, size_t n);
void ryde_buf_view(struct ryde_buf *b, struct ryde_view v);
void ryde_buf_puts(struct ryde_buf *b, const char *s);
void ryde_buf_putc(struct ryde_buf *b, char c);
/* A signed or unsigned decimal integer, faster than a format. */
void ryde_buf_i64(struct ryde_buf *b, int64_t v);
void ryde_buf_u64(struct ryde_buf *b, uint64_t v);
void ryde_buf_printf(struct ryde_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Drops the first n bytes (n <= b->n), moving the rest to the front. */
void ryde_buf_drop(struct ryde_buf *b, size_t n);

/* The content as a C string, owned by b, good until b changes; "" where it failed. */
const char *ryde_buf_str(struct ryde_buf *b);
/* 0, or -1 with err set when an addition has failed since the last clear. */
int ryde_buf_check(const struct ryde_buf *b, struct ryde_err *err);

/* n bytes from `at` on, both within the content; the empty view of a buffer that never
 * held anything. */
static inline struct ryde_view
ryde_buf_slice(const struct ryde_buf *b, size_t at, size_t n)
{
	return (struct ryde_view){n > 0 ? b->p + at : NULL, n};
}

static inline struct ryde_view
ryde_buf_as_view(const struct ryde_buf *b)
{
	return (struct ryde_view){b->p, b->n};
}

#endif
