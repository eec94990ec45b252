#include "engine/window_sql_parse.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

const struct ryde_window_sql_table *
ryde_window_sql_table_find(const struct ryde_window_sql_parse *p, const char *name)
{
	for (size_t i = 0; i < p->n_tables; i++) {
		if (strcmp(p->tables[i]->name, name) == 0)
			return p->tables[i];
	}
	return NULL;
}

static size_t
find_column(const struct ryde_window_sql_table *t, const char *name)
{
	size_t i = 0;

	while (i < t->n_columns && strcmp(t->columns[i].name, name) != 0)
		i++;
	return i;
}

/* A type, with what stands in its brackets, and what may follow it. Only that it ends is
 * looked at: numbers are what the JSON says. */
static int
skip_type(struct ryde_window_sql_parse *p)
{
	size_t angles = 0;

	if (ryde_window_sql_parse_name(p) == NULL)
		return -1;
	for (;;) {
		if (ryde_window_sql_parse_is(p, "(")) {
			if (ryde_window_sql_parse_skip_brackets(p) != 0)
				return -1;
			continue;
		}
		if (ryde_window_sql_parse_is(p, "<"))
			angles++;
		else if (ryde_window_sql_parse_is(p, ">") && angles > 0)
			angles--;
		else if (ryde_window_sql_parse_is(p, "<>"))
			; /* ROW<> */
		else if (p->word.kind == RYDE_WINDOW_SQL_WORD_END ||
			 (angles == 0 && !ryde_window_sql_parse_is(p, "PRECISION") &&
			     !ryde_window_sql_parse_is(p, "VARYING") &&
			     !ryde_window_sql_parse_is(p, "WITH") &&
			     !ryde_window_sql_parse_is(p, "WITHOUT") &&
			     !ryde_window_sql_parse_is(p, "LOCAL") &&
			     !ryde_window_sql_parse_is(p, "TIME") &&
			     !ryde_window_sql_parse_is(p, "ZONE")))
			return 0;
		ryde_window_sql_parse_next(p);
	}
}

/* NOT NULL, PRIMARY KEY NOT ENFORCED, COMMENT '…', in any order. */
static int
skip_constraints(struct ryde_window_sql_parse *p)
{
	for (;;) {
		if (ryde_window_sql_parse_accept(p, "COMMENT")) {
			if (ryde_window_sql_parse_string(p) == NULL)
				return -1;
		} else if (ryde_window_sql_parse_accept(p, "CONSTRAINT")) {
			if (ryde_window_sql_parse_name(p) == NULL)
				return -1;
		} else if (!ryde_window_sql_parse_accept(p, "NOT") &&
			   !ryde_window_sql_parse_accept(p, "NULL") &&
			   !ryde_window_sql_parse_accept(p, "PRIMARY") &&
			   !ryde_window_sql_parse_accept(p, "KEY") &&
			   !ryde_window_sql_parse_accept(p, "ENFORCED")) {
			return 0;
		}
	}
}

/* METADATA [FROM 'key'] [VIRTUAL]. */
static int
parse_metadata(struct ryde_window_sql_parse *p, struct ryde_window_sql_column *c)
{
	const char *key = c->name;

	if (ryde_window_sql_parse_accept(p, "FROM") &&
	    (key = ryde_window_sql_parse_string(p)) == NULL)
		return -1;
	(void)ryde_window_sql_parse_accept(p, "VIRTUAL");
	/* Source: the Kinesis connector's metadata: timestamp is the arrival. */
	c->source = strcmp(key, "timestamp") == 0 ? RYDE_WINDOW_SQL_ARRIVAL
						  : RYDE_WINDOW_SQL_OTHER;
	return 0;
}

