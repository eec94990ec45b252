#include "engine/archive_prefix.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/timestamp.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX 1024
#define PARTS_MAX 256
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (SECOND_MS * 60)
#define HOUR_MS (MINUTE_MS * 60)
#define DAY_MS (HOUR_MS * 24)

enum part_kind {
	PART_TEXT,
	PART_TIME,
	PART_FIELD,
	PART_RANDOM,
};

struct part {
	enum part_kind kind;
	char letter;  /* PART_TIME */
	size_t count; /* how often it stands there */
	size_t at, n; /* PART_TEXT: in text */
	size_t path;  /* PART_FIELD */
};

struct ryde_archive_prefix {
	struct part parts[PARTS_MAX];
	size_t n;
	struct ryde_buf text;
	bool is_error, has_fields, has_time;
	int64_t step_ms;
};

/* ---- reading ---- */

static const char random_name[] = "random-string", error_name[] = "error-output-type";
static const char error_type[] = "processing-failed";

/* The letters of a pattern, and how long what they say stays the same. */
static const struct letter {
	char letter;
	size_t most; /* times it may stand there */
	int64_t step_ms;
} letters[] = {
    {'G', 4, DAY_MS},
    {'y', 9, DAY_MS},
    {'u', 9, DAY_MS},
    {'D', 3, DAY_MS},
    {'M', 4, DAY_MS},
    {'L', 4, DAY_MS},
    {'d', 2, DAY_MS},
    {'Q', 2, DAY_MS},
    {'q', 2, DAY_MS},
    {'E', 4, DAY_MS},
    {'a', 1, HOUR_MS},
    {'H', 2, HOUR_MS},
    {'k', 2, HOUR_MS},
    {'K', 2, HOUR_MS},
    {'h', 2, HOUR_MS},
    {'m', 2, MINUTE_MS},
    {'s', 2, SECOND_MS},
    {'S', 9, 1},
    {'A', 19, 1},
    {'z', 4, DAY_MS},
    {'Z', 3, DAY_MS},
    {'X', 3, DAY_MS},
    {'x', 3, DAY_MS},
};

static struct part *
add_part(struct ryde_archive_prefix *p, enum part_kind kind, struct ryde_err *err)
{
	if (p->n == PARTS_MAX) {
		(void)ryde_err_set(
		    err, RYDE_EUSAGE, "more than %d parts in a prefix", PARTS_MAX);
		return NULL;
	}
	p->parts[p->n] = (struct part){.kind = kind};
	return &p->parts[p->n++];
}

