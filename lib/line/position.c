#include "line/position.h"

#include "base/buf.h"
#include "base/num.h"

#include <string.h>

/* Eight at a time: with 6 added none of the bytes '0' to '9' leaves the row of '0'. */
static bool
all_digits(struct ryde_view v)
{
	const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0),
		       zeros = UINT64_C(0x3030303030303030),
		       sixes = UINT64_C(0x0606060606060606);
	size_t i = 0;

	for (; i + 8 <= v.n; i += 8) {
		uint64_t x;

		memcpy(&x, v.p + i, 8);
		if ((x & high) != zeros || ((x + sixes) & high) != zeros)
			return false;
	}
	for (; i < v.n; i++)
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	return true;
}

bool
ryde_pos_is(struct ryde_view seq)
{
	return seq.n > 0 && seq.n <= RYDE_SEQ_MAX && all_digits(seq);
}

bool
ryde_pos_set(struct ryde_pos *p, struct ryde_view seq)
{
	if (!ryde_pos_is(seq))
		return false;
	while (seq.n > 1 && seq.p[0] == '0') {
		seq.p++;
		seq.n--;
	}
	p->lines = 0;
	p->n = (uint8_t)seq.n; /* at most RYDE_SEQ_MAX */
	memcpy(p->seq, seq.p, seq.n);
	return true;
}

bool
ryde_pos_parse(struct ryde_pos *p, struct ryde_view text)
{
	const char *dot = text.n > 0 ? memchr(text.p, '.', text.n) : NULL;
	struct ryde_view seq = text;
	uint64_t sub = 0;

	if (dot != NULL) {
		seq.n = (size_t)(dot - text.p);
		text = ryde_view_mem(dot + 1, text.n - seq.n - 1);
		if (!ryde_num_u64(text, RYDE_SUB_MAX, &sub))
			return false;
	}
	if (!ryde_pos_set(p, seq))
		return false;
	if (dot != NULL)
		p->lines = (uint32_t)sub + 1; /* below RYDE_SUB_MAX */
	return true;
}

void
ryde_pos_put(struct ryde_buf *b, const struct ryde_pos *p)
{
	ryde_buf_view(b, ryde_pos_view(p));
	if (p->n == 0 || p->lines == 0)
		return;
	ryde_buf_putc(b, '.');
	ryde_buf_u64(b, p->lines - 1);
}

int
ryde_pos_cmp_record(const struct ryde_pos *a, const struct ryde_pos *b)
{
	int c;

	if (a->n != b->n)
		return a->n < b->n ? -1 : 1;
	c = memcmp(a->seq, b->seq, a->n);
	return c < 0 ? -1 : c > 0;
}

int
ryde_pos_cmp(const struct ryde_pos *a, const struct ryde_pos *b)
{
	int c = ryde_pos_cmp_record(a, b);

	if (c != 0 || a->lines == b->lines || a->n == 0)
		return c;
	/* 0, the whole, is the most of all */
	return a->lines - 1 < b->lines - 1 ? -1 : 1;
}
