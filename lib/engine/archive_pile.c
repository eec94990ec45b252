#include "engine/archive_pile.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/random.h"
#include "base/timestamp.h"
#include "engine/archive_known.h"
#include "engine/archive_object.h"
#include "engine/archive_prefix.h"
#include "line/envelope.h"
#include "store/archive.h"

#include <stdlib.h>
#include <string.h>

#define MEM_BYTES ((size_t)12 << 20) /* gathered lines, over all piles */
#define FILLING_MAX 16384	     /* objects being filled */
#define TICKETS_MAX 262144	     /* lines that wait for acknowledgement */
#define IDLE_MAX 256		     /* empty piles that are remembered */
/* So many piles keep their buffers when they are empty: all of these together are less
 * than MEM_BYTES. */
#define MANY 16
#define BUCKETS 32768
#define CUT_BATCH 1024		       /* objects made durable together */
#define CUT_MAX CUT_BATCH	       /* cut objects that wait */
#define CUT_BYTES ((uint64_t)32 << 20) /* and their bytes */
#define CUT_MS 100		       /* and how long */
#define TOKEN_MAX 32

enum kind {
	KIND_PLAIN,
	KIND_SHARD, /* lines of a group's shard, in the order of their numbers */
	KIND_ERROR,
};

/*
 * A prefix, and the shard where it is a group's. It is in one of two lists: `filled`
 * while it has an object (the one that began first is first), else `idle` (the one that
 * was used first is first).
 */
struct pile {
	struct pile *chain;
	struct pile *before, *after;
	uint64_t hash;
	char *key; /* prefix, stream, shard, one behind the other */
	size_t prefix_n, stream_n, shard_n; /* the latter only of KIND_SHARD */
	enum kind kind;
	struct ryde_archive_filling *filling;
	/* of a group's shard: what the archive held when this reading began */
	struct ryde_archive_known *known;
	struct ryde_pos last;
	char token[TOKEN_MAX]; /* of the reading: its reader and generation */
	size_t token_n;
	uint32_t gen;
};

struct list {
	struct pile *first, *last;
	size_t n;
};

struct ryde_archive_piles {
	struct ryde_archive_pile_opts o;
	struct ryde_archive_zips *zips;
	struct pile **buckets;
	struct pile *latest;
	struct list filled, idle;
	struct ryde_archive_filling *cut_first, *cut_last; /* oldest first */
	size_t n_cut, mem_bytes, tickets;
	uint64_t cut_bytes, pending, counter;
	char run[9]; /* random, the same for all objects of this run that are not a
			shard's */
};

