/*
 * Just enough of an HTTP/1.1 server for the Lambda Runtime API, and for nothing else: on
 * loopback, in the program's one loop, a few requests that are known before, answers that
 * may have to wait for a batch. Source: RFC 9112; the size of responses: Lambda's limits.
 */
#ifndef RYDE_ENGINE_PROCESS_HTTP_H
#define RYDE_ENGINE_PROCESS_HTTP_H

#include "base/buf.h"

#include <stdbool.h>

#define RYDE_PROCESS_HTTP_HEAD_MAX 16384
#define RYDE_PROCESS_HTTP_BODY_MAX ((6u << 20) + 102400) /* 6 MiB and 100 KiB */

struct ryde_process_http_request {
	struct ryde_view method,
	    path;   /* slices of the input; the path without its query */
	bool close; /* the connection ends behind the answer */
	bool waits; /* for "100 Continue" before it sends the body */
	bool chunked;
	size_t head, length; /* bytes of the head; of the body, where it says so */
};

enum ryde_process_http_state {
	RYDE_PROCESS_HTTP_MORE, /* not whole yet; waits is already set */
	RYDE_PROCESS_HTTP_DONE,
	RYDE_PROCESS_HTTP_BAD,	 /* no request that is understood: 400 */
	RYDE_PROCESS_HTTP_LARGE, /* more than the most: 413 */
};

/*
 * Looks whether the input begins with a whole request. DONE: its body is in body (cleared
 * first), *used bytes of the input are its.
 */
enum ryde_process_http_state ryde_process_http_parse(struct ryde_view in,
    struct ryde_process_http_request *r, struct ryde_buf *body, size_t *used);

/*
 * Appends an answer: status line, headers (each with its line end; "" for none), length
 * and body, of type application/json.
 */
void ryde_process_http_answer(struct ryde_buf *out, int status, const char *headers,
    struct ryde_view body, bool close);

#endif
