#include "json/shape_bag.h"

#include "json/shape_bytes.h"

#include <string.h>

#ifdef __SSE2__

#define PLACES RYDE_JSON_BAG_PLACES

/* ---- the members that are known ---- */

/* Where a key of n bytes is looked for; eight bytes from its first on may be read. */
static inline size_t
place_of(const char *key, size_t n)
{
	uint64_t v;

	memcpy(&v, key, sizeof(v));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	v = n < 8 ? v & ((UINT64_C(1) << 8 * n) - 1) : v;
#endif
	v = (v ^ n << 56) * UINT64_C(0x9e3779b97f4a7c15);
	return v >> (64 - RYDE_JSON_BAG_PLACE_BITS);
}

/* The member whose text from its quote to before its value stands at p, where 32 bytes
 * may be read, NULL where it is not known. n: of the key alone. */
BOTH const struct ryde_json_bag_member *
find_member(const struct ryde_json_bag *bag, const char *p, size_t n, bool wide)
{
	size_t at = place_of(p + 1, n);

	for (; bag->places[at] != 0; at = (at + 1) % PLACES) {
		const struct ryde_json_bag_member *m = &bag->members[bag->places[at] - 1];

		if ((~same(p, m->text, wide) & m->mask) == 0)
			return m;
	}
	return NULL;
}

/* ---- a line ---- */

/*
 * Where the quotes of a line are: all of them are found before any is looked at, so that
 * no value is waited for to know where the next one begins.
 */
#define CHUNK 64	  /* bytes looked at together */
#define QUOTES_AT_ONCE 10 /* of a chunk: mostly there are no more */
#define LONGEST 4096	  /* bytes of a line */
#define QUOTES (4 * RYDE_JSON_BAG_MEMBERS)

struct quotes {
	size_t n;
	uint16_t at[QUOTES + CHUNK];
};

static inline void
add_quotes(struct quotes *q, size_t base, uint64_t found)
{
	uint16_t *to = q->at + q->n;
	size_t n = (size_t)__builtin_popcountll(found);

	/* So many are written whether they are there or not, and no branch asks. */
	for (size_t i = 0; i < QUOTES_AT_ONCE; i++) {
		/* below 2^16 all of them; what is none is overwritten */
		to[i] =
		    (uint16_t)(base + (size_t)__builtin_ctzll(found | UINT64_C(1) << 63));
		found &= found - 1;
	}
	for (size_t i = QUOTES_AT_ONCE; i < n; i++) {
		to[i] = (uint16_t)(base + (size_t)__builtin_ctzll(found));
		found &= found - 1;
	}
	q->n += n;
}

/* Finds them, and the newline, which is returned. NULL where there is none before limit,
 * or something else that is not plain. */
BOTH const char *
find_quotes(struct quotes *q, const char *line, const char *limit, bool wide)
{
	q->n = 0;
	for (size_t base = 0; base < LONGEST; base += CHUNK) {
		const char *p = line + base;
		uint64_t odd, quotes;

		if (p + CHUNK > limit || q->n > QUOTES)
			return NULL;
		odd = special(p, wide) | (uint64_t)special(p + BLOCK, wide) << BLOCK;
		quotes = equal(p, '"', wide) | (uint64_t)equal(p + BLOCK, '"', wide)
						   << BLOCK;
		odd &= ~quotes;
		if (odd == 0) {
			add_quotes(q, base, quotes);
			continue;
		}
		p += __builtin_ctzll(odd);
		if (*p != '\n' || q->n > QUOTES)
			return NULL;
		add_quotes(q, base, quotes & ((odd & (0 - odd)) - 1));
		return p;
	}
	return NULL;
}

static inline const char *
pass_blank(const char *p)
{
	return __builtin_expect(*p == ' ', 0) ? p + 1 : p;
}

/* Behind the value at p, NULL where it is no scalar or not plain. Where it is a string,
 * two quotes from *i on are its own. */
BOTH const char *
pass_scalar(const char *line, const struct quotes *q, size_t *i, const char *p, bool wide,
    struct ryde_json_value *v)
{
	const char *end;

	v->escaped = false;
	if (*p == '"') {
		if (*i + 2 > q->n)
			return NULL;
		end = line + q->at[*i + 1];
		*i += 2;
		v->kind = RYDE_JSON_STRING;
		v->text = ryde_view_mem(p + 1, (size_t)(end - p) - 1);
		return end + 1;
	}
	v->kind = RYDE_JSON_NUMBER;
	if (*p == '-' || ryde_json_bytes_is_digit(*p))
		end = pass_number(p, wide);
	else
		end = pass_literal(p, &v->kind);
	if (end != NULL)
		v->text = ryde_view_mem(p, (size_t)(end - p));
	return end;
}

/* The newline behind the object at p, NULL where it is not one of known members, or
 * something stands behind it. */
BOTH const char *
pass_object(const struct ryde_json_bag *bag, const char *line, const char *limit,
    bool wide, struct ryde_json_value *values, size_t n_values)
{
	struct quotes q;
	const char *nl = find_quotes(&q, line, limit, wide), *p = line;
	struct ryde_json_value other;

	if (nl == NULL || *p != '{')
		return NULL;
	memset(values, 0, n_values * sizeof(*values));
	for (size_t i = 0; i + 2 <= q.n;) {
		const char *key = line + q.at[i];
		const struct ryde_json_bag_member *m;

		if (pass_blank(p + 1) != key)
			return NULL;
		m = find_member(bag, key, (size_t)(q.at[i + 1] - q.at[i]) - 1, wide);
		if (m == NULL)
			return NULL;
		i += 2;
		p = pass_scalar(line, &q, &i, key + m->n, wide,
		    m->path >= 0 ? &values[m->path] : &other);
		if (p == NULL)
			return NULL;
		p = pass_blank(p);
		if (*p != ',')
			return *p == '}' && p + 1 == nl && i == q.n ? nl : NULL;
	}
	return NULL;
}

