/*
 * A group on AWS that is shared, and is not, and is again (lib/aws/positions_shared.h), for spin: every write is one
 * conditional write of one item, and whoever does the next one may have died, or have been taken for lost, in between.
 *
 * Members are 0 and 1, readers without --share 2 and (TWO) 3; there is one shard. That somebody is lost is not made up here:
 * `expired` comes at any time, and says that it delivers nothing more, as share.pml shows; it may still write. Checked:
 * no two deliver the shard at once; positions are true, and never go back, whatever the group is at that moment.
 *
 * tests/model/share.py runs it as it is, where spin must find nothing, and with one rule broken at a time, where it must.
 */
#ifndef R
#define R 2 /* records */
#endif
#ifndef CRASHES
#define CRASHES 1
#endif
#ifndef EXPIRIES
#define EXPIRIES 1
#endif
#define N 2 /* members, and as many readers without --share */
#define NOBODY 15
#define IS_LOST(x) (dead[x] || expired[x])

/* the table: the group's item, the shard's, the members' */
byte g_owner = NOBODY, g_version, g_pos;
bool g_shared;
bool s_is;
byte s_member = NOBODY, s_epoch, s_pos;
bool m_is[N];

bool dead[2 * N], expired[2 * N], holds[2 * N];
byte expiries, crashes;
bool handled[R];
byte reached; /* the group's position, wherever it stood */

#define MAX(a, b) ((a) > (b) -> (a) : (b))
#define POSITION (s_is -> MAX(g_pos, s_pos) : g_pos)

inline check()
{
	assert(POSITION >= reached);
	reached = POSITION;
	assert((reached < 1 || handled[0]) && (reached < 2 || handled[1]))
}

/* x has the shard from here on, as it thinks */
inline have(x)
{
	holds[x] = true;
	assert(!(holds[0] && !IS_LOST(0) && x != 0) || IS_LOST(x));
	assert(!(holds[1] && !IS_LOST(1) && x != 1) || IS_LOST(x));
	assert(!(holds[2] && !IS_LOST(2) && x != 2) || IS_LOST(x));
	assert(!(holds[3] && !IS_LOST(3) && x != 3) || IS_LOST(x))
}

inline drop(x)
{
	holds[x] = false
}

/* it may die between any two steps */
#define MAY_DIE(x) \
	:: atomic { crashes < CRASHES -> crashes++; dead[x] = true; goto gone }

proctype Member(byte m)
{
	byte version, owner, epoch, at;
	bool free;

	/* who owns the group */
again:
	atomic { version = g_version; owner = g_owner };
	if
	:: owner != NOBODY && !IS_LOST(owner) -> goto gone
	:: else
	fi;
#ifndef JOIN_FIRST
	if
	:: m_is[m] = true
	MAY_DIE(m)
	fi;
#endif
	if
	:: atomic { g_owner == NOBODY || (g_owner == owner && g_version == version) ->
		g_owner = NOBODY; g_shared = true;
#ifndef NO_VERSION
		g_version++
#endif
		}
	:: atomic { !(g_owner == NOBODY || (g_owner == owner && g_version == version)) -> m_is[m] = false; goto again }
	MAY_DIE(m)
	fi;
#ifdef JOIN_FIRST
	if
	:: m_is[m] = true
	MAY_DIE(m)
	fi;
#endif
	do
	/* expelled: it finds out when it beats */
	:: atomic { !m_is[m] -> drop(m); goto gone }
	:: atomic { !holds[m] && !expired[m] -> free = !s_is || s_member == NOBODY || (s_member < N && !m_is[s_member]);
		epoch = (s_is -> s_epoch : 0); owner = (s_is -> s_member : NOBODY) };
		if
		:: atomic { free && (s_is -> (s_epoch == epoch && s_member == owner) : epoch == 0) ->
			s_pos = (s_is -> s_pos : 0); s_is = true; s_member = m; s_epoch = epoch + 1;
			epoch = s_epoch; at = MAX(g_pos, s_pos);
			if
			:: !expired[m] -> have(m)
			:: else -> holds[m] = true
			fi; check() }
		:: atomic { !(free && (s_is -> (s_epoch == epoch && s_member == owner) : epoch == 0)) -> skip }
		MAY_DIE(m)
		fi
	:: atomic { holds[m] && !expired[m] && at < R -> have(m); handled[at] = true; at++ }
	:: atomic { holds[m] && s_is && s_member == m && s_epoch == epoch && s_pos < at -> s_pos = at; check() }
	:: atomic { holds[m] && !(s_is && s_member == m && s_epoch == epoch) -> drop(m); goto gone }
	:: atomic { holds[m] && s_is && s_member == m && s_epoch == epoch && s_pos == at -> s_member = NOBODY; drop(m); m_is[m] = false; goto gone }
	:: atomic { drop(m); m_is[m] = false; goto gone }
	MAY_DIE(m)
	od;
gone:
	skip
}

