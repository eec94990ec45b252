/*
 * Which shard a key belongs to: the 128 bits of its MD5, big-endian, or an explicit hash
 * key; and the ranges of hashes that shards have. Source: aws-facts 2.4.
 */
#ifndef RYDE_LINE_HASH_H
#define RYDE_LINE_HASH_H

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct ryde_err;

__extension__ typedef unsigned __int128 ryde_hash_value;

/* Remembers keys seen lately, since most streams have few and MD5 takes longer than a
 * look. */
struct ryde_hash;

struct ryde_hash *ryde_hash_new(struct ryde_err *err);
void ryde_hash_free(struct ryde_hash *h);
ryde_hash_value ryde_hash_key(struct ryde_hash *h, struct ryde_view key);
/* The same of n keys, for less: those that were not seen lately are looked at side by
 * side. */
void ryde_hash_keys(
    struct ryde_hash *h, const struct ryde_view *keys, size_t n, ryde_hash_value *out);
/* Reads a decimal of 0 to 2^128 - 1. False where v is none. */
bool ryde_hash_parse(struct ryde_view v, ryde_hash_value *out);
/* Writes it as decimal, NUL-ended. */
void ryde_hash_print(ryde_hash_value v, char to[40]);
/* The first hash of part i of n even parts; that of part n is 0 (2^128). */
ryde_hash_value ryde_hash_split(unsigned i, unsigned n);

#endif
