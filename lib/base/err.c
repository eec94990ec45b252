#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 4, 0))) static void
set(struct ryde_err *err, enum ryde_err_code code, int sys, const char *fmt, va_list ap)
{
	if (err == NULL)
		return;
	err->code = code;
	err->sys = sys;
	if (vsnprintf(err->msg, sizeof(err->msg), fmt, ap) < 0)
		err->msg[0] = '\0';
}

int
ryde_err_set(struct ryde_err *err, enum ryde_err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(err, code, 0, fmt, ap);
	va_end(ap);
	return -1;
}

static enum ryde_err_code
code_of_errno(int sys, enum ryde_err_code code)
{
	switch (sys) {
	case ENOSPC:
	case EDQUOT:
	case EIO:
		return RYDE_EIO;
	case EACCES:
	case EPERM:
	case EROFS:
		return RYDE_ENOPERM;
	case ENOMEM:
		return RYDE_EOSERR;
	default:
		return code;
	}
}

int
ryde_err_sys(struct ryde_err *err, enum ryde_err_code code, const char *fmt, ...)
{
	int sys = errno;
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	set(err, code_of_errno(sys, code), sys, fmt, ap);
	va_end(ap);
	if (err != NULL) {
		n = strlen(err->msg);
		(void)snprintf(err->msg + n, sizeof(err->msg) - n, ": %s", strerror(sys));
	}
	return -1;
}

int
ryde_err_prefix(struct ryde_err *err, const char *fmt, ...)
{
	char old[sizeof(err->msg)];
	va_list ap;
	size_t n;

	if (err == NULL)
		return -1;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	if (vsnprintf(err->msg, sizeof(err->msg), fmt, ap) < 0)
		err->msg[0] = '\0';
	va_end(ap);
	n = strlen(err->msg);
	if (n + 2 < sizeof(err->msg)) {
		size_t m = strlen(old);

		memcpy(err->msg + n, ": ", 3);
		n += 2;
		if (m > sizeof(err->msg) - n - 1)
			m = sizeof(err->msg) - n - 1;
		memcpy(err->msg + n, old, m);
		err->msg[n + m] = '\0';
	}
	return -1;
}

int
ryde_err_nomem(struct ryde_err *err)
{
	return ryde_err_set(err, RYDE_EOSERR, "out of memory");
}

int
ryde_err_status(const struct ryde_err *err)
{
	switch (err->code) {
	case RYDE_OK:
	case RYDE_EUSAGE:
	case RYDE_EDATA:
	case RYDE_ENOINPUT:
	case RYDE_EUNAVAILABLE:
	case RYDE_ESOFTWARE:
	case RYDE_EOSERR:
	case RYDE_ECANTCREAT:
	case RYDE_EIO:
	case RYDE_ETEMPFAIL:
	case RYDE_ENOPERM:
	case RYDE_ECONFIG:
		return (int)err->code;
	}
	return RYDE_ESOFTWARE;
}