/* name AS PROCTIME() | TO_TIMESTAMP(field, …) | TO_TIMESTAMP_LTZ(field, …). */
static int
parse_computed(struct ryde_window_sql_parse *p, struct ryde_window_sql_column *c)
{
	size_t at;

	if (ryde_window_sql_parse_accept(p, "PROCTIME")) {
		c->source = RYDE_WINDOW_SQL_PROCTIME;
		if (ryde_window_sql_parse_expect(p, "(") != 0)
			return -1;
		return ryde_window_sql_parse_expect(p, ")");
	}
	if (!ryde_window_sql_parse_is(p, "TO_TIMESTAMP") &&
	    !ryde_window_sql_parse_is(p, "TO_TIMESTAMP_LTZ"))
		return ryde_window_sql_parse_unsupported(
		    p, "a computed column of this kind");
	ryde_window_sql_parse_next(p);
	at = p->word.at;
	if (ryde_window_sql_parse_expect(p, "(") != 0 ||
	    (c->field = ryde_window_sql_parse_name(p)) == NULL)
		return -1;
	ryde_window_sql_parse_seek(p, at);
	return ryde_window_sql_parse_skip_brackets(p);
}

/* WATERMARK FOR column AS column [- INTERVAL …], behind WATERMARK. */
static int
parse_watermark(struct ryde_window_sql_parse *p, struct ryde_window_sql_table *t)
{
	size_t at = p->word.at, of;
	const char *name, *again;

	if (ryde_window_sql_parse_expect(p, "FOR") != 0)
		return -1;
	at = p->word.at;
	if ((name = ryde_window_sql_parse_name(p)) == NULL ||
	    ryde_window_sql_parse_expect(p, "AS") != 0)
		return -1;
	of = p->word.at;
	if ((again = ryde_window_sql_parse_name(p)) == NULL)
		return -1;
	t->time = find_column(t, name);
	if (t->time == t->n_columns)
		return ryde_window_sql_parse_fail(
		    p, at, "no column of that name stands before");
	if (strcmp(name, again) != 0)
		return ryde_window_sql_parse_fail(p, of,
		    "a watermark that is not the column, or the column less an INTERVAL");
	t->has_watermark = true;
	if (ryde_window_sql_parse_accept(p, "-"))
		return ryde_window_sql_parse_interval(p, &t->delay_ms);
	return 0;
}

static int
parse_column(struct ryde_window_sql_parse *p, struct ryde_window_sql_table *t)
{
	struct ryde_window_sql_column c = {.source = RYDE_WINDOW_SQL_FIELD};
	size_t at = p->word.at;

	if (t->n_columns == RYDE_WINDOW_SQL_ITEMS_MAX)
		return ryde_window_sql_parse_unsupported(p, "so long a list");
	c.name = c.field = ryde_window_sql_parse_name(p);
	if (c.name == NULL)
		return -1;
	if (find_column(t, c.name) != t->n_columns)
		return ryde_window_sql_parse_fail(p, at, "a second column of this name");
	if (ryde_window_sql_parse_accept(p, "AS")) {
		if (parse_computed(p, &c) != 0)
			return -1;
	} else {
		if (skip_type(p) != 0 || (ryde_window_sql_parse_accept(p, "METADATA") &&
					     parse_metadata(p, &c) != 0))
			return -1;
	}
	t->columns[t->n_columns++] = c;
	return skip_constraints(p);
}

static int
parse_item(struct ryde_window_sql_parse *p, struct ryde_window_sql_table *t)
{
	if (ryde_window_sql_parse_accept(p, "WATERMARK"))
		return parse_watermark(p, t);
	if (ryde_window_sql_parse_is(p, "CONSTRAINT") ||
	    ryde_window_sql_parse_is(p, "PRIMARY")) {
		if (skip_constraints(p) != 0)
			return -1;
		if (ryde_window_sql_parse_is(p, "(") &&
		    ryde_window_sql_parse_skip_brackets(p) != 0)
			return -1;
		return skip_constraints(p);
	}
	return parse_column(p, t);
}

/* The last part of an ARN: arn:aws:kinesis:eu-west-1:123456789012:stream/NAME. */
static const char *
stream_of(const char *arn)
{
	const char *slash = strrchr(arn, '/');

	return slash != NULL ? slash + 1 : arn;
}

