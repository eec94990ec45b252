/*
 * Wake-up calls from writers to readers: a file beside the stream. A writer that has
 * committed writes a byte into it, readers watch it by inotify. A call may be lost (a
 * writer killed in between), so readers look by themselves now and then.
 */
#ifndef RYDE_LOCAL_WAKE_H
#define RYDE_LOCAL_WAKE_H

#include <stdbool.h>

/* Opens the file for calling, making it if need be; -1 where that cannot be. */
int ryde_wake_open(const char *path);
/* Wakes all readers. fd -1: does nothing. */
void ryde_wake_call(int fd);
/* A descriptor that becomes readable at each call; -1 where there is no inotify. */
int ryde_wake_watch(const char *path);
/* Takes the calls that came. Do it before looking for news. */
void ryde_wake_drain(int fd);

#endif
