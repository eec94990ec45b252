#include "engine/map_listen.h"

#include "base/err.h"
#include "base/num.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 128
/* What the kernel keeps for a viewer that does not read. It bounds how old the newest
 * thing is that such a viewer sees, so it is small. */
#define SEND_BYTES (128 << 10)

#define HOST_MAX 256

/* Takes where apart: the host as getaddrinfo wants it, and the port. */
static bool
parse(const char *where, char *host, int64_t *port)
{
	const char *colon = strrchr(where, ':');
	struct ryde_view h = ryde_view_of(where), p = h;

	if (colon != NULL) {
		h.n = (size_t)(colon - where);
		p = ryde_view_of(colon + 1);
	} else {
		h.n = 0;
	}
	if (h.n >= 2 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = ryde_view_mem(h.p + 1, h.n - 2);
	else if (h.n > 0 && memchr(h.p, ':', h.n) != NULL)
		return false;
	if (h.n >= HOST_MAX || !ryde_num_i64(p, 0, 65535, port))
		return false;
	memcpy(host, h.n > 0 ? h.p : "127.0.0.1", h.n > 0 ? h.n : 10);
	host[h.n > 0 ? h.n : 9] = '\0';
	return true;
}

static bool
is_loopback(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		return ntohl(in.sin_addr.s_addr) >> 24 == 127;
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
	}
	return false;
}

/* The address as it was bound, for a browser: "any address" is this machine's own. */
static int
describe(struct ryde_map_listen *out, struct ryde_err *err)
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);
	char text[INET6_ADDRSTRLEN] = "";
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (getsockname(out->fd, (struct sockaddr *)&ss, &n) != 0)
		return ryde_err_sys(err, RYDE_EUNAVAILABLE, "getsockname");
	out->public = !is_loopback((struct sockaddr *)&ss);
	if (ss.ss_family == AF_INET6) {
		memcpy(&in6, &ss, sizeof(in6));
		out->port = ntohs(in6.sin6_port);
		(void)inet_ntop(AF_INET6, &in6.sin6_addr, text, sizeof(text));
		if (IN6_IS_ADDR_UNSPECIFIED(&in6.sin6_addr))
			(void)snprintf(text, sizeof(text), "::1");
		(void)snprintf(
		    out->url, sizeof(out->url), "http://[%s]:%d/", text, out->port);
		return 0;
	}
	memcpy(&in, &ss, sizeof(in));
	out->port = ntohs(in.sin_port);
	if (in.sin_addr.s_addr == htonl(INADDR_ANY))
		in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)inet_ntop(AF_INET, &in.sin_addr, text, sizeof(text));
	(void)snprintf(out->url, sizeof(out->url), "http://%s:%d/", text, out->port);
	return 0;
}

static int
bind_to(const struct addrinfo *a)
{
	int one = 1, bytes = SEND_BYTES, saved;
	int fd = socket(a->ai_family, a->ai_socktype, a->ai_protocol);

	if (fd < 0)
		return -1;
	(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	/* a restart need not wait for the connections of the run before */
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

int
ryde_map_listen(const char *where, struct ryde_map_listen *out, struct ryde_err *err)
{
	struct addrinfo hints = {
	    .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	char host[HOST_MAX], service[8];
	int64_t port;
	int rc;

	if (!parse(where, host, &port))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "'%s' is no address to listen at: HOST:PORT, such as 127.0.0.1:8808 "
		    "or [::1]:8808",
		    where);
	(void)snprintf(service, sizeof(service), "%d", (int)port);
	rc = getaddrinfo(strcmp(host, "*") == 0 ? NULL : host, service, &hints, &found);
	if (rc != 0)
		return ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "%s: %s", where, gai_strerror(rc));
	out->fd = -1;
	for (const struct addrinfo *a = found; a != NULL && out->fd < 0; a = a->ai_next)
		out->fd = bind_to(a);
	if (out->fd < 0)
		rc = ryde_err_sys(err, RYDE_EUNAVAILABLE,
		    "cannot listen at %s (--listen chooses another address)", where);
	freeaddrinfo(found);
	if (out->fd >= 0 && describe(out, err) != 0) {
		(void)close(out->fd);
		return -1;
	}
	return rc;
}
