#include "base/timestamp.h"

#define DAY_MS 86400000
#define YEAR_MAX \
	292000000 /* some 277 thousand years less than 64 bits of milliseconds hold */

/*
 * Days since 1970-01-01 of a civil date, by counting in 400-year eras that begin on March
 * 1st, so that the leap day is the last of its year.
 */
static int64_t
days_of(int64_t year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

struct ryde_civil
ryde_timestamp_civil(int64_t at_ms)
{
	int64_t days = at_ms / DAY_MS, rest = at_ms % DAY_MS;
	int64_t era, doe, yoe, doy, mp;
	struct ryde_civil c;

	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	doe = days - era * 146097;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = yoe + era * 400 + (c.month <= 2 ? 1 : 0);
	c.hour = (int)(rest / 3600000);
	c.minute = (int)(rest / 60000 % 60);
	c.second = (int)(rest / 1000 % 60);
	c.ms = (int)(rest % 1000);
	return c;
}

static char *
put(char *to, int64_t v, int width)
{
	for (int i = width - 1; i >= 0; i--) {
		to[i] = (char)('0' + v % 10);
		v /= 10;
	}
	return to + width;
}

static size_t
format(int64_t at_ms, char between, const char *zone, char *to)
{
	struct ryde_civil c = ryde_timestamp_civil(at_ms);
	char *p = to;

	/* ISO 8601's expanded years have a sign, so that the reader knows how many digits
	 * come */
	if (c.year < 0 || c.year > 9999)
		*p++ = c.year < 0 ? '-' : '+';
	p = put(p, c.year < 0 ? -c.year : c.year,
	    c.year > 999999 || c.year < -999999 ? 9
	    : c.year > 9999 || c.year < 0	? 6
						: 4);
	*p++ = '-';
	p = put(p, c.month, 2);
	*p++ = '-';
	p = put(p, c.day, 2);
	*p++ = between;
	p = put(p, c.hour, 2);
	*p++ = ':';
	p = put(p, c.minute, 2);
	*p++ = ':';
	p = put(p, c.second, 2);
	*p++ = '.';
	p = put(p, c.ms, 3);
	while (*zone != '\0')
		*p++ = *zone++;
	*p = '\0';
	return (size_t)(p - to);
}

size_t
ryde_timestamp_rfc3339(int64_t at_ms, char *to)
{
	return format(at_ms, 'T', "Z", to);
}

size_t
ryde_timestamp_plain(int64_t at_ms, char *to)
{
	return format(at_ms, ' ', "", to);
}

static bool
digits(struct ryde_view v, size_t at, size_t n, int *out)
{
	int x = 0;

	if (at + n > v.n)
		return false;
	for (size_t i = at; i < at + n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
		x = x * 10 + (v.p[i] - '0');
	}
	*out = x;
	return true;
}

/* [.,]digits at *at, as milliseconds, digits beyond the third cut. */
static int
fraction_ms(struct ryde_view v, size_t *at)
{
	int ms = 0, scale = 100;

	if (*at + 1 >= v.n || (v.p[*at] != '.' && v.p[*at] != ',') ||
	    v.p[*at + 1] < '0' || v.p[*at + 1] > '9')
		return 0;
	for (++*at; *at < v.n && v.p[*at] >= '0' && v.p[*at] <= '9'; ++*at) {
		ms += (v.p[*at] - '0') * scale;
		scale /= 10;
	}
	return ms;
}

/* "", "Z" or an offset, which is the whole rest of v from at. */
static bool
zone_ms(struct ryde_view v, size_t at, int64_t *out)
{
	int h, m = 0;
	bool colon;

	*out = 0;
	if (at == v.n)
		return true;
	if (v.p[at] == 'Z' || v.p[at] == 'z')
		return at + 1 == v.n;
	if ((v.p[at] != '+' && v.p[at] != '-') || !digits(v, at + 1, 2, &h))
		return false;
	if (at + 3 != v.n) {
		colon = v.p[at + 3] == ':';
		if (!digits(v, at + 3 + (colon ? 1 : 0), 2, &m) ||
		    at + 5 + (colon ? 1 : 0) != v.n)
			return false;
	}
	if (h > 23 || m > 59)
		return false;
	*out = (int64_t)(h * 60 + m) * 60000;
	if (v.p[at] == '-')
		*out = -*out;
	return true;
}

static int
days_in(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/*
 * Takes the sign and the first digits of an expanded year (six or nine in all) off v, so
 * that four are left.
 */
static bool
take_era(struct ryde_view *v, int *sign, int *era)
{
	size_t n = 0;

	*sign = 0;
	*era = 0;
	if (v->n == 0 || (v->p[0] != '+' && v->p[0] != '-'))
		return true;
	*sign = v->p[0] == '-' ? -1 : 1;
	while (n < 9 && 1 + n < v->n && v->p[1 + n] >= '0' && v->p[1 + n] <= '9')
		n++;
	if ((n != 6 && n != 9) || !digits(*v, 1, n - 4, era))
		return false;
	v->p += n - 3;
	v->n -= n - 3;
	return *era < YEAR_MAX / 10000;
}

static bool
parse_civil(struct ryde_view v, int64_t *out_ms)
{
	int y, mo, d, h = 0, mi = 0, s = 0, ms = 0, sign, era;
	int64_t zone = 0;
	size_t at = 10;

	if (!take_era(&v, &sign, &era) || v.n < 10 || v.p[4] != '-' || v.p[7] != '-' ||
	    !digits(v, 0, 4, &y) || !digits(v, 5, 2, &mo) || !digits(v, 8, 2, &d))
		return false;
	y = (era * 10000 + y) * (sign < 0 ? -1 : 1);
	if (mo < 1 || mo > 12 || d < 1 || d > days_in(y, mo))
		return false;
	if (v.n > 10) {
		if ((v.p[10] != ' ' && v.p[10] != 'T' && v.p[10] != 't') ||
		    !digits(v, 11, 2, &h) || v.n < 16 || v.p[13] != ':' ||
		    !digits(v, 14, 2, &mi))
			return false;
		at = 16;
		if (at < v.n && v.p[at] == ':') {
			if (!digits(v, 17, 2, &s))
				return false;
			at = 19;
			ms = fraction_ms(v, &at);
		}
		if (h > 23 || mi > 59 || s > 60 || !zone_ms(v, at, &zone))
			return false;
	}
	*out_ms = days_of(y, mo, d) * DAY_MS + (int64_t)h * 3600000 +
		  (int64_t)mi * 60000 + (int64_t)s * 1000 + ms - zone;
	return true;
}

/*
 * A decimal number as milliseconds. The point is moved by three digits for seconds and
 * the digits behind it are cut with floor, so that no double is needed and nothing is
 * rounded up.
 */
static bool
parse_epoch(struct ryde_view v, int64_t *out_ms)
{
	char d[40];
	size_t n = 0, at = 0, zeros = 0;
	int64_t x = 0, exponent = 0, point = -1, keep;
	bool neg, has_exp = false, cut = false;

	neg = at < v.n && v.p[at] == '-';
	if (neg)
		at++;
	for (; at < v.n; at++) {
		char c = v.p[at];

		if (c == '.' && point < 0 && n + zeros > 0)
			point = (int64_t)(n + zeros);
		else if (c == '0' && n == 0)
			zeros++; /* in front of the first other digit they say nothing */
		else if (c >= '0' && c <= '9' && n < sizeof(d))
			d[n++] = c;
		else
			break;
	}
	if (n + zeros == 0 || point == (int64_t)(n + zeros))
		return false;
	if (at < v.n && (v.p[at] == 'e' || v.p[at] == 'E')) {
		bool eneg = ++at < v.n && v.p[at] == '-';

		if (at < v.n && (v.p[at] == '-' || v.p[at] == '+'))
			at++;
		if (at == v.n || v.n - at > 3)
			return false;
		for (; at < v.n && v.p[at] >= '0' && v.p[at] <= '9'; at++)
			exponent = exponent * 10 + (v.p[at] - '0');
		if (eneg)
			exponent = -exponent;
		has_exp = true;
	}
	if (at != v.n)
		return false;
	keep = (point < 0 ? (int64_t)n : point - (int64_t)zeros) + exponent;
	if (n == 0)
		keep = 0;
	if (has_exp || keep <= 11)
		keep += 3;
	if (keep > 17)
		return false;
	for (int64_t i = 0; i < keep; i++)
		x = x * 10 + (i < (int64_t)n ? d[i] - '0' : 0);
	for (int64_t i = keep < 0 ? 0 : keep; i < (int64_t)n; i++)
		cut = cut || d[i] != '0';
	*out_ms = neg ? -x - (cut ? 1 : 0) : x;
	return true;
}

bool
ryde_timestamp_parse(struct ryde_view v, int64_t *out_ms)
{
	return parse_civil(v, out_ms) || parse_epoch(v, out_ms);
}
