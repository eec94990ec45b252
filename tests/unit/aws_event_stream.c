/* Event streams: the vectors of botocore's tests, and what is no stream. Source:
 * aws-facts 3.1. */
#include "aws/event_stream.h"
#include "base/err.h"
#include "check.h"

#include <stdint.h>
#include <zlib.h>

/* Bytes from hexadecimal digits. */
static size_t
bytes_of(const char *hex, char *to)
{
	static const char digits[] = "0123456789abcdef";
	size_t n = 0;

	for (; hex[0] != '\0'; hex += 2)
		to[n++] = (char)((strchr(digits, hex[0]) - digits) << 4 |
				 (strchr(digits, hex[1]) - digits));
	return n;
}

static void
put_u32(char *to, uint32_t v)
{
	for (int i = 3; i >= 0; i--, v >>= 8)
		to[i] = (char)(v & 0xff);
}

/* A message with right checksums. */
static size_t
message(char *to, const char *headers, size_t headers_n, const char *payload)
{
	size_t payload_n = strlen(payload), n = 12 + headers_n + payload_n;

	put_u32(to, (uint32_t)(n + 4));
	put_u32(to + 4, (uint32_t)headers_n);
	put_u32(to + 8, (uint32_t)crc32(0, (unsigned char *)to, 8));
	memcpy(to + 12, headers, headers_n);
	memcpy(to + 12 + headers_n, payload, payload_n);
	put_u32(to + n, (uint32_t)crc32(0, (unsigned char *)to, (uInt)n));
	return n + 4;
}

static int
parse(struct ryde_event_stream *s, const char *bytes, size_t n, struct ryde_event *e)
{
	struct ryde_err err = RYDE_ERR_INIT;
	int rc;

	ryde_event_stream_clear(s);
	CHECK(ryde_event_stream_add(s, ryde_view_mem(bytes, n), NULL) == 0);
	rc = ryde_event_stream_next(s, e, &err);
	CHECK(rc != -1 || err.code == RYDE_EUNAVAILABLE);
	return rc;
}

static void
test_vectors(struct ryde_event_stream *s)
{
	static const struct {
		const char *hex, *payload;
	} vectors[] = {
	    {"000000100000000005c248eb7d98c8ff", ""},
	    {"0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936",
		"{'foo':'bar'}"},
	    {"0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c6963617469"
	     "6f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
		"{'foo':'bar'}"},
	};
	struct ryde_event e;
	char bytes[200];

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		size_t n = bytes_of(vectors[i].hex, bytes);

		CHECK(parse(s, bytes, n, &e) == 1, "vector %zu", i);
		CHECK(ryde_view_is(e.payload, vectors[i].payload), "vector %zu", i);
		CHECK(e.kind == RYDE_EVENT);
		CHECK(ryde_event_stream_next(s, &e, NULL) == 0);
		/* each bit that is turned is noticed */
		for (size_t bit = 0; bit < n * 8; bit++) {
			bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
			CHECK(parse(s, bytes, n, &e) != 1, "vector %zu, bit %zu", i, bit);
			bytes[bit / 8] = (char)(bytes[bit / 8] ^ 1 << bit % 8);
		}
		/* and a part is none */
		for (size_t part = 0; part < n; part++) {
			CHECK(parse(s, bytes, part, &e) == 0);
			CHECK(!ryde_event_stream_ready(s));
			CHECK(ryde_event_stream_inside(s) == (part > 0));
		}
	}
}

static void
test_headers(struct ryde_event_stream *s)
{
	static const struct {
		const char *headers;
		size_t n;
		int rc;
	} cases[] = {
#define CASE(text, rc) {text, sizeof(text) - 1, rc}
	    CASE("\1a\0", 1),				     /* true */
	    CASE("\1a\1\1b\2x\1c\3xy", 1),		     /* false, i8, i16 */
	    CASE("\1a\4abcd\1b\5abcdefgh", 1),		     /* i32, i64 */
	    CASE("\1a\6\0\3abc\1b\7\0\0", 1),		     /* bytes, an empty string */
	    CASE("\1a\10abcdefgh\1b\11abcdefghabcdefgh", 1), /* timestamp, uuid */
	    CASE("\1a\12", -1),				     /* no such type */
	    CASE("\1a\7\0\4abc", -1),			     /* too short a value */
	    CASE("\1a\7\0", -1),
	    CASE("\0a\0", -1),	    /* no name */
	    CASE("\5a\0", -1),	    /* too short a name */
	    CASE("\1a\0\1a\0", -1), /* twice */
	    CASE("\15:message-type\7\0\4what", -1),
#undef CASE
	};
	struct ryde_event e;
	char bytes[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t n = message(bytes, cases[i].headers, cases[i].n, "{}");

		CHECK(parse(s, bytes, n, &e) == cases[i].rc, "case %zu", i);
	}
}

