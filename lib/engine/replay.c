#include "engine/replay.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "base/timestamp.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/envelope.h"

#include <stdlib.h>
#include <string.h>

#define PATH_DEFAULT ".StatusTime"
#define PATH_ARRIVAL ".approximateArrivalTimestamp"

struct ryde_replay {
	struct ryde_json_paths *paths, *arrival; /* one path each */
	bool by_path;				 /* -t: also in envelopes */
	struct ryde_buf plain;
};

static struct ryde_json_paths *
one_path(const char *path, struct ryde_err *err)
{
	struct ryde_json_paths *set = ryde_json_paths_new();
	size_t index;

	if (set == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	if (ryde_json_paths_add(set, path, &index, err) != 0) {
		ryde_json_paths_free(set);
		return NULL;
	}
	return set;
}

struct ryde_replay *
ryde_replay_new(const char *path, struct ryde_err *err)
{
	struct ryde_replay *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&r->plain, RYDE_LINE_MAX);
	r->by_path = path != NULL;
	r->paths = one_path(path != NULL ? path : PATH_DEFAULT, err);
	if (r->paths != NULL)
		r->arrival = one_path(PATH_ARRIVAL, err);
	if (r->arrival == NULL) {
		ryde_replay_free(r);
		return NULL;
	}
	return r;
}

void
ryde_replay_free(struct ryde_replay *r)
{
	if (r == NULL)
		return;
	ryde_json_paths_free(r->paths);
	ryde_json_paths_free(r->arrival);
	ryde_buf_free(&r->plain);
	free(r);
}

static int
find_arrival(struct ryde_replay *r, const struct ryde_line *line, bool place,
    struct ryde_replay_time *out, struct ryde_err *err)
{
	struct ryde_json_value value;
	struct ryde_json_fault fault;
	struct ryde_view text = ryde_view_mem(NULL, 0);

	if (place) {
		if (ryde_json_find(line->raw, r->arrival, &value, &fault) != 0)
			return ryde_err_set(
			    err, RYDE_EDATA, "%s at byte %zu", fault.what, fault.at + 1);
		text = value.text;
	}
	*out = (struct ryde_replay_time){line->arrival_ms, text, text, true};
	return 0;
}

int
ryde_replay_find(struct ryde_replay *r, const struct ryde_line *line,
    struct ryde_view payload, bool place, struct ryde_replay_time *out,
    struct ryde_err *err)
{
	const char *path = ryde_json_paths_text(r->paths, 0);
	struct ryde_json_value value;
	struct ryde_json_fault fault;
	struct ryde_view text;
	int64_t at_ms;

	if (!r->by_path && line->has_arrival)
		return find_arrival(r, line, place, out, err);
	if (ryde_json_find(payload, r->paths, &value, &fault) != 0)
		return ryde_err_set(
		    err, RYDE_EDATA, "%s at byte %zu", fault.what, fault.at + 1);
	if (value.kind == RYDE_JSON_ABSENT)
		return ryde_err_set(err, RYDE_EDATA, "no time: there is no %s", path);
	text = value.text;
	if (value.escaped) {
		ryde_buf_clear(&r->plain);
		ryde_json_string_decode(&r->plain, text);
		text = ryde_buf_as_view(&r->plain);
	}
	if ((value.kind != RYDE_JSON_STRING && value.kind != RYDE_JSON_NUMBER) ||
	    !ryde_timestamp_parse(text, &at_ms))
		return ryde_err_set(err, RYDE_EDATA, "no time: %s is %.*s", path,
		    (int)(value.text.n < 60 ? value.text.n : 60), value.text.p);
	*out = (struct ryde_replay_time){at_ms, value.text, text, false};
	return 0;
}

int64_t
ryde_replay_due_us(struct ryde_replay_schedule *s, int64_t at_ms, int64_t now_us)
{
	double after_us;

	if (!s->begun) {
		s->begun = true;
		s->first_ms = at_ms;
		s->start_us = now_us;
	}
	/* exact to the microsecond for three hundred years of data: below 2^53 */
	after_us = ((double)at_ms - (double)s->first_ms) * 1000.0 / s->speed;
	if (after_us <= 0)
		return s->start_us;
	if (after_us >= (double)(INT64_MAX / 4))
		return INT64_MAX / 2;
	return s->start_us + (int64_t)after_us;
}

