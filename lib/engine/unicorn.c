#include "engine/unicorn.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "base/timestamp.h"
#include "json/string.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Positions are whole billionths of a degree and distances whole tenths of a metre, so
 * that a line says exactly where its unicorn is, and sums of Distance are exact.
 */
#define NANO 1000000000
#define QUARTER_TURN (90 * (int64_t)NANO)
#define HALF_TURN (180 * (int64_t)NANO)
#define LATITUDE_0 40749167000
#define LONGITUDE_0 (-73985184000)
#define METRES_PER_LATITUDE 110540.0
#define METRES_PER_LONGITUDE 111320.0
#define PI 3.14159265358979323846

#define NUMBERS_MAX 200 /* bytes of a line apart from its name and its time */

static const char *const built_in[] = {"Shadowfax", "Bucephalus", "Rocinante", "Sleipnir",
    "Pegasus", "Arion", "Xanthos", "Balius", "Epona", "Embarr", "Grani", "Tulpar",
    "Hofvarpnir", "Svadilfari", "Babieca", "Marengo", "Copenhagen", "Incitatus",
    "Llamrei", "Hengroen", "Bayard", "Veillantif", "Aethon", "Phlegon", "Pyrois",
    "Podarge", "Celeris", "Areion", "Kanthaka", "Uchchaihshravas", "Buraq", "Rakhsh",
    "Shabdiz", "Lampos", "Phaethon", "Alsvid", "Arvak", "Gyllir", "Gulltopp", "Skinfaxi",
    "Hrimfaxi", "Blodughofi"};
#define BUILT_INS (sizeof(built_in) / sizeof(built_in[0]))

struct unicorn {
	struct ryde_random random;
	double north, east; /* of its bearing: sine and cosine */
	int64_t latitude, longitude;
	int64_t magic, health;
	size_t head, head_n; /* {"Name":"…","StatusTime":" in the herd's heads */
};

struct ryde_unicorn_herd {
	struct unicorn *unicorns;
	size_t n;
	size_t next; /* whose line comes next in this tick */
	uint64_t tick, line, pill;
	int64_t start_ms, every_ms;
	bool input_data;
	struct ryde_buf heads;
	char time[RYDE_TIMESTAMP_MAX];
	size_t time_n;
};

/* The i-th unicorn that was given no name: Shadowfax … Blodughofi, Shadowfax-2 … */
static void
built_in_name(size_t i, struct ryde_buf *out)
{
	ryde_buf_puts(out, built_in[i % BUILT_INS]);
	if (i >= BUILT_INS) {
		ryde_buf_putc(out, '-');
		ryde_buf_u64(out, i / BUILT_INS + 1);
	}
}

static bool
is_given(const struct ryde_unicorn_ride *ride, struct ryde_view name)
{
	for (size_t i = 0; i < ride->n_names; i++)
		if (ryde_view_is(name, ride->names[i]))
			return true;
	return false;
}

static int
check_names(const struct ryde_unicorn_ride *ride, struct ryde_err *err)
{
	if (ride->count < 1 || ride->count > RYDE_UNICORN_COUNT_MAX ||
	    ride->count < ride->n_names)
		return ryde_err_set(err, RYDE_EUSAGE, "%zu names for %zu unicorns",
		    ride->n_names, ride->count);
	for (size_t i = 0; i < ride->n_names; i++) {
		struct ryde_view name = ryde_view_of(ride->names[i]);

		if (name.n == 0 || name.n > RYDE_UNICORN_NAME_MAX)
			return ryde_err_set(err, RYDE_EUSAGE,
			    "a unicorn's name has 1 to %d bytes", RYDE_UNICORN_NAME_MAX);
		if (!ryde_json_string_utf8(name))
			return ryde_err_set(
			    err, RYDE_EUSAGE, "a unicorn's name is no valid UTF-8");
		for (size_t j = 0; j < i; j++)
			if (ryde_view_is(name, ride->names[j]))
				return ryde_err_set(err, RYDE_EUSAGE,
				    "two unicorns of the name %s", ride->names[i]);
	}
	return 0;
}

