#include "engine/process_http.h"

#include "base/num.h"

#include <string.h>

static bool
same_word(struct ryde_view v, const char *lower)
{
	size_t n = strlen(lower);

	if (v.n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		char c = v.p[i];

		if ((c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c) != lower[i])
			return false;
	}
	return true;
}

static struct ryde_view
trimmed(struct ryde_view v)
{
	while (v.n > 0 && (v.p[0] == ' ' || v.p[0] == '\t')) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && (v.p[v.n - 1] == ' ' || v.p[v.n - 1] == '\t'))
		v.n--;
	return v;
}

/* The line at *at without its end, which is CR LF or LF. False: there is no whole one. */
static bool
next_line(struct ryde_view in, size_t *at, struct ryde_view *line)
{
	const char *end = NULL;

	if (*at < in.n)
		end = memchr(in.p + *at, '\n', in.n - *at);
	if (end == NULL)
		return false;
	*line = ryde_view_mem(in.p + *at, (size_t)(end - in.p) - *at);
	*at += line->n + 1;
	if (line->n > 0 && line->p[line->n - 1] == '\r')
		line->n--;
	return true;
}

/* "GET /path HTTP/1.1" */
static bool
read_start(struct ryde_process_http_request *r, struct ryde_view line)
{
	const char *first = line.n > 0 ? memchr(line.p, ' ', line.n) : NULL, *second,
		   *query;
	struct ryde_view version;

	if (first == NULL)
		return false;
	r->method = ryde_view_mem(line.p, (size_t)(first - line.p));
	second = memchr(first + 1, ' ', line.n - r->method.n - 1);
	if (second == NULL)
		return false;
	r->path = ryde_view_mem(first + 1, (size_t)(second - first) - 1);
	version = ryde_view_mem(second + 1, line.n - (size_t)(second - line.p) - 1);
	query = r->path.n > 0 ? memchr(r->path.p, '?', r->path.n) : NULL;
	if (query != NULL)
		r->path.n = (size_t)(query - r->path.p);
	r->close = ryde_view_is(version, "HTTP/1.0");
	return r->method.n > 0 && r->path.n > 0 &&
	       (r->close || ryde_view_is(version, "HTTP/1.1"));
}

static bool
read_header(struct ryde_process_http_request *r, struct ryde_view line)
{
	const char *colon = memchr(line.p, ':', line.n);
	struct ryde_view name, value;
	uint64_t length;

	if (colon == NULL || colon == line.p)
		return false;
	name = ryde_view_mem(line.p, (size_t)(colon - line.p));
	value = trimmed(ryde_view_mem(colon + 1, line.n - name.n - 1));
	if (same_word(name, "content-length")) {
		if (!ryde_num_u64(value, UINT64_MAX, &length))
			return false;
		/* What is over the most is only known to be that. */
		r->length = length > RYDE_PROCESS_HTTP_BODY_MAX
				? RYDE_PROCESS_HTTP_BODY_MAX + 1
				: (size_t)length;
	} else if (same_word(name, "transfer-encoding")) {
		r->chunked = same_word(value, "chunked");
		return r->chunked;
	} else if (same_word(name, "connection")) {
		r->close = r->close || same_word(value, "close");
	} else if (same_word(name, "expect")) {
		r->waits = same_word(value, "100-continue");
	}
	return true;
}

/* The size of a chunk in hexadecimal, what follows a semicolon apart. */
static bool
read_size(struct ryde_view line, size_t *size)
{
	size_t i;

	*size = 0;
	for (i = 0; i < line.n && line.p[i] != ';' && line.p[i] != ' '; i++) {
		char c = line.p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;

		if (digit < 0 || *size > RYDE_PROCESS_HTTP_BODY_MAX)
			return false;
		*size = *size * 16 + (size_t)digit;
	}
	return i > 0;
}

static enum ryde_process_http_state
read_chunks(struct ryde_view in, size_t at, struct ryde_buf *body, size_t *used)
{
	struct ryde_view line;
	size_t size;

	for (;;) {
		if (!next_line(in, &at, &line))
			return in.n - at > RYDE_PROCESS_HTTP_HEAD_MAX
				   ? RYDE_PROCESS_HTTP_BAD
				   : RYDE_PROCESS_HTTP_MORE;
		if (!read_size(line, &size))
			return RYDE_PROCESS_HTTP_BAD;
		if (size == 0)
			break;
		if (body->n + size > RYDE_PROCESS_HTTP_BODY_MAX)
			return RYDE_PROCESS_HTTP_LARGE;
		if (in.n - at < size)
			return RYDE_PROCESS_HTTP_MORE;
		ryde_buf_add(body, in.p + at, size);
		at += size;
		if (!next_line(in, &at, &line))
			return RYDE_PROCESS_HTTP_MORE;
		if (line.n > 0)
			return RYDE_PROCESS_HTTP_BAD;
	}
	do { /* what is called trailers, and an empty line */
		if (!next_line(in, &at, &line))
			return in.n - at > RYDE_PROCESS_HTTP_HEAD_MAX
				   ? RYDE_PROCESS_HTTP_BAD
				   : RYDE_PROCESS_HTTP_MORE;
	} while (line.n > 0);
	*used = at;
	return RYDE_PROCESS_HTTP_DONE;
}

enum ryde_process_http_state
ryde_process_http_parse(struct ryde_view in, struct ryde_process_http_request *r,
    struct ryde_buf *body, size_t *used)
{
	struct ryde_view line;
	size_t at = 0;
	bool first = true;

	*r = (struct ryde_process_http_request){.close = false};
	ryde_buf_clear(body);
	for (;;) {
		if (at > RYDE_PROCESS_HTTP_HEAD_MAX)
			return RYDE_PROCESS_HTTP_BAD;
		if (!next_line(in, &at, &line)) {
			r->waits = false; /* not before the head is whole */
			return in.n > RYDE_PROCESS_HTTP_HEAD_MAX ? RYDE_PROCESS_HTTP_BAD
								 : RYDE_PROCESS_HTTP_MORE;
		}
		if (first && line.n == 0)
			continue; /* an empty line before a request is borne */
		if (line.n == 0)
			break;
		if (first ? !read_start(r, line) : !read_header(r, line))
			return RYDE_PROCESS_HTTP_BAD;
		first = false;
	}
	r->head = at;
	if (r->chunked)
		return read_chunks(in, at, body, used);
	if (r->length > RYDE_PROCESS_HTTP_BODY_MAX)
		return RYDE_PROCESS_HTTP_LARGE;
	if (in.n - at < r->length)
		return RYDE_PROCESS_HTTP_MORE;
	if (r->length > 0)
		ryde_buf_add(body, in.p + at, r->length);
	*used = at + r->length;
	return RYDE_PROCESS_HTTP_DONE;
}

void
ryde_process_http_answer(struct ryde_buf *out, int status, const char *headers,
    struct ryde_view body, bool close)
{
	const char *reason = status == 200   ? "OK"
			     : status == 202 ? "Accepted"
			     : status == 400 ? "Bad Request"
			     : status == 403 ? "Forbidden"
			     : status == 404 ? "Not Found"
					     : "Payload Too Large";

	ryde_buf_printf(out,
	    "HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: "
	    "%zu\r\n%s\r\n",
	    status, reason, headers, body.n, close ? "Connection: close\r\n" : "");
	ryde_buf_view(out, body);
}
