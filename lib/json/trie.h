/*
 * The compiled form of a set of paths: a tree of steps, private to path.c, which builds
 * it, and scan.c, which follows it. Nodes are numbered, 0 is the root (the whole text);
 * as a child, a sibling or a hint, 0 means none.
 */
#ifndef RYDE_JSON_TRIE_H
#define RYDE_JSON_TRIE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#define RYDE_JSON_TRIE_HEAD 16
#define RYDE_JSON_TRIE_NONE UINT32_MAX
#define RYDE_JSON_TRIE_STEPS_MAX 64 /* steps of one path */

struct ryde_json_node {
	/* The key and its closing quote, as far as they fit: one comparison of 16 bytes.
	 */
	char head[RYDE_JSON_TRIE_HEAD];
	char *key;	  /* decoded, owned; NULL for the root and for elements */
	uint64_t lengths; /* bit n: a child's key has n bytes (63: or more) */
	uint32_t n;	  /* bytes of the key; for an element, its index */
	uint32_t
	    head_mask;	/* a bit for each byte of head in use; 0: the key needs escapes */
	uint32_t child; /* the first child that is a key */
	uint32_t element; /* the first child that is an index; they ascend */
	uint32_t sibling; /* the next child of the same parent and sort */
	uint32_t value;	  /* the number of the path that ends here, or NONE */
	/*
	 * Hints: which child was met first in this object, and which sibling was met
	 * behind this one, in the texts before. Streams repeat one shape, so the next key
	 * is nearly always the expected one. Only a hint: threads that share a set may
	 * overwrite each other's.
	 */
	_Atomic uint32_t first, next;
};

struct ryde_json_path {
	char *text;
	uint32_t node;
};

struct ryde_json_paths {
	struct ryde_json_node *nodes;
	size_t n_nodes, cap_nodes;
	struct ryde_json_path *paths;
	size_t n, cap;
};

#endif
