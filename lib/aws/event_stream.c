#include "aws/event_stream.h"

#include "base/crc32.h"
#include "base/err.h"

#include <stdint.h>
#include <string.h>

#define PRELUDE 12
#define AROUND 16 /* prelude and last checksum */
#define NAMES_MAX 64
#define BYTES_MAX \
	(2 * (RYDE_EVENT_STREAM_HEADERS_MAX + RYDE_EVENT_STREAM_PAYLOAD_MAX + AROUND))

void
ryde_event_stream_init(struct ryde_event_stream *s)
{
	ryde_buf_init(&s->bytes, BYTES_MAX);
	s->at = 0;
}

void
ryde_event_stream_free(struct ryde_event_stream *s)
{
	ryde_buf_free(&s->bytes);
	s->at = 0;
}

void
ryde_event_stream_clear(struct ryde_event_stream *s)
{
	ryde_buf_clear(&s->bytes);
	s->at = 0;
}

int
ryde_event_stream_add(
    struct ryde_event_stream *s, struct ryde_view bytes, struct ryde_err *err)
{
	if (s->at > 0) {
		ryde_buf_drop(&s->bytes, s->at);
		s->at = 0;
	}
	ryde_buf_view(&s->bytes, bytes);
	return ryde_buf_check(&s->bytes, err);
}

static uint32_t
u32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int
broken(const char *what, struct ryde_err *err)
{
	return ryde_err_set(
	    err, RYDE_EUNAVAILABLE, "an event stream that makes no sense: %s", what);
}

/* ---- headers ---- */

struct header {
	struct ryde_view name, text; /* text: of a string */
};

/* How many bytes the value of a type has at p; SIZE_MAX where they are not there. */
static size_t
value_size(unsigned type, const char *p, size_t left)
{
	static const size_t fixed[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
	size_t n;

	if (type == 6 || type == 7) {
		if (left < 2)
			return SIZE_MAX;
		n = 2 + ((size_t)(unsigned char)p[0] << 8 | (unsigned char)p[1]);
	} else if (type < sizeof(fixed) / sizeof(fixed[0])) {
		n = fixed[type];
	} else {
		return SIZE_MAX;
	}
	return n <= left ? n : SIZE_MAX;
}

/* The header at *p; false where it is none. */
static bool
take_header(const char **p, const char *end, struct header *h)
{
	size_t name_n, n;
	unsigned type;

	name_n = (unsigned char)**p;
	if (name_n == 0 || (size_t)(end - *p) < name_n + 2)
		return false;
	h->name = ryde_view_mem(*p + 1, name_n);
	type = (unsigned char)(*p)[1 + name_n];
	*p += name_n + 2;
	n = value_size(type, *p, (size_t)(end - *p));
	if (n == SIZE_MAX)
		return false;
	h->text = type == 7 ? ryde_view_mem(*p + 2, n - 2) : ryde_view_mem(NULL, 0);
	*p += n;
	return true;
}

static int
take_headers(const char *p, size_t n, struct ryde_event *e, struct ryde_err *err)
{
	struct ryde_view names[NAMES_MAX], message_type = {NULL, 0};
	const char *end = p + n;
	size_t n_names = 0;

	while (p < end) {
		struct header h;

		if (!take_header(&p, end, &h))
			return broken("a header that is none", err);
		for (size_t i = 0; i < n_names; i++)
			if (ryde_view_eq(names[i], h.name))
				return broken("the same header twice", err);
		if (n_names == NAMES_MAX)
			return broken("too many headers", err);
		names[n_names++] = h.name;
		if (ryde_view_is(h.name, ":message-type"))
			message_type = h.text;
		else if (ryde_view_is(h.name, ":event-type") ||
			 ryde_view_is(h.name, ":exception-type") ||
			 ryde_view_is(h.name, ":error-code"))
			e->type = h.text;
		else if (ryde_view_is(h.name, ":error-message"))
			e->message = h.text;
	}
	e->kind = RYDE_EVENT;
	if (ryde_view_is(message_type, "exception"))
		e->kind = RYDE_EVENT_EXCEPTION;
	else if (ryde_view_is(message_type, "error"))
		e->kind = RYDE_EVENT_ERROR;
	else if (message_type.n > 0 && !ryde_view_is(message_type, "event"))
		return broken("a message of an unknown type", err);
	return 0;
}

/* ---- messages ---- */

/* The lengths of the message at the front; NULL, or what is wrong with them. */
static const char *
prelude(const char *p, size_t *total, size_t *headers)
{
	*total = u32(p);
	*headers = u32(p + 4);
	if (ryde_crc32(ryde_view_mem(p, 8)) != u32(p + 8))
		return "a checksum is wrong";
	if (*headers > RYDE_EVENT_STREAM_HEADERS_MAX || *total < AROUND + *headers ||
	    *total - AROUND - *headers > RYDE_EVENT_STREAM_PAYLOAD_MAX)
		return "a length that cannot be";
	return NULL;
}

bool
ryde_event_stream_ready(const struct ryde_event_stream *s)
{
	size_t left = s->bytes.n - s->at, total, headers;

	return left >= PRELUDE &&
	       (prelude(s->bytes.p + s->at, &total, &headers) != NULL || left >= total);
}

bool
ryde_event_stream_inside(const struct ryde_event_stream *s)
{
	return s->bytes.n > s->at;
}

int
ryde_event_stream_next(
    struct ryde_event_stream *s, struct ryde_event *event, struct ryde_err *err)
{
	size_t left = s->bytes.n - s->at, total, headers;
	const char *p = s->bytes.p, *wrong;

	if (left < PRELUDE)
		return 0;
	p += s->at;
	wrong = prelude(p, &total, &headers);
	if (wrong != NULL)
		return broken(wrong, err);
	if (left < total)
		return 0;
	if (ryde_crc32(ryde_view_mem(p, total - 4)) != u32(p + total - 4))
		return broken("a checksum is wrong", err);
	*event = (struct ryde_event){
	    .payload = ryde_view_mem(p + PRELUDE + headers, total - AROUND - headers)};
	s->at += total;
	return take_headers(p + PRELUDE, headers, event, err) != 0 ? -1 : 1;
}
