#include "base/zone.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

#define FILE_MAX (1u << 20)
#define PATH_MAX_BYTES 1024
#define HEADER 44
#define DAY 86400
#define OFFSET_MAX (26 * 3600) /* RFC 9636, section 3.2 */

/* A day of each year, and a time of it. */
struct rule {
	enum { MONTH, JULIAN, DAY_OF_YEAR } kind;
	int month, week, day; /* MONTH: the week-th day (0: Sunday) of the month; 5: the
				 last */
	int64_t at; /* seconds from local midnight, may lie outside of the day */
};

struct change {
	int64_t at; /* seconds since the epoch */
	int64_t offset;
};

struct ryde_zone {
	struct change *changes;
	size_t n;
	int64_t first; /* offset before the first change */
	bool has_rules, has_summer;
	int64_t standard, summer; /* offsets, behind the last change */
	struct rule begin, end;	  /* of summer */
};

/* ---- POSIX TZ ---- */

struct text {
	const char *p, *end;
};

static bool
skip(struct text *t, char c)
{
	if (t->p == t->end || *t->p != c)
		return false;
	t->p++;
	return true;
}

static bool
number(struct text *t, int max, int *to)
{
	const char *from = t->p;

	for (*to = 0; t->p < t->end && *t->p >= '0' && *t->p <= '9'; t->p++) {
		*to = *to * 10 + (*t->p - '0');
		if (*to > max)
			return false;
	}
	return t->p > from;
}

/* [+-]hh[:mm[:ss]] */
static bool
clock_time(struct text *t, int64_t *to)
{
	bool negative = skip(t, '-');
	int part[3] = {0};

	if (!negative)
		(void)skip(t, '+');
	if (!number(t, 167, &part[0]))
		return false;
	for (int i = 1; i < 3 && skip(t, ':'); i++) {
		if (!number(t, 59, &part[i]))
			return false;
	}
	*to = part[0] * INT64_C(3600) + part[1] * 60 + part[2];
	if (negative)
		*to = -*to;
	return true;
}

static bool
zone_name(struct text *t)
{
	const char *from = t->p;
	bool quoted = skip(t, '<');

	while (t->p < t->end && (quoted ? *t->p != '>'
					: (*t->p >= 'A' && *t->p <= 'Z') ||
					      (*t->p >= 'a' && *t->p <= 'z')))
		t->p++;
	return t->p > from && (!quoted || skip(t, '>'));
}

static bool
rule(struct text *t, struct rule *r)
{
	bool good;

	r->at = 7200;
	if (skip(t, 'M')) {
		r->kind = MONTH;
		good = number(t, 12, &r->month) && skip(t, '.') &&
		       number(t, 5, &r->week) && skip(t, '.') && number(t, 6, &r->day) &&
		       r->month > 0 && r->week > 0;
	} else if (skip(t, 'J')) {
		r->kind = JULIAN;
		good = number(t, 365, &r->day) && r->day > 0;
	} else {
		r->kind = DAY_OF_YEAR;
		good = number(t, 365, &r->day);
	}
	return good && (!skip(t, '/') || clock_time(t, &r->at));
}

static bool
rules(struct ryde_zone *z, struct text t)
{
	if (t.p == t.end)
		return true;
	/* POSIX counts west of Greenwich. */
	if (!zone_name(&t) || !clock_time(&t, &z->standard))
		return false;
	z->standard = -z->standard;
	z->has_rules = true;
	if (t.p == t.end)
		return true;
	z->has_summer = true;
	z->summer = z->standard + 3600;
	if (!zone_name(&t))
		return false;
	if (t.p < t.end && *t.p != ',') {
		if (!clock_time(&t, &z->summer))
			return false;
		z->summer = -z->summer;
	}
	return skip(&t, ',') && rule(&t, &z->begin) && skip(&t, ',') &&
	       rule(&t, &z->end) && t.p == t.end;
}

/* ---- days ---- */

static bool
is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from the epoch to the first of January. */
static int64_t
year_day(int64_t year)
{
	int64_t y = year - 1;
	/* counted from the year -399 on, so that the divisions round down */
	int64_t shifted = y + 400 * INT64_C(1000000);

	return y * 365 + shifted / 4 - shifted / 100 + shifted / 400 -
	       (INT64_C(100000000) - 4000000 + 1000000) - 719162;
}

static int64_t
year_of(int64_t seconds)
{
	int64_t day = seconds / DAY - (seconds % DAY < 0), year = 1970 + day / 366;

	while (year_day(year + 1) <= day)
		year++;
	while (year_day(year) > day)
		year--;
	return year;
}

