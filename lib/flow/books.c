#include "flow/books.h"

#include "base/buf.h"

#include <string.h>

struct count {
	const char *name;
	uint64_t value;
};

bool
ryde_books_balanced(const struct ryde_books *b)
{
	return b->in ==
	       b->handled + b->filtered + b->late + b->rejected + b->failed + b->pending;
}

/* The count of that name, made where there is none; NULL where there are too many. */
static uint64_t *
extra(struct ryde_books *b, const char *name)
{
	int i = 0;

	while (i < b->extras && strcmp(b->extra[i].name, name) != 0)
		i++;
	if (i == (int)(sizeof(b->extra) / sizeof(b->extra[0])))
		return NULL;
	if (i == b->extras) {
		b->extra[i].name = name;
		b->extra[i].value = 0;
		b->extras++;
	}
	return &b->extra[i].value;
}

void
ryde_books_extra(struct ryde_books *b, const char *name, uint64_t add)
{
	uint64_t *value = extra(b, name);

	if (value != NULL)
		*value += add;
}

void
ryde_books_extra_set(struct ryde_books *b, const char *name, uint64_t value)
{
	uint64_t *to = extra(b, name);

	if (to != NULL)
		*to = value;
}

static size_t
counts(const struct ryde_books *b, struct count to[9])
{
	const struct count all[] = {{"in", b->in}, {"handled", b->handled},
	    {"filtered", b->filtered}, {"late", b->late}, {"rejected", b->rejected},
	    {"failed", b->failed}, {"pending", b->pending}, {"out", b->out},
	    {"bytes", b->bytes}};

	memcpy(to, all, sizeof(all));
	return sizeof(all) / sizeof(all[0]);
}

void
ryde_books_json(
    const struct ryde_books *b, const char *program, double seconds, struct ryde_buf *out)
{
	struct count c[9];
	size_t n = counts(b, c);

	ryde_buf_printf(out, "{\"program\":\"%s\"", program);
	for (size_t i = 0; i < n; i++)
		ryde_buf_printf(
		    out, ",\"%s\":%llu", c[i].name, (unsigned long long)c[i].value);
	for (int i = 0; i < b->extras; i++)
		ryde_buf_printf(out, ",\"%s\":%llu", b->extra[i].name,
		    (unsigned long long)b->extra[i].value);
	ryde_buf_printf(out, ",\"seconds\":%.3f}\n", seconds);
}

void
ryde_books_prometheus(const struct ryde_books *b, const char *program, double seconds,
    int64_t now_unix_ms, struct ryde_buf *out)
{
	struct count c[9];

	(void)counts(b, c);
	ryde_buf_puts(out,
	    "# HELP ryde_lines_total Lines taken in, by what became of them.\n"
	    "# TYPE ryde_lines_total counter\n");
	for (size_t i = 0; i < 7; i++)
		ryde_buf_printf(out,
		    "ryde_lines_total{program=\"%s\",outcome=\"%s\"} %llu\n", program,
		    c[i].name, (unsigned long long)c[i].value);
	ryde_buf_printf(out,
	    "# HELP ryde_out_total Lines printed, records or items written.\n"
	    "# TYPE ryde_out_total counter\nryde_out_total{program=\"%s\"} %llu\n"
	    "# HELP ryde_bytes_total Bytes of payload taken in.\n"
	    "# TYPE ryde_bytes_total counter\nryde_bytes_total{program=\"%s\"} %llu\n",
	    program, (unsigned long long)c[7].value, program,
	    (unsigned long long)c[8].value);
	for (int i = 0; i < b->extras; i++)
		ryde_buf_printf(out,
		    "# TYPE ryde_%s gauge\nryde_%s{program=\"%s\"} %llu\n",
		    b->extra[i].name, b->extra[i].name, program,
		    (unsigned long long)b->extra[i].value);
	ryde_buf_printf(out,
	    "# HELP ryde_run_seconds How long the program has run.\n"
	    "# TYPE ryde_run_seconds gauge\nryde_run_seconds{program=\"%s\"} %.3f\n"
	    "# HELP ryde_updated_seconds When this file was written, seconds since the "
	    "epoch.\n"
	    "# TYPE ryde_updated_seconds gauge\nryde_updated_seconds{program=\"%s\"} "
	    "%lld.%03d\n",
	    program, seconds, program, (long long)(now_unix_ms / 1000),
	    (int)(now_unix_ms % 1000));
}
