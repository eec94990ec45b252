#include "base/num.h"

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

bool
ryde_num_u64(struct ryde_view v, uint64_t max, uint64_t *out)
{
	uint64_t x = 0;

	if (v.n == 0)
		return false;
	for (size_t i = 0; i < v.n; i++) {
		uint64_t d;

		if (!digit(v.p[i]))
			return false;
		d = (uint64_t)(v.p[i] - '0');
		if (x > (UINT64_MAX - d) / 10)
			return false;
		x = x * 10 + d;
	}
	if (x > max)
		return false;
	*out = x;
	return true;
}

bool
ryde_num_i64(struct ryde_view v, int64_t min, int64_t max, int64_t *out)
{
	bool neg = v.n > 0 && v.p[0] == '-';
	uint64_t mag;
	int64_t x;

	if (neg) {
		v.p++;
		v.n--;
	}
	if (!ryde_num_u64(v, (uint64_t)INT64_MAX + (neg ? 1 : 0), &mag))
		return false;
	x = (int64_t)(neg ? 0 - mag : mag);
	if (x < min || x > max)
		return false;
	*out = x;
	return true;
}

/* Reads digits[.digits] at *at into thousandths of one; digits beyond the third must be
 * zero. */
static bool
thousandths(struct ryde_view v, size_t *at, int64_t *out)
{
	size_t start = *at, frac = 0;
	int64_t x = 0;

	for (; *at < v.n && digit(v.p[*at]); ++*at) {
		if (x > INT64_MAX / 100000)
			return false;
		x = x * 10 + (v.p[*at] - '0');
	}
	if (*at == start)
		return false;
	if (*at < v.n && v.p[*at] == '.') {
		for (++*at; *at < v.n && digit(v.p[*at]); ++*at) {
			if (frac < 3)
				x = x * 10 + (v.p[*at] - '0');
			else if (v.p[*at] != '0')
				return false;
			frac++;
		}
		if (frac == 0)
			return false;
	}
	for (; frac < 3; frac++)
		x *= 10;
	*out = x;
	return true;
}

static int64_t
unit_ms(struct ryde_view v, size_t *at)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {
	    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		struct ryde_view rest = {v.p + *at, v.n - *at};

		if (ryde_view_starts(rest, units[i].name)) {
			*at += strlen(units[i].name);
			return units[i].ms;
		}
	}
	return 0;
}

bool
ryde_num_duration_ms(struct ryde_view v, int64_t *out)
{
	int64_t total = 0;
	size_t at = 0;

	if (ryde_view_is(v, "0")) {
		*out = 0;
		return true;
	}
	if (v.n == 0)
		return false;
	while (at < v.n) {
		int64_t x, unit;

		if (!thousandths(v, &at, &x))
			return false;
		unit = unit_ms(v, &at);
		if (unit == 0 || x > INT64_MAX / unit || x * unit % 1000 != 0)
			return false;
		x = x * unit / 1000;
		if (total > INT64_MAX / 4 - x)
			return false;
		total += x;
	}
	*out = total;
	return true;
}

bool
ryde_num_size_bytes(struct ryde_view v, int64_t *out)
{
	static const char letters[] = "kMGT";
	struct ryde_view num = v;
	int64_t x, factor = 1;
	size_t at = 0;

	while (at < v.n && digit(v.p[at]))
		at++;
	num.n = at;
	if (at < v.n) {
		const char *l = strchr(letters, v.p[at] == 'K' ? 'k' : v.p[at]);
		struct ryde_view rest = {v.p + at + 1, v.n - at - 1};

		if (l != NULL && *l != '\0') {
			for (const char *q = letters; q <= l; q++)
				factor *= 1024;
		} else if (v.p[at] != 'B' || rest.n != 0) {
			return false;
		}
		if (rest.n != 0 && !ryde_view_is(rest, "B") && !ryde_view_is(rest, "iB"))
			return false;
	}
	if (!ryde_num_i64(num, 0, INT64_MAX / factor, &x))
		return false;
	*out = x * factor;
	return true;
}
