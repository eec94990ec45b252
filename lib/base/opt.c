#include "base/opt.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "base/num.h"

#include <stdlib.h>
#include <string.h>

static const struct ryde_opt *
find_long(const struct ryde_opts *o, struct ryde_view name)
{
	for (size_t t = 0; t < o->n; t++)
		for (size_t i = 0; i < o->counts[t]; i++)
			if (ryde_view_is(name, o->tables[t][i].name))
				return &o->tables[t][i];
	return NULL;
}

static const struct ryde_opt *
find_letter(const struct ryde_opts *o, char letter)
{
	for (size_t t = 0; t < o->n; t++)
		for (size_t i = 0; i < o->counts[t]; i++)
			if (o->tables[t][i].letter == letter)
				return &o->tables[t][i];
	return NULL;
}

static int
unknown(const struct ryde_opts *o, struct ryde_view name, struct ryde_err *err)
{
	const char *nearest = NULL;
	size_t best = RYDE_NEAR_FAR;

	for (size_t t = 0; t < o->n; t++) {
		for (size_t i = 0; i < o->counts[t]; i++) {
			size_t d =
			    ryde_near_edits(name, ryde_view_of(o->tables[t][i].name));

			if (d < best) {
				best = d;
				nearest = o->tables[t][i].name;
			}
		}
	}
	if (nearest != NULL)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "unknown option --%.*s (did you mean --%s?)", (int)name.n, name.p,
		    nearest);
	return ryde_err_set(
	    err, RYDE_EUSAGE, "unknown option --%.*s", (int)name.n, name.p);
}

static int
bad_value(
    const struct ryde_opt *opt, const char *value, const char *want, struct ryde_err *err)
{
	return ryde_err_set(
	    err, RYDE_EUSAGE, "--%s: '%s' is no %s", opt->name, value, want);
}

static int
out_of_range(const struct ryde_opt *opt, const char *value, struct ryde_err *err)
{
	return ryde_err_set(
	    err, RYDE_EUSAGE, "--%s: %s is out of range", opt->name, value);
}

static int
add_string(struct ryde_strings *list, const char *value, struct ryde_err *err)
{
	const char **v = realloc(list->v, (list->n + 1) * sizeof(*v));

	if (v == NULL)
		return ryde_err_nomem(err);
	list->v = v;
	v[list->n++] = value;
	return 0;
}

static int
set_value(const struct ryde_opt *opt, const char *value, struct ryde_err *err)
{
	struct ryde_view v = ryde_view_of(value);
	int64_t x = 0;

	switch (opt->kind) {
	case RYDE_OPT_FLAG:
		*(bool *)opt->to = true;
		return 0;
	case RYDE_OPT_COUNT:
		*(int *)opt->to += 1;
		return 0;
	case RYDE_OPT_STRING:
		*(const char **)opt->to = value;
		return 0;
	case RYDE_OPT_STRINGS:
		return add_string(opt->to, value, err);
	case RYDE_OPT_INT:
		if (!ryde_num_i64(v, INT64_MIN, INT64_MAX, &x))
			return bad_value(opt, value, "whole number", err);
		if (x < opt->min || x > opt->max)
			return ryde_err_set(err, RYDE_EUSAGE,
			    "--%s: %s is not between %lld and %lld", opt->name, value,
			    (long long)opt->min, (long long)opt->max);
		break;
	case RYDE_OPT_DURATION:
		/* -1 is "off" where an option allows it, as in Lambda's settings */
		if (opt->min < 0 && ryde_view_is(v, "-1"))
			x = -1;
		else if (!ryde_num_duration_ms(v, &x))
			return bad_value(
			    opt, value, "duration (500ms 15s 1m 2h 7d)", err);
		if (x < opt->min || (opt->max != 0 && x > opt->max))
			return out_of_range(opt, value, err);
		break;
	case RYDE_OPT_SIZE:
		if (!ryde_num_size_bytes(v, &x))
			return bad_value(opt, value, "size (512k 5M 1G)", err);
		if (x < opt->min || (opt->max != 0 && x > opt->max))
			return out_of_range(opt, value, err);
		break;
	}
	*(int64_t *)opt->to = x;
	return 0;
}

