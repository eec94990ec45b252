"""
Checks the acknowledgement protocol by walking every interleaving of small pipelines: python3 tests/model/run.py [-v] [NAME]

First the protocol as ryde-line(5) has it: each configuration prints the number of its states and "ok". Then the same
with one rule broken: the model must find what that loses, else the model itself is blind. -v shows the shortest
trace to each fault; NAME runs only what has it in its name.
"""

import sys
import time

sys.dont_write_bytecode = True  # the tree stays as it is

import acks
import windows
from explore import explore

A, W = acks.setup, windows.setup
GREP = dict(filter="grep", marks=True, room=1)
BLIND = dict(GREP, filter="grep without marks")
EMIT = dict(filter="emit", marks=True, room=1, parts=2, shards=(2,))
TEE = dict(filter="tee", sinks=2, shards=(2,), room=1)
TWO = dict(times=((3, 12, 25), (4, 21)))
MIXED = dict(times=((3, 12, 8, 17, 28),), lateness=7)


def m(*names):
    return frozenset(names)


CONFIGURATIONS = [
    A("at least once, in order: one shard, killed twice", kills=2),
    A("at least once, in order: two shards", shards=(3, 2)),
    A("at least once, in order: batches", shards=(4,), batch=2),
    A("at least once, in order: the next run begins before the last is over", overlap=True),
    A("rule 1, one life, N sinks: a second sink on the same pipe", second=True),
    A("rule 1, one life, N sinks: two behind tee", **TEE),
    A("rule 2, broken connection: a batch in hand", batch=2, kills=2),
    A("rule 3, unclean end: torn lines, a filter that drops lines", torn=True, drop=m((0, 2)), **GREP),
    A("rule 3, unclean end: a filter that drops marks too", shards=(4,), drop=m((0, 2)), **BLIND),
    A("rule 4, rejects: kept", bad=(0, 2), kills=2, batch=2),
    A("rule 4, rejects: the program stops", bad=(0, 2), rejects=False),
    A("rules 5 and 6, more and emit", **EMIT),
    A("rule 7, hold", hold=(0, 2, 0), stops=1, batch=2),
    A("rule 7, hold: two shards", hold=(0, 1, 0), stops=1, shards=(2, 1)),
    A("rule 8, stand-by: the holder is killed", standby=True, shards=(2,)),
    A("rules 8 and 10, fencing: the holder is stopped and woken", stops=1, kills=0, shards=(2,)),
    A("rules 8 and 10, fencing: stopped, woken, and one is killed", stops=1, shards=(2,)),
    W("windows: one shard, killed twice", times=((3, 12, 14, 27),), kills=2),
    W("windows: one shard, late records, killed twice", times=((3, 14, 5, 25),), kills=2),
    W("windows: one shard, disorder within the lateness", kills=2, **MIXED),
    W("windows: two shards", **TWO),
    W("windows: two shards, disorder within the lateness", times=((8, 13, 6), (2, 27)), lateness=7),
    W("windows: a filter before it drops records", drop=m((0, 2), (1, 2)), times=((3, 12, 25), (4, 8, 21))),
    W("windows: a filter before it is killed", filtered=True),
    W("windows: the reader is told to stop", early=True, kills=2, times=((3, 12, 14, 27),)),
    W("windows: -n 1 again and again", count=1),
    W("sessions: one shard, killed twice", gap=4, times=((3, 5, 12, 20, 30),), kills=2),
    W("sessions: two shards", gap=4, times=((3, 12), (5, 9, 31))),
    W("sessions: two shards, disorder within the lateness", gap=4, lateness=6, times=((8, 3, 12), (5, 10, 30))),
    W("sessions: two shards, disorder beyond it", gap=4, lateness=2, times=((3, 9, 5, 20), (6, 30))),
    W("sessions: a late record beside an open one", gap=6, times=((10, 6, 14, 30),), kills=2),
    W("sessions: a filter before it drops records", gap=4, drop=m((0, 2)), times=((3, 12, 25), (4, 21))),
    W("sessions: the reader is told to stop", gap=4, early=True, kills=2, times=((3, 5, 12, 27),)),
]