bool
ryde_replay_speed(struct ryde_view v, double *speed, bool *max)
{
	struct ryde_view whole, behind = ryde_view_mem(NULL, 0);
	int64_t units = 0, parts = 0;
	double scale = 1;

	*max = ryde_view_is(v, "max");
	if (*max)
		return true;
	if (v.n > 1 && v.p[v.n - 1] == 'x')
		v.n--;
	whole = v;
	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] == '.') {
			whole.n = i;
			behind = ryde_view_mem(v.p + i + 1, v.n - i - 1);
			if (behind.n == 0 || behind.n > 9 || behind.p[0] == '-')
				return false;
			break;
		}
	}
	if (!ryde_num_i64(whole, 0, 1000000000000, &units) || whole.p[0] == '-')
		return false;
	if (behind.n > 0 && !ryde_num_i64(behind, 0, 999999999, &parts))
		return false;
	for (size_t i = 0; i < behind.n; i++)
		scale *= 10;
	*speed = (double)units + (double)parts / scale;
	return *speed > 0;
}

static bool
is_digit(struct ryde_view v, size_t at)
{
	return at < v.n && v.p[at] >= '0' && v.p[at] <= '9';
}

static size_t
digits_from(struct ryde_view v, size_t at)
{
	size_t n = 0;

	while (is_digit(v, at + n))
		n++;
	return n;
}

/* n digits behind the point; three are known. */
static void
put_behind(struct ryde_buf *out, const char *three, size_t n)
{
	ryde_buf_add(out, three, n < 3 ? n : 3);
	for (size_t i = 3; i < n; i++)
		ryde_buf_putc(out, '0');
}

/* The offset of a zone that has been checked: "", "Z", +hh, +hhmm, +hh:mm. */
static int64_t
zone_ms(struct ryde_view zone)
{
	int64_t hours = 0, minutes = 0, ms;

	if (zone.n < 3 || (zone.p[0] != '+' && zone.p[0] != '-'))
		return 0;
	(void)ryde_num_i64(ryde_view_mem(zone.p + 1, 2), 0, 99, &hours);
	if (zone.n > 3)
		(void)ryde_num_i64(
		    ryde_view_mem(zone.p + zone.n - 2, 2), 0, 99, &minutes);
	ms = (hours * 60 + minutes) * 60000;
	return zone.p[0] == '-' ? -ms : ms;
}

static void
restamp_civil(struct ryde_view form, int64_t to_ms, struct ryde_buf *out)
{
	bool seconds = form.n > 16 && form.p[16] == ':';
	size_t at = seconds ? 19 : 16, behind = 0, day;
	struct ryde_view zone = ryde_view_mem(NULL, 0);
	char text[RYDE_TIMESTAMP_MAX], point = '\0';

	if (seconds && at < form.n && (form.p[at] == '.' || form.p[at] == ',')) {
		point = form.p[at];
		behind = digits_from(form, at + 1);
		at += 1 + behind;
	}
	if (at < form.n)
		zone = ryde_view_mem(form.p + at, form.n - at);
	/* "2026-11-23 14:00:00.123": behind the day everything has its place */
	day = ryde_timestamp_plain(to_ms + zone_ms(zone), text) - strlen(" 14:00:00.123");
	ryde_buf_add(out, text, day);
	if (form.n == 10)
		return;
	ryde_buf_putc(out, form.p[10]);
	ryde_buf_add(out, text + day + 1, seconds ? strlen("14:00:00") : strlen("14:00"));
	if (point != '\0') {
		ryde_buf_putc(out, point);
		put_behind(out, text + day + strlen(" 14:00:00."), behind);
	}
	ryde_buf_view(out, zone);
}

static bool
has_exponent(struct ryde_view form)
{
	for (size_t i = 0; i < form.n; i++)
		if (form.p[i] == 'e' || form.p[i] == 'E')
			return true;
	return false;
}

static void
restamp_epoch(struct ryde_view form, int64_t to_ms, struct ryde_buf *out)
{
	size_t at = form.n > 0 && form.p[0] == '-' ? 1 : 0;
	size_t whole = digits_from(form, at), behind = 0;
	int64_t seconds = to_ms / 1000, ms = to_ms % 1000;
	char three[3] = {'0', '0', '0'};

	if (ms < 0) {
		ms += 1000;
		seconds--;
	}
	if (at + whole < form.n && form.p[at + whole] == '.')
		behind = digits_from(form, at + whole + 1);
	if (has_exponent(form)) {
		ryde_buf_i64(out, seconds);
		return;
	}
	ryde_buf_i64(out, whole > 11 ? to_ms : seconds);
	if (behind == 0)
		return;
	if (whole <= 11) {
		three[0] = (char)('0' + ms / 100);
		three[1] = (char)('0' + ms / 10 % 10);
		three[2] = (char)('0' + ms % 10);
	}
	ryde_buf_putc(out, '.');
	put_behind(out, three, behind);
}

void
ryde_replay_restamp(struct ryde_view form, int64_t to_ms, struct ryde_buf *out)
{
	if (form.n >= 10 && form.p[4] == '-' && form.p[7] == '-')
		restamp_civil(form, to_ms, out);
	else
		restamp_epoch(form, to_ms, out);
}
