#include "dynamodb.h"

#include "sim.h"

/* All members together read no more than that: aws/positions_member.c. */
#define PACE_UNITS_PER_S 2000

static struct usage used;
static double read_left = READ_UNITS_PER_S, write_left = WRITE_UNITS_PER_S;
static int64_t filled_ms, trouble_ms;

static double
fill(double left, double per_s)
{
	left += per_s * (double)(sim_now() - filled_ms) / 1000;
	return left < per_s ? left : per_s;
}

static bool
take(double *left, double units, double *sum)
{
	read_left = fill(read_left, READ_UNITS_PER_S);
	write_left = fill(write_left, WRITE_UNITS_PER_S);
	filled_ms = sim_now();
	if (*left < units || (sim_now() < trouble_ms && sim_any(2) == 0)) {
		used.refused++;
		return false;
	}
	*left -= units;
	*sum += units;
	return true;
}

bool
dynamodb_write(enum request request)
{
	used.n[request]++;
	return take(&write_left, 1, &used.write_units);
}

static double
units_of(size_t items)
{
	return 0.5 * (double)(items * ITEM_BYTES / 4096 + 1);
}

bool
dynamodb_read(enum request request, size_t items)
{
	used.n[request]++;
	return take(&read_left, units_of(items), &used.read_units);
}

int64_t
dynamodb_pace_ms(size_t members, size_t items, int64_t lease_ms)
{
	int64_t ms =
	    (int64_t)((double)members * units_of(items) * 1000 / PACE_UNITS_PER_S);

	return ms < lease_ms / 2 ? ms : lease_ms / 2;
}

void
dynamodb_trouble(int64_t until_ms)
{
	trouble_ms = until_ms;
}

const struct usage *
dynamodb_usage(void)
{
	return &used;
}