static bool
takes_value(const struct ryde_opt *opt)
{
	return opt->kind != RYDE_OPT_FLAG && opt->kind != RYDE_OPT_COUNT;
}

/* --name, --name=value, --name value; *i moves past what was used. */
static int
parse_long(const struct ryde_opts *o, int argc, char **argv, int *i, struct ryde_err *err)
{
	const char *arg = argv[*i] + 2;
	const char *eq = strchr(arg, '=');
	struct ryde_view name = {arg, eq != NULL ? (size_t)(eq - arg) : strlen(arg)};
	const struct ryde_opt *opt = find_long(o, name);

	if (opt == NULL)
		return unknown(o, name, err);
	if (!takes_value(opt)) {
		if (eq != NULL)
			return ryde_err_set(
			    err, RYDE_EUSAGE, "--%s takes no value", opt->name);
		return set_value(opt, NULL, err);
	}
	if (eq != NULL)
		return set_value(opt, eq + 1, err);
	if (*i + 1 >= argc)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "--%s needs a value: %s", opt->name, opt->arg);
	return set_value(opt, argv[++*i], err);
}

/* A cluster of letters: flags, then perhaps one with a value. */
static int
parse_short(
    const struct ryde_opts *o, int argc, char **argv, int *i, struct ryde_err *err)
{
	for (const char *p = argv[*i] + 1; *p != '\0'; p++) {
		const struct ryde_opt *opt = find_letter(o, *p);

		if (opt == NULL)
			return ryde_err_set(err, RYDE_EUSAGE, "unknown option -%c", *p);
		if (!takes_value(opt)) {
			if (set_value(opt, NULL, err) != 0)
				return -1;
			continue;
		}
		if (p[1] != '\0')
			return set_value(opt, p + 1, err);
		if (*i + 1 >= argc)
			return ryde_err_set(
			    err, RYDE_EUSAGE, "-%c needs a value: %s", *p, opt->arg);
		return set_value(opt, argv[++*i], err);
	}
	return 0;
}

int
ryde_opts_parse(const struct ryde_opts *o, int argc, char **argv, int *n_operands,
    int *dashes, struct ryde_err *err)
{
	int n = 0, before = -1;
	bool ended = false;

	for (int i = 1; i < argc; i++) {
		char *arg = argv[i];

		if (!ended && strcmp(arg, "--") == 0) {
			ended = true;
			before = n;
			continue;
		}
		if (ended || arg[0] != '-' || arg[1] == '\0') {
			argv[1 + n++] = arg;
			ended = ended || o->stop_at_operand;
			continue;
		}
		if ((arg[1] == '-' ? parse_long(o, argc, argv, &i, err)
				   : parse_short(o, argc, argv, &i, err)) != 0)
			return -1;
	}
	*n_operands = n;
	if (dashes != NULL)
		*dashes = before;
	return 0;
}

void
ryde_opts_help(const struct ryde_opts *o, size_t t, struct ryde_buf *out)
{
	for (size_t i = 0; i < o->counts[t]; i++) {
		const struct ryde_opt *opt = &o->tables[t][i];
		size_t start = out->n, width;

		if (opt->letter != 0)
			ryde_buf_printf(out, "  -%c, --%s", opt->letter, opt->name);
		else
			ryde_buf_printf(out, "      --%s", opt->name);
		if (takes_value(opt))
			ryde_buf_printf(out, " %s", opt->arg);
		width = out->n - start;
		if (width > 30)
			ryde_buf_printf(out, "\n%*s", 32, "");
		else
			ryde_buf_printf(out, "%*s", (int)(32 - width), "");
		ryde_buf_printf(out, "%s\n", opt->help);
	}
}

void
ryde_strings_free(struct ryde_strings *s)
{
	free(s->v);
	s->v = NULL;
	s->n = 0;
}
