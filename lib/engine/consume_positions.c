#include "engine/consume_run.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/signals.h"
#include "base/waits.h"
#include "engine/consume.h"
#include "flow/ack_server.h"
#include "flow/window_at.h"
#include "line/writer.h"
#include "store/group.h"
#include "store/group_share.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STORE_MS 100
#define RANGE_RECORDS 2000

/* A window's positions: `from` of null becomes where this life began; shards' own
 * positions follow `from`. */
static int
window_positions(struct ryde_consume_run *c, struct ryde_view text,
    struct ryde_group_position *p, size_t *n, struct ryde_buf *out, struct ryde_err *err)
{
	struct ryde_window_at at;

	if (ryde_window_at_parse(&at, text, err) != 0)
		return -1;
	*n = 0;
	for (size_t i = 0; i < at.n_shards; i++) {
		for (size_t k = 0; k < c->n; k++) {
			if (strcmp(c->shards[k].id, at.shards[i].id) != 0)
				continue;
			if (at.shards[i].from.n == 0)
				at.shards[i].from = c->shards[k].base;
			memcpy(p[*n].shard, c->shards[k].id, sizeof(p[*n].shard));
			if (at.shards[i].from.n == 0)
				p[*n].at_ms = c->shards[k].base_at_ms;
			p[(*n)++].pos = at.shards[i].from;
		}
	}
	ryde_buf_clear(&c->fingerprint);
	ryde_buf_puts(&c->fingerprint, at.fingerprint);
	ryde_window_at_put(&at, out);
	ryde_window_at_free(&at);
	return ryde_buf_check(out, err);
}

static size_t
plain_positions(struct ryde_consume_run *c, struct ryde_group_position *p)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct ryde_consume_shard *s = &c->shards[i];
		struct ryde_pos pos;
		uint32_t gen;

		if (s->given)
			continue;
		if (c->o->ack_write)
			pos = s->printed;
		else if (!ryde_ack_server_position(c->acks, s->ack, &gen, &pos))
			continue;
		if (ryde_pos_cmp(&pos, &s->stored) <= 0)
			continue;
		memcpy(p[n].shard, s->id, sizeof(p[n].shard));
		p[n++].pos = pos;
	}
	return n;
}

static void
set_stored(struct ryde_consume_run *c, const struct ryde_group_position *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c->n; k++)
			if (strcmp(c->shards[k].id, p[i].shard) == 0)
				c->shards[k].stored = p[i].pos;
}

int
ryde_consume_positions_lost(struct ryde_consume_run *c, struct ryde_err *err)
{
	c->lost = true;
	if (c->acks != NULL)
		ryde_ack_server_lost(c->acks, "another reader has taken over this group");
	return ryde_err_set(err, RYDE_ETEMPFAIL,
	    "another reader has taken over the group: its lease was lost while this one "
	    "did not run");
}

/* Each position under the epoch of its shard's lease. */
static enum ryde_group_lease
store_shared(struct ryde_consume_run *c, const struct ryde_group_position *p, size_t n,
    struct ryde_err *err)
{
	int64_t *epochs = calloc(n + 1, sizeof(*epochs));
	enum ryde_group_lease lease;

	if (epochs == NULL) {
		(void)ryde_err_nomem(err);
		return RYDE_GROUP_FAILED;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < c->n; k++)
			if (strcmp(c->shards[k].id, p[i].shard) == 0)
				epochs[i] = c->shards[k].epoch;
	lease = ryde_group_share_store(c->group, p, epochs, n, err);
	free(epochs);
	return lease;
}

static enum ryde_group_lease
store_any(struct ryde_consume_run *c, const struct ryde_group_position *p, size_t n,
    struct ryde_view at, struct ryde_err *err)
{
	if (c->share != NULL)
		return store_shared(c, p, n, err);
	return ryde_group_store(c->group, p, n, at,
	    at.n > 0 ? ryde_buf_as_view(&c->fingerprint) : ryde_view_mem(NULL, 0), true,
	    err);
}

static int
save(struct ryde_consume_run *c, const struct ryde_group_position *p, size_t n,
    struct ryde_view at, struct ryde_err *err)
{
	switch (store_any(c, p, n, at, err)) {
	case RYDE_GROUP_HELD:
		set_stored(c, p, n);
		c->unstored = false;
		return 0;
	case RYDE_GROUP_LOST:
	case RYDE_GROUP_BUSY:
		return ryde_consume_positions_lost(c, err);
	case RYDE_GROUP_FAILED:
		break;
	}
	if (err->code != RYDE_EUNAVAILABLE && err->code != RYDE_ETEMPFAIL)
		return -1;
	/* positions may lag: an older one is safe */
	ryde_log(c->unstored ? RYDE_LOG_INFO : RYDE_LOG_WARNING,
	    "the position could not be stored: %s; trying again", err->msg);
	*err = (struct ryde_err)RYDE_ERR_INIT;
	c->unstored = true;
	ryde_buf_clear(&c->at);
	return 0;
}

