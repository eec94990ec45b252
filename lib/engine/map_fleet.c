#include "engine/map_fleet.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/random.h"
#include "json/string.h"
#include "line/envelope.h"

#include <stdlib.h>
#include <string.h>

#define TRAIL 60
#define TRAIL_EVERY_MS 900
#define ENTRY_MAX 16384 /* bytes of an entry, a name full of escapes included */
#define BUCKETS_FIRST 1024

struct point {
	struct ryde_map_place place;
	uint32_t seen_ms; /* the low half: only differences are looked at */
};

/* What became of a unicorn's newest line. */
enum state {
	DRAWN,	/* or bad: it waits for nothing */
	UNREAD, /* taken */
	READ,	/* its entry is made, and is drawn next */
};

/* A name. The payload of its newest line is in the reader's memory, or in `kept`, where
 * it stays for its details. */
struct unicorn {
	struct unicorn *next_in_bucket;
	struct unicorn *newer, *older; /* by change; those with an entry */
	struct unicorn *next_waiting;
	/* whose line came behind one of this, as long as nobody was forgotten since */
	struct unicorn *successor;
	uint64_t successor_at;
	uint64_t id, change, lines;
	uint32_t hash;
	enum state state;
	bool waiting; /* in the list of those that draw looks at */
	struct ryde_map_line line;
	struct ryde_buf kept, entry;
	size_t bytes;	 /* of the payload that was drawn */
	struct point at; /* the newest line's */
	int64_t seen_mono_ms;
	struct point trail[TRAIL];
	unsigned trail_n, trail_at; /* how many, and where the next one goes */
	size_t name_n;
	char name[]; /* plain bytes */
};

struct ryde_map_fleet {
	struct ryde_map_fleet_opts o;
	struct ryde_map_entry *reader;
	struct ryde_buf scratch;
	struct unicorn **buckets;
	size_t n_buckets, n;
	uint64_t seed, ids, change, pending, forgotten;
	struct unicorn *newest, *oldest, *waiting;
};

/* ---- making ---- */

struct ryde_map_fleet *
ryde_map_fleet_new(const struct ryde_map_fleet_opts *opts, struct ryde_err *err)
{
	struct ryde_map_fleet *f = calloc(1, sizeof(*f));

	if (f == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	f->o = *opts;
	ryde_buf_init(&f->scratch, ENTRY_MAX);
	f->n_buckets = BUCKETS_FIRST;
	f->buckets = calloc(f->n_buckets, sizeof(struct unicorn *));
	if (f->buckets == NULL) {
		(void)ryde_err_nomem(err);
		goto fail;
	}
	f->reader = ryde_map_entry_new(&opts->fields, err);
	if (f->reader == NULL || ryde_random_bytes(&f->seed, sizeof(f->seed), err) != 0)
		goto fail;
	return f;
fail:
	ryde_map_fleet_free(f);
	return NULL;
}

static void
unicorn_free(struct unicorn *u)
{
	ryde_buf_free(&u->kept);
	ryde_buf_free(&u->entry);
	free(u);
}

void
ryde_map_fleet_free(struct ryde_map_fleet *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; f->buckets != NULL && i < f->n_buckets; i++) {
		struct unicorn *u = f->buckets[i], *next;

		for (; u != NULL; u = next) {
			next = u->next_in_bucket;
			unicorn_free(u);
		}
	}
	free(f->buckets);
	ryde_map_entry_free(f->reader);
	ryde_buf_free(&f->scratch);
	free(f);
}

/* ---- names ---- */

static uint32_t
hash_of(struct ryde_view name, uint64_t seed)
{
	uint64_t h = seed ^ name.n, word = 0;
	size_t i = 0;

	for (; i + 8 <= name.n; i += 8) {
		memcpy(&word, name.p + i, 8);
		h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
		h ^= h >> 29;
	}
	/* the rest, of a long name with bytes that were in already */
	if (i < name.n && i > 0)
		memcpy(&word, name.p + name.n - 8, 8);
	else
		for (word = 0; i < name.n; i++)
			word = word << 8 | (unsigned char)name.p[i];
	h = (h ^ word) * UINT64_C(0xe7037ed1a0b428db);
	h ^= h >> 32;
	h *= UINT64_C(0xa0761d6478bd642f);
	return (uint32_t)(h >> 32);
}

