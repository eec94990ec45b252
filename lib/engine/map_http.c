#include "engine/map_http.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/num.h"
#include "base/waits.h"
#include "engine/map_answer.h"
#include "engine/map_assets.h"
#include "engine/map_auth.h"
#include "engine/map_fleet.h"
#include "engine/map_listen.h"
#include "engine/map_viewer.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 512
#define CONNECTIONS_CROWDED 256 /* from here on, who is oldest and no viewer must go */
#define CONNECTION_BYTES (32u << 10)
#define SWEEP_MS 250
#define BYE_MS 300

/* A connection. `since` is when it was made, or last answered. */
struct peer {
	struct peer *next, *prev;
	int fd;
	int64_t since_mono_ms;
	struct watcher *watcher; /* it has the stream open */
};

/* A viewer's stream, and where it stands with libmicrohttpd. */
struct watcher {
	struct watcher *next, *prev;
	struct ryde_map_http *http;
	struct MHD_Connection *connection;
	struct peer *peer; /* NULL once the connection is gone */
	struct ryde_map_viewer viewer;
	bool resting;		/* suspended: there is nothing to tell it */
	bool lost;		/* it has hung up */
	int64_t pulled_mono_ms; /* when it last took something */
};

struct ryde_map_http {
	struct ryde_map_http_opts o;
	struct ryde_map_listen at;
	struct ryde_map_answers answers;
	const struct ryde_map_mhd *mhd; /* NULL until somebody connects */
	struct MHD_Daemon *daemon;
	int epoll;
	struct peer *peers; /* the newest first */
	size_t n_peers;
	struct watcher *watchers;
	size_t n_watchers;
	int64_t now_mono_ms, sweep_mono_ms;
	bool bye;
	char cookie[32]; /* its name */
};

/* ---- streams and details ---- */

static enum MHD_Result
send_details(struct ryde_map_http *h, struct MHD_Connection *c)
{
	const char *id =
	    h->mhd->MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "id");
	struct MHD_Response *r = NULL;
	struct ryde_buf b;
	uint64_t number;

	ryde_buf_init(&b, 64 << 10);
	if (!ryde_num_u64(ryde_view_of(id), UINT64_MAX, &number) ||
	    !ryde_map_fleet_details(h->o.fleet, number, &b)) {
		ryde_buf_free(&b);
		return ryde_map_answer_send(&h->answers, c, MHD_HTTP_NOT_FOUND,
		    ryde_map_answer_text(&h->answers, "no such unicorn\n"));
	}
	r = ryde_map_answer_of(&h->answers, &b);
	ryde_buf_free(&b);
	if (r != NULL) {
		ryde_map_answer_header(
		    &h->answers, r, "Content-Type", "application/json");
		ryde_map_answer_header(&h->answers, r, "Cache-Control", "no-store");
	}
	return ryde_map_answer_send(&h->answers, c, MHD_HTTP_OK, r);
}

static ssize_t
stream_read(void *arg, uint64_t at, char *to, size_t n)
{
	struct watcher *w = arg;
	struct ryde_map_http *h = w->http;
	size_t got;

	(void)at;
	if (w->lost)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	w->pulled_mono_ms = h->now_mono_ms;
	got = ryde_map_viewer_read(&w->viewer, h->bye, h->now_mono_ms, to, n);
	if (got > 0)
		return (ssize_t)got;
	if (w->viewer.gone)
		return MHD_CONTENT_READER_END_OF_STREAM;
	w->resting = true;
	h->mhd->MHD_suspend_connection(w->connection);
	return 0;
}

static void
stream_free(void *arg)
{
	struct watcher *w = arg;
	struct ryde_map_http *h = w->http;

	if (w->next != NULL)
		w->next->prev = w->prev;
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		h->watchers = w->next;
	if (w->peer != NULL) {
		w->peer->watcher = NULL;
		w->peer->since_mono_ms = h->now_mono_ms;
	}
	h->n_watchers--;
	ryde_map_viewer_free(&w->viewer);
	free(w);
}

static struct peer *
peer_of(struct ryde_map_http *h, struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info =
	    h->mhd->MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	return info != NULL ? info->socket_context : NULL;
}

