"""
The positions of a window in the middle of the pipe: reader, ryde-window, one sink, and tumbling windows or sessions
over event times. A row carries the very set of records that it was made of, so that a wrong one is told from a right one at
once. Several shards are read in every possible interleaving, in each life anew; any party may be killed before any
step, and the pipeline is then started again.
"""

from collections import namedtuple

from explore import Broken

Setup = namedtuple("Setup", "name times lateness gap drop kills count early filtered room announce mutations")

SIZE = 10  # of a window
FIELDS = dict(times=((3, 12, 25),), lateness=0, gap=0, drop=frozenset(), kills=1, count=0, early=False, filtered=False, room=1, announce=True,
              mutations=frozenset())


def setup(name, **changes):
    """
    times: the event times of each shard's records, in their order; gap: of sessions, 0 for tumbling windows; drop: records (shard, number) that a filter before
    the window drops (marks pass); count: -n of each run, 0 for none; early: in place of a kill the reader may be told to stop; filtered: the
    filter may be killed; announce: the window learns of all shards first.
    """
    return Setup(name=name, **dict(FIELDS, **changes))


At = namedtuple("At", "closed shards")  # shards: (from, seen) each; `from` None: where this life began
State = namedtuple("State", "pos at rows late life lives kills")
Life = namedtuple("Life", "reader window sink lines rows")
Over = namedtuple("Over", "status well")
Reader = namedtuple("Reader", "phase base start next record heard up half status writes")
Window = namedtuple("Window", "live known stored first seen tops closed fired open out moved ended status reads")
Sink = namedtuple("Sink", "taken due ended status")
READING, CLOSED, DEAD = "reading", "closed", "dead"
KILLED = 137
ANNOUNCE, RECORD, MARK, END, ROW = "announce", "record", "mark", "end", "row"


def put(items, index, value):
    return items[:index] + (value,) + items[index + 1:]


