#include "aws/dynamodb_item.h"

#include "aws/attribute.h"
#include "base/err.h"
#include "json/decimal.h"
#include "json/path.h"
#include "json/scan.h"
#include "json/string.h"

#define KEY_BYTES_MAX 2048 /* of a hash key; a range key has half of it */

static const char *
type_name(char type)
{
	return type == 'S' ? "a string" : type == 'N' ? "a number" : "bytes";
}

/* Appends the comparable form of a key field. */
static int
put_key(const char *field, char type, size_t max, const struct ryde_json_value *v,
    struct ryde_buf *to, struct ryde_err *err)
{
	struct ryde_decimal d = {0};
	size_t before = to->n;

	if (v->kind == RYDE_JSON_ABSENT)
		return ryde_err_set(
		    err, RYDE_EDATA, "key field \"%s\" is missing", field);
	if (v->kind != RYDE_JSON_STRING && v->kind != RYDE_JSON_NUMBER)
		return ryde_err_set(err, RYDE_EDATA,
		    "key field \"%s\" is neither a string nor a number", field);
	if ((v->kind == RYDE_JSON_STRING) != (type == 'S'))
		return ryde_err_set(err, RYDE_EDATA,
		    "key field \"%s\" is %s, and the table's key is %s", field,
		    v->kind == RYDE_JSON_STRING ? "a string" : "a number",
		    type_name(type));
	if (v->kind == RYDE_JSON_STRING) {
		if (v->text.n == 0)
			return ryde_err_set(err, RYDE_EDATA,
			    "key field \"%s\" is an empty string", field);
		ryde_buf_putc(to, 'S');
		ryde_json_string_decode(to, v->text);
		if (to->n - before - 1 > max)
			return ryde_err_set(err, RYDE_EDATA,
			    "key field \"%s\" has %zu bytes: DynamoDB takes %zu", field,
			    to->n - before - 1, max);
	} else {
		if (ryde_decimal_parse(&d, v->text, err) != 0)
			return ryde_err_prefix(err, "key field \"%s\"", field);
		ryde_buf_putc(to, 'N');
		ryde_decimal_put(to, &d);
		ryde_decimal_free(&d);
	}
	return ryde_buf_check(to, err);
}

static int
find_keys(struct ryde_dynamodb_table *t, struct ryde_view data, struct ryde_buf *key,
    struct ryde_buf *sort, struct ryde_err *err)
{
	struct ryde_json_fault fault;
	struct ryde_json_value v[3];

	if (ryde_json_find(data, t->paths, v, &fault) != 0)
		return ryde_err_set(err, RYDE_EDATA, "not JSON: %s at byte %zu",
		    fault.what, fault.at + 1);
	if (v[0].kind != RYDE_JSON_OBJECT)
		return ryde_err_set(err, RYDE_EDATA, "an item is a JSON object");
	if (put_key(t->key, t->key_type, KEY_BYTES_MAX, &v[t->key_path], key, err) != 0 ||
	    (t->sort[0] != '\0' && put_key(t->sort, t->sort_type, KEY_BYTES_MAX / 2,
				       &v[t->sort_path], sort, err) != 0))
		return -1;
	/* one bad item would spoil a request for its 24 neighbours: it is found here */
	ryde_buf_clear(&t->scratch);
	return ryde_attribute_put_item(&t->scratch, data, NULL, err);
}

int
ryde_dynamodb_item_keys(struct ryde_table *base, struct ryde_view data,
    struct ryde_buf *key, struct ryde_buf *sort, struct ryde_err *err)
{
	size_t key_was = key->n, sort_was = sort->n;

	if (find_keys(ryde_dynamodb_item_table(base), data, key, sort, err) == 0)
		return 0;
	key->n = key_was;
	sort->n = sort_was;
	key->failed = sort->failed = false;
	return -1;
}