static int
add_text(struct ryde_archive_prefix *p, const char *s, size_t n, struct ryde_err *err)
{
	struct part *last = p->n > 0 ? &p->parts[p->n - 1] : NULL;

	for (size_t i = 0; i < n; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return ryde_err_set(
			    err, RYDE_EUSAGE, "a control character in a prefix");
	if (n == 0)
		return 0;
	if (last == NULL || last->kind != PART_TEXT) {
		last = add_part(p, PART_TEXT, err);
		if (last == NULL)
			return -1;
		last->at = p->text.n;
	}
	ryde_buf_add(&p->text, s, n);
	last->n += n;
	return ryde_buf_check(&p->text, err);
}

static int
add_letters(struct ryde_archive_prefix *p, char c, size_t count, struct ryde_err *err)
{
	struct part *part;

	if (c == 'Y')
		return ryde_err_set(err, RYDE_EUSAGE,
		    "!{timestamp:…}: Y is the year that the week belongs to, which is "
		    "another one around New Year: write y");
	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++) {
		if (letters[i].letter != c || count > letters[i].most)
			continue;
		part = add_part(p, PART_TIME, err);
		if (part == NULL)
			return -1;
		part->letter = c;
		part->count = count;
		if (letters[i].step_ms < p->step_ms)
			p->step_ms = letters[i].step_ms;
		return 0;
	}
	return ryde_err_set(err, RYDE_EUSAGE,
	    "!{timestamp:…}: '%c' %zu times means nothing here (letters: "
	    "y u M L d D Q q E G a H k K h m s S A z Z X x)",
	    c, count);
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Behind the quoted text that begins at s, which is added; NULL with err set. */
static const char *
read_quoted(struct ryde_archive_prefix *p, const char *s, struct ryde_err *err)
{
	if (s[1] == '\'')
		return add_text(p, s, 1, err) == 0 ? s + 2 : NULL;
	for (s++; *s != '\0'; s++) {
		if (*s == '\'' && s[1] != '\'')
			return s + 1;
		if (add_text(p, s, 1, err) != 0)
			return NULL;
		if (*s == '\'')
			s++;
	}
	(void)ryde_err_set(
	    err, RYDE_EUSAGE, "!{timestamp:…}: a single quote that is not closed");
	return NULL;
}

/* Reads a pattern up to its closing brace; NULL with err set. */
static const char *
read_pattern(struct ryde_archive_prefix *p, const char *s, struct ryde_err *err)
{
	p->has_time = true;
	while (*s != '\0' && *s != '}') {
		size_t count = 1;

		if (*s == '\'') {
			s = read_quoted(p, s, err);
			if (s == NULL)
				return NULL;
			continue;
		}
		if (strchr("{[]#", *s) != NULL) {
			(void)ryde_err_set(err, RYDE_EUSAGE,
			    "!{timestamp:…}: '%c' must stand in single quotes", *s);
			return NULL;
		}
		if (!is_letter(*s)) {
			if (add_text(p, s, 1, err) != 0)
				return NULL;
			s++;
			continue;
		}
		while (s[count] == *s)
			count++;
		if (add_letters(p, *s, count, err) != 0)
			return NULL;
		s += count;
	}
	return s;
}

/* The closing brace of a field's path; what stands in double quotes does not count. */
static const char *
end_of_path(const char *s)
{
	bool quoted = false;

	for (; *s != '\0' && (quoted || *s != '}'); s++) {
		if (quoted && *s == '\\' && s[1] != '\0')
			s++;
		else if (*s == '"')
			quoted = !quoted;
	}
	return s;
}

static const char *
read_field(struct ryde_archive_prefix *p, struct ryde_json_paths *paths, const char *s,
    struct ryde_err *err)
{
	const char *end = end_of_path(s);
	struct part *part;
	struct ryde_buf path;

	if (p->is_error) {
		(void)ryde_err_set(err, RYDE_EUSAGE,
		    "!{field:…}: what is stored there may have no fields");
		return NULL;
	}
	part = add_part(p, PART_FIELD, err);
	if (part == NULL)
		return NULL;
	ryde_buf_init(&path, TEXT_MAX);
	ryde_buf_add(&path, s, (size_t)(end - s));
	if (ryde_json_paths_add(paths, ryde_buf_str(&path), &part->path, err) != 0) {
		(void)ryde_err_prefix(err, "!{field:…}");
		end = NULL;
	}
	ryde_buf_free(&path);
	p->has_fields = true;
	return end;
}

static bool
takes(const char **s, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*s, word, n) != 0)
		return false;
	*s += n;
	return true;
}

/* Reads an expression, s behind its `!{`; NULL with err set, else its closing brace. */
static const char *
read_expression(struct ryde_archive_prefix *p, struct ryde_json_paths *paths,
    const char *s, struct ryde_err *err)
{
	const char *at = s;

	if (takes(&s, "timestamp:"))
		return read_pattern(p, s, err);
	if (takes(&s, "field:"))
		return read_field(p, paths, s, err);
	if (takes(&s, "ryde:") || takes(&s, "firehose:")) {
		if (takes(&s, random_name))
			return add_part(p, PART_RANDOM, err) != NULL ? s : NULL;
		if (p->is_error && takes(&s, error_name))
			return add_text(p, error_type, strlen(error_type), err) == 0
				   ? s
				   : NULL;
	}
	(void)ryde_err_set(err, RYDE_EUSAGE,
	    "'!{%.40s' is no expression: !{timestamp:…}, !{field:.NAME} or "
	    "!{ryde:random-string} is%s",
	    at, p->is_error ? ", and !{ryde:error-output-type}" : "");
	return NULL;
}

static int
read_all(struct ryde_archive_prefix *p, struct ryde_json_paths *paths, const char *s,
    struct ryde_err *err)
{
	while (*s != '\0') {
		const char *next = strstr(s, "!{");
		size_t n = next != NULL ? (size_t)(next - s) : strlen(s);

		if (add_text(p, s, n, err) != 0)
			return -1;
		if (next == NULL)
			break;
		s = read_expression(p, paths, next + 2, err);
		if (s == NULL)
			return -1;
		if (*s != '}')
			return ryde_err_set(err, RYDE_EUSAGE,
			    "an expression is not closed at '%.40s'", s);
		s++;
	}
	if (!p->has_time && read_pattern(p, "yyyy/MM/dd/HH/", err) == NULL)
		return -1;
	return 0;
}

