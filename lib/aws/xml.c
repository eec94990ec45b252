#include "aws/xml.h"

#include "base/buf.h"

#include <stdint.h>

/* Where "<name" stands from `at` on, an opening tag or an end; text.n where nowhere. */
static size_t
find_tag(struct ryde_view text, size_t at, const char *name, bool end)
{
	size_t n = strlen(name), skip = end ? 2 : 1;

	for (; at + n + skip < text.n; at++) {
		const char *p = memchr(text.p + at, '<', text.n - at);
		char behind;

		if (p == NULL)
			return text.n;
		at = (size_t)(p - text.p);
		if (at + n + skip >= text.n)
			return text.n;
		behind = p[skip + n];
		if ((!end || p[1] == '/') && memcmp(p + skip, name, n) == 0 &&
		    (behind == '>' || behind == '/' || behind == ' ' || behind == '\n' ||
			behind == '\t' || behind == '\r'))
			return at;
	}
	return text.n;
}

bool
ryde_xml_next(struct ryde_view text, size_t *at, const char *name, struct ryde_view *out)
{
	size_t open = find_tag(text, *at, name, false), end;
	const char *close;

	if (open == text.n)
		return false;
	close = memchr(text.p + open, '>', text.n - open);
	if (close == NULL)
		return false;
	if (close[-1] == '/') {
		*out = ryde_view_mem(close, 0);
		*at = (size_t)(close + 1 - text.p);
		return true;
	}
	open = (size_t)(close + 1 - text.p);
	end = find_tag(text, open, name, true);
	if (end == text.n)
		return false;
	*out = ryde_view_mem(text.p + open, end - open);
	*at = end + strlen(name) + 2;
	return true;
}

bool
ryde_xml_find(struct ryde_view text, const char *name, struct ryde_view *out)
{
	size_t at = 0;

	return ryde_xml_next(text, &at, name, out);
}

static void
put_utf8(struct ryde_buf *b, uint32_t c)
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = 0xfffd;
	if (c < 0x80) {
		ryde_buf_putc(b, (char)c);
	} else if (c < 0x800) {
		ryde_buf_putc(b, (char)(0xc0 | c >> 6));
		ryde_buf_putc(b, (char)(0x80 | (c & 0x3f)));
	} else {
		if (c < 0x10000) {
			ryde_buf_putc(b, (char)(0xe0 | c >> 12));
		} else {
			ryde_buf_putc(b, (char)(0xf0 | c >> 18));
			ryde_buf_putc(b, (char)(0x80 | (c >> 12 & 0x3f)));
		}
		ryde_buf_putc(b, (char)(0x80 | (c >> 6 & 0x3f)));
		ryde_buf_putc(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* "#65" or "#x41" (without & and ;); false where it is no number. */
static bool
numbered(struct ryde_view v, uint32_t *out)
{
	bool hex = v.n > 1 && v.p[1] == 'x';
	uint32_t c = 0;
	size_t i = hex ? 2 : 1;

	if (v.n <= i || v.n > i + 7 || v.p[0] != '#')
		return false;
	for (; i < v.n; i++) {
		char d = v.p[i];

		if (d >= '0' && d <= '9')
			c = c * (hex ? 16 : 10) + (uint32_t)(d - '0');
		else if (hex && ((d >= 'a' && d <= 'f') || (d >= 'A' && d <= 'F')))
			c = c * 16 + (uint32_t)((d | 0x20) - 'a' + 10);
		else
			return false;
	}
	*out = c;
	return true;
}

void
ryde_xml_text(struct ryde_buf *b, struct ryde_view content)
{
	static const struct {
		const char *name;
		uint32_t c;
	} named[] = {
	    {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};

	for (size_t i = 0; i < content.n; i++) {
		const char *p = content.p + i, *end;
		struct ryde_view name;
		uint32_t c = 0;

		if (*p != '&') {
			ryde_buf_putc(b, *p);
			continue;
		}
		end = memchr(p, ';', content.n - i < 12 ? content.n - i : 12);
		name = ryde_view_mem(p + 1, end != NULL ? (size_t)(end - p - 1) : 0);
		for (size_t k = 0; k < sizeof(named) / sizeof(named[0]); k++)
			if (ryde_view_is(name, named[k].name))
				c = named[k].c;
		if (c == 0 && !numbered(name, &c)) {
			ryde_buf_putc(b, '&'); /* not what it should be: passed on */
			continue;
		}
		put_utf8(b, c);
		i += name.n + 1;
	}
}
