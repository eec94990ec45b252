#include "engine/archive_joint.h"

#include "base/err.h"

#include <stddef.h>
#include <stdlib.h>

#define JOINT_BIT (UINT64_C(1) << 63)
#define NONE SIZE_MAX

struct joint {
	uint64_t ticket;
	uint64_t waits; /* outputs that are not durable */
	bool open;	/* more outputs follow */
	size_t next;	/* among the free ones */
};

struct ryde_archive_joints {
	struct joint *joints;
	size_t n, cap, free, current;
};

struct ryde_archive_joints *
ryde_archive_joints_new(struct ryde_err *err)
{
	struct ryde_archive_joints *j = calloc(1, sizeof(*j));

	if (j == NULL) {
		(void)ryde_err_nomem(err);
		return NULL;
	}
	j->free = j->current = NONE;
	return j;
}

void
ryde_archive_joints_free(struct ryde_archive_joints *j)
{
	if (j == NULL)
		return;
	free(j->joints);
	free(j);
}

bool
ryde_archive_joints_open(const struct ryde_archive_joints *j)
{
	return j->current != NONE;
}

static int
begin(struct ryde_archive_joints *j, struct ryde_err *err)
{
	size_t index = j->free;

	if (index == NONE) {
		if (j->n == j->cap) {
			size_t cap = j->cap == 0 ? 16 : j->cap * 2;
			struct joint *more = realloc(j->joints, cap * sizeof(*more));

			if (more == NULL)
				return ryde_err_nomem(err);
			j->joints = more;
			j->cap = cap;
		}
		index = j->n++;
	} else {
		j->free = j->joints[index].next;
	}
	j->joints[index] = (struct joint){.open = true};
	j->current = index;
	return 0;
}

int
ryde_archive_joints_take(struct ryde_archive_joints *j, bool wanted, uint64_t ticket,
    bool more, uint64_t *out, struct ryde_err *err)
{
	struct joint *joint;

	*out = 0;
	if (!wanted)
		return 0;
	if (j->current == NONE && begin(j, err) != 0)
		return -1;
	joint = &j->joints[j->current];
	joint->waits++;
	*out = JOINT_BIT | j->current;
	if (!more) {
		joint->open = false;
		joint->ticket = ticket;
		j->current = NONE;
	}
	return 0;
}

uint64_t
ryde_archive_joints_done(struct ryde_archive_joints *j, uint64_t ticket)
{
	size_t index = (size_t)(ticket & ~JOINT_BIT);
	struct joint *joint;

	if ((ticket & JOINT_BIT) == 0)
		return ticket;
	joint = &j->joints[index];
	if (--joint->waits > 0 || joint->open)
		return 0;
	joint->next = j->free;
	j->free = index;
	return joint->ticket;
}
