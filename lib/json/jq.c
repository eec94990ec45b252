#include "json/jq.h"

#include "base/buf.h"
#include "base/err.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#include <dlfcn.h>
#include <jq.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/*
 * Functions of libjq consume the jv they are given, except jv_get_kind, jv_string_value
 * and jv_copy. Ours do not say so again: a jv is freed or handed on exactly once.
 */

/* What of libjq is used. Loading it costs a millisecond, compiling a program ten: not
 * done until it must be. */
#define LIBJQ_FUNCTIONS(X)        \
	X(jq_init)                \
	X(jq_teardown)            \
	X(jq_set_error_cb)        \
	X(jq_compile)             \
	X(jq_start)               \
	X(jq_next)                \
	X(jq_halted)              \
	X(jq_get_exit_code)       \
	X(jq_get_error_message)   \
	X(jv_parse_sized)         \
	X(jv_dump_string)         \
	X(jv_free)                \
	X(jv_copy)                \
	X(jv_equal)               \
	X(jv_identical)           \
	X(jv_get_kind)            \
	X(jv_invalid)             \
	X(jv_invalid_get_msg)     \
	X(jv_string_value)        \
	X(jv_string_length_bytes) \
	X(jv_number_value)

static struct {
	void *handle;
#define DECLARE(name) __typeof__(name) *name;
	LIBJQ_FUNCTIONS(DECLARE)
#undef DECLARE
} libjq;

struct ryde_jq {
	char *program;
	/* A plain path: its chain of parents and itself, one value for each. NULL for
	 * other programs. */
	struct ryde_json_paths *chain;
	struct ryde_json_value *values;
	jq_state *state; /* NULL until libjq is needed */
	jv input;	 /* jv_invalid between texts */
	bool has_input;
	struct ryde_view text;
	enum { IDLE, PATH, RUNNING } stage;
	char complaint[256]; /* of the compiler: its first line */
};

