/*
 * One member of an object, found without looking at what stands behind it: for those who
 * must know whom a line is about before they know whether the line matters.
 */
#ifndef RYDE_JSON_MEMBER_H
#define RYDE_JSON_MEMBER_H

#include "base/view.h"

#include <stdbool.h>

struct ryde_json_value;

/*
 * The first member of the object in text whose key, as written, is `key`. True with
 * *value set as ryde_json_find sets it (an array or object is given as a whole). False
 * where text is no object, has no such member, or is malformed up to there. What stands
 * behind the member is not examined: use ryde_json_find or ryde_json_check for that.
 */
bool ryde_json_member(
    struct ryde_view text, struct ryde_view key, struct ryde_json_value *value);

/*
 * The same for a text that begins with the bytes of another one, `way`, up to the opening
 * quote of the string that was the value there; more than the text may follow. True with
 * *value set, for a string of plain ASCII alone. False: what is there must be found
 * anew.
 */
bool ryde_json_member_same_way(
    struct ryde_view text, struct ryde_view way, struct ryde_view *value);

#endif
