#include "json/path.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/num.h"
#include "json/bytes.h"
#include "json/scan.h"
#include "json/string.h"
#include "json/trie.h"

#include <stdlib.h>
#include <string.h>

struct step {
	char *key;  /* decoded, owned; NULL for an index */
	uint32_t n; /* bytes of the key, or the index */
	size_t end; /* offset behind the step in the path's text */
};

struct parse {
	struct ryde_view text;
	size_t at;
	struct step steps[RYDE_JSON_TRIE_STEPS_MAX];
	size_t n;
};

struct ryde_json_paths *
ryde_json_paths_new(void)
{
	struct ryde_json_paths *set = calloc(1, sizeof(*set));

	if (set == NULL)
		return NULL;
	set->cap_nodes = 8;
	set->nodes = calloc(set->cap_nodes, sizeof(*set->nodes));
	if (set->nodes == NULL) {
		free(set);
		return NULL;
	}
	set->n_nodes = 1;
	set->nodes[0].value = RYDE_JSON_TRIE_NONE;
	return set;
}

void
ryde_json_paths_free(struct ryde_json_paths *set)
{
	if (set == NULL)
		return;
	for (size_t i = 0; i < set->n_nodes; i++)
		free(set->nodes[i].key);
	for (size_t i = 0; i < set->n; i++)
		free(set->paths[i].text);
	free(set->nodes);
	free(set->paths);
	free(set);
}

static void
parse_free(struct parse *ps)
{
	for (size_t i = 0; i < ps->n; i++)
		free(ps->steps[i].key);
	ps->n = 0;
}

static int
not_a_path(const struct parse *ps, const char *what, struct ryde_err *err)
{
	int n = ps->text.n < 200 ? (int)ps->text.n : 200;

	return ryde_err_set(err, RYDE_EUSAGE, "%.*s: no path, %s at character %zu", n,
	    ps->text.n > 0 ? ps->text.p : "", what, ps->at + 1);
}

static char
peek(const struct parse *ps)
{
	return ps->at < ps->text.n ? ps->text.p[ps->at] : '\0';
}

/* Takes over the key, also when it fails. */
static int
add_step(struct parse *ps, char *key, size_t n, struct ryde_err *err)
{
	if (ps->n == RYDE_JSON_TRIE_STEPS_MAX) {
		free(key);
		return not_a_path(ps, "too many steps", err);
	}
	ps->steps[ps->n++] = (struct step){key, (uint32_t)n, ps->at};
	return 0;
}

static bool
is_name(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && ryde_json_bytes_is_digit(c));
}

/* name, as in .name */
static int
parse_name(struct parse *ps, struct ryde_err *err)
{
	size_t start = ps->at;
	char *key;

	while (is_name(peek(ps), ps->at == start))
		ps->at++;
	key = strndup(ps->text.p + start, ps->at - start);
	if (key == NULL)
		return ryde_err_nomem(err);
	return add_step(ps, key, ps->at - start, err);
}

/* "any key", a JSON string; its length and its decoded bytes, owned by the caller. */
static int
parse_string(struct parse *ps, char **key, size_t *n, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	struct ryde_view raw;
	struct ryde_buf decoded;
	size_t start = ps->at;
	int result = -1;

	ryde_buf_init(&decoded, ps->text.n + 1);
	for (ps->at++; ps->at < ps->text.n && peek(ps) != '"'; ps->at++) {
		if (peek(ps) == '\\')
			ps->at++;
	}
	if (ps->at >= ps->text.n) {
		ps->at = start;
		return not_a_path(ps, "unfinished string", err);
	}
	raw = ryde_view_mem(ps->text.p + start, ++ps->at - start);
	if (ryde_json_check(raw, NULL, &fault) != 0) {
		ps->at = start + fault.at;
		return not_a_path(ps, fault.what, err);
	}
	ryde_json_string_decode(&decoded, ryde_view_mem(raw.p + 1, raw.n - 2));
	if (ryde_buf_check(&decoded, err) != 0)
		goto out;
	*n = decoded.n;
	if (decoded.n > 0 && memchr(decoded.p, '\0', decoded.n) != NULL) {
		ps->at = start;
		result = not_a_path(ps, "a key with a NUL", err);
		goto out;
	}
	*key = strdup(ryde_buf_str(&decoded));
	result = *key != NULL ? 0 : ryde_err_nomem(err);
out:
	ryde_buf_free(&decoded);
	return result;
}

