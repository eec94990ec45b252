/*
 * One error type for the whole house. A fallible function returns 0 or -1 (or NULL) and
 * takes a struct ryde_err * as its last argument: untouched on success, set once where
 * the fault is seen. Callers may put context in front, and pass it on.
 */
#ifndef RYDE_BASE_ERR_H
#define RYDE_BASE_ERR_H

/* The codes are sysexits(3): what went wrong is what the program exits with. */
enum ryde_err_code {
	RYDE_OK = 0,
	RYDE_EUSAGE = 64,	/* the command line is wrong */
	RYDE_EDATA = 65,	/* the input data is wrong */
	RYDE_ENOINPUT = 66,	/* no such stream, table, queue or file */
	RYDE_EUNAVAILABLE = 69, /* a service cannot be used */
	RYDE_ESOFTWARE = 70,	/* our bug */
	RYDE_EOSERR = 71,	/* out of memory, descriptors, processes */
	RYDE_ECANTCREAT = 73,	/* an output cannot be created */
	RYDE_EIO = 74,		/* reading or writing failed */
	RYDE_ETEMPFAIL = 75,	/* gave up for now: run it again */
	RYDE_ENOPERM = 77,	/* no permission or credentials */
	RYDE_ECONFIG = 78,	/* settings that cannot work */
};

struct ryde_err {
	enum ryde_err_code code;
	int sys; /* errno when it was seen, or 0 */
	char msg[480];
};

#define RYDE_ERR_INIT          \
	{                      \
		RYDE_OK, 0, "" \
	}

/* Sets err (NULL is allowed) from a printf format; a longer message is cut. Always
 * returns -1. */
int ryde_err_set(struct ryde_err *err, enum ryde_err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * The same, followed by ": " and the text of errno, which is kept in err->sys. ENOSPC,
 * EDQUOT and EIO make it RYDE_EIO, EACCES, EPERM and EROFS RYDE_ENOPERM, ENOMEM
 * RYDE_EOSERR, whatever code says.
 */
int ryde_err_sys(struct ryde_err *err, enum ryde_err_code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "text: " in front of the message. Always returns -1. */
int ryde_err_prefix(struct ryde_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Sets err to "out of memory". Always returns -1. */
int ryde_err_nomem(struct ryde_err *err);

/* The exit status of a program that ends with err: its code, 70 where that is not a known
 * one. */
int ryde_err_status(const struct ryde_err *err);

#endif