MUTATIONS = [
    A("acknowledge before the effect", mutations=m("ack first")),
    A("accept a second sink (rule 1)", second=True, mutations=m("second sink")),
    A("a sink reads on without its reader (rule 2)", mutations=m("reads on")),
    A("take end of input for a clean end (rule 3)", mutations=m("end is clean"), **GREP),
    A("take a torn line for a reject (rule 3)", torn=True, mutations=m("torn line"), **GREP),
    A("a reject not synced before what follows (rule 4)", bad=(0, 2), mutations=m("reject unsynced")),
    A("acknowledge a line with more (rule 5)", mutations=m("more"), **EMIT),
    A("a filter makes several lines of one, without more (rule 5)", parts=2, shards=(2,), filter="split"),
    A("emit passes a mark of what it has in hand (rule 6)", mutations=m("mark in hand"), **EMIT),
    A("take lines of an older generation (rule 7)", hold=(0, 2, 0), stops=1, mutations=m("stale lines")),
    A("end with 0 while held lines have not come again (rule 7)", hold=(0, 2, 0), stops=1,
      mutations=m("end while held")),
    A("let one of two sinks hold (rule 7)", hold=(0, 2, 0), stops=1, kills=0, **TEE),
    A("no fencing (rule 8)", stops=1, kills=0, mutations=m("no fencing")),
    A("the reader leaves while a sink has not come", kills=0, shards=(0,), marks=True, mutations=m("leaves early")),
    A("the reader leaves without saying that all is done", kills=0, mutations=m("leaves untold")),
    W("windows: from and seen swapped", mutations=m("from and seen swapped"), **TWO),
    W("windows: the position follows seen", mutations=m("from is seen"), **TWO),
    W("windows: emit before seen is reached", mutations=m("emits at once"), **TWO),
    W("windows: closed forgotten", mutations=m("closed forgotten"), **MIXED),
    W("windows: closed of the last firing, not the watermark", mutations=m("closed of the last firing"),
      times=((25, 33, 14, 45),), lateness=10),
    W("windows: positions and `at` in two transactions", mutations=m("two transactions"), **MIXED),
    W("windows: `at` on the first row of a firing", mutations=m("at on the first row"),
      times=((3, 12, 25), (4, 28))),
    W("windows: acknowledge before the effect", mutations=m("ack first"), **TWO),
    W("windows: close all at an unclean end", filtered=True, mutations=m("flush at an unclean end")),
    W("windows: shards not known before their first record", announce=False, kills=0, **TWO),
    W("windows: `at` at an end before seen is reached", early=True, kills=2, mutations=m("at before seen")),
    W("windows: what was seen before does not count as handled", early=True, kills=2, times=((3, 12, 14, 27),),
      mutations=m("stored seen forgotten")),
    W("sessions: late by the overall watermark", gap=6, mutations=m("late by the overall watermark"),
      times=((3, 9, 5, 20), (6, 30))),
    W("sessions: given out again after a restart", gap=4, lateness=8, mutations=m("given out again"),
      times=((3, 12, 5, 20, 40),)),
    W("windows: -n counts what was seen before", count=1, kills=0, mutations=m("count from the start")),
]


def run(config):
    model = acks.Acks(config) if isinstance(config, acks.Setup) else \
        windows.Sessions(config) if config.gap else windows.Windows(config)
    return explore(model)


def say_trace(steps):
    for step in steps:
        print("      " + step)


def main(arguments):
    verbose = "-v" in arguments
    wanted = " ".join(x for x in arguments if x != "-v")
    passed = failed = 0
    for mutated, configs in ((False, CONFIGURATIONS), (True, MUTATIONS)):
        print("With one rule broken:" if mutated else "The protocol:")
        for config in configs:
            if wanted not in config.name:
                continue
            since = time.monotonic()
            states, fault = run(config)
            if mutated:
                good = fault is not None and fault[0] != "size"
                text = "caught by: %s: %s" % fault[:2] if good else "NOT CAUGHT"
            else:
                good = fault is None
                text = "ok" if good else "FAILED: %s: %s" % fault[:2]
            print("  %-68s %7d states %5.1f s  %s" % (config.name, states, time.monotonic() - since, text), flush=True)
            if fault and (verbose or not mutated):
                say_trace(fault[2])
            passed, failed = passed + good, failed + (not good)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
