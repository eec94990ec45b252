#include "aws/profiles.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* One setting. Strings are offsets into the text of all. */
struct setting {
	enum ryde_profiles_kind kind;
	size_t section, key, sub, value;
	bool has_key; /* false: only says that the section is there */
	bool has_sub;
};

struct ryde_profiles {
	struct setting *settings;
	size_t n, room;
	struct ryde_buf text; /* strings with their NULs */
};

struct ryde_profiles *
ryde_profiles_new(struct ryde_err *err)
{
	struct ryde_profiles *p = calloc(1, sizeof(*p));

	if (p == NULL)
		(void)ryde_err_nomem(err);
	else
		ryde_buf_init(&p->text, 8 * RYDE_PROFILES_BYTES_MAX);
	return p;
}

void
ryde_profiles_free(struct ryde_profiles *p)
{
	if (p == NULL)
		return;
	if (p->text.p != NULL)
		OPENSSL_cleanse(p->text.p, p->text.cap);
	ryde_buf_free(&p->text);
	free(p->settings);
	free(p);
}

/* ---- keeping ---- */

static size_t
keep(struct ryde_profiles *p, struct ryde_view v, bool lower)
{
	size_t at = p->text.n;

	ryde_buf_view(&p->text, v);
	ryde_buf_putc(&p->text, '\0');
	for (size_t i = at; lower && !p->text.failed && i < p->text.n; i++)
		if (p->text.p[i] >= 'A' && p->text.p[i] <= 'Z')
			p->text.p[i] = (char)(p->text.p[i] - 'A' + 'a');
	return at;
}

static struct setting *
add(struct ryde_profiles *p, enum ryde_profiles_kind kind, size_t section)
{
	struct setting *more;

	if (p->n == p->room) {
		size_t room = p->room > 0 ? 2 * p->room : 64;

		more = realloc(p->settings, room * sizeof(*more));
		if (more == NULL)
			return NULL;
		p->settings = more;
		p->room = room;
	}
	p->settings[p->n] = (struct setting){.kind = kind, .section = section};
	return &p->settings[p->n++];
}

/* ---- reading ---- */

struct reading {
	struct ryde_profiles *p;
	const char *file;
	size_t line;
	bool credentials;
	bool in_section;
	enum ryde_profiles_kind kind;
	size_t section;
	bool has_last;
	size_t last; /* the setting that an indented line goes on with */
};

static int
fail(const struct reading *r, const char *what, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_ECONFIG, "%s:%zu: %s", r->file, r->line, what);
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct ryde_view
trim(struct ryde_view v)
{
	while (v.n > 0 && blank(v.p[0])) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && blank(v.p[v.n - 1]))
		v.n--;
	return v;
}

/* The word in front of a section's name, if that is what it is: "profile NAME". */
static bool
takes_word(struct ryde_view *v, const char *word)
{
	size_t n = strlen(word);

	if (!ryde_view_starts(*v, word) || v->n == n || !blank(v->p[n]))
		return false;
	*v = trim(ryde_view_mem(v->p + n, v->n - n));
	return true;
}

static int
read_section(struct reading *r, struct ryde_view line, struct ryde_err *err)
{
	const char *end = memchr(line.p, ']', line.n);
	struct ryde_view name;

	if (end == NULL)
		return fail(r, "a section has no ']'", err);
	name = trim(ryde_view_mem(line.p + 1, (size_t)(end - line.p - 1)));
	r->kind = RYDE_PROFILES_CREDENTIALS_PROFILE;
	if (!r->credentials) {
		r->kind = RYDE_PROFILES_OTHER;
		if (takes_word(&name, "profile") || ryde_view_is(name, "default"))
			r->kind = RYDE_PROFILES_CONFIG_PROFILE;
		else if (takes_word(&name, "sso-session"))
			r->kind = RYDE_PROFILES_SSO_SESSION;
		else if (takes_word(&name, "services"))
			r->kind = RYDE_PROFILES_SERVICES;
	}
	if (name.n >= 2 && (name.p[0] == '"' || name.p[0] == '\'') &&
	    name.p[name.n - 1] == name.p[0])
		name = ryde_view_mem(name.p + 1, name.n - 2);
	if (name.n == 0)
		return fail(r, "a section has no name", err);
	r->section = keep(r->p, name, false);
	r->in_section = true;
	r->has_last = false;
	return add(r->p, r->kind, r->section) != NULL ? 0 : ryde_err_nomem(err);
}

/* "key = value" or "key: value": the length of the key's part, or n where it is neither.
 */
static size_t
key_length(struct ryde_view line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] == '=' || line.p[i] == ':')
			return i;
	return line.n;
}

static int
read_setting(struct reading *r, struct ryde_view line, struct ryde_err *err)
{
	size_t n = key_length(line);
	struct ryde_view key = trim(ryde_view_mem(line.p, n));
	struct setting *setting;

	if (!r->in_section)
		return fail(r, "a setting stands before the first [section]", err);
	if (n == line.n || key.n == 0)
		return fail(r, "neither a [section] nor 'key = value'", err);
	setting = add(r->p, r->kind, r->section);
	if (setting == NULL)
		return ryde_err_nomem(err);
	setting->has_key = true;
	setting->key = keep(r->p, key, true);
	setting->value =
	    keep(r->p, trim(ryde_view_mem(line.p + n + 1, line.n - n - 1)), false);
	r->has_last = true;
	r->last = r->p->n - 1;
	return 0;
}