struct ryde_archive_piles *
ryde_archive_piles_new(const struct ryde_archive_pile_opts *opts, struct ryde_err *err)
{
	struct ryde_archive_piles *p = calloc(1, sizeof(*p));
	unsigned char bytes[8];

	if (p == NULL || (p->buckets = calloc(BUCKETS, sizeof(*p->buckets))) == NULL) {
		free(p);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	p->o = *opts;
	if (ryde_random_bytes(bytes, sizeof(bytes), err) != 0 ||
	    (opts->level > 0 &&
		(p->zips = ryde_archive_zips_new(opts->level, err)) == NULL)) {
		ryde_archive_piles_free(p);
		return NULL;
	}
	for (size_t i = 0; i < sizeof(bytes); i++)
		p->run[i] = "0123456789abcdefghijklmnopqrstuv"[bytes[i] % 32];
	return p;
}

/* ---- piles ---- */

static void
take_out(struct list *l, struct pile *pile)
{
	if (pile->before != NULL)
		pile->before->after = pile->after;
	else
		l->first = pile->after;
	if (pile->after != NULL)
		pile->after->before = pile->before;
	else
		l->last = pile->before;
	pile->before = pile->after = NULL;
	l->n--;
}

static void
put_last(struct list *l, struct pile *pile)
{
	pile->before = l->last;
	pile->after = NULL;
	if (l->last != NULL)
		l->last->after = pile;
	else
		l->first = pile;
	l->last = pile;
	l->n++;
}

static void
free_pile(struct ryde_archive_piles *p, struct pile *pile)
{
	ryde_archive_filling_free(pile->filling, p->zips);
	ryde_archive_known_free(pile->known);
	free(pile->key);
	free(pile);
}

void
ryde_archive_piles_free(struct ryde_archive_piles *p)
{
	if (p == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++) {
		struct pile *next;

		for (struct pile *pile = p->buckets[i]; pile != NULL; pile = next) {
			next = pile->chain;
			free_pile(p, pile);
		}
	}
	while (p->cut_first != NULL) {
		struct ryde_archive_filling *f = p->cut_first;

		p->cut_first = f->next;
		ryde_archive_filling_free(f, p->zips);
	}
	ryde_archive_zips_free(p->zips);
	free(p->buckets);
	free(p);
}

static void
forget_pile(struct ryde_archive_piles *p, struct pile *pile)
{
	struct pile **at = &p->buckets[pile->hash % BUCKETS];

	while (*at != pile)
		at = &(*at)->chain;
	*at = pile->chain;
	take_out(&p->idle, pile);
	if (p->latest == pile)
		p->latest = NULL;
	free_pile(p, pile);
}

/* Source: FNV-1a, 64 bits. */
static uint64_t
hash_bytes(uint64_t h, struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++)
		h = (h ^ (unsigned char)v.p[i]) * UINT64_C(0x100000001b3);
	return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static struct ryde_view
stream_of(const struct pile *pile)
{
	return ryde_view_mem(pile->key + pile->prefix_n, pile->stream_n);
}

static struct ryde_view
shard_of(const struct pile *pile)
{
	return ryde_view_mem(pile->key + pile->prefix_n + pile->stream_n, pile->shard_n);
}

static bool
is_pile(const struct pile *pile, const struct ryde_archive_line *l, enum kind kind)
{
	return pile->kind == kind &&
	       ryde_view_eq(ryde_view_mem(pile->key, pile->prefix_n), l->prefix) &&
	       (kind != KIND_SHARD || (ryde_view_eq(stream_of(pile), l->line->stream) &&
					  ryde_view_eq(shard_of(pile), l->line->shard)));
}

static struct pile *
new_pile(struct ryde_archive_piles *p, const struct ryde_archive_line *l, enum kind kind,
    uint64_t hash, struct ryde_err *err)
{
	struct pile *pile = calloc(1, sizeof(*pile));
	struct ryde_view parts[] = {l->prefix, {NULL, 0}, {NULL, 0}};
	size_t at = 0;

	if (kind == KIND_SHARD) {
		parts[1] = l->line->stream;
		parts[2] = l->line->shard;
	}
	if (pile == NULL ||
	    (pile->key = malloc(parts[0].n + parts[1].n + parts[2].n + 1)) == NULL) {
		free(pile);
		(void)ryde_err_nomem(err);
		return NULL;
	}
	for (size_t i = 0; i < 3; i++) {
		if (parts[i].n > 0)
			memcpy(pile->key + at, parts[i].p, parts[i].n);
		at += parts[i].n;
	}
	pile->prefix_n = parts[0].n;
	pile->stream_n = parts[1].n;
	pile->shard_n = parts[2].n;
	pile->kind = kind;
	pile->hash = hash;
	pile->chain = p->buckets[hash % BUCKETS];
	p->buckets[hash % BUCKETS] = pile;
	put_last(&p->idle, pile);
	return pile;
}

static struct pile *
pile_of(struct ryde_archive_piles *p, const struct ryde_archive_line *l, enum kind kind,
    struct ryde_err *err)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	struct pile *pile;

	if (p->latest != NULL && is_pile(p->latest, l, kind))
		return p->latest;
	hash = hash_bytes(hash, l->prefix);
	if (kind == KIND_SHARD) {
		hash = hash_bytes(hash, l->line->stream);
		hash = hash_bytes(hash, l->line->shard);
	}
	pile = p->buckets[hash % BUCKETS];
	while (pile != NULL && (pile->hash != hash || !is_pile(pile, l, kind)))
		pile = pile->chain;
	if (pile == NULL) {
		if (p->idle.n > IDLE_MAX)
			forget_pile(p, p->idle.first);
		pile = new_pile(p, l, kind, hash, err);
	}
	p->latest = pile;
	return pile;
}

