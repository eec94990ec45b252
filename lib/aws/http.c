#include "aws/http.h"

#include "aws/curl.h"
#include "aws/http_date.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/waits.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS_MAX 128
#define EASIES_KEPT 8
#define HEAD_MAX 65536
#define CONNECT_TIMEOUT_MS 10000
#define IDLE_TIMEOUT_MS 60000
#define STREAM_BYTES 262144L /* taken at once of an answer that lasts */
/* Of others, and given at once of a body: libcurl's own 16 and 64 KB are a system call
 * each, which for a body of megabytes cost as much as signing it. */
#define ANSWER_BYTES 131072L
#define BODY_BYTES 262144L

struct watched {
	int fd;
	short events;
};

struct ryde_http {
	const struct ryde_curl *curl;
	CURLM *multi;
	/* What libcurl wants to be woken for. */
	struct watched sockets[SOCKETS_MAX];
	size_t n_sockets;
	int64_t timer_mono_ms; /* -1: none */
	CURL *easies[EASIES_KEPT];
	size_t n_easies;
};

struct ryde_http_exchange {
	struct ryde_http *http;
	CURL *easy;
	struct curl_slist *headers;
	struct ryde_http_ask ask;
	struct ryde_http_answer answer;
	struct ryde_err source_err;
	char words[CURL_ERROR_SIZE];
	bool added, done, stopped, too_long, paused;
};

/* ---- what libcurl calls ---- */

static int
on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct ryde_http *h = arg;
	size_t i = 0;

	(void)easy;
	(void)socket_arg;
	while (i < h->n_sockets && h->sockets[i].fd != fd)
		i++;
	if (what == CURL_POLL_REMOVE) {
		if (i < h->n_sockets)
			h->sockets[i] = h->sockets[--h->n_sockets];
		return 0;
	}
	if (i == SOCKETS_MAX)
		return -1;
	if (i == h->n_sockets)
		h->n_sockets++;
	h->sockets[i].fd = fd;
	h->sockets[i].events = (short)((what & CURL_POLL_IN ? POLLIN : 0) |
				       (what & CURL_POLL_OUT ? POLLOUT : 0));
	return 0;
}

static int
on_timer(CURLM *multi, long timeout_ms, void *arg)
{
	struct ryde_http *h = arg;

	(void)multi;
	h->timer_mono_ms = timeout_ms < 0 ? -1 : ryde_clock_mono_ms() + timeout_ms;
	return 0;
}

/* Commands that a program runs shall not inherit our connections. */
static curl_socket_t
on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)arg;
	(void)purpose;
	return socket(
	    address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t
on_head(char *p, size_t size, size_t n, void *arg)
{
	struct ryde_http_exchange *x = arg;
	struct ryde_buf *head = &x->answer.head;
	size_t bytes = size * n, from;
	char *colon;

	x->answer.reached = true;
	/* a new status line: what came before was a 100, or a proxy's */
	if (bytes >= 5 && memcmp(p, "HTTP/", 5) == 0) {
		ryde_buf_clear(head);
		return bytes;
	}
	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r' || p[n - 1] == ' '))
		n--;
	colon = n > 0 ? memchr(p, ':', n) : NULL;
	if (colon == NULL || head->n + n + 2 > HEAD_MAX)
		return bytes;
	from = head->n;
	ryde_buf_add(head, p, n);
	ryde_buf_putc(head, '\n');
	if (head->failed)
		return 0;
	for (size_t i = from; i < from + (size_t)(colon - p); i++)
		if (head->p[i] >= 'A' && head->p[i] <= 'Z')
			head->p[i] = (char)(head->p[i] - 'A' + 'a');
	return bytes;
}

/* Room for all of an answer whose length is known, which then never moves. */
static void
reserve(struct ryde_http_exchange *x)
{
	curl_off_t length = -1;

	if (x->http->curl->curl_easy_getinfo(
		x->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK &&
	    length > 0 && (uint64_t)length <= x->ask.answer_max)
		(void)ryde_buf_room(&x->answer.body, (size_t)length);
}

static size_t
on_body(char *p, size_t size, size_t n, void *arg)
{
	struct ryde_http_exchange *x = arg;
	struct ryde_buf *body = &x->answer.body;
	long status = 0;
	int rc;

	n *= size;
	(void)x->http->curl->curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	if (x->ask.on_data != NULL && status < 300) {
		rc = x->ask.on_data(x->ask.arg, ryde_view_mem(p, n));
		if (rc == 1) {
			x->paused = true;
			return CURL_WRITEFUNC_PAUSE;
		}
		x->stopped = rc != 0;
		return rc == 0 ? n : 0;
	}
	if (body->n == 0)
		reserve(x);
	ryde_buf_add(body, p, n);
	if (!body->failed)
		return n;
	x->too_long = body->over;
	return 0;
}

static size_t
on_source(char *to, size_t size, size_t n, void *arg)
{
	struct ryde_http_exchange *x = arg;
	int64_t got = x->ask.source(x->ask.arg, to, size * n, &x->source_err);

	if (got < 0) {
		x->stopped = true;
		return CURL_READFUNC_ABORT;
	}
	if (got == 0) {
		x->paused = true;
		return CURL_READFUNC_PAUSE;
	}
	return (size_t)got;
}

/* ---- the loop ---- */

struct ryde_http *
ryde_http_new(struct ryde_err *err)
{
	struct ryde_http *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	h->timer_mono_ms = -1;
	h->curl = ryde_curl_load(err);
	if (h->curl == NULL)
		goto out;
	h->multi = h->curl->curl_multi_init();
	if (h->multi == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	(void)h->curl->curl_multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)h->curl->curl_multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h);
	(void)h->curl->curl_multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION, on_timer);
	(void)h->curl->curl_multi_setopt(h->multi, CURLMOPT_TIMERDATA, h);
	(void)h->curl->curl_multi_setopt(
	    h->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)SOCKETS_MAX - 8);
	return h;
