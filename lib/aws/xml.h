/*
 * As much XML as AWS's answers need: elements by name, wherever they stand, and their
 * text. No namespaces, no attributes, no comments or CDATA, no document is checked as a
 * whole.
 */
#ifndef RYDE_AWS_XML_H
#define RYDE_AWS_XML_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_buf;

/*
 * The next element of this name from *at on (begin with 0): its content, tags inside
 * included, goes into *out, and *at behind it. An element inside another of the same name
 * is not told apart. False where there is none, or it has no end.
 */
bool ryde_xml_next(
    struct ryde_view text, size_t *at, const char *name, struct ryde_view *out);
/* The first one. */
bool ryde_xml_find(struct ryde_view text, const char *name, struct ryde_view *out);
/* Appends content as the text it stands for: the five named entities and numbered
 * characters decoded. */
void ryde_xml_text(struct ryde_buf *b, struct ryde_view content);

#endif
