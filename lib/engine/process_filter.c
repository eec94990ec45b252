#include "engine/process_filter.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "engine/process_batch.h"
#include "engine/process_event.h"
#include "json/pattern.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/envelope.h"

#include <stdlib.h>

#define FILE_MAX ((size_t)1 << 20)

struct ryde_process_filter {
	struct {
		struct ryde_json_pattern *pattern;
		bool data; /* it asks for data */
	} filters[RYDE_PROCESS_FILTER_MAX];
	size_t n;
	struct ryde_buf text; /* of a record, as patterns see it */
};

void
ryde_process_filter_free(struct ryde_process_filter *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i < f->n; i++)
		ryde_json_pattern_free(f->filters[i].pattern);
	ryde_buf_free(&f->text);
	free(f);
}

static int
add_pattern(struct ryde_process_filter *f, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_json_pattern *p;
	bool object;

	if (f->n == RYDE_PROCESS_FILTER_MAX)
		return ryde_err_set(
		    err, RYDE_ECONFIG, "more than %d filters", RYDE_PROCESS_FILTER_MAX);
	if (text.n > RYDE_PROCESS_FILTER_PATTERN_MAX)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "a pattern of %zu bytes is longer than %d", text.n,
		    RYDE_PROCESS_FILTER_PATTERN_MAX);
	p = ryde_json_pattern_new(text, err);
	if (p == NULL)
		return -1;
	f->filters[f->n].data = ryde_json_pattern_names(p, "data", &object);
	f->filters[f->n++].pattern = p;
	if (!object)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "invalid filter pattern definition: data takes an object");
	return 0;
}

static int
add_filter(struct ryde_process_filter *f, const struct ryde_json_value *filter,
    struct ryde_err *err)
{
	struct ryde_json_value key, v, pattern = {.kind = RYDE_JSON_ABSENT};
	struct ryde_json_walk w;
	struct ryde_buf plain;
	int r;

	if (filter->kind == RYDE_JSON_OBJECT && ryde_json_walk_begin(&w, filter->text)) {
		while (ryde_json_walk_next(&w, &key, &v)) {
			if (ryde_view_is(key.text, "Pattern"))
				pattern = v;
		}
	}
	if (pattern.kind == RYDE_JSON_OBJECT)
		return add_pattern(f, pattern.text, err);
	if (pattern.kind != RYDE_JSON_STRING)
		return ryde_err_set(err, RYDE_ECONFIG,
		    "a filter must be {\"Pattern\":\"…\"}, a string or an object");
	ryde_buf_init(&plain, pattern.text.n + 1);
	ryde_json_string_decode(&plain, pattern.text);
	r = ryde_buf_check(&plain, err);
	if (r == 0)
		r = add_pattern(f, ryde_buf_as_view(&plain), err);
	ryde_buf_free(&plain);
	return r;
}

static int
read_filters(struct ryde_process_filter *f, struct ryde_view text, struct ryde_err *err)
{
	struct ryde_json_value key, v, filters = {.kind = RYDE_JSON_ABSENT};
	struct ryde_json_fault fault;
	struct ryde_json_walk w;

	if (ryde_json_check(text, NULL, &fault) != 0)
		return ryde_err_set(err, RYDE_ECONFIG, "not JSON: %s at byte %zu",
		    fault.what, fault.at + 1);
	if (ryde_json_walk_begin(&w, text) && w.object) {
		while (ryde_json_walk_next(&w, &key, &v)) {
			if (ryde_view_is(key.text, "Filters"))
				filters = v;
		}
	}
	if (filters.kind != RYDE_JSON_ARRAY || !ryde_json_walk_begin(&w, filters.text))
		return ryde_err_set(
		    err, RYDE_ECONFIG, "there is no list \"Filters\" in it");
	while (ryde_json_walk_next(&w, &key, &v)) {
		if (add_filter(f, &v, err) != 0)
			return -1;
	}
	return f->n > 0 ? 0
			: ryde_err_set(err, RYDE_ECONFIG, "its list of Filters is empty");
}

struct ryde_process_filter *
ryde_process_filter_open(const char *path, struct ryde_err *err)
{
	struct ryde_process_filter *f = calloc(1, sizeof *f);
	struct ryde_buf text;
	int r;

	if (f == NULL) {
		ryde_err_nomem(err);
		return NULL;
	}
	ryde_buf_init(&f->text, 2 * (size_t)RYDE_LINE_ENVELOPE_MAX);
	ryde_buf_init(&text, FILE_MAX);
	r = ryde_file_read(path, &text, err);
	if (r == 0 && (r = read_filters(f, ryde_buf_as_view(&text), err)) != 0)
		ryde_err_prefix(err, "--filter-criteria %s", path);
	ryde_buf_free(&text);
	if (r == 0)
		return f;
	ryde_process_filter_free(f);
	return NULL;
}

static bool
is_object(struct ryde_view data)
{
	struct ryde_json_walk w;

	return ryde_json_walk_begin(&w, data) && w.object;
}

int
ryde_process_filter_passes(struct ryde_process_filter *f,
    const struct ryde_process_event_source *source,
    const struct ryde_process_batch_record *r, struct ryde_err *err)
{
	bool object = !r->base64 && is_object(r->data), passes = false;

	ryde_buf_clear(&f->text);
	ryde_process_event_put_metadata(&f->text, source, r);
	if (object) {
		f->text.n--; /* the closing brace */
		ryde_buf_puts(&f->text, ",\"data\":");
		ryde_buf_view(&f->text, r->data);
		ryde_buf_putc(&f->text, '}');
	}
	if (ryde_buf_check(&f->text, err) != 0)
		return -1;
	for (size_t i = 0; !passes && i < f->n; i++)
		passes = (object || !f->filters[i].data) &&
			 ryde_json_pattern_matches(
			     f->filters[i].pattern, ryde_buf_as_view(&f->text));
	return passes;
}
