/*
 * The table of groups as it costs: each request takes units, a group's items lie in one
 * partition, which gives so many units a second, and now and then the service refuses
 * half of what is asked. Who holds what stands in stream.h.
 *
 * Sources: the sizes of items, aws/positions_shared.h. Units and the limits of a
 * partition: "Amazon DynamoDB Developer Guide", read and write units, and best practices
 * for partition keys. Prices: on demand, us-east-1, since November 2024.
 */
#ifndef RYDE_SIM_DYNAMODB_H
#define RYDE_SIM_DYNAMODB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ITEM_BYTES 170
#define READ_UNITS_PER_S 3000
#define WRITE_UNITS_PER_S 1000
#define USD_PER_READ_UNIT (0.125 / 1e6)
#define USD_PER_WRITE_UNIT (0.625 / 1e6)

enum request {
	REQUEST_BEAT,
	REQUEST_GLANCE, /* at the members */
	REQUEST_LOOK,	/* at all */
	REQUEST_EXPEL,
	REQUEST_TAKE,
	REQUEST_GIVE,
	REQUEST_STORE, /* of a position */
	REQUESTS,
};
struct usage {
	uint64_t n[REQUESTS], refused;
	double read_units, write_units;
};

/* Writes one item. False: it was refused. */
bool dynamodb_write(enum request request);
/* Reads so many items, not consistently: half a unit per 4 KB. False: it was refused. */
bool dynamodb_read(enum request request, size_t items);
/* How far apart looks are to be that read so many items, for all members together. */
int64_t dynamodb_pace_ms(size_t members, size_t items, int64_t lease_ms);
/* Until then half of all requests are refused. */
void dynamodb_trouble(int64_t until_ms);
const struct usage *dynamodb_usage(void);

#endif
