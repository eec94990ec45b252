/*
 * MD5 of several texts side by side: one MD5 is a chain of dependent steps that leaves a
 * processor idle most of the time, many in step fill it. Source: RFC 1321.
 */
#ifndef RYDE_LINE_MD5_H
#define RYDE_LINE_MD5_H

#include "base/view.h"

#include <stddef.h>

#define RYDE_MD5_BYTES 16

/* sums[i] becomes the MD5 of texts[i], for all n of them. */
void ryde_md5_many(
    const struct ryde_view *texts, size_t n, unsigned char (*sums)[RYDE_MD5_BYTES]);

/* The ways to it: what every machine has, and what some have. */
enum ryde_md5_way { RYDE_MD5_PLAIN, RYDE_MD5_AVX2, RYDE_MD5_AVX512 };
/* The best one that this machine has; those before it are there too. */
enum ryde_md5_way ryde_md5_best(void);
/* ryde_md5_many by one of the ways that there are. */
void ryde_md5_many_by(enum ryde_md5_way way, const struct ryde_view *texts, size_t n,
    unsigned char (*sums)[RYDE_MD5_BYTES]);

#endif