/* When the rule changes the offset in a year; it is in local time by `offset`. */
static int64_t
rule_at(const struct rule *r, int64_t year, int64_t offset)
{
	static const int before[] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
	int64_t day = year_day(year), first, length, of_week;

	switch (r->kind) {
	case JULIAN: /* 29 February is never counted */
		day += r->day - 1 + (is_leap(year) && r->day >= 60);
		break;
	case DAY_OF_YEAR:
		day += r->day;
		break;
	case MONTH:
		first = day + before[r->month - 1] + (is_leap(year) && r->month > 2);
		length = before[r->month] - before[r->month - 1] +
			 (is_leap(year) && r->month == 2);
		of_week = (first % 7 + 11) % 7; /* 1970-01-01 was a Thursday */
		day = first + (r->day - of_week + 7) % 7 + INT64_C(7) * (r->week - 1);
		if (day >= first + length)
			day -= 7;
		break;
	}
	return day * DAY + r->at - offset;
}

/* ---- TZif ---- */

static int64_t
big_endian(const char *p, size_t n)
{
	uint64_t v = (unsigned char)p[0] >= 0x80 ? UINT64_MAX : 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | (unsigned char)p[i];
	return (int64_t)v;
}

/* The counts of a header, and the length of what follows it. */
struct block {
	size_t utc, std, leap, times, types, chars, length;
};

static bool
read_header(struct ryde_view v, size_t time_bytes, struct block *b)
{
	size_t *const counts[] = {
	    &b->utc, &b->std, &b->leap, &b->times, &b->types, &b->chars};

	if (v.n < HEADER || memcmp(v.p, "TZif", 4) != 0)
		return false;
	for (size_t i = 0; i < 6; i++) {
		int64_t n = big_endian(v.p + 20 + 4 * i, 4);

		if (n < 0 || n > FILE_MAX)
			return false;
		*counts[i] = (size_t)n;
	}
	b->length = b->times * (time_bytes + 1) + b->types * 6 + b->chars +
		    b->leap * (time_bytes + 4) + b->std + b->utc;
	return b->types > 0 && b->length <= v.n - HEADER;
}

static bool
read_block(struct ryde_zone *z, const char *p, const struct block *b, size_t time_bytes)
{
	const char *type = p + b->times * time_bytes, *types = type + b->times;
	int64_t offset;

	z->changes = calloc(b->times + 1, sizeof(*z->changes));
	if (z->changes == NULL)
		return true; /* the caller sees that it is not there */
	z->first = big_endian(types, 4);
	for (size_t i = 0; i < b->times; i++) {
		if ((unsigned char)type[i] >= b->types)
			return false;
		offset = big_endian(types + 6 * (unsigned char)type[i], 4);
		z->changes[i] =
		    (struct change){big_endian(p + i * time_bytes, time_bytes), offset};
		if (offset > OFFSET_MAX || offset < -OFFSET_MAX ||
		    (i > 0 && z->changes[i].at <= z->changes[i - 1].at))
			return false;
	}
	z->n = b->times;
	/* Some writers put a change before all times first. */
	while (z->n > 0 && z->changes[0].at < -RYDE_ZONE_FOREVER_MS / 1000) {
		z->first = z->changes[0].offset;
		memmove(z->changes, z->changes + 1, --z->n * sizeof(*z->changes));
	}
	return z->first <= OFFSET_MAX && z->first >= -OFFSET_MAX &&
	       (z->n == 0 || z->changes[z->n - 1].at < RYDE_ZONE_FOREVER_MS / 1000);
}

/* The second block of a file of version 2 or later, with its rules; else the first. */
static bool
read_file(struct ryde_zone *z, struct ryde_view v)
{
	struct block b;
	const char *line, *end;

	if (!read_header(v, 4, &b))
		return false;
	if (v.p[4] == '\0')
		return read_block(z, v.p + HEADER, &b, 4);
	v = ryde_view_mem(v.p + HEADER + b.length, v.n - HEADER - b.length);
	if (!read_header(v, 8, &b) || !read_block(z, v.p + HEADER, &b, 8))
		return false;
	line = v.p + HEADER + b.length;
	end = ryde_view_end(v);
	if (line == end || *line != '\n')
		return false;
	end = memchr(line + 1, '\n', (size_t)(end - line - 1));
	return end != NULL && rules(z, (struct text){line + 1, end});
}