static int
load(struct ryde_err *err)
{
	void *symbol;

	if (libjq.handle != NULL)
		return 0;
	libjq.handle = dlopen("libjq.so.1", RTLD_NOW | RTLD_LOCAL);
	if (libjq.handle == NULL)
		return ryde_err_set(
		    err, RYDE_EUNAVAILABLE, "jq programs need libjq: %s", dlerror());
		/* ISO C has no conversion from an object's address to a function's; POSIX
		 * promises that the bytes fit. */
#define RESOLVE(name)                        \
	symbol = dlsym(libjq.handle, #name); \
	if (symbol == NULL)                  \
		goto missing;                \
	memcpy(&libjq.name, &symbol, sizeof(symbol));
	LIBJQ_FUNCTIONS(RESOLVE)
#undef RESOLVE
	return 0;
missing:
	dlclose(libjq.handle);
	libjq.handle = NULL;
	return ryde_err_set(err, RYDE_EUNAVAILABLE, "this libjq lacks what jq 1.6 has");
}

/* Keeps the first line that the compiler says, without what it puts in front of each. */
static void
on_complaint(void *arg, jv message)
{
	struct ryde_jq *jq = arg;
	const char *text = "";
	size_t n;

	if (libjq.jv_get_kind(message) == JV_KIND_STRING)
		text = libjq.jv_string_value(message);
	if (strncmp(text, "jq: error: ", 11) == 0)
		text += 11;
	n = strcspn(text, "\n");
	if (n >= sizeof(jq->complaint))
		n = sizeof(jq->complaint) - 1;
	if (jq->complaint[0] == '\0') {
		memcpy(jq->complaint, text, n);
		jq->complaint[n] = '\0';
	}
	libjq.jv_free(message);
}

static int
compile(struct ryde_jq *jq, struct ryde_err *err)
{
	if (jq->state != NULL)
		return 0;
	if (load(err) != 0)
		return -1;
	jq->state = libjq.jq_init();
	if (jq->state == NULL)
		return ryde_err_nomem(err);
	libjq.jq_set_error_cb(jq->state, on_complaint, jq);
	jq->complaint[0] = '\0';
	if (libjq.jq_compile(jq->state, jq->program))
		return 0;
	libjq.jq_teardown(&jq->state);
	jq->state = NULL;
	return ryde_err_set(err, RYDE_EUSAGE, "jq program: %s",
	    jq->complaint[0] != '\0' ? jq->complaint : "it does not compile");
}

/* Makes jq->chain where the program is a plain path; leaves NULL where it is not. -1
 * without memory. */
static int
compile_path(struct ryde_jq *jq, struct ryde_err *err)
{
	struct ryde_err not_a_path = RYDE_ERR_INIT;

	jq->chain = ryde_json_paths_new();
	if (jq->chain == NULL)
		return ryde_err_nomem(err);
	if (ryde_json_paths_add_chain(jq->chain, jq->program, &not_a_path) != 0) {
		ryde_json_paths_free(jq->chain);
		jq->chain = NULL;
		return 0;
	}
	jq->values = calloc(ryde_json_paths_count(jq->chain), sizeof(*jq->values));
	return jq->values != NULL ? 0 : ryde_err_nomem(err);
}

struct ryde_jq *
ryde_jq_new(const char *program, struct ryde_err *err)
{
	struct ryde_jq *jq = calloc(1, sizeof(*jq));

	if (jq == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	jq->program = strdup(program);
	if (jq->program == NULL) {
		(void)ryde_err_nomem(err);
		goto out;
	}
	if (compile_path(jq, err) != 0 || (jq->chain == NULL && compile(jq, err) != 0))
		goto out;
	return jq;
out:
	ryde_jq_free(jq);
	return NULL;
}

static void
drop_input(struct ryde_jq *jq)
{
	if (jq->has_input)
		libjq.jv_free(jq->input);
	jq->has_input = false;
	jq->stage = IDLE;
}

void
ryde_jq_free(struct ryde_jq *jq)
{
	if (jq == NULL)
		return;
	drop_input(jq);
	if (jq->state != NULL)
		libjq.jq_teardown(&jq->state);
	ryde_json_paths_free(jq->chain);
	free(jq->values);
	free(jq->program);
	free(jq);
}

/* Sets err from a message of jq's, which is a string, or any value that the program
 * raised. */
static int
raise_message(jv message, const char *where, struct ryde_err *err)
{
	bool text = libjq.jv_get_kind(message) == JV_KIND_STRING;
	const char *s, *rest;

	if (libjq.jv_get_kind(message) == JV_KIND_INVALID)
		return ryde_err_set(err, RYDE_EDATA, "%sno message", where);
	if (!text)
		message = libjq.jv_dump_string(message, 0);
	s = libjq.jv_string_value(message);
	/* jq appends the whole text that it could not read. */
	rest = strstr(s, " (while parsing ");
	(void)ryde_err_set(err, RYDE_EDATA, "%s%s%.*s", where,
	    text ? "" : " (not a string): ", rest != NULL ? (int)(rest - s) : 400, s);
	libjq.jv_free(message);
	return -1;
}

static int
start_libjq(struct ryde_jq *jq, struct ryde_err *err)
{
	if (compile(jq, err) != 0)
		return -1;
	if (jq->text.n > INT_MAX)
		return ryde_err_set(err, RYDE_EDATA, "the text is too long for jq");
	jq->input = libjq.jv_parse_sized(jq->text.p, (int)jq->text.n);
	if (libjq.jv_get_kind(jq->input) == JV_KIND_INVALID)
		return raise_message(
		    libjq.jv_invalid_get_msg(jq->input), "jq cannot read this: ", err);
	jq->has_input = true;
	libjq.jq_start(jq->state, libjq.jv_copy(jq->input), 0);
	jq->stage = RUNNING;
	return 0;
}

/* True where the plain path's value, or jq's null for what is not there, is known without
 * jq. */
static bool
path_is_known(const struct ryde_jq *jq)
{
	size_t n = ryde_json_paths_count(jq->chain), i = 0;
	enum ryde_json_kind parent;

	while (i < n && jq->values[i].kind != RYDE_JSON_ABSENT)
		i++;
	if (i == n || i == 0)
		return true;
	parent = jq->values[i - 1].kind;
	return parent == RYDE_JSON_NULL ||
	       parent == (ryde_json_paths_is_index(jq->chain, i) ? RYDE_JSON_ARRAY
								 : RYDE_JSON_OBJECT);
}

int
ryde_jq_start(struct ryde_jq *jq, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_json_fault fault;

	drop_input(jq);
	jq->text = text;
	if (jq->chain == NULL)
		return start_libjq(jq, err);
	if (ryde_json_find(text, jq->chain, jq->values, &fault) != 0)
		return ryde_err_set(
		    err, RYDE_EDATA, "%s at byte %zu", fault.what, fault.at + 1);
	if (!path_is_known(jq))
		return start_libjq(jq, err);
	jq->stage = PATH;
	return 0;
}

static int
next_of_path(struct ryde_jq *jq, struct ryde_buf *out, struct ryde_err *err)
{
	const struct ryde_json_value *v =
	    &jq->values[ryde_json_paths_count(jq->chain) - 1];

	jq->stage = IDLE;
	if (v->kind == RYDE_JSON_ABSENT)
		ryde_buf_puts(out, "null");
	else if (v->kind == RYDE_JSON_STRING) /* its quotes lie around it */
		ryde_buf_add(out, v->text.p - 1, v->text.n + 2);
	else
		ryde_buf_view(out, v->text);
	return ryde_buf_check(out, err) == 0 ? 1 : -1;
}

/* The text without the blanks around it. */
static struct ryde_view
trim(struct ryde_view v)
{
	static const char blanks[] = " \t\r\n";

	while (v.n > 0 && memchr(blanks, v.p[0], 4) != NULL) {
		v.p++;
		v.n--;
	}
	while (v.n > 0 && memchr(blanks, v.p[v.n - 1], 4) != NULL)
		v.n--;
	return v;
}

/*
 * True where an output is the input. jq hands an untouched input on as the same object,
 * which is seen at once; else the two are compared. A number that the program changed by
 * less than a double can tell is taken for unchanged.
 */
static bool
is_input(const struct ryde_jq *jq, jv output)
{
	if (libjq.jv_get_kind(output) != libjq.jv_get_kind(jq->input))
		return false;
	return libjq.jv_identical(libjq.jv_copy(output), libjq.jv_copy(jq->input)) ||
	       libjq.jv_equal(libjq.jv_copy(output), libjq.jv_copy(jq->input));
}

/* The program has no more outputs: it is done, was halted, or raised an error, which
 * `last` then holds. */
static int
end_of_outputs(struct ryde_jq *jq, jv last, struct ryde_err *err)
{
	jv message, status;
	bool failed;

	drop_input(jq);
	if (!libjq.jq_halted(jq->state)) {
		message = libjq.jv_invalid_get_msg(last);
		if (libjq.jv_get_kind(message) != JV_KIND_NULL)
			return raise_message(message, "jq: ", err);
		libjq.jv_free(message);
		return 0;
	}
	libjq.jv_free(last);
	status = libjq.jq_get_exit_code(jq->state);
	message = libjq.jq_get_error_message(jq->state);
	failed = libjq.jv_get_kind(status) == JV_KIND_NUMBER &&
		 libjq.jv_number_value(status) != 0;
	libjq.jv_free(status);
	/* jq 1.6 frees the message of a halt again at each later start: this state has
	 * had its day. */
	libjq.jq_teardown(&jq->state);
	if (failed)
		return raise_message(message, "jq: halted: ", err);
	libjq.jv_free(message);
	return 0;
}

static int
next_of_libjq(struct ryde_jq *jq, struct ryde_buf *out, struct ryde_err *err)
{
	jv output = libjq.jq_next(jq->state), text;

	if (libjq.jv_get_kind(output) == JV_KIND_INVALID)
		return end_of_outputs(jq, output, err);
	if (is_input(jq, output)) {
		libjq.jv_free(output);
		ryde_buf_view(out, trim(jq->text));
	} else {
		text = libjq.jv_dump_string(output, 0);
		ryde_buf_add(out, libjq.jv_string_value(text),
		    (size_t)libjq.jv_string_length_bytes(libjq.jv_copy(text)));
		libjq.jv_free(text);
	}
	if (ryde_buf_check(out, err) == 0)
		return 1;
	drop_input(jq);
	return -1;
}

int
ryde_jq_next(struct ryde_jq *jq, struct ryde_buf *out, struct ryde_err *err)
{
	ryde_buf_clear(out);
	switch (jq->stage) {
	case PATH:
		return next_of_path(jq, out, err);
	case RUNNING:
		return next_of_libjq(jq, out, err);
	case IDLE:
		break;
	}
	return 0;
}
