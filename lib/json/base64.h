/*
 * Base64 (RFC 4648, section 4: the standard alphabet, padded), straight into memory: 24
 * bytes at a time where the processor has AVX2.
 */
#ifndef RYDE_JSON_BASE64_H
#define RYDE_JSON_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* How many characters n bytes become. */
static inline size_t
ryde_base64_size(size_t n)
{
	return (n + 2) / 3 * 4;
}

/* Writes the ryde_base64_size(n) characters of p[n] to `to`; returns that number. No NUL.
 */
size_t ryde_base64_encode(char *to, const char *p, size_t n);
/*
 * Decodes p[n] to `to`, which may be p itself, and sets *out. Never writes beyond
 * to + n / 4 * 3 + 2. False, with to[] undefined, where the text is not padded base64 or
 * its last group holds bits that no byte has.
 */
bool ryde_base64_decode(char *to, const char *p, size_t n, size_t *out);

/* The same for any processor, slower: where there is no AVX2, and in tests. */
size_t ryde_base64_encode_plain(char *to, const char *p, size_t n);
bool ryde_base64_decode_plain(char *to, const char *p, size_t n, size_t *out);

#endif
