#include "engine/window_def.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/zone.h"
#include "engine/window_agg.h"
#include "engine/window_column.h"
#include "engine/window_expr.h"
#include "json/literal.h"
#include "json/path.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1u << 20)
#define DEFAULT_TIME ".StatusTime"

struct ryde_window_def *
ryde_window_def_new(struct ryde_err *err)
{
	struct ryde_window_def *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->paths = ryde_json_paths_new()) == NULL) {
		free(d);
		ryde_err_nomem(err);
		return NULL;
	}
	d->digits = RYDE_WINDOW_DEF_DIGITS;
	d->accuracy_ppm = RYDE_WINDOW_DEF_ACCURACY_PPM;
	d->list_max = RYDE_WINDOW_DEF_LIST_MAX;
	d->where = RYDE_WINDOW_DEF_ALWAYS;
	d->lateness_ms = RYDE_WINDOW_DEF_LATENESS;
	if (ryde_json_paths_add(d->paths, DEFAULT_TIME, &d->time_path, err) != 0) {
		ryde_window_def_free(d);
		return NULL;
	}
	return d;
}

void
ryde_window_def_free(struct ryde_window_def *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < d->n_keys; i++) {
		free(d->keys[i].name);
		free(d->keys[i].label);
	}
	for (size_t i = 0; i < d->n_columns + d->n_hidden; i++) {
		free(d->columns[i].name);
		free(d->columns[i].label);
	}
	for (size_t i = 0; i < d->n_conditions; i++)
		ryde_window_expr_free(d->conditions[i]);
	ryde_window_expr_free(d->having);
	ryde_json_paths_free(d->row_paths);
	ryde_zone_free(d->zone);
	free(d->zone_name);
	free(d->numeric);
	free(d->scalar);
	free(d->used);
	ryde_json_paths_free(d->paths);
	free(d);
}

int
ryde_window_def_by(struct ryde_window_def *d, const char *path, struct ryde_err *err)
{
	struct ryde_window_def_key *k = &d->keys[d->n_keys];
	const char *equals;

	if (d->n_keys == RYDE_WINDOW_DEF_BY_MAX)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "--by: more than %d keys", RYDE_WINDOW_DEF_BY_MAX);
	if (path[0] != '.' && (equals = strchr(path, '=')) != NULL) {
		k->name = ryde_view_copy(ryde_view_mem(path, (size_t)(equals - path)));
		if (k->name == NULL)
			return ryde_err_nomem(err);
		path = equals + 1;
	}
	if (ryde_json_paths_add(d->paths, path, &k->path, err) != 0)
		goto fail;
	if (k->name != NULL &&
	    (k->name[0] == '\0' || !ryde_json_string_utf8(ryde_view_of(k->name)))) {
		(void)ryde_err_set(err, RYDE_EUSAGE, "a key's name is empty or no UTF-8");
		goto fail;
	}
	d->n_keys++;
	return 0;
fail:
	free(k->name);
	k->name = NULL;
	return ryde_err_prefix(err, "--by");
}

int
ryde_window_def_zone(struct ryde_window_def *d, const char *name, struct ryde_err *err)
{
	ryde_zone_free(d->zone);
	free(d->zone_name);
	d->zone_name = ryde_view_copy(ryde_view_of(name));
	d->zone = ryde_zone_open(name, err);
	d->extent.zone = d->zone;
	d->extent.zone_name = d->zone_name;
	if (d->zone == NULL)
		return ryde_err_prefix(err, "--zone");
	return d->zone_name != NULL ? 0 : ryde_err_nomem(err);
}

int
ryde_window_def_time(struct ryde_window_def *d, const char *text, struct ryde_err *err)
{
	if (strcmp(text, "arrival") == 0 || strcmp(text, "now") == 0) {
		d->time = text[0] == 'a' ? RYDE_WINDOW_DEF_ARRIVAL : RYDE_WINDOW_DEF_NOW;
		return 0;
	}
	if (ryde_json_paths_add(d->paths, text, &d->time_path, err) != 0)
		return ryde_err_prefix(err, "-t");
	d->time = RYDE_WINDOW_DEF_FIELD;
	return 0;
}

/* The number of a condition on records; one that is there already is used again. at: the
 * place in the text where it is wrong. */
static int
add_condition(struct ryde_window_def *d, struct ryde_view text, size_t *index, size_t *at,
    struct ryde_err *err)
{
	struct ryde_window_expr *e =
	    ryde_window_expr_new(text, d->paths, NULL, NULL, at, err);

