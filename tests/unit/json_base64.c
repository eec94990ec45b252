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

static void
lengths(void)
{
	static unsigned char plain[700];
	static char text[1000], want[1000], back[1000];
	struct ryde_random r;
	bool right = true, whole = true, in_place = true;

	ryde_random_seed(&r, 1);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (unsigned char)ryde_random_u64(&r);
	for (size_t n = 0; n < sizeof(plain); n++) {
		size_t size = ryde_base64_encode(text, (const char *)plain, n), got = 0;

		right = right && size == ryde_base64_size(n) &&
			encode_slowly(want, plain, n) == size &&
			memcmp(text, want, size) == 0;
		whole = whole && ryde_base64_decode(back, text, size, &got) && got == n &&
			memcmp(back, plain, n) == 0;
		in_place = in_place && ryde_base64_decode(text, text, size, &got) &&
			   got == n && memcmp(text, plain, n) == 0;
	}
	CHECK(right, "each length as a plain encoder has it");
	CHECK(whole, "each length there and back");
	CHECK(in_place, "each length decoded in its place");
}

static void
no_base64(void)
{
	static const char *const bad[] = {"Z", "Zg",
	    "Zg=", "Zg===", "=Zg=", "Z===", "====", "Zh==", "Zm9=", "Zm 8=", "Zm-_",
	    "Zg==Zg=="};
	char text[401], to[400];
	size_t got, wrong = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		CHECK(
		    !ryde_base64_decode(to, bad[i], strlen(bad[i]), &got), "%s", bad[i]);
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
			wrong += ryde_base64_decode(to, text, 100, &got);
		}
	}
	CHECK(wrong == 0, "%zu bad texts were taken", wrong);
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
	lengths();
	no_base64();
	return check_end("json_base64");
}
