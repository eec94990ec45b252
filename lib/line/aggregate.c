#include "line/aggregate.h"

#include "base/err.h"
#include "json/string.h"
#include "line/md5.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define MAGIC "\xf3\x89\x9a\xc2"
#define MAGIC_N 4
#define MD5_N 16
#define KEY_MAX 256 /* characters, of which each has up to 4 bytes */
#define VARINT_MAX 10
#define SLOTS_FIRST 64
#define TOGETHER 64 /* records whose MD5 is looked at side by side */

/* Wire types of protobuf. */
enum wire { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };

static bool
md5(struct ryde_view v, unsigned char sum[MD5_N])
{
	unsigned n = 0;

	return EVP_Digest(v.n > 0 ? v.p : "", v.n, sum, &n, EVP_md5(), NULL) == 1 &&
	       n == MD5_N;
}

/* ---- taking apart ---- */

static bool
take_long_varint(struct ryde_view *v, uint64_t *x)
{
	*x = 0;
	for (size_t i = 0; i < v->n && i < VARINT_MAX; i++) {
		unsigned char byte = (unsigned char)v->p[i];

		if (i == VARINT_MAX - 1 && byte > 1)
			return false;
		*x |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			v->p += i + 1;
			v->n -= i + 1;
			return true;
		}
	}
	return false;
}

/* Most have one byte, or two: lengths of records. */
static inline bool
take_varint(struct ryde_view *v, uint64_t *x)
{
	unsigned char first;

	if (v->n < 2)
		return take_long_varint(v, x);
	first = (unsigned char)v->p[0];
	*x = first & 0x7f;
	if (first >= 0x80) {
		unsigned char second = (unsigned char)v->p[1];

		if (second >= 0x80)
			return take_long_varint(v, x);
		*x |= (uint64_t)second << 7;
	}
	v->p += 1 + (first >= 0x80);
	v->n -= 1 + (size_t)(first >= 0x80);
	return true;
}

static bool
take_bytes(struct ryde_view *v, uint64_t n, struct ryde_view *bytes)
{
	if (n > v->n)
		return false;
	*bytes = ryde_view_mem(v->p, (size_t)n);
	v->p += n;
	v->n -= n;
	return true;
}

/* One field: its number, and its value where that is a number or bytes. */
struct field {
	uint64_t number;
	enum wire wire;
	uint64_t x;
	struct ryde_view bytes;
};

static inline bool
take_field(struct ryde_view *v, struct field *f)
{
	uint64_t tag;

	if (!take_varint(v, &tag))
		return false;
	f->number = tag >> 3;
	f->wire = (enum wire)(tag & 7);
	if (f->number == 0)
		return false;
	switch (f->wire) {
	case VARINT:
		return take_varint(v, &f->x);
	case FIXED64:
		return take_bytes(v, 8, &f->bytes);
	case BYTES:
		return take_varint(v, &f->x) && take_bytes(v, f->x, &f->bytes);
	case FIXED32:
		return take_bytes(v, 4, &f->bytes);
	}
	return false; /* groups, which are gone from protobuf */
}

/* Room for one more of size bytes each. */
static int
room(void **items, size_t n, size_t *cap, size_t size, struct ryde_err *err)
{
	size_t wanted = *cap != 0 ? 2 * *cap : 16;
	void *grown;

	if (n < *cap)
		return 0;
	grown = realloc(*items, wanted * size);
	if (grown == NULL)
		return ryde_err_nomem(err);
	*items = grown;
	*cap = wanted;
	return 0;
}

static bool
is_key(struct ryde_view v)
{
	size_t characters = 0;

	for (size_t i = 0; i < v.n; i++)
		characters += ((unsigned char)v.p[i] & 0xc0) != 0x80;
	return v.n > 0 && characters <= KEY_MAX && ryde_json_string_utf8(v);
}

/* A decimal from 0 to 2^128 - 1. */
static bool
is_hash_key(struct ryde_view v)
{
	static const char most[] = "340282366920938463463374607431768211455";

	for (size_t i = 0; i < v.n; i++) {
		if (v.p[i] < '0' || v.p[i] > '9')
			return false;
	}
	return v.n > 0 && v.n < sizeof(most) &&
	       (v.n < sizeof(most) - 1 || memcmp(v.p, most, v.n) <= 0);
}

static int
add_key(struct ryde_line_aggregate *a, struct ryde_view key, struct ryde_err *err)
{
	void *keys = a->keys;

	if (!is_key(key))
		return 0;
	if (room(&keys, a->n_keys, &a->cap_keys, sizeof(*a->keys), err) != 0)
		return -1;
	a->keys = keys;
	a->keys[a->n_keys++] = key;
	return 1;
}

