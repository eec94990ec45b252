/* Groups of the embedded store: positions and leases of one stream's readers, in
 * groups/STREAM.db, and a lock file per lease. The interface is store/group.h's. */
#ifndef RYDE_LOCAL_GROUP_H
#define RYDE_LOCAL_GROUP_H

#include "line/store_ops.h"

struct ryde_group *ryde_group_local_open(
    const char *dir, const char *stream, const char *name, struct ryde_err *err);
int ryde_group_local_list(const char *dir, const char *stream,
    void (*fn)(void *arg, const char *name), void *arg, struct ryde_err *err);
/* Deletes all groups of a stream; no error where there are none. */
int ryde_group_local_delete_all(
    const char *dir, const char *stream, struct ryde_err *err);

#endif
