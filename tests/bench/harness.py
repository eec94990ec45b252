"""What the benchmarks share: a scratch store, timed command lines, and medians of interleaved rounds as ratios.

A benchmark is a file beside this one that ends in .bench: Python, given this module as `bench`. It names its
comparisons through compare() and say(); nothing in it is a verdict, and nothing has a time limit.
"""
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("RYDE_BUILD") or os.path.join(HERE, "..", "..", "build"))
BIN = os.path.abspath(os.environ.get("RYDE_BIN") or os.path.join(BUILD, "bin"))


class Bench:
    """A run: its options, its scratch directory (work) and its store."""

    def __init__(self, lines, rounds, only):
        self.lines, self.rounds, self.only = lines, rounds, only
        self.work = tempfile.mkdtemp(prefix="ryde-bench.")
        self.env = dict(os.environ, PATH=BIN + ":" + os.environ["PATH"], RYDE_DATA=self.work + "/store",
                        RYDE_RUN=self.work + "/run", RYDE_BUILD=BUILD)
        for name in ("RYDE_STORE", "RYDE_CLOCK"):
            self.env.pop(name, None)

    def close(self):
        shutil.rmtree(self.work, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.work, name)

    def size(self, name):
        return os.path.getsize(self.path(name))

    def wants(self, title):
        """False where --only names something else: a benchmark need not prepare what it will not measure."""
        return not self.only or self.only in title

    def sh(self, text):
        """Prepares something; ends the run where that fails."""
        subprocess.run(["bash", "-c", "set -o pipefail; " + text], check=True, env=self.env, cwd=self.work,
                       stderr=subprocess.DEVNULL)

    def unicorns(self):
        """u.ndjson: --lines lines of 50 unicorns, some 170 bytes each, made once. Returns its size in bytes."""
        if not os.path.exists(self.path("u.ndjson")):
            self.sh("ryde-unicorn -c 50 -m %d --seed 1 --start '2026-11-23 14:00:00' --fast >u.ndjson" % self.lines)
        return self.size("u.ndjson")

    def envelopes(self):
        """e.ndjson: the same in envelopes, and the stream `all` that they came from. Returns its size in bytes."""
        if not os.path.exists(self.path("e.ndjson")):
            self.unicorns()
            self.sh("ryde-produce -k .Name all u.ndjson; ryde-consume -e --to end all >e.ndjson")
        return self.size("e.ndjson")

    def compiled(self, source, *flags):
        """Compiles a C program of this folder into the scratch directory; returns how to call it."""
        name = os.path.splitext(source)[0]
        if not os.path.exists(self.path(name)):
            subprocess.run(["cc", "-O2", "-o", self.path(name), os.path.join(HERE, source), *flags], check=True)
        return "./" + name

    def npm(self, *packages):
        """A directory whose node_modules has these packages, or None, said, where they cannot be had."""
        where = os.path.join(BUILD, "peers")
        os.makedirs(where, exist_ok=True)
        missing = [p for p in packages if not os.path.isdir(os.path.join(where, "node_modules", p))]
        if missing and (not shutil.which("npm") or subprocess.run(
                ["npm", "install", "--silent", "--no-fund", "--no-audit", "--prefix", where, *missing],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0):
            self.say("", "%s: cannot be installed here; left out" % " ".join(missing))
            return None
        return where

    def timed(self, text):
        """Wall seconds and CPU seconds of a command line, which must end with 0."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        since = time.perf_counter()
        p = subprocess.Popen(["bash", "-c", "set -o pipefail; " + text], env=self.env, cwd=self.work,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        _, err = p.communicate()
        wall = time.perf_counter() - since
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if p.returncode != 0:
            sys.exit("bench: %s: status %d\n%s" % (text, p.returncode, err.decode()[-400:]))
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def rss_mb(self, argv, stdin=None):
        """Peak resident size of one program in MB, as /proc tells while it runs: what rusage tells of a child holds
        the parent's size from before its exec too."""
        peak = 0
        with open(stdin or os.devnull) as f:
            p = subprocess.Popen(argv, env=self.env, cwd=self.work, stdin=f, stdout=subprocess.DEVNULL)
            while p.poll() is None:
                with open("/proc/%d/status" % p.pid) as status:
                    peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
                time.sleep(0.002)
        if p.returncode != 0:
            sys.exit("bench: %s: status %d" % (" ".join(argv), p.returncode))
        return peak / 1024

    def say(self, title, text):
        print("%-34s %s" % (title, text), flush=True)

    def compare(self, title, cases, unit_bytes=None, setup=None, cpu=False):
        """cases: name -> command line; the first is ours. Prints medians of the wall time (or of the CPU's) and
        the ratios to ours. setup runs before each, unmeasured."""
        if not self.wants(title):
            return
        spent = {name: [] for name in cases}
        for _ in range(self.rounds):
            for name, line in cases.items():
                if setup:
                    self.sh(setup)
                spent[name].append(self.timed(line)[1 if cpu else 0])
        ours = None
        for name in cases:
            m = statistics.median(spent[name])
            text = "%-26s %8.3f s%s" % (name, m, " cpu" if cpu else "")
            if unit_bytes:
                text += " %8.1f MB/s" % (unit_bytes / m / 1e6)
            if ours is None:
                ours = m
            else:
                text += "   peer/ours %.2f, ours/peer %.2f" % (m / ours, ours / m)
            self.say(title, text)
