#include "engine/window_sql.h"

#include "base/buf.h"
#include "base/err.h"
#include "engine/window_number.h"
#include "engine/window_sql_parse.h"
#include "json/literal.h"
#include "json/string.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OWNED_FIRST 32
#define NAME_MAX_BYTES 65536
#define INTERVAL_MAX_MS (INT64_C(36525) * 86400000)

/* ---- words ---- */

void
ryde_window_sql_parse_seek(struct ryde_window_sql_parse *p, size_t at)
{
	p->word = ryde_window_sql_word_at(p->text, at);
}

void
ryde_window_sql_parse_next(struct ryde_window_sql_parse *p)
{
	ryde_window_sql_parse_seek(p, p->word.at + p->word.text.n);
}

bool
ryde_window_sql_parse_is(const struct ryde_window_sql_parse *p, const char *name)
{
	return ryde_window_sql_word_is(&p->word, name);
}

bool
ryde_window_sql_parse_accept(struct ryde_window_sql_parse *p, const char *name)
{
	bool is = ryde_window_sql_parse_is(p, name);

	if (is)
		ryde_window_sql_parse_next(p);
	return is;
}

int
ryde_window_sql_parse_fail(struct ryde_window_sql_parse *p, size_t at, const char *what)
{
	size_t line = 1, column = 1;

	for (size_t i = 0; i < at && i < p->text.n; i++) {
		column++;
		if (p->text.p[i] == '\n') {
			line++;
			column = 1;
		}
	}
	return ryde_err_set(
	    p->err, RYDE_EUSAGE, "SQL, line %zu, column %zu: %s", line, column, what);
}

/* With the word that is looked at in the message. */
static int
fail_word(struct ryde_window_sql_parse *p, const char *what)
{
	char word[64], text[256];
	size_t n = p->word.text.n < sizeof(word) - 1 ? p->word.text.n : sizeof(word) - 1;

	if (p->word.kind == RYDE_WINDOW_SQL_WORD_END) {
		snprintf(word, sizeof(word), "the end");
	} else {
		memcpy(word, p->word.text.p, n);
		word[n] = '\0';
	}
	snprintf(text, sizeof(text), "%s: %s", word, what);
	return ryde_window_sql_parse_fail(p, p->word.at, text);
}

int
ryde_window_sql_parse_unsupported(struct ryde_window_sql_parse *p, const char *what)
{
	char text[200];

	snprintf(text, sizeof(text), "%s is not supported", what);
	return fail_word(p, text);
}

int
ryde_window_sql_parse_expect(struct ryde_window_sql_parse *p, const char *name)
{
	char text[100];

	if (ryde_window_sql_parse_accept(p, name))
		return 0;
	snprintf(text, sizeof(text), "here %s must stand", name);
	return fail_word(p, text);
}

int
ryde_window_sql_parse_skip_brackets(struct ryde_window_sql_parse *p)
{
	size_t depth = 0, at = p->word.at;

	do {
		if (p->word.kind == RYDE_WINDOW_SQL_WORD_END)
			return ryde_window_sql_parse_fail(
			    p, at, "the bracket is not closed");
		depth += ryde_window_sql_parse_is(p, "(");
		depth -= ryde_window_sql_parse_is(p, ")");
		ryde_window_sql_parse_next(p);
	} while (depth > 0);
	return 0;
}

/* ---- pieces ---- */

const char *
ryde_window_sql_parse_keep(struct ryde_window_sql_parse *p, struct ryde_view bytes)
{
	struct ryde_window_sql *s = p->out;
	size_t cap = s->cap_owned != 0 ? 2 * s->cap_owned : OWNED_FIRST;
	char *copy, **owned;

	if (s->n_owned == s->cap_owned) {
		owned = realloc(s->owned, cap * sizeof(*owned));
		if (owned == NULL)
			goto nomem;
		s->owned = owned;
		s->cap_owned = cap;
	}
	copy = malloc(bytes.n + 1);
	if (copy == NULL)
		goto nomem;
	if (bytes.n > 0)
		memcpy(copy, bytes.p, bytes.n);
	copy[bytes.n] = '\0';
	s->owned[s->n_owned++] = copy;
	return copy;
nomem:
	(void)ryde_err_nomem(p->err);
	return NULL;
}

