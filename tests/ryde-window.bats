# ryde-window: exact sums per window and key, in the time of the data; positions where a group's reader stands before it.
bats_require_minimum_version 1.5.0

load wait

setup() {
	PATH="${RYDE_BIN:-$BATS_TEST_DIRNAME/../build/bin}:$PATH"
	cd "$BATS_TEST_TMPDIR" || exit 1
}

fleet() {
	ryde-unicorn -c 5 --fast --seed 1 --start '2026-11-23 14:00:00' "$@"
}

@test "the workshop's aggregation: one row per unicorn and minute" {
	fleet -m 900 > in
	ryde-window --tumble 1m --by .Name StatusTime=start 'Distance=sum(.Distance)' \
	    'MinMagicPoints=min(.MagicPoints)' 'MaxMagicPoints=max(.MagicPoints)' < in > out
	[ "$(wc -l < out)" -eq 15 ]
	python3 - <<'PY'
import json
from decimal import Decimal
want = {}
for line in open('in'):
    r = json.loads(line, parse_float=Decimal)
    w = want.setdefault((r['StatusTime'][:16] + ':00.000', r['Name']), [Decimal(0), [], []])
    w[0] += r['Distance']
    w[1].append(r['MagicPoints'])
rows = [json.loads(l, parse_float=Decimal) for l in open('out')]
assert [list(r) for r in rows] == [['Name', 'StatusTime', 'Distance', 'MinMagicPoints', 'MaxMagicPoints']] * 15
got = {(r['StatusTime'], r['Name']): r for r in rows}
assert list(got) == sorted(want), list(got)
for k, w in want.items():
    assert got[k]['Distance'] == w[0]
    assert (got[k]['MinMagicPoints'], got[k]['MaxMagicPoints']) == (min(w[1]), max(w[1]))
PY
}

