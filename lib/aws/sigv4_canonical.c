#include "aws/sigv4.h"
#include "base/buf.h"
#include "base/err.h"

#include <stdlib.h>

static bool
plain(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}

void
ryde_sigv4_encode(struct ryde_buf *out, struct ryde_view bytes, bool slash)
{
	static const char hex[] = "0123456789ABCDEF";
	char *to = ryde_buf_room(out, 3 * bytes.n);
	size_t n = 0;

	if (to == NULL)
		return;
	for (size_t i = 0; i < bytes.n; i++) {
		unsigned char c = (unsigned char)bytes.p[i];

		if (plain(c) || (slash && c == '/')) {
			to[n++] = (char)c;
			continue;
		}
		to[n++] = '%';
		to[n++] = hex[c >> 4];
		to[n++] = hex[c & 15];
	}
	ryde_buf_added(out, n);
}

/* ---- the path ---- */

/* The next segment of a path from *at on, behind its slashes; false at the end. */
static bool
next_segment(struct ryde_view path, size_t *at, struct ryde_view *segment)
{
	size_t from;

	while (*at < path.n && path.p[*at] == '/')
		(*at)++;
	from = *at;
	while (*at < path.n && path.p[*at] != '/')
		(*at)++;
	*segment = ryde_view_mem(path.p + from, *at - from);
	return segment->n > 0;
}

/* Takes the last "/segment" off what stands in out from `from` on. */
static void
go_up(struct ryde_buf *out, size_t from)
{
	while (out->n > from && out->p[out->n - 1] != '/')
		out->n--;
	if (out->n > from)
		out->n--;
}

static void
put_path(const struct ryde_sigv4_request *r, struct ryde_buf *out)
{
	struct ryde_view path = r->path, segment;
	size_t from = out->n, at = 0;
	bool open = path.n > 0 && path.p[path.n - 1] == '/';

	if (r->path_is_canonical || r->path_keeps_dots) {
		if (r->path_is_canonical)
			ryde_buf_view(out, path);
		else
			ryde_sigv4_encode(out, path, true);
		if (path.n == 0)
			ryde_buf_putc(out, '/');
		return;
	}
	while (next_segment(path, &at, &segment)) {
		bool dot = ryde_view_is(segment, "."), up = ryde_view_is(segment, "..");

		if (up)
			go_up(out, from);
		if (dot || up) {
			open = open || at == path.n;
			continue;
		}
		ryde_buf_putc(out, '/');
		ryde_sigv4_encode(out, segment, false);
	}
	if (out->n == from || open)
		ryde_buf_putc(out, '/');
}

/* ---- the query ---- */

struct param {
	size_t at, key_n, value_at,
	    value_n; /* offsets into the buffer of encoded parts */
};

static int
hex_value(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* Decodes %XX and encodes again, so that raw and encoded parts come out the same. */
static void
encode_again(struct ryde_buf *out, struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++) {
		char c = v.p[i];

		if (c == '%' && i + 2 < v.n && hex_value(v.p[i + 1]) >= 0 &&
		    hex_value(v.p[i + 2]) >= 0) {
			c = (char)(hex_value(v.p[i + 1]) * 16 + hex_value(v.p[i + 2]));
			i += 2;
		}
		ryde_sigv4_encode(out, ryde_view_mem(&c, 1), false);
	}
}

static int
compare_bytes(const char *a, size_t an, const char *b, size_t bn)
{
	size_t n = an < bn ? an : bn;
	int c = n > 0 ? memcmp(a, b, n) : 0;

	return c != 0 ? c : an < bn ? -1 : an > bn;
}

/* qsort has no argument beside the two: the buffer goes in front of the offsets. */
struct sorted_param {
	const char *text;
	struct param p;
};

static int
compare_params(const void *a, const void *b)
{
	const struct sorted_param *x = a, *y = b;
	int c =
	    compare_bytes(x->text + x->p.at, x->p.key_n, y->text + y->p.at, y->p.key_n);

	if (c != 0)
		return c;
	return compare_bytes(
	    x->text + x->p.value_at, x->p.value_n, y->text + y->p.value_at, y->p.value_n);
}

static struct param
read_param(struct ryde_view part, struct ryde_buf *text)
{
	const char *equals = part.n > 0 ? memchr(part.p, '=', part.n) : NULL;
	size_t key_n = equals != NULL ? (size_t)(equals - part.p) : part.n;
	struct param p = {.at = text->n};

	encode_again(text, ryde_view_mem(part.p, key_n));
	p.key_n = text->n - p.at;
	p.value_at = text->n;
	if (equals != NULL)
		encode_again(text, ryde_view_mem(equals + 1, part.n - key_n - 1));
	p.value_n = text->n - p.value_at;
	return p;
}

