/*
 * What streams, groups, tables and queues are made of, for both engines alike. What the
 * calls do with it stands in store/stream.h, group.h, table.h and queue.h.
 */
#ifndef RYDE_LINE_RECORD_H
#define RYDE_LINE_RECORD_H

#include "base/view.h"
#include "line/position.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_shard {
	char id[RYDE_SHARD_ID_MAX + 1]; /* shardId-000000000000 */
	int parent, parent2;		/* indices of the shards it came from, -1 */
	bool open;			/* takes records */
	bool gone; /* closed, and none of its records is held any more */
	char first_hash[40], last_hash[40]; /* decimal, inclusive */
	struct ryde_pos last;		    /* its last record; n == 0: none */
};

/* How a record's bytes read, found once by the writer so that no reader has to look
 * again. */
enum ryde_record_form {
	RYDE_RECORD_UNKNOWN = 0,  /* not looked at */
	RYDE_RECORD_JSON = 1,	  /* one JSON text on one line, a final newline apart */
	RYDE_RECORD_IMITATES = 2, /* such a text whose first key is `ryde` */
	RYDE_RECORD_BINARY = 3,	  /* anything else */
};

/* A record to write; out: where it went. Views are borrowed until the call returns. */
struct ryde_record_in {
	struct ryde_view data;
	struct ryde_view key;	   /* 1 to 256 characters */
	struct ryde_view hash_key; /* decimal, empty: MD5 of the key */
	enum ryde_record_form form;
	bool bound; /* in: keys of one shard, `shard`, are packed in it. Where it would go
		       to another one, the embedded store refuses the batch: misplaced,
		       RYDE_ETEMPFAIL */
	bool misplaced;	     /* out: see bound */
	int shard;	     /* out: index of the shard */
	struct ryde_pos seq; /* out */
	bool failed;	     /* out: this one was not written */
};

/* A record as read. Views are good until the next fetch of its reader. */
struct ryde_record {
	struct ryde_view data, key;
	size_t behind; /* so many bytes behind data may be read, whatever is in them */
	struct ryde_pos seq;
	int64_t arrival_ms;
	int shard;
	enum ryde_record_form form;
};

/* Where to begin in a shard. */
enum ryde_start {
	RYDE_START_HORIZON, /* the oldest record there is */
	RYDE_START_LATEST,  /* after the newest one at the time of the call */
	RYDE_START_AFTER,   /* after `pos`: inside a record, at that record */
	RYDE_START_AT,	    /* at the record of `pos` */
	RYDE_START_TIME,    /* the first record that arrived at or after at_ms */
};
struct ryde_stream_start {
	enum ryde_start kind;
	struct ryde_pos pos;
	int64_t at_ms;
};

enum ryde_group_lease {
	RYDE_GROUP_HELD, /* it is ours */
	RYDE_GROUP_BUSY, /* another reader holds it: try again when ryde_group_wait wakes
			  */
	RYDE_GROUP_LOST, /* it was ours, and is no longer */
	RYDE_GROUP_FAILED, /* err is set */
};

struct ryde_group_position {
	char shard[RYDE_SHARD_ID_MAX + 1];
	struct ryde_pos
	    pos;       /* all up to here is done; n == 0: start at the horizon, or … */
	int64_t at_ms; /* … where it is above 0, with what arrived from then on */
	int64_t updated_ms; /* wall clock */
};

/* A member's name, which no other one of its stream ever had; empty: nobody. */
#define RYDE_SHARE_ID_MAX 39
/* A reader of a shared group. */
struct ryde_share_member {
	char id[RYDE_SHARE_ID_MAX + 1];
	char owner[64]; /* for people */
	uint64_t beat;
	bool gone; /* its process is known to be no more */
};
/* Who reads a shard of a shared group. */
struct ryde_share_lease {
	char shard[RYDE_SHARD_ID_MAX + 1];
	char owner[RYDE_SHARE_ID_MAX + 1];
	int64_t epoch;
	bool done;  /* it is closed, and all of it is acknowledged */
	bool ready; /* it may be read: it is not done, and its parents are */
};
enum ryde_share_outcome {
	RYDE_SHARE_DONE,
	RYDE_SHARE_REFUSED, /* the store is not as it was seen: nothing was changed */
	RYDE_SHARE_FAILED,  /* err is set */
};

/* An item to write: its text and the comparable forms of its key fields, made by
 * ryde_table_keys. Borrowed. */
struct ryde_table_item {
	struct ryde_view data;
	struct ryde_view key, sort; /* sort is empty where the table has none */
	const char *refused; /* out: why the service will not have it; owned by the table,
				good until the next write */
};

/* An object's name is at most so long, its folders included. */
#define RYDE_ARCHIVE_NAME_MAX 1024
/* Where a copy of an object is found: room for the path and its NUL. */
#define RYDE_ARCHIVE_PATH_MAX 8192

/* An object that is to become durable under a name. */
struct ryde_archive_object;
enum ryde_archive_state {
	RYDE_ARCHIVE_KEPT,  /* not yet: finish it again, or abandon it */
	RYDE_ARCHIVE_THERE, /* it is there, whatever happens next, and was freed */
	RYDE_ARCHIVE_TAKEN, /* another object has that name: finish it under another one
			     */
};
struct ryde_archive_finish {
	struct ryde_archive_object *object;
	const char *name;	       /* folders and a name, divided by slashes */
	enum ryde_archive_state state; /* out */
};

/* Told of an object: its whole name within the archive, and its bytes as they lie there.
 * Non-zero ends the listing. */
typedef int ryde_archive_name_fn(void *arg, const char *name, int64_t size_bytes);

#define RYDE_QUEUE_ID_MAX 64

struct ryde_message {
	char id[RYDE_QUEUE_ID_MAX]; /* of the message */
	char
	    receipt[RYDE_QUEUE_ID_MAX]; /* of this receive: what delete and extend need */
	int64_t sent_ms;		/* wall clock */
	int64_t receives;		/* how often it was received, this one included */
	bool hidden;	       /* peek only: received, and that time-out has not passed */
	struct ryde_view body; /* good until the next call on the queue */
};

#endif