out:
	ryde_http_free(h);
	return NULL;
}

void
ryde_http_free(struct ryde_http *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->n_easies; i++)
		h->curl->curl_easy_cleanup(h->easies[i]);
	if (h->multi != NULL)
		(void)h->curl->curl_multi_cleanup(h->multi);
	free(h);
}

void
ryde_http_wait(struct ryde_http *h, struct ryde_waits *w)
{
	for (size_t i = 0; i < h->n_sockets; i++)
		ryde_waits_fd(w, h->sockets[i].fd, h->sockets[i].events);
	if (h->timer_mono_ms >= 0)
		ryde_waits_until(w, h->timer_mono_ms);
}

static enum ryde_http_fault
fault_of(const struct ryde_http_exchange *x, CURLcode code)
{
	if (x->stopped)
		return RYDE_HTTP_STOPPED;
	if (x->too_long)
		return RYDE_HTTP_LONG;
	switch ((int)code) {
	case CURLE_OK:
		return RYDE_HTTP_FINE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return RYDE_HTTP_RESOLVE;
	case CURLE_COULDNT_CONNECT:
		return RYDE_HTTP_CONNECT;
	case CURLE_OPERATION_TIMEDOUT:
		return RYDE_HTTP_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return RYDE_HTTP_TRUST;
	case CURLE_URL_MALFORMAT:
	case CURLE_UNSUPPORTED_PROTOCOL:
		return RYDE_HTTP_URL;
	case CURLE_GOT_NOTHING:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_PARTIAL_FILE:
	case CURLE_HTTP2:
	case CURLE_HTTP2_STREAM:
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_WEIRD_SERVER_REPLY:
		return RYDE_HTTP_LOST;
	default:
		return RYDE_HTTP_OTHER;
	}
}

static void
finish(struct ryde_http_exchange *x, CURLcode code)
{
	const struct ryde_curl *curl = x->http->curl;
	struct ryde_http_answer *a = &x->answer;
	long status = 0;
	struct ryde_view date;

	(void)curl->curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
	a->status = (int)status;
	a->fault = fault_of(x, code);
	date = ryde_http_header(a, "date");
	a->date_unix_s = date.n > 0 ? ryde_http_date(date) : -1;
	if (code != CURLE_OK) {
		const char *words =
		    x->words[0] != '\0' ? x->words : curl->curl_easy_strerror(code);
		size_t n = strcspn(words, "\r\n");

		if (n >= sizeof(a->detail))
			n = sizeof(a->detail) - 1;
		memcpy(a->detail, words, n);
		a->detail[n] = '\0';
	}
	x->done = true;
}

static int
act(struct ryde_http *h, curl_socket_t fd, int events, struct ryde_err *err)
{
	int running;
	CURLMcode code =
	    h->curl->curl_multi_socket_action(h->multi, fd, events, &running);

	/* a socket that is gone meanwhile is nobody's fault */
	if (code == CURLM_OK || code == CURLM_BAD_SOCKET)
		return 0;
	return ryde_err_set(
	    err, RYDE_ESOFTWARE, "libcurl: %s", h->curl->curl_multi_strerror(code));
}