static int
parse_property(struct ryde_window_sql_parse *p, struct ryde_window_sql_table *t)
{
	const char *key = ryde_window_sql_parse_string(p), *value;
	size_t at;

	if (key == NULL || ryde_window_sql_parse_expect(p, "=") != 0)
		return -1;
	at = p->word.at;
	value = ryde_window_sql_parse_string(p);
	if (value == NULL)
		return -1;
	if (strcmp(key, "format") == 0 && strcmp(value, "json") != 0)
		return ryde_window_sql_parse_fail(
		    p, at, "a format other than json is not supported");
	if (strcmp(key, "connector") == 0)
		t->connector = value;
	else if (strcmp(key, "stream") == 0)
		t->stream = value;
	else if (strcmp(key, "stream.arn") == 0)
		t->stream = stream_of(value);
	else if (strcmp(key, "scan.stream.initpos") == 0 ||
		 strcmp(key, "source.init.position") == 0)
		t->from = value;
	else if (strcmp(key, "scan.stream.initpos-timestamp") == 0 ||
		 strcmp(key, "source.init.timestamp") == 0)
		t->from_time = value;
	return 0;
}

/* [COMMENT '…'] [PARTITIONED BY (…)] WITH (…). */
static int
parse_clauses(struct ryde_window_sql_parse *p, struct ryde_window_sql_table *t)
{
	if (ryde_window_sql_parse_accept(p, "COMMENT") &&
	    ryde_window_sql_parse_string(p) == NULL)
		return -1;
	if (ryde_window_sql_parse_accept(p, "PARTITIONED")) {
		if (ryde_window_sql_parse_expect(p, "BY") != 0 ||
		    ryde_window_sql_parse_expect(p, "(") != 0 ||
		    (t->key = ryde_window_sql_parse_name(p)) == NULL)
			return -1;
		if (ryde_window_sql_parse_is(p, ","))
			return ryde_window_sql_parse_unsupported(
			    p, "a partition key of several columns");
		if (ryde_window_sql_parse_expect(p, ")") != 0)
			return -1;
	}
	if (!ryde_window_sql_parse_accept(p, "WITH"))
		return 0;
	if (ryde_window_sql_parse_expect(p, "(") != 0)
		return -1;
	do {
		if (parse_property(p, t) != 0)
			return -1;
	} while (ryde_window_sql_parse_accept(p, ","));
	return ryde_window_sql_parse_expect(p, ")");
}

int
ryde_window_sql_table_create(struct ryde_window_sql_parse *p)
{
	struct ryde_window_sql_table *t;
	const char *name;
	size_t at;

	if (p->n_tables == RYDE_WINDOW_SQL_TABLES_MAX)
		return ryde_window_sql_parse_unsupported(p, "so many tables");
	t = p->tables[p->n_tables] = calloc(1, sizeof(*t));
	if (t == NULL)
		return ryde_err_nomem(p->err);
	p->n_tables++;
	t->name = "";
	if (ryde_window_sql_parse_accept(p, "IF") &&
	    (ryde_window_sql_parse_expect(p, "NOT") != 0 ||
		ryde_window_sql_parse_expect(p, "EXISTS") != 0))
		return -1;
	at = p->word.at;
	name = ryde_window_sql_parse_name(p);
	if (name == NULL)
		return -1;
	if (ryde_window_sql_parse_is(p, "."))
		return ryde_window_sql_parse_unsupported(p, "a catalog or a database");
	if (ryde_window_sql_table_find(p, name) != NULL)
		return ryde_window_sql_parse_fail(p, at, "a second table of this name");
	t->name = name;
	if (ryde_window_sql_parse_expect(p, "(") != 0)
		return -1;
	do {
		if (parse_item(p, t) != 0)
			return -1;
	} while (ryde_window_sql_parse_accept(p, ","));
	if (ryde_window_sql_parse_expect(p, ")") != 0)
		return -1;
	return parse_clauses(p, t);
}
