/*
 * Event streams, behind their checksums, which a fuzzer would never find: the input is
 * the headers and payload of one message, its first byte says how many bytes are headers;
 * and, as it is, a stream. What is taken must be the same however it is cut.
 */
#include "aws/event_stream.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run where a law does not hold. */
static void
must(bool holds)
{
	if (!holds)
		abort();
}

static void
put_u32(struct ryde_buf *b, size_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		ryde_buf_putc(b, (char)(v >> shift & 0xff));
}

static void
put_crc(struct ryde_buf *b)
{
	put_u32(b, crc32(0, (const unsigned char *)b->p, (uInt)b->n));
}

/* How many messages it gives, and the bytes of their payloads; *broken: it is no stream.
 */
static size_t
read_all(struct ryde_view text, size_t piece, size_t *bytes, bool *broken)
{
	struct ryde_event_stream s;
	struct ryde_event e;
	size_t n = 0;
	int rc = 0;

	*bytes = 0;
	ryde_event_stream_init(&s);
	for (size_t at = 0; at < text.n && rc == 0; at += piece) {
		must(ryde_event_stream_add(&s,
			 ryde_view_mem(
			     text.p + at, text.n - at < piece ? text.n - at : piece),
			 NULL) == 0);
		while ((rc = ryde_event_stream_next(&s, &e, NULL)) == 1) {
			n++;
			*bytes += e.payload.n;
			for (size_t i = 0; i < e.payload.n; i++)
				*bytes += e.payload.p[i] == 'x';
		}
	}
	*broken = rc == -1;
	ryde_event_stream_free(&s);
	return n;
}

static void
try_it(struct ryde_view text)
{
	size_t n[3], bytes[3];
	bool broken[3];

	n[0] = read_all(text, text.n > 0 ? text.n : 1, &bytes[0], &broken[0]);
	n[1] = read_all(text, 1, &bytes[1], &broken[1]);
	n[2] = read_all(text, 7, &bytes[2], &broken[2]);
	for (int i = 1; i < 3; i++)
		must(n[0] == n[i] && bytes[0] == bytes[i] && broken[0] == broken[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t headers = size > 0 ? data[0] : 0;
	struct ryde_buf b;

	try_it(ryde_view_mem((const char *)data, size));
	if (size == 0 || headers > size - 1)
		return 0;
	ryde_buf_init(&b, size + 32);
	put_u32(&b, size - 1 + 16);
	put_u32(&b, headers);
	put_crc(&b);
	ryde_buf_add(&b, data + 1, size - 1);
	put_crc(&b);
	try_it(ryde_buf_as_view(&b));
	ryde_buf_free(&b);
	return 0;
}