static void
grow(struct ryde_map_fleet *f)
{
	size_t n = f->n_buckets * 2;
	struct unicorn **wider = calloc(n, sizeof(struct unicorn *));

	/* without memory the chains grow longer, and all stays right */
	if (wider == NULL)
		return;
	for (size_t i = 0; i < f->n_buckets; i++) {
		struct unicorn *u = f->buckets[i], *next;

		for (; u != NULL; u = next) {
			next = u->next_in_bucket;
			u->next_in_bucket = wider[u->hash & (n - 1)];
			wider[u->hash & (n - 1)] = u;
		}
	}
	free(f->buckets);
	f->buckets = wider;
	f->n_buckets = n;
}

/* The unicorn of that name, NULL where there is none. */
static struct unicorn *
known(const struct ryde_map_fleet *f, struct ryde_view name, uint32_t hash)
{
	struct unicorn *u = f->buckets[hash & (f->n_buckets - 1)];

	while (u != NULL && (u->hash != hash ||
				!ryde_view_eq(ryde_view_mem(u->name, u->name_n), name)))
		u = u->next_in_bucket;
	return u;
}

/* The same, a new one where there is none; NULL without memory. */
static struct unicorn *
named(struct ryde_map_fleet *f, struct ryde_view name, struct ryde_err *err)
{
	uint32_t hash = hash_of(name, f->seed);
	struct unicorn *u = known(f, name, hash);

	if (u != NULL)
		return u;
	u = calloc(1, sizeof(*u) + name.n);
	if (u == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&u->kept, RYDE_MAP_LINE_MAX);
	ryde_buf_init(&u->entry, ENTRY_MAX);
	u->hash = hash;
	u->id = ++f->ids;
	u->name_n = name.n;
	memcpy(u->name, name.p, name.n);
	if (f->n >= f->n_buckets)
		grow(f);
	u->next_in_bucket = f->buckets[hash & (f->n_buckets - 1)];
	f->buckets[hash & (f->n_buckets - 1)] = u;
	f->n++;
	return u;
}

static void
unlink_drawn(struct ryde_map_fleet *f, struct unicorn *u)
{
	if (u->newer != NULL)
		u->newer->older = u->older;
	else if (f->newest == u)
		f->newest = u->older;
	if (u->older != NULL)
		u->older->newer = u->newer;
	else if (f->oldest == u)
		f->oldest = u->newer;
	u->newer = u->older = NULL;
}

static void
forget(struct ryde_map_fleet *f, struct unicorn *u)
{
	struct unicorn **at = &f->buckets[u->hash & (f->n_buckets - 1)];

	while (*at != u)
		at = &(*at)->next_in_bucket;
	*at = u->next_in_bucket;
	unlink_drawn(f, u);
	f->n--;
	f->forgotten++;
	unicorn_free(u);
}

static int
keep(struct unicorn *u, struct ryde_err *err)
{
	ryde_buf_clear(&u->kept);
	ryde_buf_view(&u->kept, u->line.payload);
	if (ryde_buf_check(&u->kept, err) != 0)
		return -1;
	u->line.payload = ryde_buf_as_view(&u->kept);
	u->line.lasting = false;
	return 0;
}

/* ---- reading ---- */

/* Reads the newest line: it is drawn next, or bad. */
static int
examine(struct ryde_map_fleet *f, struct unicorn *u, struct ryde_err *err)
{
	const struct ryde_map_whose whose = {
	    u->id, ryde_view_mem(u->name, u->name_n), u->line.arrival_ms};
	char why[256];
	int rc;

	/* the old entry stays where the line is bad */
	ryde_buf_clear(&f->scratch);
	if (ryde_map_entry_read(f->reader, u->line.payload, &whose, &f->scratch,
		&u->at.place, why, sizeof(why))) {
		ryde_buf_clear(&u->entry);
		ryde_buf_view(&u->entry, ryde_buf_as_view(&f->scratch));
		u->state = READ;
		return ryde_buf_check(&f->scratch, err);
	}
	u->state = DRAWN;
	f->pending--;
	rc = f->o.bad(f->o.arg, &u->line, why, err);
	ryde_buf_clear(&u->kept);
	return rc;
}

/* ---- taking ---- */

/* It becomes the newest line of u, whose last one was told as done if it waited. */
static inline void
take_for(struct ryde_map_fleet *f, struct unicorn *u, const struct ryde_map_line *line)
{
	f->pending += u->state == DRAWN;
	if (!u->waiting) {
		u->waiting = true;
		u->next_waiting = f->waiting;
		f->waiting = u;
	}
	u->state = UNREAD;
	u->line = *line;
	u->lines++;
}

int
ryde_map_fleet_take(
    struct ryde_map_fleet *f, const struct ryde_map_line *line, struct ryde_err *err)
{
	struct ryde_view name;
	struct unicorn *u;
	char why[256];

