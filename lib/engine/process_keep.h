/*
 * --keep: a command that is started once and given one batch after the other.
 *
 * With payloads (--event ndjson) a batch is its lines, one payload each, and then one
 * line more, the end line: a JSON string that begins with what $RYDE_BATCH_END holds,
 * followed by the batch's number and a quote. When the command has handled everything
 * before it, it prints that line back: the batch is done. The line followed by a blank
 * and a text means that it has failed, for the reason in the text. Other lines are its
 * output. The end line holds 128 random bits, so that no payload can pose as one.
 *
 * With events (--event lambda) a batch is one line, the event, and the answer is one
 * line, the response; an object with errorMessage means that it has failed.
 *
 * A command that ends before it has answered has failed; it is started again for the next
 * try. Its stdin ends when this process does.
 */
#ifndef RYDE_ENGINE_PROCESS_KEEP_H
#define RYDE_ENGINE_PROCESS_KEEP_H

struct ryde_process_instance_ops;

extern const struct ryde_process_instance_ops ryde_process_keep_ops;

#endif