static enum MHD_Result
send_stream(struct ryde_map_http *h, struct MHD_Connection *c)
{
	struct peer *p = peer_of(h, c);
	struct MHD_Response *r;
	struct watcher *w;

	if (h->n_watchers >= RYDE_MAP_VIEWERS_MAX || p == NULL || h->bye) {
		r = ryde_map_answer_text(&h->answers, "64 viewers are looking already\n");
		if (r != NULL)
			ryde_map_answer_header(&h->answers, r, "Retry-After", "10");
		return ryde_map_answer_send(
		    &h->answers, c, MHD_HTTP_SERVICE_UNAVAILABLE, r);
	}
	w = calloc(1, sizeof(*w));
	if (w == NULL)
		return MHD_NO;
	w->http = h;
	w->connection = c;
	w->pulled_mono_ms = h->now_mono_ms;
	ryde_map_viewer_init(&w->viewer, h->o.fleet, h->o.settings);
	r = h->mhd->MHD_create_response_from_callback(
	    MHD_SIZE_UNKNOWN, 16 << 10, stream_read, w, stream_free);
	if (r == NULL) {
		ryde_map_viewer_free(&w->viewer);
		free(w);
		return MHD_NO;
	}
	w->peer = p;
	p->watcher = w;
	w->next = h->watchers;
	if (w->next != NULL)
		w->next->prev = w;
	h->watchers = w;
	h->n_watchers++;
	ryde_map_answer_header(&h->answers, r, "Content-Type", "text/event-stream");
	ryde_map_answer_header(&h->answers, r, "Cache-Control", "no-store");
	/* proxies must not gather it */
	ryde_map_answer_header(&h->answers, r, "X-Accel-Buffering", "no");
	return ryde_map_answer_send(&h->answers, c, MHD_HTTP_OK, r);
}

/* ---- requests ---- */

/* The URL with the token: a cookie takes its place, so that it does not stay on screen.
 */
static enum MHD_Result
send_cookie(struct ryde_map_http *h, struct MHD_Connection *c)
{
	struct MHD_Response *r = ryde_map_answer_text(&h->answers, "");
	char value[RYDE_MAP_TOKEN_MAX + 128];

	if (r == NULL)
		return MHD_NO;
	(void)snprintf(value, sizeof(value), "%s=%s; HttpOnly; SameSite=Strict%s",
	    h->cookie, h->o.token,
	    ryde_view_is(
		ryde_map_answer_asked(&h->answers, c, "X-Forwarded-Proto"), "https")
		? "; Secure"
		: "");
	ryde_map_answer_header(&h->answers, r, "Set-Cookie", value);
	ryde_map_answer_header(&h->answers, r, "Location", "./");
	return ryde_map_answer_send(&h->answers, c, MHD_HTTP_SEE_OTHER, r);
}

static bool
has_token(struct ryde_map_http *h, struct MHD_Connection *c)
{
	struct ryde_view given = ryde_view_of(
	    h->mhd->MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "token"));

	return ryde_map_auth_equal(given, ryde_view_of(h->o.token));
}

static bool
has_cookie(struct ryde_map_http *h, struct MHD_Connection *c)
{
	struct ryde_view given = ryde_map_auth_cookie(
	    ryde_map_answer_asked(&h->answers, c, "Cookie"), h->cookie);

	return ryde_map_auth_equal(given, ryde_view_of(h->o.token));
}

static enum MHD_Result
route(struct ryde_map_http *h, struct MHD_Connection *c, const char *url, bool head)
{
	const struct ryde_map_asset *a;

	if (h->o.token != NULL && strcmp(url, "/") == 0 && has_token(h, c))
		return send_cookie(h, c);
	if (h->o.token != NULL && !has_cookie(h, c))
		return ryde_map_answer_send(&h->answers, c, MHD_HTTP_UNAUTHORIZED,
		    ryde_map_answer_text(&h->answers,
			"Open the address that ryde-map printed: it carries the "
			"token.\n"));
	if (strcmp(url, "/live") == 0 && !head)
		return send_stream(h, c);
	if (strcmp(url, "/unicorn") == 0)
		return send_details(h, c);
	a = ryde_map_assets_find(strcmp(url, "/") == 0 ? "index.html" : url + 1);
	if (a != NULL)
		return ryde_map_answer_asset(&h->answers, c, a);
	return ryde_map_answer_send(&h->answers, c, MHD_HTTP_NOT_FOUND,
	    ryde_map_answer_text(&h->answers, "there is no such page\n"));
}

