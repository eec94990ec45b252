/*
 * What of a shard an archive holds already. After a kill a group's reader gives lines
 * again that were archived and whose acknowledgement came too late. Objects carry the
 * first and the last position of what they hold in their names; where a line falls
 * into an object's range, the object itself is looked into: only a line that is found
 * there counts as archived. So a repeat adds no line twice, and another filter's line,
 * which falls into the range and is not there, is never lost.
 *
 * Lines are looked for in the order that objects hold them in, each object is read once.
 */
#ifndef RYDE_ENGINE_ARCHIVE_KNOWN_H
#define RYDE_ENGINE_ARCHIVE_KNOWN_H

#include "base/view.h"

#include <stdbool.h>

struct ryde_archive;
struct ryde_archive_known;
struct ryde_buf;
struct ryde_err;
struct ryde_pos;

/*
 * Appends the name that an object of one shard has behind its prefix:
 * STREAM-SHARD-FIRST-LAST, without an ending. A long stream name is cut, and its hash
 * added.
 */
void ryde_archive_known_name(struct ryde_buf *to, struct ryde_view stream,
    struct ryde_view shard, const struct ryde_pos *first, const struct ryde_pos *last);

/*
 * The objects with that prefix (NUL-ended) whose last position is `from` or a later one.
 * *out becomes NULL where there are none, which is the rule.
 */
int ryde_archive_known_new(struct ryde_archive *a, const char *prefix,
    struct ryde_view stream, struct ryde_view shard, const struct ryde_pos *from,
    struct ryde_archive_known **out, struct ryde_err *err);
void ryde_archive_known_free(struct ryde_archive_known *k);
/* *has becomes true where an object holds the line at pos. */
int ryde_archive_known_has(struct ryde_archive_known *k, const struct ryde_pos *pos,
    struct ryde_view line, bool *has, struct ryde_err *err);
/* True once no object reaches beyond pos. */
bool ryde_archive_known_passed(
    const struct ryde_archive_known *k, const struct ryde_pos *pos);

#endif