BOTH size_t
pass_lines(const struct ryde_json_bag *bag, struct ryde_view lines, bool wide,
    const struct ryde_json_shape_found *to, size_t max)
{
	const char *p = lines.p, *end = lines.p + lines.n;
	size_t i;

	for (i = 0; i < max && p < end; i++) {
		p = pass_object(bag, p, end + REACH, wide, to->values + i * to->n, to->n);
		if (p == NULL || p >= end || *p != '\n')
			break;
		to->ends[i] = (size_t)(p - lines.p);
		p++;
	}
	return i;
}

WIDE static size_t
pass_lines_wide(const struct ryde_json_bag *bag, struct ryde_view lines,
    const struct ryde_json_shape_found *to, size_t max)
{
	return pass_lines(bag, lines, true, to, max);
}

size_t
ryde_json_bag_lines(const struct ryde_json_bag *bag, struct ryde_view lines, bool wide,
    const struct ryde_json_shape_found *to, size_t max)
{
	if (bag->n == 0)
		return 0;
	return wide ? pass_lines_wide(bag, lines, to, max)
		    : pass_lines(bag, lines, false, to, max);
}

/* ---- learning ---- */

/* A member's text from its quote to before its value, and the whole of it. */
struct part {
	struct ryde_view head, all;
	size_t key_n;
};

static const char *
skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n'))
		p++;
	return p;
}

/* The member at p, in a text that was checked; false where its key or its value is not
 * plain. */
static bool
take_part(const char *p, const char *end, struct part *part)
{
	const char *q = p + 1, *value;

	while (*q != '"') {
		if (!ryde_json_bytes_is_plain(*q++))
			return false;
	}
	part->key_n = (size_t)(q - p) - 1;
	q = skip_blanks(q + 1, end) + 1; /* behind the colon */
	value = skip_blanks(q, end);
	if (*value == '{' || *value == '[')
		return false;
	part->head = ryde_view_mem(p, (size_t)(value - p));
	q = value;
	if (*q == '"') {
		for (q++; *q != '"'; q++)
			q += *q == '\\';
		q++;
	}
	while (q < end && *q != ',' && *q != '}')
		q++;
	part->all = ryde_view_mem(p, (size_t)(q - p));
	/* What goes over several lines is no line. */
	return part->head.n <= RYDE_JSON_SHAPE_PIECE &&
	       memchr(part->head.p, '\n', part->head.n) == NULL;
}

/* Its members; 0 where it is no flat object of few plain keys, each of them once. */
static size_t
take_parts(struct ryde_view text, struct part *parts)
{
	const char *p = text.p, *end = ryde_view_end(text);
	size_t n = 0;

	p = skip_blanks(p, end);
	if (p == end || *p != '{')
		return 0;
	do {
		p = skip_blanks(p + 1, end);
		if (*p != '"' || n == RYDE_JSON_BAG_MEMBERS ||
		    !take_part(p, end, &parts[n]))
			return 0;
		for (size_t i = 0; i < n; i++) {
			if (parts[i].key_n == parts[n].key_n &&
			    memcmp(parts[i].head.p, p, parts[n].key_n + 2) == 0)
				return 0;
		}
		p = ryde_view_end(parts[n++].all);
	} while (*p == ',');
	return n;
}

static void
add_member(struct ryde_json_bag *bag, const struct part *part, int16_t path)
{
	struct ryde_json_bag_member *m;
	char text[RYDE_JSON_SHAPE_PIECE] = {0};
	size_t at;

	memcpy(text, part->head.p, part->head.n);
	if (find_member(bag, text, part->key_n, false) != NULL ||
	    bag->n == RYDE_JSON_BAG_MEMBERS)
		return;
	m = &bag->members[bag->n++];
	memcpy(m->text, text, sizeof(text));
	m->n = (uint8_t)part->head.n;
	m->mask = (uint32_t)((UINT64_C(1) << part->head.n) - 1);
	m->path = path;
	for (at = place_of(m->text + 1, part->key_n); bag->places[at] != 0;
	     at = (at + 1) % PLACES)
		;
	bag->places[at] = (uint8_t)bag->n;
}

void
ryde_json_bag_learn(struct ryde_json_bag *bag, struct ryde_view text,
    const struct ryde_json_value *values, size_t n)
{
	struct part parts[RYDE_JSON_BAG_MEMBERS];
	int16_t path[RYDE_JSON_BAG_MEMBERS];
	size_t n_parts = take_parts(text, parts), wanted = 0, found = 0;

	for (size_t i = 0; i < n; i++)
		wanted += values[i].kind != RYDE_JSON_ABSENT;
	for (size_t k = 0; k < n_parts; k++) {
		const char *value = ryde_view_end(parts[k].head);

		path[k] = -1;
		value += *value == '"';
		for (size_t i = 0; i < n && path[k] < 0; i++) {
			if (values[i].kind != RYDE_JSON_ABSENT &&
			    values[i].text.p == value)
				path[k] = (int16_t)i; /* n was checked */
		}
		found += path[k] >= 0;
	}
	/* One value for two paths, and a path to all of the text, are not for here. */
	if (found != wanted)
		return;
	for (size_t k = 0; k < n_parts; k++)
		add_member(bag, &parts[k], path[k]);
}

#endif
