#include "engine/process_peer.h"

#include "base/log.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* "  3: 0100007F:9C40 0100007F:1F90 01 …": the number at the start of a word, in base 16
 * or 10. */
static bool
number(const char **p, unsigned base, unsigned long *to)
{
	const char *start;
	unsigned digit;

	while (**p == ' ' || **p == ':')
		++*p;
	start = *p;
	for (*to = 0;; ++*p) {
		char c = **p;

		if (c >= '0' && c <= '9')
			digit = (unsigned)(c - '0');
		else if (c >= 'A' && c <= 'F')
			digit = (unsigned)(c - 'A') + 10;
		else
			break;
		if (digit >= base)
			break;
		*to = *to * base + digit;
	}
	return *p != start;
}

/* The user of a line whose local end is `port` and whose remote one is `ours`. */
static bool
read_row(const char *line, unsigned port, unsigned ours, unsigned long *uid)
{
	unsigned long slot, address, local, remote_address, remote, skipped;
	const char *p = line;

	if (!number(&p, 10, &slot) || !number(&p, 16, &address) ||
	    !number(&p, 16, &local) || !number(&p, 16, &remote_address) ||
	    !number(&p, 16, &remote))
		return false;
	if (local != port || remote != ours)
		return false;
	for (int i = 0; i < 6; i++) /* state, two queues, timer and its end, retries */
		if (!number(&p, 16, &skipped))
			return false;
	return number(&p, 10, uid);
}

static bool
port_of(int fd, bool peer, unsigned *port)
{
	struct sockaddr_in at;
	socklen_t n = sizeof at;

	if ((peer ? getpeername(fd, (struct sockaddr *)&at, &n)
		  : getsockname(fd, (struct sockaddr *)&at, &n)) != 0)
		return false;
	*port = ntohs(at.sin_port);
	return true;
}

bool
ryde_process_peer_is_ours(int fd)
{
	unsigned port, ours;
	unsigned long uid = 0;
	bool found = false;
	char line[512];
	FILE *f;

	if (!port_of(fd, true, &port) || !port_of(fd, false, &ours))
		return false;
	f = fopen("/proc/net/tcp", "re");
	while (!found && f != NULL && fgets(line, sizeof line, f) != NULL)
		found = read_row(line, port, ours, &uid);
	if (f != NULL)
		fclose(f);
	if (found && (uid == 0 || uid == geteuid()))
		return true;
	ryde_log(RYDE_LOG_WARNING,
	    "a connection to the Runtime API from another user was refused");
	return false;
}