class Windows:
    """The model: initial, steps and final for explore()."""

    def __init__(self, config):
        self.c = config
        self.mutations = config.mutations
        self.n_shards = len(config.times)
        self.records = [(s, q) for s, times in enumerate(config.times) for q in range(1, len(times) + 1)]
        self.bits = {r: 1 << i for i, r in enumerate(self.records)}
        self.max_lives = 1 + config.kills + (len(self.records) if config.count else 0)
        self.expected, self.expected_late = self.undisturbed()

    def end_of(self, window):
        return (window + 1) * SIZE

    def time(self, s, q):
        return self.c.times[s][q - 1]

    def undisturbed(self):
        """
        What one run makes of the stream, computed another way: record by record for one shard; for several, where
        only configurations without late records have one answer, every record of each window that closes.
        """
        rows, late, taken = {}, 0, [r for r in self.records if r not in self.c.drop]
        if self.n_shards == 1:
            mark, masks = -1, {}
            for s, q in taken:
                window = self.time(s, q) // SIZE
                if self.end_of(window) <= mark:
                    late |= self.bits[s, q]
                else:
                    masks[window] = masks.get(window, 0) | self.bits[s, q]
                mark = max(mark, self.time(s, q) - self.c.lateness)
        else:
            mark = min(max(self.time(s, q) for s, q in taken if s == shard) for shard in range(self.n_shards))
            mark -= self.c.lateness
            masks = {}
            for s, q in taken:
                window = self.time(s, q) // SIZE
                masks[window] = masks.get(window, 0) | self.bits[s, q]
        rows = frozenset((w, m) for w, m in masks.items() if self.end_of(w) <= mark)
        return rows, late

    # ---- beginning and end ----

    def new_life(self, state):
        k = self.n_shards
        reader = Reader(READING, state.pos, state.at, tuple(p + 1 for p in state.pos), (0,) * k, None, None, None,
                        None, True)
        window = Window(False, (False,) * k, None, (0,) * k, (0,) * k, (None,) * k, -1, -1, (), (), False, False,
                        None, True)
        lines = ((ANNOUNCE, 0, 0),) if self.c.announce else ()
        return Life(reader, window, Sink(None, None, False, None), lines, ())

    def initial(self):
        first = State((0,) * self.n_shards, None, frozenset(), 0, None, 1, self.c.kills)
        return first._replace(life=self.new_life(first))

    def final(self, state):
        missing = self.expected - state.rows
        if missing:
            raise Broken("windows: no row missing", "window %s has no row" % (min(missing)[0],))
        if self.expected_late & ~state.late:
            raise Broken("windows: late records", "a late record was told nobody")
        if not isinstance(state.life, Over):
            raise Broken("nothing hangs", "a party neither ends nor can do anything")
        seen = state.at and tuple(x[1] for x in state.at.shards)
        if seen != tuple(len(t) for t in self.c.times):
            raise Broken("the end is reached", "the stored positions stay at %s" % (seen,))
        if not state.life.well and (state.kills == self.c.kills or state.kills == 0 and
                                    state.lives == self.max_lives):
            raise Broken("exit status", "an undisturbed run did not end with 0")

    # ---- steps ----

    def steps(self, state):
        self.state, self.life, self.out = state, state.life, []
        if isinstance(state.life, Over):
            if self.again(state):
                self.out.append(("is started again", state._replace(life=self.new_life(state), lives=state.lives + 1)))
            return self.out
        if self.eager_step():
            return self.out
        self.reader_steps()
        if self.life.window.status is None:
            self.window_steps()
        if self.life.sink.status is None:
            self.sink_steps()
        if state.kills:
            self.kill_steps()
        return self.out

    def again(self, state):
        if state.lives >= self.max_lives:
            return False
        left = state.at is None or any(x[1] < len(t) for x, t in zip(state.at.shards, self.c.times))
        return state.life.status != 0 or (self.c.count > 0 or self.c.early) and left

    def go(self, label, life, **changes):
        r, w, s = life.reader, life.window, life.sink
        if r.status is not None and w.status is not None and s.status is not None:
            life = Over(r.status, r.status == w.status == s.status == 0)
        self.out.append(("%d: %s" % (self.state.lives, label), self.state._replace(life=life, **changes)))

    def broken(self, rule, text, label):
        raise Broken(rule, text, "%d: %s" % (self.state.lives, label))

    def eager_step(self):
        """Ends that nobody could tell from later ones are taken at once."""
        life = self.life
        if life.reader.phase != DEAD:
            return False
        if life.window.status is None:
            self.go("the window hears that the reader is gone", self.window_ends(life, 75))
            return True
        if life.sink.status is None and life.sink.taken is None:
            self.go("the sink hears that the reader is gone", self.sink_ends(life, 75))
            return True
        return False

    def kill_steps(self):
        life, kills = self.life, self.state.kills - 1
        if life.reader.phase != DEAD:
            self.go("the reader is killed", self.reader_ends(life, KILLED), kills=kills)
        if self.c.filtered and life.reader.writes:
            self.go("the filter is killed", life._replace(lines=(), reader=life.reader._replace(writes=False)),
                    kills=kills)
        if self.c.early and life.reader.phase == READING and len(life.lines) < self.c.room:
            self.go("the reader is told to stop, and prints the end mark", self.print_end(life), kills=kills)
        if life.window.status is None:
            self.go("the window is killed", self.window_ends(life, KILLED), kills=kills)
        if life.sink.status is None:
            self.go("the sink is killed", self.sink_ends(life, KILLED), kills=kills)

    def reader_ends(self, life, status):
        return life._replace(reader=life.reader._replace(phase=DEAD, status=status, writes=False, up=None, half=None))

    def window_ends(self, life, status):
        blank = self.new_life(self.state).window
        return life._replace(window=blank._replace(status=status, reads=False), lines=())

    def sink_ends(self, life, status):
        return life._replace(sink=Sink(None, None, False, status), rows=())

    # ---- the reader ----

    def reader_steps(self):
        life, r = self.life, self.life.reader
        if r.phase == DEAD:
            return
        if r.half is not None:
            self.go("the reader stores the window's positions", life._replace(reader=r._replace(half=None)),
                    at=r.half)
            return
        if r.up is not None:
            self.hear()
        if r.phase == READING:
            self.print_steps()
        elif life.window.status is not None and life.sink.status is not None and r.up is None:
            complete = self.complete(r)
            if not complete and life.window.status == life.sink.status == 0:
                self.broken("exit status", "all is done, or seen before, and yet the reader ends with 75",
                            "the reader ends")
            self.go("the reader ends", self.reader_ends(life, 0 if complete else 75))

    def complete(self, r):
        at = r.heard or (r.start if "stored seen forgotten" not in self.mutations else None)
        # what an earlier life's window had seen is counted already
        return all(q == 0 or at is not None and at.shards[s][1] >= q for s, q in enumerate(r.record))

    def counted(self, r):
        """How many records -n takes for printed: what a window has seen in an earlier life is not among them."""
        n = 0
        for s, q in enumerate(r.record):
            seen = r.start.shards[s][1] if r.start and "count from the start" not in self.mutations else r.base[s]
            n += max(0, q - seen) if q else 0
        return n

    def print_steps(self):
        life, r = self.life, self.life.reader
        if not life.window.reads or not r.writes:
            self.go("the reader gets SIGPIPE", self.reader_ends(life, 141))
            return
        if len(life.lines) >= self.c.room:
            return
        ended = self.c.count and self.counted(r) >= self.c.count
        for s, times in enumerate(self.c.times):
            q = r.next[s]
            if q <= len(times) and not ended:
                kind = MARK if (s, q) in self.c.drop else RECORD
                self.go("the reader prints %s %d of shard %d" % (kind, q, s), life._replace(
                    lines=life.lines + ((kind, s, q),),
                    reader=r._replace(next=put(r.next, s, q + 1), record=put(r.record, s, q))))
        if ended or all(r.next[s] > len(times) for s, times in enumerate(self.c.times)):
            self.go("the reader prints the end mark", self.print_end(life))

    def print_end(self, life):
        return life._replace(lines=life.lines + ((END, 0, 0),),
                             reader=life.reader._replace(phase=CLOSED, writes=False))

    def hear(self):
        """Rule "Windows": `at` is stored whole, `from` null stands for where this life began."""
        life, r = self.life, self.life.reader
        label = "the reader hears of the window's positions"
        shards = tuple((r.base[s] if x[0] is None else x[0], x[1]) for s, x in enumerate(r.up.shards))
        at = At(r.up.closed, shards)
        pos = tuple(x[0] for x in shards)
        life = life._replace(reader=r._replace(up=None, heard=at))
        if "two transactions" in self.mutations:
            self.go(label, life._replace(reader=life.reader._replace(half=at)), pos=pos)
            return
        self.check_safe(at, pos, label)
        self.go(label, life, pos=pos, at=at)

    def check_safe(self, at, pos, label):
        if self.state.at and any(x[1] < y[1] for x, y in zip(at.shards, self.state.at.shards)):
            self.broken("position safety", "`seen` runs back", label)
        for window, mask in self.expected - self.state.rows:
            if self.end_of(window) <= at.closed:
                self.broken("position safety", "`closed` passes window %s, whose row is not written" % (window,), label)
            for s, q in self.records:
                if mask & self.bits[s, q] and q <= pos[s]:
                    self.broken("position safety", "`from` passes record %d of shard %d, whose window is not written"
                                % (q, s), label)

    # ---- the window ----

    def window_steps(self):
        life, w = self.life, self.life.window
        if life.sink.status is not None and (w.out or not w.ended):
            self.go("the window gets SIGPIPE", self.window_ends(life, 141))
            return
        if w.out:
            if len(life.rows) < self.c.room:
                self.go("the window prints %s" % w.out[0][0], life._replace(
                    rows=life.rows + (w.out[0],), window=w._replace(out=w.out[1:])))
            return
        if w.ended:
            self.go("the window ends", self.window_ends(life, 0))
            return
        if w.moved and self.reached(w):
            at = self.at(w)
            self.go("the window makes a mark", life._replace(
                window=w._replace(moved=False, out=((MARK, None, at),))))
        if life.lines:
            self.window_takes(life.lines[0], life._replace(lines=life.lines[1:]))
        elif not life.reader.writes:
            self.unclean_end()

    def unclean_end(self):
        """Rule 3: nothing that only an end would justify."""
        life, w = self.life, self.life.window
        if "flush at an unclean end" in self.mutations and w.open:
            out = tuple((ROW, x, None) for x in w.open)
            self.go("the window closes all", life._replace(window=w._replace(open=(), out=out)))
        else:
            self.go("the window finds an unclean end", self.window_ends(life, 75))

    def connect(self, w):
        stored = self.life.reader.start
        if stored is None:
            return w._replace(live=True)
        if "from and seen swapped" in self.mutations:
            stored = stored._replace(shards=tuple((b, a) for a, b in stored.shards))
        closed = -1 if "closed forgotten" in self.mutations else stored.closed
        return w._replace(live=True, stored=stored, known=(True,) * self.n_shards, closed=closed, fired=closed,
                          seen=tuple(x[0] for x in stored.shards))

    def reached(self, w):
        if w.stored is None or "emits at once" in self.mutations:
            return True
        return all(seen >= x[1] for seen, x in zip(w.seen, w.stored.shards))

    def window_takes(self, line, life):
        """`life` is without the line."""
        kind, s, q = line
        w = life.window if life.window.live else self.connect(life.window)
        late = self.state.late
        if kind == ANNOUNCE:
            self.go("the window learns of the shards", life._replace(
                window=w._replace(known=(True,) * self.n_shards)))
            return
        if kind == END:
            at = self.at(w) if self.reached(w) or "at before seen" in self.mutations else None
            self.go("the window takes the end mark", life._replace(
                window=w._replace(ended=True, out=((END, None, at),))))
            return
        seen_before = w.stored is not None and q <= w.stored.shards[s][1]
        w = w._replace(known=put(w.known, s, True), seen=put(w.seen, s, q), moved=True)
        if kind == RECORD:
            time = self.time(s, q)
            taken = self.take(w, s, q)
            if taken is None and not seen_before:
                late |= self.bits[s, q]
            w = w._replace(first=put(w.first, s, w.first[s] or q), open=w.open if taken is None else taken,
                           tops=put(w.tops, s, max(time, w.tops[s] if w.tops[s] is not None else time)))
        self.go("the window takes %s %d of shard %d" % (kind, q, s),
                life._replace(window=self.fire(w)), late=late)

    def take(self, w, s, q):
        """The open windows with the record, None where it is late or was counted."""
        window = self.time(s, q) // SIZE
        if self.end_of(window) <= w.closed:
            return None
        masks = dict(w.open)
        masks[window] = masks.get(window, 0) | self.bits[s, q]
        return tuple(sorted(masks.items()))

    def fire(self, w):
        known = [top for top, k in zip(w.tops, w.known) if k]
        if not self.reached(w) or None in known:
            return w
        mark = min(known) - self.c.lateness
        if mark <= w.closed:
            return w
        w = w._replace(closed=mark)
        rows = tuple(x for x in w.open if self.end_of(x[0]) <= mark)
        if not rows:
            return w
        w = w._replace(open=w.open[len(rows):], moved=False, fired=mark)
        at = self.at(w)
        carrier = 0 if "at on the first row" in self.mutations else len(rows) - 1
        return w._replace(out=tuple((ROW, x, at if i == carrier else None) for i, x in enumerate(rows)))

    def at(self, w):
        needed = 0
        for _, mask in w.open:
            needed |= mask
        shards = []
        for s in range(self.n_shards):
            oldest = min((q for x, q in self.records if x == s and needed & self.bits[s, q]), default=None)
            if oldest is None or "from is seen" in self.mutations:
                shards.append((w.seen[s], w.seen[s]))
            elif oldest == w.first[s]:
                shards.append((None, w.seen[s]))
            else:
                shards.append((oldest - 1, w.seen[s]))
        return At(w.fired if "closed of the last firing" in self.mutations else w.closed, tuple(shards))

    # ---- the sink ----

    def sink_steps(self):
        life, s = self.life, self.life.sink
        alive = life.reader.phase != DEAD
        if s.due is not None:
            if alive:
                self.go("the sink acknowledges", life._replace(
                    sink=s._replace(due=None), reader=life.reader._replace(up=s.due)))
            return
        if s.taken is not None:
            self.effect()
            return
        if s.ended:
            self.go("the sink ends", self.sink_ends(life, 0))
        elif life.rows:
            kind, row, at = life.rows[0]
            life = life._replace(rows=life.rows[1:])
            if kind == ROW:
                after = s._replace(taken=(row, at))
                if "ack first" in self.mutations and at is not None:
                    life = life._replace(reader=life.reader._replace(up=at))
            else:
                after = s._replace(due=at, ended=kind == END)
            self.go("the sink takes %s" % kind, life._replace(sink=after))
        elif life.window.status is not None:
            self.go("the sink finds an unclean end", self.sink_ends(life, 75))

    def effect(self):
        life, s = self.life, self.life.sink
        row, at = s.taken
        if life.reader.phase == DEAD:
            self.go("the sink hears that the reader is gone", self.sink_ends(life, 75))
            at = None
        if row not in self.expected:
            records = ["%d of shard %d" % (q, x) for x, q in self.records if row[1] & self.bits[x, q]]
            self.broken("windows: no wrong row", "window %s has a row of records %s" % (row[0], ", ".join(records)),
                        "the sink writes the row of window %s" % (row[0],))
        self.go("the sink writes the row of window %s" % (row[0],),
                life._replace(sink=s._replace(taken=None, due=at)), rows=self.state.rows | {row})