int
ryde_http_turn(struct ryde_http *h, struct ryde_err *err)
{
	struct pollfd fds[SOCKETS_MAX];
	size_t n = h->n_sockets;
	struct CURLMsg *message;
	int left;

	for (size_t i = 0; i < n; i++)
		fds[i] = (struct pollfd){
		    .fd = h->sockets[i].fd, .events = h->sockets[i].events};
	if (n > 0 && poll(fds, (nfds_t)n, 0) > 0) {
		for (size_t i = 0; i < n; i++) {
			int events =
			    (fds[i].revents & (POLLIN | POLLHUP) ? CURL_CSELECT_IN : 0) |
			    (fds[i].revents & POLLOUT ? CURL_CSELECT_OUT : 0) |
			    (fds[i].revents & (POLLERR | POLLNVAL) ? CURL_CSELECT_ERR
								   : 0);

			if (events != 0 && act(h, fds[i].fd, events, err) != 0)
				return -1;
		}
	}
	if (h->timer_mono_ms >= 0 && ryde_clock_mono_ms() >= h->timer_mono_ms) {
		h->timer_mono_ms = -1;
		if (act(h, CURL_SOCKET_TIMEOUT, 0, err) != 0)
			return -1;
	}
	while ((message = h->curl->curl_multi_info_read(h->multi, &left)) != NULL) {
		struct ryde_http_exchange *x = NULL;

		if (message->msg != CURLMSG_DONE)
			continue;
		(void)h->curl->curl_easy_getinfo(
		    message->easy_handle, CURLINFO_PRIVATE, &x);
		finish(x, message->data.result);
	}
	return 0;
}

/* ---- one exchange ---- */

static void
set_body(struct ryde_http_exchange *x)
{
	const struct ryde_curl *curl = x->http->curl;
	const struct ryde_http_ask *ask = &x->ask;

	if (ask->source != NULL) {
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_UPLOAD, 1L);
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_READFUNCTION, on_source);
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_READDATA, x);
		(void)curl->curl_easy_setopt(
		    x->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)ask->source_bytes);
	} else if (ask->body.n > 0 ||
		   (ask->method != NULL && strcmp(ask->method, "POST") == 0) ||
		   (ask->method != NULL && strcmp(ask->method, "PUT") == 0)) {
		(void)curl->curl_easy_setopt(
		    x->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)ask->body.n);
		(void)curl->curl_easy_setopt(
		    x->easy, CURLOPT_POSTFIELDS, ask->body.n > 0 ? ask->body.p : "");
	} else if (ask->method != NULL && strcmp(ask->method, "HEAD") == 0) {
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_NOBODY, 1L);
	}
	if (ask->method != NULL)
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_CUSTOMREQUEST, ask->method);
}

static void
set_limits(struct ryde_http_exchange *x)
{
	const struct ryde_curl *curl = x->http->curl;
	const struct ryde_http_ask *ask = &x->ask;
	int64_t idle_ms =
	    ask->idle_timeout_ms > 0 ? ask->idle_timeout_ms : IDLE_TIMEOUT_MS;

	(void)curl->curl_easy_setopt(x->easy, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)(ask->connect_timeout_ms > 0 ? ask->connect_timeout_ms
					       : CONNECT_TIMEOUT_MS));
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
	(void)curl->curl_easy_setopt(
	    x->easy, CURLOPT_LOW_SPEED_TIME, (long)((idle_ms + 999) / 1000));
	if (ask->timeout_ms > 0)
		(void)curl->curl_easy_setopt(
		    x->easy, CURLOPT_TIMEOUT_MS, (long)ask->timeout_ms);
	if (ask->ca_file != NULL)
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_CAINFO, ask->ca_file);
	if (ask->multiplex)
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_PIPEWAIT, 1L);
	(void)curl->curl_easy_setopt(
	    x->easy, CURLOPT_BUFFERSIZE, ask->multiplex ? STREAM_BYTES : ANSWER_BYTES);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_UPLOAD_BUFFERSIZE, BODY_BYTES);
	if (ask->no_proxy)
		(void)curl->curl_easy_setopt(x->easy, CURLOPT_NOPROXY, "*");
}

