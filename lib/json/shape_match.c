#include "json/shape_match.h"

#include "json/shape_bytes.h"

#include <string.h>

#ifdef __SSE2__
/* ---- a text, slot by slot ---- */

#define STEADY 8 /* texts after which a value's length is taken for granted */

/*
 * Where a text is read. Where nothing may be read behind it, its last REACH bytes are
 * read in a copy with zeros behind them: so no block needs a check of its own.
 */
struct place {
	const char *p;
	const char *turn; /* from here on the copy is read, or nothing */
	const char *base; /* the text, or the copy */
	size_t skipped;	  /* of the text before base */
	char copy[2 * REACH];
};

static inline void
turn(struct place *at, struct ryde_view text)
{
	size_t n = text.n < REACH ? text.n : REACH;

	/* With constant lengths these are a few moves. */
	memset(at->copy + REACH, 0, REACH);
	if (n == REACH) {
		memcpy(at->copy, text.p + text.n - REACH, REACH);
	} else {
		memset(at->copy, 0, REACH);
		if (n > 0)
			memcpy(at->copy, text.p, n);
	}
	at->skipped = text.n - n;
	at->p = at->copy + ((size_t)(at->p - text.p) - at->skipped);
	at->base = at->copy;
	at->turn = at->copy + sizeof(at->copy);
}

/* The closing quote of the plain string at p, NULL where it is none. */
static inline const char *
pass_string(struct place *at, struct ryde_view text, const char *p)
{
	uint32_t found = special(p, false);

	while (found == 0) {
		p += BLOCK;
		if (p >= at->turn) {
			at->p = p;
			turn(at, text);
			p = at->p;
		}
		found = special(p, false);
	}
	p += __builtin_ctz(found);
	return *p == '"' ? p : NULL;
}

/*
 * Where to go on: end. The processor cannot look at the next value before it knows where
 * this one ends, unless it is told to guess. Where values were of one length for some
 * time, the place that follows from that is taken: it depends on nothing that was read
 * from the text, and only the branch does, which is foreseen. The empty instruction hides
 * from the compiler that both are the same.
 */
static inline const char *
behind_value(struct ryde_json_shape_slot *s, const char *p, const char *end)
{
	const char *guess = p + s->guess, *check = guess;

	if (s->guessed < STEADY) {
		s->guessed = end == guess ? s->guessed + 1 : 0;
		s->guess = (uint8_t)(end - p); /* where it is longer it is never met */
		return end;
	}
	__asm__("" : "+r"(check));
	if (__builtin_expect(end == check, 1))
		return guess;
	s->guessed = 0;
	return end;
}

bool
ryde_json_shape_match(
    struct ryde_json_shape *shape, struct ryde_view text, struct ryde_json_value *values)
{
	struct ryde_json_shape_slot *s = shape->slots, *last = s + shape->n;
	struct place at; /* its copy is made where it is needed */

	at.p = at.base = text.p;
	at.turn = text.p + (text.n < REACH ? 0 : text.n - REACH);
	at.skipped = 0;
	for (; s < last; s++) {
		enum ryde_json_kind kind = s->kind;
		const char *p, *end;
		size_t from;

		if (at.p >= at.turn)
			turn(&at, text);
		if ((~same(at.p, shape->between + s->at, false) & s->mask) != 0)
			return false;
		p = at.p + s->n;
		from = at.skipped + (size_t)(p - at.base);
		if (kind == RYDE_JSON_NUMBER)
			end = pass_number(p, false);
		else if (kind == RYDE_JSON_STRING)
			end = pass_string(&at, text, p);
		else if (kind == RYDE_JSON_ABSENT)
			end = p;
		else
			end = pass_literal(p, &kind);
		if (end == NULL)
			return false;
		at.p = behind_value(s, p, end);
		if (s->path >= 0)
			values[s->path] = (struct ryde_json_value){.kind = kind,
			    .text = ryde_view_mem(text.p + from,
				at.skipped + (size_t)(end - at.base) - from)};
	}
	return shape->n > 0 && at.skipped + (size_t)(at.p - at.base) == text.n;
}

bool
ryde_json_shape_is_wide(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("popcnt");
}

#else

bool
ryde_json_shape_is_wide(void)
{
	return false;
}

#endif