static int
add_hash_key(struct ryde_line_aggregate *a, struct ryde_view key, struct ryde_err *err)
{
	void *keys = a->hash_keys;

	if (!is_hash_key(key))
		return 0;
	if (room(&keys, a->n_hash_keys, &a->cap_hash_keys, sizeof(*a->hash_keys), err) !=
	    0)
		return -1;
	a->hash_keys = keys;
	a->hash_keys[a->n_hash_keys++] = key;
	return 1;
}

/*
 * A record as writers mostly put it: the number of its key and its data, and nothing
 * else. False: it is another one, or none. Tables may stand behind the records that point
 * into them: until both are there, the pointers are kept in the lengths of empty views.
 */
static inline bool
read_plain(struct ryde_view message, struct ryde_line_aggregate_part *part)
{
	uint64_t key, n;

	if (message.n == 0 || message.p[0] != (1 << 3 | VARINT))
		return false;
	message = ryde_view_mem(message.p + 1, message.n - 1);
	if (!take_varint(&message, &key) || key > UINT32_MAX || message.n == 0 ||
	    message.p[0] != (3 << 3 | BYTES))
		return false;
	message = ryde_view_mem(message.p + 1, message.n - 1);
	if (!take_varint(&message, &n) || n != message.n)
		return false;
	*part = (struct ryde_line_aggregate_part){.key.n = (size_t)key, .data = message};
	return true;
}

/* Any record. False where it is none. */
static bool
read_part(struct ryde_view message, struct ryde_line_aggregate_part *part)
{
	bool has_key = false, has_data = false;
	struct field f = {0};

	*part = (struct ryde_line_aggregate_part){0};
	while (message.n > 0) {
		if (!take_field(&message, &f))
			return false;
		if (f.number == 1 && f.wire == VARINT) {
			if (f.x >= SIZE_MAX)
				return false;
			part->key.n = (size_t)f.x;
			has_key = true;
		} else if (f.number == 2 && f.wire == VARINT) {
			if (f.x >= SIZE_MAX)
				return false;
			part->hash_key.n = (size_t)f.x + 1;
		} else if (f.number == 3 && f.wire == BYTES) {
			part->data = f.bytes;
			has_data = true;
		} else if (f.number <= 3) {
			return false;
		}
	}
	return has_key && has_data;
}

static inline int
add_part(struct ryde_line_aggregate *a, struct ryde_view message, struct ryde_err *err)
{
	struct ryde_line_aggregate_part part;
	void *parts = a->parts;

	if (!read_plain(message, &part) && !read_part(message, &part))
		return 0;
	if (a->n == a->cap && room(&parts, a->n, &a->cap, sizeof(*a->parts), err) != 0)
		return -1;
	a->parts = parts;
	a->parts[a->n++] = part;
	return 1;
}

/* The keys in the place of their numbers. */
static bool
resolve(struct ryde_line_aggregate *a)
{
	for (size_t i = 0; i < a->n; i++) {
		struct ryde_line_aggregate_part *part = &a->parts[i];

		if (part->key.n >= a->n_keys || part->hash_key.n > a->n_hash_keys)
			return false;
		part->key = a->keys[part->key.n];
		part->hash_key = part->hash_key.n > 0 ? a->hash_keys[part->hash_key.n - 1]
						      : ryde_view_mem(NULL, 0);
	}
	return a->n > 0;
}

static bool
has_magic(struct ryde_view record)
{
	return record.n > MAGIC_N + MD5_N && memcmp(record.p, MAGIC, MAGIC_N) == 0;
}

/* What lies between magic and MD5. */
static struct ryde_view
inner(struct ryde_view record)
{
	return ryde_view_mem(record.p + MAGIC_N, record.n - MAGIC_N - MD5_N);
}

int
ryde_line_aggregate_parse(
    struct ryde_line_aggregate *a, struct ryde_view record, struct ryde_err *err)
{
	unsigned char sum[MD5_N];

	a->n = 0;
	if (!has_magic(record) || !md5(inner(record), sum) ||
	    memcmp(sum, record.p + record.n - MD5_N, MD5_N) != 0)
		return 0;
	return ryde_line_aggregate_open(a, record, err);
}

void
ryde_line_aggregate_check(const struct ryde_view *records, size_t n, bool *is)
{
	unsigned char sums[TOGETHER][RYDE_MD5_BYTES];
	struct ryde_view texts[TOGETHER];
	size_t whose[TOGETHER], waiting = 0;

	for (size_t i = 0; i < n; i++) {
		is[i] = false;
		if (has_magic(records[i])) {
			texts[waiting] = inner(records[i]);
			whose[waiting++] = i;
		}
		if (waiting < TOGETHER && i + 1 < n)
			continue;
		ryde_md5_many(texts, waiting, sums);
		while (waiting-- > 0) {
			const char *end = texts[waiting].p + texts[waiting].n;

			is[whose[waiting]] = memcmp(sums[waiting], end, MD5_N) == 0;
		}
		waiting = 0;
	}
}