	if (e == NULL)
		return -1;
	for (*index = 0; *index < d->n_conditions; ++*index) {
		if (ryde_view_eq(ryde_buf_as_view(&d->conditions[*index]->text),
			ryde_buf_as_view(&e->text))) {
			ryde_window_expr_free(e);
			return 0;
		}
	}
	d->conditions[d->n_conditions++] = e; /* one for each column, and one for all */
	return 0;
}

int
ryde_window_def_where(struct ryde_window_def *d, const char *text, struct ryde_err *err)
{
	size_t at;

	if (add_condition(d, ryde_view_of(text), &d->where, &at, err) != 0)
		return err->code == RYDE_EUSAGE
			   ? ryde_err_prefix(err, "--where, character %zu", at + 1)
			   : -1;
	return 0;
}

/* A function's text into c. */
static int
read_function(struct ryde_window_def *d, struct ryde_window_def_column *c,
    struct ryde_view text, struct ryde_err *err)
{
	struct ryde_window_column column;
	char *path;
	size_t at;
	int rc;

	if (ryde_window_column_parse(&column, text, err) != 0)
		return -1;
	c->function = column.function;
	c->part = column.part;
	c->of = column.of;
	c->where = RYDE_WINDOW_DEF_ALWAYS;
	c->has_path = column.path.n > 0;
	if (c->has_path) {
		path = ryde_view_copy(column.path);
		if (path == NULL)
			return ryde_err_nomem(err);
		rc = ryde_json_paths_add(d->paths, path, &c->path, err);
		free(path);
		if (rc != 0)
			return -1;
	}
	if (column.where.p == NULL ||
	    add_condition(d, column.where, &c->where, &at, err) == 0)
		return 0;
	return err->code == RYDE_EUSAGE
		   ? ryde_err_prefix(err, "'%.*s' behind where, character %zu",
			 (int)column.where.n, column.where.p, at + 1)
		   : -1;
}

/* A function in --having: a column that no row shows. */
static int
add_hidden(void *arg, struct ryde_view text, size_t *index, struct ryde_err *err)
{
	struct ryde_window_def *d = arg;
	struct ryde_window_def_column c = {0};

	if (d->n_columns + d->n_hidden == RYDE_WINDOW_DEF_COLUMNS_MAX)
		return ryde_err_set(err, RYDE_EUSAGE, "more than %d columns",
		    RYDE_WINDOW_DEF_COLUMNS_MAX);
	if (read_function(d, &c, text, err) != 0)
		return -1;
	if (ryde_window_agg_bytes(c.function) == 0 || c.function == RYDE_WINDOW_DEF_LIST)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "this function's value does not compare");
	*index = d->n_hidden;
	d->columns[d->n_columns + d->n_hidden++] = c;
	return 0;
}

int
ryde_window_def_having(struct ryde_window_def *d, const char *text, struct ryde_err *err)
{
	size_t at;

	d->row_paths = ryde_json_paths_new();
	if (d->row_paths == NULL)
		return ryde_err_nomem(err);
	d->having = ryde_window_expr_new(
	    ryde_view_of(text), d->row_paths, add_hidden, d, &at, err);
	if (d->having == NULL)
		return err->code == RYDE_EUSAGE
			   ? ryde_err_prefix(err, "--having, character %zu", at + 1)
			   : -1;
	return 0;
}

int
ryde_window_def_accuracy(
    struct ryde_window_def *d, const char *text, struct ryde_err *err)
{
	struct ryde_view v = ryde_view_of(text);
	struct ryde_window_number n;
	struct ryde_literal literal;
	ryde_window_number_wide ppm;
	bool percent = v.n > 0 && v.p[v.n - 1] == '%';

	v.n -= percent;
	if (ryde_literal_look(&literal, v)) {
		ryde_window_number_read(&n, v);
		ppm =
		    (ryde_window_number_wide)n.coefficient * (percent ? 10000 : 1000000);
		for (int i = 0; n.small && i < n.scale; i++)
			ppm /= 10;
		if (n.small && ppm >= 1000 && ppm <= 100000) {
			d->accuracy_ppm = (uint32_t)ppm;
			return 0;
		}
	}
	return ryde_err_set(
	    err, RYDE_EUSAGE, "--accuracy: '%s' is not between 0.1%% and 10%%", text);
}