/* [0] or ["any key"]; p is at the bracket. */
static int
parse_bracket(struct parse *ps, struct ryde_err *err)
{
	char *key = NULL;
	size_t start, n = 0;
	uint64_t index;

	ps->at++;
	start = ps->at;
	if (peek(ps) == '"') {
		if (parse_string(ps, &key, &n, err) != 0)
			return -1;
	} else {
		while (ryde_json_bytes_is_digit(peek(ps)))
			ps->at++;
		if (!ryde_num_u64(ryde_view_mem(ps->text.p + start, ps->at - start),
			UINT32_MAX - 1, &index)) {
			ps->at = start;
			return not_a_path(ps, "no index and no quoted key", err);
		}
		n = (size_t)index;
	}
	if (peek(ps) != ']') {
		free(key);
		return not_a_path(ps, "no closing bracket", err);
	}
	ps->at++;
	return add_step(ps, key, n, err);
}

/* What follows a dot. */
static int
parse_field(struct parse *ps, struct ryde_err *err)
{
	char *key = NULL;
	size_t n;

	if (is_name(peek(ps), true))
		return parse_name(ps, err);
	if (peek(ps) == '"') {
		if (parse_string(ps, &key, &n, err) != 0)
			return -1;
		return add_step(ps, key, n, err);
	}
	if (peek(ps) == '[')
		return parse_bracket(ps, err);
	return not_a_path(ps, "no key", err);
}

static int
parse(struct parse *ps, const char *path, struct ryde_err *err)
{
	ps->text = ryde_view_of(path);
	ps->at = 0;
	ps->n = 0;
	while (ps->text.n > 0 && (*ps->text.p == ' ' || *ps->text.p == '\t')) {
		ps->text.p++;
		ps->text.n--;
	}
	while (ps->text.n > 0 &&
	       (ps->text.p[ps->text.n - 1] == ' ' || ps->text.p[ps->text.n - 1] == '\t'))
		ps->text.n--;
	if (peek(ps) != '.')
		return not_a_path(ps, "no dot", err);
	if (ps->text.n == 1)
		return 0;
	while (ps->at < ps->text.n) {
		int result;

		if (peek(ps) == '.') {
			ps->at++;
			result = parse_field(ps, err);
		} else if (peek(ps) == '[') {
			result = parse_bracket(ps, err);
		} else {
			result = not_a_path(ps, "no dot and no bracket", err);
		}
		if (result != 0)
			return -1;
	}
	return 0;
}

/* A new node for a step. -1, with nothing changed, without memory; takes over the key on
 * success. */
static int
node_new(
    struct ryde_json_paths *set, struct step *step, uint32_t *node, struct ryde_err *err)
{
	struct ryde_json_node *grown, *made;
	size_t cap = set->cap_nodes * 2;

	if (set->n_nodes == set->cap_nodes) {
		grown = realloc(set->nodes, cap * sizeof(*grown));
		if (grown == NULL)
			return ryde_err_nomem(err);
		set->nodes = grown;
		set->cap_nodes = cap;
	}
	made = &set->nodes[set->n_nodes];
	memset(made, 0, sizeof(*made));
	made->key = step->key;
	made->n = step->n;
	made->value = RYDE_JSON_TRIE_NONE;
	step->key = NULL;
	*node = (uint32_t)set->n_nodes++;
	if (made->key == NULL)
		return 0;
	for (uint32_t i = 0; i < made->n; i++) {
		unsigned char c = (unsigned char)made->key[i];

		if (c < 0x20 || c == '"' || c == '\\')
			return 0;
	}
	/* Longer keys fill the head; their rest and their quote are compared from the key
	 * itself. */
	for (uint32_t i = 0; i < RYDE_JSON_TRIE_HEAD && i <= made->n; i++) {
		made->head[i] = i == made->n ? '"' : made->key[i];
		made->head_mask |= UINT32_C(1) << i;
	}
	return 0;
}

