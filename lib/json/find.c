#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"
#include "json/token.h"
#include "json/trie.h"

#include <string.h>

/* An array or object that paths lead into. */
struct frame {
	struct ryde_json_node *node;
	_Atomic uint32_t *hint; /* of an object: names the key that is expected next */
	const char *start;
	uint32_t index;	  /* of an array: the next element's */
	uint32_t element; /* the next node of an array's elements */
	bool object;
};

struct finder {
	struct ryde_json_scan s;
	struct ryde_json_node *nodes;
	struct ryde_json_value *values;
	struct ryde_json_value nowhere; /* takes what nobody asked for */
	size_t depth;
	struct frame frames[RYDE_JSON_TRIE_STEPS_MAX + 1];
};

/* Forgets what was found below a node: a later duplicate of its key counts. Recursion is
 * as deep as a path. */
static void
forget(struct finder *f, const struct ryde_json_node *node)
{
	const uint32_t lists[] = {node->child, node->element};

	for (int i = 0; i < 2; i++) {
		for (uint32_t c = lists[i]; c != 0; c = f->nodes[c].sibling) {
			if (f->nodes[c].value != RYDE_JSON_TRIE_NONE)
				f->values[f->nodes[c].value] =
				    (struct ryde_json_value){.kind = RYDE_JSON_ABSENT};
			forget(f, &f->nodes[c]);
		}
	}
}

/* True where the raw content of a key, which has escapes, stands for the node's key. */
static bool
escaped_is(struct ryde_view raw, const struct ryde_json_node *node)
{
	const char *p = raw.p, *end = raw.p + raw.n, *key = node->key;
	size_t left = node->n, n;
	char bytes[4];

	while (p < end) {
		if (*p != '\\') {
			bytes[0] = *p++;
			n = 1;
		} else {
			p += ryde_json_string_escape(p, end, bytes, &n);
		}
		if (n > left || memcmp(key, bytes, n) != 0)
			return false;
		key += n;
		left -= n;
	}
	return left == 0;
}

/* The child of a node with that key, NULL if there is none. */
static struct ryde_json_node *
child_of(const struct finder *f, const struct ryde_json_node *node, struct ryde_view key,
    bool escaped)
{
	uint64_t length = UINT64_C(1) << (key.n < 63 ? key.n : 63);

	if (!escaped && (node->lengths & length) == 0)
		return NULL;
	for (uint32_t c = node->child; c != 0; c = f->nodes[c].sibling) {
		struct ryde_json_node *child = &f->nodes[c];

		/* The head of a key that needs escapes is empty, and it is never met
		 * without them. */
		if (escaped ? escaped_is(key, child)
			    : child->n == key.n && child->head[0] == key.p[0] &&
				  memcmp(child->key, key.p, key.n) == 0)
			return child;
	}
	return NULL;
}

/* True where the content that begins at p is the node's key and a quote. False may also
 * mean: too near the end. */
static inline bool
expected_is(
    const struct ryde_json_scan *s, const char *p, const struct ryde_json_node *node)
{
#ifdef __SSE2__
	uint32_t same;

	if (s->tail == NULL || p > s->tail || node->head_mask == 0)
		return false;
	same = (uint32_t)_mm_movemask_epi8(
	    _mm_cmpeq_epi8(ryde_json_bytes_load(p), ryde_json_bytes_load(node->head)));
	if ((same & node->head_mask) != node->head_mask)
		return false;
	if (node->n < RYDE_JSON_TRIE_HEAD)
		return true;
#else
	if (node->head_mask == 0)
		return false;
#endif
	return (size_t)(s->end - p) > node->n && memcmp(p, node->key, node->n) == 0 &&
	       p[node->n] == '"';
}

/* The key at p: sets *node to whom its value is for, or NULL. */
static inline const char *
member(struct finder *f, const char *p, struct ryde_json_node **node)
{
	struct frame *top = &f->frames[f->depth - 1];
	struct ryde_json_node *child;
	struct ryde_json_value key;

	child = &f->nodes[atomic_load_explicit(top->hint, memory_order_relaxed)];
	if (p < f->s.end && *p == '"' && expected_is(&f->s, p + 1, child)) {
		p = ryde_json_token_colon(&f->s, p + 2 + child->n);
	} else {
		p = ryde_json_token_key(&f->s, p, &key);
		if (p == NULL)
			return NULL;
		child = child_of(f, top->node, key.text, key.escaped);
		*node = child;
		if (child == NULL)
			return p;
		atomic_store_explicit(
		    top->hint, (uint32_t)(child - f->nodes), memory_order_relaxed);
	}
	top->hint = &child->next;
	*node = child;
	return p;
}

