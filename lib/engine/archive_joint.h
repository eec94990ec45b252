/*
 * Lines that -f made several of lie in several objects, which become durable one after
 * the other; the line they came from is done with the last of them. A joint is such a
 * line's ticket and how many of its outputs are still waited for.
 *
 * What goes into piles as a ticket is either an intake's ticket or a joint's number with
 * the highest bit set, which the former never have.
 */
#ifndef RYDE_ENGINE_ARCHIVE_JOINT_H
#define RYDE_ENGINE_ARCHIVE_JOINT_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_archive_joints;
struct ryde_err;

struct ryde_archive_joints *ryde_archive_joints_new(struct ryde_err *err);
void ryde_archive_joints_free(struct ryde_archive_joints *j);

/* True between the first and the last output of one line. */
bool ryde_archive_joints_open(const struct ryde_archive_joints *j);
/*
 * Takes one output of a line: `more` says that others follow, the last one has the
 * ticket. *out is what to put in its place; 0 where the line needs no acknowledgement
 * (wanted is false).
 */
int ryde_archive_joints_take(struct ryde_archive_joints *j, bool wanted, uint64_t ticket,
    bool more, uint64_t *out, struct ryde_err *err);
/* What was taken is durable. Returns the intake's ticket that is done with it, or 0. */
uint64_t ryde_archive_joints_done(struct ryde_archive_joints *j, uint64_t ticket);

#endif