@test "shuffled within the lateness, with ties, gaps, huge and tiny numbers: as fractions say, and in any order the same" {
	python3 - <<'PY'
import datetime, json, random, subprocess
from fractions import Fraction
from decimal import Decimal, getcontext, ROUND_HALF_EVEN
random.seed(5)
numbers = ['0.1', '1', '1.0', '-0', '0', '-3.25', '1e-30', '1e30', '12345678901234567890123456789012345678901234567890123456',
           '-99999999999999999999.5', '1e-5', '150', '150.00', '0.30000000000000004', '999999999999999999', '1E3', 'null', None]
def lines(seed):
    r = random.Random(seed)
    t = -5_000_000  # before 1970
    out = []
    for i in range(4000):
        t += r.choice([0, 0, 0, 7, 100, 1000]) if r.random() < .995 else 60000
        fields = ['"at":%d' % (t + 10**12 if seed % 2 else t * 10**5), '"k":%s' % r.choice(['"a"', '"\\u0061"', '1', '1.00', 'true', 'null', '"z,\\"z"'])]
        v = r.choice(numbers)
        if v is not None: fields.append('"v":' + v)
        r.shuffle(fields)
        out.append((t, '{' + ', '.join(fields) + '}'))
    return out
ARGS = ['ryde-window', '--tumble', '1s', '-t', '.at', '--by', '.k', 's=sum(.v)', 'm=min(.v)', 'x=max(.v)', 'a=avg(.v)', 'n=count()', 'c=count(.v)']
def run(text, *extra):
    return subprocess.run(ARGS + list(extra), input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
def millis(text):  # plain numbers are seconds below 1e11
    n = int(text)
    return n * 1000 if abs(n) < 10**11 else n
def exact(v): return json.loads(v, parse_int=Fraction, parse_float=Fraction)
for seed in range(6):
    ls = lines(seed)
    want = {}
    for t, l in ls:
        raw = json.loads(l, parse_int=lambda s: ('n', s), parse_float=lambda s: ('n', s))
        at = millis(raw['at'][1])
        k = raw['k']
        k = ('n', Fraction(k[1])) if isinstance(k, tuple) else k
        g = want.setdefault((at // 1000, k), [[], 0])
        g[1] += 1
        if raw.get('v') is not None: g[0].append(raw['v'][1])
    orders = [ls, sorted(ls, key=lambda p: p[0] + random.random() * 250), random.sample(ls, len(ls))]
    outs = set()
    for o in orders:
        outs.add(run(''.join(l + '\n' for _, l in o), '--lateness', '36000d'))
    rows = {}
    first = outs.pop()
    for line in first.splitlines():
        raw = json.loads(line, parse_int=lambda s: ('n', s), parse_float=lambda s: ('n', s))
        k = raw['k']
        k = ('n', Fraction(k[1])) if isinstance(k, tuple) else k
        start = raw['windowStart']
        d = datetime.datetime.strptime(start, '%Y-%m-%d %H:%M:%S.%f') - datetime.datetime(1970, 1, 1)
        rows[(d.days * 86400 + d.seconds, k)] = raw
    assert set(rows) == set(want), (len(rows), len(want))
    getcontext().prec = 400
    for w, (vs, n) in want.items():
        r = rows[w]
        fs = [Fraction(v) for v in vs]
        assert int(r['n'][1]) == n and int(r['c'][1]) == len(vs)
        if not vs:
            assert r['s'] is None and r['m'] is None and r['x'] is None and r['a'] is None
            continue
        assert Fraction(r['s'][1]) == sum(fs), (w, r, vs)
        assert Fraction(r['m'][1]) == min(fs) and Fraction(r['x'][1]) == max(fs)
        assert r['m'][1] in vs and r['x'][1] in vs  # as written
        total = sum(fs)
        mean = Decimal(total.numerator) / Decimal(total.denominator) / Decimal(len(fs))
        getcontext().prec = 17
        getcontext().rounding = ROUND_HALF_EVEN
        rounded = +mean
        getcontext().prec = 400
        assert Decimal(r['a'][1]) == rounded, (r['a'], rounded)
    # ties are told apart by arrival alone in plain input: the texts of equal extremes may differ, the values not
    for other in outs:
        a, b = first.splitlines(), other.splitlines()
        assert len(a) == len(b)
        for x, y in zip(a, b):
            x, y = exact(x), exact(y)
            assert x == y, (x, y)
PY
}

# The slow, obvious way: each record into each of its windows, sums as fractions.
@test "every kind of window, shuffled within the lateness: as a slow reference says, and in any order the same" {
	python3 - <<'PY'
import datetime, json, random, subprocess
from fractions import Fraction
NUMBERS = ['0.1', '1', '1.0', '-0', '-3.25', '1e-30', '1e30', '12345678901234567890123456789012345678901234567890123456', '7E3']
KINDS = {'tumble': (['--tumble', '700ms', '--offset', '50ms'], 700, 700, 50), 'hop': (['--hop', '1s/300ms'], 1000, 300, 0),
         'odd hop': (['--hop', '1s/1s'], 1000, 1000, 0), 'cumulate': (['--cumulate', '1s/250ms'], 1000, 250, 0),
         'session': (['--session', '60ms'], 60, 0, 0)}
LATE = 400

def records(seed):
    r = random.Random(seed)
    at, out = r.choice([-10**12, 10**12, -2000]), []
    for _ in range(1500):
        at += r.choice([0, 0, 0, 1, 7, 59, 60, 61, 100]) if r.random() < .99 else 5000  # ties, gaps
        out.append((at, r.choice(['"a"', '"b"', '1']), r.choice(NUMBERS)))
    return out + r.sample(out, 100)  # duplicates are records like others

def spans(kind, times):
    _, size, step, offset = KINDS[kind]
    if kind == 'session':
        out = []
        for at in sorted(times):
            if out and at < out[-1][1]: out[-1][1] = at + size
            else: out.append([at, at + size])
        return {tuple(s) for s in out}
    if kind == 'cumulate':
        return {(at - at % size, at - at % size + k) for at in times for k in range(step, size + 1, step) if at % size < k}
    first = lambda at: at - (at - offset) % step
    return {(s, s + size) for at in times for s in range(first(at), first(at) - size - step, -step) if s <= at < s + size}

def reference(kind, recs):
    rows = {}
    for key in {k for _, k, _ in recs}:
        mine = [(at, Fraction(v)) for at, k, v in recs if k == key]
        for s, e in spans(kind, [at for at, _ in mine]):
            vs = [v for at, v in mine if s <= at < e]
            rows[e, key, s] = (len(vs), sum(vs), min(vs), max(vs))
    return rows

def millis(text):
    d = datetime.datetime.strptime(text, '%Y-%m-%d %H:%M:%S.%f') - datetime.datetime(1970, 1, 1)
    return (d.days * 86400 + d.seconds) * 1000 + d.microseconds // 1000

def run(kind, recs):
    text = ''.join('{"at":"%s","k":%s,"v":%s}\n' % ((datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=at)).strftime(
        '%Y-%m-%d %H:%M:%S.%f'), k, v) for at, k, v in recs)
    args = ['ryde-window', '-t', '.at', '--by', '.k', 'n=count()', 's=sum(.v)', 'm=min(.v)', 'x=max(.v)', '--lateness', '%dms' % (LATE + 1)]
    return subprocess.run(args + KINDS[kind][0], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()

for seed in range(4):
    for kind in KINDS:
        recs = sorted(records(seed), key=lambda r: r[0])
        wanted = reference(kind, recs)
        for order in range(3):
            r = random.Random(order)
            shuffled = sorted(recs, key=lambda x: x[0] + (r.random() * LATE if order else 0))
            rows = {}
            last = None
            for line in run(kind, shuffled).splitlines():
                raw = json.loads(line, parse_int=Fraction, parse_float=Fraction)
                key = '1' if raw['k'] == 1 else '"%s"' % raw['k']
                at = (millis(raw['windowEnd']), key)
                assert last is None or at > last, (kind, seed, last, at)  # by end, then by key
                last = at
                rows[millis(raw['windowEnd']), key, millis(raw['windowStart'])] = (raw['n'], raw['s'], raw['m'], raw['x'])
            assert rows == wanted, (kind, seed, order, set(rows.items()) ^ set(wanted.items()))
PY
}

@test "late lines are counted and kept as they came" {
	printf '{"StatusTime":"2026-11-23 14:00:%s","v":%d}\n' 01 1 11 2 05.5 3 13 4 21 5 19 6 > in
	run -0 --separate-stderr ryde-window --tumble 10s --lateness 2s --late late --stats 's=start' 'd=sum(.v)' < in
	[ "${#lines[@]}" -eq 3 ]
	[[ ${lines[0]} == *'"d":4'* && ${lines[1]} == *'"d":12'* ]]
	[ ! -s late ]
	run -0 --separate-stderr ryde-window --tumble 10s --late late --stats 's=start' 'd=sum(.v)' < in
	[ "$output" = '{"s":"2026-11-23 14:00:00.000","d":1}
{"s":"2026-11-23 14:00:10.000","d":6}
{"s":"2026-11-23 14:00:20.000","d":5}' ]
	[ "$(cat late)" = '{"StatusTime":"2026-11-23 14:00:05.5","v":3}
{"StatusTime":"2026-11-23 14:00:19","v":6}' ]
	[[ $stderr == *'"in":6,"handled":4,"filtered":0,"late":2,"rejected":0'* ]]
}

@test "rows come as soon as the watermark has passed, not at the end" {
	mkfifo pipe
	ryde-window --tumble 1s 'n=count()' < pipe > out &
	exec 9> pipe
	printf '{"StatusTime":"2026-11-23 14:00:00"}\n{"StatusTime":"2026-11-23 14:00:01"}\n' >&9
	until_ok test -s out
	[ "$(wc -l < out)" -eq 1 ]
	exec 9>&-
	wait
	[ "$(wc -l < out)" -eq 2 ]
}

@test "bad lines are named by field and line, kept, and the rest goes on" {
	printf '%s\n' '{"StatusTime":0,"v":1}' '{"StatusTime":0,"v":"1"}' '{"v":1}' '{' '' '{"StatusTime":"x","v":1}' \
	    $'{"StatusTime":0,"v":"\xff"}' '{"StatusTime":0,"v":2}' > in
	printf '{"StatusTime":0,"v":\0}\n' >> in
	run -65 --separate-stderr ryde-window --rejects bad --tumble 1s 's=start' 'd=sum(.v)' < in
	[ "$output" = '{"s":"1970-01-01 00:00:00.000","d":3}' ]
	[[ $stderr == *'line 2: .v is not a number: "1"'* ]]
	[[ $stderr == *"line 3: .StatusTime is the record's time: missing"* ]]
	[ "$(wc -l < bad)" -eq 7 ]
	run -65 --separate-stderr ryde-window --strict --stats --tumble 1s 'd=sum(.v)' < in
	[ "$output" = '' ]
	[[ $stderr == *'"in":2,"handled":0,'*'"rejected":1,"failed":0,"pending":1'* ]]
}

@test "an input that died closes nothing: 75" {
	printf '{"StatusTime":0}\n{"Stat' > in
	run -75 --separate-stderr ryde-window --stats --tumble 1s 'n=count()' < <(cat in)
	[ "$output" = '' ]
	[[ $stderr == *'"pending":1'* ]]
}

@test "marks without an end mark are no clean end; with it they are" {
	mark='{"ryde":1,"stream":"local:s","shardId":"shardId-0","sequenceNumber":"1","mark":true}'
	line='{"ryde":1,"stream":"local:s","shardId":"shardId-0","sequenceNumber":"1","data":{"StatusTime":0}}'
	run -75 --separate-stderr ryde-window --tumble 1s 's=start' <<< "$line"$'\n'"$mark"
	[ "$output" = '' ]
	run -0 ryde-window --tumble 1s 's=start' <<< "$line"$'\n'"$mark"$'\n''{"ryde":1,"stream":"local:s","mark":true,"end":true}'
	[ "$output" = '{"s":"1970-01-01 00:00:00.000"}' ]
}

@test "-f, offsets, arrival times, no rows of nothing" {
	run -0 ryde-window --tumble 10s --offset 3s -f 'select(.v > 1)' 's=start' 'n=count()' \
	    <<< $'{"StatusTime":12,"v":1}\n{"StatusTime":12,"v":2}\n{"StatusTime":13,"v":3}'
	[ "$output" = '{"s":"1970-01-01 00:00:03.000","n":1}
{"s":"1970-01-01 00:00:13.000","n":1}' ]
	run -0 ryde-window --tumble 1m -t arrival 's=start' 'n=count()' \
	    <<< '{"ryde":1,"stream":"s","shardId":"a","sequenceNumber":"1","approximateArrivalTimestamp":"2026-11-23T14:00:59.999Z","data":{}}'
	[ "$output" = '{"s":"2026-11-23 14:00:00.000","n":1}' ]
	run -0 ryde-window --tumble 1m 'n=count()' < /dev/null
	[ "$output" = '' ]
	run -0 --separate-stderr ryde-window --tumble 1m 's=start' 'n=count()' \
	    <<< '{"ryde":1,"stream":"s","shardId":"a","sequenceNumber":"1","data":{"ryde":1,"StatusTime":0}}'
	[ "$output" = '{"s":"1970-01-01 00:00:00.000","n":1}' ]
}

@test "hopping and cumulating windows" {
	printf '{"StatusTime":%d,"v":%d}\n' 1 1 7 2 12 3 > in
	run -0 ryde-window --hop 10s/5s 's=start' 'd=sum(.v)' < in
	[ "$output" = '{"s":"1969-12-31 23:59:55.000","d":1}
{"s":"1970-01-01 00:00:00.000","d":3}
{"s":"1970-01-01 00:00:05.000","d":5}
{"s":"1970-01-01 00:00:10.000","d":3}' ]
	run -0 ryde-window --cumulate 10s/5s 's=start' 'e=end' 'd=sum(.v)' < in
	[ "$output" = '{"s":"1970-01-01 00:00:00.000","e":"1970-01-01 00:00:05.000","d":1}
{"s":"1970-01-01 00:00:00.000","e":"1970-01-01 00:00:10.000","d":3}
{"s":"1970-01-01 00:00:10.000","e":"1970-01-01 00:00:15.000","d":3}
{"s":"1970-01-01 00:00:10.000","e":"1970-01-01 00:00:20.000","d":3}' ]
	# late for its first window, not for its second one
	printf '{"StatusTime":%d,"v":%d}\n' 7 1 10 2 8 3 > in
	run -0 --separate-stderr ryde-window --stats --hop 10s/5s 's=start' 'd=sum(.v)' < in
	[ "$output" = '{"s":"1970-01-01 00:00:00.000","d":1}
{"s":"1970-01-01 00:00:05.000","d":6}
{"s":"1970-01-01 00:00:10.000","d":2}' ]
	[[ $stderr == *'1 lines were too late'*'"in":3,"handled":3,'*'"missed":1'* ]]
}

@test "sessions: joined by what comes between, apart at a gap, and late by their shard's own time" {
	printf '{"StatusTime":%d,"k":"%s","v":1}\n' 0 a 9 a 18 a 40 a 35 b 31 a 50 a > in
	run -0 --separate-stderr ryde-window --stats --session 10s --by .k 's=start' 'e=end' 'n=count()' < in
	[ "$output" = '{"k":"a","s":"1970-01-01 00:00:00.000","e":"1970-01-01 00:00:28.000","n":3}
{"k":"b","s":"1970-01-01 00:00:35.000","e":"1970-01-01 00:00:45.000","n":1}
{"k":"a","s":"1970-01-01 00:00:31.000","e":"1970-01-01 00:00:50.000","n":2}
{"k":"a","s":"1970-01-01 00:00:50.000","e":"1970-01-01 00:01:00.000","n":1}' ]
	run -0 --separate-stderr ryde-window --stats --lateness 4s --session 10s --by .k 's=start' 'n=count()' < in
	[[ $stderr == *'"late":2'* ]]
	run -64 ryde-window --session 10s --allow-late 1s 'n=count()'
	[[ $output == *'two sessions'* ]]
	run -64 ryde-window --session 10s --offset 1s 'n=count()'
}

@test "--allow-late prints a corrected window again, whole, and counts how often" {
	printf '{"StatusTime":%d,"v":%d}\n' 0 1 12 2 3 4 4 8 25 16 5 32 > in
	run -0 --separate-stderr ryde-window --stats --tumble 10s --allow-late 8s 's=start' 'd=sum(.v)' < in
	[ "$output" = '{"s":"1970-01-01 00:00:00.000","d":1}
{"s":"1970-01-01 00:00:00.000","d":5,"revision":1}
{"s":"1970-01-01 00:00:00.000","d":13,"revision":2}
{"s":"1970-01-01 00:00:10.000","d":2}
{"s":"1970-01-01 00:00:20.000","d":16}' ]
	[[ $stderr == *'"handled":5,'*'"late":1,'* ]]
	run -64 ryde-window --tumble 10s --allow-late 8s 'revision=count()'
}

@test "--every shows open windows by the clock of data, --no-flush leaves them" {
	printf '{"StatusTime":%d,"v":1}\n' 1 2 6 7 13 120 > in
	export RYDE_CLOCK=data
	run -0 --separate-stderr ryde-window --stats --no-flush --every 5s --tumble 100s 'd=sum(.v)' 's=start' < in
	[ "$output" = '{"d":3,"s":"1970-01-01 00:00:00.000","early":true}
{"d":5,"s":"1970-01-01 00:00:00.000","early":true}
{"d":5,"s":"1970-01-01 00:00:00.000"}
{"d":1,"s":"1970-01-01 00:01:40.000","early":true}' ]
	[[ $stderr == *'"handled":5,'*'"pending":1,'* ]]
	run -64 ryde-window --flush --no-flush --tumble 1s 'n=count()'
	[[ $output == *exclude* ]]
}

@test "--max-state prints all and begins anew: the parts add up" {
	fleet -m 20000 > in
	ryde-window --tumble 1h --by .Name 'd=sum(.Distance)' < in > whole
	ryde-window --max-state 8k --tumble 1h --by .Name --by .Distance 'd=sum(.Distance)' < in > parts
	python3 - <<'PY'
import json, collections
from decimal import Decimal
def rows(name): return [json.loads(l, parse_float=Decimal, parse_int=Decimal) for l in open(name)]
def add(rows):
    sums = collections.Counter()
    for r in rows: sums[r['Name'], r['windowStart']] += r['d']
    return sums
parts = rows('parts')
assert sum(r.get('terminatedEarly', False) for r in parts) > 10
assert add(parts) == add(rows('whole'))
PY
}

@test "-t now: the clock closes windows while nothing comes" {
	mkfifo pipe
	ryde-window -t now --tumble 100ms 'n=count()' < pipe > out &
	exec 9> pipe
	printf '{}\n{}\n' >&9
	until_ok test -s out
	[ -s out ]
	exec 9>&-
	wait
	[ "$(jq -s 'map(.n) | add' out)" = 2 ]
}

@test "--zone: days from midnight to midnight, of 23 and 25 hours" {
	python3 -c 'for t in range(1774566000, 1774911600, 3600): print("{\"StatusTime\":%d}" % t)' > in
	run -0 ryde-window --zone Europe/Berlin --tumble 1d 's=start' 'n=count()' < in
	[ "$output" = '{"s":"2026-03-27T00:00:00.000+01:00","n":24}
{"s":"2026-03-28T00:00:00.000+01:00","n":24}
{"s":"2026-03-29T00:00:00.000+01:00","n":23}
{"s":"2026-03-30T00:00:00.000+02:00","n":24}
{"s":"2026-03-31T00:00:00.000+02:00","n":1}' ]
	python3 -c 'for t in range(1792879200, 1792879200 + 25 * 3600, 1800): print("{\"StatusTime\":%d}" % t)' > in
	run -0 ryde-window --zone Europe/Berlin --cumulate 1d/12h 's=start' 'e=end' 'n=count()' < in
	[ "$output" = '{"s":"2026-10-25T00:00:00.000+02:00","e":"2026-10-25T12:00:00.000+01:00","n":26}
{"s":"2026-10-25T00:00:00.000+02:00","e":"2026-10-26T00:00:00.000+01:00","n":50}' ]
	run -0 ryde-window --zone Europe/Berlin --hop 2d/1d 's=start' 'e=end' 'n=count()' < in
	[ "$output" = '{"s":"2026-10-24T00:00:00.000+02:00","e":"2026-10-26T00:00:00.000+01:00","n":50}
{"s":"2026-10-25T00:00:00.000+02:00","e":"2026-10-27T00:00:00.000+01:00","n":50}' ]
	run -64 ryde-window --zone Europe/Nowhere --tumble 1d 'n=count()'
	[[ $output == *Nowhere* ]]
}

@test "usage errors: 64, with a sentence" {
	run -64 ryde-window 'n=count()'
	[[ $output == *--tumble* ]]
	run -64 ryde-window --tumble 1m
	run -64 ryde-window --tumble 0s 'n=count()'
	run -64 ryde-window --tumble 1m 'n=median(.x)'
	[[ $output == *"column 'n'"*"median"* ]]
	run -64 ryde-window --tumble 1m --by Name 'n=count()'
	[[ $output == *--by* ]]
	run -64 ryde-window --tumble 1m --by .a.x --by .b.x 'n=count()'
	[[ $output == *"'x'"* ]]
	run -64 ryde-window --tumble 1m --hop 1m/1s 'n=count()'
	run -64 ryde-window --hop 1m 'n=count()'
	[[ $output == *SIZE/SLIDE* ]]
	run -64 ryde-window --hop 1m/2m 'n=count()'
	run -64 ryde-window --cumulate 1h/7m 'n=count()'
	[[ $output == *multiple* ]]
	run -64 ryde-window --no-such --tumble 1m 'n=count()'
}

@test "a full disk and a closed pipe are noticed" {
	fleet -m 500 > in
	run -74 bash -c 'ryde-window --tumble 1s --by .Name "n=count()" < in > /dev/full'
	fleet -m 100000 > in
	run bash -c 'ryde-window --tumble 1s --by .Name "n=count()" < in | head -1; exit "${PIPESTATUS[0]}"'
	[ "$status" -eq 141 ]
}

# A reader in a few lines of Python: prints what stdin says (A stands for its token), hears the window, and answers.
# It is a process of its own (exec), so that its end closes the pipe. What it heard goes to the file `heard`.
reader() {
	exec python3 -c '
import json, os, socket, sys, threading
at = json.loads(os.environ.get("AT") or "null")
run = os.environ["RYDE_RUN"]
token = "AAAAAAAAAAAAAAAAAAAAAA"
os.makedirs(run, mode=0o700, exist_ok=True)
path = os.path.join(run, token)
if os.path.exists(path): os.unlink(path)
s = socket.socket(socket.AF_UNIX)
s.bind(path); os.chmod(path, 0o600); s.listen(4)
over = threading.Event()
def serve():
    c, _ = s.accept()
    f = c.makefile("rwb")
    for line in f:
        open("heard", "ab").write(line)
        m = json.loads(line)
        if "hello" in m:
            w = {"welcome": True, "hold": False, "direct": True, "retention": int(os.environ.get("RETENTION", "0"))}
            if at is not None: w["at"] = at
            f.write(json.dumps(w, separators=(",", ":")).encode() + b"\n")
        elif "eof" in m: f.write(b"{\"clean\":false}\n")
        elif "bye" in m: break
        f.flush()
    over.set()
threading.Thread(target=serve, daemon=True).start()
for line in sys.stdin: sys.stdout.write(line.replace("\"A\"", json.dumps(token))); sys.stdout.flush()
os.close(1)
over.wait(10)
'
}

# rec SHARD SEQ SECONDS [MORE]: a record with its time
rec() {
	printf '{"ryde":1,"stream":"local:s","shardId":"%s","sequenceNumber":"%s","approximateArrivalTimestamp":"2026-11-23T14:00:00.000Z","ack":"A"%s,"data":{"Name":"a","StatusTime":%s,"v":1}}\n' \
	    "$1" "$2" "${4:-}" "$3"
}

mark() {
	printf '{"ryde":1,"stream":"local:s","shardId":"%s","sequenceNumber":"%s","ack":"A","mark":true}\n' "$1" "$2"
}

end='{"ryde":1,"stream":"local:s","ack":"A","mark":true,"end":true}'

@test "in a group: rows in envelopes, positions on the last of a firing and on the end mark" {
	export RYDE_RUN=$PWD/run
	{ mark s0 10; rec s0 11 0; rec s0 12 60; rec s0 13 61; echo "$end"; } | reader |
	    ryde-window --tumble 1m --by .Name 's=start' 'n=count()' > out
	python3 - <<'PY'
import json
rows = [json.loads(l) for l in open('out')]
assert len(rows) == 2, rows
r, e = rows
assert list(r) == ['ryde', 'stream', 'partitionKey', 'ack', 'at', 'data'], r
assert r['stream'] == 'local:s' and r['partitionKey'] == 'a' and len(r['ack']) == 22
assert r['data'] == {'Name': 'a', 's': '1970-01-01 00:00:00.000', 'n': 1}
assert r['at']['n'] == 1 and r['at']['closed'] == 60000 and len(r['at']['window']) == 32
assert r['at']['shards'] == {'s0': {'from': '11', 'seen': '12'}}, r
assert e['mark'] and e['end'] and e['at']['n'] == 2 and e['at']['closed'] == 61000
assert e['at']['shards'] == {'s0': {'from': '11', 'seen': '13'}}, e
hello = json.loads(open('heard').readline())
assert hello['hello'] == 'window' and hello['window'] == r['at']['window'], hello
PY
}

@test "in a group --flush prints what is open, with positions that still need it" {
	export RYDE_RUN=$PWD/run
	{ mark s0 10; rec s0 11 0; echo "$end"; } | reader | ryde-window --flush --tumble 1m 's=start' 'n=count()' > out
	python3 - <<'PY'
import json
row, e = [json.loads(l) for l in open('out')]
assert row['more'] and 'at' not in row and 'partitionKey' not in row and row['data']['n'] == 1
assert e['end'] and e['at']['shards'] == {'s0': {'from': '10', 'seen': '11'}}, e
PY
}

@test "restart: nothing comes out before each shard has reached its seen, and what was counted is not counted again" {
	export RYDE_RUN=$PWD/run
	w=$(printf '%s\n' "$(mark s0 1)" "$end" | reader | ryde-window --tumble 1m 'n=count()' |
	    python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())["at"]["window"])')
	export AT='{"n":5,"window":"'$w'","closed":60000,"shards":{"s0":{"from":"10","seen":"13"},"s1":{"from":"20","seen":"22"}}}'
	{ mark s0 10; mark s1 20; rec s0 11 59; rec s0 12 60; rec s0 13 300; rec s0 14 59; rec s1 22 301; echo "$end"; } |
	    reader | ryde-window --stats --late late --tumble 1m 'n=count()' > out 2> err
	python3 - <<'PY'
import json
row, e = [json.loads(l) for l in open('out')]
assert row['data'] == {'windowStart': '1970-01-01 00:01:00.000', 'windowEnd': '1970-01-01 00:02:00.000', 'n': 1}, row
assert row['at']['n'] == 6 and row['at']['closed'] == 300000, row
assert row['at']['shards'] == {'s0': {'from': '12', 'seen': '14'}, 's1': {'from': '20', 'seen': '22'}}, row
late = json.loads(open('late').read())
assert late['sequenceNumber'] == '14' and 'ack' not in late, late
stats = json.loads(open('err').read().splitlines()[-1])
assert (stats['in'], stats['handled'], stats['filtered'], stats['late']) == (5, 3, 1, 1), stats
PY
	# the input ends before seen is reached: an end mark without positions
	{ mark s0 10; mark s1 20; rec s0 12 60; echo "$end"; } | reader | ryde-window --tumble 1m 'n=count()' > out
	[ "$(grep -c . out)" -eq 1 ]
	[[ $(cat out) == *'"end":true'* && $(cat out) != *'"at"'* ]]
}

@test "an unclean end of a group tells positions, and no more: 75" {
	export RYDE_RUN=$PWD/run
	{ mark s0 10; rec s0 11 0; } | reader > lines &
	until_ok test -s lines
	run -75 --separate-stderr ryde-window --tumble 1m 'n=count()' < lines
	[[ $output == *'"mark":true,"at":{"n":1,'* && $output != *'"end"'* ]]
	wait
}

@test "what cannot keep positions is refused: 78" {
	export RYDE_RUN=$PWD/run
	# a window behind a window
	{ printf '{"ryde":1,"stream":"local:s","partitionKey":"a","ack":"A","more":true,"data":{}}\n'; } | reader > lines &
	until_ok test -s lines
	run -78 ryde-window --tumble 1m 'n=count()' < lines
	[[ $output == *'window behind a window'* ]]
	wait
	rm lines
	# lines of a group and others
	{ rec s0 1 0; echo '{"StatusTime":0}'; } | reader > lines &
	until_ok has_lines 2 lines
	run -78 ryde-window --tumble 1m 'n=count()' < lines
	[[ $output == *'of one reader'* ]]
	wait
	rm lines
	# longer than the stream keeps its records
	export RETENTION=59999
	rec s0 1 0 | reader > lines &
	until_ok test -s lines
	run -78 ryde-window --tumble 1m 'n=count()' < lines
	[[ $output == *'longer than the stream keeps'* ]]
	wait
}

@test "lines with more belong to one record: nothing fires between them, seen waits for the last" {
	export RYDE_RUN=$PWD/run
	{ mark s0 10; rec s0 11 60 ',"more":true'; rec s0 11 0 ',"more":true'; rec s0 11 0; rec s0 12 0; echo "$end"; } | reader |
	    ryde-window --tumble 1m 's=start' 'n=count()' > out
	python3 - <<'PY'
import json
row, e = [json.loads(l) for l in open('out')]
assert row['data']['n'] == 2, row
assert row['at']['shards'] == {'s0': {'from': '10', 'seen': '11'}}, row
PY
}
