/* What of libmicrohttpd the map uses. Loading it costs some milliseconds (it brings TLS
 * along): not done before somebody looks. */
#ifndef RYDE_ENGINE_MAP_MHD_H
#define RYDE_ENGINE_MAP_MHD_H

#include <microhttpd.h>

struct ryde_err;

#define RYDE_MAP_MHD_FUNCTIONS(X)            \
	X(MHD_start_daemon)                  \
	X(MHD_stop_daemon)                   \
	X(MHD_run)                           \
	X(MHD_get_timeout)                   \
	X(MHD_get_daemon_info)               \
	X(MHD_get_connection_info)           \
	X(MHD_lookup_connection_value)       \
	X(MHD_create_response_from_buffer)   \
	X(MHD_create_response_from_callback) \
	X(MHD_add_response_header)           \
	X(MHD_queue_response)                \
	X(MHD_destroy_response)              \
	X(MHD_suspend_connection)            \
	X(MHD_resume_connection)

struct ryde_map_mhd {
	void *handle;
#define RYDE_MAP_MHD_DECLARE(name) __typeof__(name) *name;
	RYDE_MAP_MHD_FUNCTIONS(RYDE_MAP_MHD_DECLARE)
#undef RYDE_MAP_MHD_DECLARE
};

/* The loaded functions, the same ones at each call. NULL with RYDE_EUNAVAILABLE where the
 * library is not there or too old. */
const struct ryde_map_mhd *ryde_map_mhd(struct ryde_err *err);

#endif