int
ryde_window_def_column(struct ryde_window_def *d, const char *text, struct ryde_err *err)
{
	struct ryde_window_def_column c = {0};
	const char *equals = strchr(text, '=');

	if (equals == NULL || equals == text)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "column '%s': want NAME=FUNCTION, as in 'Distance=sum(.Distance)'",
		    text);
	if (d->n_columns == RYDE_WINDOW_DEF_COLUMNS_MAX)
		return ryde_err_set(err, RYDE_EUSAGE, "more than %d columns",
		    RYDE_WINDOW_DEF_COLUMNS_MAX);
	if (d->n_hidden > 0)
		return ryde_err_set(err, RYDE_ESOFTWARE, "a column behind having");
	if (read_function(d, &c, ryde_view_of(equals + 1), err) != 0)
		return ryde_err_prefix(err, "column '%.*s'", (int)(equals - text), text);
	c.name = ryde_view_copy(ryde_view_mem(text, (size_t)(equals - text)));
	if (c.name == NULL)
		return ryde_err_nomem(err);
	if (!ryde_json_string_utf8(ryde_view_of(c.name))) {
		free(c.name);
		return ryde_err_set(err, RYDE_EUSAGE, "a column's name is no UTF-8");
	}
	d->columns[d->n_columns++] = c;
	return 0;
}

/* `{"name":` for the first item of a row, `,"name":` for the others. */
static int
make_label(const char *name, bool first, char **to, size_t *n, struct ryde_err *err)
{
	struct ryde_buf b;
	int rc = -1;

	ryde_buf_init(&b, TEXT_MAX);
	ryde_buf_putc(&b, first ? '{' : ',');
	ryde_json_string_put(&b, ryde_view_of(name));
	ryde_buf_putc(&b, ':');
	if (ryde_buf_check(&b, err) != 0)
		goto out;
	*to = ryde_view_copy(ryde_buf_as_view(&b));
	*n = b.n;
	rc = *to != NULL ? 0 : ryde_err_nomem(err);
out:
	ryde_buf_free(&b);
	return rc;
}

/* The name of a key in rows: the one that it was given, else the path's last key, or the
 * path itself where it ends in an index. */
static const char *
key_name(const struct ryde_window_def *d, size_t i)
{
	const char *leaf = ryde_json_paths_leaf(d->paths, d->keys[i].path);

	if (d->keys[i].name != NULL)
		return d->keys[i].name;
	return leaf[0] != '\0' ? leaf : ryde_json_paths_text(d->paths, d->keys[i].path);
}

/* The name of the i-th item of a row: keys, bounds, columns; NULL behind the last. */
static const char *
item_name(const struct ryde_window_def *d, size_t i)
{
	if (i < d->n_keys)
		return key_name(d, i);
	i -= d->n_keys;
	if (d->bounds && i < 2)
		return i == 0 ? "windowStart" : "windowEnd";
	i -= d->bounds ? 2 : 0;
	if (i < d->n_columns)
		return d->columns[i].name;
	i -= d->n_columns;
	if (d->allow_ms > 0 && i-- == 0)
		return "revision";
	if (d->early && i-- == 0)
		return "early";
	return d->max_bytes > 0 && i == 0 ? "terminatedEarly" : NULL;
}

static int
check_names(const struct ryde_window_def *d, struct ryde_err *err)
{
	const char *name;

	for (size_t i = 0; (name = item_name(d, i)) != NULL; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(name, item_name(d, j)) == 0)
				return ryde_err_set(err, RYDE_EUSAGE,
				    "two items of a row are called '%s'", name);
		}
	}
	return 0;
}

/* The item that says how much of a list was left out must not have another's name. */
static int
check_omitted(const struct ryde_window_def *d, struct ryde_err *err)
{
	const char *name;

	for (size_t i = 0; i < d->n_columns; i++) {
		size_t n = strlen(d->columns[i].name);

		for (size_t j = 0; d->columns[i].function == RYDE_WINDOW_DEF_LIST &&
				   (name = item_name(d, j)) != NULL;
		     j++) {
			if (strncmp(name, d->columns[i].name, n) == 0 &&
			    strcmp(name + n, RYDE_WINDOW_DEF_OMITTED) == 0)
				return ryde_err_set(err, RYDE_EUSAGE,
				    "'%s' is what a list says that was cut", name);
		}
	}
	return 0;
}