proctype Plain(byte p)
{
	byte version, epoch, pos, map, at, i;
	bool shared, is;

again:
	atomic { version = g_version; shared = g_shared; map = g_pos;
		if
		:: g_owner != NOBODY && !IS_LOST(g_owner) -> goto gone
		:: else
		fi };
	/* the members, one by one: those that are lost are deleted, while they are */
	i = 0;
	do
	:: atomic { i < N && shared && m_is[i] && IS_LOST(i) -> m_is[i] = false }
	:: atomic { i < N && shared && m_is[i] && !IS_LOST(i) -> goto gone }
	:: atomic { i < N && (!shared || !m_is[i]) -> i++ }
	:: i == N -> break
	MAY_DIE(p)
	od;
	if
#ifdef TAKE_BLIND
	:: atomic { g_owner == NOBODY || IS_LOST(g_owner) -> g_owner = p; g_version++; shared = g_shared }
#else
	:: atomic { g_version == version && (g_owner == NOBODY || IS_LOST(g_owner)) -> g_owner = p; g_version++ }
	:: atomic { !(g_version == version && (g_owner == NOBODY || IS_LOST(g_owner))) -> goto again }
#endif
	MAY_DIE(p)
	fi;
	do
	:: !shared -> break
	:: shared ->
		atomic { is = s_is; epoch = s_epoch; pos = (s_is -> s_pos : 0) };
		if
		:: !is ->
			if
			:: atomic { g_owner == p -> g_shared = false; shared = false }
			:: atomic { g_owner != p -> goto gone }
			MAY_DIE(p)
			fi
		:: else ->
			map = MAX(map, pos);
#ifndef DELETE_FIRST
			if
			:: atomic { g_owner == p -> g_pos = map; check() }
			:: atomic { g_owner != p -> goto gone }
			MAY_DIE(p)
			fi;
#endif
			if
#ifdef DELETE_BLIND
			:: atomic { s_is = false; s_pos = 0; s_epoch = 0; s_member = NOBODY; check() }
#else
			:: atomic { s_is && s_epoch == epoch && s_pos == pos ->
				s_is = false; s_pos = 0; s_epoch = 0; s_member = NOBODY; check() }
			:: atomic { !(s_is && s_epoch == epoch && s_pos == pos) -> skip }
#endif
			MAY_DIE(p)
			fi
		fi
	od;
	at = map;
	do
	:: atomic { !expired[p] && at < R && g_owner == p -> have(p); handled[at] = true; at++ }
	:: atomic { g_owner == p && g_pos < at -> g_pos = at; g_version++; check() }
	:: atomic { g_owner != p -> drop(p); goto gone }
	:: atomic { drop(p); if
		:: g_owner == p -> g_owner = NOBODY; g_version++
		:: else
		fi; goto gone }
	MAY_DIE(p)
	od;
gone:
	skip
}

/* Somebody is taken for lost, and is not dead. */
proctype Lose()
{
	byte x;

	do
	:: atomic { expiries < EXPIRIES -> select(x : 0 .. 2); expired[x] = true; expiries++ }
	:: expiries == EXPIRIES -> break
	od
}

init
{
	atomic {
		run Member(0);
		run Member(1);
		run Plain(2);
#ifdef TWO /* takes minutes */
		run Plain(3);
#endif
		run Lose()
	}
}
