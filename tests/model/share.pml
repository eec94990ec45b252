/*
 * Leases of shards between the members of a shared group (lib/flow/share.h), for spin: what may never happen.
 *
 * A member beats; the others delete it only while its beat is the one that they have watched for a whole lease, on their
 * own clocks; only then do they take its shards. It delivers only while its own clock says that its last beat, counted
 * from when it was SENT, is younger than a lease. Clocks run at one rate and are never compared: the store holds no time.
 *
 * Beats are not counted here: `news` says that a member has beaten since an observer looked, which is all a count tells.
 * A step of Clock may come between any two steps of a member: that is a member which is slow, or stopped.
 *
 * tests/model/share runs it as it is, where spin must find nothing, and with one rule broken at a time, where it must.
 */
#ifndef N
#define N 2 /* members */
#endif
#ifndef S
#define S 2 /* shards; the last one is the child of shard 0 where FAMILY is defined */
#endif
#ifndef R
#define R 2 /* records of a shard */
#endif
#ifndef LEASE
#define LEASE 2
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#define NOBODY N

/* the store */
bool is[N];
byte owner[S];
byte pos[S];
bool done[S];

/* what members know, and their clocks */
bool news[N * N];
byte watched[N * N]; /* how long the observer has seen one beat */
byte age[N], sent[N]; /* since the last beat that counts, and since the one under way, was sent */
byte phase[N]; /* of the beat: 0 none, 1 sent, 2 applied, 3 refused */
bool alive[N];
bool mine[S * N], draining[S * N];
byte printed[S * N], acked[S * N];

bool handled[S * R];
byte crashed;

#define AT(m, s) ((m) * S + (s))
#define SEEN(o, m) ((o) * N + (m))
#define HOLDS(m, s) (owner[s] == (m))

inline tell_all(m)
{
	byte o_;
	o_ = 0;
	do
	:: o_ < N -> news[SEEN(o_, m)] = true; o_++
	:: else -> break
	od;
	o_ = 0
}

inline stop(m)
{
	byte s_;
	alive[m] = false;
	s_ = 0;
	do
	:: s_ < S -> mine[AT(m, s_)] = false; draining[AT(m, s_)] = false;
		printed[AT(m, s_)] = 0; acked[AT(m, s_)] = 0; s_++
	:: else -> break
	od;
	s_ = 0; age[m] = LEASE; sent[m] = LEASE; phase[m] = 0
}

#ifdef FAMILY
#define CHILD(s) (S > 1 && (s) == S - 1)
#else
#define CHILD(s) false
#endif
#ifdef CHILD_EARLY
#define READY(s) (!done[s])
#else
#define READY(s) (!done[s] && (!CHILD(s) || done[0]))
#endif
#ifdef NO_EXPIRY
#define YOUNG(m) true
#else
#define YOUNG(m) (age[m] < LEASE)
#endif
#ifdef EXPEL_EARLY
#define WAIT (LEASE - 1)
#else
#define WAIT LEASE
#endif
#ifdef EXPEL_BLIND
#define UNCHANGED(o, m) true
#else
#define UNCHANGED(o, m) (!news[SEEN(o, m)])
#endif
#ifdef TAKE_UNEXPELLED
#define FREE(o, s) (owner[s] == NOBODY || owner[s] != (o) && watched[SEEN(o, owner[s])] >= WAIT)
#else
#define FREE(o, s) (owner[s] == NOBODY || !is[owner[s]])
#endif
#ifdef POS_OF_PRINTED
#define WORTH(m, s) printed[AT(m, s)]
#else
#define WORTH(m, s) acked[AT(m, s)]
#endif
#ifdef COMMIT_BLIND
#define FENCED(m, s) true
#else
#define FENCED(m, s) HOLDS(m, s)
#endif
#ifdef GIVE_EARLY
#define DRAINED(m, s) true
#else
#define DRAINED(m, s) (pos[s] == printed[AT(m, s)])
#endif

/* the steps of member m with shard s */
#ifdef GIVE_EARLY
#define FORGET(m, s) skip
#else
#define FORGET(m, s) mine[AT(m, s)] = false; printed[AT(m, s)] = 0; acked[AT(m, s)] = 0
#endif
#define TAKE(m, s) \
	atomic { alive[m] && !mine[AT(m, s)] && READY(s) && FREE(m, s) && owner[s] != m && YOUNG(m) -> \
		owner[s] = m; mine[AT(m, s)] = true; printed[AT(m, s)] = pos[s]; acked[AT(m, s)] = pos[s] }
/* nobody delivers a shard that is another's; a child's first record comes after its parents' last one */
#define DELIVER(m, s) \
	atomic { mine[AT(m, s)] && !draining[AT(m, s)] && printed[AT(m, s)] < R && YOUNG(m) -> \
		assert(HOLDS(m, s)); assert(!CHILD(s) || pos[0] == R); printed[AT(m, s)]++ }
