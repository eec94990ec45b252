/*
 * Conditions on JSON: what stands behind `where`, in --where and in --having.
 *
 *	.HealthPoints < 100 and (.Name = "Shadowfax" or .Name like 'B%')
 *	not .ok            .a is null            .n in (1, 2, 3)      .t between 5 and 9
 *
 * Operands are paths, JSON literals ('x' is a string too, with '' for a quote), and where
 * the caller has a meaning for them calls such as sum(.x). Logic is SQL's: what is
 * missing or null makes a comparison unknown, and only what is true passes. Source: ISO
 * 9075-2, 8.2, 8.3 (between), 8.5 (like) and 6.39 (truth tables), with jq's paths.
 */
#ifndef RYDE_ENGINE_WINDOW_EXPR_H
#define RYDE_ENGINE_WINDOW_EXPR_H

#include "base/buf.h"
#include "base/view.h"
#include "engine/window_number.h"
#include "json/decimal.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_err;
struct ryde_json_paths;

#define RYDE_WINDOW_EXPR_TEXT_MAX 65536
#define RYDE_WINDOW_EXPR_OPERANDS_MAX 4096
#define RYDE_WINDOW_EXPR_DEPTH_MAX 100		/* of brackets and nots */
#define RYDE_WINDOW_EXPR_STRING_MAX (16u << 20) /* a line is at most 10 MiB */

enum ryde_window_expr_kind {
	RYDE_WINDOW_EXPR_OR, /* left, right */
	RYDE_WINDOW_EXPR_AND,
	RYDE_WINDOW_EXPR_NOT,	  /* left */
	RYDE_WINDOW_EXPR_TRUTH,	  /* one operand, true or false by itself */
	RYDE_WINDOW_EXPR_COMPARE, /* two operands */
	RYDE_WINDOW_EXPR_NULL,	  /* one operand: is null */
	RYDE_WINDOW_EXPR_IN,	  /* the operand, and what it may be */
	RYDE_WINDOW_EXPR_BETWEEN, /* the operand, least, greatest */
	RYDE_WINDOW_EXPR_LIKE,	  /* the operand, and a literal pattern */
};

enum ryde_window_expr_op {
	RYDE_WINDOW_EXPR_EQ,
	RYDE_WINDOW_EXPR_NE,
	RYDE_WINDOW_EXPR_LT,
	RYDE_WINDOW_EXPR_LE,
	RYDE_WINDOW_EXPR_GT,
	RYDE_WINDOW_EXPR_GE,
};

struct ryde_window_expr_node {
	enum ryde_window_expr_kind kind;
	enum ryde_window_expr_op op;
	bool negated;		/* is not null, not in, not between, not like */
	size_t left, right;	/* numbers of nodes */
	size_t first, operands; /* of operands */
};

struct ryde_window_expr_operand {
	enum {
		RYDE_WINDOW_EXPR_PATH,
		RYDE_WINDOW_EXPR_CALL,
		RYDE_WINDOW_EXPR_LITERAL
	} source;
	size_t index;			  /* of the path, or of the call */
	char *own;			  /* text of the literal */
	struct ryde_json_value literal;	  /* decoded */
	struct ryde_window_number number; /* of a literal number */
	struct ryde_decimal exact;	  /* set where that is not small */
};

struct ryde_window_expr {
	struct ryde_window_expr_node *nodes;
	size_t n_nodes, cap_nodes, root;
	struct ryde_window_expr_operand *operands;
	size_t n_operands, cap_operands;
	const struct ryde_json_paths *paths;
	struct ryde_buf text;	  /* its words, one blank between them */
	struct ryde_buf a, b;	  /* for the test: decoded strings */
	struct ryde_decimal x, y; /* for the test */
};

/* Gives a meaning to a call, "sum(.x)": its number, which the test looks up. */
typedef int ryde_window_expr_call(
    void *arg, struct ryde_view text, size_t *index, struct ryde_err *err);

/*
 * Compiles a condition; its paths are added to the set, which must outlive it. call may
 * be NULL: then there are none. NULL with err: RYDE_EUSAGE says what is wrong, and *at is
 * the offset in text where it is (at may be NULL).
 */
struct ryde_window_expr *ryde_window_expr_new(struct ryde_view text,
    struct ryde_json_paths *paths, ryde_window_expr_call *call, void *arg, size_t *at,
    struct ryde_err *err);
void ryde_window_expr_free(struct ryde_window_expr *e);

/*
 * *passes becomes whether the condition is true. values has what each path of the set
 * points at, calls the value of each call. From left to right, no further than needed.
 * -1 with RYDE_EDATA and a message that names the operand where it has no type that can
 * be compared so, or without memory.
 */
int ryde_window_expr_test(struct ryde_window_expr *e,
    const struct ryde_json_value *values, const struct ryde_json_value *calls,
    bool *passes, struct ryde_err *err);

#endif