struct ryde_archive_prefix *
ryde_archive_prefix_new(
    const char *text, bool is_error, struct ryde_json_paths *paths, struct ryde_err *err)
{
	struct ryde_archive_prefix *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	p->is_error = is_error;
	p->step_ms = DAY_MS;
	ryde_buf_init(&p->text, TEXT_MAX * 2);
	if (strlen(text) > TEXT_MAX)
		(void)ryde_err_set(
		    err, RYDE_EUSAGE, "a prefix of more than %d bytes", TEXT_MAX);
	else if (read_all(p, paths, text, err) == 0)
		return p;
	ryde_archive_prefix_free(p);
	return NULL;
}

void
ryde_archive_prefix_free(struct ryde_archive_prefix *p)
{
	if (p == NULL)
		return;
	ryde_buf_free(&p->text);
	free(p);
}

bool
ryde_archive_prefix_has_fields(const struct ryde_archive_prefix *p)
{
	return p->has_fields;
}

int64_t
ryde_archive_prefix_step_ms(const struct ryde_archive_prefix *p)
{
	return p->step_ms;
}

/* ---- writing ---- */

/* A number with at least `count` digits. */
static void
put_number(struct ryde_buf *out, int64_t v, size_t count)
{
	ryde_buf_printf(out, "%0*lld", (int)count, (long long)v);
}

static int64_t
day_number(int64_t at_ms)
{
	return at_ms / DAY_MS - (at_ms % DAY_MS < 0);
}

