/* What systemd is told: a datagram to $NOTIFY_SOCKET (sd_notify(3)). Does nothing where
 * it is not set. */
#ifndef RYDE_BASE_NOTIFY_H
#define RYDE_BASE_NOTIFY_H

#include <stdint.h>

/* Sends a text such as "READY=1\nSTATUS=…". Failures are nobody's business. */
void ryde_notify(const char *text);
/* How often the watchdog wants to hear of us, in ms: half of $WATCHDOG_USEC; 0 where
 * there is none. */
int64_t ryde_notify_watchdog_ms(void);

#endif
