/*
 * libcurl, loaded when it is first needed: linking it would cost every program five
 * milliseconds of start-up. Private to lib/aws.
 */
#ifndef RYDE_AWS_CURL_H
#define RYDE_AWS_CURL_H

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

struct ryde_err;

#define RYDE_CURL_FUNCTIONS(X)      \
	X(curl_global_init)         \
	X(curl_version_info)        \
	X(curl_easy_init)           \
	X(curl_easy_cleanup)        \
	X(curl_easy_reset)          \
	X(curl_easy_setopt)         \
	X(curl_easy_getinfo)        \
	X(curl_easy_strerror)       \
	X(curl_easy_pause)          \
	X(curl_slist_append)        \
	X(curl_slist_free_all)      \
	X(curl_multi_init)          \
	X(curl_multi_cleanup)       \
	X(curl_multi_setopt)        \
	X(curl_multi_add_handle)    \
	X(curl_multi_remove_handle) \
	X(curl_multi_socket_action) \
	X(curl_multi_info_read)     \
	X(curl_multi_strerror)

struct ryde_curl {
#define RYDE_CURL_DECLARE(name) __typeof__(name) *name;
	RYDE_CURL_FUNCTIONS(RYDE_CURL_DECLARE)
#undef RYDE_CURL_DECLARE
};

/* The functions; good until the process ends. NULL with RYDE_EUNAVAILABLE where there is
 * no libcurl. */
const struct ryde_curl *ryde_curl_load(struct ryde_err *err);

#endif