	if (!ryde_map_entry_name(f->reader, line->payload, &name)) {
		ryde_map_entry_no_name(f->reader, line->payload, why, sizeof(why));
		return f->o.bad(f->o.arg, line, why, err);
	}
	u = named(f, name, err);
	if (u == NULL)
		return -1;
	if (f->n > RYDE_MAP_FLEET_MAX) {
		forget(f, u);
		return f->o.bad(
		    f->o.arg, line, "the map is full: 100000 names are on it", err);
	}
	if (u->state != DRAWN)
		f->o.done(f->o.arg, u->line.ticket, true);
	take_for(f, u, line);
	/* what is too long to be kept is read while it is there */
	if (line->payload.n > RYDE_MAP_LINE_MAX)
		return examine(f, u, err);
	return line->lasting ? 0 : keep(u, err);
}

/* The unicorn of the line at the beginning of text, which comes behind one of `before`
 * (NULL: not known). NULL where the line must be taken by itself. */
static inline struct unicorn *
whose_line(struct ryde_map_fleet *f, struct unicorn *before, struct ryde_view text)
{
	struct unicorn *u = NULL;
	struct ryde_view name;

	if (!ryde_line_is_bare(text))
		return NULL;
	/* fleets send in turns */
	if (before != NULL && before->successor_at == f->forgotten)
		u = before->successor;
	if (u != NULL &&
	    ryde_map_entry_same_name(f->reader, text, ryde_view_mem(u->name, u->name_n)))
		return u;
	if (!ryde_map_entry_same_way(f->reader, text, &name))
		return NULL;
	u = known(f, name, hash_of(name, f->seed));
	if (before != NULL) {
		before->successor = u;
		before->successor_at = f->forgotten;
	}
	return u;
}

struct ryde_map_taken
ryde_map_fleet_take_lines(
    struct ryde_map_fleet *f, struct ryde_view text, uint64_t number)
{
	struct ryde_map_line line = {.number = number, .arrival_ms = -1, .lasting = true};
	struct ryde_map_taken t = {0};
	struct unicorn *u = NULL;

	while (t.bytes < text.n) {
		struct ryde_view rest = ryde_view_mem(text.p + t.bytes, text.n - t.bytes);
		const char *nl;

		u = whose_line(f, u, rest);
		nl = u != NULL ? memchr(rest.p, '\n', rest.n) : NULL;
		if (nl == NULL || nl - rest.p > RYDE_MAP_LINE_MAX)
			break;
		if (u->state != DRAWN && u->line.ticket == 0)
			t.overtaken++;
		else if (u->state != DRAWN)
			f->o.done(f->o.arg, u->line.ticket, true);
		line.payload = ryde_view_mem(rest.p, (size_t)(nl - rest.p));
		take_for(f, u, &line);
		line.number++;
		t.lines++;
		t.bytes += line.payload.n + 1;
	}
	return t;
}

int
ryde_map_fleet_keep(struct ryde_map_fleet *f, struct ryde_err *err)
{
	for (struct unicorn *u = f->waiting; u != NULL; u = u->next_waiting)
		if (u->state == UNREAD && u->line.lasting && keep(u, err) != 0)
			return -1;
	return 0;
}

bool
ryde_map_fleet_waiting(const struct ryde_map_fleet *f)
{
	return f->waiting != NULL;
}

uint64_t
ryde_map_fleet_pending(const struct ryde_map_fleet *f)
{
	return f->pending;
}

/* ---- drawing ---- */

static void
add_point(struct unicorn *u)
{
	const struct point *last = &u->trail[(u->trail_at + TRAIL - 1) % TRAIL];

	u->at.seen_ms = (uint32_t)u->seen_mono_ms;
	if (u->trail_n > 0 &&
	    (u->at.seen_ms - last->seen_ms < TRAIL_EVERY_MS ||
		(u->at.place.latitude_e6 == last->place.latitude_e6 &&
		    u->at.place.longitude_e6 == last->place.longitude_e6)))
		return;
	u->trail[u->trail_at] = u->at;
	u->trail_at = (u->trail_at + 1) % TRAIL;
	if (u->trail_n < TRAIL)
		u->trail_n++;
}

