/*
 * Simulated time: events one after the other, a random number that follows from the seed,
 * and what was found to be wrong. True time is in ms from 0; the clocks of readers are
 * their own.
 */
#ifndef RYDE_SIM_H
#define RYDE_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first member of what it happens to. Queued at most once. */
struct event {
	struct event *next, **at;
	int64_t due_ms;
	void (*happen)(struct event *e);
};

int64_t sim_now(void);
void sim_seed(uint64_t seed);
/* 0 to below - 1 */
uint64_t sim_any(uint64_t below);
/* 0 to just under 1 */
double sim_unit(void);
/* What must be true, a literal, every time. */
void sim_check(bool good, const char *what);
/* How many of them always were, and how many were not. */
unsigned sim_passed(void);
unsigned sim_failed(void);

/* It happens at due_ms, or in the next millisecond; where it is queued already it is
 * moved. */
void sim_at(struct event *e, int64_t due_ms);
void sim_cancel(struct event *e);
/* Lets time pass. */
void sim_run(int64_t ms);

#endif
