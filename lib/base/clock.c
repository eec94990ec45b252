#include "base/clock.h"

#include "base/err.h"
#include "base/num.h"

#include <time.h>

static struct {
	enum { MACHINE, FROZEN, FOLLOWING } kind;
	int64_t at_ms;
} data_clock;

int
ryde_clock_init(const char *setting, struct ryde_err *err)
{
	struct ryde_view v = ryde_view_of(setting);

	data_clock.kind = MACHINE;
	data_clock.at_ms = 0;
	if (v.n == 0)
		return 0;
	if (ryde_view_is(v, "data")) {
		data_clock.kind = FOLLOWING;
		return 0;
	}
	if (v.p[0] != '@' || !ryde_num_i64(ryde_view_mem(v.p + 1, v.n - 1), INT64_MIN / 4,
				 INT64_MAX / 4, &data_clock.at_ms))
		return ryde_err_set(err, RYDE_ECONFIG,
		    "RYDE_CLOCK: '%s' is neither @EPOCH_MS nor data", setting);
	data_clock.kind = FROZEN;
	return 0;
}

int64_t
ryde_clock_data_ms(void)
{
	return data_clock.kind == MACHINE ? ryde_clock_wall_ms() : data_clock.at_ms;
}

bool
ryde_clock_follows(void)
{
	return data_clock.kind == FOLLOWING;
}

void
ryde_clock_observe(int64_t at_unix_ms)
{
	if (data_clock.kind == FOLLOWING && at_unix_ms > data_clock.at_ms)
		data_clock.at_ms = at_unix_ms;
}

static int64_t
read_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

int64_t
ryde_clock_wall_ms(void)
{
	return read_us(CLOCK_REALTIME) / 1000;
}

int64_t
ryde_clock_mono_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

int64_t
ryde_clock_mono_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}