/* nor is it handled by two at once, but for what a member that was stopped for its lease has in its pipe */
#define HANDLE(m, s) \
	atomic { mine[AT(m, s)] && acked[AT(m, s)] < printed[AT(m, s)] -> \
		assert(HOLDS(m, s) || age[m] >= LEASE || !is[m]); \
		handled[s * R + acked[AT(m, s)]] = true; acked[AT(m, s)]++ }
/* nothing is lost, and no position is moved by one that does not hold its shard */
#define COMMIT(m, s) \
	atomic { mine[AT(m, s)] && WORTH(m, s) > pos[s] && FENCED(m, s) -> \
		assert(HOLDS(m, s)); pos[s] = WORTH(m, s); \
		assert(handled[s * R] && (pos[s] < 2 || handled[s * R + 1])) }
#define DRAIN(m, s) \
	atomic { mine[AT(m, s)] && !draining[AT(m, s)] -> draining[AT(m, s)] = true }
/* its sinks have dropped what they had not begun */
#define GONE(m, s) \
	atomic { mine[AT(m, s)] && draining[AT(m, s)] && printed[AT(m, s)] > acked[AT(m, s)] -> \
		printed[AT(m, s)] = acked[AT(m, s)] }
#define GIVE(m, s) \
	atomic { mine[AT(m, s)] && draining[AT(m, s)] && DRAINED(m, s) -> \
		if \
		:: HOLDS(m, s) -> owner[s] = NOBODY \
		:: else \
		fi; \
		draining[AT(m, s)] = false; FORGET(m, s) }
#define FINISH(m, s) \
	atomic { mine[AT(m, s)] && pos[s] == R && HOLDS(m, s) -> done[s] = true; owner[s] = NOBODY; \
		mine[AT(m, s)] = false; draining[AT(m, s)] = false; printed[AT(m, s)] = 0; acked[AT(m, s)] = 0 }
#define STEPS(m, s) \
	:: TAKE(m, s) \
	:: DELIVER(m, s) \
	:: HANDLE(m, s) \
	:: COMMIT(m, s) \
	:: DRAIN(m, s) \
	:: GONE(m, s) \
	:: GIVE(m, s) \
	:: FINISH(m, s)
/* member m looks at o, and deletes it where it has watched it for long enough */
#define LOOK(m, o) \
	:: atomic { alive[m] && o < N && o != m && news[SEEN(m, o)] -> news[SEEN(m, o)] = false; watched[SEEN(m, o)] = 0 } \
	:: atomic { alive[m] && o < N && o != m && is[o] && watched[SEEN(m, o)] >= WAIT && UNCHANGED(m, o) -> is[o] = false }

proctype Member(byte m)
{
	atomic { is[m] = true; alive[m] = true; age[m] = 0; tell_all(m) };
	do
	:: !alive[m] -> break
	:: atomic { alive[m] && phase[m] == 0 -> sent[m] = 0; phase[m] = 1 }
	:: atomic { alive[m] && phase[m] == 1 -> if
		:: is[m] -> tell_all(m); phase[m] = 2
		:: else -> phase[m] = 3
		fi }
	:: atomic { alive[m] && phase[m] == 2 ->
#ifdef AGE_FROM_ANSWER
		age[m] = 0;
#else
		age[m] = sent[m];
#endif
		sent[m] = LEASE; phase[m] = 0 }
	:: atomic { alive[m] && phase[m] == 3 -> stop(m) }
	LOOK(m, 0)
	LOOK(m, 1)
#if N > 2
	LOOK(m, 2)
#endif
	STEPS(m, 0)
#if S > 1
	STEPS(m, 1)
#endif
	:: atomic { alive[m] && crashed < CRASHES -> crashed++; stop(m) }
	od
}

/* All clocks go on. What has reached a lease stays there. */
proctype Clock()
{
	byte i;

	do
	:: atomic { true -> i = 0; do
		:: i < N -> if
			:: age[i] < LEASE -> age[i]++
			:: else
			fi; if
			:: sent[i] < LEASE -> sent[i]++
			:: else
			fi; i++
		:: else -> break
		od; i = 0; do
		:: i < N * N -> if
			:: watched[i] < LEASE -> watched[i]++
			:: else
			fi; i++
		:: else -> break
		od; i = 0 }
	od
}

init
{
	byte i;

	atomic {
		i = 0;
		do
		:: i < S -> owner[i] = NOBODY; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < N -> age[i] = LEASE; sent[i] = LEASE; run Member(i); i++
		:: else -> break
		od;
		run Clock()
	}
}
