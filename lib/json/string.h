/* JSON strings: writing them from bytes, reading bytes from them. Base64 (RFC 4648,
 * section 4), for what is no text. */
#ifndef RYDE_JSON_STRING_H
#define RYDE_JSON_STRING_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;
struct ryde_err;

/* Appends v in quotes, escaped as far as JSON demands: quote, backslash, control
 * characters. Bytes over 0x7f stay. */
void ryde_json_string_put(struct ryde_buf *b, struct ryde_view v);
/*
 * Appends the bytes that the raw content of a string (no quotes) stands for; \u escapes
 * become UTF-8, a lone surrogate U+FFFD. The content must have passed a check.
 */
void ryde_json_string_decode(struct ryde_buf *b, struct ryde_view raw);
/* The same as a C string of its own, to be freed; NULL without memory. */
char *ryde_json_string_copy(struct ryde_view raw);
/*
 * Decodes the escape whose backslash is at p (a surrogate pair is one) into 1 to 4 bytes
 * at to, their count in *n. Returns how many bytes of the text it took; end is the end of
 * the string's content, which must have passed a check.
 */
size_t ryde_json_string_escape(const char *p, const char *end, char *to, size_t *n);
/* True where v is valid UTF-8 (no surrogates, no overlong forms, at most U+10FFFF). */
bool ryde_json_string_utf8(struct ryde_view v);

void ryde_json_string_base64_put(struct ryde_buf *b, struct ryde_view v);
/* -1 with RYDE_EDATA where v is not padded base64 of the standard alphabet. */
int ryde_json_string_base64_decode(
    struct ryde_buf *b, struct ryde_view v, struct ryde_err *err);

#endif
