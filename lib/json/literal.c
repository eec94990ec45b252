#include "json/literal.h"

#include "json/limbs.h"

/* Far beyond any text's length, and far from overflowing a sum with one. */
#define EXPONENT_MAX (INT64_MAX / 8)

static bool
is_digit(const char *p, const char *end)
{
	return p < end && *p >= '0' && *p <= '9';
}

static const char *
look_digits(struct ryde_literal *l, const char *p, const char *end)
{
	for (; is_digit(p, end); p++, l->n_digits++) {
		if (*p == '0')
			continue;
		if (!l->nonzero)
			l->first = l->n_digits;
		l->nonzero = true;
		l->last = l->n_digits;
	}
	return p;
}

/* Reads what stands behind the e. NULL where that is no number. */
static const char *
look_exponent(struct ryde_literal *l, const char *p, const char *end)
{
	bool negative = p < end && *p == '-';

	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (!is_digit(p, end))
		return NULL;
	for (; is_digit(p, end); p++) {
		if (l->exponent < EXPONENT_MAX / 10)
			l->exponent = l->exponent * 10 + (*p - '0');
		else
			l->exponent = EXPONENT_MAX;
	}
	if (negative)
		l->exponent = -l->exponent;
	return p;
}

bool
ryde_literal_look(struct ryde_literal *l, struct ryde_view number)
{
	const char *p = number.p, *end = p + number.n;

	*l = (struct ryde_literal){.negative = number.n > 0 && *p == '-'};
	if (l->negative)
		p++;
	l->digits = p;
	p = look_digits(l, p, end);
	l->n_whole = l->n_digits;
	if (l->n_whole == 0 || (l->n_whole > 1 && *l->digits == '0'))
		return false;
	if (p < end && *p == '.') {
		p = look_digits(l, p + 1, end);
		if (l->n_digits == l->n_whole)
			return false;
	}
	if (p < end && (*p == 'e' || *p == 'E'))
		p = look_exponent(l, p + 1, end);
	return p == end;
}

void
ryde_literal_limbs(const struct ryde_literal *l, uint32_t *p, uint32_t n)
{
	size_t at = l->first, left = l->last - l->first + 1;

	while (n-- > 0) {
		uint32_t x = 0;

		for (; left > (size_t)n * RYDE_LIMBS_DIGITS; left--, at++) {
			char c = l->digits[at < l->n_whole ? at : at + 1];

			x = x * 10 + (uint32_t)(c - '0');
		}
		p[n] = x;
	}
}
