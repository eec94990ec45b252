/* Base64: the vectors of RFC 4648, section 10, every length against a plain encoder, and
 * what is no base64. */
#include "base/random.h"
#include "check.h"
#include "json/base64.h"

#include <stdint.h>

static const struct {
	const char *plain, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

/* One bit after the other: slow, and plain enough to be right. */
static size_t
encode_slowly(char *to, const unsigned char *p, size_t n)
{
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t at = 0;

	for (size_t bit = 0; bit < 8 * n; bit += 6) {
		unsigned six = 0;

		for (size_t k = bit; k < bit + 6; k++)
			six = six * 2 + (k < 8 * n ? p[k / 8] >> (7 - k % 8) & 1U : 0);
		to[at++] = alphabet[six];
	}
	while (at % 4 != 0)
		to[at++] = '=';
	return at;
}

struct way {
	size_t (*encode)(char *to, const char *p, size_t n);
	bool (*decode)(char *to, const char *p, size_t n, size_t *out);
};

static const struct way ways[] = {{ryde_base64_encode, ryde_base64_decode},
    {ryde_base64_encode_plain, ryde_base64_decode_plain}};

static void
lengths(const struct way *way)
{
	static unsigned char plain[700];
	static char text[1000], want[1000], back[1000];
	struct ryde_random r;
	bool right = true, whole = true, in_place = true;

	ryde_random_seed(&r, 1);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)ryde_random_u64(&r);
	for (size_t n = 0; n < sizeof(plain); n++) {
		size_t size = way->encode(text, (const char *)plain, n), got = 0;

		right = right && size == ryde_base64_size(n) &&
			encode_slowly(want, plain, n) == size &&
			memcmp(text, want, size) == 0;
		whole = whole && way->decode(back, text, size, &got) && got == n &&
			memcmp(back, plain, n) == 0;
		in_place = in_place && way->decode(text, text, size, &got) && got == n &&
			   memcmp(text, plain, n) == 0;
	}
	CHECK(right, "each length as a plain encoder has it");
	CHECK(whole, "each length there and back");
	CHECK(in_place, "each length decoded in its place");
}

static void
no_base64(const struct way *way)
{
	static const char *const bad[] = {"Z", "Zg",
	    "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 8=", "Zm-_",
	    "Zg==Zg=="};
	char text[401], to[400];
	size_t got, wrong = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(!way->decode(to, bad[i], strlen(bad[i]), &got), "%s", bad[i]);
	/* each byte that is none of the alphabet, at each place of a long text */
	for (unsigned c = 0; c < 256; c++) {
		if (c != 0 &&
		    strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
			   "0123456789+/",
			(int)c) != NULL)
			continue;
		for (size_t at = 0; at < 98; at++) {
			memset(text, 'A', 100);
			text[at] = (char)c;
			wrong += way->decode(to, text, 100, &got);
		}
	}
	CHECK(wrong == 0, "%zu bad texts were taken", wrong);
}

/* Texts that are nearly base64, of all lengths: both ways say the same of them. */
static void
alike(void)
{
	static const char bytes[] = "AZaz09+/=-_ \"";
	struct ryde_random r;
	size_t good = 0, differ = 0;

	ryde_random_seed(&r, 2);
	for (int i = 0; i < 200000; i++) {
		size_t n = ryde_random_u64(&r) % 120, got = 0, got_plain = 0;
		char text[128], a[128], b[128];
		bool is, is_plain;

		for (size_t k = 0; k < n; k++)
			text[k] = bytes[ryde_random_u64(&r) % 8];
		for (uint64_t k = ryde_random_u64(&r) % 3; k > 0 && n >= k; k--)
			text[n - k] = '=';
		if (n > 0 && i % 3 == 0)
			text[ryde_random_u64(&r) % n] =
			    bytes[ryde_random_u64(&r) % (sizeof(bytes) - 1)];
		is = ryde_base64_decode(a, text, n, &got);
		is_plain = ryde_base64_decode_plain(b, text, n, &got_plain);
		good += is;
		differ += is != is_plain ||
			  (is && (got != got_plain || memcmp(a, b, got) != 0));
	}
	CHECK(differ == 0, "%zu texts", differ);
	CHECK(good > 1000, "%zu texts", good);
}

int
main(void)
{
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		char to[16], back[16];
		size_t n = ryde_base64_encode(
			   to, vectors[i].plain, strlen(vectors[i].plain)),
		       got = 99;

		CHECK(n == strlen(vectors[i].text) && memcmp(to, vectors[i].text, n) == 0,
		    "%s", vectors[i].plain);
		CHECK(ryde_base64_decode(back, vectors[i].text, n, &got) &&
			  got == strlen(vectors[i].plain) &&
			  memcmp(back, vectors[i].plain, got) == 0,
		    "%s", vectors[i].text);
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		lengths(&ways[i]);
		no_base64(&ways[i]);
	}
	alike();
	return check_end("json_base64");
}
