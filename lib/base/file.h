/* Files and directories: private ones, atomic replacement, durable appends. */
#ifndef RYDE_BASE_FILE_H
#define RYDE_BASE_FILE_H

#include "base/view.h"

struct ryde_buf;
struct ryde_err;

/* Makes path and its missing parents, mode 0700. An existing directory is left as it is.
 */
int ryde_file_mkdirs(const char *path, struct ryde_err *err);
/* Replaces path by data: temporary file beside it (mode 0600 or as the old one), fsync,
 * rename, fsync of the folder. */
int ryde_file_replace(const char *path, struct ryde_view data, struct ryde_err *err);
/* Reads a whole file into b (appended). */
int ryde_file_read(const char *path, struct ryde_buf *b, struct ryde_err *err);
/* Writes all of data to fd, waiting where fd does not take it at once. */
int ryde_file_write_all(
    int fd, struct ryde_view data, const char *name, struct ryde_err *err);
/* fsync of the folder that holds path. */
int ryde_file_sync_folder(const char *path, struct ryde_err *err);

#endif
