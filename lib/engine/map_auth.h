/*
 * Who may look at the map: the token of the URL, the cookie that takes its place, and the
 * names that a request may call this server by.
 */
#ifndef RYDE_ENGINE_MAP_AUTH_H
#define RYDE_ENGINE_MAP_AUTH_H

#include "base/random.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;

#define RYDE_MAP_TOKEN_MAX 128

/* True where a and b are equal; takes the same time wherever they differ. */
bool ryde_map_auth_equal(struct ryde_view a, struct ryde_view b);

/*
 * True where the Host header of a request is one that this server answers to: an address
 * (any: a name that an attacker's page resolves to this machine is not one), localhost,
 * or one of the n names. A port behind it is not compared. Source: RFC 9112, 3.2; RFC
 * 3986, 3.2.2.
 */
bool ryde_map_auth_host(struct ryde_view host, const char *const *names, size_t n_names);

/* The value of the cookie `name` in a Cookie header (RFC 6265, 4.2.1), empty if none. */
struct ryde_view ryde_map_auth_cookie(struct ryde_view header, const char *name);

/*
 * The token of path, at least 16 characters from A-Z a-z 0-9 - _; a file that is not
 * there is made, mode 0600, with a new random one. Others must not be able to read the
 * file. To has RYDE_MAP_TOKEN_MAX + 1 bytes.
 */
int ryde_map_auth_token_file(const char *path, char *to, struct ryde_err *err);

#endif
