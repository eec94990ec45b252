/* Randomness: from the kernel where it must not be guessed, seeded where a run must
 * repeat. */
#ifndef RYDE_BASE_RANDOM_H
#define RYDE_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct ryde_err;

#define RYDE_RANDOM_TOKEN 22 /* characters: 128 bits in base64url, without padding */

/* n bytes from the kernel. */
int ryde_random_bytes(void *to, size_t n, struct ryde_err *err);
/* A token of 128 random bits, NUL-ended; to has RYDE_RANDOM_TOKEN + 1 bytes. */
int ryde_random_token(char *to, struct ryde_err *err);

/* A small generator (splitmix64) whose sequence follows from its seed alone. */
struct ryde_random {
	uint64_t state;
};
void ryde_random_seed(struct ryde_random *r, uint64_t seed);
uint64_t ryde_random_u64(struct ryde_random *r);
/* Uniform in [0, 1), 53 bits. */
double ryde_random_unit(struct ryde_random *r);

#endif
