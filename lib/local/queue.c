/*
 * Queues of the embedded store. A message is hidden until visible_ms; a receipt is the
 * message's id and a random token, which the next receive replaces.
 */
#include "local/queue.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/num.h"
#include "base/random.h"
#include "local/db.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES_MAX ((size_t)1 << 30)
#define AT_ONCE 1000 /* messages of one receive or peek */

static const struct ryde_db_kind kind = {
    .folder = "queues",
    .noun = "queue",
    .application_id = 0x72796471, /* "rydq" */
    .version = 1,
    .page_bytes = 4096,
    .full_sync = true,
    /* AUTOINCREMENT: the id of a deleted message never comes again */
    .schema =
	"CREATE TABLE meta(deleted INTEGER);"
	"INSERT INTO meta VALUES(0);"
	"CREATE TABLE messages(id INTEGER PRIMARY KEY AUTOINCREMENT,sent_ms INTEGER,"
	"visible_ms INTEGER,receives INTEGER,token TEXT,body BLOB)",
};

struct local_queue {
	struct ryde_queue base;
	struct ryde_db db;
	char *label;
	struct ryde_message *messages;
	struct ryde_buf bytes;
	struct {
		sqlite3_stmt *meta, *send, *receive, *hide, *delete, *extend, *peek;
		sqlite3_stmt *remove, *count, *purge;
	} st;
};

static struct local_queue *
local(struct ryde_queue *base)
{
	return (struct local_queue *)base;
}

/* Begins to write, unless the queue was deleted. */
static int
begin(struct local_queue *q, struct ryde_err *err)
{
	if (ryde_db_begin(&q->db, err) != 0)
		return -1;
	if (ryde_db_prepare(
		&q->db, &q->st.meta, "SELECT 1 FROM meta WHERE deleted<>0", err) != 0)
		goto failed;
	switch (ryde_db_step(&q->db, q->st.meta, err)) {
	case 0:
		return 0;
	case 1:
		(void)sqlite3_reset(q->st.meta);
		(void)ryde_db_deleted(&q->db, err);
		break;
	default:
		break;
	}
failed:
	ryde_db_rollback(&q->db);
	return -1;
}

/* Runs st to its end and commits; the rows that it changed in *changed. */
static int
finish(struct local_queue *q, sqlite3_stmt *st, int64_t *changed, struct ryde_err *err)
{
	if (ryde_db_step(&q->db, st, err) != 0) {
		ryde_db_rollback(&q->db);
		return -1;
	}
	if (changed != NULL)
		*changed = sqlite3_changes64(q->db.sql);
	return ryde_db_commit(&q->db, err);
}

static int
send_message(struct ryde_queue *base, struct ryde_view body, struct ryde_err *err)
{
	struct local_queue *q = local(base);
	sqlite3_stmt *st;

	if (ryde_db_prepare(&q->db, &q->st.send,
		"INSERT INTO messages(sent_ms,visible_ms,receives,token,body) "
		"VALUES(?1,0,0,'',?2)",
		err) != 0 ||
	    begin(q, err) != 0)
		return -1;
	st = q->st.send;
	(void)sqlite3_bind_int64(st, 1, ryde_clock_wall_ms());
	(void)sqlite3_bind_blob64(
	    st, 2, body.p != NULL ? body.p : "", body.n, SQLITE_STATIC);
	return finish(q, st, NULL, err);
}

/* ---- messages at hand ---- */

static int
make_room(struct local_queue *q, struct ryde_err *err)
{
	ryde_buf_clear(&q->bytes);
	if (q->messages == NULL)
		q->messages = calloc(AT_ONCE, sizeof(*q->messages));
	return q->messages != NULL ? 0 : ryde_err_nomem(err);
}

/* Takes id, sent_ms, receives and body of the row; views are set by place_bodies. */
static int
take(
    struct local_queue *q, struct ryde_message *m, sqlite3_stmt *st, struct ryde_err *err)
{
	const char *body = sqlite3_column_blob(st, 3);
	int n = sqlite3_column_bytes(st, 3);

	*m = (struct ryde_message){
	    .sent_ms = sqlite3_column_int64(st, 1),
	    .receives = sqlite3_column_int64(st, 2),
	};
	(void)snprintf(
	    m->id, sizeof(m->id), "%lld", (long long)sqlite3_column_int64(st, 0));
	m->body.n = body == NULL ? 0 : (size_t)n;
	ryde_buf_add(&q->bytes, body, m->body.n);
	return ryde_buf_check(&q->bytes, err);
}

/* Once the buffer moves no more. */
static void
place_bodies(struct local_queue *q, size_t n)
{
	const char *p = ryde_buf_str(&q->bytes);

	for (size_t i = 0; i < n; i++) {
		q->messages[i].body.p = p;
		p += q->messages[i].body.n;
	}
}