/* An indented line: a sub-key below a key without a value, else more of the value. */
static int
read_indented(struct reading *r, struct ryde_view line, struct ryde_err *err)
{
	struct ryde_profiles *p = r->p;
	const char *equals = memchr(line.p, '=', line.n);
	struct ryde_view key;
	struct setting *sub;

	if (ryde_buf_check(&p->text, err) != 0)
		return -1;
	if (p->text.p[p->settings[r->last].value] != '\0') {
		/* the value is the last string: it grows in place, over its NUL */
		p->text.n--;
		ryde_buf_putc(&p->text, '\n');
		(void)keep(p, line, false);
		return 0;
	}
	key = trim(ryde_view_mem(line.p, equals != NULL ? (size_t)(equals - line.p) : 0));
	if (key.n == 0)
		return fail(r, "an indented line is no 'key = value'", err);
	sub = add(p, r->kind, r->section);
	if (sub == NULL)
		return ryde_err_nomem(err);
	sub->has_key = sub->has_sub = true;
	sub->key = p->settings[r->last].key;
	sub->sub = keep(p, key, true);
	sub->value = keep(p,
	    trim(ryde_view_mem(equals + 1, line.n - (size_t)(equals + 1 - line.p))),
	    false);
	return 0;
}

static int
read_line(struct reading *r, struct ryde_view line, struct ryde_err *err)
{
	bool indented = line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t');

	if (line.n > 0 && memchr(line.p, '\0', line.n) != NULL)
		return fail(r, "a NUL byte", err);
	line = trim(line);
	if (line.n == 0)
		return 0;
	if (line.p[0] == '#' || line.p[0] == ';')
		return 0;
	if (indented && r->has_last)
		return read_indented(r, line, err);
	if (line.p[0] == '[')
		return read_section(r, line, err);
	return read_setting(r, line, err);
}

int
ryde_profiles_parse(struct ryde_profiles *p, struct ryde_view text, bool credentials,
    const char *file, struct ryde_err *err)
{
	struct reading r = {.p = p, .file = file, .credentials = credentials};

	if (ryde_view_starts(text, "\xef\xbb\xbf")) {
		text.p += 3;
		text.n -= 3;
	}
	while (text.n > 0) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end != NULL ? (size_t)(end - text.p) : text.n;

		r.line++;
		if (read_line(&r, ryde_view_mem(text.p, n), err) != 0)
			return -1;
		n += end != NULL;
		text.p += n;
		text.n -= n;
	}
	return ryde_buf_check(&p->text, err);
}

int
ryde_profiles_read(
    struct ryde_profiles *p, const char *file, bool credentials, struct ryde_err *err)
{
	struct ryde_buf b;
	int rc;

	if (access(file, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	ryde_buf_init(&b, RYDE_PROFILES_BYTES_MAX);
	rc = ryde_file_read(file, &b, err);
	if (rc == 0)
		rc = ryde_profiles_parse(p, ryde_buf_as_view(&b), credentials, file, err);
	if (b.p != NULL)
		OPENSSL_cleanse(b.p, b.cap);
	ryde_buf_free(&b);
	return rc;
}

bool
ryde_profiles_file(bool credentials, char *to)
{
	const char *named = getenv(
		       credentials ? "AWS_SHARED_CREDENTIALS_FILE" : "AWS_CONFIG_FILE"),
		   *home = getenv("HOME");
	int n;

	if (named != NULL && named[0] == '~' && named[1] == '/' && home != NULL)
		n = snprintf(to, 4096, "%s%s", home, named + 1);
	else if (named != NULL && named[0] != '\0')
		n = snprintf(to, 4096, "%s", named);
	else if (home != NULL && home[0] != '\0')
		n = snprintf(
		    to, 4096, "%s/.aws/%s", home, credentials ? "credentials" : "config");
	else
		return false;
	return n > 0 && n < 4096;
}

/* ---- asking ---- */

bool
ryde_profiles_has(
    const struct ryde_profiles *p, enum ryde_profiles_kind kind, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->settings[i].kind == kind &&
		    strcmp(p->text.p + p->settings[i].section, name) == 0)
			return true;
	return false;
}

const char *
ryde_profiles_get(const struct ryde_profiles *p, enum ryde_profiles_kind kind,
    const char *name, const char *key, const char *sub)
{
	for (size_t i = p->n; i-- > 0;) {
		const struct setting *s = &p->settings[i];
		const char *text = p->text.p;

		if (s->kind == kind && s->has_key && s->has_sub == (sub != NULL) &&
		    strcmp(text + s->section, name) == 0 &&
		    strcmp(text + s->key, key) == 0 &&
		    (sub == NULL || strcmp(text + s->sub, sub) == 0))
			return text + s->value;
	}
	return NULL;
}