static int
put_query(struct ryde_view query, struct ryde_buf *out, struct ryde_err *err)
{
	struct sorted_param params[RYDE_SIGV4_PARAMS_MAX];
	struct ryde_buf text;
	size_t n = 0, at = 0, end;
	int rc = -1;

	ryde_buf_init(&text, 1 << 20);
	for (; at < query.n; at = end + 1) {
		const char *amp = memchr(query.p + at, '&', query.n - at);

		end = amp != NULL ? (size_t)(amp - query.p) : query.n;
		if (end == at)
			continue;
		if (n == RYDE_SIGV4_PARAMS_MAX) {
			(void)ryde_err_set(err, RYDE_EUSAGE,
			    "a request with more than %d parameters",
			    RYDE_SIGV4_PARAMS_MAX);
			goto out;
		}
		params[n++].p = read_param(ryde_view_mem(query.p + at, end - at), &text);
	}
	if (ryde_buf_check(&text, err) != 0)
		goto out;
	for (size_t i = 0; i < n; i++)
		params[i].text = text.p;
	if (n > 1)
		qsort(params, n, sizeof(params[0]), compare_params);
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			ryde_buf_putc(out, '&');
		ryde_buf_add(out, text.p + params[i].p.at, params[i].p.key_n);
		ryde_buf_putc(out, '=');
		ryde_buf_add(out, text.p + params[i].p.value_at, params[i].p.value_n);
	}
	rc = 0;
out:
	ryde_buf_free(&text);
	return rc;
}

/* ---- the headers ---- */

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static int
compare_names(struct ryde_view a, struct ryde_view b)
{
	size_t n = a.n < b.n ? a.n : b.n;

	for (size_t i = 0; i < n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return (unsigned char)lower(a.p[i]) < (unsigned char)lower(b.p[i])
				   ? -1
				   : 1;
	return a.n < b.n ? -1 : a.n > b.n;
}

/* What may change between here and the service. Source: botocore's auth.py,
 * SIGNED_HEADERS_BLACKLIST. */
static bool
is_left_out(struct ryde_view name)
{
	static const char *const names[] = {"connection", "expect", "keep-alive",
	    "proxy-authenticate", "proxy-authorization", "te", "trailer",
	    "transfer-encoding", "upgrade", "user-agent", "x-amzn-trace-id"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (compare_names(name, ryde_view_of(names[i])) == 0)
			return true;
	return false;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value without blanks around it, runs of blanks inside as one. */
static void
put_value(struct ryde_buf *out, struct ryde_view v)
{
	char *to = ryde_buf_room(out, v.n);
	bool gap = false;
	size_t n = 0;

	for (size_t i = 0; to != NULL && i < v.n; i++) {
		if (is_blank(v.p[i])) {
			gap = n > 0;
			continue;
		}
		if (gap)
			to[n++] = ' ';
		gap = false;
		to[n++] = v.p[i];
	}
	ryde_buf_added(out, n);
}

static void
put_name(struct ryde_buf *out, struct ryde_view name)
{
	char *to = ryde_buf_room(out, name.n);

	for (size_t i = 0; to != NULL && i < name.n; i++)
		to[i] = lower(name.p[i]);
	ryde_buf_added(out, to != NULL ? name.n : 0);
}

/* Sorts by name, equal names in their order: insertion, since there are few. */
static int
sort_headers(const struct ryde_sigv4_request *r, const struct ryde_sigv4_header **to,
    size_t *n, struct ryde_err *err)
{
	*n = 0;
	for (size_t i = 0; i < r->n_headers; i++) {
		const struct ryde_sigv4_header *h = &r->headers[i];
		size_t at;

		if (is_left_out(h->name))
			continue;
		if (*n == RYDE_SIGV4_HEADERS_MAX)
			return ryde_err_set(err, RYDE_EUSAGE,
			    "a request with more than %d headers",
			    RYDE_SIGV4_HEADERS_MAX);
		for (at = *n; at > 0 && compare_names(to[at - 1]->name, h->name) > 0;
		     at--)
			to[at] = to[at - 1];
		to[at] = h;
		(*n)++;
	}
	return 0;
}

static int
put_headers(const struct ryde_sigv4_request *r, struct ryde_buf *out,
    struct ryde_buf *names, struct ryde_err *err)
{
	const struct ryde_sigv4_header *sorted[RYDE_SIGV4_HEADERS_MAX];
	size_t n;

	if (sort_headers(r, sorted, &n, err) != 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (i > 0 && compare_names(sorted[i - 1]->name, sorted[i]->name) == 0) {
			out->n--; /* the newline: equal names are one line */
			ryde_buf_putc(out, ',');
		} else {
			if (i > 0)
				ryde_buf_putc(names, ';');
			put_name(names, sorted[i]->name);
			put_name(out, sorted[i]->name);
			ryde_buf_putc(out, ':');
		}
		put_value(out, sorted[i]->value);
		ryde_buf_putc(out, '\n');
		if (out->failed)
			break;
	}
	return 0;
}

int
ryde_sigv4_canonical(const struct ryde_sigv4_request *r, struct ryde_buf *out,
    struct ryde_buf *names, struct ryde_err *err)
{
	size_t names_from = names->n;

	ryde_buf_view(out, r->method);
	ryde_buf_putc(out, '\n');
	put_path(r, out);
	ryde_buf_putc(out, '\n');
	if (put_query(r->query, out, err) != 0)
		return -1;
	ryde_buf_putc(out, '\n');
	if (put_headers(r, out, names, err) != 0 || ryde_buf_check(names, err) != 0)
		return -1;
	ryde_buf_putc(out, '\n');
	if (names->n > names_from)
		ryde_buf_add(out, names->p + names_from, names->n - names_from);
	ryde_buf_putc(out, '\n');
	ryde_buf_view(out, r->payload_hash);
	return ryde_buf_check(out, err);
}