/* Reads the rows that st gives; *n becomes how many. */
static int
take_all(struct local_queue *q, sqlite3_stmt *st, int64_t now_ms, size_t *n,
    struct ryde_err *err)
{
	size_t got = 0;
	int rc;

	while ((rc = ryde_db_step(&q->db, st, err)) == 1) {
		if (take(q, &q->messages[got], st, err) != 0) {
			(void)sqlite3_reset(st);
			return -1;
		}
		q->messages[got++].hidden = sqlite3_column_int64(st, 4) > now_ms;
	}
	place_bodies(q, got);
	*n = got;
	return rc;
}

/* ---- receive ---- */

static int
hide(
    struct local_queue *q, struct ryde_message *m, int64_t until_ms, struct ryde_err *err)
{
	char token[RYDE_RANDOM_TOKEN + 1];
	sqlite3_stmt *st;

	if (ryde_random_token(token, err) != 0 ||
	    ryde_db_prepare(&q->db, &q->st.hide,
		"UPDATE messages SET visible_ms=?2,token=?3,receives=receives+1 WHERE "
		"id=?1",
		err) != 0)
		return -1;
	(void)snprintf(m->receipt, sizeof(m->receipt), "%.30s.%s", m->id, token);
	m->receives++;
	st = q->st.hide;
	(void)sqlite3_bind_text(st, 1, m->id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(st, 2, until_ms);
	(void)sqlite3_bind_text(st, 3, token, -1, SQLITE_TRANSIENT);
	return ryde_db_step(&q->db, st, err);
}

static int
receive(struct ryde_queue *base, size_t max, int64_t not_after_ms, int64_t visibility_ms,
    const struct ryde_message **out, size_t *n, struct ryde_err *err)
{
	struct local_queue *q = local(base);
	int64_t now_ms = ryde_clock_wall_ms();
	sqlite3_stmt *st;
	size_t got = 0;

	if (make_room(q, err) != 0 ||
	    ryde_db_prepare(&q->db, &q->st.receive,
		"SELECT id,sent_ms,receives,body,0 FROM messages "
		"WHERE visible_ms<=?1 AND sent_ms<=?2 ORDER BY id LIMIT ?3",
		err) != 0 ||
	    begin(q, err) != 0)
		return -1;
	st = q->st.receive;
	(void)sqlite3_bind_int64(st, 1, now_ms);
	(void)sqlite3_bind_int64(st, 2, not_after_ms);
	(void)sqlite3_bind_int64(st, 3, (int64_t)(max < AT_ONCE ? max : AT_ONCE));
	if (take_all(q, st, now_ms, &got, err) != 0)
		goto failed;
	for (size_t i = 0; i < got; i++)
		if (hide(q, &q->messages[i], now_ms + visibility_ms, err) != 0)
			goto failed;
	if (got > 0 && ryde_db_commit(&q->db, err) != 0)
		return -1;
	ryde_db_rollback(&q->db);
	*out = q->messages;
	*n = got;
	return 0;
failed:
	ryde_db_rollback(&q->db);
	return -1;
}

/* Splits a receipt and binds its id and token as the first two parameters. */
static int
bind_receipt(sqlite3_stmt *st, const char *receipt, struct ryde_err *err)
{
	const char *dot = strchr(receipt, '.');
	int64_t id;

	if (dot == NULL || !ryde_num_i64(ryde_view_mem(receipt, (size_t)(dot - receipt)),
			       1, INT64_MAX, &id))
		return ryde_err_set(err, RYDE_EDATA, "'%.80s' is no receipt", receipt);
	(void)sqlite3_bind_int64(st, 1, id);
	(void)sqlite3_bind_text(st, 2, dot + 1, -1, SQLITE_STATIC);
	return 0;
}

static int
delete_message(
    struct ryde_queue *base, const char *receipt, bool *stale, struct ryde_err *err)
{
	struct local_queue *q = local(base);
	int64_t changed = 0;

	if (ryde_db_prepare(&q->db, &q->st.delete,
		"DELETE FROM messages WHERE id=? AND token=?", err) != 0 ||
	    bind_receipt(q->st.delete, receipt, err) != 0 || begin(q, err) != 0 ||
	    finish(q, q->st.delete, &changed, err) != 0)
		return -1;
	if (stale != NULL)
		*stale = changed == 0;
	return 0;
}

static int
extend(struct ryde_queue *base, const char *receipt, int64_t visibility_ms,
    struct ryde_err *err)
{
	struct local_queue *q = local(base);