class Sessions(Windows):
    """
    Sessions of one key. A record is late by its own shard's watermark, which follows from the shard alone and is
    kept with `from` (here: top(shard, from)); the overall one decides only when a session is over.
    """

    def end_of(self, window):
        return window[1] + self.c.gap

    def top(self, s, q):
        """The newest time of a shard up to record q, of what no filter drops."""
        times = [self.time(s, x) for x in range(1, q + 1) if (s, x) not in self.c.drop]
        return max(times) if times else None

    def is_late(self, s, q, top):
        return top is not None and self.time(s, q) < top - self.c.lateness

    def joined(self, sessions, s, q):
        time, mask, rest = self.time(s, q), self.bits[s, q], []
        first = last = time
        for (f, l), other in sessions:
            if time - l < self.c.gap and f - time < self.c.gap:
                first, last, mask = min(first, f), max(last, l), mask | other
            else:
                rest.append(((f, l), other))
        return tuple(sorted(rest + [((first, last), mask)]))

    def undisturbed(self):
        late, sessions = 0, ()
        for s, q in self.records:
            if (s, q) in self.c.drop:
                continue
            if self.is_late(s, q, self.top(s, q - 1)):
                late |= self.bits[s, q]
            else:
                sessions = self.joined(sessions, s, q)
        mark = min(self.top(s, len(times)) for s, times in enumerate(self.c.times)) - self.c.lateness
        return frozenset(x for x in sessions if self.end_of(x[0]) <= mark), late

    def connect(self, w):
        w = super().connect(w)
        if w.stored is None:
            return w
        return w._replace(tops=tuple(self.top(s, x[0]) for s, x in enumerate(w.stored.shards)))

    def take(self, w, s, q):
        if "late by the overall watermark" in self.mutations:
            late = self.time(s, q) + self.c.gap <= w.closed
        else:
            late = self.is_late(s, q, w.tops[s])
        return None if late else self.joined(w.open, s, q)

    def fire(self, w):
        if w.stored is not None and self.reached(w) and "given out again" not in self.mutations:
            # whole, they are those that an earlier life has given out
            w = w._replace(open=tuple(x for x in w.open if self.end_of(x[0]) > w.stored.closed))
        return super().fire(w)