static enum MHD_Result
on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *data, size_t *data_n, void **state)
{
	struct ryde_map_http *h = arg;
	bool head = strcmp(method, "HEAD") == 0;

	(void)version;
	(void)data;
	/* its head alone first, then any body: what cannot be answered ends at once */
	if (*state != NULL && *data_n > 0) {
		*data_n = 0;
		return MHD_YES;
	}
	if (!ryde_map_auth_host(
		ryde_map_answer_asked(&h->answers, c, "Host"), h->o.hosts, h->o.n_hosts))
		return ryde_map_answer_send(&h->answers, c, MHD_HTTP_FORBIDDEN,
		    ryde_map_answer_text(&h->answers,
			"This server does not answer to that name "
			"(--host names it).\n"));
	if (!head && strcmp(method, "GET") != 0) {
		struct MHD_Response *r =
		    ryde_map_answer_text(&h->answers, "The map is for looking only.\n");

		if (r != NULL)
			ryde_map_answer_header(&h->answers, r, "Allow", "GET, HEAD");
		return ryde_map_answer_send(
		    &h->answers, c, MHD_HTTP_METHOD_NOT_ALLOWED, r);
	}
	if (*state == NULL) {
		*state = h;
		return MHD_YES;
	}
	return url[0] == '/' ? route(h, c, url, head) : MHD_NO;
}

static void
on_completed(void *arg, struct MHD_Connection *c, void **state,
    enum MHD_RequestTerminationCode why)
{
	struct ryde_map_http *h = arg;
	struct peer *p = peer_of(h, c);

	(void)state;
	(void)why;
	if (p != NULL)
		p->since_mono_ms = h->now_mono_ms;
}

/* ---- connections ---- */

/* The oldest connection that is no viewer's makes room. */
static void
evict(struct ryde_map_http *h)
{
	struct peer *oldest = NULL;

	for (struct peer *p = h->peers; p != NULL; p = p->next)
		if (p->watcher == NULL &&
		    (oldest == NULL || p->since_mono_ms <= oldest->since_mono_ms))
			oldest = p;
	if (oldest != NULL)
		(void)shutdown(oldest->fd, SHUT_RDWR);
}

static void
on_connection(void *arg, struct MHD_Connection *c, void **context,
    enum MHD_ConnectionNotificationCode what)
{
	struct ryde_map_http *h = arg;
	struct peer *p = *context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		p = calloc(1, sizeof(*p));
		*context = p;
		if (p == NULL)
			return;
		p->fd =
		    h->mhd->MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)
			->connect_fd;
		p->since_mono_ms = h->now_mono_ms;
		p->next = h->peers;
		if (p->next != NULL)
			p->next->prev = p;
		h->peers = p;
		if (++h->n_peers > CONNECTIONS_CROWDED)
			evict(h);
		return;
	}
	if (p == NULL)
		return;
	if (p->watcher != NULL)
		p->watcher->peer = NULL;
	if (p->next != NULL)
		p->next->prev = p->prev;
	if (p->prev != NULL)
		p->prev->next = p->next;
	else
		h->peers = p->next;
	h->n_peers--;
	free(p);
	*context = NULL;
}

static void
resume(struct watcher *w)
{
	w->resting = false;
	w->http->mhd->MHD_resume_connection(w->connection);
}

/* Ends connections that do not get on: requests that are never finished, viewers that
 * take nothing or have hung up. */
static void
sweep(struct ryde_map_http *h)
{
	char byte;

	for (struct peer *p = h->peers; p != NULL; p = p->next) {
		struct watcher *w = p->watcher;

		if (w == NULL) {
			if (h->now_mono_ms - p->since_mono_ms >= h->o.patience_ms)
				(void)shutdown(p->fd, SHUT_RDWR);
		} else if (!w->resting &&
			   h->now_mono_ms - w->pulled_mono_ms >= h->o.patience_ms) {
			ryde_log(RYDE_LOG_INFO, "a viewer that takes nothing is dropped");
			w->lost = true;
			(void)shutdown(p->fd, SHUT_RDWR);
		} else if (w->resting &&
			   recv(p->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
			w->lost = true;
			resume(w);
		}
	}
}

/* ---- the daemon ---- */

static int
start(struct ryde_map_http *h, struct ryde_err *err)
{
	const union MHD_DaemonInfo *info;

	h->answers.mhd = h->mhd = ryde_map_mhd(err);
	if (h->mhd == NULL)
		return -1;
	h->daemon = h->mhd->MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0,
	    NULL, NULL, on_request, h, MHD_OPTION_LISTEN_SOCKET, h->at.fd,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_BYTES,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)60, MHD_OPTION_NOTIFY_COMPLETED,
	    on_completed, h, MHD_OPTION_NOTIFY_CONNECTION, on_connection, h,
	    MHD_OPTION_END);
	if (h->daemon == NULL)
		return ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "libmicrohttpd cannot serve the map");
	/* it closes the socket from now on */
	h->at.fd = -1;
	info = h->mhd->MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	if (info == NULL)
		return ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "libmicrohttpd has no epoll here");
	h->epoll = info->epoll_fd;
	return 0;
}

