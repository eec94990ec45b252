/* Queues of the embedded store. Source: store/queue.h. */
#include "base/err.h"
#include "check.h"
#include "scratch.h"
#include "store/catalog.h"
#include "store/name.h"
#include "store/queue.h"

static struct ryde_store_settings settings;

static void
send_three(struct ryde_queue *q)
{
	struct ryde_err err = RYDE_ERR_INIT;

	CHECK(ryde_queue_send(q, ryde_view_of("one"), &err) == 0, "%s", err.msg);
	CHECK(ryde_queue_send(q, ryde_view_of("two"), &err) == 0, "%s", err.msg);
	CHECK(ryde_queue_send(q, ryde_view_of(""), &err) == 0, "%s", err.msg);
}

static void
test_receive(struct ryde_queue *q)
{
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_message *m;
	char first[RYDE_QUEUE_ID_MAX], second[RYDE_QUEUE_ID_MAX];
	int64_t visible = -1, hidden = -1;
	bool stale = true;
	size_t n = 9;

	CHECK(ryde_queue_receive(q, 2, INT64_MAX, 60000, &m, &n, &err) == 0 && n == 2);
	CHECK(ryde_view_is(m[0].body, "one") && ryde_view_is(m[1].body, "two"));
	CHECK(m[0].receives == 1 && strcmp(m[0].receipt, m[1].receipt) != 0);
	memcpy(first, m[0].receipt, sizeof(first));
	memcpy(second, m[1].receipt, sizeof(second));
	CHECK(ryde_queue_count(q, &visible, &hidden, &err) == 0 && visible == 1 &&
	      hidden == 2);
	/* the rest, and then nothing */
	CHECK(ryde_queue_receive(q, 10, INT64_MAX, 60000, &m, &n, &err) == 0 && n == 1);
	CHECK(m[0].body.n == 0);
	CHECK(ryde_queue_receive(q, 10, INT64_MAX, 60000, &m, &n, &err) == 0 && n == 0);
	CHECK(ryde_queue_delete(q, first, &stale, &err) == 0 && !stale);
	CHECK(ryde_queue_delete(q, first, &stale, &err) == 0 && stale);
	/* a receipt of an earlier receive is stale */
	CHECK(ryde_queue_extend(q, second, 0, &err) == 0);
	CHECK(ryde_queue_receive(q, 10, INT64_MAX, 0, &m, &n, &err) == 0 && n == 1);
	CHECK(m[0].receives == 2 && ryde_view_is(m[0].body, "two"));
	CHECK(ryde_queue_delete(q, second, &stale, &err) == 0 && stale);
	/* a time-out of 0 hides nothing */
	CHECK(ryde_queue_receive(q, 10, INT64_MAX, 0, &m, &n, &err) == 0 && n == 1);
	CHECK(
	    ryde_queue_receive(q, 10, m[0].sent_ms - 1, 0, &m, &n, &err) == 0 && n == 0);
	CHECK(ryde_queue_delete(q, "nonsense", &stale, &err) != 0 &&
	      err.code == RYDE_EDATA);
}

static void
test_peek(struct ryde_queue *q)
{
	struct ryde_err err = RYDE_ERR_INIT;
	const struct ryde_message *m;
	char id[RYDE_QUEUE_ID_MAX];
	int64_t gone = -1;
	bool found;
	size_t n;

	CHECK(
	    ryde_queue_purge(q, &gone, &err) == 0 && gone == 2, "%lld", (long long)gone);
	send_three(q);
	CHECK(ryde_queue_receive(q, 1, INT64_MAX, 60000, &m, &n, &err) == 0 && n == 1);
	CHECK(ryde_queue_peek(q, "", 2, &m, &n, &err) == 0 && n == 2);
	CHECK(m[0].hidden && !m[1].hidden && ryde_view_is(m[1].body, "two"));
	memcpy(id, m[1].id, sizeof(id));
	CHECK(ryde_queue_peek(q, id, 2, &m, &n, &err) == 0 && n == 1 && m[0].body.n == 0);
	CHECK(ryde_queue_remove(q, id, &found, &err) == 0 && found);
	CHECK(ryde_queue_remove(q, id, &found, &err) == 0 && !found);
	CHECK(ryde_queue_remove(q, "x", &found, &err) == 0 && !found);
}

static void
test_large(struct ryde_queue *q)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char *body = calloc(1, RYDE_QUEUE_BODY_MAX + 1);

	if (body == NULL)
		exit(1);
	memset(body, 'x', RYDE_QUEUE_BODY_MAX + 1);
	CHECK(ryde_queue_send(q, ryde_view_mem(body, RYDE_QUEUE_BODY_MAX), &err) == 0);
	CHECK(
	    ryde_queue_send(q, ryde_view_mem(body, RYDE_QUEUE_BODY_MAX + 1), &err) != 0 &&
	    err.code == RYDE_EDATA);
	free(body);
}

int
main(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	struct ryde_queue *q;

	if (scratch_begin() != 0)
		return 1;
	settings.data = scratch_dir;
	CHECK(ryde_queue_open(&settings, "dead", false, &err) == NULL &&
	      err.code == RYDE_ENOINPUT);
	q = ryde_queue_open(&settings, "dead", true, &err);
	if (q == NULL) {
		printf("%s\n", err.msg);
		return 1;
	}
	CHECK(strcmp(ryde_queue_label(q), "local:dead") == 0);
	send_three(q);
	test_receive(q);
	test_peek(q);
	test_large(q);
	/* deleted while open */
	CHECK(ryde_catalog_delete(&settings, RYDE_CATALOG_QUEUE, "dead", &err) == 0);
	CHECK(ryde_queue_send(q, ryde_view_of("x"), &err) != 0 &&
	      err.code == RYDE_ENOINPUT);
	ryde_queue_close(q);
	scratch_end();
	return check_end("local_queue");
}