/* What the word stands for, kept; and goes on. */
static const char *
take_text(struct ryde_window_sql_parse *p)
{
	struct ryde_buf b;
	const char *kept = NULL;

	ryde_buf_init(&b, NAME_MAX_BYTES);
	ryde_window_sql_word_put(&p->word, &b);
	if (b.n > 0 && memchr(b.p, '\0', b.n) != NULL)
		(void)ryde_window_sql_parse_fail(p, p->word.at, "a NUL");
	else if (!ryde_json_string_utf8(ryde_buf_as_view(&b)))
		(void)ryde_window_sql_parse_fail(p, p->word.at, "no UTF-8");
	else if (ryde_buf_check(&b, p->err) == 0)
		kept = ryde_window_sql_parse_keep(p, ryde_buf_as_view(&b));
	ryde_buf_free(&b);
	ryde_window_sql_parse_next(p);
	return kept;
}

const char *
ryde_window_sql_parse_name(struct ryde_window_sql_parse *p)
{
	if (p->word.kind != RYDE_WINDOW_SQL_WORD_NAME &&
	    p->word.kind != RYDE_WINDOW_SQL_WORD_QUOTED) {
		(void)fail_word(p, "here a name must stand");
		return NULL;
	}
	return take_text(p);
}

const char *
ryde_window_sql_parse_string(struct ryde_window_sql_parse *p)
{
	if (p->word.kind != RYDE_WINDOW_SQL_WORD_STRING) {
		(void)fail_word(p, "here a string in quotes must stand");
		return NULL;
	}
	return take_text(p);
}

/* text * unit in whole milliseconds. */
static bool
interval_ms(struct ryde_view text, int64_t unit_ms, int64_t *ms)
{
	struct ryde_literal literal;
	struct ryde_window_number n;
	ryde_window_number_wide value;

	if (!ryde_literal_look(&literal, text))
		return false;
	ryde_window_number_read(&n, text);
	if (!n.small)
		return false;
	value = (ryde_window_number_wide)n.coefficient * unit_ms;
	for (int i = 0; i < n.scale; i++) {
		if (value % 10 != 0)
			return false;
		value /= 10;
	}
	if (value < -INTERVAL_MAX_MS || value > INTERVAL_MAX_MS)
		return false;
	*ms = (int64_t)value;
	return true;
}

int
ryde_window_sql_parse_interval(struct ryde_window_sql_parse *p, int64_t *ms)
{
	static const struct {
		const char *one, *many;
		int64_t ms;
	} units[] = {{"SECOND", "SECONDS", 1000}, {"MINUTE", "MINUTES", 60000},
	    {"HOUR", "HOURS", 3600000}, {"DAY", "DAYS", 86400000},
	    {"WEEK", "WEEKS", 604800000}, {"MILLISECOND", "MILLISECONDS", 1}};
	size_t at;
	const char *text;
	bool negative;

	if (ryde_window_sql_parse_expect(p, "INTERVAL") != 0)
		return -1;
	negative = ryde_window_sql_parse_accept(p, "-");
	at = p->word.at;
	text = ryde_window_sql_parse_string(p);
	if (text == NULL)
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (!ryde_window_sql_parse_accept(p, units[i].one) &&
		    !ryde_window_sql_parse_accept(p, units[i].many))
			continue;
		if (!interval_ms(ryde_view_of(text), units[i].ms, ms))
			return ryde_window_sql_parse_fail(
			    p, at, "no number of whole milliseconds");
		if (ryde_window_sql_parse_is(p, "(") &&
		    ryde_window_sql_parse_skip_brackets(p) != 0)
			return -1;
		if (ryde_window_sql_parse_is(p, "TO"))
			return ryde_window_sql_parse_unsupported(
			    p, "an interval of several units");
		*ms = negative ? -*ms : *ms;
		return 0;
	}
	return ryde_window_sql_parse_unsupported(p, "this unit of an interval");
}

