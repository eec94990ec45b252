/* A hash for tables in memory: fast, and no secret. It differs between byte orders. */
#ifndef RYDE_BASE_MIX_H
#define RYDE_BASE_MIX_H

#include <stddef.h>
#include <stdint.h>

/* The hash of n bytes. */
uint64_t ryde_mix(const char *p, size_t n);

#endif