	if (ryde_db_prepare(&q->db, &q->st.extend,
		"UPDATE messages SET visible_ms=?3 WHERE id=?1 AND token=?2", err) != 0 ||
	    bind_receipt(q->st.extend, receipt, err) != 0 || begin(q, err) != 0)
		return -1;
	(void)sqlite3_bind_int64(q->st.extend, 3,
	    visibility_ms == 0 ? 0 : ryde_clock_wall_ms() + visibility_ms);
	return finish(q, q->st.extend, NULL, err);
}

/* ---- looking, removing, counting ---- */

static int
peek(struct ryde_queue *base, const char *after, size_t max,
    const struct ryde_message **out, size_t *n, struct ryde_err *err)
{
	struct local_queue *q = local(base);
	int64_t id = 0;

	if (after[0] != '\0' && !ryde_num_i64(ryde_view_of(after), 0, INT64_MAX, &id))
		return ryde_err_set(err, RYDE_EDATA, "'%.80s' is no message's id", after);
	if (make_room(q, err) != 0 ||
	    ryde_db_prepare(&q->db, &q->st.peek,
		"SELECT id,sent_ms,receives,body,visible_ms FROM messages "
		"WHERE id>? ORDER BY id LIMIT ?",
		err) != 0)
		return -1;
	(void)sqlite3_bind_int64(q->st.peek, 1, id);
	(void)sqlite3_bind_int64(q->st.peek, 2, (int64_t)(max < AT_ONCE ? max : AT_ONCE));
	if (take_all(q, q->st.peek, ryde_clock_wall_ms(), n, err) != 0)
		return -1;
	*out = q->messages;
	return 0;
}

static int
remove_message(struct ryde_queue *base, const char *id, bool *found, struct ryde_err *err)
{
	struct local_queue *q = local(base);
	int64_t number, changed = 0;

	if (found != NULL)
		*found = false;
	if (!ryde_num_i64(ryde_view_of(id), 1, INT64_MAX, &number))
		return 0;
	if (ryde_db_prepare(
		&q->db, &q->st.remove, "DELETE FROM messages WHERE id=?", err) != 0)
		return -1;
	(void)sqlite3_bind_int64(q->st.remove, 1, number);
	if (begin(q, err) != 0 || finish(q, q->st.remove, &changed, err) != 0)
		return -1;
	if (found != NULL)
		*found = changed != 0;
	return 0;
}

static int
count(struct ryde_queue *base, int64_t *visible, int64_t *hidden, struct ryde_err *err)
{
	struct local_queue *q = local(base);

	if (ryde_db_prepare(&q->db, &q->st.count,
		"SELECT count(*),coalesce(sum(visible_ms>?),0) FROM messages", err) != 0)
		return -1;
	(void)sqlite3_bind_int64(q->st.count, 1, ryde_clock_wall_ms());
	if (ryde_db_step(&q->db, q->st.count, err) != 1)
		return -1;
	*hidden = sqlite3_column_int64(q->st.count, 1);
	*visible = sqlite3_column_int64(q->st.count, 0) - *hidden;
	(void)sqlite3_reset(q->st.count);
	return 0;
}

static int
purge(struct ryde_queue *base, int64_t *n, struct ryde_err *err)
{
	struct local_queue *q = local(base);

	/* with a condition, since the count of a truncation is not always told */
	if (ryde_db_prepare(
		&q->db, &q->st.purge, "DELETE FROM messages WHERE id>0", err) != 0 ||
	    begin(q, err) != 0)
		return -1;
	return finish(q, q->st.purge, n, err);
}

/* ---- opening and making ---- */

static void
close_queue(struct ryde_queue *base)
{
	struct local_queue *q = local(base);

	ryde_db_close(&q->db);
	ryde_buf_free(&q->bytes);
	free(q->messages);
	free(q->label);
	free(q);
}

static const char *
label(const struct ryde_queue *base)
{
	return ((const struct local_queue *)base)->label;
}

static const struct ryde_queue_ops ops = {
    .close = close_queue,
    .label = label,
    .send = send_message,
    .receive = receive,
    .delete = delete_message,
    .extend = extend,
    .peek = peek,
    .remove = remove_message,
    .count = count,
    .purge = purge,
};

struct ryde_queue *
ryde_queue_local_open(
    const char *dir, const char *name, bool create, struct ryde_err *err)
{
	struct local_queue *q = calloc(1, sizeof(*q));
	size_t room = strlen(name) + 7;

	if (q == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	q->base.ops = &ops;
	ryde_buf_init(&q->bytes, BYTES_MAX);
	q->label = malloc(room);
	if (q->label == NULL) {
		(void)ryde_err_nomem(err);
		goto failed;
	}
	(void)snprintf(q->label, room, "local:%s", name);
	if (create && !ryde_db_exists(&kind, dir, name) &&
	    ryde_queue_local_create(dir, name, err) != 0)
		goto failed;
	if (ryde_db_open(&q->db, &kind, dir, name, create, err) != 0)
		goto failed;
	return &q->base;
failed:
	close_queue(&q->base);
	return NULL;
}

int
ryde_queue_local_create(const char *dir, const char *name, struct ryde_err *err)
{
	return ryde_db_create(&kind, dir, name, NULL, NULL, NULL, err);
}

int
ryde_queue_local_delete(const char *dir, const char *name, struct ryde_err *err)
{
	return ryde_db_delete(&kind, dir, name, err);
}
