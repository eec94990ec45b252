"""
The acknowledgement protocol between one group's readers and their sinks, without windows. A record is what a position
names: a record of a stream, or one line of an aggregate.

A life is one run of the pipeline: a reader, perhaps a filter, one sink or two, the bounded pipes between them and
a socket from each sink to the reader. Any party may be killed before any of its steps, the reader may be stopped
and woken, and a life that failed is started again. The rules checked are those of ryde-line(5), "Rules"; a
mutation in `Setup.mutations` breaks one of them on purpose.
"""

from collections import namedtuple

from explore import Broken

Setup = namedtuple("Setup", "name shards filter drop sinks parts batch kills stops standby second torn hold bad "
                            "rejects marks room overlap mutations")

DEFAULTS = dict(shards=(3,), filter=None, drop=frozenset(), sinks=1, parts=1, batch=1, kills=1, stops=0,
                standby=False, second=False, torn=False, hold=None, bad=None, rejects=True, marks=False, room=2,
                overlap=False, mutations=frozenset())


def setup(name, **changes):
    """A configuration; see DEFAULTS for what it may change."""
    return Setup(name=name, **dict(DEFAULTS, **changes))


State = namedtuple("State", "pos epoch holder effects lives kills stops")
Life = namedtuple("Life", "reader filter pipes sinks ups downs")
Over = namedtuple("Over", "status well")  # a life without a living party: the reader's status, all ended with 0
Pipe = namedtuple("Pipe", "lines writer reader")
Reader = namedtuple("Reader", "phase stopped epoch base next gen held record marked sinks acked peers frozen status")
Filter = namedtuple("Filter", "alive hand out end status")
Sink = namedtuple("Sink", "phase process taken late due last end torn held failed lazy status")
Line = namedtuple("Line", "kind shard seq gen part")

RECORD, MORE, MARK, END, TORN = "record", "more", "mark", "end", "torn"
STANDBY, READING, ENDED, CLOSED, DEAD = "standby", "reading", "ended", "closed", "dead"
NEW, HELLO, LIVE, EOF = "new", "hello", "live", "eof"
KILLED = 137


def put(items, index, value):
    """The tuple with one item replaced."""
    return items[:index] + (value,) + items[index + 1:]


def push(life, index, line):
    pipe = life.pipes[index]
    return life._replace(pipes=put(life.pipes, index, pipe._replace(lines=pipe.lines + (line,))))


