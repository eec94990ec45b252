/* What the parts of a table on DynamoDB know of each other: dynamodb_table.c opens and
 * makes, dynamodb_item.c looks at items, dynamodb_write.c writes, dynamodb_scan.c walks.
 */
#ifndef RYDE_AWS_DYNAMODB_ITEM_H
#define RYDE_AWS_DYNAMODB_ITEM_H

#include "aws/client.h"
#include "base/buf.h"
#include "line/store_ops.h"

struct ryde_dynamodb_write;
struct ryde_json_paths;

struct ryde_dynamodb_table {
	struct ryde_table base;
	struct ryde_aws *aws;
	char name[256], what[280],
	    region[32];		       /* name: the ARN where it was opened by one */
	char key[256], sort[256];      /* sort "": none */
	char key_type, sort_type;      /* 'S', 'N' or 'B' */
	int64_t items;		       /* as DescribeTable counts, now and then */
	struct ryde_json_paths *paths; /* of the key fields */
	size_t key_path, sort_path;
	struct ryde_buf scratch;	   /* an item, while it is looked at */
	struct ryde_dynamodb_write *write; /* made by the first write */
	struct ryde_buf
	    *rehearsal; /* where requests are put in place of being sent; NULL */
};

static inline struct ryde_dynamodb_table *
ryde_dynamodb_item_table(struct ryde_table *base)
{
	return (struct ryde_dynamodb_table *)base;
}

/* dynamodb_item.c: ryde_table_keys. */
int ryde_dynamodb_item_keys(struct ryde_table *base, struct ryde_view data,
    struct ryde_buf *key, struct ryde_buf *sort, struct ryde_err *err);

/* dynamodb_scan.c: ryde_table_cursor_new. The walk has no order. */
struct ryde_table_cursor *ryde_dynamodb_scan_cursor(
    struct ryde_table *base, struct ryde_err *err);

/* dynamodb_write.c: ryde_table_write. */
int ryde_dynamodb_write(struct ryde_table *base, struct ryde_table_item *items, size_t n,
    struct ryde_err *err);
void ryde_dynamodb_write_wait(struct ryde_table *base, struct ryde_waits *w);
void ryde_dynamodb_write_free(struct ryde_dynamodb_write *w);

#endif
