/*
 * Calls to AWS. One struct ryde_aws per process and set of settings holds configuration,
 * credentials, connections and the retry quota; a struct ryde_aws_call is one request
 * under way, with its retries.
 *
 *	aws = ryde_aws_open(&settings, err);
 *		costs nothing: no network, no file, no libcurl yet
 *	call = ryde_aws_start(aws, &request, err);
 *	while (!ryde_aws_done(call)) {
 *		ryde_waits_begin(&w);
 *		ryde_aws_wait(aws, &w); … and whatever else is waited for …
 *		ryde_waits_poll(&w, err);
 *		ryde_aws_turn(aws, err);
 *	}
 *	reply = ryde_aws_reply(call); …
 *	ryde_aws_free(call);
 *	ryde_aws_close(aws);
 *
 * Inside a call: signing (again for each attempt), standard retries (three attempts, full
 * jitter, a quota that all calls share, x-amz-retry-after), a clock that is wrong,
 * credentials that expire, pacing after throttles. What still fails after that is the
 * caller's to try again: reply->fault says what kind it is.
 */
#ifndef RYDE_AWS_CLIENT_H
#define RYDE_AWS_CLIENT_H

#include "aws/fault.h"
#include "aws/service.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_aws;
struct ryde_aws_call;
struct ryde_buf;
struct ryde_err;
struct ryde_store_settings;
struct ryde_waits;

/*
 * The client for these settings: within a process the same one for the same settings,
 * counted (each open needs its close). Strings are copied. Fails only without memory.
 */
struct ryde_aws *ryde_aws_open(
    const struct ryde_store_settings *settings, struct ryde_err *err);
void ryde_aws_close(struct ryde_aws *aws);

struct ryde_aws_header {
	const char *name, *value;
};

/* One request. Zero everything that is not needed. */
struct ryde_aws_request {
	enum ryde_aws_service service;
	const char *operation; /* "PutRecords": makes X-Amz-Target where the service has
				  one; in messages */
	const char *
	    what; /* "stream wildrydes": in messages, behind the operation; may be NULL */
	const char *method; /* NULL: POST */
	const char *bucket; /* S3: becomes part of the host name or of the path */
	const char
	    *path; /* as on the wire: percent-encoded, begins with '/'. NULL: "/" */
	const char *query;	  /* as on the wire: without '?'. NULL: none */
	const char *region;	  /* NULL: the configured one */
	const char *content_type; /* NULL: the service's */
	const struct ryde_aws_header *headers; /* more of them; all are signed. Copied */
	size_t n_headers;
	bool unsigned_call; /* no credentials are looked for: Cognito's GetId */

	struct ryde_view body; /* borrowed until the call is freed */
	/*
	 * A body that is too large to hold: source_bytes of it, of which `source` gives
	 * the next at most `max` each time it is asked (0: not now, call ryde_aws_resume;
	 * -1: the call fails with the err that is set), and `rewind` goes back to the
	 * first byte, for the next attempt. sha256 is the hex digest of the whole, NULL:
	 * UNSIGNED-PAYLOAD (S3 over https only).
	 */
	int64_t (*source)(void *arg, char *to, size_t max, struct ryde_err *err);
	int (*rewind)(void *arg, struct ryde_err *err);
	int64_t source_bytes;
	const char *sha256;

	size_t reply_max; /* bytes of a reply's body; more is a fault. 0: 16 MiB */
	/*
	 * Takes a successful reply's body as it comes, in place of reply->body: returns 0
	 * when it took the chunk, 1 when it will not have it now (the same chunk is
	 * offered again after ryde_aws_resume), -1 to end the call. After the first chunk
	 * a call is not tried again.
	 */
	int (*on_data)(void *arg, struct ryde_view chunk);
	/* Called once, inside ryde_aws_turn, when the call is done; never inside
	 * ryde_aws_start. May free the call and start others. */
	void (*on_done)(void *arg, struct ryde_aws_call *call);
	void *arg;

	int64_t idle_timeout_ms; /* no byte for this long ends an attempt. 0: 60 s */
	int64_t timeout_ms;	 /* of a whole attempt. 0: none */
	int attempts;		 /* 0: as configured (3) */
	bool multiplex; /* shares a connection where the service speaks HTTP/2: for
			   answers that last */
	bool own_pace;	/* the caller paces itself: throttles here do not slow down others
			 */
};

/* Starts a call: -> NULL with err set where it cannot even begin (no credentials 77, no
 * region 78, bad endpoint 78). Never waits for the service, but may wait some seconds for
 * credentials. */
struct ryde_aws_call *ryde_aws_start(
    struct ryde_aws *aws, const struct ryde_aws_request *request, struct ryde_err *err);
/*
 * What ryde_aws_start would send, without credentials, signature and sending:
 * {"method":…,"url":…,"headers":{…},"bytes":N,"body":…} appended to `to`. The body must
 * be JSON, and is printed as it is. Needs a region and an endpoint only.
 */
int ryde_aws_describe(struct ryde_aws *aws, const struct ryde_aws_request *request,
    struct ryde_buf *to, struct ryde_err *err);
bool ryde_aws_done(const struct ryde_aws_call *call);
/* Frees a call; one under way is given up. NULL is fine. */
void ryde_aws_free(struct ryde_aws_call *call);
/* Goes on with a source or sink that said "not now". */
void ryde_aws_resume(struct ryde_aws_call *call);

/* What came back. Good while the call is. */
struct ryde_aws_reply {
	int status;		     /* HTTP's; 0: there was no answer */
	struct ryde_view body;	     /* whole (without on_data); also of an error */
	struct ryde_aws_fault fault; /* kind RYDE_AWS_FINE on success */
	int attempts;
	char request_id[80]; /* "" where there was none */
};
const struct ryde_aws_reply *ryde_aws_reply(const struct ryde_aws_call *call);
/* A header of the last answer, by its name in any case; empty view where there is none.
 */
struct ryde_view ryde_aws_reply_header(
    const struct ryde_aws_call *call, const char *name);
/*
 * Sets err from a failed call, with a message that says what to do: "PutRecords: stream
 * wildrydes: …". Codes: 66 missing, 69 throttled, down or unreachable, 77 denied, 78
 * wrong settings, 65 the service refuses what was sent. Returns -1.
 */
int ryde_aws_reply_err(const struct ryde_aws_call *call, struct ryde_err *err);

/* One turn of all calls of this client. Never waits. */
int ryde_aws_turn(struct ryde_aws *aws, struct ryde_err *err);
/* Adds the connections and the nearest deadline to what is waited for. */
void ryde_aws_wait(struct ryde_aws *aws, struct ryde_waits *w);
/*
 * Starts a call and waits for its end, other calls of the client going on (their on_done
 * is called). -> the call, to be freed, or NULL with err set where it could not begin or
 * a stop was asked for (75).
 */
struct ryde_aws_call *ryde_aws_do(
    struct ryde_aws *aws, const struct ryde_aws_request *request, struct ryde_err *err);

/* The region that calls go to (owned by aws). NULL with err (78) where none is
 * configured. */
const char *ryde_aws_region(struct ryde_aws *aws, struct ryde_err *err);
/* Milliseconds of server time minus our clock, as learned from answers (0 until it
 * mattered). */
int64_t ryde_aws_skew_ms(const struct ryde_aws *aws);

#endif