/* A name that no row has would never be anything but missing. */
static int
check_having(const struct ryde_window_def *d, struct ryde_err *err)
{
	for (size_t i = 0; d->having != NULL && i < ryde_json_paths_count(d->row_paths);
	     i++) {
		const char *text = ryde_json_paths_text(d->row_paths, i), *name;
		const char *leaf = ryde_json_paths_leaf(d->row_paths, i);
		size_t j = 0;

		if (strlen(leaf) + 1 != strlen(text))
			continue;
		while ((name = item_name(d, j)) != NULL && strcmp(name, leaf) != 0)
			j++;
		if (name == NULL)
			return ryde_err_set(err, RYDE_EUSAGE,
			    "--having: no item of a row is called '%s'", leaf);
	}
	return 0;
}

static int
check_settings(const struct ryde_window_def *d, struct ryde_err *err)
{
	if (d->digits < 1 || d->digits > RYDE_WINDOW_DEF_DIGITS_MAX || d->list_max < 1)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "no digits for means, or no values for lists");
	return 0;
}

static bool
is_span(int64_t ms)
{
	return ms >= 0 && ms <= RYDE_WINDOW_EXTENT_MAX_MS;
}

static int
check_times(struct ryde_window_def *d, struct ryde_err *err)
{
	bool session = d->extent.kind == RYDE_WINDOW_SESSION;

	if (ryde_window_extent_check(&d->extent, err) != 0)
		return -1;
	if (d->lateness_ms == RYDE_WINDOW_DEF_LATENESS)
		d->lateness_ms =
		    session && d->time != RYDE_WINDOW_DEF_NOW ? d->extent.size_ms : 0;
	if (!is_span(d->lateness_ms) || !is_span(d->idle_ms) || !is_span(d->allow_ms))
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--lateness, --allow-late and --idle end at 36525d");
	if (session && d->allow_ms > 0)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "--allow-late does not go with --session: a late line could join two "
		    "sessions that were printed as two rows, and no row could take them "
		    "back; raise --lateness");
	return 0;
}

/* 128-bit FNV-1a. It tells definitions apart, and hides nothing. Source: RFC 9923,
 * section 2. */
static void
fingerprint(struct ryde_view text, char *to)
{
	__extension__ unsigned __int128 hash = 0x6c62272e07bb0142;

	hash = hash << 64 | 0x62b821756295c58d;
	for (size_t i = 0; i < text.n; i++) {
		hash ^= (unsigned char)text.p[i];
		hash = (hash << 88) + hash * 0x13b; /* times the prime, 2^88 + 0x13b */
	}
	for (size_t i = RYDE_WINDOW_DEF_FINGERPRINT; i-- > 0; hash >>= 4)
		to[i] = "0123456789abcdef"[hash & 15];
	to[RYDE_WINDOW_DEF_FINGERPRINT] = '\0';
}

/* What a column computes, with the settings that it depends on. */
static void
put_function(const struct ryde_window_def *d, const struct ryde_window_def_column *c,
    struct ryde_buf *b)
{
	ryde_buf_printf(b, " %s %s", ryde_window_column_name(c->function),
	    c->has_path ? ryde_json_paths_text(d->paths, c->path) : "");
	if (c->where != RYDE_WINDOW_DEF_ALWAYS)
		ryde_buf_printf(
		    b, " where %s", ryde_buf_str(&d->conditions[c->where]->text));
	if (c->function == RYDE_WINDOW_DEF_PERCENTILE)
		ryde_buf_printf(b, " %u/%u %u", c->part, c->of, d->accuracy_ppm);
	if (c->function == RYDE_WINDOW_DEF_LIST)
		ryde_buf_printf(b, " %zu", d->list_max);
	if ((c->function == RYDE_WINDOW_DEF_AVG ||
		c->function == RYDE_WINDOW_DEF_STDDEV) &&
	    d->digits != RYDE_WINDOW_DEF_DIGITS)
		ryde_buf_printf(b, " %u", d->digits);
}

/* All that decides what rows come out, in one text. What only decides when they do
 * (--idle) is not part of it. */
