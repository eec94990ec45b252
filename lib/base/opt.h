/*
 * Options as data: one table per program makes the parser, --help, and (through --help)
 * the completions and the test that compares them with the man page. GNU style: --name
 * value, --name=value, -n value, -nvalue, -qv, options and operands in any order, -- ends
 * options.
 */
#ifndef RYDE_BASE_OPT_H
#define RYDE_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ryde_buf;
struct ryde_err;

enum ryde_opt_kind {
	RYDE_OPT_FLAG,	   /* bool *: becomes true */
	RYDE_OPT_COUNT,	   /* int *: one more each time */
	RYDE_OPT_STRING,   /* const char ** */
	RYDE_OPT_STRINGS,  /* struct ryde_strings *: repeatable */
	RYDE_OPT_INT,	   /* int64_t *: in [min, max] */
	RYDE_OPT_DURATION, /* int64_t *: milliseconds, in [min, max] where max is not 0 */
	RYDE_OPT_SIZE,	   /* int64_t *: bytes, in [min, max] where max is not 0 */
};

struct ryde_strings {
	const char **v; /* owned array of borrowed strings */
	size_t n;
};

struct ryde_opt {
	const char *name; /* long name without its dashes */
	char letter;	  /* short name, or 0 */
	enum ryde_opt_kind kind;
	void *to;
	const char *arg;  /* what --help calls the argument; NULL for flags */
	const char *help; /* one line, with the default in parentheses */
	int64_t min, max;
};

/* Tables that are read one after the other; the first one with the name wins. */
struct ryde_opts {
	const struct ryde_opt *tables[4];
	size_t counts[4];
	size_t n;
	bool stop_at_operand; /* the first operand ends options */
};

/*
 * Reads argv[1..]. Operands are gathered in front of argv[1..*n_operands] in their order;
 * *dashes (may be NULL) becomes the number of operands that stood before "--", or -1
 * without one. -1 with RYDE_EUSAGE and a message that names the option, with the nearest
 * known name.
 */
int ryde_opts_parse(const struct ryde_opts *opts, int argc, char **argv, int *n_operands,
    int *dashes, struct ryde_err *err);
/* Appends the option lines of table i: "  -k, --key PATH          …". */
void ryde_opts_help(const struct ryde_opts *opts, size_t i, struct ryde_buf *out);
void ryde_strings_free(struct ryde_strings *s);

#endif