struct ryde_zone *
ryde_zone_parse(struct ryde_view data, struct ryde_err *err)
{
	struct ryde_zone *z = calloc(1, sizeof(*z));
	bool good;

	if (z == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	good = read_file(z, data);
	if (good && z->changes != NULL)
		return z;
	if (good)
		ryde_err_nomem(err);
	else
		ryde_err_set(err, RYDE_EDATA, "broken time zone data");
	ryde_zone_free(z);
	return NULL;
}

void
ryde_zone_free(struct ryde_zone *z)
{
	if (z != NULL)
		free(z->changes);
	free(z);
}

/* A name is a path below the directory, and leads nowhere else. */
static bool
is_name(const char *name)
{
	if (name[0] == '\0' || name[0] == '/' || strstr(name, "..") != NULL)
		return false;
	return strspn(name,
		   "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		   "_+-/") == strlen(name);
}

struct ryde_zone *
ryde_zone_open(const char *name, struct ryde_err *err)
{
	const char *dir = getenv("TZDIR");
	struct ryde_zone *z = NULL;
	struct ryde_buf path, data;
	struct ryde_err why = RYDE_ERR_INIT;

	ryde_buf_init(&path, PATH_MAX_BYTES);
	ryde_buf_init(&data, FILE_MAX);
	if (!is_name(name)) {
		ryde_err_set(err, RYDE_EUSAGE,
		    "'%s' is no time zone: want a name such as Europe/Berlin", name);
		goto out;
	}
	ryde_buf_printf(&path, "%s/%s",
	    dir != NULL && dir[0] != '\0' ? dir : "/usr/share/zoneinfo", name);
	if (ryde_buf_check(&path, err) != 0)
		goto out;
	if (ryde_file_read(ryde_buf_str(&path), &data, &why) != 0) {
		ryde_err_set(err, RYDE_EUSAGE, "no time zone '%s': %s", name, why.msg);
		goto out;
	}
	z = ryde_zone_parse(ryde_buf_as_view(&data), err);
	if (z == NULL)
		ryde_err_prefix(err, "%s", ryde_buf_str(&path));
out:
	ryde_buf_free(&path);
	ryde_buf_free(&data);
	return z;
}

/* ---- asking ---- */

static struct ryde_zone_span
span(int64_t from, int64_t to, int64_t offset)
{
	return (struct ryde_zone_span){from * 1000, to * 1000, offset * 1000};
}

/* Behind the last change of the file, which was at `since`. */
static struct ryde_zone_span
at_rules(const struct ryde_zone *z, int64_t since, int64_t at)
{
	int64_t forever = RYDE_ZONE_FOREVER_MS / 1000, year;
	struct change last = {since, z->standard}, next;

	if (!z->has_summer)
		return span(since, forever, z->standard);
	/* The changes around it; which of the two comes first in a year depends on the
	 * hemisphere. */
	for (year = year_of(at) - 1;; year++) {
		struct change begin = {rule_at(&z->begin, year, z->standard), z->summer};
		struct change end = {rule_at(&z->end, year, z->summer), z->standard};
		struct change both[2] = {
		    begin.at < end.at ? begin : end, begin.at < end.at ? end : begin};

		for (int i = 0; i < 2; i++) {
			next = both[i];
			if (next.at > at)
				return span(last.at, next.at, last.offset);
			if (next.at > since)
				last.at = next.at;
			last.offset = next.offset;
		}
	}
}

struct ryde_zone_span
ryde_zone_at(const struct ryde_zone *z, int64_t at_ms)
{
	int64_t at = at_ms / 1000 - (at_ms % 1000 < 0),
		forever = RYDE_ZONE_FOREVER_MS / 1000;
	size_t low = 0, high = z->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (z->changes[middle].at <= at)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == z->n && z->has_rules)
		return at_rules(z, low > 0 ? z->changes[low - 1].at : -forever, at);
	return span(low > 0 ? z->changes[low - 1].at : -forever,
	    low < z->n ? z->changes[low].at : forever,
	    low > 0 ? z->changes[low - 1].offset : z->first);
}

int64_t
ryde_zone_from_local(const struct ryde_zone *z, int64_t local_ms)
{
	/* The span before all times that could be meant, then one after the other. */
	struct ryde_zone_span s = ryde_zone_at(z, local_ms - OFFSET_MAX * 1000);
	int64_t at_ms = local_ms - s.offset_ms;

	while (at_ms >= s.to_ms) {
		s = ryde_zone_at(z, s.to_ms);
		at_ms = local_ms - s.offset_ms;
		if (at_ms < s.from_ms)
			return s.from_ms; /* it was skipped */
	}
	return at_ms;
}
