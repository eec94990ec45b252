#include "base/buf.h"
#include "base/capture.h"
#include "base/err.h"
#include "engine/policy.h"
#include "engine/policy_need.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 256
#define HELP_MAX 65536
#define HELP_TIMEOUT_MS 10000

const char *
ryde_policy_option(const struct ryde_policy_stage *stage, const char *name)
{
	for (int i = 0; i < stage->n_options; i++)
		if (strcmp(stage->options[i].name, name) == 0)
			return stage->options[i].value;
	return NULL;
}

/* ---- what --help says of an option ---- */

/* One line of it: "  -k, --key PATH   …". */
struct option {
	char letter; /* '\0': it has none */
	char name[40];
	bool takes_value;
};

static bool
read_option(struct ryde_view line, struct option *o)
{
	const char *p = line.p, *end = p + line.n;
	size_t n = 0;

	if (line.n < 8 || p[0] != ' ' || p[1] != ' ')
		return false;
	o->letter = p[2] == '-' && p[3] != '-' && p[4] == ',' ? p[3] : '\0';
	p += o->letter != '\0' ? 5 : 2;
	while (p < end && *p == ' ')
		p++;
	if (end - p < 3 || p[0] != '-' || p[1] != '-')
		return false;
	for (p += 2; p < end && *p != ' ' && n + 1 < sizeof(o->name); p++)
		o->name[n++] = *p;
	o->name[n] = '\0';
	o->takes_value = end - p > 1 && p[0] == ' ' && p[1] != ' ';
	return n > 0;
}

/* The option of this name, or of this letter where name is empty. */
static bool
find_option(struct ryde_view help, struct ryde_view name, char letter, struct option *o)
{
	while (help.n > 0) {
		const char *end = memchr(help.p, '\n', help.n);
		size_t n = end != NULL ? (size_t)(end - help.p) : help.n;

		if (read_option(ryde_view_mem(help.p, n), o) &&
		    (name.n > 0 ? ryde_view_is(name, o->name) : o->letter == letter))
			return true;
		n += end != NULL;
		help.p += n;
		help.n -= n;
	}
	return false;
}

/* ---- one stage ---- */

struct reading {
	struct ryde_policy_stage stage;
	struct ryde_view help;
	struct ryde_buf names; /* of its options, each with its NUL: room for all of them
				  from the first */
	char *const *command;  /* what stands behind -- */
	size_t n_command;
};

static int
unknown(const struct reading *r, const char *word, struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_EUSAGE, "%s has no option %s (see %s --help)",
	    r->stage.program, word, r->stage.program);
}

static int
set_option(
    struct reading *r, const struct option *o, const char *value, struct ryde_err *err)
{
	int max = (int)(sizeof(r->stage.options) / sizeof(r->stage.options[0]));

	if (r->stage.n_options == max)
		return ryde_err_set(err, RYDE_EUSAGE, "%s with more than %d options",
		    r->stage.program, max);
	r->stage.options[r->stage.n_options].name = r->names.p + r->names.n;
	r->stage.options[r->stage.n_options++].value = value;
	ryde_buf_add(&r->names, o->name, strlen(o->name) + 1);
	return ryde_buf_check(&r->names, err);
}

/* "--name", "--name=value", "--name value": how many words it took, -1 with err. */
static int
read_long(struct reading *r, char *const *words, size_t n, struct ryde_err *err)
{
	const char *equals = strchr(words[0], '='), *name = words[0] + 2, *value = "";
	struct option o;

	if (!find_option(r->help,
		equals != NULL ? ryde_view_mem(name, (size_t)(equals - name))
			       : ryde_view_of(name),
		'\0', &o))
		return unknown(r, words[0], err);
	if (o.takes_value && equals == NULL && n < 2)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "%s: %s needs a value", r->stage.program, words[0]);
	if (o.takes_value)
		value = equals != NULL ? equals + 1 : words[1];
	if (set_option(r, &o, value, err) != 0)
		return -1;
	return o.takes_value && equals == NULL ? 2 : 1;
}

/* "-n value", "-nvalue", "-qv". */
static int
read_letters(struct reading *r, char *const *words, size_t n, struct ryde_err *err)
{
	for (const char *p = words[0] + 1; *p != '\0'; p++) {
		struct option o;

		if (!find_option(r->help, ryde_view_mem(NULL, 0), *p, &o))
			return unknown(r, words[0], err);
		if (!o.takes_value) {
			if (set_option(r, &o, "", err) != 0)
				return -1;
			continue;
		}
		if (p[1] == '\0' && n < 2)
			return ryde_err_set(err, RYDE_EUSAGE, "%s: -%c needs a value",
			    r->stage.program, *p);
		if (set_option(r, &o, p[1] != '\0' ? p + 1 : words[1], err) != 0)
			return -1;
		return p[1] != '\0' ? 1 : 2;
	}
	return 1;
}