/* ---- names ---- */

/* Random characters of a prefix: a shard's are made of its name, so that a repeat finds
 * the same folder. */
static void
put_prefix(const struct pile *pile, struct ryde_buf *to)
{
	struct ryde_random r;
	unsigned char bytes[8];
	uint64_t seed = pile->hash;

	if (pile->kind == KIND_SHARD) {
		seed =
		    hash_bytes(hash_bytes(UINT64_C(0xcbf29ce484222325), stream_of(pile)),
			shard_of(pile));
	} else if (ryde_random_bytes(bytes, sizeof(bytes), NULL) == 0) {
		memcpy(&seed, bytes, sizeof(seed));
	}
	ryde_random_seed(&r, seed);
	for (size_t i = 0; i < pile->prefix_n; i++) {
		if (pile->key[i] != RYDE_ARCHIVE_PREFIX_RANDOM) {
			ryde_buf_putc(to, pile->key[i]);
			continue;
		}
		for (int k = 0; k < RYDE_ARCHIVE_PREFIX_RANDOM_N; k++)
			ryde_buf_putc(
			    to, "0123456789abcdefghijklmnopqrstuv"[ryde_random_u64(&r) >>
								   59]);
	}
}

/* What an object is called that holds no shard's lines: when it began, then a number that
 * counts. */
static void
put_own_name(struct ryde_archive_piles *p, const struct ryde_archive_filling *f,
    struct ryde_buf *to)
{
	struct ryde_civil c = ryde_timestamp_civil(f->oldest_ms);

	ryde_buf_printf(to, "%s-%04lld-%02d-%02d-%02d-%02d-%02d-%03d-%s-%06llu",
	    f->is_error ? "errors" : "lines", (long long)c.year, c.month, c.day, c.hour,
	    c.minute, c.second, c.ms, p->run, (unsigned long long)++p->counter);
}

static int
set_name(
    struct ryde_archive_filling *f, const struct ryde_buf *name, struct ryde_err *err)
{
	char *text;

	if (ryde_buf_check(name, err) != 0)
		return -1;
	text = malloc(name->n + 1);
	if (text == NULL)
		return ryde_err_nomem(err);
	memcpy(text, name->p, name->n);
	text[name->n] = '\0';
	free(f->name);
	f->name = text;
	return 0;
}

static int
name_object(struct ryde_archive_piles *p, const struct pile *pile,
    struct ryde_archive_filling *f, struct ryde_err *err)
{
	struct ryde_buf name;
	int rc;

	ryde_buf_init(&name, RYDE_ARCHIVE_NAME_MAX);
	put_prefix(pile, &name);
	if (pile->kind == KIND_SHARD)
		ryde_archive_known_name(
		    &name, stream_of(pile), shard_of(pile), &f->first, &f->last);
	else
		put_own_name(p, f, &name);
	f->name_n = name.n;
	ryde_buf_puts(&name, p->zips != NULL ? ".ndjson.gz" : ".ndjson");
	rc = set_name(f, &name, err);
	ryde_buf_free(&name);
	return rc;
}

/* ---- filling ---- */

static int
write_filling(struct ryde_archive_piles *p, struct ryde_archive_filling *f,
    struct ryde_view more, bool last, struct ryde_err *err)
{
	size_t was = f->mem.cap;