int
ryde_line_aggregate_open(
    struct ryde_line_aggregate *a, struct ryde_view record, struct ryde_err *err)
{
	struct ryde_view rest = inner(record);
	struct field f = {0};
	int rc = 1;

	a->n = a->n_keys = a->n_hash_keys = 0;
	while (rc == 1 && rest.n > 0) {
		if (!take_field(&rest, &f))
			rc = 0;
		else if (f.number > 3)
			continue;
		else if (f.wire != BYTES)
			rc = 0;
		else if (f.number == 1)
			rc = add_key(a, f.bytes, err);
		else if (f.number == 2)
			rc = add_hash_key(a, f.bytes, err);
		else
			rc = add_part(a, f.bytes, err);
	}
	if (rc == 1 && !resolve(a))
		rc = 0;
	if (rc != 1)
		a->n = 0;
	return rc;
}

void
ryde_line_aggregate_free(struct ryde_line_aggregate *a)
{
	free(a->parts);
	free(a->keys);
	free(a->hash_keys);
	memset(a, 0, sizeof(*a));
}

/* ---- putting together ---- */

struct ryde_line_aggregate_slot {
	uint32_t hash;
	uint32_t index; /* in the table, plus 1; 0: empty */
	uint32_t at, n; /* of the key in names */
};

static size_t
put_varint(char *to, uint64_t x)
{
	size_t n = 0;

	do {
		unsigned byte = (unsigned)(x & 0x7f);

		x >>= 7;
		to[n++] = (char)(unsigned char)(byte | (x != 0 ? 0x80 : 0));
	} while (x != 0);
	return n;
}

static size_t
varint_size(uint64_t x)
{
	char unused[VARINT_MAX];

	return put_varint(unused, x);
}

static void
put_field(struct ryde_buf *b, unsigned number, enum wire wire, uint64_t x)
{
	char text[2 * VARINT_MAX];
	size_t n = put_varint(text, number << 3 | (unsigned)wire);

	n += put_varint(text + n, x);
	ryde_buf_add(b, text, n);
}

static void
put_bytes(struct ryde_buf *b, unsigned number, struct ryde_view v)
{
	put_field(b, number, BYTES, v.n);
	ryde_buf_view(b, v);
}

void
ryde_line_aggregate_pack_init(struct ryde_line_aggregate_pack *p, size_t max)
{
	memset(p, 0, sizeof(*p));
	ryde_buf_init(&p->keys, max);
	ryde_buf_init(&p->hash_keys, max);
	ryde_buf_init(&p->records, max);
	ryde_buf_init(&p->names, max);
}

void
ryde_line_aggregate_pack_free(struct ryde_line_aggregate_pack *p)
{
	ryde_buf_free(&p->keys);
	ryde_buf_free(&p->hash_keys);
	ryde_buf_free(&p->records);
	ryde_buf_free(&p->names);
	free(p->slots);
	p->slots = NULL;
	p->n_slots = 0;
}

void
ryde_line_aggregate_pack_clear(struct ryde_line_aggregate_pack *p)
{
	ryde_buf_clear(&p->keys);
	ryde_buf_clear(&p->hash_keys);
	ryde_buf_clear(&p->records);
	ryde_buf_clear(&p->names);
	if (p->slots != NULL)
		memset(p->slots, 0, p->n_slots * sizeof(*p->slots));
	p->n = p->n_keys = p->n_hash_keys = 0;
}

size_t
ryde_line_aggregate_pack_size(
    const struct ryde_line_aggregate_pack *p, const struct ryde_line_aggregate_part *part)
{
	size_t tables = p->keys.n + p->hash_keys.n + p->records.n;
	size_t key = 1 + varint_size(part->key.n) + part->key.n;
	size_t hash =
	    part->hash_key.n > 0 ? 2 + part->hash_key.n + 1 + varint_size(p->n) : 0;
	size_t record = 1 + VARINT_MAX + 1 + varint_size(p->n) + 1 +
			varint_size(part->data.n) + part->data.n;

	return RYDE_LINE_AGGREGATE_AROUND + tables + key + hash + record;
}