static void
test_kinds(struct ryde_event_stream *s)
{
	static const char event[] = "\15:message-type\7\0\5event\13:event-type\7\0\26"
				    "SubscribeToShardEvent";
	static const char exception[] =
	    "\15:message-type\7\0\11exception\17:exception-type\7\0\22"
	    "ResourceInUseExcep";
	static const char error[] = "\15:message-type\7\0\5error\13:error-code\7\0\3"
				    "500\16:error-message\7\0\4oops";
	struct ryde_event e;
	char bytes[300];

	CHECK(parse(s, bytes, message(bytes, exception, sizeof(exception) - 1, "{}"),
		  &e) == 1);
	CHECK(
	    e.kind == RYDE_EVENT_EXCEPTION && ryde_view_is(e.type, "ResourceInUseExcep"));
	CHECK(parse(s, bytes, message(bytes, error, sizeof(error) - 1, ""), &e) == 1);
	CHECK(e.kind == RYDE_EVENT_ERROR && ryde_view_is(e.type, "500") &&
	      ryde_view_is(e.message, "oops"));
	/* its length says one byte more than there is */
	CHECK(parse(s, bytes, message(bytes, event, sizeof(event) - 1, ""), &e) == -1);
}

static void
test_lengths(struct ryde_event_stream *s)
{
	struct ryde_event e;
	char bytes[16] = {0};

	put_u32(bytes, 15);
	put_u32(bytes + 8, (uint32_t)crc32(0, (unsigned char *)bytes, 8));
	CHECK(parse(s, bytes, 12, &e) == -1);
	put_u32(bytes, 20);
	put_u32(bytes + 4, 5);
	put_u32(bytes + 8, (uint32_t)crc32(0, (unsigned char *)bytes, 8));
	CHECK(parse(s, bytes, 12, &e) == -1);
	put_u32(bytes, 0xffffffff);
	put_u32(bytes + 4, 0);
	put_u32(bytes + 8, (uint32_t)crc32(0, (unsigned char *)bytes, 8));
	CHECK(parse(s, bytes, 12, &e) == -1);
	CHECK(ryde_event_stream_ready(s));
}

/* Many messages, cut into pieces of each size. */
static void
test_pieces(struct ryde_event_stream *s)
{
	char bytes[4000], payload[64];
	struct ryde_event e;
	size_t n = 0;

	for (int i = 0; i < 50; i++) {
		memset(payload, 'a' + i % 26, sizeof(payload));
		payload[i] = '\0';
		n += message(bytes + n, "\1a\0", 3, payload);
	}
	for (size_t piece = 1; piece < 200; piece++) {
		size_t got = 0, sum = 0;

		ryde_event_stream_clear(s);
		for (size_t at = 0; at < n; at += piece) {
			CHECK(ryde_event_stream_add(s,
				  ryde_view_mem(
				      bytes + at, n - at < piece ? n - at : piece),
				  NULL) == 0);
			while (ryde_event_stream_next(s, &e, NULL) == 1) {
				sum += e.payload.n;
				got++;
			}
		}
		CHECK(got == 50 && sum == 49 * 50 / 2 && !ryde_event_stream_inside(s),
		    "pieces of %zu: %zu messages", piece, got);
	}
}

int
main(void)
{
	struct ryde_event_stream s;

	ryde_event_stream_init(&s);
	test_vectors(&s);
	test_headers(&s);
	test_kinds(&s);
	test_lengths(&s);
	test_pieces(&s);
	ryde_event_stream_free(&s);
	return check_end("aws_event_stream");
}