class Acks:
    """The model: initial, steps and final for explore()."""

    def __init__(self, config):
        self.c = config
        self.mutations = config.mutations
        self.n_shards = len(config.shards)
        self.max_lives = 1 + config.kills + config.stops + (1 if config.standby else 0)
        self.bits = {}
        for s, n in enumerate(config.shards):
            for q in range(1, n + 1):
                for part in range(config.parts):
                    self.bits[s, q, part] = 1 << len(self.bits)

    # ---- what must be done ----

    def wanted(self, s, q):
        """The effects of a record: none where the filter drops it, or it is bad and nobody keeps it."""
        if (s, q) in self.c.drop:
            return 0
        mask = 0
        for part in range(self.c.parts):
            mask |= self.bits[s, q, part]
        return mask

    def done(self, effects, s, q):
        mask = self.wanted(s, q)
        return all(e & mask == mask for e in effects)

    # ---- beginning and end ----

    def new_life(self):
        c = self.c
        k = self.n_shards
        reader = Reader(STANDBY, False, 0, (0,) * k, (0,) * k, (0,) * k, (False,) * k, (None,) * k, (0,) * k, 0,
                        ((None,) * k,) * c.sinks, (0,) * c.sinks, False, None)
        a_filter = Filter(True, None, (), False, None) if c.filter else None
        pipes = (Pipe((), True, True),) * (1 + c.sinks if c.filter else 1)
        return Life(reader, a_filter, pipes, (self.new_sink(0),) * c.sinks, ((),) * c.sinks, ((),) * c.sinks)

    def new_sink(self, process):
        k = self.n_shards
        return Sink(NEW, process, (), False, (), (0,) * k, False, False, (-1,) * k, False, 0, None)

    def initial(self):
        c = self.c
        lives = (self.new_life(),) * (2 if c.standby else 1)
        return State((0,) * self.n_shards, 0, -1, (0,) * c.sinks, lives, c.kills, c.stops)

    def final(self, state):
        c = self.c
        if c.bad and not c.rejects:
            s, q = c.bad
            if state.pos[s] >= q:
                raise Broken("rule 4, rejects", "the position passes the line that cannot be handled")
            return
        for s, n in enumerate(c.shards):
            for q in range(1, n + 1):
                if not self.done(state.effects, s, q):
                    raise Broken("at least once", "record %d of shard %d has no effect" % (q, s))
            if state.pos[s] != n and not (c.filter == "grep without marks" and (s, n) in c.drop):
                raise Broken("the end is reached", "the position of shard %d stays at %d" % (s, state.pos[s]))
        last = state.lives[-1]
        if not isinstance(last, Over):
            raise Broken("nothing hangs", "a party neither ends nor can do anything")
        if not last.well and last.status != KILLED and state.kills == c.kills and state.stops == c.stops:
            raise Broken("exit status", "nobody was disturbed, and yet a party did not end with 0")
        if not last.well and len(state.lives) == self.max_lives and state.kills == 0 and c.kills > 0 and not c.standby:
            raise Broken("exit status", "the last run was left alone, and yet a party did not end with 0")

    # ---- steps ----

    def lost(self, reader):
        """The reader died. One that ended with 0 has told every connection before that all is done."""
        return reader.phase == DEAD and (reader.status != 0 or "leaves untold" in self.mutations)

    def steps(self, state):
        out = []
        for i, life in enumerate(state.lives):
            if isinstance(life, Over):
                continue
            self.i, self.state, self.life, self.out = i, state, life, out
            if self.eager_step():
                return out[-1:]
            self.reader_steps()
            if life.filter:
                self.filter_steps()
            for j in range(self.c.sinks):
                self.sink_steps(j)
            if state.kills:
                self.kill_steps()
        self.start_step(state, out)
        return out

    def eager_step(self):
        """
        A step that changes nothing another party could see or depend on is taken at once, alone: the other orders
        lead to the same states.
        """
        life = self.life
        r, f = life.reader, life.filter
        if f and f.alive and self.lost(r) and "reads on" not in self.mutations and not self.c.torn:
            self.go("the filter has nobody to read from", self.filter_ends(life, 75))
            return True
        for j, sink in enumerate(life.sinks):
            if sink.phase != DEAD and self.lost(r) and not sink.taken and "reads on" not in self.mutations and \
                    not (sink.phase == NEW and not life.pipes[self.pipe_of(j)].lines):
                self.go("sink %d hears that the reader is gone (rule 2)" % j, self.sink_ends(life, j, 75))
                return True
            if sink.phase == HELLO and life.downs[j]:
                self.sink_waits(j, False)
                return True
            if r.phase != DEAD and not r.stopped and not r.frozen and life.ups[j] and \
                    life.ups[j][0][0] in ("hello", "bye"):
                self.hear(j)
                return True
        return False

    def go(self, label, life, **changes):
        """One more step: this life becomes `life`, the rest of the state as in changes."""
        if life.reader.phase == DEAD and not (life.filter and life.filter.alive) and \
                all(s.phase == DEAD for s in life.sinks):
            well = life.reader.status == 0 and not (life.filter and life.filter.status) and \
                all(s.status == 0 for s in life.sinks)
            life = Over(life.reader.status, well)
        lives = put(self.state.lives, self.i, life)
        self.out.append(("%d: %s" % (self.i + 1, label), self.state._replace(lives=lives, **changes)))

    def broken(self, rule, text, label):
        raise Broken(rule, text, "%d: %s" % (self.i + 1, label))

    def start_step(self, state, out):
        last = state.lives[-1]
        if len(state.lives) >= self.max_lives:
            return
        if isinstance(last, Over):
            failed = last.status != 0
        else:
            failed = last.reader.stopped or self.c.overlap and last.reader.status not in (None, 0)
        if failed:
            out.append(("%d: is started" % (len(state.lives) + 1),
                        state._replace(lives=state.lives + (self.new_life(),))))

    # ---- ends of parties ----

    def reader_ends(self, life, status):
        pipe = life.pipes[0]
        return life._replace(reader=life.reader._replace(phase=DEAD, stopped=False, status=status),
                             pipes=put(life.pipes, 0, pipe._replace(writer=False)), ups=((),) * self.c.sinks)

    def filter_ends(self, life, status):
        pipes = (life.pipes[0]._replace(reader=False, lines=()),) + \
            tuple(p._replace(writer=False) for p in life.pipes[1:])
        return life._replace(filter=Filter(False, None, (), False, status), pipes=pipes)

    def pipe_of(self, j):
        return 1 + j if self.c.filter else 0

    def sink_ends(self, life, j, status, bye=False):
        """A second process may read on from the same pipe, as in (ryde-put A; ryde-put B)."""
        sink = life.sinks[j]
        again = self.c.second and sink.process == 0 and status != 0
        if life.reader.phase != DEAD and sink.phase != NEW:
            message = ("bye",) if bye else ("gone",)
            life = life._replace(ups=put(life.ups, j, life.ups[j] + (message,)))
        if again:
            return life._replace(sinks=put(life.sinks, j, self.new_sink(1)), downs=put(life.downs, j, ()))
        k = self.pipe_of(j)
        ended = self.new_sink(sink.process)._replace(phase=DEAD, status=status)
        return life._replace(sinks=put(life.sinks, j, ended), downs=put(life.downs, j, ()),
                             pipes=put(life.pipes, k, life.pipes[k]._replace(reader=False, lines=())))

    def kill_steps(self):
        life, kills = self.life, self.state.kills - 1
        r, f = life.reader, life.filter
        if r.phase != DEAD:
            self.go("the reader is killed", self.reader_ends(life, KILLED), kills=kills)
            if self.c.torn and r.phase == READING and self.room(0):
                for s, n in enumerate(self.c.shards):
                    if r.next[s] <= n:
                        torn = push(life, 0, Line(TORN, s, r.next[s], r.gen[s], 0))
                        self.go("the reader is killed in the middle of a line", self.reader_ends(torn, KILLED),
                                kills=kills)
        if f and f.alive:
            self.go("the filter is killed", self.filter_ends(life, KILLED), kills=kills)
            lines = life.pipes[0].lines
            if self.c.torn and lines and lines[0].kind == RECORD and self.room(1):
                torn = push(life, 1, lines[0]._replace(kind=TORN))
                self.go("the filter is killed in the middle of a line", self.filter_ends(torn, KILLED), kills=kills)
        for j, sink in enumerate(life.sinks):
            if sink.phase != DEAD:
                self.go("sink %d is killed" % j, self.sink_ends(life, j, KILLED), kills=kills)

    # ---- the reader ----

    def room(self, k):
        return len(self.life.pipes[k].lines) < self.c.room

    def place(self, r, s):
        """Up to where all sinks have acknowledged; None where that is nothing yet."""
        if r.sinks < self.c.sinks or any(a[s] is None for a in r.acked):
            return None
        return min(a[s] for a in r.acked)

    def sink_complete(self, r, j):
        return all(r.record[s] is None or r.acked[j][s] is not None and r.acked[j][s] >= r.record[s]
                   for s in range(self.n_shards))

    def complete(self, r):
        if not any(r.record):
            return True
        return r.sinks >= self.c.sinks and all(self.sink_complete(r, j) for j in range(self.c.sinks))

    def reader_steps(self):
        life, r, state = self.life, self.life.reader, self.state
        if r.phase == DEAD:
            return
        if r.stopped:
            self.go("the reader is woken", life._replace(reader=r._replace(stopped=False)))
            return
        if r.phase == STANDBY:
            self.take_lease()
            return
        if r.frozen:
            self.leave(75)
            return
        if any(p == "gone" and not self.sink_complete(r, j) for j, p in enumerate(r.peers)) and \
                "second sink" not in self.mutations:
            self.go("the reader misses a sink (rule 1)", life._replace(reader=r._replace(frozen=True)))
            return
        if state.holder != self.i and "no fencing" not in self.mutations:
            self.leave(75)
        if state.stops and not self.c.hold:
            self.go("the reader is stopped", life._replace(reader=r._replace(stopped=True)), stops=state.stops - 1)
        for j in range(self.c.sinks):
            if life.ups[j]:
                self.hear(j)
        if r.phase == READING:
            self.print_steps()
        elif r.phase == ENDED:
            closed = put(life.pipes, 0, life.pipes[0]._replace(writer=False))
            self.go("the reader closes its output", life._replace(reader=r._replace(phase=CLOSED), pipes=closed))
        else:
            self.end_steps()

    def take_lease(self):
        state, life = self.state, self.life
        holder = state.holder
        if holder >= 0:
            other = state.lives[holder]
            alive = not isinstance(other, Over) and other.reader.phase != DEAD
            if alive and not other.reader.stopped:
                return
        r = life.reader._replace(phase=READING, epoch=state.epoch + 1, base=state.pos,
                                 next=tuple(p + 1 for p in state.pos), marked=state.pos)
        self.go("the reader takes the lease", life._replace(reader=r), epoch=state.epoch + 1, holder=self.i)

    def leave(self, status):
        self.go("the reader ends with %d" % status, self.reader_ends(self.life, status),
                holder=-1 if self.state.holder == self.i else self.state.holder)

    def print_steps(self):
        life, r = self.life, self.life.reader
        if not life.pipes[0].reader:
            self.leave(141)
            return
        if not self.room(0):
            return
        ready = True
        for s, n in enumerate(self.c.shards):
            if r.held[s]:
                ready = False
                continue
            q = r.next[s]
            if q <= n:
                ready = False
                after = r._replace(next=put(r.next, s, q + 1), record=put(r.record, s, (r.gen[s], q)))
                self.go("the reader prints record %d of shard %d" % (q, s),
                        push(life, 0, Line(RECORD, s, q, r.gen[s], 0))._replace(reader=after))
            if self.c.marks and r.marked[s] < q - 1:
                ready = False
                self.go("the reader prints a mark", push(life, 0, Line(MARK, s, q - 1, r.gen[s], 0))._replace(
                    reader=r._replace(marked=put(r.marked, s, q - 1))))
        if ready:
            self.go("the reader prints the end mark", push(life, 0, Line(END, 0, 0, 0, 0))._replace(
                reader=r._replace(phase=ENDED)))

    def end_steps(self):
        life, r = self.life, self.life.reader
        behind = life.sinks + ((life.filter,) if life.filter else ())
        all_over = all(p.status is not None for p in behind) and not any(life.ups)
        if not self.complete(r):
            if all_over:
                self.leave(75)
            return
        for s, last in enumerate(r.record):
            if last is not None and not all(self.done(self.state.effects, s, q) for q in range(1, last[1] + 1)):
                self.broken("exit status", "the reader ends with 0 before everything is done",
                            "the reader ends with 0")
        # once all sinks have come, so has every filter before them: each hears that all is done
        if r.sinks >= self.c.sinks or all_over or "leaves early" in self.mutations:
            self.leave(0)

    def hear(self, j):
        life = self.life
        message, rest = life.ups[j][0], life.ups[j][1:]
        life = life._replace(ups=put(life.ups, j, rest))
        r = life.reader
        kind = message[0]
        if kind == "hello":
            self.hear_hello(life, j)
        elif kind == "ack":
            self.hear_ack(life, j, message)
        elif kind == "hold":
            s, gen = message[1:]
            if gen == r.gen[s] and not r.held[s]:
                r = r._replace(held=put(r.held, s, True), marked=put(r.marked, s, r.next[s] - 1))
            self.go("the reader holds shard %d" % s, life._replace(reader=r))
        elif kind == "resume":
            s, gen = message[1:]
            if gen == r.gen[s] and r.held[s]:
                place = self.place(r, s)
                at = r.base[s] if place is None else place[1]
                r = r._replace(held=put(r.held, s, False), next=put(r.next, s, at + 1), marked=put(r.marked, s, at),
                               gen=put(r.gen, s, gen + 1))
            self.go("the reader reads shard %d again" % s, life._replace(reader=r))
        elif kind == "eof":
            clean = r.phase == CLOSED and all(r.record[s] is None or message[1][s] >= r.record[s][1]
                                              for s in range(self.n_shards))
            self.go("the reader says whether the end is clean: %s" % clean,
                    life._replace(downs=put(life.downs, j, life.downs[j] + (("clean", clean),))))
        else:
            self.go("the reader hears %s of sink %d" % (kind, j),
                    life._replace(reader=r._replace(peers=put(r.peers, j, kind))))

    def hear_hello(self, life, j):
        r = life.reader
        if r.sinks >= self.c.sinks and "second sink" not in self.mutations:
            self.go("the reader refuses a sink too many (rule 1)", life._replace(
                reader=r._replace(frozen=True), downs=put(life.downs, j, (("refused",),))))
            return
        r = r._replace(sinks=min(r.sinks + 1, self.c.sinks), peers=put(r.peers, j, "live"))
        self.go("the reader welcomes sink %d" % j,
                life._replace(reader=r, downs=put(life.downs, j, (("welcome",),))))

    def hear_ack(self, life, j, message):
        s, gen, seq = message[1:]
        r, state = life.reader, self.state
        was = r.acked[j][s]
        if was is None or was < (gen, seq):
            r = r._replace(acked=put(r.acked, j, put(r.acked[j], s, (gen, seq))))
        life = life._replace(reader=r)
        label = "the reader hears of sink %d: record %d of shard %d is done" % (j, seq, s)
        place = self.place(r, s)
        if place is None or place[1] == state.pos[s] or \
                place[1] < state.pos[s] and "no fencing" not in self.mutations:
            self.go(label, life)
            return
        if state.epoch != r.epoch and "no fencing" not in self.mutations:
            self.go("the reader finds its lease lost (rule 8)", life._replace(reader=r._replace(frozen=True)))
            return
        at = place[1]
        if at < state.pos[s]:
            self.broken("rule 8, fencing", "the position of shard %d runs back to %d" % (s, at), label)
        for q in range(1, at + 1):
            if not self.done(state.effects, s, q):
                self.broken("position safety", "the position of shard %d passes record %d, whose effect has not "
                            "happened" % (s, q), label)
        if state.epoch != r.epoch:
            self.broken("rule 8, fencing", "a reader without the lease moves the position", label)
        self.go(label, life, pos=put(state.pos, s, at))

    # ---- filters ----

    def filter_steps(self):
        life, f = self.life, self.life.filter
        if not f.alive:
            return
        for pipe in life.pipes[1:]:
            if not pipe.reader:
                self.go("the filter gets SIGPIPE", self.filter_ends(life, 141))
                return
        if f.out:
            k, line = f.out[0]
            if self.room(k):
                self.go("the filter writes %s" % line.kind,
                        push(life, k, line)._replace(filter=f._replace(out=f.out[1:])))
            return
        source = life.pipes[0]
        emits = self.c.filter == "emit"
        if emits and self.lost(life.reader) and not f.end:
            self.go("the filter hears that the reader is gone (rule 2)", self.filter_ends(life, 75))
            return
        if emits and f.hand:
            s, q, gen = f.hand
            lines = tuple((1, Line(MORE, s, q, gen, part)) for part in range(self.c.parts))
            self.go("the filter's batch succeeds", life._replace(
                filter=f._replace(hand=None, out=lines + ((1, Line(MARK, s, q, gen, 0)),))))
        if source.lines:
            self.filter_takes(source.lines[0], life._replace(
                pipes=put(life.pipes, 0, source._replace(lines=source.lines[1:]))))
        elif not source.writer and not f.hand:
            told = life.reader.phase == DEAD and life.reader.status == 0
            self.go("the filter ends", self.filter_ends(life, 75 if emits and not f.end and not told else 0))

    def filter_takes(self, line, life):
        """`life` is without the line."""
        kind, f = self.c.filter, life.filter
        if line.kind == TORN and kind != "tee":
            self.go("the filter drops a torn line", life)
        elif kind == "tee":
            out = tuple((1 + j, line) for j in range(self.c.sinks))
            self.go("tee takes %s" % line.kind, life._replace(filter=f._replace(out=out)))
        elif kind == "emit":
            self.emit_takes(line, life)
        elif line.kind == RECORD and (line.shard, line.seq) in self.c.drop or \
                line.kind != RECORD and kind == "grep without marks":
            self.go("the filter drops %s" % line.kind, life)
        elif self.room(1) and line.kind == RECORD and kind == "split":
            out = tuple((1, line._replace(part=part)) for part in range(self.c.parts))
            self.go("the filter makes several lines of one", life._replace(filter=f._replace(out=out)))
        elif self.room(1):
            self.go("the filter passes %s" % line.kind, push(life, 1, line))

    def emit_takes(self, line, life):
        f = life.filter
        if line.kind == RECORD and not f.hand:
            self.go("the filter takes a record", life._replace(
                filter=f._replace(hand=(line.shard, line.seq, line.gen))))
        elif line.kind == MARK and f.hand and f.hand[0] == line.shard and "mark in hand" not in self.mutations:
            self.go("the filter keeps a mark of what is in hand", life)
        elif line.kind == MARK and self.room(1):
            self.go("the filter passes a mark", push(life, 1, line))
        elif line.kind == END and not f.hand and self.room(1):
            self.go("the filter passes the end mark", push(life, 1, line)._replace(filter=f._replace(end=True)))

    # ---- sinks ----

    def sink_steps(self, j):
        life, sink = self.life, self.life.sinks[j]
        if sink.phase == DEAD:
            return
        gone = self.lost(life.reader) or sink.phase == NEW and life.reader.phase == DEAD
        if sink.phase in (HELLO, EOF):
            self.sink_waits(j, gone)
            return
        if gone and sink.phase == LIVE and "reads on" not in self.mutations:
            self.go("sink %d hears that the reader is gone (rule 2)" % j, self.sink_ends(life, j, 75))
        if sink.due:
            self.send_acks(j)
            return
        if sink.failed and not gone:
            self.resume(j)
        pipe = life.pipes[self.pipe_of(j)]
        if sink.taken:
            self.effect(j)
            if "ack first" in self.mutations and not sink.late:
                self.ack_first(j)
        if pipe.lines and len(sink.taken) < self.c.batch and (not gone or sink.phase == NEW or
                                                              "reads on" in self.mutations):
            self.take(j, pipe, gone)
        elif not pipe.lines and not pipe.writer and not sink.taken:
            self.at_end(j)

    def sink_waits(self, j, gone):
        life, sink = self.life, self.life.sinks[j]
        if life.downs[j]:
            message = life.downs[j][0]
            life = life._replace(downs=put(life.downs, j, life.downs[j][1:]))
            if message[0] == "welcome":
                self.go("sink %d is welcomed" % j, life._replace(
                    sinks=put(life.sinks, j, sink._replace(phase=LIVE))))
            elif message[0] == "refused" or not message[1] or sink.torn:
                self.go("sink %d ends with 75" % j, self.sink_ends(life, j, 75))
            else:
                self.end_well(j, life)
        elif gone:
            self.go("sink %d loses the reader, ends with 75" % j, self.sink_ends(life, j, 75))
        elif life.reader.phase == DEAD:
            self.end_well(j, life)

    def take(self, j, pipe, gone):
        life, sink = self.life, self.life.sinks[j]
        line = pipe.lines[0]
        life = life._replace(pipes=put(life.pipes, self.pipe_of(j), pipe._replace(lines=pipe.lines[1:])))
        if line.kind == TORN and "torn line" not in self.mutations:
            self.go("sink %d finds a torn line" % j,
                    life._replace(sinks=put(life.sinks, j, sink._replace(torn=True))))
            return
        phase = sink.phase
        if phase == NEW and gone:
            if "reads on" not in self.mutations:
                self.go("sink %d cannot connect, ends with 75 (rule 2)" % j, self.sink_ends(life, j, 75))
                return
            phase = LIVE
        if phase == NEW:
            phase = HELLO
            life = life._replace(ups=put(life.ups, j, life.ups[j] + (("hello",),)))
        sink = sink._replace(phase=phase, late=sink.late or gone)
        if line.kind == END:
            sink = sink._replace(end=True)
        elif line.gen > sink.held[line.shard] or "stale lines" in self.mutations:
            last = sink.last if line.kind in (MORE, TORN) else put(sink.last, line.shard, line.seq)
            sink = sink._replace(taken=sink.taken + (line,), last=last, held=put(sink.held, line.shard, -1))
        self.go("sink %d takes %s %d" % (j, line.kind, line.seq), life._replace(sinks=put(life.sinks, j, sink)))

    def acknowledges(self, line):
        return line.kind != MORE or "more" in self.mutations

    def ack_first(self, j):
        """The mutation: acknowledgement before the effect."""
        life, sink = self.life, self.life.sinks[j]
        ups = life.ups[j]
        acks = tuple(("ack", x.shard, x.gen, x.seq) for x in sink.taken if self.acknowledges(x))
        if acks and acks[-1] not in ups and life.reader.phase != DEAD:
            self.go("sink %d acknowledges before the effect" % j, life._replace(
                ups=put(life.ups, j, ups + acks)))

    def effect(self, j):
        life, sink, state = self.life, self.life.sinks[j], self.state
        mask, due, lazy = state.effects[j] | sink.lazy, {}, 0
        label = "sink %d does what it took" % j
        for at, line in enumerate(sink.taken):
            s, q = line.shard, line.seq
            if line.kind == RECORD and self.c.hold == (s, q, j) and line.gen == 0 and state.stops:
                self.hold(j, at, mask, due, s, line.gen)
            if line.kind == RECORD and self.c.bad == (s, q) and not self.c.rejects:
                self.stop_at_bad(j, mask, due)
                return
            if line.kind in (RECORD, MORE):
                for before in range(1, q):
                    if self.wanted(s, before) & ~mask:
                        self.broken("order", "record %d of shard %d has its effect before record %d" % (q, s, before),
                                    label)
                bit = self.bits[s, q, line.part]
                if self.c.bad == (s, q) and "reject unsynced" in self.mutations:
                    lazy |= bit
                else:
                    mask |= bit
                if sink.late and not sink.torn:
                    self.broken("rule 2, broken connection", "an effect is begun after the reader is gone", label)
            if self.acknowledges(line):
                due[s] = (line.gen, q)
        sink = sink._replace(taken=(), due=tuple((s,) + due[s] for s in sorted(due)), lazy=lazy)
        self.go(label, life._replace(sinks=put(life.sinks, j, sink)), effects=put(state.effects, j, mask))

    def hold(self, j, at, mask, due, s, gen):
        """
        Rule 7: a batch fails for ever; what came before it is acknowledged, the rest of the shard dropped. `stops`
        counts how often that may happen.
        """
        life, sink, state = self.life, self.life.sinks[j], self.state
        kept = tuple(x for x in sink.taken[at:] if x.shard != s)
        ups = life.ups[j] + tuple(("ack", x) + due[x] for x in sorted(due)) + (("hold", s, gen),)
        sink = sink._replace(taken=kept, failed=True, held=put(sink.held, s, gen))
        life = life._replace(ups=put(life.ups, j, ups), sinks=put(life.sinks, j, sink))
        self.go("sink %d asks to hold shard %d" % (j, s), life, effects=put(state.effects, j, mask),
                stops=state.stops - 1)

    def resume(self, j):
        life, sink = self.life, self.life.sinks[j]
        s = self.c.hold[0]
        self.go("sink %d asks to read shard %d again" % (j, s), life._replace(
            ups=put(life.ups, j, life.ups[j] + (("resume", s, sink.held[s]),)),
            sinks=put(life.sinks, j, sink._replace(failed=False))))

    def stop_at_bad(self, j, mask, due):
        """Rule 4 without --rejects: the program stops at the line; what was done before it is acknowledged."""
        life = self.life
        if life.reader.phase != DEAD:
            ups = life.ups[j] + tuple(("ack", s) + due[s] for s in sorted(due))
            life = life._replace(ups=put(life.ups, j, ups))
        self.go("sink %d stops at a bad line" % j, self.sink_ends(life, j, 65),
                effects=put(self.state.effects, j, mask))

    def send_acks(self, j):
        life, sink = self.life, self.life.sinks[j]
        sink = sink._replace(due=())
        if life.reader.phase != DEAD:
            ups = life.ups[j]
            for s, gen, seq in life.sinks[j].due:
                # a later acknowledgement of the shard takes the place of one not read yet
                if ups and ups[-1][:2] == ("ack", s):
                    ups = ups[:-1]
                ups += (("ack", s, gen, seq),)
            life = life._replace(ups=put(life.ups, j, ups))
        self.go("sink %d acknowledges" % j, life._replace(sinks=put(life.sinks, j, sink)))

    def at_end(self, j):
        life, sink = self.life, self.life.sinks[j]
        if sink.failed:
            return
        if any(gen >= 0 for gen in sink.held) and "end while held" not in self.mutations:
            self.go("sink %d has dropped lines that did not come again, ends with 75" % j, self.sink_ends(life, j, 75))
            return
        if sink.phase == NEW or sink.end or "end is clean" in self.mutations:
            self.end_well(j, life)
        elif life.reader.phase == DEAD and life.reader.status == 0:
            self.end_well(j, life)
        elif life.reader.phase == DEAD:
            self.go("sink %d cannot ask, ends with 75" % j, self.sink_ends(life, j, 75))
        else:
            self.go("sink %d asks whether the end is clean (rule 3)" % j, life._replace(
                ups=put(life.ups, j, life.ups[j] + (("eof", sink.last),)),
                sinks=put(life.sinks, j, sink._replace(phase=EOF))))

    def end_well(self, j, life):
        r = life.reader
        label = "sink %d ends with 0" % j
        if life.sinks[j].phase != NEW:
            for s, last in enumerate(r.record):
                for q in range(1, (last[1] if last else 0) + 1):
                    if self.wanted(s, q) & ~(self.state.effects[j] | life.sinks[j].lazy):
                        self.broken("rule 3, unclean end", "a sink takes its input for whole without record %d of "
                                    "shard %d" % (q, s), label)
        mask = self.state.effects[j] | life.sinks[j].lazy
        self.go(label, self.sink_ends(life, j, 0, True), effects=put(self.state.effects, j, mask))