/* Sets *node to whom the next element of an array is for, or NULL. */
static void
element(struct finder *f, struct ryde_json_node **node)
{
	struct frame *top = &f->frames[f->depth - 1];
	struct ryde_json_node *next = &f->nodes[top->element];

	*node = NULL;
	if (top->element != 0 && next->n == top->index) {
		*node = next;
		top->element = next->sibling;
	}
	top->index++;
}

static inline struct ryde_json_value *
place_of(struct finder *f, const struct ryde_json_node *node)
{
	if (node == NULL || node->value == RYDE_JSON_TRIE_NONE)
		return &f->nowhere;
	return &f->values[node->value];
}

/* The array or object at p, into which paths lead. */
static const char *
open_frame(struct finder *f, const char *p, struct ryde_json_node *node)
{
	struct frame *top = &f->frames[f->depth++];

	top->node = node;
	top->hint = &node->first;
	top->start = p;
	top->index = 0;
	top->element = node->element;
	top->object = *p == '{';
	return ryde_json_token_blank(&f->s, p + 1);
}

static const char *
close_frame(struct finder *f, const char *p)
{
	struct frame *top = &f->frames[--f->depth];
	struct ryde_json_value *to = place_of(f, top->node);

	to->kind = top->object ? RYDE_JSON_OBJECT : RYDE_JSON_ARRAY;
	to->escaped = false;
	to->text = ryde_view_mem(top->start, (size_t)(p + 1 - top->start));
	return p + 1;
}

/* The value at p, for node (or NULL). Arrays and objects that paths lead into are only
 * opened, unless empty. */
static inline const char *
take(struct finder *f, const char *p, struct ryde_json_node *node, bool *opened)
{
	*opened = false;
	if (node != NULL && (node->child | node->element) != 0) {
		if (node != f->nodes)
			forget(f, node);
		if (p < f->s.end && ((*p == '{' && node->child != 0) ||
					(*p == '[' && node->element != 0))) {
			char close = *p == '{' ? '}' : ']';

			p = open_frame(f, p, node);
			if (p < f->s.end && *p == close)
				return close_frame(f, p);
			*opened = true;
			return p;
		}
	}
	if (p < f->s.end && *p != '{' && *p != '[')
		return ryde_json_token_scalar(&f->s, p, place_of(f, node));
	return ryde_json_token_value(&f->s, p, f->depth, place_of(f, node));
}

/* Behind a value: closes what ends here, or goes to the next key or element. */
static inline const char *
behind(struct finder *f, const char *p)
{
	while (f->depth > 0) {
		bool object = f->frames[f->depth - 1].object;

		p = ryde_json_token_blank(&f->s, p);
		if (p < f->s.end && *p == ',')
			return ryde_json_token_blank(&f->s, p + 1);
		if (p == f->s.end || *p != (object ? '}' : ']'))
			return ryde_json_token_not_closed(&f->s, p, object);
		p = close_frame(f, p);
	}
	return p;
}

static const char *
find_all(struct finder *f, const char *p)
{
	struct ryde_json_node *node = f->nodes;
	bool opened;

	for (;;) {
		p = take(f, p, node, &opened);
		if (p != NULL && !opened)
			p = behind(f, p);
		if (p == NULL || f->depth == 0)
			return p;
		if (!f->frames[f->depth - 1].object) {
			element(f, &node);
			continue;
		}
		p = member(f, p, &node);
		if (p == NULL)
			return NULL;
	}
}

int
ryde_json_find(struct ryde_view text, const struct ryde_json_paths *paths,
    struct ryde_json_value *values, struct ryde_json_fault *fault)
{
	struct finder f;
	const char *p;

	if (paths->n == 0)
		return ryde_json_check(text, NULL, fault);
	ryde_json_token_init(&f.s, text, fault);
	memset(values, 0, paths->n * sizeof(*values));
	f.nodes = paths->nodes;
	f.values = values;
	f.depth = 0;
	p = ryde_json_token_begin(&f.s);
	if (p != NULL)
		p = find_all(&f, p);
	return ryde_json_token_finish(&f.s, p);
}
