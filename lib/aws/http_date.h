/* The dates of HTTP. */
#ifndef RYDE_AWS_HTTP_DATE_H
#define RYDE_AWS_HTTP_DATE_H

#include "base/view.h"

#include <stdint.h>

/* "Sun, 06 Nov 1994 08:49:37 GMT" as seconds since the epoch; -1 where it is not of this
 * form. Source: RFC 9110, section 5.6.7. */
int64_t ryde_http_date(struct ryde_view v);

#endif
