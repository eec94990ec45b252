/*
 * jq programs, run by libjq on one payload at a time. libjq is loaded when the first
 * program is compiled (dlopen), so that programs that need none start without it. Numbers
 * of its results are jq 1.6's: see ryde-line(5). jv values stay inside jq.c.
 */
#ifndef RYDE_JSON_JQ_H
#define RYDE_JSON_JQ_H

#include "base/view.h"

struct ryde_buf;
struct ryde_err;
struct ryde_jq;

/*
 * Compiles a program. NULL with RYDE_EUSAGE and jq's own first line of complaint, or
 * RYDE_EUNAVAILABLE without libjq. A plain path (json/path.h) needs no libjq: its value
 * is a slice of the text, null where there is none. Only to word the error of a path into
 * what cannot be indexed is libjq loaded then.
 */
struct ryde_jq *ryde_jq_new(const char *program, struct ryde_err *err);
void ryde_jq_free(struct ryde_jq *jq);
/*
 * Starts the program on a text (checked JSON), which must live until the last output was
 * taken. What an earlier text had left is dropped. -1 with RYDE_EDATA where jq cannot
 * read it (1.6 stops at about 256 arrays and objects inside each other).
 */
int ryde_jq_start(struct ryde_jq *jq, struct ryde_view text, struct ryde_err *err);
/*
 * Puts the next output, compact, into out (which it clears first) and returns 1; 0 when
 * there are no more; -1 with RYDE_EDATA when the program raised an error or halted with
 * one: the outputs before it were good, and the next text can be started. An output that
 * equals the input as a value, such as that of a select(...), is the input's own text,
 * byte for byte without the blanks around it.
 */
int ryde_jq_next(struct ryde_jq *jq, struct ryde_buf *out, struct ryde_err *err);

#endif
