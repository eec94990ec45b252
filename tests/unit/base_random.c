/*
 * Randomness. Sources: base/random.h; RFC 4648, section 5, for tokens; the values are
 * those that Vigna's splitmix64.c prints for the seed 1234567.
 */
#include "base/random.h"

#include "base/err.h"
#include "check.h"

#include <inttypes.h>

static void
check_sequence(void)
{
	static const uint64_t want[] = {6457827717110365317u, 3203168211198807973u,
	    9817491932198370423u, 4593380528125082431u, 16408922859458223821u};
	struct ryde_random r, same;

	ryde_random_seed(&r, 1234567);
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		uint64_t x = ryde_random_u64(&r);

		CHECK(x == want[i], "number %zu: %" PRIu64, i, x);
	}
	ryde_random_seed(&r, 0);
	ryde_random_seed(&same, 0);
	CHECK(ryde_random_u64(&r) == ryde_random_u64(&same), "the seed alone decides");
}

static void
check_unit(void)
{
	struct ryde_random r;
	double sum = 0, least = 1, most = 0;

	ryde_random_seed(&r, 42);
	for (int i = 0; i < 100000; i++) {
		double x = ryde_random_unit(&r);

		sum += x;
		least = x < least ? x : least;
		most = x > most ? x : most;
	}
	CHECK(least >= 0 && most < 1, "in [0, 1): %f %f", least, most);
	CHECK(sum > 49500 && sum < 50500, "even: %f", sum);
}

static void
check_token(void)
{
	static const char set[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char one[RYDE_RANDOM_TOKEN + 1], two[RYDE_RANDOM_TOKEN + 1];
	struct ryde_err err = RYDE_ERR_INIT;
	unsigned char seen[256] = {0}, big[100000];
	int values = 0;

	CHECK(ryde_random_token(one, &err) == 0 && ryde_random_token(two, &err) == 0,
	    "%s", err.msg);
	CHECK(strlen(one) == RYDE_RANDOM_TOKEN && strspn(one, set) == RYDE_RANDOM_TOKEN,
	    "%s", one);
	CHECK(strcmp(one, two) != 0, "no two are alike");
	/* 22 characters have room for 132 bits: the last one carries two */
	CHECK(strchr("AQgw", one[21]) != NULL && strchr("AQgw", two[21]) != NULL, "%s %s",
	    one, two);
	CHECK(ryde_random_bytes(big, sizeof(big), &err) == 0, "%s", err.msg);
	for (size_t i = 0; i < sizeof(big); i++)
		seen[big[i]] = 1;
	for (size_t i = 0; i < sizeof(seen); i++)
		values += seen[i];
	CHECK(values == 256, "%d values", values);
	CHECK(ryde_random_bytes(NULL, 0, &err) == 0, "none at all");
}

int
main(void)
{
	check_sequence();
	check_unit();
	check_token();
	return check_end("base_random");
}
