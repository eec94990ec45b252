/*
 * Messages for people. The library prints nothing: it hands each message to the sink that
 * the program has set (none: the message is dropped).
 */
#ifndef RYDE_BASE_LOG_H
#define RYDE_BASE_LOG_H

enum ryde_log_level {
	RYDE_LOG_ERROR,	  /* shown even with -q -q */
	RYDE_LOG_WARNING, /* shown even with -q */
	RYDE_LOG_NOTICE,  /* shown by default: what a user should know */
	RYDE_LOG_INFO,	  /* -v */
	RYDE_LOG_DEBUG,	  /* -v -v */
};

typedef void ryde_log_fn(enum ryde_log_level level, const char *text);

/* Where messages go, and the highest level that is handed over. */
void ryde_log_set(ryde_log_fn *fn, enum ryde_log_level upto);
/* True when a message of this level would be handed over. */
int ryde_log_on(enum ryde_log_level level);
void ryde_log(enum ryde_log_level level, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
