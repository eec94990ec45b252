#include "json/string.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/base64.h"
#include "json/bytes.h"

#include <stdint.h>
#include <string.h>

/* Nothing in it is escaped, as mostly. */
static void
put_plain(struct ryde_buf *b, struct ryde_view v)
{
	char *to = ryde_buf_room(b, v.n + 2);

	if (to == NULL)
		return;
	to[0] = '"';
	if (v.n > 0)
		memcpy(to + 1, v.p, v.n);
	to[v.n + 1] = '"';
	ryde_buf_added(b, v.n + 2);
}

void
ryde_json_string_put(struct ryde_buf *b, struct ryde_view v)
{
	static const char hex[] = "0123456789abcdef";
	static const char letters[0x20] = {
	    ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	const char *p = v.p, *end = ryde_view_end(v), *run = p;

	if (p == NULL || ryde_json_bytes_plain(p, end) == end) {
		put_plain(b, v);
		return;
	}
	ryde_buf_putc(b, '"');
	while (p < end) {
		unsigned char c;

		p = ryde_json_bytes_plain(p, end);
		if (p == end)
			break;
		c = (unsigned char)*p++;
		if (c >= 0x80)
			continue;
		ryde_buf_add(b, run, (size_t)(p - 1 - run));
		run = p;
		if (c >= 0x20) {
			ryde_buf_add(b, (const char[]){'\\', (char)c}, 2);
		} else if (letters[c] != '\0') {
			ryde_buf_add(b, (const char[]){'\\', letters[c]}, 2);
		} else {
			ryde_buf_add(b,
			    (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]},
			    6);
		}
	}
	if (run != end)
		ryde_buf_add(b, run, (size_t)(end - run));
	ryde_buf_putc(b, '"');
}

/* The code unit of the escape \uXXXX at p, or -1 where there is none before end. */
static int32_t
code_unit(const char *p, const char *end)
{
	int32_t unit = 0;

	if (end - p < 6 || p[0] != '\\' || p[1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = ryde_json_bytes_hex(p[i]);

		if (digit < 0)
			return -1;
		unit = unit * 16 + digit;
	}
	return unit;
}

/* Writes a code point as UTF-8; returns its length. */
static size_t
put_point(int32_t point, char *to)
{
	uint32_t u = (uint32_t)point;

	if (u < 0x80) {
		to[0] = (char)u;
		return 1;
	}
	if (u < 0x800) {
		to[0] = (char)(0xc0 | (u >> 6));
		to[1] = (char)(0x80 | (u & 0x3f));
		return 2;
	}
	if (u < 0x10000) {
		to[0] = (char)(0xe0 | (u >> 12));
		to[1] = (char)(0x80 | ((u >> 6) & 0x3f));
		to[2] = (char)(0x80 | (u & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | (u >> 18));
	to[1] = (char)(0x80 | ((u >> 12) & 0x3f));
	to[2] = (char)(0x80 | ((u >> 6) & 0x3f));
	to[3] = (char)(0x80 | (u & 0x3f));
	return 4;
}

size_t
ryde_json_string_escape(const char *p, const char *end, char *to, size_t *n)
{
	static const char names[] = "bfnrt", bytes[] = "\b\f\n\r\t";
	const char *name;
	int32_t unit, low;

	*n = 1;
	if (end - p < 2) {
		to[0] = '\\';
		return 1;
	}
	unit = code_unit(p, end);
	if (unit < 0) {
		name = memchr(names, p[1], sizeof(names) - 1);
		to[0] = name != NULL ? bytes[name - names] : p[1];
		return 2;
	}
	if (unit < 0xd800 || unit > 0xdfff) {
		*n = put_point(unit, to);
		return 6;
	}
	low = unit <= 0xdbff ? code_unit(p + 6, end) : -1;
	if (low >= 0xdc00 && low <= 0xdfff) {
		*n = put_point(0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00), to);
		return 12;
	}
	*n = put_point(0xfffd, to);
	return 6;
}

void
ryde_json_string_decode(struct ryde_buf *b, struct ryde_view raw)
{
	const char *p = raw.p, *end, *q;
	char bytes[4];
	size_t n;

	if (raw.n == 0)
		return;
	for (end = p + raw.n; p < end;) {
		q = memchr(p, '\\', (size_t)(end - p));
		if (q == NULL)
			q = end;
		ryde_buf_add(b, p, (size_t)(q - p));
		p = q;
		if (p == end)
			break;
		p += ryde_json_string_escape(p, end, bytes, &n);
		ryde_buf_add(b, bytes, n);
	}
}

char *
ryde_json_string_copy(struct ryde_view raw)
{
	struct ryde_buf b;
	char *s = NULL;

	if (raw.n == 0 || memchr(raw.p, '\\', raw.n) == NULL)
		return ryde_view_copy(raw);
	ryde_buf_init(&b, raw.n + 1);
	ryde_json_string_decode(&b, raw);
	if (!b.failed)
		s = ryde_view_copy(ryde_buf_as_view(&b));
	ryde_buf_free(&b);
	return s;
}

bool
ryde_json_string_utf8(struct ryde_view v)
{
	const char *p = v.p, *end = ryde_view_end(v);
	size_t n;

	while (p < end) {
#ifdef __SSE2__
		while (end - p >= RYDE_JSON_BLOCK &&
		       _mm_movemask_epi8(ryde_json_bytes_load(p)) == 0)
			p += RYDE_JSON_BLOCK;
		if (p == end)
			break;
#endif
		n = ryde_json_bytes_utf8(p, end);
		if (n == 0)
			return false;
		p += n;
	}
	return true;
}

void
ryde_json_string_base64_put(struct ryde_buf *b, struct ryde_view v)
{
	char *to = ryde_buf_room(b, ryde_base64_size(v.n));

	if (to != NULL)
		ryde_buf_added(b, ryde_base64_encode(to, v.p, v.n));
}

int
ryde_json_string_base64_decode(
    struct ryde_buf *b, struct ryde_view v, struct ryde_err *err)
{
	char *to = ryde_buf_room(b, v.n / 4 * 3 + 2);
	size_t n;

	if (to == NULL)
		return ryde_buf_check(b, err);
	if (!ryde_base64_decode(to, v.p, v.n, &n))
		return ryde_err_set(
		    err, RYDE_EDATA, "not padded base64 (RFC 4648, section 4)");
	ryde_buf_added(b, n);
	return 0;
}