	if (ryde_archive_filling_write(f, p->o.archive, p->zips, more, last, err) != 0)
		return -1;
	if (last || p->filled.n > MANY)
		ryde_buf_free(&f->mem);
	p->mem_bytes -= was - f->mem.cap;
	return 0;
}

/* Everything that holds more than half of its share is written out. */
static int
make_room(struct ryde_archive_piles *p, struct ryde_err *err)
{
	size_t share = MEM_BYTES / (p->filled.n * 2 + 1);

	for (struct pile *pile = p->filled.first; pile != NULL; pile = pile->after)
		if (pile->filling->mem.cap > share &&
		    write_filling(p, pile->filling, ryde_view_mem(NULL, 0), false, err) !=
			0)
			return -1;
	return 0;
}

static int
cut(struct ryde_archive_piles *p, struct pile *pile, struct ryde_err *err)
{
	struct ryde_archive_filling *f = pile->filling;

	if (name_object(p, pile, f, err) != 0 ||
	    write_filling(p, f, ryde_view_mem(NULL, 0), true, err) != 0)
		return -1;
	ryde_archive_settle(f->object);
	f->cut_mono_ms = ryde_clock_mono_ms();
	pile->filling = NULL;
	take_out(&p->filled, pile);
	put_last(&p->idle, pile);
	if (p->cut_last != NULL)
		p->cut_last->next = f;
	else
		p->cut_first = f;
	p->cut_last = f;
	p->n_cut++;
	p->cut_bytes += f->stored;
	return 0;
}

static struct ryde_view
token_of(const struct ryde_archive_line *l)
{
	struct ryde_view v = l->line->ack;

	return v.n > TOKEN_MAX ? ryde_view_mem(v.p, TOKEN_MAX) : v;
}

/*
 * A reading of a shard begins: what it may give again is looked up. 2 where what is in
 * hand must be durable first, so that it is found.
 */
static int
begin_reading(struct ryde_archive_piles *p, struct pile *pile,
    const struct ryde_archive_line *l, const struct ryde_pos *pos, struct ryde_err *err)
{
	struct ryde_view token = token_of(l);
	struct ryde_buf prefix;
	int rc;

	if (pile->filling != NULL && cut(p, pile, err) != 0)
		return -1;
	if (p->cut_first != NULL)
		return 2;
	ryde_archive_known_free(pile->known);
	pile->known = NULL;
	ryde_buf_init(&prefix, RYDE_ARCHIVE_NAME_MAX);
	put_prefix(pile, &prefix);
	rc = ryde_archive_known_new(p->o.archive, ryde_buf_str(&prefix), stream_of(pile),
	    shard_of(pile), pos, &pile->known, err);
	ryde_buf_free(&prefix);
	if (rc != 0)
		return -1;
	memcpy(pile->token, token.p, token.n);
	pile->token_n = token.n;
	pile->gen = l->line->gen;
	return 0;
}

/* A line of a group's shard. 1: it is new, 0: the archive holds it, 2 as add, -1. */
static int
place(struct ryde_archive_piles *p, struct pile *pile, const struct ryde_archive_line *l,
    const struct ryde_pos *pos, struct ryde_err *err)
{
	bool has = false;
	int rc;

	if (pile->token_n == 0 || pile->gen != l->line->gen ||
	    ryde_pos_cmp(pos, &pile->last) < 0 ||
	    !ryde_view_eq(ryde_view_mem(pile->token, pile->token_n), token_of(l))) {
		rc = begin_reading(p, pile, l, pos, err);
		if (rc != 0)
			return rc;
	}
	pile->last = *pos;
	if (pile->known == NULL)
		return 1;
	if (ryde_archive_known_has(pile->known, pos, l->text, &has, err) != 0)
		return -1;
	if (!has && ryde_archive_known_passed(pile->known, pos)) {
		ryde_archive_known_free(pile->known);
		pile->known = NULL;
	}
	return has ? 0 : 1;
}

