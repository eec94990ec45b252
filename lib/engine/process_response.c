#include "engine/process_response.h"

#include "base/buf.h"
#include "engine/process_batch.h"
#include "engine/process_event.h"
#include "json/scan.h"
#include "json/string.h"
#include "line/position.h"

#include <stdio.h>
#include <string.h>

static bool
is_key(const struct ryde_json_value *key, const char *name)
{
	struct ryde_buf plain;
	bool same;

	if (!key->escaped)
		return ryde_view_is(key->text, name);
	ryde_buf_init(&plain, key->text.n);
	ryde_json_string_decode(&plain, key->text);
	same = ryde_view_is(ryde_buf_as_view(&plain), name);
	ryde_buf_free(&plain);
	return same;
}

/* The last member of that name; ABSENT where there is none, or text is no object. */
static struct ryde_json_value
member(struct ryde_view object, const char *name)
{
	struct ryde_json_value key, value, found = {.kind = RYDE_JSON_ABSENT};
	struct ryde_json_walk w;

	if (!ryde_json_walk_begin(&w, object) || !w.object)
		return found;
	while (ryde_json_walk_next(&w, &key, &value)) {
		if (is_key(&key, name))
			found = value;
	}
	return found;
}

static void
position_of(const struct ryde_process_batch *b, size_t i, struct ryde_pos *pos)
{
	char number[RYDE_PROCESS_EVENT_NUMBER];
	const struct ryde_process_batch_record *r = ryde_process_batch_at(b, i);

	if (!ryde_pos_parse(pos, ryde_process_event_sequence(r, number)))
		pos->n = 0;
}

/* A sequence number alone is that of all lines of its record. */
static int
compare(const struct ryde_pos *at, const struct ryde_pos *pos)
{
	return pos->lines > 0 ? ryde_pos_cmp(at, pos) : ryde_pos_cmp_record(at, pos);
}

/* The first record of that number, n where there is none. Numbers rise in a batch; where
 * they do not, each is looked at. */
static size_t
find(const struct ryde_process_batch *b, size_t n, const struct ryde_pos *pos)
{
	size_t from = 0, to = n;
	struct ryde_pos at;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		position_of(b, middle, &at);
		if (compare(&at, pos) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (from < n) {
		position_of(b, from, &at);
		if (compare(&at, pos) == 0)
			return from;
	}
	for (from = 0; from < n; from++) {
		position_of(b, from, &at);
		if (compare(&at, pos) == 0)
			break;
	}
	return from;
}

/* What is wrong with an entry, or NULL: its record is *at. */
static const char *
read_entry(const struct ryde_json_value *entry, const struct ryde_process_batch *b,
    size_t n, size_t *at)
{
	struct ryde_json_value id;
	struct ryde_pos pos;

	if (entry->kind != RYDE_JSON_OBJECT)
		return "an entry of batchItemFailures is no object";
	id = member(entry->text, "itemIdentifier");
	if (id.kind == RYDE_JSON_ABSENT)
		return "an entry of batchItemFailures has no itemIdentifier";
	if (id.kind != RYDE_JSON_STRING || id.text.n == 0)
		return "an itemIdentifier is no sequence number";
	if (!ryde_pos_parse(&pos, id.text) || (*at = find(b, n, &pos)) == n)
		return "an itemIdentifier is not of this batch";
	return NULL;
}

static void
read_failures(struct ryde_process_response *r, struct ryde_view failures,
    const struct ryde_process_batch *b, size_t n)
{
	struct ryde_json_value key, entry;
	struct ryde_json_walk w;
	const char *wrong;
	size_t at = n;

	if (!ryde_json_walk_begin(&w, failures))
		return;
	while (ryde_json_walk_next(&w, &key, &entry)) {
		wrong = read_entry(&entry, b, n, &at);
		if (wrong != NULL) {
			r->done = 0;
			snprintf(r->what, sizeof r->what, "%s", wrong);
			return;
		}
		if (at < r->done)
			r->done = at;
	}
	if (r->done < n)
		snprintf(r->what, sizeof r->what, "record %zu of %zu reported as failed",
		    r->done + 1, n);
}

void
ryde_process_response_read(struct ryde_process_response *r, struct ryde_view text,
    const struct ryde_process_batch *b, size_t n, bool partial, bool stateful)
{
	struct ryde_json_value found;
	struct ryde_json_fault fault;
	enum ryde_json_kind top = RYDE_JSON_ABSENT;
	bool blank = true;

	*r = (struct ryde_process_response){.done = n};
	for (size_t i = 0; blank && i < text.n; i++)
		blank = strchr(" \t\r\n", text.p[i]) != NULL && text.p[i] != '\0';
	if (!blank && ryde_json_check(text, &top, &fault) != 0) {
		r->done = 0;
		snprintf(r->what, sizeof r->what,
		    "its response is not JSON: %s at byte %zu", fault.what, fault.at + 1);
		return;
	}
	if (stateful) {
		found = top == RYDE_JSON_OBJECT ? member(text, "state")
						: (struct ryde_json_value){0};
		if (found.kind != RYDE_JSON_OBJECT) {
			r->done = 0;
			snprintf(r->what, sizeof r->what,
			    "its response has no state (an object)");
			return;
		}
		r->state = found.text;
	}
	if (!partial || top != RYDE_JSON_OBJECT)
		return;
	found = member(text, "batchItemFailures");
	if (found.kind == RYDE_JSON_ARRAY) {
		read_failures(r, found.text, b, n);
	} else if (found.kind != RYDE_JSON_ABSENT && found.kind != RYDE_JSON_NULL) {
		r->done = 0;
		snprintf(r->what, sizeof r->what, "batchItemFailures is no array");
	}
}

bool
ryde_process_response_error(struct ryde_view text, char *to, size_t size)
{
	struct ryde_json_value message, type;
	struct ryde_json_fault fault;
	enum ryde_json_kind top;
	struct ryde_buf b;

	if (ryde_json_check(text, &top, &fault) != 0 || top != RYDE_JSON_OBJECT)
		return false;
	message = member(text, "errorMessage");
	type = member(text, "errorType");
	if (message.kind == RYDE_JSON_ABSENT)
		return false;
	ryde_buf_init(&b, 2 * text.n + 8);
	if (type.kind == RYDE_JSON_STRING && type.text.n > 0) {
		ryde_json_string_decode(&b, type.text);
		ryde_buf_puts(&b, ": ");
	}
	if (message.kind == RYDE_JSON_STRING)
		ryde_json_string_decode(&b, message.text);
	else
		ryde_buf_view(&b, message.text);
	snprintf(
	    to, size, "%.*s", (int)(b.n < size ? b.n : size - 1), b.n > 0 ? b.p : "");
	ryde_buf_free(&b);
	return true;
}