static bool
step_is(const struct ryde_json_node *node, const struct step *step)
{
	if (step->key == NULL || node->n != step->n)
		return step->key == NULL && node->n == step->n;
	return memcmp(node->key, step->key, step->n) == 0;
}

/* Goes one step down from *node, making the child where there is none. */
static int
descend(
    struct ryde_json_paths *set, struct step *step, uint32_t *node, struct ryde_err *err)
{
	struct ryde_json_node *nodes = set->nodes;
	bool index = step->key == NULL;
	uint32_t parent = *node, before = 0, n = step->n, made = 0;
	uint32_t c = index ? nodes[parent].element : nodes[parent].child;

	for (; c != 0 && !(index && nodes[c].n > n); c = nodes[c].sibling) {
		if (step_is(&nodes[c], step)) {
			*node = c;
			return 0;
		}
		before = c;
	}
	if (node_new(set, step, &made, err) != 0)
		return -1;
	nodes = set->nodes;
	nodes[made].sibling = c;
	if (before != 0)
		nodes[before].sibling = made;
	else if (index)
		nodes[parent].element = made;
	else
		nodes[parent].child = made;
	if (!index) {
		nodes[parent].lengths |= UINT64_C(1) << (n < 63 ? n : 63);
		/* The keys are first expected in the order in which they were added. */
		atomic_store(
		    before != 0 ? &nodes[before].next : &nodes[parent].first, made);
	}
	*node = made;
	return 0;
}

/* Makes a path end at a node; the path's text is text. */
static int
end_at(struct ryde_json_paths *set, uint32_t node, struct ryde_view text, size_t *number,
    struct ryde_err *err)
{
	struct ryde_json_path *grown;
	size_t cap = set->cap != 0 ? set->cap * 2 : 8;
	char *copy;

	if (set->nodes[node].value == RYDE_JSON_TRIE_NONE) {
		if (set->n == set->cap) {
			grown = realloc(set->paths, cap * sizeof(*grown));
			if (grown == NULL)
				return ryde_err_nomem(err);
			set->paths = grown;
			set->cap = cap;
		}
		copy = strndup(text.p, text.n);
		if (copy == NULL)
			return ryde_err_nomem(err);
		set->paths[set->n] = (struct ryde_json_path){copy, node};
		set->nodes[node].value = (uint32_t)set->n++;
	}
	*number = set->nodes[node].value;
	return 0;
}

static int
add(struct ryde_json_paths *set, const char *path, bool chain, size_t *number,
    struct ryde_err *err)
{
	struct parse ps;
	struct ryde_view part;
	uint32_t node = 0;
	size_t last;
	int result = -1;

	if (parse(&ps, path, err) != 0)
		goto out;
	part = ryde_view_mem(ps.text.p, 1);
	if (chain && end_at(set, node, part, &last, err) != 0)
		goto out;
	for (size_t i = 0; i < ps.n; i++) {
		if (descend(set, &ps.steps[i], &node, err) != 0)
			goto out;
		part.n = ps.steps[i].end;
		if (chain && end_at(set, node, part, &last, err) != 0)
			goto out;
	}
	if (end_at(set, node, ps.text, &last, err) != 0)
		goto out;
	if (number != NULL)
		*number = last;
	result = 0;
out:
	parse_free(&ps);
	return result;
}

int
ryde_json_paths_add(
    struct ryde_json_paths *set, const char *path, size_t *index, struct ryde_err *err)
{
	return add(set, path, false, index, err);
}

int
ryde_json_paths_add_chain(
    struct ryde_json_paths *set, const char *path, struct ryde_err *err)
{
	return add(set, path, true, NULL, err);
}

size_t
ryde_json_paths_count(const struct ryde_json_paths *set)
{
	return set->n;
}

const char *
ryde_json_paths_text(const struct ryde_json_paths *set, size_t index)
{
	return set->paths[index].text;
}

const char *
ryde_json_paths_leaf(const struct ryde_json_paths *set, size_t index)
{
	const char *key = set->nodes[set->paths[index].node].key;

	return key != NULL ? key : "";
}

bool
ryde_json_paths_is_index(const struct ryde_json_paths *set, size_t index)
{
	return set->paths[index].node != 0 &&
	       set->nodes[set->paths[index].node].key == NULL;
}