static struct ryde_archive_filling *
filling_of(struct ryde_archive_piles *p, struct pile *pile,
    const struct ryde_archive_line *l, struct ryde_err *err)
{
	struct ryde_archive_filling *f = pile->filling;

	if (f != NULL)
		return f;
	f = ryde_archive_filling_new(err);
	if (f == NULL)
		return NULL;
	f->oldest_ms = l->at_ms;
	f->began_mono_ms = ryde_clock_mono_ms();
	f->is_error = l->is_error;
	pile->filling = f;
	take_out(&p->idle, pile);
	put_last(&p->filled, pile);
	return f;
}

static int
put_line(struct ryde_archive_piles *p, struct ryde_archive_filling *f,
    struct ryde_view text, struct ryde_err *err)
{
	size_t was;

	if (f->mem.n + text.n >= RYDE_ARCHIVE_CHUNK &&
	    write_filling(p, f,
		text.n >= RYDE_ARCHIVE_CHUNK ? text : ryde_view_mem(NULL, 0), false,
		err) != 0)
		return -1;
	was = f->mem.cap;
	if (text.n < RYDE_ARCHIVE_CHUNK)
		ryde_buf_view(&f->mem, text);
	ryde_buf_putc(&f->mem, '\n');
	p->mem_bytes += f->mem.cap - was;
	return ryde_buf_check(&f->mem, err);
}

int
ryde_archive_piles_add(
    struct ryde_archive_piles *p, const struct ryde_archive_line *l, struct ryde_err *err)
{
	struct ryde_archive_filling *f;
	struct ryde_pos pos = {0};
	enum kind kind = KIND_PLAIN;
	struct pile *pile;
	int rc;

	if (l->is_error)
		kind = KIND_ERROR;
	else if (l->line->ack.n > 0 && l->line->shard.n > 0 &&
		 ryde_line_pos(l->line, &pos))
		kind = KIND_SHARD;
	pile = pile_of(p, l, kind, err);
	if (pile == NULL)
		return -1;
	rc = kind == KIND_SHARD ? place(p, pile, l, &pos, err) : 1;
	if (rc != 1)
		return rc;
	f = filling_of(p, pile, l, err);
	if (f == NULL || put_line(p, f, l->text, err) != 0 ||
	    (l->ticket != 0 && ryde_archive_filling_ticket(f, l->ticket, err) != 0))
		return -1;
	p->tickets += l->ticket != 0;
	ryde_archive_filling_count(f, l->line, &pos, l->at_ms, l->text.n + 1);
	p->pending++;
	return 1;
}

int
ryde_archive_piles_relieve(struct ryde_archive_piles *p, struct ryde_err *err)
{
	struct pile *pile = p->latest;

	if (pile != NULL && pile->filling != NULL &&
	    pile->filling->bytes >= (uint64_t)p->o.size_bytes && cut(p, pile, err) != 0)
		return -1;
	if (p->mem_bytes > MEM_BYTES && make_room(p, err) != 0)
		return -1;
	while (p->filled.n > FILLING_MAX)
		if (cut(p, p->filled.first, err) != 0)
			return -1;
	while (p->tickets > TICKETS_MAX && p->filled.n > 0)
		if (cut(p, p->filled.first, err) != 0)
			return -1;
	return 0;
}