static int
day_of_year(const struct ryde_civil *c)
{
	static const int before[] = {
	    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
	bool leap = (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;

	return before[c->month - 1] + c->day + (leap && c->month > 2);
}

static void
put_month(struct ryde_buf *out, int month, size_t count)
{
	static const char *const names[] = {"January", "February", "March", "April",
	    "May", "June", "July", "August", "September", "October", "November",
	    "December"};

	if (count < 3)
		put_number(out, month, count);
	else
		ryde_buf_printf(out, "%.*s", count == 3 ? 3 : 9, names[month - 1]);
}

static void
put_weekday(struct ryde_buf *out, int64_t at_ms, size_t count)
{
	/* the epoch was a Thursday */
	static const char *const names[] = {
	    "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"};
	int64_t day = day_number(at_ms) % 7;

	ryde_buf_printf(out, "%.*s", count < 4 ? 3 : 9, names[day < 0 ? day + 7 : day]);
}

/* yy is the century's year, any other count pads. */
static void
put_year(struct ryde_buf *out, int64_t year, size_t count)
{
	if (count == 2)
		put_number(out, ((year % 100) + 100) % 100, 2);
	else
		put_number(out, year, count);
}

static void
put_fraction(struct ryde_buf *out, int ms, size_t count)
{
	char digits[10] = "000000000";

	digits[0] = (char)('0' + ms / 100);
	digits[1] = (char)('0' + ms / 10 % 10);
	digits[2] = (char)('0' + ms % 10);
	ryde_buf_add(out, digits, count);
}

static void
put_zone(struct ryde_buf *out, char letter, size_t count)
{
	if (letter == 'z')
		ryde_buf_puts(out, count < 4 ? "UTC" : "Coordinated Universal Time");
	else if (letter == 'X')
		ryde_buf_puts(out, "Z");
	else if (letter == 'x')
		ryde_buf_puts(out, count == 1 ? "+00" : count == 2 ? "+0000" : "+00:00");
	else
		ryde_buf_puts(out, "+0000");
}

static void
put_time(
    struct ryde_buf *out, const struct part *t, int64_t at_ms, const struct ryde_civil *c)
{
	switch (t->letter) {
	case 'y':
	case 'u':
		put_year(out, c->year, t->count);
		break;
	case 'M':
	case 'L':
		put_month(out, c->month, t->count);
		break;
	case 'd':
		put_number(out, c->day, t->count);
		break;
	case 'D':
		put_number(out, day_of_year(c), t->count);
		break;
	case 'Q':
	case 'q':
		put_number(out, (c->month + 2) / 3, t->count);
		break;
	case 'E':
		put_weekday(out, at_ms, t->count);
		break;
	case 'G':
		ryde_buf_puts(out, t->count < 4 ? "AD" : "Anno Domini");
		break;
	case 'a':
		ryde_buf_puts(out, c->hour < 12 ? "AM" : "PM");
		break;
	case 'H':
		put_number(out, c->hour, t->count);
		break;
	case 'k':
		put_number(out, c->hour == 0 ? 24 : c->hour, t->count);
		break;
	case 'K':
		put_number(out, c->hour % 12, t->count);
		break;
	case 'h':
		put_number(out, (c->hour + 11) % 12 + 1, t->count);
		break;
	case 'm':
		put_number(out, c->minute, t->count);
		break;
	case 's':
		put_number(out, c->second, t->count);
		break;
	case 'S':
		put_fraction(out, c->ms, t->count);
		break;
	case 'A':
		put_number(out, at_ms - day_number(at_ms) * DAY_MS, t->count);
		break;
	default:
		put_zone(out, t->letter, t->count);
		break;
	}
}

static bool
begins_folder(const struct ryde_buf *out, size_t from)
{
	return out->n == from || out->p[out->n - 1] == '/';
}

/* Bytes of a field, so that they can neither end a folder's name nor hide it. */
static void
put_escaped(struct ryde_buf *out, size_t from, struct ryde_view v)
{
	for (size_t i = 0; i < v.n; i++) {
		unsigned char c = (unsigned char)v.p[i];

		if (c < 0x20 || c == 0x7f || strchr("\"#%'*\\/:=?{[]^", c) != NULL ||
		    ((c == '.' || c == '_') && begins_folder(out, from)))
			ryde_buf_printf(out, "%%%02X", c);
		else
			ryde_buf_putc(out, (char)c);
	}
}

static const char *
put_field(struct ryde_buf *out, size_t from, const struct ryde_json_value *v)
{
	struct ryde_buf text;

	switch (v->kind) {
	case RYDE_JSON_NUMBER:
	case RYDE_JSON_TRUE:
	case RYDE_JSON_FALSE:
		put_escaped(out, from, v->text);
		return NULL;
	case RYDE_JSON_STRING:
		break;
	case RYDE_JSON_ABSENT:
	case RYDE_JSON_NULL:
		return "a field of the prefix is missing";
	case RYDE_JSON_ARRAY:
	case RYDE_JSON_OBJECT:
	default:
		return "a field of the prefix is an array or an object";
	}
	if (v->text.n == 0)
		return "a field of the prefix is empty";
	if (!v->escaped) {
		put_escaped(out, from, v->text);
		return NULL;
	}
	ryde_buf_init(&text, RYDE_ARCHIVE_PREFIX_MAX);
	ryde_json_string_decode(&text, v->text);
	put_escaped(out, from, ryde_buf_as_view(&text));
	from = text.failed;
	ryde_buf_free(&text);
	return from ? "a field of the prefix is too long" : NULL;
}

/* NULL where what begins at s can be folders and the beginning of a name. */
static const char *
check_folders(const char *s, size_t n)
{
	const char *end = s + n;

	if (n > RYDE_ARCHIVE_PREFIX_MAX)
		return "the prefix becomes longer than 512 bytes";
	while (s < end) {
		const char *slash = memchr(s, '/', (size_t)(end - s));
		size_t part = (size_t)((slash != NULL ? slash : end) - s);

		if (part > (slash != NULL ? 255u : 40u))
			return slash != NULL
				   ? "a folder of the prefix is longer than 255 bytes"
				   : "the prefix ends in more than 40 bytes without a "
				     "slash";
		if (slash == NULL)
			break;
		if (part == 0)
			return "the prefix has a folder without a name";
		if (s[0] == '.' && (part == 1 || (part == 2 && s[1] == '.')))
			return "the prefix has a folder called . or ..";
		s = slash + 1;
	}
	return NULL;
}

const char *
ryde_archive_prefix_put(const struct ryde_archive_prefix *p, int64_t at_ms,
    const struct ryde_json_value *values, struct ryde_buf *out)
{
	struct ryde_civil civil = ryde_timestamp_civil(at_ms);
	const char *wrong = NULL;
	size_t from = out->n;

	for (size_t i = 0; i < p->n && wrong == NULL; i++) {
		const struct part *t = &p->parts[i];

		switch (t->kind) {
		case PART_TEXT:
			ryde_buf_add(out, p->text.p + t->at, t->n);
			break;
		case PART_TIME:
			put_time(out, t, at_ms, &civil);
			break;
		case PART_FIELD:
			wrong = put_field(out, from, &values[t->path]);
			break;
		case PART_RANDOM:
			ryde_buf_putc(out, RYDE_ARCHIVE_PREFIX_RANDOM);
			break;
		}
	}
	if (wrong == NULL && !out->failed && out->n > from)
		wrong = check_folders(out->p + from, out->n - from);
	if (wrong != NULL)
		out->n = from;
	return wrong;
}