static int
make_fingerprint(struct ryde_window_def *d, struct ryde_err *err)
{
	static const char *const times[] = {"default", "field", "arrival", "now"};
	struct ryde_buf b;
	int rc;

	ryde_buf_init(&b, TEXT_MAX);
	ryde_buf_puts(&b, "window 1\n");
	ryde_window_extent_put(&d->extent, &b);
	ryde_buf_printf(&b, "lateness %lld\ntime %s %s\n", (long long)d->lateness_ms,
	    times[d->time],
	    d->time == RYDE_WINDOW_DEF_FIELD
		? ryde_json_paths_text(d->paths, d->time_path)
		: "");
	if (d->allow_ms > 0)
		ryde_buf_printf(&b, "allow %lld\n", (long long)d->allow_ms);
	for (size_t i = 0; i < d->n_keys; i++) {
		ryde_buf_printf(
		    &b, "by %s\n", ryde_json_paths_text(d->paths, d->keys[i].path));
		if (d->keys[i].name != NULL)
			ryde_buf_printf(&b, "as %s\n", d->keys[i].name);
	}
	for (size_t i = 0; i < d->n_columns; i++) {
		const struct ryde_window_def_column *c = &d->columns[i];

		ryde_buf_puts(&b, "column ");
		ryde_json_string_put(&b, ryde_view_of(c->name));
		put_function(d, c, &b);
		ryde_buf_putc(&b, '\n');
	}
	if (d->where != RYDE_WINDOW_DEF_ALWAYS)
		ryde_buf_printf(
		    &b, "where %s\n", ryde_buf_str(&d->conditions[d->where]->text));
	if (d->having != NULL)
		ryde_buf_printf(&b, "having %s\n", ryde_buf_str(&d->having->text));
	rc = ryde_buf_check(&b, err);
	if (rc == 0)
		fingerprint(ryde_buf_as_view(&b), d->fingerprint);
	ryde_buf_free(&b);
	return rc;
}

static int
make_labels(struct ryde_window_def *d, struct ryde_err *err)
{
	for (size_t i = 0; i < d->n_keys; i++) {
		struct ryde_window_def_key *k = &d->keys[i];

		if (make_label(key_name(d, i), i == 0, &k->label, &k->label_n, err) != 0)
			return -1;
	}
	for (size_t i = 0; i < d->n_columns; i++) {
		struct ryde_window_def_column *c = &d->columns[i];
		bool first = d->n_keys == 0 && !d->bounds && i == 0;

		if (make_label(c->name, first, &c->label, &c->label_n, err) != 0)
			return -1;
	}
	return 0;
}

static void
use(struct ryde_window_def *d, size_t path)
{
	for (size_t i = 0; i < d->n_used; i++) {
		if (d->used[i] == path)
			return;
	}
	d->used[d->n_used++] = path;
}

/* Gives a column its state: that of a column before it which computes the same, or a new
 * one. */
static void
add_state(struct ryde_window_def *d, struct ryde_window_def_column *c)
{
	size_t bytes = ryde_window_agg_bytes(c->function);

	if (bytes == 0)
		return;
	for (size_t i = 0; i < d->n_states; i++) {
		const struct ryde_window_def_state *s = &d->states[i];

		if (s->function == c->function && s->path == c->path &&
		    s->where == c->where) {
			c->state = i;
			return;
		}
	}
	c->state = d->n_states;
	d->states[d->n_states++] = (struct ryde_window_def_state){
	    c->function, c->has_path, c->path, c->where, d->state_bytes};
	d->state_bytes += bytes;
}

int
ryde_window_def_finish(struct ryde_window_def *d, struct ryde_err *err)
{
	if (d->n_columns == 0)
		return ryde_err_set(err, RYDE_EUSAGE,
		    "no column: want NAME=FUNCTION, as in 'Distance=sum(.Distance)'");
	if (check_times(d, err) != 0 || check_settings(d, err) != 0)
		return -1;
	d->n_paths = ryde_json_paths_count(d->paths);
	d->numeric = calloc(d->n_paths, sizeof(*d->numeric));
	d->used = calloc(d->n_paths, sizeof(*d->used));
	d->scalar = calloc(d->n_paths, sizeof(*d->scalar));
	if (d->numeric == NULL || d->used == NULL || d->scalar == NULL)
		return ryde_err_nomem(err);
	d->bounds = true;
	for (size_t i = 0; i < d->n_columns + d->n_hidden; i++) {
		struct ryde_window_def_column *c = &d->columns[i];

		if (i < d->n_columns && (c->function == RYDE_WINDOW_DEF_START ||
					    c->function == RYDE_WINDOW_DEF_END))
			d->bounds = false;
		if (ryde_window_agg_is_numeric(c->function))
			d->numeric[c->path] = true;
		if (ryde_window_agg_is_scalar(c->function))
			d->scalar[c->path] = true;
		if (c->has_path)
			use(d, c->path);
		add_state(d, c);
	}
	if (check_names(d, err) != 0 || check_omitted(d, err) != 0 ||
	    check_having(d, err) != 0 || make_labels(d, err) != 0)
		return -1;
	return make_fingerprint(d, err);
}
