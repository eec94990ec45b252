#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

static struct {
	ryde_log_fn *fn;
	enum ryde_log_level upto;
} sink = {NULL, RYDE_LOG_NOTICE};

void
ryde_log_set(ryde_log_fn *fn, enum ryde_log_level upto)
{
	sink.fn = fn;
	sink.upto = upto;
}

int
ryde_log_on(enum ryde_log_level level)
{
	return sink.fn != NULL && level <= sink.upto;
}

void
ryde_log(enum ryde_log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	if (!ryde_log_on(level))
		return;
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	sink.fn(level, text);
}
