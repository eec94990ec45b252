#include "engine/map_auth.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define TOKEN_MIN 16

bool
ryde_map_auth_equal(struct ryde_view a, struct ryde_view b)
{
	volatile unsigned char differ = a.n != b.n;

	/* as many steps as the one that was given has, whatever ours is */
	for (size_t i = 0; i < a.n; i++)
		differ =
		    (unsigned char)(differ | (a.p[i] ^ (b.n > 0 ? b.p[i % b.n] : '\0')));
	return differ == 0;
}

/* ---- hosts ---- */

static bool
is_port(struct ryde_view v)
{
	if (v.n == 0)
		return true;
	if (v.p[0] != ':' || v.n > 6)
		return false;
	for (size_t i = 1; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

static bool
is_address(int family, struct ryde_view v)
{
	char text[INET6_ADDRSTRLEN];
	unsigned char bytes[16];

	if (v.n == 0 || v.n >= sizeof(text) || memchr(v.p, '\0', v.n) != NULL)
		return false;
	memcpy(text, v.p, v.n);
	text[v.n] = '\0';
	return inet_pton(family, text, bytes) == 1;
}

static bool
same_name(struct ryde_view v, const char *name)
{
	return v.n == strlen(name) && strncasecmp(v.p, name, v.n) == 0;
}

bool
ryde_map_auth_host(struct ryde_view host, const char *const *names, size_t n_names)
{
	const char *end, *colon;
	struct ryde_view name = host, port = ryde_view_mem(NULL, 0);

	if (host.n == 0)
		return false;
	if (host.p[0] == '[') {
		end = memchr(host.p, ']', host.n);
		if (end == NULL)
			return false;
		name = ryde_view_mem(host.p + 1, (size_t)(end - host.p) - 1);
		port = ryde_view_mem(end + 1, host.n - name.n - 2);
		return is_port(port) && is_address(AF_INET6, name);
	}
	colon = memchr(host.p, ':', host.n);
	if (colon != NULL) {
		name.n = (size_t)(colon - host.p);
		port = ryde_view_mem(colon, host.n - name.n);
	}
	if (!is_port(port))
		return false;
	if (is_address(AF_INET, name) || same_name(name, "localhost"))
		return true;
	for (size_t i = 0; i < n_names; i++)
		if (same_name(name, names[i]))
			return true;
	return false;
}

/* ---- cookies ---- */

struct ryde_view
ryde_map_auth_cookie(struct ryde_view header, const char *name)
{
	size_t name_n = strlen(name), at = 0;

	while (at < header.n) {
		const char *p = header.p + at;
		const char *end = memchr(p, ';', header.n - at);
		size_t n = end != NULL ? (size_t)(end - p) : header.n - at;

		at += n + 1;
		for (; n > 0 && *p == ' '; p++)
			n--;
		if (n > name_n && memcmp(p, name, name_n) == 0 && p[name_n] == '=')
			return ryde_view_mem(p + name_n + 1, n - name_n - 1);
	}
	return ryde_view_mem(NULL, 0);
}

/* ---- the file ---- */

static bool
is_token(struct ryde_view v)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwx"
				      "yz0123456789-_";

	for (size_t i = 0; i < v.n; i++)
		if (v.p[i] == '\0' || strchr(letters, v.p[i]) == NULL)
			return false;
	return v.n >= TOKEN_MIN && v.n <= RYDE_MAP_TOKEN_MAX;
}

static int
make_file(const char *path, char *to, struct ryde_err *err)
{
	char text[RYDE_RANDOM_TOKEN + 2];

	if (ryde_random_token(to, err) != 0)
		return -1;
	memcpy(text, to, RYDE_RANDOM_TOKEN);
	text[RYDE_RANDOM_TOKEN] = '\n';
	return ryde_file_replace(path, ryde_view_mem(text, RYDE_RANDOM_TOKEN + 1), err);
}

int
ryde_map_auth_token_file(const char *path, char *to, struct ryde_err *err)
{
	struct ryde_view token;
	struct ryde_buf b;
	struct stat st;
	int rc = -1;

	if (stat(path, &st) != 0 && errno == ENOENT)
		return make_file(path, to, err);
	ryde_buf_init(&b, 4096);
	if (ryde_file_read(path, &b, err) != 0)
		goto out;
	token = ryde_buf_as_view(&b);
	while (
	    token.n > 0 && (token.p[token.n - 1] == '\n' || token.p[token.n - 1] == '\r'))
		token.n--;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
		ryde_err_set(
		    err, RYDE_ECONFIG, "%s: others may read the token (chmod 600)", path);
	else if (!is_token(token))
		ryde_err_set(err, RYDE_ECONFIG,
		    "%s: no token (16 to 128 of A-Z a-z 0-9 - _)", path);
	else
		rc = 0;
	if (rc == 0) {
		memcpy(to, token.p, token.n);
		to[token.n] = '\0';
	}
out:
	ryde_buf_free(&b);
	return rc;
}
