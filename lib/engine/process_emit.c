#include "engine/process_emit.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/process_batch.h"
#include "json/scan.h"
#include "line/writer.h"

#include <string.h>

/* The line at *at, without its newline; the last one may lack it. False at the end. */
static bool
next_line(struct ryde_view output, size_t *at, struct ryde_view *line)
{
	const char *p, *end;

	if (*at >= output.n)
		return false;
	p = output.p + *at;
	end = memchr(p, '\n', output.n - *at);
	line->p = p;
	line->n = end != NULL ? (size_t)(end - p) : output.n - *at;
	*at += line->n + 1;
	return true;
}

int
ryde_process_emit_check(struct ryde_view output, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	struct ryde_view line;
	size_t at = 0, number = 0;

	while (next_line(output, &at, &line)) {
		number++;
		if (line.n > RYDE_LINE_MAX)
			return ryde_err_set(err, RYDE_EDATA,
			    "line %zu of its output is longer than %u bytes", number,
			    RYDE_LINE_MAX);
		if (ryde_json_check(line, NULL, &fault) != 0)
			return ryde_err_set(err, RYDE_EDATA,
			    "line %zu of its output is not JSON: %s at byte %zu", number,
			    fault.what, fault.at + 1);
	}
	return 0;
}

static bool
same_key(const struct ryde_process_batch *b, size_t n)
{
	struct ryde_view key = ryde_process_batch_at(b, 0)->key;

	for (size_t i = 1; i < n; i++) {
		if (!ryde_view_eq(key, ryde_process_batch_at(b, i)->key))
			return false;
	}
	return true;
}

struct ryde_line_head
ryde_process_emit_head(const struct ryde_process_batch *b, size_t n, const char *stream,
    const char *shard, const char *ack)
{
	const struct ryde_process_batch_record *last = ryde_process_batch_at(b, n - 1);
	struct ryde_line_head head = {
	    .stream = ryde_view_of(stream),
	    .shard = ryde_view_of(shard),
	    .seq = last->seq,
	    .ack = ryde_view_of(ack),
	    .gen = last->gen,
	    .has_sub = last->has_sub,
	    .sub = last->sub,
	    .last = last->last,
	    .more = *ack != '\0',
	};

	if (same_key(b, n))
		head.key = last->key;
	for (size_t i = 0; i < n; i++) {
		uint32_t redrives = ryde_process_batch_at(b, i)->redrives;

		head.redrives = redrives > head.redrives ? redrives : head.redrives;
	}
	return head;
}

int
ryde_process_emit_print(struct ryde_writer *out, const struct ryde_line_head *head,
    struct ryde_view output, size_t *at, uint64_t *lines, struct ryde_err *err)
{
	bool enveloped = head->stream.n > 0 || head->ack.n > 0 || head->seq.n > 0;
	struct ryde_buf *buf = ryde_writer_buf(out);
	struct ryde_view line;

	while (ryde_writer_pending(out) < RYDE_WRITER_HIGH) {
		if (!next_line(output, at, &line))
			return 1;
		if (enveloped || ryde_line_imitates(line)) {
			ryde_line_put(buf, head, line, false);
		} else {
			ryde_buf_view(buf, line);
			ryde_buf_putc(buf, '\n');
		}
		(*lines)++;
		if (ryde_writer_added(out, err) != 0)
			return -1;
	}
	return 0;
}

int
ryde_process_emit_mark(struct ryde_writer *out, const struct ryde_process_batch *b,
    size_t n, const char *stream, const char *shard, const char *ack,
    struct ryde_err *err)
{
	const struct ryde_process_batch_record *r;
	struct ryde_line_head head = {
	    .stream = ryde_view_of(stream),
	    .shard = ryde_view_of(shard),
	    .ack = ryde_view_of(ack),
	    .mark = true,
	};

	if (*ack == '\0')
		return 0;
	for (size_t i = n; i > 0; i--) {
		r = ryde_process_batch_at(b, i - 1);
		if (r->more || r->seq.n == 0)
			continue;
		head.seq = r->seq;
		head.gen = r->gen;
		head.has_sub = r->has_sub && !r->last;
		head.sub = r->sub;
		ryde_line_put(ryde_writer_buf(out), &head, ryde_view_of(""), false);
		return ryde_writer_added(out, err);
	}
	return 0;
}
