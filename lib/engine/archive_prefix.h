/*
 * What an archive's objects are called before their own names: Firehose's prefixes.
 *
 *	!{timestamp:yyyy/MM/dd/HH}   the object's time in UTC, by the letters of Java's
 *				     DateTimeFormatter; text in single quotes stands for
 *				     itself
 *	!{field:.Name}		     a field of the payload
 *	!{ryde:random-string}	     11 characters
 *	!{ryde:error-output-type}    of an error prefix alone: processing-failed
 *
 * `firehose:` says the same as `ryde:`. Where no timestamp is named, yyyy/MM/dd/HH/
 * follows; !{timestamp:} stands for none.
 *
 * Source: Firehose developer guide, "Custom prefixes for Amazon S3 objects";
 * java.time.format.DateTimeFormatter.
 */
#ifndef RYDE_ENGINE_ARCHIVE_PREFIX_H
#define RYDE_ENGINE_ARCHIVE_PREFIX_H

#include <stdbool.h>
#include <stdint.h>

struct ryde_archive_prefix;
struct ryde_buf;
struct ryde_err;
struct ryde_json_paths;
struct ryde_json_value;

#define RYDE_ARCHIVE_PREFIX_MAX 512 /* bytes of what a prefix becomes */
/* Stands in what a prefix becomes where random characters belong: they are one object's,
 * not one line's. */
#define RYDE_ARCHIVE_PREFIX_RANDOM '\x01'
#define RYDE_ARCHIVE_PREFIX_RANDOM_N 11

/*
 * Reads text. Its fields are added to paths, which must be the set that the values of
 * ryde_archive_prefix_put come from. An error prefix has no fields. NULL with RYDE_EUSAGE
 * and a message that names the place.
 */
struct ryde_archive_prefix *ryde_archive_prefix_new(
    const char *text, bool is_error, struct ryde_json_paths *paths, struct ryde_err *err);
void ryde_archive_prefix_free(struct ryde_archive_prefix *p);

/* True where it has fields: then it may be another one for each line. */
bool ryde_archive_prefix_has_fields(const struct ryde_archive_prefix *p);
/* Two points in time give the same prefix where both are in one step: floor(at / step) is
 * the same. At most a day; months begin with a day. */
int64_t ryde_archive_prefix_step_ms(const struct ryde_archive_prefix *p);

/*
 * Appends what it becomes. What a field holds is written as Hive writes it: control
 * characters and "#%'*\/:=?{[]^ as %XX, and so is a dot or underscore where a folder's
 * name begins with it. NULL, or a constant that says what is wrong; what was appended is
 * then taken back.
 */
const char *ryde_archive_prefix_put(const struct ryde_archive_prefix *p, int64_t at_ms,
    const struct ryde_json_value *values, struct ryde_buf *out);

#endif
