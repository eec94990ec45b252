#include "local/seq.h"

#include <string.h>

__extension__ typedef unsigned __int128 u128;

#define TEN19 10000000000000000000u
#define TEN18 1000000000000000000u
#define FIVE19 19073486328125u /* TEN19 / 2^19 */

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930"
    "3132333435363738394041424344454647484950515253545556575859606162"
    "6364656667686970717273747576777879808182838485868788899091929394"
    "9596979899";

/* n digits of x, with leading zeros; n is at most 19. */
static void
digits(char *to, unsigned n, uint64_t x)
{
	while (n >= 2) {
		n -= 2;
		memcpy(to + n, pairs + 2 * (x % 100), 2);
		x /= 100;
	}
	if (n == 1)
		to[0] = (char)('0' + x % 10);
}

/* The same for 19 digits, cut so that the divisions do not wait for each other. */
static void
digits19(char *to, uint64_t x)
{
	uint64_t a = x / 1000000000, b = x % 1000000000;

	digits(to, 10, a);
	digits(to + 10, 9, b);
}

void
ryde_seq_init(struct ryde_seq *s, int64_t created_s)
{
	uint64_t created = created_s < 0 ? 0 : (uint64_t)created_s & 0xfffffffffu;
	/* (2 << 36 | created) * 2^148, by schoolbook doubling of three decimal pieces */
	uint64_t part[3] = {0, 0, (uint64_t)2 << 36 | created};

	for (int i = 0; i < 148; i++) {
		uint64_t carry = 0;

		for (int k = 2; k >= 0; k--) {
			u128 x = (u128)part[k] * 2 + carry;

			part[k] = (uint64_t)(x % TEN19);
			carry = (uint64_t)(x / TEN19);
		}
	}
	*s = (struct ryde_seq){.high = part[0], .middle = part[1], .low = part[2]};
	s->head_high = UINT64_MAX;
}

static void
head(struct ryde_seq *s, uint64_t high, uint64_t middle)
{
	s->head_high = high;
	s->head_middle = middle;
	digits(s->head, 18, high);
	digits(s->head + 18, 19, middle);
}

void
ryde_seq_format(struct ryde_seq *s, int64_t id, int shard, struct ryde_pos *to)
{
	uint64_t i = (uint64_t)id, tail = (uint64_t)(uint32_t)shard << 4 | 2;
	/* L = id << 36 | tail; q = L / 10^19 and r = L % 10^19, by a division of 64 bits
	 */
	uint64_t q = (i << 17 | tail >> 19) / FIVE19;
	uint64_t r = (i << 36 | tail) - q * TEN19;
	uint64_t high = s->high, middle = s->middle + q, low;

	if (s->low >= TEN19 - r) {
		low = s->low - (TEN19 - r);
		middle++;
	} else {
		low = s->low + r;
	}
	if (middle >= TEN19) {
		middle -= TEN19;
		high++;
	}
	if (s->head_middle != middle || s->head_high != high)
		head(s, high, middle);
	to->lines = 0;
	to->n = RYDE_SEQ_DIGITS;
	memcpy(to->seq, s->head, sizeof(s->head));
	digits19(to->seq + sizeof(s->head), low);
}

static uint64_t
read_digits(const char *p, unsigned n)
{
	uint64_t x = 0;

	while (n-- > 0)
		x = x * 10 + (uint64_t)(*p++ - '0');
	return x;
}

bool
ryde_seq_parse(struct ryde_seq *s, const struct ryde_pos *pos, int shard, int64_t *id)
{
	uint64_t tail = (uint64_t)(uint32_t)shard << 4 | 2;
	uint64_t high, middle, low;
	u128 rest;

	if (pos->n != RYDE_SEQ_DIGITS)
		return false;
	high = read_digits(pos->seq, 18);
	middle = read_digits(pos->seq + 18, 19);
	low = read_digits(pos->seq + 37, 19);
	/* the rest above the stream's own part is below 2^84: it never reaches `high` by
	 * more than a carry */
	if (high == s->high + 1)
		rest = (u128)middle + TEN19;
	else if (high == s->high)
		rest = middle;
	else
		return false;
	if (rest < s->middle || (rest == s->middle && low < s->low) ||
	    rest - s->middle > (uint64_t)1 << 40)
		return false;
	rest = (rest - s->middle) * TEN19 + low - s->low;
	if ((rest & 0xfffffffffu) != tail || rest >> 36 > (u128)RYDE_SEQ_ID_MAX)
		return false;
	*id = (int64_t)(rest >> 36);
	return true;
}
