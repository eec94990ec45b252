/* Errors: set once, prefixed, cut, never overrun. Source: base/err.h. */
#include "base/err.h"

#include "check.h"

#include <errno.h>

static const struct {
	int sys;
	enum ryde_err_code code, becomes;
} codes[] = {
    {ENOSPC, RYDE_ECANTCREAT, RYDE_EIO},
    {EDQUOT, RYDE_ECANTCREAT, RYDE_EIO},
    {EIO, RYDE_ENOINPUT, RYDE_EIO},
    {EACCES, RYDE_ENOINPUT, RYDE_ENOPERM},
    {EPERM, RYDE_EIO, RYDE_ENOPERM},
    {EROFS, RYDE_ECANTCREAT, RYDE_ENOPERM},
    {ENOMEM, RYDE_EIO, RYDE_EOSERR},
    {ENOENT, RYDE_ENOINPUT, RYDE_ENOINPUT},
    {EEXIST, RYDE_ECANTCREAT, RYDE_ECANTCREAT},
};

static void
check_codes(void)
{
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		struct ryde_err err = RYDE_ERR_INIT;
		char want[200];

		errno = codes[i].sys;
		CHECK(ryde_err_sys(&err, codes[i].code, "cannot open %s", "x") == -1,
		    "always -1");
		(void)snprintf(
		    want, sizeof(want), "cannot open x: %s", strerror(codes[i].sys));
		CHECK(err.code == codes[i].becomes && err.sys == codes[i].sys,
		    "row %zu: %d", i, (int)err.code);
		CHECK(strcmp(err.msg, want) == 0, "%s", err.msg);
		CHECK(ryde_err_status(&err) == (int)codes[i].becomes, "row %zu", i);
	}
}

static void
check_messages(void)
{
	struct ryde_err err = RYDE_ERR_INIT;
	char big[2000];

	CHECK(ryde_err_status(&err) == 0, "nothing wrong is 0");
	CHECK(ryde_err_set(&err, RYDE_EDATA, "line %d", 7) == -1 && err.sys == 0, "set");
	CHECK(ryde_err_prefix(&err, "%s", "file") == -1, "always -1");
	CHECK(strcmp(err.msg, "file: line 7") == 0 && err.code == RYDE_EDATA, "%s",
	    err.msg);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	(void)ryde_err_prefix(&err, "%s", big);
	CHECK(strlen(err.msg) == sizeof(err.msg) - 1, "cut at %zu", strlen(err.msg));
	(void)ryde_err_set(&err, RYDE_EDATA, "%s", big);
	CHECK(strlen(err.msg) == sizeof(err.msg) - 1, "cut at %zu", strlen(err.msg));
	(void)ryde_err_prefix(&err, "ab");
	CHECK(
	    strlen(err.msg) == sizeof(err.msg) - 1 && strncmp(err.msg, "ab: xxx", 7) == 0,
	    "%.20s", err.msg);
	errno = ENOENT;
	(void)ryde_err_sys(&err, RYDE_EIO, "%s", big);
	CHECK(strlen(err.msg) == sizeof(err.msg) - 1, "cut at %zu", strlen(err.msg));
	/* every length around the end of the room: no byte too far */
	for (int n = 470; n < 484; n++) {
		(void)ryde_err_set(&err, RYDE_EDATA, "the fault");
		(void)ryde_err_prefix(&err, "%.*s", n, big);
		CHECK(strlen(err.msg) < sizeof(err.msg), "%d", n);
	}
	CHECK(ryde_err_nomem(&err) == -1 && err.code == RYDE_EOSERR &&
		  strcmp(err.msg, "out of memory") == 0,
	    "%s", err.msg);
	err.code = (enum ryde_err_code)3;
	CHECK(ryde_err_status(&err) == RYDE_ESOFTWARE, "an unknown code is our bug");
}

/* Callers that do not want to know. */
static void
check_null(void)
{
	errno = EIO;
	CHECK(ryde_err_set(NULL, RYDE_EDATA, "x") == -1, "set");
	CHECK(ryde_err_sys(NULL, RYDE_EDATA, "x") == -1, "sys");
	CHECK(ryde_err_prefix(NULL, "x") == -1, "prefix");
	CHECK(ryde_err_nomem(NULL) == -1, "nomem");
}

int
main(void)
{
	check_codes();
	check_messages();
	check_null();
	return check_end("base_err");
}