static int
read_words(struct reading *r, char *const *words, size_t n, struct ryde_err *err)
{
	size_t max = sizeof(r->stage.operands) / sizeof(r->stage.operands[0]);

	for (size_t i = 0; i < n;) {
		int took = 1;

		if (strcmp(words[i], "--") == 0) {
			r->command = words + i + 1;
			r->n_command = n - i - 1;
			return 0;
		}
		if (strncmp(words[i], "--", 2) == 0)
			took = read_long(r, words + i, n - i, err);
		else if (words[i][0] == '-' && words[i][1] != '\0')
			took = read_letters(r, words + i, n - i, err);
		else if ((size_t)r->stage.n_operands < max)
			r->stage.operands[r->stage.n_operands++] = words[i];
		if (took < 0)
			return -1;
		i += (size_t)took;
	}
	return 0;
}

static int read_stages(
    struct ryde_policy *p, char *const *words, size_t n, struct ryde_err *err);

static int
read_stage(struct ryde_policy *p, char *const *words, size_t n, struct ryde_err *err)
{
	const char *slash = strrchr(words[0], '/');
	char *const ask[] = {words[0], (char[]){"--help"}, NULL};
	struct reading r = {.stage = {.program = slash != NULL ? slash + 1 : words[0]}};
	struct ryde_buf help;
	int rc = -1;

	ryde_buf_init(&help, HELP_MAX);
	ryde_buf_init(&r.names, 8192);
	if (ryde_capture_run(ask, HELP_TIMEOUT_MS, &help, err) != 0) {
		err->code = RYDE_EUSAGE;
		(void)ryde_err_prefix(err, "cannot ask %s for its options", words[0]);
		goto out;
	}
	r.help = ryde_buf_as_view(&help);
	if (ryde_buf_room(&r.names, 8192) == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	if (read_words(&r, words + 1, n - 1, err) == 0)
		rc = ryde_policy_rules(p, &r.stage, err);
	/* what ryde-process runs has the same credentials */
	if (rc == 0 && r.n_command > 0)
		rc = read_stages(p, r.command, r.n_command, err) < 0 ? -1 : 0;
out:
	ryde_buf_free(&help);
	ryde_buf_free(&r.names);
	return rc;
}

/* ---- the command line ---- */

static bool
is_ours(const char *word)
{
	const char *slash = strrchr(word, '/');

	return strncmp(slash != NULL ? slash + 1 : word, "ryde-", 5) == 0;
}

/* True for what parts commands. */
static bool
parts(const char *word)
{
	static const char *const separators[] = {"|", "||", "&&", ";", "&"};

	for (size_t i = 0; i < sizeof(separators) / sizeof(separators[0]); i++)
		if (strcmp(word, separators[i]) == 0)
			return true;
	return false;
}

/* VAR=value in front of a command. */
static bool
sets_variable(const char *word)
{
	size_t n = strspn(
	    word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	return n > 0 && word[n] == '=';
}

/* How many programs of ours it has found; -1 with err. */
static int
read_stages(struct ryde_policy *p, char *const *words, size_t n, struct ryde_err *err)
{
	int found = 0;

	for (size_t from = 0; from < n;) {
		size_t end = from;

		while (end < n && !parts(words[end]))
			end++;
		while (from < end && sets_variable(words[from]))
			from++;
		if (from < end && is_ours(words[from])) {
			found++;
			if (read_stage(p, words + from, end - from, err) != 0)
				return -1;
		}
		from = end + 1;
	}
	return found;
}

/* One text: its pipes apart from its words, outside of quotes. */
static char *
spaced(const char *text)
{
	char *out = malloc(3 * strlen(text) + 1), *to = out, quote = '\0';

	if (out == NULL)
		return NULL;
	for (; *text != '\0'; text++) {
		bool parting = quote == '\0' && (*text == '|' || *text == ';' ||
						    *text == '&' || *text == '\n');

		if (quote == '\0' && (*text == '\'' || *text == '"'))
			quote = *text;
		else if (*text == quote)
			quote = '\0';
		if (parting)
			*to++ = ' ';
		*to++ = *text == '\n' ? ';' : *text;
		if (parting)
			*to++ = ' ';
	}
	*to = '\0';
	return out;
}

int
ryde_policy_read(
    struct ryde_policy *p, char *const *words, size_t n, struct ryde_err *err)
{
	bool one = n == 1 && strpbrk(words[0], " \t|") != NULL;
	char *text = NULL, *parted[WORDS_MAX];
	int count = 0, found = -1;

	if (one) {
		text = spaced(words[0]);
		if (text == NULL)
			return ryde_err_nomem(err);
		count = ryde_capture_words(text, parted, WORDS_MAX);
	}
	if (count < 0)
		(void)ryde_err_set(
		    err, RYDE_EUSAGE, "a quote has no end, or there are too many words");
	else
		found =
		    read_stages(p, one ? parted : words, one ? (size_t)count : n, err);
	free(text);
	if (found == 0)
		return ryde_err_set(
		    err, RYDE_EUSAGE, "no program of ryde's is in this command line");
	return found > 0 ? 0 : -1;
}