static void
set_all(struct ryde_http_exchange *x)
{
	const struct ryde_curl *curl = x->http->curl;

	(void)curl->curl_easy_setopt(x->easy, CURLOPT_URL, x->ask.url);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)curl->curl_easy_setopt(
	    x->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_PATH_AS_IS, 1L);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_NOSIGNAL, 1L);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_TCP_NODELAY, 1L);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_USERAGENT, "ryde/" RYDE_VERSION);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_PRIVATE, x);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_ERRORBUFFER, x->words);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_HEADERFUNCTION, on_head);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_HEADERDATA, x);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_WRITEDATA, x);
	(void)curl->curl_easy_setopt(x->easy, CURLOPT_HTTPHEADER, x->headers);
	set_body(x);
	set_limits(x);
}

static int
copy_headers(struct ryde_http_exchange *x, struct ryde_err *err)
{
	const struct ryde_curl *curl = x->http->curl;

	for (size_t i = 0; i < x->ask.n_headers; i++) {
		struct curl_slist *longer =
		    curl->curl_slist_append(x->headers, x->ask.headers[i]);

		if (longer == NULL)
			return ryde_err_nomem(err);
		x->headers = longer;
	}
	return 0;
}

struct ryde_http_exchange *
ryde_http_start(
    struct ryde_http *h, const struct ryde_http_ask *ask, struct ryde_err *err)
{
	struct ryde_http_exchange *x = calloc(1, sizeof(*x));

	if (x == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	x->http = h;
	x->ask = *ask;
	ryde_buf_init(&x->answer.head, HEAD_MAX);
	ryde_buf_init(&x->answer.body, ask->answer_max);
	/* room for all of it at once, so that no secret is left behind where it grew */
	if (ask->secret && ryde_buf_room(&x->answer.body, ask->answer_max) == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	x->easy = h->n_easies > 0 ? h->easies[--h->n_easies] : h->curl->curl_easy_init();
	if (x->easy == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	if (copy_headers(x, err) != 0)
		goto out;
	set_all(x);
	if (h->curl->curl_multi_add_handle(h->multi, x->easy) != CURLM_OK) {
		(void)ryde_err_set(err, RYDE_EOSERR, "libcurl takes no more requests");
		goto out;
	}
	x->added = true;
	return x;
out:
	ryde_http_end(x);
	return NULL;
}

const struct ryde_http_answer *
ryde_http_answer(const struct ryde_http_exchange *x)
{
	return x->done ? &x->answer : NULL;
}

struct ryde_view
ryde_http_header(const struct ryde_http_answer *a, const char *name)
{
	size_t n = strlen(name);
	const char *p = a->head.p, *end;

	if (p == NULL)
		return ryde_view_mem(NULL, 0);
	end = p + a->head.n;
	while (p < end) {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));

		if ((size_t)(line_end - p) > n && p[n] == ':' &&
		    memcmp(p, name, n) == 0) {
			p += n + 1;
			while (p < line_end && (*p == ' ' || *p == '\t'))
				p++;
			return ryde_view_mem(p, (size_t)(line_end - p));
		}
		p = line_end + 1;
	}
	return ryde_view_mem(NULL, 0);
}

const struct ryde_err *
ryde_http_source_err(const struct ryde_http_exchange *x)
{
	return &x->source_err;
}

void
ryde_http_resume(struct ryde_http_exchange *x)
{
	if (!x->paused || x->done)
		return;
	x->paused = false;
	(void)x->http->curl->curl_easy_pause(x->easy, CURLPAUSE_CONT);
}

void
ryde_http_end(struct ryde_http_exchange *x)
{
	struct ryde_http *h;

	if (x == NULL)
		return;
	h = x->http;
	if (x->added)
		(void)h->curl->curl_multi_remove_handle(h->multi, x->easy);
	if (x->easy != NULL && h->n_easies < EASIES_KEPT) {
		h->curl->curl_easy_reset(x->easy);
		h->easies[h->n_easies++] = x->easy;
	} else if (x->easy != NULL) {
		h->curl->curl_easy_cleanup(x->easy);
	}
	h->curl->curl_slist_free_all(x->headers);
	if (x->ask.secret && x->answer.body.p != NULL)
		OPENSSL_cleanse(x->answer.body.p, x->answer.body.cap);
	ryde_buf_free(&x->answer.body);
	ryde_buf_free(&x->answer.head);
	free(x);
}

int
ryde_http_finish(
    struct ryde_http *h, const struct ryde_http_exchange *x, struct ryde_err *err)
{
	struct ryde_waits w = {.n = 0};

	for (;;) {
		if (ryde_http_turn(h, err) != 0)
			return -1;
		if (x->done)
			return 0;
		ryde_waits_begin(&w);
		ryde_http_wait(h, &w);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
	}
}
