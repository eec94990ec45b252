/*
 * Balance between the members of a shared group (lib/flow/share.h), for spin: what must come in the end. Members look at
 * who holds what, at different times and so with views that differ; who holds more than its target gives, who holds less
 * takes what is free. The target: shards through members, and one of the rest for those that hold most (then by name).
 * Members come at any time, and one leaves; after that, whatever the order of steps: all is held, and nobody holds two
 * more than another, for ever.
 */
#ifndef N
#define N 3 /* members */
#endif
#ifndef S
#define S 4 /* shards */
#endif
#ifndef LEAVES
#define LEAVES 1
#endif
#define NOBODY N
/* GLANCE: between two looks at all each member looks at the members alone, and acts on that (three members and three
 * shards: seven minutes) */

byte owner[S];
bool in[N];
byte left;

/* member m's view */
byte seen[N * S];
bool knows[N * N];

byte held[N];
bool balanced = false;
hidden byte lo, hi, n_free, n, rank, j, i, his;
#define MOST(a, b) (a > b -> a : b)
#define LEAST(a, b) (a < b -> a : b)

inline judge()
{
	d_step {
		lo = S; hi = 0; n_free = 0; j = 0;
		do
		:: j < N -> if
			:: in[j] -> lo = LEAST(lo, held[j]); hi = MOST(hi, held[j])
			:: else
			fi; j++
		:: else -> break
		od;
		j = 0;
		do
		:: j < S -> if
			:: owner[j] == NOBODY -> n_free++
			:: else
			fi; j++
		:: else -> break
		od;
		balanced = (n_free == 0 && hi <= lo + 1)
	}
}

/* what m should hold, and holds, as it sees the world */
inline reckon(m, mine, target)
{
	n = 0; rank = 0; mine = 0; i = 0;
	do
	:: i < S -> if
		:: seen[m * S + i] == m -> mine++
		:: else
		fi; i++
	:: else -> break
	od;
	j = 0;
	do
	:: j < N -> if
		:: knows[m * N + j] || j == m ->
			n++;
			his = 0; i = 0;
			do
			:: i < S -> if
				:: seen[m * S + i] == j -> his++
				:: else
				fi; i++
			:: else -> break
			od;
			if
			:: his > mine || (his == mine && j < m) -> rank++
			:: else
			fi
		:: else
		fi; j++
	:: else -> break
	od;
#ifdef NO_REST
	target = S / n;
#else
	target = S / n + (rank < S % n -> 1 : 0);
#endif
	n = 0; rank = 0; j = 0; i = 0; his = 0
}

proctype Member(byte m)
{
	byte k, mine, target;
	bool glance;

	d_step { in[m] = true; held[m] = 0 };
	judge();
	do
	:: atomic { left < LEAVES -> left++;
		k = 0;
		do
		:: k < S -> if
			:: owner[k] == m -> owner[k] = NOBODY
			:: else
			fi; k++
		:: else -> break
		od;
		held[m] = 0; in[m] = false; judge(); break }
	:: true ->
		d_step {
			k = 0;
			do
			:: k < S && !glance -> seen[m * S + k] = owner[k]; k++
			:: else -> break
			od;
#ifdef GLANCE
			glance = !glance;
#endif
			k = 0;
			do
			:: k < N -> knows[m * N + k] = in[k]; k++
			:: else -> break
			od;
			k = 0
		};
		/* then as many steps as the view asks for */
		do
		:: d_step { reckon(m, mine, target);
			k = 0;
#ifdef GIVE_AT_TARGET
			if
			:: mine >= target && mine > 0 ->
#else
			if
			:: mine > target ->
#endif
				do
				:: k < S && seen[m * S + k] != m -> k++
				:: else -> break
				od;
				owner[k] = NOBODY; held[m]--; seen[m * S + k] = NOBODY; mine = 1
#ifdef TAKE_BEYOND
			:: mine <= target ->
#else
			:: mine < target ->
#endif
				do
				:: k < S && seen[m * S + k] != NOBODY && (seen[m * S + k] == m || knows[m * N + seen[m * S + k]]) -> k++
				:: else -> break
				od;
				if
				:: k < S && owner[k] == NOBODY -> owner[k] = m; held[m]++; seen[m * S + k] = m; mine = 1
				:: k < S && owner[k] != NOBODY -> mine = 0 /* refused: it looks again */
				:: else -> mine = 0
				fi
			:: else -> mine = 0
			fi; k = 0; target = 0 }
			judge();
			if
			:: mine == 0 -> break
			:: else -> mine = 0
			fi
		od
	od
}

init
{
	atomic {
		i = 0;
		do
		:: i < S -> owner[i] = NOBODY; i++
		:: else -> break
		od;
		i = 0;
		do
		:: i < N -> run Member(i); i++
		:: else -> break
		od;
		i = 0
	}
}

ltl eventually_balanced { <> [] balanced }