static uint32_t
hash_of(struct ryde_view v)
{
	uint64_t h = v.n;

	for (size_t i = 0; i < v.n; i++)
		h = (h ^ (unsigned char)v.p[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint32_t)(h ^ h >> 32);
}

static int
grow(struct ryde_line_aggregate_pack *p, struct ryde_err *err)
{
	size_t n = p->n_slots != 0 ? 2 * p->n_slots : SLOTS_FIRST, at;
	struct ryde_line_aggregate_slot *slots = calloc(n, sizeof(*slots));

	if (slots == NULL)
		return ryde_err_nomem(err);
	for (size_t i = 0; i < p->n_slots; i++) {
		if (p->slots[i].index == 0)
			continue;
		for (at = p->slots[i].hash & (n - 1); slots[at].index != 0;
		     at = (at + 1) & (n - 1))
			;
		slots[at] = p->slots[i];
	}
	free(p->slots);
	p->slots = slots;
	p->n_slots = n;
	return 0;
}

/* The number of a key, which is written down where it is new. */
static int
key_index(struct ryde_line_aggregate_pack *p, struct ryde_view key, uint64_t *index,
    struct ryde_err *err)
{
	uint32_t hash = hash_of(key);
	struct ryde_line_aggregate_slot *s;
	size_t at;

	if (2 * (p->n_keys + 1) > p->n_slots && grow(p, err) != 0)
		return -1;
	for (at = hash & (p->n_slots - 1); (s = &p->slots[at])->index != 0;
	     at = (at + 1) & (p->n_slots - 1)) {
		if (s->hash == hash &&
		    ryde_view_eq(key, ryde_view_mem(p->names.p + s->at, s->n))) {
			*index = s->index - 1;
			return 0;
		}
	}
	*s = (struct ryde_line_aggregate_slot){hash, (uint32_t)p->n_keys + 1,
	    (uint32_t)p->names.n, (uint32_t)key.n}; /* a record is far below 4 GiB */
	ryde_buf_view(&p->names, key);
	put_bytes(&p->keys, 1, key);
	*index = p->n_keys++;
	return 0;
}

int
ryde_line_aggregate_pack_add(struct ryde_line_aggregate_pack *p,
    const struct ryde_line_aggregate_part *part, struct ryde_err *err)
{
	char head[64];
	uint64_t index;
	size_t n = 0;

	if (key_index(p, part->key, &index, err) != 0)
		return -1;
	n += put_varint(head + n, 1 << 3 | VARINT);
	n += put_varint(head + n, index);
	if (part->hash_key.n > 0) {
		put_bytes(&p->hash_keys, 2, part->hash_key);
		n += put_varint(head + n, 2 << 3 | VARINT);
		n += put_varint(head + n, p->n_hash_keys++);
	}
	n += put_varint(head + n, 3 << 3 | BYTES);
	n += put_varint(head + n, part->data.n);
	put_field(&p->records, 3, BYTES, n + part->data.n);
	ryde_buf_add(&p->records, head, n);
	ryde_buf_view(&p->records, part->data);
	p->n++;
	if (ryde_buf_check(&p->names, err) != 0 || ryde_buf_check(&p->keys, err) != 0 ||
	    ryde_buf_check(&p->hash_keys, err) != 0)
		return -1;
	return ryde_buf_check(&p->records, err);
}

int
ryde_line_aggregate_pack_put_unsealed(
    const struct ryde_line_aggregate_pack *p, struct ryde_buf *to, struct ryde_err *err)
{
	static const char later[MD5_N];

	ryde_buf_add(to, MAGIC, MAGIC_N);
	ryde_buf_view(to, ryde_buf_as_view(&p->keys));
	ryde_buf_view(to, ryde_buf_as_view(&p->hash_keys));
	ryde_buf_view(to, ryde_buf_as_view(&p->records));
	ryde_buf_add(to, later, sizeof(later));
	return ryde_buf_check(to, err);
}

void
ryde_line_aggregate_seal(
    struct ryde_buf *made, const struct ryde_line_aggregate_span *spans, size_t n)
{
	unsigned char sums[TOGETHER][RYDE_MD5_BYTES];
	struct ryde_view texts[TOGETHER];
	size_t waiting = 0;

	for (size_t i = 0; i < n; i++) {
		if (spans[i].at != SIZE_MAX)
			texts[waiting++] =
			    inner(ryde_view_mem(made->p + spans[i].at, spans[i].n));
		if (waiting < TOGETHER && i + 1 < n)
			continue;
		ryde_md5_many(texts, waiting, sums);
		for (; waiting > 0; waiting--) {
			const struct ryde_view *t = &texts[waiting - 1];

			memcpy(
			    made->p + (t->p - made->p) + t->n, sums[waiting - 1], MD5_N);
		}
	}
}

int
ryde_line_aggregate_pack_put(
    const struct ryde_line_aggregate_pack *p, struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_line_aggregate_span span = {.at = to->n};

	if (ryde_line_aggregate_pack_put_unsealed(p, to, err) != 0)
		return -1;
	span.n = to->n - span.at;
	ryde_line_aggregate_seal(to, &span, 1);
	return 0;
}
