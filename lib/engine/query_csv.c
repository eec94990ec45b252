#include "engine/query_csv.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define BLOCK 65536
#define RECORD_MAX ((size_t)64 << 20)

struct field {
	size_t at, n;
	bool quoted;
};

struct ryde_query_csv {
	int fd;
	char block[BLOCK];
	size_t n, at;
	struct ryde_buf text; /* of the record */
	struct field *fields;
	size_t n_fields, columns;
	unsigned long long record;
};

struct ryde_query_csv *
ryde_query_csv_new(int fd, size_t columns, struct ryde_err *err)
{
	struct ryde_query_csv *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	c->fd = fd;
	c->columns = columns;
	ryde_buf_init(&c->text, RECORD_MAX);
	c->fields = calloc(columns + 1, sizeof(*c->fields));
	if (c->fields != NULL)
		return c;
	ryde_query_csv_free(c);
	(void)ryde_err_nomem(err);
	return NULL;
}

void
ryde_query_csv_free(struct ryde_query_csv *c)
{
	if (c == NULL)
		return;
	ryde_buf_free(&c->text);
	free(c->fields);
	free(c);
}

/* The next byte; -1 at the end, -2 with err set. */
static int
next_byte(struct ryde_query_csv *c, struct ryde_err *err)
{
	while (c->at == c->n) {
		ssize_t got = read(c->fd, c->block, sizeof(c->block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			(void)ryde_err_sys(err, RYDE_EIO, "cannot read the results");
			return -2;
		}
		if (got == 0)
			return -1;
		c->n = (size_t)got;
		c->at = 0;
	}
	return (unsigned char)c->block[c->at++];
}

static int
fault(const struct ryde_query_csv *c, const char *what, struct ryde_err *err)
{
	return ryde_err_set(
	    err, RYDE_EUNAVAILABLE, "record %llu of the results: %s", c->record, what);
}

/* Takes what stands in quotes, the first one taken already. Returns the byte behind it,
 * or as next_byte. */
static int
take_quoted(struct ryde_query_csv *c, struct ryde_err *err)
{
	int byte;

	for (;;) {
		byte = next_byte(c, err);
		if (byte == -1) {
			(void)fault(c, "the end is inside quotes", err);
			return -2;
		}
		if (byte < 0)
			return byte;
		if (byte == '"') {
			byte = next_byte(c, err);
			if (byte != '"')
				return byte;
		}
		ryde_buf_putc(&c->text, (char)byte);
	}
}

/* Takes a field. Returns the byte that ended it, or as next_byte. */
static int
take_field(struct ryde_query_csv *c, int byte, struct field *f, struct ryde_err *err)
{
	f->at = c->text.n;
	f->quoted = byte == '"';
	if (f->quoted) {
		byte = take_quoted(c, err);
	} else {
		while (byte >= 0 && byte != ',' && byte != '\n' && byte != '\r') {
			ryde_buf_putc(&c->text, (char)byte);
			byte = next_byte(c, err);
		}
	}
	f->n = c->text.n - f->at;
	if (byte == '\r')
		byte = next_byte(c, err);
	if (byte >= 0 && byte != ',' && byte != '\n') {
		(void)fault(c, "something stands behind a closing quote", err);
		return -2;
	}
	return byte;
}

int
ryde_query_csv_next(
    struct ryde_query_csv *c, struct ryde_view *values, struct ryde_err *err)
{
	int byte = next_byte(c, err);

	if (byte < 0)
		return byte == -1 ? 0 : -1;
	c->record++;
	ryde_buf_clear(&c->text);
	for (c->n_fields = 0;; c->n_fields++) {
		if (c->n_fields == c->columns)
			return fault(c, "too many values", err);
		byte = take_field(c, byte, &c->fields[c->n_fields], err);
		if (byte == -2)
			return -1;
		if (byte != ',')
			break;
		byte = next_byte(c, err);
	}
	if (c->n_fields + 1 != c->columns)
		return fault(c, "too few values", err);
	if (ryde_buf_check(&c->text, err) != 0)
		return -1;
	for (size_t i = 0; i < c->columns; i++) {
		const struct field *f = &c->fields[i];

		values[i] = ryde_buf_slice(&c->text, f->at, f->n);
		if (f->n == 0)
			values[i].p = f->quoted ? "" : NULL;
	}
	return 1;
}