int
ryde_archive_piles_cut(
    struct ryde_archive_piles *p, int64_t now_mono_ms, bool all, struct ryde_err *err)
{
	while (p->filled.n > 0) {
		struct pile *pile = p->filled.first;

		if (!all && now_mono_ms - pile->filling->began_mono_ms < p->o.every_ms)
			break;
		if (cut(p, pile, err) != 0)
			return -1;
		/* many small ones: they are not all to be in hand at once */
		if (p->n_cut > CUT_MAX &&
		    ryde_archive_piles_commit(p, now_mono_ms, false, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- making durable ---- */

/* Another life's object, with other lines, may have the name. */
static int
rename_object(
    struct ryde_archive_piles *p, struct ryde_archive_filling *f, struct ryde_err *err)
{
	struct ryde_buf name;
	int rc;

	ryde_buf_init(&name, RYDE_ARCHIVE_NAME_MAX);
	ryde_buf_add(&name, f->name, f->name_n);
	ryde_buf_printf(
	    &name, "-%u%s", ++f->names + 1, p->zips != NULL ? ".ndjson.gz" : ".ndjson");
	rc = set_name(f, &name, err);
	ryde_buf_free(&name);
	return rc;
}

static int
is_durable(
    struct ryde_archive_piles *p, struct ryde_archive_filling *f, struct ryde_err *err)
{
	struct ryde_archive_durable d = {.name = f->name,
	    .tickets = f->tickets,
	    .n_tickets = f->n_tickets,
	    .lines = f->lines,
	    .bytes = f->bytes,
	    .stored = f->stored,
	    .is_error = f->is_error};

	f->object = NULL;
	p->n_cut--;
	p->cut_bytes -= f->stored;
	p->tickets -= f->n_tickets;
	p->pending -= f->lines;
	return p->o.durable(p->o.arg, &d, err);
}

/* What became of a batch: those that are there leave the list of the cut ones. */
static int
settle_batch(struct ryde_archive_piles *p, const struct ryde_archive_finish *batch,
    struct ryde_err *err)
{
	struct ryde_archive_filling **at = &p->cut_first, *f;
	int rc = 0;

	p->cut_last = NULL;
	for (size_t i = 0; (f = *at) != NULL; i++) {
		enum ryde_archive_state state =
		    i < CUT_BATCH ? batch[i].state : RYDE_ARCHIVE_KEPT;

		if (state == RYDE_ARCHIVE_THERE) {
			if (is_durable(p, f, err) != 0)
				rc = -1;
			*at = f->next;
			ryde_archive_filling_free(f, p->zips);
			continue;
		}
		if (state == RYDE_ARCHIVE_TAKEN && rename_object(p, f, err) != 0)
			rc = -1;
		p->cut_last = f;
		at = &f->next;
	}
	return rc;
}

static int
commit_batch(struct ryde_archive_piles *p, struct ryde_err *err)
{
	struct ryde_archive_finish batch[CUT_BATCH] = {0};
	struct ryde_err first = RYDE_ERR_INIT;
	size_t n = 0;
	int rc;

	for (struct ryde_archive_filling *f = p->cut_first; f != NULL && n < CUT_BATCH;
	     f = f->next)
		batch[n++] =
		    (struct ryde_archive_finish){.object = f->object, .name = f->name};
	rc = ryde_archive_finish(p->o.archive, batch, n, &first);
	if (settle_batch(p, batch, rc != 0 ? NULL : err) != 0)
		rc = -1;
	if (first.code != RYDE_OK)
		*err = first;
	return rc;
}

int
ryde_archive_piles_commit(
    struct ryde_archive_piles *p, int64_t now_mono_ms, bool all, struct ryde_err *err)
{
	if (p->cut_first == NULL || (!all && !ryde_archive_piles_pressed(p) &&
					now_mono_ms - p->cut_first->cut_mono_ms < CUT_MS))
		return 0;
	while (p->cut_first != NULL)
		if (commit_batch(p, err) != 0)
			return -1;
	return 0;
}

bool
ryde_archive_piles_pressed(const struct ryde_archive_piles *p)
{
	return p->n_cut > CUT_MAX || p->cut_bytes > CUT_BYTES || p->tickets > TICKETS_MAX;
}

int64_t
ryde_archive_piles_due_mono_ms(const struct ryde_archive_piles *p)
{
	return p->filled.first != NULL
		   ? p->filled.first->filling->began_mono_ms + p->o.every_ms
		   : INT64_MAX;
}

uint64_t
ryde_archive_piles_pending(const struct ryde_archive_piles *p)
{
	return p->pending;
}