void
ryde_window_sql_parse_put_duration(struct ryde_buf *b, int64_t ms)
{
	static const struct {
		const char *name;
		int64_t ms;
	} units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms != 0 && ms % units[i].ms == 0) {
			ryde_buf_i64(b, ms / units[i].ms);
			ryde_buf_puts(b, units[i].name);
			return;
		}
	}
	ryde_buf_i64(b, ms);
	ryde_buf_puts(b, "ms");
}

void
ryde_window_sql_parse_put_path(struct ryde_buf *b, const char *name)
{
	bool plain = name[0] != '\0' && (name[0] < '0' || name[0] > '9');

	for (const char *c = name; *c != '\0'; c++) {
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			(*c >= '0' && *c <= '9') || *c == '_'))
			plain = false;
	}
	ryde_buf_putc(b, '.');
	if (plain)
		ryde_buf_puts(b, name);
	else
		ryde_json_string_put(b, ryde_view_of(name));
}

/* ---- the script ---- */

/* INSERT INTO sink [(names)] SELECT …, behind INSERT. */
static int
parse_insert(struct ryde_window_sql_parse *p)
{
	const char *names[RYDE_WINDOW_SQL_ITEMS_MAX], *sink;
	size_t n = 0;

	if (ryde_window_sql_parse_is(p, "OVERWRITE"))
		return ryde_window_sql_parse_unsupported(p, "INSERT OVERWRITE");
	if (ryde_window_sql_parse_expect(p, "INTO") != 0)
		return -1;
	sink = ryde_window_sql_parse_name(p);
	if (sink == NULL)
		return -1;
	if (ryde_window_sql_parse_accept(p, "(")) {
		do {
			if (n == RYDE_WINDOW_SQL_ITEMS_MAX)
				return ryde_window_sql_parse_unsupported(
				    p, "so long a list");
			names[n] = ryde_window_sql_parse_name(p);
			if (names[n++] == NULL)
				return -1;
		} while (ryde_window_sql_parse_accept(p, ","));
		if (ryde_window_sql_parse_expect(p, ")") != 0)
			return -1;
	}
	if (ryde_window_sql_parse_expect(p, "SELECT") != 0)
		return -1;
	return ryde_window_sql_select(p, sink, names, n);
}

/* CREATE [TEMPORARY] TABLE …, behind CREATE. */
static int
parse_create(struct ryde_window_sql_parse *p)
{
	(void)ryde_window_sql_parse_accept(p, "TEMPORARY");
	if (!ryde_window_sql_parse_accept(p, "TABLE"))
		return ryde_window_sql_parse_unsupported(
		    p, "CREATE of anything but a TABLE");
	return ryde_window_sql_table_create(p);
}

/* DROP TABLE [IF EXISTS] name: there is nothing to drop. */
static int
parse_drop(struct ryde_window_sql_parse *p)
{
	if (!ryde_window_sql_parse_accept(p, "TABLE"))
		return ryde_window_sql_parse_unsupported(
		    p, "DROP of anything but a TABLE");
	if (ryde_window_sql_parse_accept(p, "IF") &&
	    ryde_window_sql_parse_expect(p, "EXISTS") != 0)
		return -1;
	return ryde_window_sql_parse_name(p) != NULL ? 0 : -1;
}

static int
parse_statement(struct ryde_window_sql_parse *p, bool *queried)
{
	bool insert;

	if (ryde_window_sql_parse_accept(p, "CREATE"))
		return parse_create(p);
	if (ryde_window_sql_parse_accept(p, "DROP"))
		return parse_drop(p);
	insert = ryde_window_sql_parse_is(p, "INSERT");
	if (!insert && !ryde_window_sql_parse_is(p, "SELECT"))
		return ryde_window_sql_parse_unsupported(p, "this statement");
	if (*queried)
		return ryde_window_sql_parse_unsupported(p, "a second query");
	*queried = true;
	ryde_window_sql_parse_next(p);
	return insert ? parse_insert(p) : ryde_window_sql_select(p, NULL, NULL, 0);
}