int
ryde_consume_positions_store(
    struct ryde_consume_run *c, bool now_or_never, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();
	struct ryde_group_position *p;
	struct ryde_view at = {NULL, 0};
	struct ryde_buf text;
	int rc = -1;
	size_t n;

	if (c->group == NULL || c->lost || (now < c->store_at_ms && !now_or_never))
		return 0;
	c->store_at_ms = now + (ryde_group_store_every_ms(c->group) > 0
				       ? ryde_group_store_every_ms(c->group)
				       : STORE_MS);
	p = calloc(c->n + 1, sizeof(*p));
	if (p == NULL)
		return ryde_err_nomem(err);
	ryde_buf_init(&text, (size_t)8 << 20);
	if (c->acks != NULL && ryde_ack_server_has_window(c->acks)) {
		at = ryde_ack_server_at(c->acks);
		if (at.n == 0 || ryde_view_eq(at, ryde_buf_as_view(&c->at))) {
			rc = 0;
			goto out;
		}
		ryde_buf_clear(&c->at);
		ryde_buf_view(&c->at, at);
		if (window_positions(c, at, p, &n, &text, err) != 0)
			goto out;
		at = ryde_buf_as_view(&text);
	} else {
		n = plain_positions(c, p);
	}
	rc = n == 0 && at.n == 0 ? 0 : save(c, p, n, at, err);
out:
	free(p);
	ryde_buf_free(&text);
	return rc;
}

int
ryde_consume_positions_written(
    struct ryde_consume_run *c, bool now_or_never, struct ryde_err *err)
{
	if (ryde_writer_pending(c->out) > 0 || !c->wrote ||
	    (ryde_clock_mono_ms() < c->store_at_ms && !now_or_never))
		return 0;
	if (c->out_is_file && fdatasync(STDOUT_FILENO) != 0)
		return ryde_err_sys(err, RYDE_EIO, "cannot sync standard output");
	c->wrote = false;
	return ryde_consume_positions_store(c, true, err);
}

int
ryde_consume_positions_renew(struct ryde_consume_run *c, struct ryde_err *err)
{
	int64_t now = ryde_clock_mono_ms();

	if (c->share != NULL)
		return ryde_consume_share_turn(c, false, err);
	if (c->group == NULL || now < c->renew_at_ms)
		return 0;
	c->renew_at_ms = now + ryde_group_renew_ms();
	switch (ryde_group_renew(c->group, err)) {
	case RYDE_GROUP_HELD:
		return 0;
	case RYDE_GROUP_LOST:
	case RYDE_GROUP_BUSY:
		return ryde_consume_positions_lost(c, err);
	case RYDE_GROUP_FAILED:
		break;
	}
	return -1;
}

int
ryde_consume_positions_take(struct ryde_consume_run *c, struct ryde_err *err)
{
	bool bounded = c->has_to || c->o->count > 0, said = false;
	char owner[64];

	for (;;) {
		struct ryde_waits w = {0};

		switch (ryde_group_acquire(c->group, owner, err)) {
		case RYDE_GROUP_HELD:
			c->renew_at_ms = ryde_clock_mono_ms() + ryde_group_renew_ms();
			return 0;
		case RYDE_GROUP_FAILED:
			return -1;
		case RYDE_GROUP_BUSY:
		case RYDE_GROUP_LOST:
			break;
		}
		if (bounded)
			return ryde_err_set(err, RYDE_ETEMPFAIL,
			    "group %s is being read by %s", c->o->group, owner);
		if (!said)
			ryde_log(RYDE_LOG_NOTICE,
			    "group %s is being read by %s: standing by", c->o->group,
			    owner);
		said = true;
		ryde_waits_begin(&w);
		ryde_writer_wait(c->out, &w);
		ryde_group_wait(c->group, &w);
		if (ryde_waits_poll(&w, err) != 0)
			return -1;
		if (ryde_signals_stop() > 0)
			return 1;
		if (ryde_writer_check_closed(c->out))
			return ryde_err_set(err, RYDE_EIO, "standard output is closed");
	}
}

int
ryde_consume_positions_first(struct ryde_consume_run *c, struct ryde_err *err)
{
	const struct ryde_group_position *stored;
	struct ryde_group_position *p = calloc(c->n + 1, sizeof(*p));
	size_t n = 0, n_stored;
	int rc = -1;

	if (p == NULL)
		return ryde_err_nomem(err);
	if (ryde_group_load(c->group, &stored, &n_stored, err) != 0)
		goto out;
	for (size_t i = 0; i < c->n; i++) {
		bool known = false;

		for (size_t k = 0; k < n_stored; k++)
			known = known || strcmp(stored[k].shard, c->shards[i].id) == 0;
		if (known || c->shards[i].given)
			continue;
		memcpy(p[n].shard, c->shards[i].id, sizeof(p[n].shard));
		p[n].at_ms = c->shards[i].base_at_ms;
		p[n++].pos = c->shards[i].base;
	}
	rc = n == 0 ? 0 : save(c, p, n, ryde_view_mem(NULL, 0), err);
out:
	free(p);
	return rc;
}

uint64_t
ryde_consume_positions_open(
    struct ryde_consume_run *c, const struct ryde_consume_shard *s)
{
	struct ryde_pos pos = s->stored;
	const struct ryde_record *r;
	struct ryde_err ignored;
	uint64_t open = 0;
	size_t n;

	if (ryde_pos_cmp(&pos, &s->printed) >= 0)
		return 0;
	do {
		n = 0;
		if (ryde_stream_reader_range(c->reader, s->index, &pos, &s->printed,
			RANGE_RECORDS, &r, &n, &ignored) != 0)
			break;
		for (size_t k = 0; k < n; k++)
			open += ryde_pos_cmp(&r[k].seq, &pos) > 0;
		if (n > 0)
			pos = r[n - 1].seq;
	} while (n > 1);
	return open;
}