static void
put_head(struct ryde_unicorn_herd *h, struct unicorn *u, struct ryde_view name)
{
	u->head = h->heads.n;
	ryde_buf_puts(&h->heads, "{\"Name\":");
	ryde_json_string_put(&h->heads, name);
	ryde_buf_puts(&h->heads, ",\"StatusTime\":\"");
	u->head_n = h->heads.n - u->head;
}

static void
saddle(struct ryde_unicorn_herd *h, const struct ryde_unicorn_ride *ride)
{
	struct ryde_random all;
	struct ryde_buf name;
	size_t given = 0;

	ryde_random_seed(&all, ride->seed);
	ryde_buf_init(&name, RYDE_UNICORN_NAME_MAX);
	if (ride->pill_among > 0)
		h->pill = 1 + ryde_random_u64(&all) % ride->pill_among;
	for (size_t i = 0; i < h->n; i++) {
		struct unicorn *u = &h->unicorns[i];
		double bearing;

		ryde_random_seed(&u->random, ryde_random_u64(&all));
		bearing = ryde_random_unit(&u->random) * 2 * PI;
		u->north = sin(bearing);
		u->east = cos(bearing);
		u->latitude = LATITUDE_0;
		u->longitude = LONGITUDE_0;
		u->magic = u->health = 150;
		if (i < ride->n_names) {
			put_head(h, u, ryde_view_of(ride->names[i]));
			continue;
		}
		do {
			ryde_buf_clear(&name);
			built_in_name(given++, &name);
		} while (is_given(ride, ryde_buf_as_view(&name)));
		put_head(h, u, ryde_buf_as_view(&name));
	}
	ryde_buf_free(&name);
}

static void
strike(struct ryde_unicorn_herd *h)
{
	h->time_n =
	    ryde_timestamp_plain(h->start_ms + (int64_t)h->tick * h->every_ms, h->time);
}