static int
parse_script(struct ryde_window_sql_parse *p)
{
	bool queried = false;

	for (;;) {
		while (ryde_window_sql_parse_accept(p, ";"))
			;
		if (p->word.kind == RYDE_WINDOW_SQL_WORD_END)
			break;
		if (parse_statement(p, &queried) != 0)
			return -1;
		if (p->word.kind != RYDE_WINDOW_SQL_WORD_END &&
		    ryde_window_sql_parse_expect(p, ";") != 0)
			return -1;
	}
	if (!queried)
		return ryde_window_sql_parse_fail(p, p->text.n,
		    "there is no query: SELECT … or INSERT INTO … SELECT …");
	return 0;
}

struct ryde_window_sql *
ryde_window_sql_new(struct ryde_view text, struct ryde_err *err)
{
	struct ryde_window_sql_parse p = {.text = text, .err = err};
	int rc = -1;

	if (text.n > RYDE_WINDOW_SQL_TEXT_MAX) {
		(void)ryde_err_set(err, RYDE_EUSAGE, "SQL of more than %u bytes",
		    RYDE_WINDOW_SQL_TEXT_MAX);
		return NULL;
	}
	p.out = calloc(1, sizeof(*p.out));
	if (p.out == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	ryde_window_sql_parse_seek(&p, 0);
	rc = parse_script(&p);
	for (size_t i = 0; i < p.n_tables; i++)
		free(p.tables[i]);
	if (rc == 0)
		return p.out;
	ryde_window_sql_free(p.out);
	return NULL;
}

void
ryde_window_sql_free(struct ryde_window_sql *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->n_owned; i++)
		free(s->owned[i]);
	free(s->owned);
	free(s);
}

/* ---- explain ---- */

/* A word as the shell reads it. */
static void
put_shell(struct ryde_buf *to, const char *word)
{
	bool plain = word[0] != '\0';

	for (const char *c = word; *c != '\0'; c++) {
		if (!((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
			(*c >= '0' && *c <= '9') || strchr("_-./:,@+%=", *c) != NULL))
			plain = false;
	}
	ryde_buf_putc(to, ' ');
	if (plain) {
		ryde_buf_puts(to, word);
		return;
	}
	ryde_buf_putc(to, '\'');
	for (const char *c = word; *c != '\0'; c++) {
		if (*c == '\'')
			ryde_buf_puts(to, "'\\''");
		else
			ryde_buf_putc(to, *c);
	}
	ryde_buf_putc(to, '\'');
}

static void
put_option(struct ryde_buf *to, const char *name, const char *value)
{
	if (value == NULL)
		return;
	ryde_buf_puts(to, name);
	put_shell(to, value);
}

void
ryde_window_sql_explain(const struct ryde_window_sql *s, struct ryde_buf *to)
{
	if (s->source != NULL) {
		ryde_buf_puts(to, "ryde-consume");
		put_option(to, " -g", s->group);
		put_option(to, " --from", s->from);
		put_shell(to, s->source);
		ryde_buf_puts(to, " |\n  ");
	}
	ryde_buf_puts(to, "ryde-window");
	put_option(to, " --tumble", s->tumble);
	put_option(to, " --hop", s->hop);
	put_option(to, " --cumulate", s->cumulate);
	put_option(to, " --session", s->session);
	put_option(to, " --offset", s->offset);
	put_option(to, " -t", s->time);
	put_option(to, " --lateness", s->lateness);
	for (size_t i = 0; i < s->n_by; i++)
		put_option(to, " --by", s->by[i]);
	put_option(to, " --where", s->where);
	put_option(to, " --having", s->having);
	for (size_t i = 0; i < s->n_columns; i++)
		put_shell(to, s->columns[i]);
	if (s->sink != NULL) {
		ryde_buf_puts(to, " |\n  ryde-produce");
		put_option(to, " -k", s->key);
		put_shell(to, s->sink);
	}
	ryde_buf_putc(to, '\n');
}
