/* Reading the small JSON answers of services: members of objects by name. Null reads as
 * absent. */
#ifndef RYDE_AWS_ANSWER_H
#define RYDE_AWS_ANSWER_H

#include "base/view.h"
#include "json/scan.h"

#include <stdbool.h>
#include <stdint.h>

struct ryde_aws_call;
struct ryde_err;

/* A good answer's body, once it is one JSON text. -1 with RYDE_EUNAVAILABLE where it is
 * not. */
int ryde_answer_body(const struct ryde_aws_call *call, const char *operation,
    struct ryde_view *body, struct ryde_err *err);
/* The member `name` of an object that has passed a check; absent where there is none. */
struct ryde_json_value ryde_answer_member(struct ryde_view object, const char *name);
/* The raw content of a string member; empty where there is none. */
struct ryde_view ryde_answer_text(struct ryde_view object, const char *name);
/* A number member that is a whole number from 0 on; otherwise `otherwise`. */
int64_t ryde_answer_number(struct ryde_view object, const char *name, int64_t otherwise);
/* Copies with a NUL; false, with to "" , where it does not fit. */
bool ryde_answer_copy(char *to, size_t room, struct ryde_view v);

#endif