struct ryde_map_http *
ryde_map_http_new(const struct ryde_map_http_opts *opts, struct ryde_err *err)
{
	struct ryde_map_http *h = calloc(1, sizeof(*h));

	if (h == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	h->o = *opts;
	h->at.fd = h->epoll = -1;
	if (ryde_map_answer_init(&h->answers, opts->tiles, err) != 0 ||
	    ryde_map_listen(opts->listen, &h->at, err) != 0) {
		free(h);
		return NULL;
	}
	/* cookies know no ports: two maps on one machine keep theirs apart by name */
	(void)snprintf(h->cookie, sizeof(h->cookie), "ryde-map-%d", h->at.port);
	return h;
}

void
ryde_map_http_free(struct ryde_map_http *h)
{
	if (h == NULL)
		return;
	if (h->daemon != NULL) {
		/* it does not stop with suspended connections */
		for (struct watcher *w = h->watchers; w != NULL; w = w->next) {
			w->lost = true;
			if (w->resting)
				resume(w);
		}
		(void)h->mhd->MHD_run(h->daemon);
		h->mhd->MHD_stop_daemon(h->daemon);
	}
	if (h->at.fd >= 0)
		(void)close(h->at.fd);
	free(h);
}

const char *
ryde_map_http_url(const struct ryde_map_http *h)
{
	return h->at.url;
}

bool
ryde_map_http_is_public(const struct ryde_map_http *h)
{
	return h->at.public;
}

size_t
ryde_map_http_viewers(const struct ryde_map_http *h)
{
	return h->n_watchers;
}

/* ---- turns ---- */

void
ryde_map_http_wait(struct ryde_map_http *h, struct ryde_waits *w)
{
	MHD_UNSIGNED_LONG_LONG left;

	if (h->daemon == NULL) {
		ryde_waits_fd(w, h->at.fd, POLLIN);
		return;
	}
	ryde_waits_fd(w, h->epoll, POLLIN);
	if (h->mhd->MHD_get_timeout(h->daemon, &left) == MHD_YES)
		ryde_waits_until(
		    w, h->now_mono_ms + (int64_t)(left < 60000 ? left : 60000));
	if (h->n_peers > 0)
		ryde_waits_until(w, h->sweep_mono_ms + SWEEP_MS);
}

static bool
wake_watchers(struct ryde_map_http *h)
{
	bool any = false;

	for (struct watcher *w = h->watchers; w != NULL; w = w->next) {
		if (w->resting &&
		    ryde_map_viewer_due(&w->viewer, h->bye, h->now_mono_ms)) {
			resume(w);
			any = true;
		}
	}
	return any;
}

static bool
is_ready(const struct ryde_map_http *h)
{
	struct pollfd p = {
	    .fd = h->daemon != NULL ? h->epoll : h->at.fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

int
ryde_map_http_turn(struct ryde_map_http *h, int64_t now_mono_ms, struct ryde_err *err)
{
	MHD_UNSIGNED_LONG_LONG left;

	h->now_mono_ms = now_mono_ms;
	if (h->daemon == NULL) {
		if (!is_ready(h))
			return 0;
		if (start(h, err) != 0)
			return -1;
	}
	if (now_mono_ms - h->sweep_mono_ms >= SWEEP_MS) {
		h->sweep_mono_ms = now_mono_ms;
		sweep(h);
	}
	if (!wake_watchers(h) && !is_ready(h) &&
	    (h->mhd->MHD_get_timeout(h->daemon, &left) != MHD_YES || left > 0))
		return 0;
	/* a few rounds: an answer is made in one and sent in the next */
	for (int i = 0; i < 4; i++) {
		(void)h->mhd->MHD_run(h->daemon);
		if (h->mhd->MHD_get_timeout(h->daemon, &left) != MHD_YES || left > 0)
			break;
	}
	return 0;
}

void
ryde_map_http_bye(struct ryde_map_http *h)
{
	struct timespec pause = {.tv_nsec = 5000000};

	h->bye = true;
	for (int i = 0; i < BYE_MS / 5 && h->n_watchers > 0; i++) {
		(void)ryde_map_http_turn(h, h->now_mono_ms + 5, NULL);
		if (h->n_watchers > 0)
			(void)nanosleep(&pause, NULL);
	}
}
