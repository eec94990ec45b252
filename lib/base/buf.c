#include "base/buf.h"

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
ryde_buf_init(struct ryde_buf *b, size_t max)
{
	*b = (struct ryde_buf){.max = max};
}

void
ryde_buf_free(struct ryde_buf *b)
{
	size_t max = b->max;

	free(b->p);
	ryde_buf_init(b, max);
}

void
ryde_buf_clear(struct ryde_buf *b)
{
	b->n = 0;
	b->failed = b->over = false;
}

static bool
grow(struct ryde_buf *b, size_t need)
{
	size_t cap = b->cap != 0 ? b->cap : 64;
	char *p;

	while (cap < need)
		cap = cap > SIZE_MAX / 2 ? need : cap * 2;
	p = realloc(b->p, cap);
	if (p == NULL)
		return false;
	b->p = p;
	b->cap = cap;
	return true;
}

char *
ryde_buf_room(struct ryde_buf *b, size_t n)
{
	if (b->failed)
		return NULL;
	/* one byte more than asked for, so that ryde_buf_str always finds room */
	b->over = n > b->max || b->n > b->max - n;
	if (b->over || (b->cap < b->n + n + 1 && !grow(b, b->n + n + 1))) {
		b->failed = true;
		return NULL;
	}
	return b->p + b->n;
}

void
ryde_buf_add(struct ryde_buf *b, const void *p, size_t n)
{
	char *to = ryde_buf_room(b, n);

	if (to == NULL || n == 0)
		return;
	memcpy(to, p, n);
	b->n += n;
}

void
ryde_buf_view(struct ryde_buf *b, struct ryde_view v)
{
	ryde_buf_add(b, v.p, v.n);
}

void
ryde_buf_puts(struct ryde_buf *b, const char *s)
{
	ryde_buf_add(b, s, strlen(s));
}

void
ryde_buf_putc(struct ryde_buf *b, char c)
{
	ryde_buf_add(b, &c, 1);
}

void
ryde_buf_u64(struct ryde_buf *b, uint64_t v)
{
	char tmp[24];
	size_t at = sizeof(tmp);

	do {
		tmp[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	ryde_buf_add(b, tmp + at, sizeof(tmp) - at);
}

void
ryde_buf_i64(struct ryde_buf *b, int64_t v)
{
	if (v < 0)
		ryde_buf_putc(b, '-');
	ryde_buf_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
ryde_buf_printf(struct ryde_buf *b, const char *fmt, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	to = ryde_buf_room(b, (size_t)n);
	if (to == NULL)
		return;
	va_start(ap, fmt);
	n = vsnprintf(to, (size_t)n + 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		b->failed = true;
	else
		b->n += (size_t)n;
}

void
ryde_buf_drop(struct ryde_buf *b, size_t n)
{
	if (n == 0)
		return;
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

const char *
ryde_buf_str(struct ryde_buf *b)
{
	if (b->failed || b->p == NULL)
		return "";
	b->p[b->n] = '\0';
	return b->p;
}

int
ryde_buf_check(const struct ryde_buf *b, struct ryde_err *err)
{
	if (!b->failed)
		return 0;
	if (b->over)
		return ryde_err_set(err, RYDE_EDATA, "more than %zu bytes", b->max);
	return ryde_err_nomem(err);
}
