/*
 * DynamoDB's JSON: {"Name":{"S":"Shadowfax"},"Distance":{"N":"30.2"}}, from a plain JSON
 * object and back. Numbers stay the text that they are. Source: the service model of
 * DynamoDB (AttributeValue), and the Developer Guide's naming rules, data types and sizes
 * of items (aws-facts 5).
 */
#ifndef RYDE_AWS_ATTRIBUTE_H
#define RYDE_AWS_ATTRIBUTE_H

#include "base/view.h"

#include <stddef.h>

struct ryde_buf;
struct ryde_err;
struct ryde_json_value;

#define RYDE_ATTRIBUTE_ITEM_MAX ((size_t)400 << 10) /* as DynamoDB counts */
#define RYDE_ATTRIBUTE_DIGITS_MAX 38
#define RYDE_ATTRIBUTE_DEPTH_MAX 32

/*
 * Appends the item that a JSON object is: {"NAME":{"S":…},…}. Of duplicate keys the last
 * one counts. *size (may be NULL) becomes its size as DynamoDB counts it. The object must
 * have passed a check. -1 with RYDE_EDATA, the field named, and nothing of use appended:
 * no object, a number of more than 38 digits or beyond its range, a field without a name,
 * too deep, over 400 KB.
 */
int ryde_attribute_put_item(
    struct ryde_buf *b, struct ryde_view object, size_t *size, struct ryde_err *err);
/* Appends one attribute value: {"S":"x"}. As above. */
int ryde_attribute_put(
    struct ryde_buf *b, const struct ryde_json_value *v, struct ryde_err *err);

/*
 * Appends the plain JSON object that an item is, on one line. Sets become arrays, bytes
 * base64 strings. The item must have passed a check. -1 with RYDE_EUNAVAILABLE where it
 * is none.
 */
int ryde_attribute_get_item(
    struct ryde_buf *b, struct ryde_view item, struct ryde_err *err);
/* The text of a string or number attribute (raw content of "S" or "N"), whose kind goes
 * to *kind: 'S', 'N', or 0 with an empty view for any other. */
struct ryde_view ryde_attribute_text(struct ryde_view attribute, char *kind);

#endif
