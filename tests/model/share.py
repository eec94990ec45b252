"""
Checks the leases of shared groups with spin: python3 tests/model/share.py [NAME]

share.pml is what may never happen, share_balance.pml what must come in the end, share_plain.pml how a group on AWS comes
to be shared and to be not. Each runs as it is, where spin must find
nothing, and with one rule broken at a time, where it must: else the model itself is blind. NAME runs only what has it
in its name.
"""

import pathlib
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SAFETY, LIVENESS, PLAIN = "share.pml", "share_balance.pml", "share_plain.pml"
ONE = "-DS=1"

# name, model, definitions, whether spin must find a fault
RUNS = [
    ("two members, one shard, one crash", SAFETY, [ONE], False),
    ("a child after its parent", SAFETY, ["-DFAMILY", "-DR=1"], False),
    ("delivers when its own lease is over", SAFETY, [ONE, "-DNO_EXPIRY"], True),
    ("counts its lease from the answer", SAFETY, [ONE, "-DAGE_FROM_ANSWER"], True),
    ("deletes a member before its lease is over", SAFETY, [ONE, "-DEXPEL_EARLY"], True),
    ("deletes a member that has beaten meanwhile", SAFETY, [ONE, "-DEXPEL_BLIND"], True),
    ("takes shards of a member that was not deleted", SAFETY, [ONE, "-DTAKE_UNEXPELLED"], True),
    ("stores what was printed, not what was acknowledged", SAFETY, [ONE, "-DPOS_OF_PRINTED"], True),
    ("stores without looking whose shard it is", SAFETY, [ONE, "-DCOMMIT_BLIND"], True),
    ("gives before its sinks are done", SAFETY, [ONE, "-DGIVE_EARLY"], True),
    ("reads a child before its parent is done", SAFETY, ["-DFAMILY", "-DR=1", "-DCHILD_EARLY"], True),
    ("balance: two members, five shards, one leaves", LIVENESS, ["-DN=2", "-DS=5"], False),
    ("balance: looks at the members alone between", LIVENESS, ["-DN=2", "-DS=5", "-DGLANCE"], False),
    ("balance: three members, three shards", LIVENESS, ["-DN=3", "-DS=3", "-DLEAVES=0"], False),
    ("balance: nobody has the rest for its target", LIVENESS, ["-DN=2", "-DS=3", "-DNO_REST"], True),
    ("balance: gives what it should keep", LIVENESS, ["-DN=2", "-DS=3", "-DGIVE_AT_TARGET"], True),
    ("shared, and not shared, and again", PLAIN, [], False),
    ("joins before its own item is written", PLAIN, ["-DJOIN_FIRST"], True),
    ("joins, and changes no version", PLAIN, ["-DNO_VERSION"], True),
    ("takes a group that has changed since it was read", PLAIN, ["-DTAKE_BLIND"], True),
    ("deletes a shard's item, whatever it is now", PLAIN, ["-DDELETE_BLIND"], True),
    ("deletes a shard's item before its position is kept", PLAIN, ["-DDELETE_FIRST"], True),
    ("balance: takes more than its target", LIVENESS, ["-DN=2", "-DS=3", "-DTAKE_BEYOND"], True),
]


def spin(model, definitions, folder):
    """What spin's verifier says, and how many faults that are; None where it did not come to the end."""
    kind = ["-DSAFETY"] if model != LIVENESS else ["-DNFAIR=3"]
    subprocess.run(["spin", *definitions, "-a", HERE / model], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["gcc", "-O2", "-w", "-DCOLLAPSE", "-DMEMLIM=3000", *kind, "-o", "pan", "pan.c"], cwd=folder, check=True)
    said = subprocess.run(["./pan", "-m2000000", *([] if model != LIVENESS else ["-a", "-f"])], cwd=folder,
                          stdout=subprocess.PIPE, text=True, check=False).stdout
    if "errors: " not in said or "Search not completed" in said and "errors: 0" in said or "out of memory" in said:
        return said, None
    return said, int(said.split("errors: ")[1].split()[0])


def main(arguments):
    passed = failed = 0
    for name, model, definitions, broken in RUNS:
        if " ".join(arguments) not in name:
            continue
        since = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            said, faults = spin(model, definitions, folder)
        good = faults is not None and (faults > 0) == broken
        text = ("caught" if broken else "ok") if good else ("NOT CAUGHT" if broken else "FAILED")
        print("  %-54s %5.1f s  %s" % (name, time.monotonic() - since, text), flush=True)
        if not good:
            print(said)
        passed, failed = passed + good, failed + (not good)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