/* Makes it the newest change. */
static int
draw(struct ryde_map_fleet *f, struct unicorn *u, struct ryde_err *err)
{
	u->state = DRAWN;
	f->pending--;
	u->bytes = u->line.payload.n;
	if (u->bytes > RYDE_MAP_LINE_MAX)
		ryde_buf_clear(&u->kept);
	else if (u->line.lasting && keep(u, err) != 0)
		return -1;
	ryde_buf_putc(&u->entry, ',');
	ryde_buf_i64(&u->entry, ryde_map_fleet_told_ms(f, u->seen_mono_ms));
	ryde_buf_putc(&u->entry, ',');
	ryde_buf_u64(&u->entry, u->lines);
	if (ryde_buf_check(&u->entry, err) != 0)
		return -1;
	add_point(u);
	unlink_drawn(f, u);
	u->change = ++f->change;
	u->older = f->newest;
	if (f->newest != NULL)
		f->newest->newer = u;
	else
		f->oldest = u;
	f->newest = u;
	f->o.done(f->o.arg, u->line.ticket, false);
	return 0;
}

int
ryde_map_fleet_draw(struct ryde_map_fleet *f, int64_t now_mono_ms, struct ryde_err *err)
{
	while (f->waiting != NULL) {
		struct unicorn *u = f->waiting;

		f->waiting = u->next_waiting;
		u->waiting = false;
		if (u->state == UNREAD && examine(f, u, err) != 0)
			return -1;
		if (u->state == READ) {
			u->seen_mono_ms = now_mono_ms;
			if (draw(f, u, err) != 0)
				return -1;
		}
		if (u->change == 0)
			forget(f, u);
	}
	while (f->o.forget_ms > 0 && f->oldest != NULL &&
	       now_mono_ms - f->oldest->seen_mono_ms >= f->o.forget_ms)
		forget(f, f->oldest);
	return 0;
}

/* ---- showing ---- */

uint64_t
ryde_map_fleet_now(const struct ryde_map_fleet *f)
{
	return f->change;
}

int64_t
ryde_map_fleet_told_ms(const struct ryde_map_fleet *f, int64_t mono_ms)
{
	return f->o.mono_zero_ms + mono_ms;
}

size_t
ryde_map_fleet_count(const struct ryde_map_fleet *f)
{
	return f->n;
}

/* Millionths of a degree in degrees. */
static void
put_e6(struct ryde_buf *b, int32_t e6)
{
	ryde_buf_printf(
	    b, "%s%d.%06d", e6 < 0 ? "-" : "", abs(e6 / 1000000), abs(e6 % 1000000));
}

static void
put_trail(const struct unicorn *u, struct ryde_buf *b)
{
	ryde_buf_puts(b, ",[");
	for (unsigned i = 0; i < u->trail_n; i++) {
		const struct point *p =
		    &u->trail[(u->trail_at + TRAIL - u->trail_n + i) % TRAIL];

		if (i > 0)
			ryde_buf_putc(b, ',');
		put_e6(b, p->place.latitude_e6);
		ryde_buf_putc(b, ',');
		put_e6(b, p->place.longitude_e6);
		ryde_buf_putc(b, ',');
		ryde_buf_u64(b, (uint32_t)u->seen_mono_ms - p->seen_ms);
	}
	ryde_buf_putc(b, ']');
}

void
ryde_map_fleet_changes(const struct ryde_map_fleet *f, uint64_t *since, bool trails,
    size_t most, struct ryde_buf *out)
{
	const struct unicorn *u = f->newest;
	bool first = true;

	while (u != NULL && u->older != NULL && u->older->change > *since)
		u = u->older;
	ryde_buf_putc(out, '[');
	for (; u != NULL && u->change > *since && out->n < most; u = u->newer) {
		/* one that a draw is about to change keeps its number until then */
		if (u->state == READ)
			continue;
		if (!first)
			ryde_buf_putc(out, ',');
		first = false;
		ryde_buf_view(out, ryde_buf_as_view(&u->entry));
		if (trails)
			put_trail(u, out);
		ryde_buf_putc(out, ']');
		*since = u->change;
	}
	ryde_buf_putc(out, ']');
}

bool
ryde_map_fleet_details(const struct ryde_map_fleet *f, uint64_t id, struct ryde_buf *out)
{
	const struct unicorn *u = f->newest;

	while (u != NULL && u->id != id)
		u = u->older;
	if (u == NULL)
		return false;
	ryde_buf_puts(out, "{\"id\":");
	ryde_buf_u64(out, id);
	ryde_buf_puts(out, ",\"bytes\":");
	ryde_buf_u64(out, u->bytes);
	ryde_buf_puts(out, ",\"payload\":");
	if (u->state == DRAWN && u->kept.n > 0)
		ryde_json_string_put(out, ryde_buf_as_view(&u->kept));
	else
		ryde_buf_puts(out, "null");
	ryde_buf_puts(out, "}\n");
	return true;
}
