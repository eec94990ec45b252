/*
 * HTTP exchanges under way, any number in one loop: libcurl's multi interface, made to
 * fit struct ryde_waits. Knows nothing of AWS, tries nothing twice.
 */
#ifndef RYDE_AWS_HTTP_H
#define RYDE_AWS_HTTP_H

#include "base/buf.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_err;
struct ryde_http;
struct ryde_http_exchange;
struct ryde_waits;

struct ryde_http *ryde_http_new(struct ryde_err *err);
/* No exchange may be left. */
void ryde_http_free(struct ryde_http *h);
/* One turn: never waits. */
int ryde_http_turn(struct ryde_http *h, struct ryde_err *err);
void ryde_http_wait(struct ryde_http *h, struct ryde_waits *w);

struct ryde_http_ask {
	const char *method; /* NULL: GET without a body, else POST */
	const char *url;    /* http:// or https://, percent-encoded; sent as it is */
	const char *const *headers; /* "Name: value"; copied */
	size_t n_headers;
	struct ryde_view body; /* borrowed until the exchange ends */
	/* A body that is given piece by piece, as in struct ryde_aws_request. */
	int64_t (*source)(void *arg, char *to, size_t max, struct ryde_err *err);
	int64_t source_bytes;
	/* Takes the body of an answer with a status below 300, as in struct
	 * ryde_aws_request. */
	int (*on_data)(void *arg, struct ryde_view chunk);
	void *arg;
	size_t answer_max;	    /* bytes of an answer's body that are kept */
	int64_t connect_timeout_ms; /* 0: 10 s */
	int64_t idle_timeout_ms;    /* 0: 60 s; whole seconds, rounded up */
	int64_t timeout_ms;	    /* of the whole exchange; 0: none */
	const char *ca_file; /* trusted certificates in place of the system's; NULL */
	bool no_proxy;	/* whatever the environment says: addresses of this machine */
	bool multiplex; /* waits for a connection that can be shared (HTTP/2) rather than
			   open another one */
	bool secret;	/* the answer holds secrets: it is wiped when it is freed */
};

enum ryde_http_fault {
	RYDE_HTTP_FINE,
	RYDE_HTTP_RESOLVE, /* the host has no address */
	RYDE_HTTP_CONNECT, /* nobody answers there */
	RYDE_HTTP_TIMEOUT,
	RYDE_HTTP_LOST,	   /* the connection broke, before or inside the answer */
	RYDE_HTTP_TRUST,   /* its certificate does not verify */
	RYDE_HTTP_URL,	   /* the URL or proxy is none */
	RYDE_HTTP_LONG,	   /* the body is longer than answer_max */
	RYDE_HTTP_STOPPED, /* source or on_data ended it */
	RYDE_HTTP_OTHER,
};

struct ryde_http_answer {
	enum ryde_http_fault fault;
	char detail[200];     /* libcurl's words for it */
	int status;	      /* 0: there was none */
	int64_t date_unix_s;  /* of the header Date; -1: none */
	bool reached;	      /* some byte of an answer came */
	struct ryde_buf head; /* "name: value\n" each, names in lower case */
	struct ryde_buf body;
};

struct ryde_http_exchange *ryde_http_start(
    struct ryde_http *h, const struct ryde_http_ask *ask, struct ryde_err *err);
/* NULL while it is under way. Good until ryde_http_end. */
const struct ryde_http_answer *ryde_http_answer(const struct ryde_http_exchange *x);
/* A header of an answer by its lower-case name; an empty view where there is none. */
struct ryde_view ryde_http_header(const struct ryde_http_answer *a, const char *name);
/* What a source said when it ended the exchange. */
const struct ryde_err *ryde_http_source_err(const struct ryde_http_exchange *x);
/* Goes on with a source or sink that said "not now". */
void ryde_http_resume(struct ryde_http_exchange *x);
/* Gives it up if it is under way, and frees it. NULL is fine. */
void ryde_http_end(struct ryde_http_exchange *x);
/* Waits for the end of one exchange, others going on; a stop that was asked for does not
 * end it. */
int ryde_http_finish(
    struct ryde_http *h, const struct ryde_http_exchange *x, struct ryde_err *err);

#endif