struct ryde_unicorn_herd *
ryde_unicorn_new(const struct ryde_unicorn_ride *ride, struct ryde_err *err)
{
	struct ryde_unicorn_herd *h;

	if (check_names(ride, err) != 0)
		return NULL;
	h = calloc(1, sizeof(*h));
	if (h == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&h->heads, SIZE_MAX / 2);
	h->n = ride->count;
	h->start_ms = ride->start_ms;
	h->every_ms = ride->every_ms;
	h->input_data = ride->input_data;
	h->unicorns = calloc(h->n, sizeof(*h->unicorns));
	if (h->unicorns == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	saddle(h, ride);
	if (ryde_buf_check(&h->heads, err) != 0)
		goto out;
	strike(h);
	return h;
out:
	ryde_unicorn_free(h);
	return NULL;
}

void
ryde_unicorn_free(struct ryde_unicorn_herd *h)
{
	if (h == NULL)
		return;
	ryde_buf_free(&h->heads);
	free(h->unicorns);
	free(h);
}

uint64_t
ryde_unicorn_tick(const struct ryde_unicorn_herd *h)
{
	return h->tick;
}

static int64_t
nearest(double x)
{
	return (int64_t)(x < 0 ? x - 0.5 : x + 0.5);
}

/* Over a pole the ride goes on down the other side of the Earth; longitudes stay within
 * half a turn. */
static void
stay_on_earth(struct unicorn *u)
{
	if (u->latitude > QUARTER_TURN || u->latitude < -QUARTER_TURN) {
		u->latitude = (u->latitude > 0 ? HALF_TURN : -HALF_TURN) - u->latitude;
		u->longitude += HALF_TURN;
		u->north = -u->north;
	}
	if (u->longitude >= HALF_TURN || u->longitude < -HALF_TURN) {
		u->longitude %= 2 * HALF_TURN;
		if (u->longitude >= HALF_TURN)
			u->longitude -= 2 * HALF_TURN;
		else if (u->longitude < -HALF_TURN)
			u->longitude += 2 * HALF_TURN;
	}
}

static int64_t
walk(int64_t points, uint64_t dice)
{
	int64_t to = points + (int64_t)(dice % 3) - 1;

	return to < 0 ? 0 : to;
}

/* One step. Returns its length in tenths of a metre: 290 to 310. */
static int64_t
step(struct unicorn *u)
{
	uint64_t dice = ryde_random_u64(&u->random);
	int64_t tenths = 290 + (int64_t)((dice & 0xffffffff) * 21 >> 32);
	double metres = (double)tenths / 10;
	double shrink = cos((double)u->latitude / NANO * (PI / 180));

	if (shrink < 1e-6)
		shrink = 1e-6; /* on a pole */
	u->latitude += nearest(metres * u->north / METRES_PER_LATITUDE * NANO);
	u->longitude +=
	    nearest(metres * u->east / (METRES_PER_LONGITUDE * shrink) * NANO);
	stay_on_earth(u);
	u->magic = walk(u->magic, dice >> 32 & 0xffff);
	u->health = walk(u->health, dice >> 48);
	return tenths;
}

#define PUT(p, s) (memcpy(p, s, sizeof(s) - 1), (p) + sizeof(s) - 1)

static char *
put_whole(char *p, uint64_t x)
{
	char tmp[24];
	size_t at = sizeof(tmp);

	do {
		tmp[--at] = (char)('0' + x % 10);
		x /= 10;
	} while (x != 0);
	memcpy(p, tmp + at, sizeof(tmp) - at);
	return p + (sizeof(tmp) - at);
}

static char *
put_degrees(char *p, int64_t nano)
{
	uint64_t x = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
	uint64_t behind = x % NANO;

	if (nano < 0)
		*p++ = '-';
	p = put_whole(p, x / NANO);
	*p++ = '.';
	for (int i = 8; i >= 0; i--) {
		p[i] = (char)('0' + behind % 10);
		behind /= 10;
	}
	return p + 9;
}

static char *
put_numbers(char *p, struct unicorn *u)
{
	int64_t tenths = step(u);

	p = PUT(p, "\",\"Latitude\":");
	p = put_degrees(p, u->latitude);
	p = PUT(p, ",\"Longitude\":");
	p = put_degrees(p, u->longitude);
	p = PUT(p, ",\"Distance\":");
	p = put_whole(p, (uint64_t)(tenths / 10));
	*p++ = '.';
	*p++ = (char)('0' + tenths % 10);
	p = PUT(p, ",\"MagicPoints\":");
	p = put_whole(p, (uint64_t)u->magic);
	p = PUT(p, ",\"HealthPoints\":");
	return put_whole(p, (uint64_t)u->health);
}

static bool
put_line(struct ryde_unicorn_herd *h, struct unicorn *u, struct ryde_buf *out)
{
	char *start = ryde_buf_room(out, u->head_n + h->time_n + NUMBERS_MAX);
	char *p = start;

	if (p == NULL)
		return false;
	memcpy(p, h->heads.p + u->head, u->head_n);
	p += u->head_n;
	memcpy(p, h->time, h->time_n);
	p = put_numbers(p + h->time_n, u);
	h->line++;
	if (h->input_data && h->line == h->pill)
		p = PUT(p, ",\"InputData\":\"error\"");
	else if (h->input_data)
		p = PUT(p, ",\"InputData\":\"ok\"");
	p = PUT(p, "}\n");
	ryde_buf_added(out, (size_t)(p - start));
	return true;
}

size_t
ryde_unicorn_put(struct ryde_unicorn_herd *h, size_t max, struct ryde_buf *out)
{
	size_t n = 0;

	while (n < max && h->next < h->n) {
		if (!put_line(h, &h->unicorns[h->next], out))
			return n;
		h->next++;
		n++;
	}
	if (h->next == h->n) {
		h->next = 0;
		h->tick++;
		strike(h);
	}
	return n;
}
