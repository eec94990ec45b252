/* Members of shared groups of the embedded store, and their leases. What each call does
 * stands in store/group_share.h. */
#ifndef RYDE_LOCAL_GROUP_MEMBER_H
#define RYDE_LOCAL_GROUP_MEMBER_H

struct ryde_err;
struct ryde_group;
struct ryde_group_share_ops;
struct ryde_local_group;

#define RYDE_GROUP_MEMBER_SCHEMA                                                       \
	"CREATE TABLE IF NOT EXISTS members(name TEXT,id INTEGER,beat INTEGER,owner "  \
	"TEXT,PRIMARY KEY(name,id))WITHOUT ROWID;"                                     \
	"CREATE TABLE IF NOT EXISTS leases(name TEXT,shard TEXT,member INTEGER,epoch " \
	"INTEGER,done INTEGER,PRIMARY KEY(name,shard))WITHOUT ROWID"

extern const struct ryde_group_share_ops ryde_group_member_ops;

/* How many members of the group live, be they stopped. -1 with err set. */
int ryde_group_member_living(struct ryde_local_group *g, struct ryde_err *err);
void ryde_group_member_leave(struct ryde_group *base);

#endif
