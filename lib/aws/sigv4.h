/*
 * AWS Signature Version 4: what turns a request and a secret into the header
 * Authorization.
 *
 *	signature = hex(HMAC(key, "AWS4-HMAC-SHA256" LF time LF scope LF
 *	                          hex(SHA-256(canonical request))))
 *	key       = HMAC(HMAC(HMAC(HMAC("AWS4" secret, yyyymmdd), region), service),
 *	                 "aws4_request")
 *	scope     = yyyymmdd "/" region "/" service "/aws4_request"
 *
 * Source: "AWS Signature Version 4 for API requests" (IAM User Guide); the signing test
 * suite of awslabs/aws-c-auth.
 */
#ifndef RYDE_AWS_SIGV4_H
#define RYDE_AWS_SIGV4_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

#define RYDE_SIGV4_HEX 64	  /* characters of a SHA-256 in hex */
#define RYDE_SIGV4_TIME 16	  /* "20150830T123600Z" */
#define RYDE_SIGV4_HEADERS_MAX 40 /* more are refused */
#define RYDE_SIGV4_PARAMS_MAX 64
#define RYDE_SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

struct ryde_sigv4_header {
	struct ryde_view name, value;
};

/* The request as it goes over the wire. Everything is borrowed for the call. */
struct ryde_sigv4_request {
	struct ryde_view method;
	struct ryde_view path;	/* "/" at least */
	struct ryde_view query; /* without '?'; each part is decoded and encoded anew */
	/* Host and all that shall be signed. Those that proxies and libcurl change on the
	 * way (Connection, Expect, User-Agent, …) are left out by themselves. Equal names
	 * keep their order. */
	const struct ryde_sigv4_header *headers;
	size_t n_headers;
	struct ryde_view payload_hash; /* hex of SHA-256, or RYDE_SIGV4_UNSIGNED */
	bool path_is_canonical; /* S3: the path is taken as it is, neither encoded once
				   more … */
	bool path_keeps_dots;	/* … nor are "." ".." and "//" taken out */
};

/* The secret and what it is good for. Borrowed. */
struct ryde_sigv4_scope {
	const char *access_key, *secret_key;
	const char *region, *service;
	int64_t at_unix_s;
};

/* Holds OpenSSL's objects, and the signing keys of the last few scopes: deriving one
 * costs ten times a signature. */
struct ryde_sigv4;
struct ryde_sigv4 *ryde_sigv4_new(struct ryde_err *err);
/* Wipes the keys. */
void ryde_sigv4_free(struct ryde_sigv4 *s);

/* "20150830T123600Z"; to has RYDE_SIGV4_TIME + 1 bytes. */
void ryde_sigv4_time(int64_t at_unix_s, char *to);
/* SHA-256 of bytes as lower-case hex; to has RYDE_SIGV4_HEX + 1 bytes. -1 where OpenSSL
 * fails. */
int ryde_sigv4_sha256(
    struct ryde_sigv4 *s, struct ryde_view bytes, char *to, struct ryde_err *err);
/*
 * Appends the canonical request to out, and the list of signed headers
 * ("host;x-amz-date") to names. RYDE_EUSAGE where it has too many headers or parameters.
 */
int ryde_sigv4_canonical(const struct ryde_sigv4_request *r, struct ryde_buf *out,
    struct ryde_buf *names, struct ryde_err *err);
/* The signature of a canonical request, as hex into to[RYDE_SIGV4_HEX + 1]. */
int ryde_sigv4_signature(struct ryde_sigv4 *s, const struct ryde_sigv4_scope *scope,
    struct ryde_view canonical, char *to, struct ryde_err *err);
/* Both, as the value of the header Authorization, appended to out. */
int ryde_sigv4_authorization(struct ryde_sigv4 *s, const struct ryde_sigv4_scope *scope,
    const struct ryde_sigv4_request *r, struct ryde_buf *out, struct ryde_err *err);
/* Appends bytes, percent-encoded except A-Z a-z 0-9 - . _ ~ (and '/' where slash is
 * true). */
void ryde_sigv4_encode(struct ryde_buf *out, struct ryde_view bytes, bool slash);

#endif
